"""The data plane byte by byte: uploads, ranges, manifests, lists, tokens, errors, as raw requests."""

import base64
import concurrent.futures
import hashlib
import json
import re
import urllib.parse
import uuid

import pytest

from lab.http import in_turn
from lab.images import INDEX, MANIFEST, digest_of, small_image
from lab.tokens import Guesses

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ALL = "repository:{0}:pull,push,delete"
TOKEN_USER = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def registry(kidoban):
    return kidoban.registry("dataplane")


@pytest.fixture(scope="module")
def client(lab):
    return lab.public_host("198.51.100.9")


@pytest.fixture
def repository():
    return f"team/r-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def opened(registry, client, repository):
    """A connection that may do everything in a fresh repository."""
    c = registry.connect(client, ALL.format(repository))
    yield c
    c.close()


@pytest.fixture
def plain(registry, client):
    """A connection without any credentials."""
    c = registry.connect(client)
    yield c
    c.close()


def noise(n, salt="x"):
    return (salt.encode() * n)[:n]


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def form(**fields):
    return urllib.parse.urlencode(fields)


def code_of(answer):
    return answer.json["errors"][0]["code"]


def patch(connection, target, data, **headers):
    return connection.request("PATCH", target, body=data,
                              headers={"Content-Type": "application/octet-stream", "Content-Length": str(len(data)),
                                       **{k.replace("_", "-"): v for k, v in headers.items()}})


def assert_unauthorized(answer):
    assert answer.status == 401, answer
    assert answer.json["errors"][0] == {
        "code": "UNAUTHORIZED", "detail": None,
        "message": "authentication required, visit https://aka.ms/acr/authorization for more information."}


# --- the base ---------------------------------------------------------------------------------------------------


def test_without_credentials_the_base_challenges(registry, plain):
    a = plain.get("/v2/")
    assert_unauthorized(a)
    assert a.headers["WWW-Authenticate"] == \
        f'Bearer realm="https://{registry.login_server}/oauth2/token",service="{registry.login_server}"'
    assert a.headers.get_all("Docker-Distribution-Api-Version") == ["registry/2.0"]


def test_a_token_or_the_password_opens_the_base(registry, opened, plain):
    a = opened.get("/v2/")
    assert a.status == 200
    assert a.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert plain.get("/v2/", headers=basic(registry.user, registry.password)).status == 200
    assert_unauthorized(plain.get("/v2/", headers=basic(registry.user, "wrong")))


# --- blobs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65536, 262144, 262145, 3_000_001])
def test_a_blob_comes_back_as_it_was_pushed(opened, repository, size):
    data = noise(size, f"{size}-")
    digest = digest_of(data)
    a = opened.push_blob(repository, digest, data)
    assert a.status == 201, a
    assert a.headers["Docker-Content-Digest"] == digest
    assert opened.local(a.headers["Location"]) == f"/v2/{repository}/blobs/{digest}"
    a = opened.get(f"/v2/{repository}/blobs/{digest}")
    assert (a.status, a.body) == (200, data)
    assert a.headers["Docker-Content-Digest"] == digest
    h = opened.request("HEAD", f"/v2/{repository}/blobs/{digest}")
    assert (h.status, h.body, h.headers["Content-Length"]) == (200, b"", str(size))


def test_parts_of_a_blob(opened, repository):
    data = bytes(range(256)) * 400
    digest = digest_of(data)
    assert opened.push_blob(repository, digest, data).status == 201
    path = f"/v2/{repository}/blobs/{digest}"
    for text, part in (("bytes=0-0", data[:1]), ("bytes=100-1099", data[100:1100]), ("bytes=102000-", data[102000:]),
                       ("bytes=-7", data[-7:]), ("bytes=102000-999999", data[102000:])):
        a = opened.get(path, headers={"Range": text})
        assert (a.status, a.body) == (206, part), text
        assert a.headers["Content-Range"].endswith(f"/{len(data)}")
    assert opened.get(path, headers={"Range": f"bytes={len(data)}-"}).status == 416


