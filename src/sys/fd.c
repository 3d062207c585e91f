#include "sys/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void fd_close(int fd)
{
    if (fd < 0)
        return;
    int failed = close(fd);

    assert(failed == 0 || errno != EBADF);
}

void fd_closep(int *fd)
{
    fd_close(*fd);
    *fd = -1;
}

enum rc fd_limit_raise(struct err *e)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return err_sys(e, "ask how many descriptors this process may open");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return err_sys(e, "be allowed more descriptors");
    return RC_OK;
}

enum rc fd_nonblocking(int fd, struct err *e)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_sys(e, "make a descriptor non-blocking");
    return RC_OK;
}

union fd_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

enum rc fd_send(int sock, const void *msg, size_t n, int fd, struct err *e)
{
    union fd_control control = {0};
    struct iovec iov = {(void *)(uintptr_t)msg, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t sent;

    if (fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        *c = (struct cmsghdr){CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    do
        sent = sendmsg(sock, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return err_sys(e, "send a message to the other process");
    assert((size_t)sent == n); /* SOCK_SEQPACKET sends whole messages */
    return RC_OK;
}

/* There is room for one descriptor; more would have set MSG_CTRUNC, and the kernel closes them. */
static int control_fd(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd = -1;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(fd)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

enum rc fd_recv(int sock, void *msg, size_t n, int *ret_fd, struct err *e)
{
    char bytes[1024];
    union fd_control control = {0};
    struct iovec iov = {bytes, n};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = CMSG_LEN(sizeof(int))}; /* not SPACE: two would fit */
    ssize_t got;

    assert(n > 0 && n <= sizeof(bytes));
    do
        got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        return err_set(e, RC_NOT_FOUND, "the other process is gone");
    if (got < 0)
        return err_sys(e, "receive a message of the other process");
    int fd = control_fd(&m);

    if ((size_t)got != n || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        fd_close(fd);
        return err_set(e, RC_INVALID, "a message of the other process has the wrong size");
    }
    memcpy(msg, bytes, n);
    *ret_fd = fd;
    return RC_OK;
}
