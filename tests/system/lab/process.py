"""Running programs: short ones to their end, long ones until they are told to stop.

A long-running process dies with the test run, even if that is killed, so that nothing stays behind.
"""

import contextlib
import ctypes
import glob
import json
import os
import signal
import subprocess

from .wait import until

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


class Failed(AssertionError):
    """A command that should have succeeded did not."""


class Result:
    """What a command left: exit code, standard output and error, and both as a person reads them."""

    def __init__(self, argv, code, out, err):
        self.argv, self.code, self.out, self.err = argv, code, out, err

    @property
    def text(self):
        return self.out + self.err

    def ok(self):
        """This result, or an error that shows what was run and what it said."""
        if self.code != 0:
            raise Failed(f"{self} failed:\n{self.text}")
        return self

    def __repr__(self):
        return f"<{' '.join(map(str, self.argv))} -> {self.code}>"


def run(argv, env=None, stdin=None, timeout=300, cwd=None):
    """Run a command to its end. Does not raise for an exit code: say .ok() for that."""
    argv = [str(a) for a in argv]
    data = stdin.encode() if isinstance(stdin, str) else stdin
    extra = {"input": data} if data is not None else {"stdin": subprocess.DEVNULL}
    try:
        p = subprocess.run(argv, env=env, capture_output=True, timeout=timeout, cwd=cwd, check=False, **extra)
    except subprocess.TimeoutExpired as e:
        said = (e.stdout or b"") + (e.stderr or b"")
        raise Failed(f"{argv} did not end in {timeout} s:\n{said.decode(errors='replace')}") from e
    return Result(argv, p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace"))


def _die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Process:
    """A long-running program whose output goes to a log file."""

    def __init__(self, argv, log, env=None, cwd=None):
        self.argv, self.log = [str(a) for a in argv], str(log)
        self._start = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                          cwd=cwd, start_new_session=True, preexec_fn=_die_with_parent)
        self.pid = self.popen.pid
        self.disposable = False  # its end need not be graceful: it has a process tree of its own

    def output(self):
        """What this run of the program has written so far."""
        with open(self.log, "rb") as f:
            f.seek(self._start)
            return f.read().decode(errors="replace")

    def events(self):
        """The JSON lines of that, parsed; the last line only when it is there whole."""
        return [json.loads(line) for line in self.output().split("\n")[:-1] if line.startswith("{")]

    def running(self):
        return self.popen.poll() is None

    def wait_for(self, condition, what, timeout=180.0):
        """Wait for a condition while the process lives; its death is an error that shows its last words."""
        def dead_or_true():
            lived = self.running()  # before the look: what it did last counts
            value = condition()
            if not value and not lived:
                raise Failed(f"{self.argv[0]} ended with {self.popen.returncode} before {what}:\n{self.output()[-4000:]}")
            return value

        try:
            return until(dead_or_true, what, timeout)
        except TimeoutError as e:
            raise Failed(f"{e}; {self.log} ends with:\n{self.output()[-4000:]}") from e

    def wait(self, timeout=180.0):
        return self.popen.wait(timeout)

    def send(self, number):
        if self.running():
            self.popen.send_signal(number)

    def stop(self, timeout=120.0, number=signal.SIGTERM):
        """Ask it to end, insist after the limit. Returns the exit code."""
        self.send(number)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        """SIGKILL to the whole session that it leads."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        code = self.popen.wait(120)
        until(lambda: not _alive(self.pid), "all that was killed has ended", 120)
        return code


def _alive(group):
    """The threads of a group that have not ended; what is only not reaped yet holds nothing any more. A process whose first
    thread has ended looks ended itself while its others still hold its sockets."""
    found = []
    for path in glob.glob("/proc/[0-9]*/task/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as f:
            state, _, pgrp = f.read().rpartition(")")[2].split()[:3]
            if int(pgrp) == group and state not in "ZX":
                found.append(path)
    return found
