#include "cli/program.h"

#include "sys/fd.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static enum rc wait_for(pid_t pid, const char *name, struct err *e)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(e, "waiting for %s", name);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(e, RC_DENIED, "%s failed.", name);
    return RC_OK;
}

/* What it did not read is its own business. */
static void feed(int fd, struct str input)
{
    if (file_write_all(fd, input.ptr, input.len, NULL) != RC_OK)
        errno = 0;
    fd_close(fd);
}

static int spawn(const char *const *argv, int input, bool quiet, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* ignored here, not there */
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (quiet)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int error =
        posix_spawnp(ret, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);

    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

enum rc cli_program_run(const char *const *argv, struct str input, bool quiet, struct err *e)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(e, "pipe");
    int error = spawn(argv, ends[0], quiet, &pid);

    fd_close(ends[0]);
    if (error == 0) {
        feed(ends[1], input);
        return wait_for(pid, argv[0], e);
    }
    fd_close(ends[1]);
    errno = error;
    return err_sys(e, "%s does not start", argv[0]);
}
