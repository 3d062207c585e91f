"""A hostile client's credentials: forged, foreign, outdated, borrowed for another end."""

import concurrent.futures
import itertools
import time

import pytest

from lab.images import digest_of, small_image
from lab.tokens import (FORM, TOKEN_USER, Guesses, basic, forgeries, form, identity, refresh_token,
                        published_keys)

_serial = itertools.count(1)


@pytest.fixture(scope="module")
def registry(kidoban):
    return kidoban.registry("tokens")


@pytest.fixture(scope="module")
def client(lab):
    return lab.public_host("198.51.100.66")


@pytest.fixture
def guesser(lab):
    """Another address for each test: failures of one are not another's."""
    return lab.public_host(f"198.51.100.{100 + next(_serial)}")


@pytest.fixture
def plain(registry, client):
    c = registry.connect(client)
    yield c
    c.close()


@pytest.fixture(scope="module")
def keys(kidoban):
    return published_keys(kidoban)


# --- forged -------------------------------------------------------------------------------------------------------


def test_forged_access_tokens_are_nothing(registry, plain, keys):
    token = plain.sign_in(registry.user, registry.password, "repository:app:pull")
    assert plain.get("/v2/").status == 200
    taken = [name for name, forged in forgeries(token, keys) if plain.get("/v2/", token=forged).status != 401]
    assert not taken
    assert plain.get("/v2/").status == 200


def test_forged_refresh_tokens_are_nothing(kidoban, plain, keys):
    token = refresh_token(kidoban, plain)

    def status(forged):
        return plain.request("POST", "/oauth2/token", headers=FORM, token=None,
                             body=form(grant_type="refresh_token", refresh_token=forged)).status

    assert status(token) == 200
    assert not [name for name, forged in forgeries(token, keys) if status(forged) != 401]


def test_forged_identity_tokens_are_nothing(kidoban, plain, keys):
    control = kidoban.control()
    token, c = control.sign_in(), control.connect()
    for name, forged in forgeries(token, keys):
        assert c.get("/subscriptions", token=forged).status == 401, name
        a = plain.request("POST", "/oauth2/exchange", headers=FORM, token=None,
                          body=form(grant_type="access_token", access_token=forged))
        assert a.status == 401, name
    assert c.get("/subscriptions", token=token).status == 200
    c.close()


# --- for another end ----------------------------------------------------------------------------------------------


def test_each_kind_of_token_opens_its_own_door_only(kidoban, registry, plain):
    control = kidoban.control()
    arm, c = control.sign_in(), control.connect()
    tokens = {"arm": arm, "registries": identity(kidoban), "refresh": refresh_token(kidoban, plain),
              "access": plain.sign_in(registry.user, registry.password, "repository:app:pull")}

    def post(target, **fields):
        return plain.request("POST", target, body=form(**fields), headers=FORM, token=None).status

    doors = {
        "control plane": lambda t: c.get("/subscriptions", token=t).status,
        "data plane": lambda t: plain.get("/v2/", token=t).status,
        "as a password": lambda t: plain.get("/v2/", headers=basic(TOKEN_USER, t), token=None).status,
        "refresh": lambda t: post("/oauth2/token", grant_type="refresh_token", refresh_token=t),
        "exchange": lambda t: post("/oauth2/exchange", grant_type="access_token", access_token=t),
    }
    opened = {(door, kind) for door, ask in doors.items() for kind, token in tokens.items() if ask(token) == 200}
    assert opened == {("control plane", "arm"), ("data plane", "access"), ("as a password", "refresh"),
                      ("refresh", "refresh"), ("exchange", "arm"), ("exchange", "registries")}
    c.close()


def test_tokens_of_one_registry_are_nothing_to_another(kidoban, client, registry, plain):
    other = kidoban.registry("tokensother").connect(client)
    access, refresh = plain.sign_in(registry.user, registry.password, "repository:app:pull"), refresh_token(kidoban, plain)
    assert other.get("/v2/", token=access).status == 401
    assert other.get("/v2/", headers=basic(registry.user, registry.password)).status == 401
    assert other.get("/v2/", headers=basic(TOKEN_USER, refresh)).status == 401
    assert other.request("POST", "/oauth2/token", headers=FORM,
                         body=form(grant_type="refresh_token", refresh_token=refresh)).status == 401
    other.close()


def test_a_registry_made_again_under_its_name_knows_none_of_the_old_credentials(kidoban, client):
    old = kidoban.registry("phoenix")
    c = old.connect(client, "repository:app:pull,push", "registry:catalog:*")
    assert c.push("app", "v1", small_image("phoenix")).status == 201
    token, refresh = c.token, refresh_token(kidoban, c)
    upload = c.start_upload("app")
    kidoban("acr", "delete", "-n", "phoenix", "-g", "lab", "--yes")
    gone = c.get("/v2/")
    assert (gone.status, gone.json["errors"][0]["code"]) == (404, "NOT_FOUND")
    new = kidoban.registry("phoenix")
    assert c.get("/v2/", token=token).status == 401
    assert c.get("/v2/", token=None, headers=basic(TOKEN_USER, refresh)).status == 401
    assert c.get("/v2/", token=None, headers=basic(old.user, old.password)).status == 401
    c.sign_in(new.user, new.password, "repository:app:pull,push", "registry:catalog:*")
    assert c.get("/v2/_catalog").json["repositories"] == []
    assert c.manifest("app", "v1").status == 404
    assert c.finish_upload(upload, digest_of(b"")).status == 404
    c.close()


