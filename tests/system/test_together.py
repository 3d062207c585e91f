"""Clients that do nothing wrong, all at once: nobody is refused for what a neighbour does, and what is read is whole."""

import concurrent.futures
import http.client
import threading
import urllib.parse
import uuid

import pytest

from lab.http import Answer, in_turn
from lab.images import digest_of, small_image

CLIENTS, ROUNDS = 8, 4
ALL = "repository:{0}:pull,push,delete"


@pytest.fixture(scope="module")
def registry(kidoban):
    return kidoban.registry("together")


@pytest.fixture(scope="module")
def host(lab):
    return lab.public_host("198.51.100.9")


@pytest.fixture
def repository():
    return f"r-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def connect(registry, host):
    """connect(repository, ...): a connection that may do everything in these."""
    made = []

    def connect(*repositories):
        made.append(registry.connect(host, *(ALL.format(r) for r in repositories)))
        return made[-1]
    yield connect
    for c in made:
        c.close()


def together(works, meanwhile=()):
    """All of `works` at once, each once, and `meanwhile` again and again until they are done, and once afterwards. What
    fails in one of them is the test's failure."""
    over = threading.Event()

    def repeat(work):
        while not over.is_set():
            work()
        work()

    with concurrent.futures.ThreadPoolExecutor(len(works) + len(meanwhile)) as pool:
        beside = [pool.submit(repeat, work) for work in meanwhile]
        try:
            for f in [pool.submit(work) for work in works]:
                f.result()
        finally:
            over.set()
        for f in beside:
            f.result()


