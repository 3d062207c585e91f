"""Kidoban itself: its server with the privileged helper, its client commands, its control plane."""

import json
import os
import shutil
import signal
import urllib.parse

from .http import Connection, Control
from .network import REGISTRY_ADDRESS, Space
from .process import Failed, Process, run

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BINARY = os.environ.get("KIDOBAN_BINARY") or os.path.join(TOP, "build", "kidoban")
SUFFIX = "azurecr.test"
ENDPOINT = "Microsoft.ContainerRegistry"


class CliError(Failed):
    """A client command failed; code and text are what it left."""

    def __init__(self, result):
        super().__init__(f"{result} failed:\n{result.text}")
        self.code, self.text = result.code, result.text


class Kidoban:
    """One server in the lab's internet, as root with its helper, serving as an unprivileged user."""

    def __init__(self, lab, name="kidoban", options=(), user="nobody", space=None, suffix=SUFFIX,
                 listen="0.0.0.0:443"):
        self.lab, self.space, self.user, self.suffix = lab, space or lab.internet, user, suffix
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        self.data = os.path.join(self.dir, "data")
        self.options, self.listen = list(options), listen
        self.process, self.env = None, {}
        self.log = lab.path(name, "log", "serve.log")

    def start(self, *before):
        """Start the server, by the words `before` it if any, and wait until it says that it is ready."""
        argv = [*before, BINARY, "serve", "--data", self.data, "--user", self.user, "--suffix", self.suffix,
                "--listen", self.listen, *self.options]
        net = ["nsenter", f"--net=/run/netns/{self.space.ns}", *argv]
        self.process = Process(net, self.log, env={**self.space.env, **_sanitizers(), **self.env})
        self.lab.processes.append(self.process)
        self.process.wait_for(lambda: "ready" in self.process.output().split(), "the server is ready")
        return self

    def maintain(self, *args):
        """A maintenance command as the user who owns the data folder; that user may not be able to see the build."""
        program = os.path.join(self.dir, "kidoban")
        shutil.copy2(BINARY, program)
        owner = os.stat(self.data)
        return run(["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", program, *args,
                    "--data", self.data, "--suffix", self.suffix], env={**self.space.env, **_sanitizers()})

    def stop(self):
        """Ask the server to end; it must end well."""
        code, said = self.process.stop(), self.process.output()
        found = [word for word in ("Sanitizer", "runtime error:", "Assertion") if word in said]
        if code != 0 or found:
            raise Failed(f"serve ended with {code} {found}:\n{said[-8000:]}")

    def kill(self):
        """Kill the whole thing, helper too, without warning."""
        self.process.kill()

    def server_pid(self):
        """The serving process, which the helper started (None while there is none)."""
        r = run(["pgrep", "-P", str(self.process.pid)])
        pids = [int(p) for p in r.out.split()]
        return pids[0] if pids else None

    def kill_server(self):
        """kill -9 of the serving process alone: the helper lives and starts another."""
        pid = self.process.wait_for(self.server_pid, "a serving process")
        os.kill(pid, signal.SIGKILL)
        self.process.wait_for(lambda: self.server_pid() not in (None, pid), "another serving process")

    def readies(self):
        """How often a server has said ready since start()."""
        return self.process.output().split().count("ready")

    @property
    def admin(self):
        with open(os.path.join(self.data, "admin.json"), encoding="utf-8") as f:
            return json.load(f)

    @property
    def ca(self):
        """The authority of the registries' certificates, as PEM."""
        return self.admin["ca"]

    def command(self, *args, output="json", timeout=300):
        """A client command, run beside the server; the result as it is."""
        argv = ["nsenter", f"--net=/run/netns/{self.space.ns}", BINARY, *args, "--data", self.data, "-o", output]
        # A control plane that is not only for this machine has a name, which the space of the server need not know.
        env = {"KIDOBAN_CONTROL_URL": "https://localhost:8443"} if "--control" in self.options else {}
        r = run(argv, env={**self.space.env, **_sanitizers(), **env}, timeout=timeout)
        r.argv = ["kidoban", *args]
        return r

    def __call__(self, *args, timeout=300):
        """A client command that must succeed; its JSON, parsed (None if it printed nothing)."""
        r = self.command(*args, timeout=timeout)
        if r.code != 0:
            raise CliError(r)
        return json.loads(r.out) if r.out.strip() else None

    def control(self):
        return Control(self.space, self.admin)

    def connect(self, space, login_server, address=REGISTRY_ADDRESS, **how):
        """An open connection to a registry from somewhere."""
        plain = "plain" in self.listen.split(",")
        return Connection(space, None if plain else self.ca, login_server, 443, address, **how)

    def metrics(self):
        """The counters, as {name with labels: value}."""
        r = run(["nsenter", f"--net=/run/netns/{self.space.ns}", "curl", "-sS", "--noproxy", "*",
                 "http://127.0.0.1:9464/metrics"]).ok()
        lines = [line.rsplit(" ", 1) for line in r.out.splitlines() if line and not line.startswith("#")]
        return {k: float(v) for k, v in lines}

    # What most tests begin with.

    def group(self, name="lab"):
        self("group", "create", "-n", name, "-l", "local")
        return name

    def registry(self, name, group="lab", *options):
        """A Premium registry with its admin user on. Returns a Registry."""
        r = self("acr", "create", "-n", name, "-g", group, "--sku", "Premium", "--admin-enabled", "true", *options)
        return Registry(self, r)

    def network(self, name, prefix="10.0.0.0/16", subnets=(("default", "10.0.0.0/24"),), group="lab"):
        """A virtual network whose subnets all have the service endpoint."""
        self("network", "vnet", "create", "-g", group, "-n", name, "--address-prefixes", prefix)
        for subnet, subnet_prefix in subnets:
            self("network", "vnet", "subnet", "create", "-g", group, "--vnet-name", name, "-n", subnet,
                 "--address-prefixes", subnet_prefix, "--service-endpoints", ENDPOINT)
        return self("network", "vnet", "show", "-g", group, "-n", name)

    def attach(self, name, network: Space, vnet, *options):
        """Say that a lab network's namespace is where a virtual network reaches the server; wait until it listens. The
        server is asked: a listener that was there before may end a little after the attachment that it was for."""
        self("network", "attachment", "create", "--name", name, "--kind", "netns", "--netns", network.ns,
             "--vnet", vnet["id"], *options)
        self.process.wait_for(lambda: self("network", "attachment", "show", "--name", name)["state"] == "Listening",
                              f"the attachment {name} listens")


