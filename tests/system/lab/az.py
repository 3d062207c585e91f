"""The stock az: as people start it, one process for each command, or as forks of one that has imported it already, which
is the same program and takes a tenth of the time."""

import atexit
import itertools
import json
import os
import select
import shlex
import shutil
import subprocess
import tempfile
import threading

import pytest

from .network import REGISTRY_ADDRESS, TOOLS
from .process import Failed, Result, _die_with_parent, run

CACHE = os.path.dirname(TOOLS)
NEWEST = os.environ.get("KIDOBAN_AZ") or os.path.join(CACHE, "az", "bin", "az")
OLD = os.path.join(CACHE, "az-2.45", "bin", "az")
CLOUD = "Kidoban"
CONTROL_PORT = 8443
FOR_AZ = ["--control", f"0.0.0.0:{CONTROL_PORT}"]  # of a server to which az comes from another host
EACH_AZ = pytest.mark.parametrize("variant", [
    pytest.param(NEWEST, id="newest"),
    pytest.param(OLD, id="old", marks=pytest.mark.long)], indirect=True, scope="module")


class AzResult(Result):
    """What a command left, and its JSON."""

    @property
    def json(self):
        return json.loads(self.out) if self.out.strip() else None

    @property
    def error(self):
        """The lines of standard error that begin with ERROR, without that word."""
        return [line[7:] for line in self.err.splitlines() if line.startswith("ERROR: ")]


class Forks:
    """One process of an az that forks one for each command. Shared by all who use that az in a test run."""

    _all = {}
    _lock = threading.Lock()

    def __init__(self, program):
        self.dir = tempfile.mkdtemp(prefix=f"kdb{os.getpid()}x-az-")  # as a lab's, for whoever clears leftovers
        python = os.path.join(os.path.dirname(program), "python3")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "az_forks.py")
        env = {**settings(os.path.join(self.dir, "azure")), "PATH": os.environ["PATH"], "HOME": self.dir,
               "LC_ALL": "C.UTF-8"}
        os.makedirs(env["AZURE_CONFIG_DIR"])
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.popen = subprocess.Popen([python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                          env=env, start_new_session=True, preexec_fn=_die_with_parent, text=True)
        self.lock = threading.Lock()
        self.serial = itertools.count()
        atexit.register(self.close)
        self.answer(300)

    @classmethod
    def of(cls, program):
        with cls._lock:
            if program not in cls._all or cls._all[program].popen.poll() is not None:
                cls._all[program] = cls(program)
            return cls._all[program]

    def answer(self, timeout):
        """The next line, which is there whole once anything is."""
        if not select.select([self.popen.stdout], [], [], timeout)[0]:
            self.close()
            raise Failed(f"az gave no answer in {timeout} s")
        line = self.popen.stdout.readline()
        if not line:
            with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
                raise Failed(f"the process that forks az has ended:\n{f.read()[-4000:]}")
        return json.loads(line)

    def run(self, az, args, typed, timeout):
        with self.lock:
            number = next(self.serial)
            paths = [os.path.join(self.dir, f"{number}.{kind}") for kind in ("out", "err")]
            work = os.path.join(self.dir, f"{number}.work")
            for p in paths:
                open(p, "wb").close()
            os.mkdir(work)
            job = {"args": [str(a) for a in args], "typed": typed, "env": az.env, "ns": az.space.ns, "work": work,
                   "etc": az.space.etc, "folder": az.folder, "out": paths[0], "err": paths[1]}
            self.popen.stdin.write(json.dumps(job) + "\n")
            self.popen.stdin.flush()
            code = self.answer(timeout)["code"]
            said = []
            for p in paths:
                with open(p, encoding="utf-8", errors="replace") as f:
                    said.append(f.read())
                os.unlink(p)
            os.rmdir(work)
            return Result(["az", *args], code, *said)

    def close(self):
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, 9)
            self.popen.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def settings(folder):
    """az as a script uses it: a folder of its own, nothing asked of anybody outside."""
    return {"AZURE_CONFIG_DIR": folder, "AZURE_CORE_COLLECT_TELEMETRY": "false", "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_SURVEY_MESSAGE": "false", "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off"}


class Az:
    """Someone who types az in a space, with a folder of settings and an account of their own."""

    def __init__(self, space, name="azure", program=NEWEST, forks=True, env=None):
        if not os.path.exists(program):
            raise Failed(f"no az at {program}: tools/install-clients installs it")
        self.space, self.program, self.forks = space, program, forks
        self.folder = os.path.join(space.dir, "home", name)
        os.makedirs(self.folder)
        self.env = {**space.env, **settings(self.folder), **(env or {})}

    def run(self, *args, typed="", timeout=300):
        """A command, to its end, whatever that is; someone sits at a terminal if anything is typed."""
        if self.forks:
            r = Forks.of(self.program).run(self, args, typed, timeout)
        elif typed:
            r = run(self.space.argv(["script", "-qec", shlex.join([self.program, *args]), "/dev/null"]), env=self.env,
                    stdin=typed, timeout=timeout)
        else:
            r = run(self.space.argv([self.program, *args]), env=self.env, timeout=timeout)
        return AzResult(["az", *args], r.code, r.out, r.err)

    def __call__(self, *args, **how):
        """A command that must succeed; its JSON, parsed (None if it printed nothing)."""
        return self.run(*args, **how).ok().json

    def trusts(self, kidoban):
        """Find the control plane by its name and believe its authority."""
        self.space.name_is(REGISTRY_ADDRESS, f"arm.{kidoban.suffix}")
        bundle = os.path.join(self.folder, "ca.crt")
        with open(bundle, "w", encoding="utf-8") as f:
            f.write(kidoban.ca)
        self.env.update(REQUESTS_CA_BUNDLE=bundle, SSL_CERT_FILE=bundle)

    def register(self, kidoban):
        """Make the server az's cloud."""
        self.trusts(kidoban)
        url = f"https://arm.{kidoban.suffix}:{CONTROL_PORT}"
        cloud = {"endpoints": {"resourceManager": url, "management": url, "activeDirectory": f"{url}/adfs",
                               "activeDirectoryResourceId": url, "activeDirectoryGraphResourceId": url,
                               "microsoftGraphResourceId": url + "/"},
                 "suffixes": {"acrLoginServerEndpoint": f".{kidoban.suffix}", "storageEndpoint": "core." + kidoban.suffix}}
        self("cloud", "register", "-n", CLOUD, "--cloud-config", json.dumps(cloud))
        self("cloud", "set", "-n", CLOUD)
        return self

    def login(self, kidoban, client=None, secret=None):
        """Sign in as a service principal: the administrator, unless told another."""
        a = kidoban.admin
        return self("login", "--service-principal", "-u", client or a["clientId"], "-p", secret or a["clientSecret"],
                    "--tenant", a["tenantId"])