def noise(salt, n=200_000):
    return (salt.encode() * (n // len(salt) + 1))[:n]


def patch(connection, target, data):
    return connection.request("PATCH", target, body=data, headers={"Content-Type": "application/octet-stream"})


def begin_patch(connection, target, size):
    """The head alone; the server has let the body come: from here on the upload is this request's."""
    head = (f"PATCH {target} HTTP/1.1\r\nHost: {connection.authority}\r\nAuthorization: Bearer {connection.token}\r\n"
            f"Content-Length: {size}\r\nExpect: 100-continue\r\n\r\n")
    connection.sock.sendall(head.encode())
    assert connection.sock.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n"


def in_one_post(c, repository, digest, data):
    return c.request("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", body=data,
                     headers={"Content-Type": "application/octet-stream"})


def in_two_steps(c, repository, digest, data):
    return c.push_blob(repository, digest, data)


def in_chunks(c, repository, digest, data):
    target, half = c.start_upload(repository), len(data) // 2
    a = patch(c, target, data[:half])
    assert a.status == 202, a
    return c.finish_upload(c.local(a.headers["Location"]), digest, data[half:])


@pytest.fixture(scope="module", autouse=True)
def kept(registry, host):
    """What is answered to a request that would like to go on with an upload on which another works, then to that one, and
    then to who finishes it. Begins with the first test: the server lets the second one wait a while."""
    keeper, asker = (registry.connect(host, ALL.format("kept")) for _ in range(2))
    target, data = keeper.start_upload("kept"), noise("kept", 100_000)
    begin_patch(keeper, target, len(data))
    keeper.sock.sendall(data[:60_000])

    def go_on():
        refused = patch(asker, target, b"mine")
        keeper.sock.sendall(data[60_000:])
        response = http.client.HTTPResponse(keeper.sock, method="PATCH")
        response.begin()
        return refused, Answer(response), asker.finish_upload(target, digest_of(data))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield pool.submit(go_on)
    keeper.close()
    asker.close()


# --- blobs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("push", [in_one_post, in_two_steps, in_chunks])
def test_all_who_push_the_same_blob_at_once_have_pushed_it(connect, repository, push):
    """Half of them to one repository, which is new, and half each to a new one of its own."""
    names = [f"{repository}/{i if i % 2 else 'shared'}" for i in range(CLIENTS)]
    clients = [connect(*(f"{n}-{r}" for r in range(ROUNDS))) for n in names]
    for r in range(ROUNDS):
        data = noise(f"{repository}-{r}-{push.__name__}")
        digest, barrier = digest_of(data), threading.Barrier(CLIENTS, timeout=60)

        def one(c, name):
            barrier.wait()
            a = push(c, name, digest, data)
            assert a.status == 201, a
            h = c.request("HEAD", f"/v2/{name}/blobs/{digest}")
            assert (h.status, h.headers["Content-Length"]) == (200, str(len(data)))
            a = c.get(f"/v2/{name}/blobs/{digest}")
            assert a.status == 200 and a.body == data

        together([lambda c=c, n=n: one(c, f"{n}-{r}") for c, n in zip(clients, names)])


def test_who_reads_a_blob_while_others_push_it_again_reads_it_whole(connect, repository):
    data = noise(repository, 1_000_000)
    digest = digest_of(data)
    path = f"/v2/{repository}/blobs/{digest}"
    assert connect(repository).push_blob(repository, digest, data).status == 201

    def write(c):
        for _ in range(ROUNDS):
            a = in_two_steps(c, repository, digest, data)
            assert a.status == 201, a

    def read(c):
        a = c.get(path)
        assert a.status == 200 and a.body == data, a
        a = c.get(path, headers={"Range": "bytes=500000-"})
        assert a.status == 206 and a.body == data[500_000:], a
        assert c.request("HEAD", path).status == 200

    writers, readers = ([connect(repository) for _ in range(CLIENTS // 2)] for _ in range(2))
    together([lambda c=c: write(c) for c in writers], [lambda c=c: read(c) for c in readers])


def test_a_blob_that_is_being_pushed_is_not_there_or_whole(connect, repository):
    blobs = [noise(f"{repository}-{i}") for i in range(CLIENTS * ROUNDS)]

    def read(c):
        for data in blobs:
            h = c.request("HEAD", f"/v2/{repository}/blobs/{digest_of(data)}")
            assert h.status in (200, 404), h
            a = c.get(f"/v2/{repository}/blobs/{digest_of(data)}")
            assert a.status == 404 and h.status == 404 or a.status == 200 and a.body == data, (h, a)

    def write(c, mine):
        for data in mine:
            a = in_chunks(c, repository, digest_of(data), data)
            assert a.status == 201, a

    together([lambda c=connect(repository), i=i: write(c, blobs[i::CLIENTS]) for i in range(CLIENTS)],
             [lambda c=connect(repository): read(c) for _ in range(2)])


def test_a_mount_while_its_source_is_being_pushed_mounts_or_begins_an_upload(connect, repository):
    source = f"{repository}/source"
    blobs = [noise(f"{repository}-{i}") for i in range(ROUNDS)]

    def push(c):
        for data in blobs:
            assert in_chunks(c, source, digest_of(data), data).status == 201

    def mount(c, mine):
        for data in blobs:
            digest = digest_of(data)
            a = c.request("POST", f"/v2/{mine}/blobs/uploads/?mount={digest}&from={urllib.parse.quote(source, safe='')}",
                          body=b"")
            assert a.status in (201, 202), a
            if a.status == 202:
                assert c.request("DELETE", c.local(a.headers["Location"])).status == 204
            else:
                assert c.request("HEAD", f"/v2/{mine}/blobs/{digest}").status == 200
            mounted[mine, digest] = a.status

    mounted, names = {}, [f"{repository}/copy-{i // 2}" for i in range(CLIENTS)]  # two into each
    together([lambda c=connect(source): push(c) for _ in range(2)],
             [lambda c=connect(source, n), n=n: mount(c, n) for n in names])
    assert set(mounted.values()) == {201}  # once more when all was there


# --- one upload -------------------------------------------------------------------------------------------------


def test_all_who_add_to_one_upload_at_once_take_turns(connect, repository):
    first = connect(repository)
    target = first.start_upload(repository)
    piece, turns = noise("x", 10_000), 12

    def add(c):
        for _ in range(turns // 4):
            a = in_turn(lambda: patch(c, target, piece))
            assert a.status == 202, a

    def ask(c):
        a = c.get(target)
        assert a.status == 204, a
        assert int(a.headers["Range"].split("-")[1]) + 1 in (1, *range(0, turns * 10_000 + 1, 10_000))

    together([lambda c=connect(repository): add(c) for _ in range(4)],
             [lambda c=connect(repository): ask(c) for _ in range(2)])
    whole = piece * turns
    assert first.finish_upload(target, digest_of(whole)).status == 201
    assert first.get(f"/v2/{repository}/blobs/{digest_of(whole)}").body == whole


@pytest.mark.parametrize("next_step", ["append", "finish", "cancel"])
def test_who_comes_back_from_a_lost_connection_goes_on_at_once(connect, repository, next_step):
    def cut(again):
        data = noise(f"{uuid.uuid4()}", 300_000)
        target = again.start_upload(repository)
        assert patch(again, target, data[:100_000]).status == 202
        lost = connect(repository)
        begin_patch(lost, target, 200_000)
        lost.sock.sendall(data[100_000:150_000])
        lost.close()
        if next_step == "cancel":
            assert in_turn(lambda: again.request("DELETE", target)).status == 204
            assert again.get(target).status == 404
            return
        if next_step == "append":
            a = in_turn(lambda: patch(again, target, data[100_000:200_000]))
            assert (a.status, a.headers["Range"]) == (202, "0-199999"), a
        at = 200_000 if next_step == "append" else 100_000
        a = in_turn(lambda: again.finish_upload(target, digest_of(data), data[at:]))
        assert a.status == 201, a

    def rounds(c):
        for _ in range(ROUNDS):
            cut(c)

    together([lambda c=connect(repository): rounds(c) for _ in range(CLIENTS)])


# --- manifests --------------------------------------------------------------------------------------------------


def test_all_who_push_one_tag_at_once_have_pushed_it_and_it_is_one_of_theirs(connect, repository):
    images = [small_image(f"{repository}-{i}") for i in range(CLIENTS)]
    clients = [connect(repository) for _ in images]
    for c, image in zip(clients, images):
        for digest, data in image.blobs.items():
            assert c.push_blob(repository, digest, data).status == 201
    barrier = threading.Barrier(CLIENTS, timeout=60)

    def push(c, image):
        for _ in range(ROUNDS):
            barrier.wait()
            a = c.put_manifest(repository, "latest", image.manifest)
            assert (a.status, a.headers["Docker-Content-Digest"]) == (201, image.digest), a
            a = c.manifest(repository, image.digest)
            assert a.status == 200 and a.body == image.manifest

    def read(c):
        a = c.manifest(repository, "latest")
        if a.status != 404:
            assert a.status == 200 and a.headers["Docker-Content-Digest"] == digest_of(a.body) in digests, a
        a = c.get(f"/v2/{repository}/tags/list")
        assert a.status == 200 and a.json["tags"] in ([], ["latest"]), a

    digests = {image.digest for image in images}
    together([lambda c=c, i=i: push(c, i) for c, i in zip(clients, images)],
             [lambda c=connect(repository): read(c) for _ in range(2)])
    assert clients[0].manifest(repository, "latest").headers["Docker-Content-Digest"] in digests


def test_a_manifest_is_taken_as_soon_as_somebody_has_pushed_its_last_blob(connect, repository):
    images = [small_image(f"{repository}-{i}") for i in range(ROUNDS * 2)]

    def push(c):
        for image in images:
            for digest, data in image.blobs.items():
                assert c.push_blob(repository, digest, data).status == 201

    def tag(c):
        for i, image in enumerate(images):
            a = c.put_manifest(repository, f"v{i}", image.manifest)
            assert a.status == 201 or a.json["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN", a
            answers[i] = a.status

    answers = {}
    together([lambda c=connect(repository): push(c) for _ in range(2)],
             [lambda c=connect(repository): tag(c) for _ in range(4)])
    assert set(answers.values()) == {201}


def test_who_pushes_a_manifest_that_another_deletes_has_pushed_it(connect, repository):
    image = small_image(repository)
    assert connect(repository).push(repository, "v1", image).status == 201

    def push(c, tag):
        for _ in range(ROUNDS * 4):
            a = c.put_manifest(repository, tag, image.manifest)
            assert a.status == 201, a

    def delete(c):
        a = c.request("DELETE", f"/v2/{repository}/manifests/{image.digest}")
        assert a.status in (202, 404), a
        a = c.manifest(repository, "t0")
        assert a.status == 404 or a.status == 200 and a.body == image.manifest, a

    together([lambda c=connect(repository), i=i: push(c, f"t{i}") for i in range(4)],
             [lambda c=connect(repository): delete(c) for _ in range(4)])


def test_lists_are_read_while_repositories_and_tags_are_made(registry, host, connect, repository):
    names = [f"{repository}/{i}" for i in range(CLIENTS)]

    def push(name):
        c = connect(name)
        for r in range(ROUNDS):
            a = c.push(name, f"v{r}", small_image(f"{name}-{r}"))
            assert a.status == 201, a

    def read(c):
        have = [n for n in c.names("/v2/_catalog?n=5", "repositories") if n in names]
        assert have == sorted(have)
        for n in have:
            tags = c.names(f"/v2/{n}/tags/list?n=2", "tags")
            assert tags and tags == [f"v{r}" for r in range(len(tags))], tags

    readers = [registry.connect(host, "registry:catalog:*", *(f"repository:{n}:pull" for n in names)) for _ in range(2)]
    together([lambda n=n: push(n) for n in names], [lambda c=c: read(c) for c in readers])
    assert set(names) <= set(readers[0].names("/v2/_catalog", "repositories"))
    for c in readers:
        c.close()


# --- sign-ins ---------------------------------------------------------------------------------------------------


def test_many_sign_in_at_once(connect, repository):
    barrier = threading.Barrier(CLIENTS * 4, timeout=60)

    def sign_in():
        barrier.wait()
        assert connect(repository).get("/v2/").status == 200

    together([sign_in] * (CLIENTS * 4))


# --- what must wait: last, because it began with the first ------------------------------------------------------


def test_an_upload_that_another_keeps_is_refused_after_a_while_and_the_other_goes_on(kept):
    refused, went_on, finished = kept.result(timeout=120)
    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "BLOB_UPLOAD_INVALID"), refused
    assert (went_on.status, went_on.headers["Range"]) == (202, "0-99999"), went_on
    assert finished.status == 201, finished