def test_a_blob_that_the_client_has_is_not_sent_again(opened, repository):
    data = noise(100)
    assert opened.push_blob(repository, digest_of(data), data).status == 201
    path = f"/v2/{repository}/blobs/{digest_of(data)}"
    etag = opened.get(path).headers["ETag"]
    a = opened.get(path, headers={"If-None-Match": f'"other", {etag}'})
    assert (a.status, a.body) == (304, b"")


def test_blobs_of_other_repositories_are_unknown(registry, client, opened, repository):
    data = noise(100, repository)
    assert opened.push_blob(repository, digest_of(data), data).status == 201
    other = f"{repository}-other"
    c = registry.connect(client, ALL.format(other))
    a = c.get(f"/v2/{other}/blobs/{digest_of(data)}")
    assert (a.status, code_of(a)) == (404, "NAME_UNKNOWN")
    assert c.push_blob(other, digest_of(b"another"), b"another").status == 201
    a = c.get(f"/v2/{other}/blobs/{digest_of(data)}")
    assert (a.status, code_of(a)) == (404, "BLOB_UNKNOWN")
    c.close()


def test_a_deleted_blob_is_gone(opened, repository):
    data = noise(100, repository)
    path = f"/v2/{repository}/blobs/{digest_of(data)}"
    assert opened.push_blob(repository, digest_of(data), data).status == 201
    assert opened.request("DELETE", path).status == 202
    assert opened.get(path).status == 404
    assert opened.request("DELETE", path).status == 404


# --- uploads ----------------------------------------------------------------------------------------------------


def test_an_upload_in_one_post(opened, repository):
    data = noise(200_000, "mono")
    a = opened.request("POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(data)}", body=data,
                       headers={"Content-Type": "application/octet-stream"})
    assert a.status == 201, a
    assert opened.get(f"/v2/{repository}/blobs/{digest_of(data)}").body == data


def test_an_upload_in_chunks(opened, repository):
    data = noise(1_000_000, "chunks")
    target = opened.start_upload(repository)
    at = 0
    for size in (1, 299_999, 700_000 - 10):
        a = patch(opened, target, data[at:at + size], Content_Range=f"{at}-{at + size - 1}")
        assert a.status == 202, a
        at += size
        assert a.headers["Range"] == f"0-{at - 1}"
        assert a.headers["Docker-Upload-UUID"]
        target = opened.local(a.headers["Location"])
    status = opened.get(target)
    assert (status.status, status.headers["Range"]) == (204, f"0-{at - 1}")
    a = opened.finish_upload(target, digest_of(data), data[at:])
    assert a.status == 201, a
    assert opened.get(f"/v2/{repository}/blobs/{digest_of(data)}").body == data


def test_a_chunk_out_of_order_is_refused_and_the_upload_goes_on(opened, repository):
    data = noise(3000, "order")
    target = opened.start_upload(repository)
    assert patch(opened, target, data[:1000], Content_Range="0-999").status == 202
    for wrong in ("2000-2999", "0-999"):
        a = patch(opened, target, data[:1000], Content_Range=wrong)
        assert a.status == 416, a
        assert a.headers["Range"] == "0-999"
        assert opened.local(a.headers["Location"]) == target
    assert patch(opened, target, data[1000:2000], Content_Range="1000-1999").status == 202
    assert opened.finish_upload(target, digest_of(data), data[2000:]).status == 201


def test_a_content_range_that_lies_is_refused(opened, repository):
    target = opened.start_upload(repository)
    a = patch(opened, target, b"12345", Content_Range="0-9")
    assert (a.status, code_of(a)) == (400, "SIZE_INVALID")
    a = patch(opened, target, b"12345", Content_Range="five")
    assert (a.status, code_of(a)) == (400, "BLOB_UPLOAD_INVALID")


def test_a_chunked_body_needs_no_length(opened, repository):
    data = noise(500_000, "streamed")
    target = opened.start_upload(repository)
    a = opened.request("PATCH", target, body=(data[i:i + 7777] for i in range(0, len(data), 7777)))  # chunked
    assert (a.status, a.headers.get("Range")) == (202, f"0-{len(data) - 1}"), a
    assert opened.finish_upload(target, digest_of(data)).status == 201


