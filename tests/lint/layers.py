#!/usr/bin/env python3
"""A folder of src/ includes itself and folders of a smaller level, as tools/layers.txt gives them."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def levels():
    found = {}
    for line in (TOP / "tools" / "layers.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            level, folder = line.split()
            found[folder] = int(level)
    return found


def problems(level):
    for path in sorted((TOP / "src").rglob("*.[ch]")):
        folder = path.relative_to(TOP / "src").parts[0]
        if folder not in level:
            yield f"{path}: {folder} has no level in tools/layers.txt"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            m = INCLUDE.match(line)
            if not m or "/" not in m[1]:
                continue
            other = m[1].split("/")[0]
            if other != folder and level.get(other, 99) >= level[folder]:
                yield (f"{path.relative_to(TOP)}:{number}: {folder} (level {level[folder]}) includes {m[1]} "
                       f"(level {level.get(other, 'unknown')})")


found = list(problems(levels()))
print("\n".join(found))
sys.exit(1 if found else 0)
