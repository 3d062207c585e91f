"""Azure's own SDKs, unmodified, against the control plane: Python's for every area, Go's for registries."""

import json
import os

import pytest

from lab import run
from lab.clients import need
from lab.network import TOOLS

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk")
PYTHON = os.path.join(os.path.dirname(TOOLS), "sdk", "bin", "python")


@pytest.fixture(scope="module")
def sdk(kidoban, lab):
    """Runs a user of an SDK where the control plane is reached, and gives what it says as JSON."""
    kidoban.group("sdk")
    admin, ca = lab.path("sdk", "admin.json"), lab.path("sdk", "ca.crt")
    with open(admin, "w", encoding="utf-8") as f:
        json.dump(kidoban.admin, f)
    with open(ca, "w", encoding="utf-8") as f:
        f.write(kidoban.ca)
    env = {**kidoban.space.env, "REQUESTS_CA_BUNDLE": ca, "SSL_CERT_FILE": ca, "SSL_CERT_DIR": "/nonexistent"}

    def user(*program, about=()):
        argv = ["nsenter", f"--net=/run/netns/{kidoban.space.ns}", *program, admin, *about]
        return json.loads(run(argv, env=env, timeout=600).ok().out)

    return user


@pytest.fixture(scope="module")
def python(sdk):
    return lambda area: sdk(PYTHON, os.path.join(HERE, "arm.py"), about=[area])


def test_python_makes_changes_lists_and_deletes_groups(python):
    r = python("resources")
    assert (r["made"], r["state"], r["tags"]) == ("sdk-group", "Succeeded", {"b": "2"})
    assert {"sdk", "sdk-group"} <= set(r["listed"])
    assert r["providers"]["Microsoft.ContainerRegistry"] == "Registered"
    assert set(r["found"]) <= {"Microsoft.ContainerRegistry/registries"}
    assert (r["exists"], r["gone"]) == (False, "ResourceGroupNotFound")


def test_python_makes_changes_lists_and_deletes_registries(python):
    r = python("registries")
    assert (r["made"], r["state"], r["sku"], r["tags"]) == ("sdkregistry", "Succeeded", "Premium", {"team": "sdk"})
    assert (r["default"], r["rules"]) == ("Deny", ["203.0.113.7"])
    assert (r["user"], r["renewed"]) == ("sdkregistry", [True, False])
    assert {"Size", "Webhooks"} <= set(r["usages"])
    assert r["wrong"] and r["taken"] == "AlreadyExists"
    assert "sdkregistry" in r["listed"] and r["inside"] == ["sdkregistry"]
    assert r["gone"] == "ResourceNotFound"


def test_python_makes_changes_lists_and_deletes_networks(python):
    r = python("networks")
    assert (r["made"], r["state"], r["tags"], r["listed"]) == ("sdknet", "Succeeded", {"team": "sdk"}, ["sdknet"])
    assert (r["endpoint"], r["address"], r["rules"], r["private"]) == (["Microsoft.ContainerRegistry"], True, 6, "10.1.0.4")
    assert r["in use"] == "InUseSubnetCannotBeDeleted"
    assert "Microsoft.ContainerRegistry" in r["services"]
    assert r["gone"] == "ResourceNotFound"


def test_python_makes_lists_and_deletes_role_assignments(python):
    r = python("roles")
    assert (r["role"], r["made"], r["again"]) == ("Reader", True, "RoleAssignmentExists")
    assert (r["listed"], r["gone"]) == (True, "RoleAssignmentNotFound")


def test_go_makes_changes_lists_and_deletes_registries(sdk):
    r = sdk(need("go-sdk"))
    assert (r["state"], r["default"], r["rules"]) == ("Succeeded", "Deny", ["203.0.113.7"])
    assert (r["user"], r["passwords"]) == ("goregistry", 2)
    assert "goregistry" in r["listed"] and r["gone"] == "ResourceNotFound"
