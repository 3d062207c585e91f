"""What the documents show as a command is typed as it stands: each document into a server of its own. And what they
name in passing is there. Shell blocks between fences are typed by the tests that FENCED names."""

import glob
import json
import os
import re
import shlex
import sqlite3
import textwrap

import pytest

from lab import Kidoban, run, until
from lab.az import NEWEST, settings
from lab.server import BINARY, TOP

COMMANDS = ("kidoban", "az", "eval", "export", "docker", "podman", "curl", "openssl", "ip", "nft", "sysctl")
FENCED = {"README.md": "readme", "doc/names.md": "names", "doc/recipes/bridges.md": "recipes",
          "doc/recipes/nftables-marks.md": "recipes", "doc/recipes/vlan.md": "recipes"}
ELSEWHERE = {"az login --use-device-code": "az_identity"}  # by a person at a terminal and another at a browser
PASSWORD = "correct horse battery"
DOCUMENTS = sorted(os.path.relpath(p, TOP) for pattern in ("*.md", "doc/*.md", "doc/recipes/*.md")
                   for p in glob.glob(os.path.join(TOP, pattern)))


def text_of(document):
    with open(os.path.join(TOP, document), encoding="utf-8") as f:
        return f.read()


def source_of(test):
    return text_of(f"tests/system/test_{test}.py")


def indented(document):
    """The indented blocks, outside of fences."""
    bare = re.sub(r"^```.*?^```$", "", text_of(document), flags=re.M | re.S)
    return [textwrap.dedent(b) for b in re.findall(r"(?:^    .*\n)+", bare, re.M)]


def commands(document):
    """The commands of the indented blocks, one by one."""
    for block in indented(document):
        if block.split()[0] in COMMANDS:
            yield from re.sub(r" *\\\n *", " ", block).splitlines()


def typed_here():
    return [d for d in DOCUMENTS if list(commands(d))]


class Page:
    """A document, the machine with the server that it speaks of, and what its words stand for here."""

    def __init__(self, lab, document):
        self.lab, self.document, self.commands = lab, document, list(commands(document))
        self.name = re.sub(r"\W", "", os.path.basename(document)[:-3])
        self.machine, self.blue = lab.network(self.name), lab.network(self.name + "-blue")
        self.kidoban = self.serve()
        self.bin = os.path.join(self.machine.dir, "bin")
        os.makedirs(self.bin)
        os.symlink(BINARY, os.path.join(self.bin, "kidoban"))
        self.words, self.exported = {}, lab.path(self.name, "exported")
        open(self.exported, "w", encoding="utf-8").close()

    def serve(self):
        """As the document says that the server is to be started, if it does."""
        how = {}
        if self.commands[0].startswith("kidoban serve "):
            line = self.commands.pop(0).replace("<subnet of the load balancer>", "10.0.9.0/24")
            options = shlex.split(line)[2:]
            assert options[0] == "--listen", line
            how = {"listen": options[1], "options": options[2:]}
        return Kidoban(self.lab, self.name + "-server", space=self.machine, **how).start()

    def network(self, name, group):
        """A virtual network; the ids of it and of its subnet."""
        made = self.kidoban.network(name, group=group)
        return made["id"], made["subnets"][0]["id"]

    def type(self, line):
        """A line, with what its words stand for, after what was exported before; what it prints."""
        for word, meaning in self.words.items():
            if word in line:
                line = line.replace(word, meaning() if callable(meaning) else meaning)
        assert not re.search(r"<|\b[A-Z]+-ID\b", line), f"{self.document}: what does it stand for in {line!r}?"
        env = {**self.machine.env, **settings(os.path.join(self.machine.dir, "home", "az")),
               "KIDOBAN_DATA": self.kidoban.data,
               "PATH": f"{self.bin}:{os.path.dirname(NEWEST)}:{self.machine.env['PATH']}"}
        script = f". {self.exported}\n{line}\nexport -p >{self.exported}"
        return run(self.machine.argv(["bash", "-euc", script]), env=env, stdin=PASSWORD + "\n").ok().out

    def type_all(self):
        """Every line; what each prints."""
        return {line: self.type(line) for line in self.commands if line not in ELSEWHERE}

    def states(self):
        return {a["name"]: (a["kind"], a["state"]) for a in self.kidoban("network", "attachment", "list")}


@pytest.fixture
def page(lab, request):
    p = Page(lab, request.param)
    yield p
    p.kidoban.stop()


def of(document):
    return pytest.mark.parametrize("page", [document], indirect=True, ids=[os.path.basename(document)])


@of("README.md")
def test_readme(page):
    page.kidoban.group("myResourceGroup")
    page.kidoban.registry("myregistry", "myResourceGroup")
    page.words = {"--netns blue": f"--netns {page.blue.ns}"}
    page.type_all()
    until(lambda: page.states()["blue"] == ("netns", "Listening"), "the attachment listens")
    assert len(page.kidoban("acr", "network-rule", "list", "-n", "myregistry")["virtualNetworkRules"]) == 1


