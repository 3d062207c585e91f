#!/usr/bin/env python3
"""bench/manifest.py [SECONDS [RUNS]]: an authenticated manifest GET by tag over TLS 1.3, 64 connections.

Kidoban (token checked on every request, 100 subnet rules and 200 IP rules on the registry), nginx serving the same
bytes as a static file, and docker-registry without authentication, in turns. Requests are counted for each CPU second,
user and system, of the server that answers them. As root; request logs are on everywhere."""

import os
import re
import statistics
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TOP, "tests", "system"))

from lab import Kidoban, Lab, pki, run  # noqa: E402
from lab.http import Connection  # noqa: E402
from lab.images import MANIFEST, small_image  # noqa: E402
from lab.network import REGISTRY_ADDRESS, wait_for_port  # noqa: E402
from lab.server import ENDPOINT  # noqa: E402

NGINX = """worker_processes 2; daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {dir}/access.log; keepalive_requests 1000000000; sendfile on; client_body_temp_path {dir}/t1;
  proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{ listen 8444 ssl; ssl_certificate {pem}; ssl_certificate_key {pem}; ssl_protocols TLSv1.3;
            root {dir}/www; default_type {type}; }}
}}
"""
REGISTRY = """version: 0.1
log: {{accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {dir}/blobs}}, cache: {{blobdescriptor: inmemory}}}}
http: {{addr: "127.0.0.1:8445", tls: {{certificate: {pem}, key: {pem}, minimumtls: tls1.3}}}}
"""


def family(pid):
    """A process and all that descend from it."""
    found = [pid]
    for p in found:
        found += [int(c) for c in run(["pgrep", "-P", str(p)]).out.split()]
    return found


def cpu_seconds(pid):
    ticks = 0
    for p in family(pid):
        with open(f"/proc/{p}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Contender:
    def __init__(self, name, pid, url, headers=()):
        self.name, self.pid, self.url, self.headers, self.rates = name, pid, url, headers, []

    def measure(self, space, seconds):
        headers = [a for h in self.headers for a in ("-H", h)]
        before = cpu_seconds(self.pid)
        r = space.run(["wrk", "-t1", "-c64", f"-d{seconds}s", *headers, self.url], timeout=seconds + 60).ok()
        used = cpu_seconds(self.pid) - before
        if "Non-2xx" in r.out or "Socket errors" in r.out:
            sys.exit(f"{self.name}: {r.out}")
        requests = int(re.search(r"(\d+) requests in", r.out)[1])
        self.rates.append(requests / used)


def kidoban(lab, image):
    k = Kidoban(lab, options=["--log-level", "info"]).start()
    k.group()
    registry = k.registry("bench")
    k("network", "vnet", "create", "-g", "lab", "-n", "v", "--address-prefixes", "10.0.0.0/8")
    rules = []
    for i in range(100):
        subnet = k("network", "vnet", "subnet", "create", "-g", "lab", "--vnet-name", "v", "-n", f"s{i}",
                   "--address-prefixes", f"10.{i}.0.0/16", "--service-endpoints", ENDPOINT)
        rules.append({"id": subnet["id"], "action": "Allow"})
    addresses = [f"203.0.{i}.0/24" for i in range(100)] + [f"192.0.2.{i}" for i in range(99)] + [REGISTRY_ADDRESS]
    a = k.control().request("PATCH", registry.id, {"properties": {"networkRuleSet": {
        "defaultAction": "Deny", "virtualNetworkRules": rules,
        "ipRules": [{"value": v, "action": "Allow"} for v in addresses]}}})
    assert a.status == 200, a
    registry.known_by(lab.internet)
    c = registry.connect(lab.internet, "repository:app:pull,push")
    assert c.push("app", "v1", image).status == 201
    headers = [f"Authorization: Bearer {c.token}", f"Accept: {MANIFEST}"]
    return Contender("kidoban", k.process.pid, f"https://{registry.login_server}/v2/app/manifests/v1", headers)


def nginx(lab, image, pem):
    folder = lab.path("nginx", "www", "manifest")
    with open(folder, "wb") as f:
        f.write(image.manifest)
    base = lab.path("nginx", "x")[:-2]
    config = lab.path("nginx", "nginx.conf")
    with open(config, "w", encoding="utf-8") as f:
        f.write(NGINX.format(dir=base, pem=pem, type=MANIFEST))
    p = lab.internet.start("nginx", ["nginx", "-c", config])
    wait_for_port(lab.internet, 8444, p)
    return Contender("nginx, static file", p.pid, "https://127.0.0.1:8444/manifest")


def docker_registry(lab, image, ca, pem):
    base = lab.path("docker-registry", "x")[:-2]
    config = lab.path("docker-registry", "config.yml")
    with open(config, "w", encoding="utf-8") as f:
        f.write(REGISTRY.format(dir=base, pem=pem))
    p = lab.internet.start("docker-registry", ["docker-registry", "serve", config])
    wait_for_port(lab.internet, 8445, p)
    c = Connection(lab.internet, ca, "bench.test", 8445, "127.0.0.1")
    assert c.push("app", "v1", image).status == 201
    return Contender("docker-registry", p.pid, "https://127.0.0.1:8445/v2/app/manifests/v1", [f"Accept: {MANIFEST}"])


def main(seconds=5, runs=5):
    image = small_image("bench")
    with Lab() as lab:
        ca, pem = pki.make(lab.path("pki", "x")[:-2], ["bench.test"])
        all_of_them = [kidoban(lab, image), nginx(lab, image, pem), docker_registry(lab, image, ca, pem)]
        for _ in range(runs):
            for c in all_of_them:
                c.measure(lab.internet, seconds)
    ours = statistics.median(all_of_them[0].rates)
    for c in all_of_them:
        middle = statistics.median(c.rates)
        print(f"{c.name:<20} {middle:9.0f} requests for each CPU second ({min(c.rates):.0f} to {max(c.rates):.0f}); "
              f"kidoban is {ours / middle:.2f} times that")


main(*map(int, sys.argv[1:]))
