"""OCI's own conformance suite: its four workflows, pull, push, content discovery and content management."""

import re

import pytest

from lab.clients import need

SETTINGS = {
    "OCI_VERSION": "1.1", "OCI_REPO1": "conformance/one", "OCI_REPO2": "conformance/two",
    "OCI_CACHE_AUTH": "false",  # a token of its own for each request, as the challenge to it says
    # More than it asks by itself, where more is offered.
    "OCI_API_BLOBS_UPLOAD_CANCEL": "true", "OCI_API_BLOBS_DIGEST_HEADER": "true", "OCI_API_MANIFESTS_DIGEST_HEADER": "true",
}
# Manifests without their blobs, and tags as parameters, are not asked for: the next version's, or refused.
OFF = {"Manifest put with tag params", "Sparse Manifests", "Tag Param", "Tag Param sha512"}
# A token is for the repositories that its challenge names: where no source is named there is none from which to read.
SKIPPED = {"Blob anonymous mount"}


@pytest.fixture(scope="module")
def said(place):
    """What the suite printed, run by the admin user in the allowed network against the empty registry."""
    program = need("conformance")
    place.rules(subnets="a")
    r, results = place.registry, place.lab.path("conformance", "results", "x")[:-2]
    return place.a.run([program], env={**SETTINGS, "OCI_REGISTRY": r.login_server, "OCI_USERNAME": r.user,
                                       "OCI_PASSWORD": r.password, "OCI_RESULTS_DIR": results}, timeout=300)


def test_the_registry_conforms(said):
    assert "\nOCI Conformance Result: Pass\n" in said.out, said.text
    assert said.code == 0


def test_nothing_that_is_offered_was_left_out(said):
    found = dict(re.findall(r"^  (\S[^.:]*?)\.*: +(Pass|FAIL|Skip|Disabled|Error|Unknown)$", said.out, re.M))
    assert len(found) > 40, said.out
    assert {name for name, result in found.items() if result == "Disabled"} == OFF
    assert {name for name, result in found.items() if result == "Skip"} == SKIPPED
    assert {name for name, result in found.items() if result not in ("Pass", "Disabled", "Skip")} == set()
    skipped = set(re.findall(r"^ +\S.*/([^/]+): Skip$", said.out, re.M))
    assert skipped == {"blob-mount-anonymous"}