def test_wrong_bytes_never_become_a_blob(opened, repository):
    digest = digest_of(b"right")
    target = opened.start_upload(repository)
    a = opened.finish_upload(target, digest, b"wrong")
    assert (a.status, code_of(a)) == (400, "DIGEST_INVALID")
    assert opened.get(f"/v2/{repository}/blobs/{digest}").status == 404
    assert opened.finish_upload(target, digest, b"right").status == 404  # the upload is gone


def test_a_put_without_a_digest_is_refused(opened, repository):
    target = opened.start_upload(repository)
    a = opened.request("PUT", target, body=b"")
    assert (a.status, code_of(a)) == (400, "DIGEST_INVALID")


def test_an_upload_can_be_given_up(opened, repository):
    target = opened.start_upload(repository)
    assert patch(opened, target, b"abc").status == 202
    assert opened.request("DELETE", target).status == 204
    a = opened.get(target)
    assert (a.status, code_of(a)) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert patch(opened, target, b"abc").status == 404


def test_an_upload_that_was_cut_off_goes_on_where_it_was_saved(registry, client, opened, repository):
    data = noise(400_000, "resume")
    target = opened.start_upload(repository)
    assert patch(opened, target, data[:100_000]).status == 202
    broken = registry.connect(client, ALL.format(repository))
    head = (f"PATCH {target} HTTP/1.1\r\nHost: {broken.authority}\r\nAuthorization: Bearer {broken.token}\r\n"
            "Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n").encode()
    broken.sock.sendall(head)
    assert broken.sock.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n"  # from here on the upload is its own
    broken.sock.sendall(data[100_000:200_000])
    a = opened.get(target)
    assert (a.status, a.headers["Range"]) == (204, "0-99999")
    broken.close()
    a = in_turn(lambda: patch(opened, target, b""))  # waits until the server knows that the other one is gone
    assert (a.status, a.headers["Range"]) == (202, "0-99999"), a
    a = opened.get(target)
    assert (a.status, a.headers["Range"]) == (204, "0-99999")
    assert opened.finish_upload(target, digest_of(data), data[100_000:]).status == 201
    assert opened.get(f"/v2/{repository}/blobs/{digest_of(data)}").body == data


def test_many_uploads_at_once_some_of_them_broken_off(registry, client, opened, repository):
    def one(i):
        data = noise(150_000 + 31_337 * i, f"{i}-")
        c = registry.connect(client, ALL.format(repository))
        target = c.start_upload(repository)
        if i % 3 == 0:
            head = f"PATCH {target} HTTP/1.1\r\nHost: {c.authority}\r\nAuthorization: Bearer {c.token}\r\n"
            c.sock.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n10000\r\n" + data[:50_000])
            c.close()
            return None
        at = len(data) // 2
        assert patch(c, target, data[:at]).status == 202
        assert c.finish_upload(target, digest_of(data), data[at:]).status == 201
        c.close()
        return data
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        done = [d for d in pool.map(one, range(36)) if d]
    assert len(done) == 24
    for data in done:
        assert opened.get(f"/v2/{repository}/blobs/{digest_of(data)}").body == data


def test_an_upload_of_another_repository_is_unknown(registry, client, opened, repository):
    target = opened.start_upload(repository)
    other = f"{repository}-other"
    c = registry.connect(client, ALL.format(other))
    a = c.request("PUT", target.replace(repository, other) + f"?digest={digest_of(b'')}", body=b"")
    assert (a.status, code_of(a)) == (404, "BLOB_UPLOAD_UNKNOWN")
    c.close()


def test_a_sha512_blob(opened, repository):
    data = noise(5000, "long digest")
    digest = "sha512:" + hashlib.sha512(data).hexdigest()
    assert opened.push_blob(repository, digest, data).status == 201
    assert opened.get(f"/v2/{repository}/blobs/{digest}").body == data


