"""The other clients of registries: each pushes and pulls where it may, and says that it was refused where not."""

import json
import os

import pytest

from lab import run
from lab.clients import Clients, need
from lab.images import hello_image, write_archive, write_layout

GO = ("crane", "oras", "regctl")


@pytest.fixture(scope="module")
def allowed(place):
    place.rules(subnets="a")
    return Clients(place.a)


@pytest.fixture(scope="module")
def denied(place, allowed):
    return Clients(place.b)


@pytest.fixture(scope="module")
def image(lab):
    return hello_image(lab, "clients")


@pytest.fixture(scope="module")
def archive(lab, image):
    return write_archive(lab.path("images", "clients.tar"), "v1", image)


@pytest.fixture(scope="module")
def ctr(place, allowed):
    """containerd in network a's host, with a folder that says which authority to trust."""
    allowed.containerd()
    return allowed, allowed.hosts_dir(place.registry.login_server, place.kidoban.ca)


@pytest.fixture(scope="module")
def login(place, allowed):
    """Sign in once for podman, skopeo and buildah, which share a file."""
    r = place.registry
    allowed("podman", "login", "--username", r.user, "--password-stdin", r.login_server, stdin=r.password).ok()


def credentials(place):
    return f"{place.registry.user}:{place.registry.password}"


def principal(place, role):
    """(name, password) of a service principal that has this role at the registry, and no other anywhere."""
    made = place.kidoban("ad", "sp", "create-for-rbac", "--name", f"clients-{role}")
    place.kidoban("role", "assignment", "create", "--assignee", made["appId"], "--role", role, "--scope", place.registry.id)
    return made["appId"], made["password"]


@pytest.fixture(scope="module")
def pusher(place):
    return principal(place, "AcrPush")


@pytest.fixture(scope="module")
def puller(place):
    return principal(place, "AcrPull")


@pytest.fixture(params=["admin user", "service principal"])
def signer(request, place, pusher):
    """Who signs in: (name, password, a word for names of what it pushes)."""
    if request.param == "admin user":
        return place.registry.user, place.registry.password, "admin"
    return *pusher, "principal"


def assert_forbidden(result):
    assert result.code != 0
    assert "403 (Forbidden)" in result.text, result.text


def served(place, repository, tag="v1"):
    """The manifest that the registry has, as a digest."""
    c = place.registry.connect(place.a, f"repository:{repository}:pull")
    return c.manifest(repository, tag).headers["Docker-Content-Digest"]


def test_skopeo_pushes_a_layout_byte_for_byte_and_pulls_it(place, allowed, login, archive, image, lab):
    there = f"docker://{place.registry.login_server}/skopeo:v1"
    allowed("skopeo", "copy", f"oci-archive:{archive}", there).ok()
    assert served(place, "skopeo") == image.digest
    assert json.loads(allowed("skopeo", "inspect", there).ok().out)["Digest"] == image.digest
    assert json.loads(allowed("skopeo", "list-tags", there[:-3]).ok().out)["Tags"] == ["v1"]
    allowed("skopeo", "copy", there, "oci:" + lab.path("pulled", "skopeo") + ":v1").ok()


def test_podman_pushes_and_pulls(place, allowed, login, archive):
    name = f"{place.registry.login_server}/podman:v1"
    loaded = allowed("podman", "pull", "--quiet", f"oci-archive:{archive}").ok().out.strip()
    allowed("podman", "tag", loaded, name).ok()
    allowed("podman", "push", name).ok()
    allowed("podman", "image", "rm", "--all", "--force").ok()
    allowed("podman", "pull", name).ok()


def test_buildah_builds_pushes_and_pulls(place, allowed, login, lab):
    name = f"{place.registry.login_server}/buildah:v1"
    container = allowed("buildah", "from", "scratch").ok().out.strip()
    allowed("buildah", "copy", container, lab.path("images", "hello"), "/hello").ok()
    allowed("buildah", "config", "--cmd", '["/hello"]', container).ok()
    allowed("buildah", "commit", container, name).ok()
    allowed("buildah", "push", name).ok()
    allowed("buildah", "rmi", "--force", "--all").ok()
    allowed("buildah", "pull", name).ok()


