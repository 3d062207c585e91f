/* The bottom of each chain: a connected socket. */
#include "net/filter.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

struct tcp {
    struct net_filter filter;
    int fd;
    bool drained; /* the last read took all there was: an event comes before there is more */
};

static struct tcp *tcp_of(struct net_filter *f)
{
    return CONTAINER_OF(f, struct tcp, filter);
}

static enum net_io tcp_failure(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? NET_IO_AGAIN : NET_IO_ERROR;
}

static enum net_io tcp_read(struct net_filter *f, char *bytes, size_t cap, size_t *ret_n)
{
    struct tcp *t = tcp_of(f);
    ssize_t n;

    if (t->drained)
        return NET_IO_AGAIN;
    do
        n = recv(t->fd, bytes, cap, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tcp_failure();
    if (n == 0 && cap > 0)
        return NET_IO_END;
    t->drained = (size_t)n < cap;
    *ret_n = (size_t)n;
    return NET_IO_OK;
}

static enum net_io tcp_write(struct net_filter *f, const struct iovec *iov, int n, size_t *ret_n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};
    ssize_t sent;

    do
        sent = sendmsg(tcp_of(f)->fd, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return tcp_failure();
    *ret_n = (size_t)sent;
    return NET_IO_OK;
}

static enum net_io tcp_sendfile(struct net_filter *f, int fd, uint64_t offset, size_t len,
                                size_t *ret_n)
{
    off_t at = (off_t)offset;
    ssize_t n;

    do
        n = sendfile(tcp_of(f)->fd, fd, &at, len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tcp_failure();
    if (n == 0 && len > 0) /* the file is shorter than its length says */
        return NET_IO_ERROR;
    *ret_n = (size_t)n;
    return NET_IO_OK;
}

static enum net_io tcp_finish(struct net_filter *f)
{
    return shutdown(tcp_of(f)->fd, SHUT_WR) == 0 ? NET_IO_OK : NET_IO_ERROR;
}

static unsigned tcp_needs(const struct net_filter *f, unsigned wanted)
{
    (void)f;
    return wanted;
}

static unsigned tcp_pending(const struct net_filter *f, unsigned wanted)
{
    (void)f;
    (void)wanted;
    return 0;
}

static unsigned tcp_event(struct net_filter *f, unsigned events)
{
    if (events & LOOP_READ)
        tcp_of(f)->drained = false;
    return events;
}

static void tcp_free(struct net_filter *f)
{
    fd_close(tcp_of(f)->fd);
    free(tcp_of(f));
}

static const struct net_filter_ops tcp_ops = {
    .name = "tcp",
    .read = tcp_read,
    .write = tcp_write,
    .sendfile = tcp_sendfile,
    .finish = tcp_finish,
    .needs = tcp_needs,
    .pending = tcp_pending,
    .event = tcp_event,
    .free = tcp_free,
};

struct net_filter *net_tcp_new(struct net_stream *s, int fd)
{
    struct tcp *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    t->filter = (struct net_filter){.ops = &tcp_ops, .stream = s};
    t->fd = fd;
    return &t->filter;
}