# --- mounts -----------------------------------------------------------------------------------------------------


def test_a_blob_is_mounted_from_where_the_token_may_pull(registry, client, opened, repository):
    data = noise(3000, repository)
    digest, other = digest_of(data), f"{repository}-copy"
    assert opened.push_blob(repository, digest, data).status == 201
    c = registry.connect(client, ALL.format(other), f"repository:{repository}:pull")
    a = c.request("POST", f"/v2/{other}/blobs/uploads/?mount={digest}&from={urllib.parse.quote(repository, safe='')}",
                  body=b"")
    assert (a.status, a.headers["Docker-Content-Digest"]) == (201, digest)
    assert c.get(f"/v2/{other}/blobs/{digest}").body == data
    c.close()


def test_without_pull_on_the_source_a_mount_becomes_an_upload(registry, client, opened, repository):
    data = noise(3000, repository)
    digest, other = digest_of(data), f"{repository}-copy"
    assert opened.push_blob(repository, digest, data).status == 201
    c = registry.connect(client, ALL.format(other))
    for query in (f"mount={digest}&from={urllib.parse.quote(repository, safe='')}", f"mount={digest}"):
        a = c.request("POST", f"/v2/{other}/blobs/uploads/?{query}", body=b"")
        assert a.status == 202, a
        assert "/blobs/uploads/" in a.headers["Location"]
    assert c.get(f"/v2/{other}/blobs/{digest}").status == 404
    c.close()


def test_a_mount_without_a_source_looks_where_the_token_may_pull(registry, client, opened, repository):
    data = noise(3000, repository)
    digest, other = digest_of(data), f"{repository}-copy"
    assert opened.push_blob(repository, digest, data).status == 201
    c = registry.connect(client, ALL.format(other), f"repository:{repository}:pull")
    assert c.request("POST", f"/v2/{other}/blobs/uploads/?mount={digest}", body=b"").status == 201
    c.close()


# --- manifests --------------------------------------------------------------------------------------------------


def test_a_manifest_comes_back_byte_for_byte(opened, repository):
    image = small_image(repository)
    a = opened.push(repository, "v1", image)
    assert a.status == 201, a
    assert a.headers["Docker-Content-Digest"] == image.digest
    assert opened.local(a.headers["Location"]).startswith(f"/v2/{repository}/manifests/")
    for reference in ("v1", image.digest):
        a = opened.manifest(repository, reference)
        assert (a.status, a.body) == (200, image.manifest)
        assert a.headers["Content-Type"] == MANIFEST
        assert a.headers["Docker-Content-Digest"] == image.digest
        assert a.headers["ETag"] == f'"{image.digest}"'
        h = opened.request("HEAD", f"/v2/{repository}/manifests/{reference}")
        assert (h.status, h.body, h.headers["Content-Length"]) == (200, b"", str(len(image.manifest)))


def test_a_tag_moves_and_the_older_manifest_stays_under_its_digest(opened, repository):
    first, second = small_image(repository + "1"), small_image(repository + "2")
    assert opened.push(repository, "v1", first).status == 201
    assert opened.push(repository, "v1", second).status == 201
    assert opened.manifest(repository, "v1").body == second.manifest
    assert opened.manifest(repository, first.digest).body == first.manifest


def test_a_manifest_needs_its_blobs(opened, repository):
    a = opened.put_manifest(repository, "v1", small_image(repository).manifest)
    assert (a.status, code_of(a)) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert opened.manifest(repository, "v1").status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"schemaVersion":1}'])
def test_what_is_no_manifest_is_refused(opened, repository, body):
    a = opened.put_manifest(repository, "v1", body)
    assert (a.status, code_of(a)) == (400, "MANIFEST_INVALID")


def test_a_manifest_under_another_digest_is_refused(opened, repository):
    image = small_image(repository)
    assert opened.push(repository, "v1", image).status == 201
    a = opened.put_manifest(repository, digest_of(b"another"), image.manifest)
    assert (a.status, code_of(a)) == (400, "DIGEST_INVALID")