# --- outdated -----------------------------------------------------------------------------------------------------


def test_renewing_one_password_ends_what_it_gave_and_leaves_the_other(kidoban, client):
    r = kidoban.registry("renewal")
    second = r("credential", "show")["passwords"][1]["value"]
    one, two = r.connect(client, "repository:app:pull,push"), r.connect(client)
    two.sign_in(r.user, second, "repository:app:pull,push")
    upload, data = one.start_upload("app"), b"begun before"
    r("credential", "renew", "--password-name", "password")
    assert one.get("/v2/").status == 401
    assert one.finish_upload(upload, digest_of(data), data).status == 401
    assert one.get("/v2/", token=None, headers=basic(r.user, r.password)).status == 401
    assert two.get("/v2/").status == 200
    assert two.get(f"/v2/app/blobs/{digest_of(data)}").status == 404
    r("update", "--admin-enabled", "false")
    assert two.get("/v2/").status == 401
    assert two.get("/v2/", token=None, headers=basic(r.user, second)).status == 401
    r("update", "--admin-enabled", "true")
    for c in (one, two):
        c.close()


# --- scopes -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stocked(registry, client):
    """Repositories app and app/sub with an image each; the image of app."""
    image = small_image("stocked")
    c = registry.connect(client, "repository:app:pull,push", "repository:app/sub:pull,push")
    assert c.push("app", "v1", image).status == 201
    assert c.push("app/sub", "v1", small_image("sub")).status == 201
    c.close()
    return image


PULL, PUSH, DELETE, SUB, CATALOG = "pull", "push", "delete", "sub", "catalog"
SCOPES = [
    ([], set()),
    (["repository:app:pull"], {PULL}),
    (["repository:app:push"], set()),  # a manifest is looked at before it is written over
    (["repository:app:pull,push"], {PULL, PUSH}),
    (["repository:app:delete"], {DELETE}),
    (["repository:app:*"], {PULL, PUSH, DELETE}),
    (["repository:app:pull", "repository:app:delete"], {PULL, DELETE}),
    (["repository:app:pull repository:app/sub:pull"], {PULL, SUB}),
    (["repository:app/sub:*"], {SUB}),
    (["repository:*:*"], set()),
    (["repository:ap*:pull"], set()),
    (["repository:App:pull"], set()),
    (["repository:app/:pull"], set()),
    (["repository:./app:pull"], set()),
    (["repository:app/../app/sub:pull"], set()),
    (["repository:app%2Fsub:pull"], set()),
    (["repository:host:5000/app:pull"], set()),
    (["Repository:app:pull"], set()),
    (["repository(plugin):app:pull"], set()),
    (["repository:app:PULL"], set()),
    (["repository:app:pull,,*x"], {PULL}),
    (["repository:catalog:*"], set()),
    (["registry:catalog:*"], {CATALOG}),
    (["registry:catalog:pull"], set()),
    (["registry:app:*"], set()),
    (["registry:*:*"], set()),
]


@pytest.mark.parametrize("scopes,may", SCOPES, ids=[" ".join(s) or "none" for s, _ in SCOPES])
def test_a_token_opens_what_its_scopes_say(registry, plain, stocked, scopes, may):
    plain.sign_in(registry.user, registry.password, *scopes)
    asked = {
        PULL: plain.manifest("app", "v1"),
        SUB: plain.manifest("app/sub", "v1"),
        CATALOG: plain.get("/v2/_catalog"),
        DELETE: plain.request("DELETE", "/v2/app/manifests/nothing"),
        PUSH: plain.put_manifest("app", "v2", stocked.manifest),
    }
    if scopes == ["repository:app:push"]:
        assert asked.pop(PUSH).status in (201, 401)
    assert {what for what, answer in asked.items() if answer.status != 401} == may
    assert {asked[what].status for what in may} <= {200, 201, 404}


@pytest.mark.parametrize("scope", ["app", "repository:app", "repository::pull", ":app:pull", 'repository:"app":pull',
                                   "repository:app:pull\n", "repository:a\\b:pull", "repository:ä:pull",
                                   " ".join(f"repository:r{i}:pull" for i in range(33))])
def test_a_malformed_scope_is_refused_and_no_token_given(registry, plain, scope):
    query = form(service=plain.authority, scope=scope)
    a = plain.get(f"/oauth2/token?{query}", headers=basic(registry.user, registry.password))
    assert a.status == 400 and a.json["errors"][0]["message"], a


