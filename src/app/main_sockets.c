#include "app/main_sockets.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <stdlib.h>

const struct listen_option *main_sockets_option(const struct serve_options *o, enum net_class class,
                                                unsigned index)
{
    const struct listen_option *at = NULL;

    if (class == NET_DATA && index < o->n_listen)
        at = &o->listen[index];
    else if (class == NET_CONTROL && index == 0)
        at = &o->control;
    else if (class == NET_METRICS && index == 0)
        at = &o->metrics;
    return at && at->addr.family != 0 ? at : NULL;
}

/* Proves that nobody else listens there. Port 0 becomes the port that the kernel gave. */
static enum rc claim(const struct listen_option *at, uint16_t *ret_port, struct err *e)
{
    const struct sock_listen alone = {.addr = at->addr, .port = at->port};
    CLEANUP(fd_closep) int fd = -1;
    struct ip_addr local;
    enum rc rc = sock_listen(&alone, &fd, e);

    return rc == RC_OK ? sock_local(fd, &local, ret_port, e) : rc;
}

static enum rc open_address(const struct listen_option *at, struct main_socket socket,
                            unsigned each, struct main_sockets *m, struct err *e)
{
    enum rc rc = claim(at, &socket.port, e);
    const struct sock_listen shared = {
        .addr = at->addr, .port = socket.port, .flags = SOCK_REUSEPORT | SOCK_PKTINFO};

    for (unsigned i = 0; rc == RC_OK && i < each; i++) {
        rc = sock_listen(&shared, &socket.fd, e);
        if (rc == RC_OK)
            m->list[m->n++] = socket;
    }
    return rc;
}

enum rc main_sockets_open(const struct serve_options *o, unsigned each, struct main_sockets *ret,
                          struct err *e)
{
    static const enum net_class classes[] = {NET_DATA, NET_CONTROL, NET_METRICS};
    struct main_sockets m = {.list = calloc((o->n_listen + 2) * each, sizeof(*m.list))};
    const struct listen_option *at;
    enum rc rc = RC_OK;

    if (!m.list)
        abort();
    for (size_t c = 0; c < ARRAY_LEN(classes); c++)
        for (unsigned i = 0; rc == RC_OK && (at = main_sockets_option(o, classes[c], i)); i++)
            rc = open_address(at, (struct main_socket){classes[c], i, 0, -1}, each, &m, e);
    if (rc == RC_OK)
        *ret = m;
    else
        main_sockets_close(&m);
    return rc;
}

void main_sockets_close(struct main_sockets *m)
{
    for (size_t i = 0; i < m->n; i++)
        fd_close(m->list[i].fd);
    free(m->list);
    *m = (struct main_sockets){0};
}
