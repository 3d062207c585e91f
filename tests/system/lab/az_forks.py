"""Runs az commands, each in a fork of one process that has imported az already. Run by az's own Python, not by pytest's.

One JSON object a line comes in and says what to run and where; one goes out when it has ended. A command's process
lives in the network namespace that it is told, and in a mount namespace where /etc and az's folder are its own."""

import sys

sys.path.pop(0)  # this folder has modules whose names are the library's

import contextlib
import ctypes
import io
import json
import os
import traceback

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
FOLDER = os.environ["AZURE_CONFIG_DIR"]  # az reads this once, at import; below it is whose turn it is
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, kind=None, flags=0, data=None):
    words = [w.encode() if w is not None else None for w in (source, target, kind)]
    check(libc.mount(*words, ctypes.c_ulong(flags), data.encode() if data else None), f"mount {target}")


def enter(job):
    """The place where the command runs: see Space.argv, which does the same for programs."""
    net = os.open(f"/run/netns/{job['ns']}", os.O_RDONLY)
    check(libc.setns(net, CLONE_NEWNET), job["ns"])
    os.close(net)
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount(job["folder"], FOLDER, flags=MS_BIND)
    work = job["work"]
    mount("lab", work, "tmpfs")
    os.mkdir(f"{work}/up")
    os.mkdir(f"{work}/work")
    mount("lab", "/etc", "overlay", data=f"lowerdir={job['etc']}:/etc,upperdir={work}/up,workdir={work}/work")


def run(job, invoke):
    """In the fork: one command, as the program's own main module runs it. Returns the exit code."""
    for number, path in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
        fd = os.open(path, os.O_RDWR)
        os.dup2(fd, number)
        os.close(fd)
    if job["typed"]:
        terminal, keyboard = os.openpty()  # the terminal stays open until the command ends
        os.write(terminal, job["typed"].encode())
        os.dup2(keyboard, 0)
    enter(job)
    os.environ.clear()
    os.environ.update(job["env"], AZURE_CONFIG_DIR=FOLDER)
    code = invoke(job["args"])
    return 0 if code is None else code


def fork(job, invoke):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 70
    try:
        code = run(job, invoke)
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def prepare():
    """Import az, and what it imports at the first command of each kind. Nobody is signed in, so nothing is asked."""
    from azure.cli.core import get_default_cli

    def invoke(args):
        return get_default_cli().invoke(args)

    for group in ("cloud list", "account list", "group list", "acr list", "network vnet list", "role assignment list"):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            invoke(group.split())
    return invoke


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    invoke = prepare()
    sys.stdout.flush()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps({"code": fork(json.loads(line), invoke)}), file=answers, flush=True)


main()
