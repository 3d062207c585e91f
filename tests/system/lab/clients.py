"""Registry clients other than docker, each with its own storage and configuration in one host."""

import os

import pytest

from .network import TOOLS

STORAGE = """[storage]
driver = "vfs"
graphroot = "{dir}/storage/graph"
runroot = "{dir}/storage/run"
"""
CONTAINERS = """[engine]
tmp_dir = "{dir}/storage/tmp"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
"""
POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}\n'
REGISTRIES = 'unqualified-search-registries = []\nshort-name-mode = "permissive"\n'


def need(program):
    """The path of a client that tools/install-clients builds with Go: a machine without Go has none, and its test is
    skipped; continuous integration must have it."""
    path = os.path.join(TOOLS, program)
    if not os.path.exists(path):
        assert not os.environ.get("CI"), f"{program} is missing: tools/install-clients builds it"
        pytest.skip(f"{program} is not here: tools/install-clients builds it where there is Go")
    return path


class Clients:
    """podman, skopeo, buildah, ctr, crane, oras and regctl in one host's namespaces."""

    def __init__(self, host):
        self.host = host
        for name, text in (("storage.conf", STORAGE), ("containers.conf", CONTAINERS), ("policy.json", POLICY),
                           ("registries.conf", REGISTRIES)):
            host.write_etc(f"containers/{name}", text.format(dir=host.dir) if name != "policy.json" else text)
        self.auth = os.path.join(host.dir, "home", "auth.json")
        with open(self.auth, "w", encoding="utf-8") as f:
            f.write("{}")
        host.lab.cgroups.append("libpod_parent")

    def __call__(self, *argv, stdin=None, timeout=300):
        return self.host.run(argv, env={"REGISTRY_AUTH_FILE": self.auth, "BUILDAH_ISOLATION": "chroot",
                                        "_CONTAINERS_USERNS_CONFIGURED": ""}, stdin=stdin, timeout=timeout)

    def containerd(self):
        """Start containerd, which ctr needs to keep what it pulls."""
        base = os.path.join(self.host.dir, "containerd")
        os.makedirs(base)
        self.socket = f"{base}/containerd.sock"
        config = f"{base}/config.toml"
        with open(config, "w", encoding="utf-8") as f:
            f.write(f'version = 2\nroot = "{base}/root"\nstate = "{base}/state"\n'
                    'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                    f'[grpc]\naddress = "{self.socket}"\n[ttrpc]\naddress = "{self.socket}.ttrpc"\n')
        process = self.host.start("containerd", ["containerd", "--config", config], new_pids=True)
        process.wait_for(lambda: self.ctr("version").code == 0, "containerd's first answer")
        return process

    def ctr(self, *args, timeout=300):
        return self("ctr", "--address", self.socket, *args, timeout=timeout)

    def hosts_dir(self, registry, ca):
        """A hosts directory for ctr's --hosts-dir, with the authority that the registry's certificate is from."""
        folder = os.path.join(self.host.dir, "containerd-hosts", registry)
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/ca.crt", "w", encoding="utf-8") as f:
            f.write(ca)
        with open(f"{folder}/hosts.toml", "w", encoding="utf-8") as f:
            f.write(f'server = "https://{registry}"\n[host."https://{registry}"]\n'
                    f'  capabilities = ["pull", "resolve", "push"]\n  ca = "{folder}/ca.crt"\n')
        return os.path.dirname(folder)