def test_containerd_pulls_what_docker_format_clients_pushed_and_pushes_it_again(place, ctr, allowed, login, archive):
    clients, hosts = ctr
    server = place.registry.login_server
    allowed("skopeo", "copy", "--format", "v2s2", f"oci-archive:{archive}", f"docker://{server}/ctr:v1").ok()
    options = ("--hosts-dir", hosts, "--user", credentials(place))
    clients.ctr("images", "pull", *options, f"{server}/ctr:v1").ok()
    clients.ctr("images", "tag", f"{server}/ctr:v1", f"{server}/ctr-again:v1").ok()
    clients.ctr("images", "push", *options, f"{server}/ctr-again:v1").ok()
    assert served(place, "ctr-again") == served(place, "ctr")


def test_crane_pushes_and_pulls(place, allowed, signer, image, lab):
    need("crane")
    (user, password, mark), server = signer, place.registry.login_server
    allowed("crane", "auth", "login", server, "-u", user, "--password-stdin", stdin=password).ok()
    layout = write_layout(lab.path("layout", f"crane-{mark}"), "v1", image)
    allowed("crane", "push", layout, f"{server}/crane-{mark}:v1").ok()
    assert allowed("crane", "digest", f"{server}/crane-{mark}:v1").ok().out.strip() == image.digest
    assert allowed("crane", "ls", f"{server}/crane-{mark}").ok().out.split() == ["v1"]
    allowed("crane", "pull", f"{server}/crane-{mark}:v1", lab.path("pulled", f"crane-{mark}.tar")).ok()


def test_oras_pushes_and_pulls_an_artifact(place, allowed, signer, lab):
    need("oras")
    (user, password, mark), server = signer, place.registry.login_server
    allowed("oras", "login", server, "-u", user, "--password-stdin", stdin=password).ok()
    note = lab.path(f"artifact-{mark}", "note.txt")
    with open(note, "w", encoding="utf-8") as f:
        f.write("an artifact")
    here = ["sh", "-c", 'cd "$0" && exec "$@"', os.path.dirname(note)]
    allowed(*here, "oras", "push", f"{server}/oras-{mark}:v1", "note.txt:text/plain").ok()
    pulled = lab.path("pulled", f"oras-{mark}")
    allowed("oras", "pull", f"{server}/oras-{mark}:v1", "-o", pulled).ok()
    with open(pulled + "/note.txt", encoding="utf-8") as f:
        assert f.read() == "an artifact"


def test_regctl_copies_a_layout_there_and_reads_it(place, allowed, signer, image, lab):
    need("regctl")
    (user, password, mark), server = signer, place.registry.login_server
    allowed("regctl", "registry", "login", server, "-u", user, "--pass-stdin", stdin=password).ok()
    layout = write_layout(lab.path("layout", f"regctl-{mark}"), "v1", image)
    allowed("regctl", "image", "copy", f"ocidir://{layout}:v1", f"{server}/regctl-{mark}:v1").ok()
    assert allowed("regctl", "image", "digest", f"{server}/regctl-{mark}:v1").ok().out.strip() == image.digest


def test_what_oras_attaches_to_an_image_others_find(place, allowed, pusher, image, lab):
    need("oras")
    need("regctl")
    (user, password), there = pusher, f"{place.registry.login_server}/attached:v1"
    c = place.registry.connect(place.a, "repository:attached:pull,push")
    assert c.push("attached", "v1", image).status == 201
    c.close()
    allowed("oras", "login", place.registry.login_server, "-u", user, "--password-stdin", stdin=password).ok()
    allowed("regctl", "registry", "login", place.registry.login_server, "-u", user, "--pass-stdin", stdin=password).ok()
    note = lab.path("attached", "note.txt")
    with open(note, "w", encoding="utf-8") as f:
        f.write("read and found good")
    here = ["sh", "-c", 'cd "$0" && exec "$@"', os.path.dirname(note)]
    allowed(*here, "oras", "attach", there, "note.txt:text/plain", "--artifact-type", "application/vnd.example.note",
            "--annotation", "by=a reader").ok()
    found = json.loads(allowed("oras", "discover", there, "--format", "json").ok().out)["referrers"]
    assert [(r["artifactType"], r["annotations"]["by"]) for r in found] == [("application/vnd.example.note", "a reader")]
    shown = allowed("regctl", "artifact", "list", there, "--filter-artifact-type", "application/vnd.example.note").ok().out
    assert found[0]["digest"] in shown
    tags = allowed("oras", "repo", "tags", there[:-3]).ok().out.split()
    assert tags == ["v1"]  # no list under a tag


CHART = {"Chart.yaml": "apiVersion: v2\nname: {name}\nversion: 1.0.0\n", "values.yaml": "greeting: hello\n",
         "templates/note.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"}


