"""Images that need no internet: a static program, as a root file system and as an OCI layout."""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile

from .process import run

PROGRAM = '#include <stdio.h>\nint main(void) { puts("Hello from the lab"); return 0; }\n'
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hello_program(lab):
    """A static executable that says hello; made once for each lab."""
    binary = lab.path("images", "hello")
    if not os.path.exists(binary):
        run([shutil.which("cc") or "gcc", "-static", "-Os", "-s", "-x", "c", "-", "-o", binary], stdin=PROGRAM).ok()
    return binary


def hello_tar(lab, salt=""):
    """A root file system with the program, and a file that makes the layer unique."""
    path = lab.path("images", f"hello-{hashlib.sha1(salt.encode()).hexdigest()[:12]}.tar")
    if not os.path.exists(path):
        with open(hello_program(lab), "rb") as f:
            data = layer_tar({"hello": (f.read(), 0o755), "salt": (salt.encode(), 0o644)})
        with open(path, "wb") as f:
            f.write(data)
    return path


def layer_tar(files):
    """A tar with fixed owners and times: the same files give the same bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (data, mode) in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Image:
    """An image in memory: blobs by digest and the manifest's bytes."""

    def __init__(self, layers, architecture="amd64"):
        self.blobs, descriptors, diff_ids = {}, [], []
        for tar in layers:
            diff_ids.append(digest_of(tar))
            descriptors.append({"mediaType": LAYER, **self._add(gzip.compress(tar, 1, mtime=0))})
        config = {"architecture": architecture, "os": "linux", "config": {"Cmd": ["/hello"]},
                  "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        descriptor = {"mediaType": CONFIG, **self._add(json.dumps(config).encode())}
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor,
                                    "layers": descriptors}).encode()
        self.digest = digest_of(self.manifest)

    def _add(self, data):
        d = digest_of(data)
        self.blobs[d] = data
        return {"digest": d, "size": len(data)}


def small_image(salt, size=2048):
    """An image with one layer whose bytes depend on the salt alone."""
    noise = hashlib.shake_256(salt.encode()).digest(size)
    return Image([layer_tar({"noise": (noise, 0o644)})])


def hello_image(lab, salt=""):
    with open(hello_tar(lab, salt), "rb") as f:
        return Image([f.read()])


def write_layout(path, tag, image):
    """An OCI image layout folder with one tagged image."""
    os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)
    for d, data in {**image.blobs, image.digest: image.manifest}.items():
        with open(os.path.join(path, "blobs", "sha256", d.split(":")[1]), "wb") as f:
            f.write(data)
    entry = {"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest),
             "annotations": {"org.opencontainers.image.ref.name": tag}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    for name, value in (("index.json", index), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
        with open(os.path.join(path, name), "w", encoding="utf-8") as f:
            json.dump(value, f)
    return path


def write_archive(path, tag, image):
    """The same as a tar file, which skopeo, podman and ctr read as oci-archive."""
    folder = path + ".d"
    write_layout(folder, tag, image)
    with tarfile.open(path, "w") as tar:
        for name in ("oci-layout", "index.json", "blobs"):
            tar.add(os.path.join(folder, name), name)
    shutil.rmtree(folder)
    return path