def test_deleting_a_tag_keeps_the_manifest_and_deleting_that_takes_its_tags(opened, repository):
    image = small_image(repository)
    for tag in ("v1", "v2"):
        assert opened.push(repository, tag, image).status == 201
    assert opened.request("DELETE", f"/v2/{repository}/manifests/v1").status == 202
    assert opened.manifest(repository, "v1").status == 404
    assert opened.manifest(repository, image.digest).status == 200
    assert opened.request("DELETE", f"/v2/{repository}/manifests/{image.digest}").status == 202
    a = opened.manifest(repository, "v2")
    assert (a.status, code_of(a)) == (404, "MANIFEST_UNKNOWN")


def referrer(subject, number, **more):
    """A manifest that has `subject` as its subject; no two with the same number."""
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [], "subject": {
        "mediaType": MANIFEST, "digest": subject, "size": 100}, "annotations": {"number": str(number)}, **more}).encode()


def test_what_refers_to_a_manifest_is_listed(opened, repository):
    image, path = small_image(repository), f"/v2/{repository}/referrers/"
    a = opened.get(path + image.digest)
    assert (a.status, a.headers["Content-Type"]) == (200, INDEX)
    assert a.json == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    a = opened.push(repository, "v1", image)
    assert (a.status, a.headers["OCI-Subject"]) == (201, None)
    opened.push_blob(repository, digest_of(b"{}"), b"{}")
    sent = [referrer(image.digest, i, artifactType=f"application/vnd.example.{'ab'[i % 2]}") for i in range(3)]
    for m in sent:
        a = opened.put_manifest(repository, digest_of(m), m)
        assert (a.status, a.headers["OCI-Subject"]) == (201, image.digest), a
    a = opened.get(path + image.digest)
    assert sorted(d["digest"] for d in a.json["manifests"]) == sorted(map(digest_of, sent))
    assert a.headers["OCI-Filters-Applied"] is None and a.headers["Link"] is None
    a = opened.get(path + image.digest + "?artifactType=application%2Fvnd.example.b")
    assert a.headers["OCI-Filters-Applied"] == "artifactType"
    assert a.json["manifests"] == [{"mediaType": MANIFEST, "digest": digest_of(sent[1]), "size": len(sent[1]),
                                    "artifactType": "application/vnd.example.b", "annotations": {"number": "1"}}]
    assert opened.request("DELETE", f"/v2/{repository}/manifests/{digest_of(sent[1])}").status == 202
    assert opened.get(path + image.digest + "?artifactType=application%2Fvnd.example.b").json["manifests"] == []
    for wrong in ("v1", "sha256:abc", image.digest + "?last=v1"):
        a = opened.get(path + wrong)
        assert (a.status, code_of(a)) == (400, "DIGEST_INVALID")


def test_referrers_come_in_pages_that_lead_to_the_next(opened, repository):
    opened.push_blob(repository, digest_of(b"{}"), b"{}")
    subject, large = digest_of(b"subject"), {"annotations": {"text": "x" * 1_500_000}}
    sent = [referrer(subject, i, **large, artifactType=f"a/{i}+b") for i in range(3)]
    sent += [referrer(subject, i, artifactType="a/0+b") for i in range(9)]
    for m in sent:
        assert opened.put_manifest(repository, digest_of(m), m).status == 201
    for query, wanted in (("", sent), ("?artifactType=a%2F0%2Bb", [sent[0], *sent[3:]])):
        found, target, pages = [], f"/v2/{repository}/referrers/{subject}{query}", 0
        while target:
            a = opened.get(target)
            assert a.status == 200, a
            found += [d["digest"] for d in a.json["manifests"]]
            target, pages = next_page(opened, a) if "Link" in a.headers else None, pages + 1
        assert sorted(found) == sorted(map(digest_of, wanted))
        assert pages == (1 if query else 2)


# --- lists ------------------------------------------------------------------------------------------------------


def next_page(connection, answer):
    return connection.local(re.fullmatch(r'<([^>]*)>; rel="next"', answer.headers["Link"])[1])


