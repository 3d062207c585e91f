"""What make install puts where, and what systemd thinks of it."""

import os
import shutil

import pytest

from lab import run
from lab.server import TOP

BUILD = os.path.dirname(os.environ.get("KIDOBAN_BINARY") or os.path.join(TOP, "build", "x"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("installed"))
    run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], env={**os.environ, "DESTDIR": folder}).ok()
    return folder


def test_the_program_its_unit_and_its_user_are_installed(installed):
    found = {f for _, _, files in os.walk(installed) for f in files}
    assert {"kidoban", "kidoban.service", "kidoban.conf"} <= found


def test_a_prefix_that_is_typed_is_where_it_goes():
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "PREFIX"}

    def would_do(*prefix):
        return run(["make", "-n", "install", *prefix], env=env, cwd=TOP).ok().out

    assert "meson configure build -Dprefix=/usr\n" in would_do("PREFIX=/usr", "BUILD=build")
    assert "configure" not in would_do("BUILD=build")


def test_systemd_finds_no_fault_with_the_unit(installed, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not on this machine")
    with open(os.path.join(BUILD, "packaging", "kidoban.service"), encoding="utf-8") as f:
        unit = f.read()
    path = tmp_path / "kidoban.service"
    path.write_text(unit.replace("/usr/local/bin/kidoban", os.path.join(BUILD, "kidoban")))
    r = run(["systemd-analyze", "verify", "--man=no", path])
    assert "kidoban.service" not in r.text, r.text
