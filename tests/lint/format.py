#!/usr/bin/env python3
"""Every C file is as clang-format would write it."""

import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
files = [str(p.relative_to(TOP)) for d in ("src", "tests") for p in sorted((TOP / d).rglob("*.c"))]
r = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], cwd=TOP, capture_output=True, text=True,
                   check=False)
bad = sorted({line.split(":")[0] for line in r.stderr.splitlines() if "error:" in line})
print("".join(f"{b}: type clang-format -i {b}\n" for b in bad) or r.stderr)
sys.exit(r.returncode)
