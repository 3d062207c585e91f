"""The laboratory itself, with Debian's registry behind a TLS front in the place of ours.

Two networks use 10.0.0.0/24; the front answers 403 in one of them and passes on to the registry in the other."""

import pytest

from lab import Dockerd, Lab, pki, run, until
from lab.clients import Clients
from lab.network import REGISTRY_ADDRESS, wait_for_port

R = "myreg.azurecr.test"
DENIED = ("{\\\"errors\\\":[{\\\"code\\\":\\\"DENIED\\\",\\\"message\\\":\\\"client with IP '%[src]' is not allowed "
          "access.\\\"}]}\\n")
FRONT = """global
  log stderr local0
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend allowed
  bind 0.0.0.0:443 namespace {a} ssl crt {pem} alpn http/1.1
  http-request set-header X-Forwarded-Proto https
  default_backend registry
frontend denied
  bind 0.0.0.0:443 namespace {b} ssl crt {pem} alpn http/1.1
  http-request return status 403 content-type application/json lf-string "{denied}"
backend registry
  server one 127.0.0.1:5000
"""
REGISTRY = """version: 0.1
storage: {{filesystem: {{rootdirectory: {dir}}}}}
http: {{addr: "127.0.0.1:5000"}}
"""


@pytest.fixture(scope="module")
def hosts(lab):
    """The two hosts called 10.0.0.4, one in each network, with the stand-in running."""
    a, b = lab.network("a"), lab.network("b")
    ca, pem = pki.make(lab.path("pki", "x")[:-2], [R])
    front, registry = lab.path("stand-in", "front.cfg"), lab.path("stand-in", "registry.yml")
    with open(front, "w", encoding="utf-8") as f:
        f.write(FRONT.format(a=a.ns, b=b.ns, pem=pem, denied=DENIED))
    with open(registry, "w", encoding="utf-8") as f:
        f.write(REGISTRY.format(dir=lab.path("stand-in", "blobs", "x")[:-2]))
    backend = lab.internet.start("registry", ["docker-registry", "serve", registry])
    wait_for_port(lab.internet, 5000, backend)
    proxy = lab.internet.start("haproxy", ["haproxy", "-db", "-f", front])
    wait_for_port(a, 443, proxy)
    wait_for_port(b, 443, proxy)
    made = a.host("10.0.0.4"), b.host("10.0.0.4")
    for h in made:
        h.name_is(REGISTRY_ADDRESS, R)
        h.trusts(ca, R)
    return made


@pytest.fixture(scope="module")
def daemons(hosts):
    return [d.wait() for d in [Dockerd(h) for h in hosts]]


def test_two_hosts_with_the_same_address_reach_different_fronts(hosts):
    codes = [h.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"https://{R}/v2/"]).ok().out
             for h in hosts]
    assert codes == ["200", "403"]


def test_networks_do_not_reach_each_other(lab, hosts):
    stranger = lab.network("c").host("10.0.0.9")
    assert stranger.run(["curl", "-sS", "-m", "2", "http://10.0.0.4/"]).code != 0
    assert stranger.run(["curl", "-sS", "-m", "2", f"http://{REGISTRY_ADDRESS}:5000/"]).code != 0
    assert hosts[0].run(["ip", "neigh", "show", "10.0.0.9"]).ok().out == ""


def test_docker_pushes_and_pulls_in_one_network_and_is_refused_in_the_other(daemons):
    allowed, denied = daemons
    image = f"{R}/hello-world:v1"
    allowed.make_image(image)
    allowed("push", image).ok()
    allowed.forget(image)
    allowed("pull", image).ok()
    assert "Hello from the lab" in allowed("run", "--rm", "--network", "host", image).ok().out

    r = denied("pull", image)
    assert r.code == 1
    assert "denied: client with IP '10.0.0.4' is not allowed access." in r.text
    r = denied.login(R, "user", "password")
    assert f"login attempt to https://{R}/v2/ failed with status: 403 Forbidden" in r.text


def test_podman_and_skopeo_see_the_same(hosts, daemons):
    image = f"{R}/hello-world:v1"
    allowed, denied = Clients(hosts[0]), Clients(hosts[1])
    allowed("podman", "pull", image).ok()
    assert '"Digest"' in allowed("skopeo", "inspect", f"docker://{image}").ok().out
    assert "invalid status code from registry 403 (Forbidden)" in denied("podman", "pull", image).text


def test_what_a_lab_made_is_gone_when_it_is_closed():
    lab = Lab()
    d = Dockerd(lab.network("gone").host("10.0.0.4")).wait()
    prefix, folder, pid = lab.prefix, lab.dir, d.process.pid
    lab.close()
    assert prefix not in run(["ip", "netns", "list"]).ok().out
    assert run(["test", "-e", folder]).code != 0
    assert prefix not in run(["sh", "-c", "ls /sys/fs/cgroup /sys/fs/cgroup/*"]).out
    until(lambda: run(["test", "-e", f"/proc/{pid}"]).code != 0, "the daemon's end")

