#include "sys/sock.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { BACKLOG_DEFAULT = 4096 };

union sock_addr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t addr_fill(const struct ip_addr *ip, uint16_t port, union sock_addr *a)
{
    memset(a, 0, sizeof(*a));
    if (ip->family == 4) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons(port);
        memcpy(&a->v4.sin_addr, ip->bytes, 4);
        return sizeof(a->v4);
    }
    a->v6.sin6_family = AF_INET6;
    a->v6.sin6_port = htons(port);
    memcpy(&a->v6.sin6_addr, ip->bytes, 16);
    return sizeof(a->v6);
}

static int option_on(int fd, int level, int name)
{
    int on = 1;

    return setsockopt(fd, level, name, &on, sizeof(on));
}

static int set_options(int fd, const struct sock_listen *l)
{
    bool v6 = l->addr.family == 6;

    if (option_on(fd, SOL_SOCKET, SO_REUSEADDR) != 0)
        return -1;
    if ((l->flags & SOCK_REUSEPORT) && option_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0)
        return -1;
    if (v6 && option_on(fd, SOL_IPV6, IPV6_V6ONLY) != 0)
        return -1;
    if ((l->flags & SOCK_PKTINFO) &&
        option_on(fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO) != 0)
        return -1;
    if (!l->device)
        return 0;
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, l->device, (socklen_t)strlen(l->device));
}

enum rc sock_listen(const struct sock_listen *l, int *ret_fd, struct err *e)
{
    int family = l->addr.family == 6 ? AF_INET6 : AF_INET;
    CLEANUP(fd_closep) int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char text[IP_TEXT_MAX];
    struct str ip = ip_format(&l->addr, text);
    union sock_addr a;
    socklen_t len = addr_fill(&l->addr, l->port, &a);

    if (l->addr.family == 0)
        return err_set(e, RC_INVALID, "no address to listen on");
    if (fd < 0)
        return err_sys(e, "make a socket");
    if (set_options(fd, l) != 0)
        return err_sys(e, "prepare a socket for %.*s port %u%s%s", STR_ARG(ip), l->port,
                       l->device ? " on " : "", l->device ? l->device : "");
    if (bind(fd, &a.any, len) != 0)
        return err_sys(e, "bind to %.*s port %u", STR_ARG(ip), l->port);
    if (!(l->flags & SOCK_NO_LISTEN) &&
        listen(fd, l->backlog > 0 ? l->backlog : BACKLOG_DEFAULT) != 0)
        return err_sys(e, "listen on %.*s port %u", STR_ARG(ip), l->port);
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}

enum rc sock_share_port(int fd, bool share, struct err *e)
{
    int on = share;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0
               ? RC_OK
               : err_sys(e, "change how a port is shared");
}

typedef int name_call(int fd, struct sockaddr *sa, socklen_t *len);

static enum rc sock_name(int fd, name_call *call, struct ip_addr *ret, uint16_t *ret_port,
                         struct err *e)
{
    union sock_addr a = {0};
    socklen_t len = sizeof(a);

    if (call(fd, &a.any, &len) != 0)
        return err_sys(e, "ask for an address of a socket");
    *ret = ip_from_sockaddr(&a.any, ret_port);
    return RC_OK;
}

static int local_name(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getsockname(fd, sa, len);
}

static int peer_name(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getpeername(fd, sa, len);
}

enum rc sock_local(int fd, struct ip_addr *ret, uint16_t *ret_port, struct err *e)
{
    return sock_name(fd, local_name, ret, ret_port, e);
}

enum rc sock_peer(int fd, struct ip_addr *ret, uint16_t *ret_port, struct err *e)
{
    return sock_name(fd, peer_name, ret, ret_port, e);
}

enum { IPV6_PKTOPTIONS_OF_RFC_2292 = 6 };

/* For a stream socket the kernel answers with the control messages that a datagram would carry. */
unsigned sock_arrival_ifindex(int fd)
{
    union {
        struct cmsghdr align;
        char bytes[256];
    } control;
    struct msghdr m = {.msg_control = control.bytes};
    socklen_t len = sizeof(control.bytes);
    struct in_pktinfo v4;
    struct in6_pktinfo v6;
    int family = 0;
    socklen_t family_len = sizeof(family);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &family_len) != 0)
        return 0;
    bool six = family == AF_INET6;

    if (getsockopt(fd, six ? SOL_IPV6 : SOL_IP, six ? IPV6_PKTOPTIONS_OF_RFC_2292 : IP_PKTOPTIONS,
                   control.bytes, &len) != 0)
        return 0;
    m.msg_controllen = len;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&v4, CMSG_DATA(c), sizeof(v4));
            return (unsigned)v4.ipi_ifindex;
        }
        if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            memcpy(&v6, CMSG_DATA(c), sizeof(v6));
            return v6.ipi6_ifindex;
        }
    }
    return 0;
}

void sock_interface_name(int fd, unsigned ifindex, char out[16])
{
    struct ifreq r = {.ifr_ifindex = (int)ifindex};

    _Static_assert(sizeof(r.ifr_name) == 16, "an interface's name has 16 bytes");
    out[0] = '\0';
    if (ifindex > 0 && ioctl(fd, SIOCGIFNAME, &r) == 0)
        memcpy(out, r.ifr_name, sizeof(r.ifr_name));
}

uint32_t sock_mark(int fd)
{
    uint32_t mark = 0;
    socklen_t len = sizeof(mark);

    return getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len) == 0 ? mark : 0;
}

enum rc ifindex_of(const char *device, unsigned *ret, struct err *e)
{
    unsigned index = if_nametoindex(device);

    if (index == 0)
        return err_sys(e, "find the interface %s", device);
    *ret = index;
    return RC_OK;
}

enum rc ifname_of(unsigned ifindex, char out[16], struct err *e)
{
    char name[IF_NAMESIZE];

    if (!if_indextoname(ifindex, name))
        return err_sys(e, "find the interface with index %u", ifindex);
    memcpy(out, name, sizeof(name));
    return RC_OK;
}