@pytest.mark.long
def test_helm_pushes_and_pulls_a_chart(place, allowed, signer, lab):
    need("helm")
    (user, password, mark), server = signer, place.registry.login_server
    name, pulled = f"chart-{mark}", os.path.dirname(lab.path("pulled", f"helm-{mark}", "x"))
    for path, text in CHART.items():
        with open(lab.path("charts", name, path), "w", encoding="utf-8") as f:
            f.write(text.format(name=name))
    chart = os.path.dirname(lab.path("charts", name, "x"))
    allowed("helm", "package", chart, "-d", os.path.dirname(chart)).ok()
    allowed("helm", "registry", "login", server, "-u", user, "--password-stdin", stdin=password).ok()
    allowed("helm", "push", f"{chart}-1.0.0.tgz", f"oci://{server}/charts").ok()
    allowed("helm", "pull", f"oci://{server}/charts/{name}", "--version", "1.0.0", "-d", pulled).ok()
    assert os.listdir(pulled) == [f"{name}-1.0.0.tgz"]


PULL_ONLY = {  # sign in, pull, push
    "crane": ("auth login {server} -u {user} --password-stdin", "pull {there}:v1 {pulled}.tar", "push {layout} {there}:v2"),
    "oras": ("login {server} -u {user} --password-stdin", "copy {there}:v1 --to-oci-layout {pulled}:v1",
             "copy --from-oci-layout {layout}:v1 {there}:v2"),
    "regctl": ("registry login {server} -u {user} --pass-stdin", "image copy {there}:v1 ocidir://{pulled}:v1",
               "image copy ocidir://{layout}:v1 {there}:v2"),
}


@pytest.mark.parametrize("program", PULL_ONLY)
def test_a_service_principal_with_acr_pull_pulls_and_does_not_push(place, allowed, puller, image, lab, program):
    need(program)
    (user, password), repository = puller, f"pulled-by-{program}"
    c = place.registry.connect(place.a, f"repository:{repository}:pull,push")
    assert c.push(repository, "v1", image).status == 201
    c.close()
    words = {"server": place.registry.login_server, "user": user, "there": f"{place.registry.login_server}/{repository}",
             "pulled": lab.path("pulled", repository), "layout": write_layout(lab.path("layout", repository), "v1", image)}
    login, pull, push = ([program, *(word.format(**words) for word in line.split())] for line in PULL_ONLY[program])
    allowed(*login, stdin=password).ok()
    allowed(*pull).ok()
    refused = allowed(*push)
    assert refused.code != 0
    assert "authentication required" in refused.text or "unauthorized" in refused.text, refused.text
    c = place.registry.connect(place.a, f"repository:{repository}:pull")
    assert c.manifest(repository, "v2").status == 404
    c.close()


def test_podman_skopeo_and_buildah_say_that_they_were_refused(place, denied):
    r = place.registry
    name = f"{r.login_server}/skopeo:v1"
    assert_forbidden(denied("podman", "login", "-u", r.user, "--password-stdin", r.login_server, stdin=r.password))
    for argv in (("podman", "pull", name), ("skopeo", "inspect", f"docker://{name}"),
                 ("skopeo", "list-tags", f"docker://{r.login_server}/skopeo"), ("buildah", "pull", name)):
        result = denied(*argv)
        assert_forbidden(result)
        assert "pinging container registry" in result.text


def test_ctr_says_that_it_was_refused(place, denied):
    denied.containerd()
    hosts = denied.hosts_dir(place.registry.login_server, place.kidoban.ca)
    result = denied.ctr("images", "pull", "--hosts-dir", hosts, f"{place.registry.login_server}/ctr:v1")
    assert result.code == 1 and "403 Forbidden" in result.text


@pytest.mark.parametrize("program,argv", [("crane", ["manifest"]), ("oras", ["pull"]), ("regctl", ["manifest", "get"])])
def test_go_clients_show_the_address_that_was_refused(place, denied, program, argv):
    need(program)
    result = denied(program, *argv, f"{place.registry.login_server}/crane-admin:v1")
    assert result.code == 1
    assert "client with IP '10.0.0.4' is not allowed access." in result.text


def test_every_client_of_this_list_is_on_this_machine():
    missing = [p for p in ("docker", "podman", "skopeo", "buildah", "ctr") if run(["sh", "-c", f"command -v {p}"]).code]
    assert missing == []
