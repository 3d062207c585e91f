"""Certificates for servers that stand in for ours; Kidoban makes its own."""

import os

from .process import run


def make(folder, names):
    """An authority and one server certificate for these DNS names. Returns (authority as PEM, key and chain file)."""
    os.makedirs(folder, exist_ok=True)
    ca, key, csr, crt, pem = (os.path.join(folder, n) for n in ("ca", "srv.key", "srv.csr", "srv.crt", "srv.pem"))
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(["openssl", "req", "-x509", *ec, "-keyout", ca + ".key", "-out", ca + ".crt", "-days", "2",
         "-subj", "/CN=lab authority"]).ok()
    run(["openssl", "req", *ec, "-keyout", key, "-out", csr, "-subj", f"/CN={names[0]}"]).ok()
    extensions = os.path.join(folder, "ext")
    with open(extensions, "w", encoding="utf-8") as f:
        f.write("subjectAltName=" + ",".join(f"DNS:{n}" for n in names) + "\n")
    run(["openssl", "x509", "-req", "-in", csr, "-CA", ca + ".crt", "-CAkey", ca + ".key", "-CAcreateserial",
         "-days", "2", "-extfile", extensions, "-out", crt]).ok()
    with open(pem, "w", encoding="utf-8") as out:
        for part in (crt, key):
            with open(part, encoding="utf-8") as f:
                out.write(f.read())
    with open(ca + ".crt", encoding="utf-8") as f:
        return f.read(), pem
