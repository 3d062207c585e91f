"""Long operations of the control plane: what was answered before it was done is done in the end, whatever happens to the
server in between."""

import json

import pytest

from lab import until

VNET = {"location": "local", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
BASIC = {"location": "local", "sku": {"name": "Basic"}}
MANY = 300


@pytest.fixture(scope="module")
def subscription(kidoban):
    return f"/subscriptions/{kidoban.admin['subscriptionId']}"


@pytest.fixture
def control(kidoban):
    c = kidoban.control()
    c.sign_in()
    return c


def send(control, connection, method, target, body=None):
    """One request whose operation is not waited for."""
    return connection.request(method, f"{target}?api-version=2023-07-01", token=control.token,
                              body=json.dumps(body).encode() if body else None,
                              headers={"Content-Type": "application/json"} if body else None)


def full_group(control, group, count=MANY):
    """A group with many virtual networks, and how many of them are left."""
    assert control.request("PUT", group, {"location": "local"}).status == 201
    connection = control.connect()
    for i in range(count):
        a = send(control, connection, "PUT", f"{group}/providers/Microsoft.Network/virtualNetworks/v{i}", VNET)
        assert a.status == 201, a
    connection.close()


def left(control, subscription, group):
    """How many resources of a group there are still."""
    inside = f"{group.lower()}/"
    path, found = f"{subscription}/providers/Microsoft.Network/virtualNetworks", 0
    while path:
        page = control.request("GET", path).json
        found += sum(one["id"].lower().startswith(inside) for one in page["value"])
        path = page.get("nextLink", "").replace(control.admin["controlUrl"], "")
    return found


def follow(control, link):
    """The operation's end, asked again and again; every answer on the way is one of a running operation."""
    connection = control.connect()
    target = connection.local(link)

    def ended():
        a = connection.get(target, token=control.token)
        running = a.status == 202 or (a.body and a.json.get("status") == "InProgress")
        assert a.status in (200, 202, 204), a
        assert not running or a.headers["Retry-After"] == "1"
        return None if running else a

    answer = until(ended, "the operation has ended", timeout=600)
    connection.close()
    return answer


def gone(control, subscription, group):
    assert control.request("GET", group).status == 404
    assert left(control, subscription, group) == 0


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_group_is_deleted_over_the_end_of_the_server(kidoban, control, subscription, end):
    group = f"{subscription}/resourceGroups/doomed-{end}"
    full_group(control, group)
    connection = control.connect()
    answer = send(control, connection, "DELETE", group)
    connection.close()
    assert answer.status == 202 and answer.body == b"" and answer.headers["Retry-After"] == "1"
    until(lambda: left(control, subscription, group) < MANY, "something of the group is deleted")
    getattr(kidoban, end)()
    kidoban.start()
    done = follow(control, answer.headers["Location"])
    assert (done.status, done.body) == (200, b"")
    gone(control, subscription, group)
    assert follow(control, answer.headers["Location"]).status == 200, "it stays done"


def test_a_group_that_goes_shows_it_and_takes_nothing_more(control, subscription):
    group = f"{subscription}/resourceGroups/going"
    full_group(control, group)
    connection = control.connect()
    link = send(control, connection, "DELETE", group).headers["Location"]
    shown = send(control, connection, "GET", group)
    late = send(control, connection, "PUT", f"{group}/providers/Microsoft.Network/virtualNetworks/late", VNET)
    connection.close()
    assert shown.status == 404 or shown.json["properties"]["provisioningState"] == "Deleting"
    assert late.status in (404, 409)
    if late.status == 409:
        assert late.json["error"]["code"] == "ResourceGroupBeingDeleted"
    assert follow(control, link).status == 200
    gone(control, subscription, group)


def test_a_registry_that_was_announced_is_made_after_a_kill(kidoban, control, subscription):
    assert control.request("PUT", f"{subscription}/resourceGroups/announced", {"location": "local"}).status == 201
    rid = f"{subscription}/resourceGroups/announced/providers/Microsoft.ContainerRegistry/registries/announced"
    connection = control.connect()
    answer = send(control, connection, "PUT", rid, BASIC)
    kidoban.kill()
    connection.close()
    assert answer.status == 201 and answer.json["properties"]["provisioningState"] == "Creating"
    kidoban.start()
    assert follow(control, answer.headers["Azure-AsyncOperation"]).json == {"status": "Succeeded"}
    assert control.request("GET", rid).json["properties"]["provisioningState"] == "Succeeded"
    kidoban.command("acr", "update", "-n", "announced", "-g", "announced", "--admin-enabled", "true")
    asked = kidoban.command("acr", "credential", "show", "-n", "announced", "-g", "announced")
    assert asked.code == 0, asked


def test_the_command_line_waits_unless_it_is_told_not_to(kidoban, control, subscription):
    group = f"{subscription}/resourceGroups/waited"
    full_group(control, group, 30)
    kidoban("group", "delete", "-n", "waited", "--yes")
    gone(control, subscription, group)
    full_group(control, group, 30)
    assert kidoban("group", "delete", "-n", "waited", "--yes", "--no-wait") is None
    until(lambda: control.request("GET", group).status == 404, "the group is gone")
    gone(control, subscription, group)
