"""The power fails while images are being pushed: what was not on the disk is gone.

The data folder is on an ext4 file system of its own, which is shut down without writing its log; a copy of the disk as
it then is, is what the server finds when it starts again."""

import fcntl
import os
import struct
import threading

import pytest

from lab import Kidoban, run, until
from lab.pushing import SCOPE, Pusher, acknowledged, check

pytestmark = pytest.mark.long

EXT4_IOC_SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2
PUSHERS, FAILURES, PUSHES = 4, 10, 20


class Disk:
    """An ext4 file system in a file, mounted in one folder, that can lose its power."""

    def __init__(self, lab):
        self.lab, self.number = lab, 0
        self.folder, self.image = lab.path("disk", "mnt"), lab.path("disk", "image0")
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
        after = self.lab.path("disk", f"image{self.number}")
        run(["cp", "--sparse=always", self.image, after]).ok()
        run(["umount", "-l", self.folder]).ok()
        os.unlink(self.image)
        self.image = after
        self.mount()


@pytest.fixture
def disk(lab):
    return Disk(lab)


def test_acknowledged_pushes_survive_power_failures(lab, disk):
    k = Kidoban(lab, "power")
    k.data = os.path.join(disk.folder, "data")
    k.start().group()
    registry = k.registry("power")
    every = []
    for _ in range(FAILURES):
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
