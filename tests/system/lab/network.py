"""Virtual networks made of network namespaces.

One namespace is the public internet: a bridge with public hosts, and the registry's public address. Each virtual
network has a gateway namespace with one bridge for each subnet, the registry's public address again (that is what a
service endpoint does: the way to the registry ends at the gateway), and one namespace for each host. Networks do not
know each other, so that two of them may use the same addresses.
"""

import contextlib
import ctypes
import ipaddress
import itertools
import os
import shutil
import signal
import stat
import tempfile

from .process import Process, libc, run
from .wait import until

REGISTRY_ADDRESS = "203.0.113.10"
REGISTRY_ADDRESS6 = "2001:db8::10"
CLONE_NEWNET = 0x40000000
OVERLAYFS = 0x794C7630
TOOLS = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "kidoban", "bin")
PATH = f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{TOOLS}"
_serial = itertools.count(1)


def ip(*args, ns=None):
    return run(["ip", *(["-n", ns] if ns else []), *args]).ok().out


def _setns(path):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside(ns):
    """The calling thread makes its sockets in another network namespace; they stay there afterwards."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _setns(f"/run/netns/{ns}")
        try:
            yield
        finally:
            _setns(f"/proc/self/fd/{home}")
    finally:
        os.close(home)


class Space:
    """A network namespace with programs in it that see their own /etc and their own home folder."""

    def __init__(self, lab, name):
        self.lab, self.name, self.ns = lab, name, f"{lab.prefix}-{name}"
        self.dir = os.path.join(lab.dir, name)
        self.etc = os.path.join(self.dir, "etc")
        for folder in ("etc", "work", "home", "run", "log", "tmp"):
            os.makedirs(os.path.join(self.dir, folder))
        ip("netns", "add", self.ns)
        lab.namespaces.append(self.ns)
        ip("link", "set", "lo", "up", ns=self.ns)
        self.write_etc("resolv.conf", "")
        self.names = {"localhost": "127.0.0.1"}
        self.name_is("127.0.1.1", name)

    def write_etc(self, path, text):
        """A file that only programs in this space see below /etc."""
        full = os.path.join(self.etc, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)

    def name_is(self, address, *names):
        """One more line for /etc/hosts."""
        self.names.update({n: address for n in names})
        self.write_etc("hosts", "".join(f"{a} {n}\n" for n, a in self.names.items()))

    def argv(self, argv, new_pids=False):
        """The command line that runs argv here: network namespace, and an /etc of its own laid over the machine's.
        What a program writes to /etc goes to a memory file system that ends with it."""
        work = os.path.join(self.dir, "work")
        mounts = (f"mount -t tmpfs lab {work} && mkdir {work}/up {work}/work && "
                  f"mount -t overlay lab -o lowerdir={self.etc}:/etc,upperdir={work}/up,workdir={work}/work /etc && "
                  'exec "$@"')
        pids = ["--pid", "--fork", "--kill-child=KILL", "--mount-proc"] if new_pids else []
        return ["nsenter", f"--net=/run/netns/{self.ns}", "unshare", "--mount", "--propagation", "private", *pids,
                "sh", "-c", mounts, "sh", *argv]

    @property
    def env(self):
        home = os.path.join(self.dir, "home")
        return {"PATH": PATH, "HOME": home, "LC_ALL": "C.UTF-8", "TMPDIR": os.path.join(self.dir, "tmp"),
                "XDG_RUNTIME_DIR": os.path.join(self.dir, "run")}

    def trusts(self, ca, *registries):
        """Believe a certificate authority: in docker's and podman's folders for these registries, and system-wide."""
        for registry in registries:
            for engine in ("docker", "containers"):
                self.write_etc(f"{engine}/certs.d/{registry}/ca.crt", ca)
        with open("/etc/ssl/certs/ca-certificates.crt", encoding="utf-8") as f:
            self.write_etc("ssl/certs/ca-certificates.crt", f.read() + ca)

    def run(self, argv, env=None, stdin=None, timeout=300):
        r = run(self.argv(argv), env={**self.env, **(env or {})}, stdin=stdin, timeout=timeout)
        r.argv = argv
        return r

    def start(self, name, argv, env=None, new_pids=False):
        """Start a program that stays; the lab stops it at the end."""
        log = os.path.join(self.dir, "log", name + ".log")
        p = Process(self.argv(argv, new_pids), log, env={**self.env, **(env or {})})
        p.disposable = new_pids
        self.lab.processes.append(p)
        return p

    def listening(self, port):
        """Is there a listening TCP socket on this port?"""
        return run(["nsenter", f"--net=/run/netns/{self.ns}", "ss", "-Hltn", f"sport = :{port}"]).ok().out.strip() != ""

    def inside(self):
        return inside(self.ns)


class Host(Space):
    """A machine in a network: one interface, one address; with `six` (address, gateway), one of IPv6 as well."""

    def __init__(self, network, address, bridge, prefixlen, gateway, name=None, six=None):
        self.network, self.address, self.address6 = network, address, six[0] if six else None
        super().__init__(network.lab, f"{network.name}-{name or 'h' + address.replace('.', '-')}")
        self.port = f"p{len(network.hosts) + 1}"
        ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.ns, ns=network.ns)
        ip("link", "set", self.port, "master", bridge, "up", ns=network.ns)
        ip("addr", "add", f"{address}/{prefixlen}", "dev", "eth0", ns=self.ns)
        ip("link", "set", "eth0", "up", ns=self.ns)
        ip("route", "add", "default", "via", gateway, ns=self.ns)
        if six:
            ip("addr", "add", f"{six[0]}/64", "dev", "eth0", "nodad", ns=self.ns)
            ip("route", "add", "default", "via", six[1], ns=self.ns)


class Network(Space):
    """A gateway namespace with a bridge for each subnet (br0, br1, ...) and the registry's address."""

    def __init__(self, lab, name, prefixes):
        super().__init__(lab, name)
        self.hosts, self.subnets = [], [ipaddress.ip_network(p) for p in prefixes]
        run(["nsenter", f"--net=/run/netns/{self.ns}", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
             "net.ipv4.ip_forward=1"]).ok()
        ip("addr", "add", f"{REGISTRY_ADDRESS}/32", "dev", "lo", ns=self.ns)
        for i, subnet in enumerate(self.subnets):
            ip("link", "add", f"br{i}", "type", "bridge", ns=self.ns)
            ip("addr", "add", f"{subnet[1]}/{subnet.prefixlen}", "dev", f"br{i}", ns=self.ns)
            ip("link", "set", f"br{i}", "up", ns=self.ns)

    def host(self, address):
        """A new machine with this address, in the subnet that holds it."""
        i = next(i for i, s in enumerate(self.subnets) if ipaddress.ip_address(address) in s)
        subnet = self.subnets[i]
        h = Host(self, address, f"br{i}", subnet.prefixlen, str(subnet[1]))
        self.hosts.append(h)
        return h