@pytest.mark.parametrize("path", ["/v2/app%2Fsub/manifests/v1", "/v2/app/%73ub/manifests/v1", "/v2/app%2F%73ub/manifests/v1"])
def test_an_encoded_name_is_the_name_that_it_stands_for(registry, plain, stocked, path):
    plain.sign_in(registry.user, registry.password, "repository:app:pull")
    assert plain.get(path).status == 401
    plain.sign_in(registry.user, registry.password, "repository:app/sub:pull")
    assert plain.get(path).status in (200, 404)


def test_blobs_are_seen_and_mounted_only_where_the_token_may_pull(kidoban, registry, client, stocked):
    digest, data = next(iter(stocked.blobs.items()))
    c = registry.connect(client, "repository:thief:pull,push")
    for query in (f"mount={digest}&from=app", f"mount={digest}", f"mount={digest}&from=", f"mount={digest}&from=thief",
                  f"mount={digest}&from=app%2F..%2Fapp", f"mount={digest}&from=tokens%2Fapp"):
        a = c.request("POST", f"/v2/thief/blobs/uploads/?{query}", body=b"")
        assert a.status == 202 and "Docker-Content-Digest" not in a.headers, query
    assert c.request("HEAD", f"/v2/thief/blobs/{digest}").status == 404
    assert c.get(f"/v2/app/blobs/{digest}").status == 401
    a = c.put_manifest("thief", "v1", stocked.manifest)  # nor by naming them in a manifest of one's own
    assert (a.status, a.json["errors"][0]["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
    c.close()
    other = kidoban.registry("tokensthief").connect(client)
    other.sign_in(other.name.split(".")[0], kidoban("acr", "credential", "show", "-n", "tokensthief")["passwords"][0]["value"],
                  "repository:app:pull,push")
    a = other.request("POST", f"/v2/app/blobs/uploads/?mount={digest}&from=app", body=b"")
    assert a.status == 202
    assert other.get(f"/v2/app/blobs/{digest}").status == 404
    other.close()


# --- guessing -----------------------------------------------------------------------------------------------------


def guess(connection, registry, user=None, **headers):
    return connection.get("/v2/", token=None, headers={**basic(user or registry.user, "guess"), **headers}).status


def test_guessing_at_once_is_no_quicker(registry, guesser):
    def one(_):
        c = registry.connect(guesser)
        statuses = [c.request("POST", "/oauth2/token", headers=FORM, token=None,
                              body=form(grant_type="password", username=registry.user, password="x")).status
                    for _ in range(4)]
        c.close()
        return statuses

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = sum(pool.map(one, range(20)), [])
    back = (time.monotonic() - began) / 6  # one more for each six seconds that this took
    assert set(statuses) == {401, 429} and statuses.count(401) <= 20 + back


def test_no_other_spelling_and_no_other_door_gives_more_guesses(registry, guesser):
    c, guesses = registry.connect(guesser), Guesses()
    for ask in (lambda: guess(c, registry),
                lambda: guess(c, registry, registry.user.upper()),
                lambda: guess(c, registry, registry.user.title(), **{"X-Forwarded-For": "192.0.2.1"}),
                lambda: c.get("/oauth2/token", headers=basic(registry.user, "x")).status,
                lambda: c.request("POST", "/oauth2/token", headers=FORM,
                                  body=form(grant_type="password", username=registry.user, password="x")).status):
        guesses.until_shut_out(ask)
    guesses.also_shuts_out(lambda: guess(c, registry),
                           lambda: c.get("/v2/", headers=basic(registry.user, registry.password)).status)
    guesses.assert_no_more_were_heard()
    assert guess(c, registry, "another") == 401
    assert c.get("/v2/", token="a.b.c").status == 401
    c.close()


def test_guesses_of_one_do_not_shut_out_another(registry, client, guesser, plain):
    c = registry.connect(guesser)
    while guess(c, registry) != 429:
        pass
    assert plain.get("/v2/", headers=basic(registry.user, registry.password)).status == 200
    c.close()


def test_the_operators_secret_is_not_guessed_either(kidoban):
    """From the server's own machine, at the control plane; a token that is out goes on, and so does another client."""
    control = kidoban.control()
    token, c = control.sign_in(), control.connect()

    def ask(client_id, secret):
        a = c.request("POST", "/adfs/oauth2/token", headers=FORM, token=None,
                      body=form(grant_type="client_credentials", client_id=client_id, client_secret=secret,
                                scope=control.admin["controlUrl"].rstrip("/") + "/.default"))
        assert a.status != 429 or (int(a.headers["Retry-After"]) > 0 and a.json["error_description"]), a
        return a.status

    guesses = Guesses()
    guesses.also_shuts_out(lambda: ask(control.admin["clientId"], "guess"),
                           lambda: ask(control.admin["clientId"], control.admin["clientSecret"]))
    guesses.assert_no_more_were_heard()
    assert ask("00000000-0000-0000-0000-000000000001", "x") == 401
    assert c.get("/subscriptions", token=token).status == 200
    c.close()
