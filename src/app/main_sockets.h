/* The sockets of --listen, --control and --metrics: opened by the helper, or by the server where there is none. */
#ifndef APP_MAIN_SOCKETS_H
#define APP_MAIN_SOCKETS_H

#include "app/options.h"
#include "net/evidence.h"

struct main_socket {
    enum net_class class;
    unsigned index; /* which --listen; 0 for the others */
    uint16_t port;
    int fd;
};
struct main_sockets {
    struct main_socket *list;
    size_t n;
};

/* `each` sockets for every address, which share its port (SO_REUSEPORT): one for each loop. Before that, the address is
 * bound without sharing, so that a second server never takes half of the connections: RC_EXISTS names the address. */
NODISCARD enum rc main_sockets_open(const struct serve_options *o, unsigned each, struct main_sockets *ret, struct err *e);
void main_sockets_close(struct main_sockets *m);

/* NULL: there is no such listener. */
const struct listen_option *main_sockets_option(const struct serve_options *o, enum net_class class, unsigned index);

#endif