@of("doc/network-rules.md")
def test_network_rules(page):
    page.kidoban.group("lab")
    page.kidoban.registry("myregistry")
    network, subnet = page.network("other", "lab")
    blue = network.replace("/other", "/blue")
    page.words = {
        "--netns blue": f"--netns {page.blue.ns}",
        "<id of blue>": blue,
        "<id>": network,
        "br-green=<subnet id>": f"br-green={subnet}",
        "<subnet id>": f"{blue}/subnets/apps",
        "<private endpoint id>": network.replace("virtualNetworks/other", "privateEndpoints/one"),
    }
    said = page.type_all()
    until(lambda: page.states()["blue"] == ("netns", "Listening"), "the attachment listens")
    states = page.states()
    assert {n: kind for n, (kind, _) in states.items()} == {
        "blue": "netns", "green": "device", "grey": "mark", "brown": "range", "aws": "proxy"}
    checks = [json.loads(out) for line, out in said.items() if "check-network-access" in line]
    assert [(c["decision"], "proposed" in c) for c in checks] == [("Deny", False), ("Allow", False), ("Allow", True)]


@of("doc/roles.md")
def test_roles(page):
    page.kidoban.group("myResourceGroup")
    registry = page.kidoban.registry("myregistry", "myResourceGroup")
    made = page.kidoban("ad", "sp", "create-for-rbac", "--name", "ci")
    page.words = {"APP-ID": made["appId"], "REGISTRY-ID": registry.id}
    said = page.type_all()
    assert len(json.loads(said["kidoban role definition list"])) == 7
    assert page.kidoban("role", "assignment", "list", "--scope", registry.id) == []


@of("doc/identity.md")
def test_identity(page):
    page.kidoban.group("myResourceGroup")
    registry = page.kidoban.registry("myregistry", "myResourceGroup")

    def application():
        return next(s["appId"] for s in page.kidoban("ad", "sp", "list") if s["displayName"] == "ci")

    def key():
        return page.kidoban("ad", "sp", "credential", "list", "--id", application())[0]["keyId"]

    page.words = {"REGISTRY-ID": registry.id, "APP-ID": application, "KEY-ID": key, "-p ...": f"-p '{PASSWORD}'"}
    said = page.type_all()
    assert len(page.kidoban("ad", "sp", "credential", "list", "--id", application())) == 1
    assert len(json.loads(said["kidoban ad key list"])) == 1 and len(page.kidoban("ad", "key", "list")) == 2


@of("doc/recipes/haproxy.md")
def test_haproxy(page):
    page.kidoban.group()
    page.words = {f"<id of {n}>": page.network(n, "lab")[0] for n in ("blue", "green")}
    page.type_all()
    assert page.states() == {n: ("proxy", "Listening") for n in ("blue", "green")}


@of("doc/recipes/cloud-load-balancers.md")
def test_cloud_load_balancers(page):
    page.kidoban.group()
    network, subnet = page.network("cloud", "lab")
    page.words = {"<id>": network, "<id of the subnet>": subnet, "<subnet of the load balancer>": "10.0.9.0/24"}
    page.type_all()
    assert page.states() == {n: ("proxy", "Listening") for n in ("aws", "azure")}


def test_the_database_can_be_looked_into_as_the_document_says(kidoban):
    """doc/storage.md, in a shell of Python that stands in the data folder."""
    (snippet,) = [b for b in indented("doc/storage.md") if "sqlite3.connect" in b]
    known = {"sqlite3": sqlite3}
    exec(snippet.replace('"kidoban.db"', repr(os.path.join(kidoban.data, "kidoban.db"))), known)
    tables = [t for (t,) in known["db"].execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        columns = [c[1] for c in known["db"].execute(f"PRAGMA table_info({table})")]
        known["db"].execute(f"SELECT * FROM {table} ORDER BY {', '.join(columns)}").fetchall()
    assert tables
    known["db"].close()


# --- nothing is left out ---

def test_every_command_is_typed_by_some_test():
    here = {document for document in DOCUMENTS if f'@of("{document}")\n' in source_of("documents")}
    assert set(typed_here()) == here
    fenced = {d for d in DOCUMENTS if re.search(r"^```sh$", text_of(d), re.M)}
    assert fenced == set(FENCED)
    for document, test in FENCED.items():
        assert os.path.basename(document) in source_of(test), f"{test} does not read {document}"
    for line, test in ELSEWHERE.items():
        assert shlex.split(line)[-1] in source_of(test)


def named():
    """(document, what stands there) for each `kidoban ...` and `make ...` within a sentence."""
    for d in DOCUMENTS:
        yield from ((d, " ".join(s.split())) for s in re.findall(r"`((?:kidoban|make) [^`]*)`", text_of(d)))
        yield from ((d, line.split("#")[0]) for b in indented(d) for line in b.splitlines() if line.startswith("make "))


def test_what_is_named_in_passing_is_there():
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    for document, words in named():
        program, *rest = words.split()
        if program == "make":
            assert set(rest[:1]) <= targets, (document, words)
            continue
        command = list(rest[:next((i for i, w in enumerate(rest) if w.startswith("-")), len(rest))])
        help_text = run([BINARY, *command, "--help"]).ok().text
        for option in (w for w in rest if re.fullmatch(r"--?[a-z][a-z-]*", w)):
            assert re.search(rf"(^|[\s\[]){option}\b", help_text) or option == "--version", (document, words, option)
