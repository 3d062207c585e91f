"""What doc/recipes says, for tests that follow it to the letter."""

import os
import re

from .server import TOP


def blocks(recipe, kind, changes=()):
    """The blocks of one kind of a recipe, with the names of the lab in the place of the document's."""
    with open(os.path.join(TOP, "doc", "recipes", recipe), encoding="utf-8") as f:
        found = re.findall(rf"^```{kind}\n(.*?)^```", f.read(), re.M | re.S)
    for old, new in changes:
        assert any(old in b for b in found), old
        found = [b.replace(old, new) for b in found]
    return found


def haproxy(space, name, changes):
    """Run the HAProxy recipe whose first line names it."""
    config = next(b for b in blocks("haproxy.md", "haproxy") if b.startswith(f"# {name}\n"))
    for old, new in changes:
        assert old in config, old
        config = config.replace(old, new)
    path = space.lab.path(space.name, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    return space.start(f"haproxy-{name}", ["haproxy", "-db", "-f", path])
