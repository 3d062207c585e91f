#include "app/helper_watch.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

enum rc helper_watch_open(struct helper_watch *w, struct err *e)
{
    struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    CLEANUP(fd_closep) int mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    CLEANUP(fd_closep)
    int links = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (mounts < 0)
        return err_sys(e, "watch /proc/self/mountinfo");
    if (links < 0 || bind(links, (struct sockaddr *)&own, sizeof(own)) != 0)
        return err_sys(e, "watch network devices");
    *w = (struct helper_watch){mounts, links};
    mounts = links = -1;
    return RC_OK;
}

void helper_watch_fill(const struct helper_watch *w, struct pollfd fds[HELPER_WATCH_FDS])
{
    fds[0] = (struct pollfd){.fd = w->mounts, .events = POLLPRI}; /* once for each change */
    fds[1] = (struct pollfd){.fd = w->links, .events = POLLIN};
}

/* What the messages say is of no interest: ENOBUFS, that some were lost, says the same. */
static void drain(int fd)
{
    char bytes[8192];

    while (recv(fd, bytes, sizeof(bytes), 0) > 0 || errno == ENOBUFS || errno == EINTR)
        ;
}

bool helper_watch_changed(struct helper_watch *w, const struct pollfd fds[HELPER_WATCH_FDS])
{
    if (fds[1].revents)
        drain(w->links);
    return fds[0].revents != 0 || fds[1].revents != 0;
}

void helper_watch_close(struct helper_watch *w)
{
    fd_close(w->mounts);
    fd_close(w->links);
    *w = (struct helper_watch){-1, -1};
}
