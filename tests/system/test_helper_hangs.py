"""What becomes of a server whose privileged helper hangs: the helper is stopped (SIGSTOP), or nobody reads what it writes."""

import os
import signal

import pytest

from lab import Kidoban, until


@pytest.fixture
def unread(lab):
    """A pipe that is full, and that nobody reads."""
    path = lab.path("unread")
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(fd, b"x" * 4096)
    except BlockingIOError:
        pass
    yield path
    os.close(fd)


def test_a_server_whose_words_nobody_reads_serves_and_is_started_again_when_it_dies(lab, unread):
    k = Kidoban(lab, "unread-words")
    k.start("sh", "-c", 'echo ready; exec "$@" >"$0" 2>&1', unread)

    def serves():
        return os.path.exists(os.path.join(k.data, "admin.json")) and k.command("group", "list").code == 0

    until(serves, "the server serves")
    k.kill_server()
    until(serves, "the next server serves")
    k.stop()


def reason(k, name):
    a = k("network", "attachment", "show", "--name", name)
    return a["state"], a.get("stateReason", "")


def test_a_helper_that_is_stopped_is_told_of_and_what_is_open_serves_and_refuses_as_before(place):
    k, silent = place.kidoban, "the privileged helper does not answer: restart the server"
    place.rules(subnets="a")
    k.process.send(signal.SIGSTOP)
    try:
        k.process.wait_for(lambda: "listeners.helper_silent" in k.process.output(), "the log tells of it")
        until(lambda: reason(k, "at-a") == ("Listening", silent), "what listens says so")
        assert k.metrics()["kidoban_helper_silent"] == 1
        k("network", "attachment", "create", "--name", "late", "--kind", "netns", "--netns", "not-there",
          "--vnet", place.vnets["a"]["id"])
        assert reason(k, "late") == ("Waiting", silent)

        def status(host):
            return place.registry.connect(host).get("/v2/").status

        assert [status(h) for h in place.hosts] == [401, 403, 403]
        place.rules(subnets="b")  # a change is in force as always
        assert [status(h) for h in place.hosts] == [403, 401, 403]
    finally:
        k.process.send(signal.SIGCONT)
    until(lambda: reason(k, "at-a") == ("Listening", ""), "it answers again")
    until(lambda: reason(k, "late") == ("Waiting", "there is no network namespace not-there now"), "it has looked")
    assert k.metrics()["kidoban_helper_silent"] == 0