def test_tags_come_in_order_and_in_pages(opened, repository):
    image = small_image(repository)
    names = ["a", "b-1", "latest", "v1.0", "v2"]
    for tag in reversed(names):
        assert opened.push(repository, tag, image).status == 201
    assert opened.get(f"/v2/{repository}/tags/list").json == {"name": repository, "tags": names}
    seen, target = [], f"/v2/{repository}/tags/list?n=2"
    while target:
        a = opened.get(target)
        assert len(a.json["tags"]) <= 2
        seen += a.json["tags"]
        target = next_page(opened, a) if "Link" in a.headers else None
    assert seen == names
    assert opened.get(f"/v2/{repository}/tags/list?last=latest").json["tags"] == ["v1.0", "v2"]
    a = opened.get(f"/v2/{repository}/tags/list?n=0")
    assert (a.json["tags"], "Link" in a.headers) == ([], False)
    assert opened.get(f"/v2/{repository}/tags/list?n=two").status == 400


def test_the_catalog_lists_repositories_in_pages(registry, client, opened, repository):
    for name in (repository, repository + "-b"):
        c = registry.connect(client, ALL.format(name))
        assert c.push(name, "v1", small_image(name)).status == 201
        c.close()
    c = registry.connect(client, "registry:catalog:*")
    seen, target = [], "/v2/_catalog?n=1"
    while target:
        a = c.get(target)
        seen += a.json["repositories"]
        target = next_page(c, a) if "Link" in a.headers else None
    assert seen == sorted(seen)
    assert {repository, repository + "-b"} <= set(seen)
    c.close()


def test_a_repository_that_is_not_there_has_no_tags(opened, repository):
    a = opened.get(f"/v2/{repository}/tags/list")
    assert (a.status, code_of(a)) == (404, "NAME_UNKNOWN")


# --- names and paths --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["UPPER", "a//b", "a/-b", "a..b", "a_", "%C3%A4", "a" * 300])
def test_names_that_no_repository_has_are_refused(registry, plain, name):
    a = plain.get(f"/v2/{name}/tags/list", headers=basic(registry.user, registry.password))
    assert a.status in (400, 404), a
    if a.status == 400:
        assert code_of(a) == "NAME_INVALID"


def test_a_malformed_digest_is_refused(opened, repository):
    for digest in ("sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:" + "G" * 64):
        a = opened.get(f"/v2/{repository}/blobs/{digest}")
        assert (a.status, code_of(a)) == (400, "DIGEST_INVALID")


# --- who may what -----------------------------------------------------------------------------------------------


def test_a_token_opens_only_what_it_was_asked_for(registry, client, opened, repository):
    image = small_image(repository)
    assert opened.push(repository, "v1", image).status == 201
    c = registry.connect(client, f"repository:{repository}:pull")
    assert c.manifest(repository, "v1").status == 200
    assert c.put_manifest(repository, "v2", image.manifest).status in (401, 403)
    assert c.request("DELETE", f"/v2/{repository}/manifests/v1").status in (401, 403)
    assert c.get("/v2/elsewhere/tags/list").status in (401, 403)
    assert c.get("/v2/_catalog").status in (401, 403)
    c.close()


def test_a_token_for_metadata_lists_tags_and_pulls_nothing(registry, client, opened, repository):
    assert opened.push(repository, "v1", small_image(repository)).status == 201
    c = registry.connect(client, f"repository:{repository}:metadata_read")
    assert c.get(f"/v2/{repository}/tags/list").json["tags"] == ["v1"]
    assert c.manifest(repository, "v1").status == 401
    assert c.get("/v2/elsewhere/tags/list").status == 401
    c.close()


def test_a_token_lists_what_it_grants(registry, plain):
    token = plain.sign_in(registry.user, registry.password, "repository:app:pull,push", "registry:None:*")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["access"][0] == {"type": "repository", "name": "app", "actions": ["pull", "push"]}
    assert claims["access"][1]["actions"] == []
    assert 0 < claims["exp"] - claims["iat"] <= 75 * 60


