#!/usr/bin/env python3
"""doc/architecture.md names every folder of src/ and every kind of thread."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
THREAD = re.compile(r'\b(?:lane_new\(|thread_start\([^;"]*?)"([a-z-]+)"')


def threads():
    """The names that threads bear, but for the log's writer, which base/ starts by itself."""
    for path in sorted((TOP / "src").rglob("*.c")):
        yield from THREAD.findall(path.read_text())


def problems(text):
    for folder in sorted(p.name for p in (TOP / "src").iterdir() if p.is_dir()):
        if not re.search(rf"\b{folder}/", text):
            yield f"doc/architecture.md does not name src/{folder}/"
    for name in sorted(set(threads())):
        if f"`{name}`" not in text:
            yield f"doc/architecture.md does not name the thread `{name}`"


found = list(problems((TOP / "doc" / "architecture.md").read_text()))
print("\n".join(found))
sys.exit(1 if found else 0)
