"""The README's first steps, typed as they stand, on a machine of the lab."""

import os
import re

import pytest

from lab import Dockerd, run, until
from lab.clients import Clients
from lab.server import TOP

DATA = "/var/lib/kidoban"


def commands():
    """The README's shell blocks, after the first, which is `make run`."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        blocks = re.findall(r"^```sh\n(.*?)^```", f.read(), re.M | re.S)
    assert blocks[0].strip() == "make run"
    return blocks[1:]


@pytest.fixture(scope="module")
def machine(lab):
    """A machine on which `make run` runs, and a way to open a second terminal on it."""
    made = not os.path.isdir(DATA)
    os.makedirs(DATA, exist_ok=True)
    m = lab.network("machine", "192.0.2.0/24")
    Clients(m)  # podman's images in the lab's folder, not in the machine's
    docker = Dockerd(m).wait()
    m.environment = {"DOCKER_HOST": f"unix://{docker.socket}"}
    # Its data folder is memory that ends with the machine; the user it makes is in its own /etc.
    script = f"mount -t tmpfs data {DATA} && cd {TOP} && exec make run"
    m.console = m.start("make-run", ["sh", "-c", script], env=m.environment, new_pids=True)
    try:
        m.console.wait_for(lambda: "--default-action Allow\n" in m.console.output().partition("With skopeo:")[2],
                           "make run has said what to type", 600)
        yield m
    finally:
        m.console.kill()
        if made:
            until(lambda: _removed(DATA), "the data folder can be removed")


def _removed(path):
    try:
        os.rmdir(path)
    except OSError:
        return False
    return True


def type_in(machine, script):
    """Type lines into a second terminal: a shell in the same machine, in the same folder."""
    pid = run(["pgrep", "-P", str(machine.console.pid)]).ok().out.split()[0]
    return run(["nsenter", "--target", pid, "--root", "--mount", "--net", "--pid", "bash", "-c", f"cd {TOP}\n{script}"],
               timeout=600, env={**machine.env, **machine.environment})


def test_the_readme_s_commands_work_as_typed_and_one_of_them_is_refused(machine):
    script = "\n".join(commands()).replace("# refused", "&& exit 1 || true # refused")
    r = type_in(machine, "set -eu -o pipefail\n" + script)
    assert r.code == 0, r.text
    assert "denied: client with IP '127.0.0.1' is not allowed access." in r.text
    assert '"Deny"' in r.out and '"ip-rule"' in r.out


def test_make_demo_shows_both_networks_and_that_one_is_refused():
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    r = run(["make", "demo"], env=env, cwd=TOP, timeout=600).ok()
    assert "Login Succeeded" in r.out and "403 Forbidden" in r.out
    assert r.out.count("Hello from the lab") == 1 and "Everything that this made is removed." in r.out


@pytest.mark.parametrize("client", ["docker", "podman", "skopeo"])
def test_what_make_run_prints_works_as_typed(machine, client):
    text = machine.console.output()
    start = text.index(f"With {client}:")
    section = text[start:].split("\nWith ", 1)[0]
    export = next(line.strip() for line in text.splitlines() if "KIDOBAN_DATA=" in line)
    lines = [line.strip() for line in section.splitlines()[1:] if line.startswith("    ")]
    steps = [line for line in lines if not line.startswith("#")]
    refused = lines[lines.index("# let nobody in, and be refused") + 2]
    script, denied = ["set -eu -o pipefail", export], False
    for step in steps:
        if denied and step == refused:
            script.append(f"if {step}; then echo NOT REFUSED; exit 1; fi")
            denied = False
        else:
            script.append(step)
        denied = denied or "--default-action Deny" in step
    r = type_in(machine, "\n".join(script))
    assert r.code == 0, r.text
    assert "NOT REFUSED" not in r.text
