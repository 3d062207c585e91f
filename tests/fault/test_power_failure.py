"""The power fails while images are being pushed: what was not on the disk is gone.

The data folder is on an ext4 file system of its own, which is shut down without writing its log; a copy of the disk as
it then is, is what the server finds when it starts again."""

import fcntl
import itertools
import os
import struct
import threading

import pytest

from lab import Failed, Kidoban, run, until
from lab.pushing import SCOPE, Pusher, acknowledged, check

pytestmark = pytest.mark.long

EXT4_IOC_SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2
PUSHERS, FAILURES, PUSHES = 4, 10, 20
_disks = itertools.count()


class Disk:
    """An ext4 file system in a file, mounted in one folder, that can lose its power."""

    def __init__(self, lab):
        self.lab, self.number = lab, 0
        base = f"disk{next(_disks)}"
        self.folder, self.image = lab.path(base, "mnt"), lab.path(base, "image0")
        os.makedirs(self.folder)
        with open(self.image, "wb") as f:
            f.truncate(2 << 30)
        run(["mkfs.ext4", "-q", self.image]).ok()
        lab.closers.append(lambda: run(["umount", "-l", self.folder]))
        self.mount()

    def mount(self):
        run(["mount", "-o", "loop,commit=300", self.image, self.folder]).ok()
        os.chmod(self.folder, 0o755)

    def fail(self):
        """Nothing more reaches the disk."""
        fd = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        os.close(fd)

    def come_back(self):
        """A copy of what the disk held; the old one may still be known to another namespace."""
        self.number += 1
        after = os.path.join(os.path.dirname(self.folder), f"image{self.number}")
        run(["cp", "--sparse=always", self.image, after]).ok()
        run(["umount", "-l", self.folder]).ok()
        os.unlink(self.image)
        self.image = after
        self.mount()


# A control: with this in the way nothing is durable, and the test must notice.
FORGETFUL = """
int fsync(int fd) { (void)fd; return 0; }
int fdatasync(int fd) { (void)fd; return 0; }
"""


@pytest.fixture
def disk(lab):
    made = Disk(lab)
    yield made
    run(["umount", "-l", made.folder])


def pushes_and_failures(lab, disk, name, failures, env=None):
    """Push, let the power fail, look at what is there; again and again."""
    k = Kidoban(lab, name)
    k.data, k.env = os.path.join(disk.folder, "data"), env or {}
    k.start().group()
    registry = k.registry("power")
    run(["sync", "-f", disk.folder]).ok()  # what came before the pushes is not the question
    every = []
    for _ in range(failures):
        stop = threading.Event()
        pushers = [Pusher(lambda: registry.connect(lab.internet, SCOPE), f"{len(every)}-{i}", stop)
                   for i in range(PUSHERS)]
        for p in pushers:
            p.start()
        until(lambda: acknowledged(pushers) > PUSHES, "pushes before the power fails", 120)  # noqa: B023
        disk.fail()
        stop.set()
        k.kill()
        for p in pushers:
            p.join(120)
        every += pushers
        disk.come_back()
        k.start()
        check(registry.connect(lab.internet, SCOPE), every)
    k.stop()


def test_acknowledged_pushes_survive_power_failures(lab, disk):
    pushes_and_failures(lab, disk, "durable", FAILURES)


def test_a_server_whose_fsync_does_nothing_loses_pushes(lab, disk):
    library = lab.path("control", "fsync.so")
    run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], stdin=FORGETFUL).ok()
    with pytest.raises((Failed, AssertionError)) as lost:
        pushes_and_failures(lab, disk, "forgetful", 3, {"LD_PRELOAD": library})
    print("the control failed as it should:", str(lost.value)[:300])