class Lab:
    """Everything that one test file needs; a context manager that removes it all. In memory, for tests that keep little on
    disk: a daemon leaves hundreds of folders, which take seconds to remove from a busy one."""

    def __init__(self, memory=False):
        remove_leftovers()
        self.prefix = f"kdb{os.getpid()}x{next(_serial)}"
        self.namespaces, self.processes, self.closers, self.cgroups = [], [], [], []
        self._tmpfs = False
        self.dir = tempfile.mkdtemp(prefix=self.prefix + "-")
        os.chmod(self.dir, 0o755)
        if memory or _filesystem(self.dir) == OVERLAYFS:  # an overlay cannot be the upper layer of another
            run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", self.dir]).ok()
            self._tmpfs = True
        self.internet = None
        try:
            self.internet = Network(self, "net", ["198.51.100.0/24"])
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def network(self, name, *prefixes):
        return Network(self, name, prefixes or ["10.0.0.0/24"])

    def public_host(self, address="198.51.100.7"):
        return self.internet.host(address)

    def path(self, *parts):
        full = os.path.join(self.dir, *parts)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def logs(self):
        """The end of every log, for a failing test's report."""
        texts = []
        for folder, _, files in os.walk(self.dir):
            if os.path.basename(folder) == "log":
                texts += [(os.path.join(folder, f), _tail(os.path.join(folder, f))) for f in sorted(files)]
        return texts

    def close(self):
        for p in reversed(self.processes):
            p.send(signal.SIGKILL if p.disposable else signal.SIGTERM)
        for p in reversed(self.processes):
            if p.disposable:
                p.kill()  # waits for its whole tree, which would hold its cgroup and write to its folder
            else:
                p.stop(10)
        for close in reversed(self.closers):
            with contextlib.suppress(OSError):
                close()
        for ns in reversed(self.namespaces):
            run(["ip", "netns", "del", ns])
        for cgroup in self.cgroups:
            remove_cgroup(cgroup)
        if self._tmpfs:
            run(["umount", "-l", self.dir])
        shutil.rmtree(self.dir, ignore_errors=True)


def _filesystem(path):
    return int(run(["stat", "-f", "-c", "%t", path]).ok().out, 16)


def _tail(path, size=6000):
    with open(path, "rb") as f:
        f.seek(max(0, os.path.getsize(path) - size))
        return f.read().decode(errors="replace")


def remove_cgroup(name):
    """The cgroups that a container engine left below name, in every hierarchy, innermost first."""
    root = "/sys/fs/cgroup"
    tops = [root] + [os.path.join(root, c) for c in os.listdir(root)] if os.path.isdir(root) else []
    for top in tops:
        for folder, _, _ in os.walk(os.path.join(top, name), topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def remove_leftovers():
    """What a killed run left: namespaces and folders that carry the pid of a process that is gone."""
    def gone(name):
        pid = name[3:].split("x")[0]
        return name.startswith("kdb") and "x" in name and pid.isdigit() and not os.path.exists(f"/proc/{pid}")

    netns = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    for name in filter(gone, netns):
        run(["ip", "netns", "del", name])
    for name in filter(gone, os.listdir(tempfile.gettempdir())):
        path = os.path.join(tempfile.gettempdir(), name)
        if os.path.ismount(path):
            run(["umount", "-l", path])
        with contextlib.suppress(FileNotFoundError):  # another run clears them too
            if stat.S_ISDIR(os.lstat(path).st_mode):
                shutil.rmtree(path, ignore_errors=True)


def wait_for_port(space, port, process=None):
    """Wait until something listens on the port in that space."""
    if process:
        return process.wait_for(lambda: space.listening(port), f"a listener on port {port}")
    return until(lambda: space.listening(port), f"a listener on port {port} in {space.name}")
