"""What becomes of a server whose privileged helper hangs: the helper is stopped (SIGSTOP), or nobody reads what it writes."""

import os

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
