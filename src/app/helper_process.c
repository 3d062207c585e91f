#include "app/helper_process.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELPER_VARIABLE "KIDOBAN_HELPER_FD"

/* As typed, with the data folder by its absolute path. */
static char **server_arguments(const struct helper_config *c)
{
    char **argv = calloc((size_t)c->argc + 4, sizeof(char *));
    static char program[] = "kidoban", data[] = "--data";

    if (!argv)
        abort();
    argv[0] = program;
    for (int i = 0; i < c->argc; i++)
        argv[i + 1] = c->argv[i];
    argv[c->argc + 1] = data;
    argv[c->argc + 2] = (char *)(uintptr_t)c->data;
    return argv;
}

static enum rc become_server(const struct helper_config *c, const sigset_t *mask, pid_t parent,
                             int sock, struct err *e)
{
    char number[16];

    snprintf(number, sizeof(number), "%d", sock);
    if (fcntl(sock, F_SETFD, 0) < 0 || setenv(HELPER_VARIABLE, number, 1) != 0 ||
        sigprocmask(SIG_SETMASK, mask, NULL) != 0)
        return err_sys(e, "prepare the server's process");
    enum rc rc = user_become(c->user, e);

    if (rc != RC_OK)
        return rc;
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) /* after the change of user, which clears it */
        return err_sys(e, "bind the server's life to the helper's");
    if (getppid() != parent)
        return err_set(e, RC_CANCELED, "the helper has ended");
    return sys_reexec(server_arguments(c), environ, e);
}

enum rc helper_process_start(const struct helper_config *c, const sigset_t *mask, pid_t *ret_pid,
                             int *ret_sock, struct err *e)
{
    int pair[2];
    pid_t parent = getpid();

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_sys(e, "make the socket to the server");
    CLEANUP(fd_closep) int ours = pair[0];
    CLEANUP(fd_closep) int theirs = pair[1];
    enum rc rc = fd_nonblocking(ours, e);

    if (rc != RC_OK)
        return rc;
    pid_t pid = fork();

    if (pid < 0)
        return err_sys(e, "start the server's process");
    if (pid == 0) {
        struct err failed = {0};

        (void)become_server(c, mask, parent, theirs, &failed);
        fprintf(stderr, "ERROR: cannot start the server: %s\n", failed.text);
        _exit(1);
    }
    *ret_pid = pid;
    *ret_sock = ours;
    ours = -1;
    return RC_OK;
}

int helper_fd_from_environment(void)
{
    const char *text = getenv(HELPER_VARIABLE);
    uint64_t fd = 0;
    int type = 0;
    socklen_t len = sizeof(type);

    if (!text || str_to_u64(str_from(text), &fd) != RC_OK || fd > INT32_MAX)
        return -1;
    if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_SEQPACKET ||
        fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return -1;
    unsetenv(HELPER_VARIABLE);
    (void)prctl(PR_SET_NAME, "kidoban"); /* /proc/self/exe made it "exe" */
    return (int)fd;
}