def test_the_admin_name_is_taken_in_any_case(registry, plain):
    assert plain.sign_in(registry.user.upper(), registry.password, "repository:app:pull")


def test_a_token_of_one_registry_is_nothing_to_another(kidoban, client, opened):
    other = kidoban.registry("dataplanetwo")
    c = other.connect(client)
    assert_unauthorized(c.get("/v2/", token=opened.token))
    c.close()


def test_the_token_endpoint_refuses_wrong_credentials(registry, plain):
    assert_unauthorized(plain.get("/oauth2/token?service=x"))
    assert_unauthorized(plain.get("/oauth2/token?service=x", headers=basic(registry.user, "wrong")))
    assert_unauthorized(plain.get("/oauth2/token?service=x", headers=basic("nobody", "x")))
    a = plain.request("POST", "/oauth2/token", body=form(grant_type="password", username=registry.user, password="no"),
                      headers=FORM)
    assert_unauthorized(a)
    a = plain.request("POST", "/oauth2/token", body=form(grant_type="refresh_token", refresh_token="a.b.c"),
                      headers=FORM)
    assert_unauthorized(a)
    a = plain.request("POST", "/oauth2/token", body=form(grant_type="magic"), headers=FORM)
    assert a.status == 400


def test_the_password_grant_gives_a_token(registry, plain):
    a = plain.request("POST", "/oauth2/token", headers=FORM,
                      body=form(grant_type="password", username=registry.user, password=registry.password,
                                service=registry.login_server, scope="repository:app:pull"))
    assert a.status == 200, a
    assert plain.get("/v2/", token=a.json["access_token"]).status == 200


# --- identities -------------------------------------------------------------------------------------------------


def identity_token(kidoban, scope):
    control = kidoban.control()
    c = control.connect()
    a = c.request("POST", "/adfs/oauth2/token", headers=FORM,
                  body=form(grant_type="client_credentials", client_id=control.admin["clientId"],
                            client_secret=control.admin["clientSecret"], scope=scope))
    c.close()
    return a


def exchange(connection, kidoban, token, **more):
    fields = {"grant_type": "access_token", "service": connection.authority, "tenant": kidoban.admin["tenantId"],
              "access_token": token, **more}
    return connection.request("POST", "/oauth2/exchange", body=form(**fields), headers=FORM)


def test_identity_discovery_points_to_itself(kidoban):
    control = kidoban.control()
    c = control.connect()
    d = c.get("/adfs/.well-known/openid-configuration").json
    assert urllib.parse.urlsplit(d["token_endpoint"]).path == "/adfs/oauth2/token"
    keys = c.get(urllib.parse.urlsplit(d["jwks_uri"]).path).json["keys"]
    assert keys and all(k["kty"] == "EC" and "d" not in k for k in keys)
    c.close()


@pytest.mark.parametrize("resource", ["https://containerregistry.azure.net", "{control}", "{control}/"])
def test_az_acr_login_step_by_step(kidoban, registry, plain, resource):
    resource = resource.format(control=kidoban.admin["controlUrl"].rstrip("/"))
    a = identity_token(kidoban, resource + "/.default")
    assert a.status == 200, a
    assert a.json["token_type"] == "Bearer" and int(a.json["expires_in"]) > 300
    a = exchange(plain, kidoban, a.json["access_token"])
    assert a.status == 200, a
    refresh = a.json["refresh_token"]
    a = plain.request("POST", "/oauth2/token", headers=FORM,
                      body=form(grant_type="refresh_token", service=plain.authority, scope="registry:catalog:*",
                                refresh_token=refresh))
    assert a.status == 200, a
    assert plain.get("/v2/_catalog", token=a.json["access_token"]).status == 200
    a = plain.get(f"/oauth2/token?account={TOKEN_USER}&client_id=docker&offline_token=true&service={plain.authority}",
                  headers=basic(TOKEN_USER, refresh))
    assert a.status == 200, a
    assert a.json["refresh_token"] == refresh
    assert plain.get("/v2/", token=a.json["access_token"]).status == 200


