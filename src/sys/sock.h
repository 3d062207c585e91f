/* TCP listeners, and what a connection shows of where it comes from. */
#ifndef SYS_SOCK_H
#define SYS_SOCK_H

#include "base/ip.h"

enum sock_flag {
    SOCK_REUSEPORT = 1 << 0,
    SOCK_PKTINFO = 1 << 1, /* on the listener, for sock_arrival_ifindex of what it accepts */
    SOCK_NO_LISTEN = 1 << 2,
};
struct sock_listen {
    struct ip_addr addr; /* V6ONLY when IPv6 */
    uint16_t port;       /* 0: any */
    const char *device;  /* SO_BINDTODEVICE, or NULL */
    unsigned flags;      /* enum sock_flag */
    int backlog;         /* 0: 4096 */
};
/* Non-blocking, SO_REUSEADDR. RC_EXISTS: address in use. RC_DENIED: privileges. */
NODISCARD enum rc sock_listen(const struct sock_listen *l, int *ret_fd, struct err *e);
/* SO_REUSEPORT, changed on a socket that listens. */
NODISCARD enum rc sock_share_port(int fd, bool share, struct err *e);
NODISCARD enum rc sock_local(int fd, struct ip_addr *ret, uint16_t *ret_port, struct err *e);
NODISCARD enum rc sock_peer(int fd, struct ip_addr *ret, uint16_t *ret_port, struct err *e);
/* Interface by which an accepted connection came; 0 unknown. Does not block. */
unsigned sock_arrival_ifindex(int fd);
/* That interface's name in the socket's own network namespace, whichever the caller is in; "" unknown. Does not block. */
void sock_interface_name(int fd, unsigned ifindex, char out[16]);
uint32_t sock_mark(int fd); /* SO_MARK; 0 when none. Does not block. */
NODISCARD enum rc ifindex_of(const char *device, unsigned *ret, struct err *e);
NODISCARD enum rc ifname_of(unsigned ifindex, char out[16], struct err *e);

#endif
