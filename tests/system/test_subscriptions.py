"""Several subscriptions, as the command line and clients of the control plane use them."""

import json
import os

import pytest

from lab import run
from lab.server import BINARY


class Commands:
    """The command line of a user with a configuration of its own."""

    def __init__(self, kidoban, config):
        self.kidoban, self.config, self.env = kidoban, str(config), {}

    def command(self, *args):
        argv = ["nsenter", f"--net=/run/netns/{self.kidoban.space.ns}", BINARY, *args, "--data", self.kidoban.data]
        return run(argv, env={**self.kidoban.space.env, "KIDOBAN_CONFIG": self.config, **self.env})

    def __call__(self, *args):
        r = self.command(*args)
        assert r.code == 0, r.text
        return json.loads(r.out) if r.out.strip() else None


@pytest.fixture
def user(kidoban, tmp_path):
    return Commands(kidoban, tmp_path / "configuration" / "kidoban")


def made(user, name):
    return user("account", "create", "--name", name)["id"]


def test_the_chosen_subscription_is_where_commands_work(user):
    first = user("account", "show")
    assert first["isDefault"] and first["name"] == "Kidoban" and first["state"] == "Enabled"
    second = made(user, "chosen")
    user("account", "set", "--subscription", "CHOSEN")
    assert user("account", "show")["id"] == second
    assert os.stat(os.path.join(user.config, "subscriptions.json")).st_mode & 0o077 == 0
    user("group", "create", "-n", "here")
    assert [g["name"] for g in user("group", "list")] == ["here"]
    assert "here" not in [g["name"] for g in user("group", "list", "-s", first["id"])]
    user.env = {"KIDOBAN_SUBSCRIPTION": first["name"]}
    assert user("account", "show")["id"] == first["id"]
    assert user("account", "show", "-s", second)["id"] == second, "what is typed comes first"


def test_a_subscription_that_is_gone_is_named_and_another_can_be_chosen(user):
    second = made(user, "short-lived")
    user("account", "set", "-s", "short-lived")
    user("account", "delete", "-s", second, "--yes")
    lost = user.command("group", "list")
    assert lost.code == 3 and "(SubscriptionNotFound)" in lost.err and "kidoban account set" in lost.err
    assert user.command("account", "set", "-s", second).code == 3
    assert user.command("account", "set", "-s", "short-lived").code == 3
    user("account", "set", "-s", "Kidoban")
    assert user.command("group", "list").code == 0


def test_two_of_one_name_are_told_apart_by_their_ids(user):
    one, other = made(user, "twins"), made(user, "twins")
    refused = user.command("account", "set", "-s", "twins")
    assert refused.code == 1 and "give one's id" in refused.err
    user("account", "set", "-s", other)
    assert user("account", "show")["id"] == other
    assert user("account", "rename", "-s", one, "-n", "elder")["name"] == "elder"
    user("account", "set", "-s", "elder")
    assert user("account", "show")["id"] == one


def test_a_new_subscription_registers_a_provider_before_it_uses_it(user):
    second = made(user, "fresh")
    user("group", "create", "-s", second, "-n", "fresh")
    create = ("acr", "create", "-s", second, "-g", "fresh", "-n", "freshreg", "--sku", "Basic")
    refused = user.command(*create)
    assert refused.code == 1 and "(MissingSubscriptionRegistration)" in refused.err
    assert "kidoban provider register" in refused.err
    state = user("provider", "register", "-s", second, "--namespace", "Microsoft.ContainerRegistry")["registrationState"]
    assert state == "Registered"
    assert user(*create)["provisioningState"] == "Succeeded"
    used = user.command("provider", "unregister", "-s", second, "--namespace", "Microsoft.ContainerRegistry")
    assert used.code == 1 and "freshreg" in used.err
    full = user.command("account", "delete", "-s", second, "--yes")
    assert full.code == 1 and "(SubscriptionNotEmpty)" in full.err


def test_a_disabled_subscription_is_only_read(user):
    second = made(user, "asleep")
    user("group", "create", "-s", second, "-n", "kept")
    user("account", "disable", "-s", second)
    refused = user.command("group", "create", "-s", second, "-n", "more")
    assert refused.code == 1 and "(ReadOnlyDisabledSubscription)" in refused.err
    assert [g["name"] for g in user("group", "list", "-s", second)] == ["kept"]
    user("account", "enable", "-s", second)
    user("group", "delete", "-s", second, "-n", "kept", "--yes")
    user("account", "delete", "-s", second, "--yes")


def test_subscriptions_are_there_after_a_restart(kidoban, user, control):
    second = made(user, "lasting")
    user("group", "create", "-s", second, "-n", "lasting")
    before = control.request("GET", "/subscriptions").json
    kidoban.stop()
    kidoban.start()
    assert control.request("GET", "/subscriptions").json == before
    assert [g["name"] for g in user("group", "list", "-s", "lasting")] == ["lasting"]