def test_identity_tokens_open_nothing_by_themselves(kidoban, plain):
    token = identity_token(kidoban, "https://containerregistry.azure.net/.default").json["access_token"]
    assert_unauthorized(plain.get("/v2/", token=token))


def test_the_exchange_refuses_what_is_not_for_it(kidoban, plain):
    token = identity_token(kidoban, "https://containerregistry.azure.net/.default").json["access_token"]
    assert_unauthorized(exchange(plain, kidoban, token, tenant=str(uuid.uuid4())))
    assert_unauthorized(exchange(plain, kidoban, token[:-4] + "AAAA"))
    assert_unauthorized(exchange(plain, kidoban, ""))
    assert exchange(plain, kidoban, token, grant_type="password").status == 400


@pytest.mark.parametrize("fields,status,error", [
    ({"scope": "https://elsewhere.example/.default"}, 400, "invalid_scope"),
    ({"grant_type": "password"}, 400, "invalid_request"),
    ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
    ({"client_secret": "wrong"}, 401, "invalid_client"),
    ({"client_id": "no-uuid"}, 401, "invalid_client"),
    ({"grant_type": ""}, 400, "unsupported_grant_type"),
])
def test_the_identity_endpoint_refuses_in_oauths_form(kidoban, fields, status, error):
    control = kidoban.control()
    good = {"grant_type": "client_credentials", "client_id": control.admin["clientId"],
            "client_secret": control.admin["clientSecret"], "scope": "https://containerregistry.azure.net/.default"}
    c = control.connect()
    a = c.request("POST", "/adfs/oauth2/token", body=form(**{**good, **fields}), headers=FORM)
    c.close()
    assert (a.status, a.json["error"]) == (status, error)
    assert a.json["error_description"]


def test_a_service_principal_signs_in_with_its_secret(kidoban, plain):
    admin = kidoban.admin
    assert plain.sign_in(admin["clientId"], admin["clientSecret"], "repository:app:pull,push")


# --- limits and endings -----------------------------------------------------------------------------------------


def test_failed_sign_ins_are_limited_for_that_account_from_that_address_only(registry, lab):
    guesser, neighbour = lab.public_host("198.51.100.21"), lab.public_host("198.51.100.22")
    c = registry.connect(guesser)
    guesses = Guesses()

    def sign_in(password, user=registry.user):
        a = c.get("/oauth2/token?service=x", headers=basic(user, password))
        assert a.status != 429 or int(a.headers["Retry-After"]) > 0
        return a.status

    guesses.also_shuts_out(lambda: sign_in("guess"), lambda: sign_in(registry.password))
    guesses.assert_no_more_were_heard()
    assert sign_in("x", "another") == 401
    c.close()
    assert registry.connect(neighbour, "repository:app:pull").token


def test_renewing_the_password_ends_its_tokens_at_once(kidoban, client):
    r = kidoban.registry("dataplanerenew")
    c = r.connect(client, "repository:app:pull")
    assert c.get("/v2/").status == 200
    r("credential", "renew", "--password-name", "password")
    assert_unauthorized(c.get("/v2/"))
    assert c.get("/oauth2/token?service=x", headers=basic(r.user, r.password), token=None).status == 401
    c.close()


def test_anonymous_pull_where_it_is_on(kidoban, client):
    r = kidoban.registry("dataplaneopen")
    c = r.connect(client, ALL.format("app"))
    assert c.push("app", "v1", small_image("open")).status == 201
    c.close()
    r("update", "--anonymous-pull-enabled", "true")
    c = r.connect(client)
    a = c.get("/oauth2/token?service=x&scope=repository:app:pull,push")
    assert a.status == 200, a
    c.token = a.json["access_token"]
    assert c.manifest("app", "v1").status == 200
    assert c.put_manifest("app", "v2", small_image("open").manifest).status in (401, 403)
    r("update", "--anonymous-pull-enabled", "false")
    assert c.manifest("app", "v1").status == 401
    c.close()