class Registry:
    """A registry as its users see it."""

    def __init__(self, kidoban, shown):
        self.kidoban, self.id, self.name = kidoban, shown["id"], shown["name"]
        self.group = urllib.parse.unquote(self.id.split("/")[4])
        self.login_server = shown["loginServer"]
        c = kidoban("acr", "credential", "show", "-n", self.name, "-g", self.group)
        self.user, self.password = c["username"], c["passwords"][0]["value"]

    def __call__(self, *args):
        """An `acr` command on this registry: r("update", "--default-action", "Deny")."""
        return self.kidoban("acr", *args, "-n", self.name, "-g", self.group)

    def allow_subnet(self, subnet_id):
        return self("network-rule", "add", "--subnet", subnet_id)

    def forbid_subnet(self, subnet_id):
        return self("network-rule", "remove", "--subnet", subnet_id)

    def known_by(self, *spaces):
        """These hosts find the registry's name and trust its certificate."""
        for space in spaces:
            space.name_is(REGISTRY_ADDRESS, self.login_server)
            space.trusts(self.kidoban.ca, self.login_server)
        return self

    def connect(self, space, *scopes, **how):
        """An open connection from somewhere; with scopes, signed in."""
        c = self.kidoban.connect(space, self.login_server, **how)
        if scopes:
            c.sign_in(self.user, self.password, *scopes)
        return c


def _sanitizers():
    return {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
