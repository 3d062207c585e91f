"""The privileged helper: who runs as whom, what survives a crash of the server, and networks that come and go."""

import os
import signal
import socket
import time

import pytest

from lab import Kidoban, run, until
from lab.network import REGISTRY_ADDRESS, inside, ip
from lab.server import BINARY


@pytest.fixture(scope="module")
def attached(lab, kidoban):
    """A virtual network with one host, attached."""
    network = lab.network("blue")
    host = network.host("10.0.0.4")
    kidoban.attach("blue", network, kidoban.network("blue"))
    return network, host


def state(kidoban, name="blue"):
    shown = kidoban("network", "attachment", "show", "--name", name)
    return shown["state"]


def knock(host):
    """An open TCP connection from a host to the registry's address."""
    with inside(host.ns):
        return socket.create_connection((REGISTRY_ADDRESS, 443), timeout=60)


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_the_server_has_no_privileges(kidoban):
    helper, server = status(kidoban.process.pid), status(kidoban.server_pid())
    assert helper["Uid"].split() == ["0"] * 4
    assert "0" not in server["Uid"].split() + server["Gid"].split()
    assert int(server["CapEff"], 16) == int(server["CapPrm"], 16) == int(server["CapInh"], 16) == 0
    assert server["NoNewPrivs"] == "1"


def test_a_crash_refuses_nobody_and_keeps_every_listener(kidoban, attached):
    network, host = attached
    pid, readies = kidoban.server_pid(), kidoban.readies()
    os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        knock(host).close()  # in the kernel's queue until the next server takes it
    kidoban.process.wait_for(lambda: kidoban.readies() > readies, "another server")
    assert network.listening(443)
    until(lambda: state(kidoban) == "Listening", "the new server has heard of the listener")
    assert kidoban.server_pid() != pid


def test_a_command_waits_for_a_server_that_will_take_it(lab, kidoban):
    pid = kidoban.server_pid()
    os.kill(pid, signal.SIGSTOP)  # as good as dead: the listeners take connections for who comes next
    try:
        asked = lab.internet.start("asked", [BINARY, "group", "list", "--data", kidoban.data])
        time.sleep(15)
        assert asked.running(), asked.output()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert asked.wait() == 0, asked.output()
    assert '"lab"' in asked.output()


def test_a_namespace_that_goes_is_let_go_and_taken_again_when_it_comes_back(kidoban, attached):
    network, host = attached
    connection = knock(host)
    ip("netns", "del", network.ns)
    # Nothing holds the namespace any more: with it goes its end of the host's cable.
    until(lambda: "eth0" not in ip("-o", "link", ns=host.ns), "the end of the namespace")
    connection.close()
    until(lambda: state(kidoban) == "Waiting", "the attachment waits")

    ip("netns", "add", network.ns)
    until(lambda: network.listening(443), "a listener in the new namespace")
    until(lambda: state(kidoban) == "Listening", "the server has heard of it")


def test_an_attachment_that_is_deleted_stops_listening(kidoban, attached):
    network, _ = attached
    kidoban("network", "attachment", "delete", "--name", "blue", "--yes")
    until(lambda: not network.listening(443), "no listener in the namespace")


def test_a_hangup_reaches_the_server_and_harms_nobody(kidoban):
    pid = kidoban.server_pid()
    kidoban.process.send(signal.SIGHUP)
    assert kidoban.metrics()["kidoban_connections_open"] >= 0
    assert kidoban.server_pid() == pid


def test_an_address_that_is_taken_ends_the_start_with_its_name(lab, kidoban):
    second = Kidoban(lab, "second")
    with pytest.raises(AssertionError):
        second.start()
    assert "443" in second.process.output() and second.process.popen.returncode == 1


def test_a_server_that_cannot_start_is_not_started_for_ever(lab):
    other = Kidoban(lab, "other", options=["--tls-cert", "/nowhere.crt", "--tls-key", "/nowhere.key"],
                    space=lab.network("elsewhere"))
    with pytest.raises(AssertionError):
        other.start()
    assert "/nowhere" in other.process.output() and other.process.popen.returncode == 1


def test_the_end_of_the_helper_is_the_end_of_the_server(kidoban):
    pid = kidoban.server_pid()
    kidoban.stop()
    assert not os.path.exists(f"/proc/{pid}")
    assert run(["pgrep", "-f", kidoban.data]).out == ""
