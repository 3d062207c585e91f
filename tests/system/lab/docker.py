"""A docker daemon of its own for a host, and the docker client that talks to it."""

import contextlib
import os

from .images import hello_tar
from .process import Failed, run


class Dockerd:
    """dockerd with its own containerd, storage and process tree in one host's namespaces."""

    def __init__(self, host):
        self.host = host
        base = os.path.join(host.dir, "docker")
        os.makedirs(base)
        self.socket = os.path.join(base, "docker.sock")
        self.cgroup = host.ns
        host.lab.cgroups.append(self.cgroup)
        self.config = os.path.join(host.dir, "home", ".docker")
        self.argv = ["dockerd", "-H", f"unix://{self.socket}", "--data-root", f"{base}/data", "--exec-root",
                     f"{base}/exec", "--pidfile", f"{base}/pid", "--bridge=none", "--iptables=false",
                     "--ip-forward=false", "--ip-masq=false", f"--cgroup-parent=/{self.cgroup}"]
        self._start()

    def _start(self):
        self.process = self.host.start("dockerd", self.argv, new_pids=True)

    def wait(self, tries=3):
        """Until it answers. It ends when its containerd has not started in 15 s: on a machine that is so busy, once more."""
        try:
            self.process.wait_for(lambda: self("version").code == 0, "dockerd's first answer")
        except Failed:
            if self.process.running() or tries == 1:
                raise
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.argv[self.argv.index("--pidfile") + 1])
            self._start()
            return self.wait(tries - 1)
        return self

    def __call__(self, *args, stdin=None, timeout=300):
        """Run the docker client against this daemon."""
        env = {**self.host.env, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": self.config,
               "DOCKER_BUILDKIT": "0"}
        return run(["docker", *args], env=env, stdin=stdin, timeout=timeout)

    def login(self, registry, user, password):
        return self("login", "--username", user, "--password-stdin", registry, stdin=password)

    def make_image(self, reference, salt=""):
        """Import the small hello image under a name; a salt makes its layer differ from every other."""
        self("import", "--change", 'CMD ["/hello"]', hello_tar(self.host.lab, salt), reference).ok()
        return reference

    def forget(self, reference):
        """Remove an image, so that the next pull has to ask the registry for everything."""
        self("image", "rm", "--force", reference).ok()
