/* Linux in one place: files that survive a crash, descriptors, sockets, namespaces, threads,
 * privileges. Every function here makes system calls and may block unless it says otherwise.
 * Descriptors are always O_CLOEXEC. */
#ifndef SYS_SYS_H
#define SYS_SYS_H

#include "base/buf.h"
#include "base/ip.h"
#include <pthread.h>
#include <sys/types.h>

/* --- descriptors --- */

/* Accepts -1. An error of close(2) is a bug, or lost data that fsync told of already. */
void fd_close(int fd);
void fd_closep(int *fd); /* for CLEANUP; leaves -1 */
NODISCARD enum rc fd_nonblocking(int fd, struct err *e);
/* Passing over SOCK_SEQPACKET: one fixed-size message and at most one descriptor (fd -1: none).
 * recv: RC_NOT_FOUND when the other end is gone; RC_INVALID for another size; RC_UNAVAILABLE when
 * a non-blocking socket has nothing. */
NODISCARD enum rc fd_send(int sock, const void *msg, size_t n, int fd, struct err *e);
NODISCARD enum rc fd_recv(int sock, void *msg, size_t n, int *ret_fd, struct err *e);

/* --- files --- */

NODISCARD enum rc dir_open(const char *path, int *ret_fd, struct err *e);
/* RC_OK also where it is a folder already. */
NODISCARD enum rc dir_make(int at, const char *name, mode_t mode, struct err *e);
NODISCARD enum rc dir_sync(int fd, struct err *e);
/* Appends to `out`. RC_NOT_FOUND, RC_TOO_LARGE. */
NODISCARD enum rc file_read(int at, const char *name, size_t max, struct buf *out, struct err *e);
/* Whole and durable or not at all: temporary name, write, fsync, rename, fsync of the folder. */
NODISCARD enum rc file_write_atomic(int at, const char *name, struct str bytes, mode_t mode,
                                    struct err *e);
NODISCARD enum rc file_write_all(int fd, const void *bytes, size_t n, struct err *e);
/* Takes an exclusive lock (flock) on a file made where missing; RC_CONFLICT when another holds it.
 * Closing the descriptor lets it go. */
NODISCARD enum rc file_lock(int at, const char *name, int *ret_fd, struct err *e);
/* RC_DENIED, naming the first folder on the way to `path` (absolute) that uid cannot search. What
 * does not exist yet does not stand in the way. */
NODISCARD enum rc path_searchable_by(const char *path, uid_t uid, gid_t gid, struct err *e);

/* --- sockets --- */

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
NODISCARD enum rc sock_local(int fd, struct ip_addr *ret, uint16_t *ret_port, struct err *e);
NODISCARD enum rc sock_peer(int fd, struct ip_addr *ret, uint16_t *ret_port, struct err *e);
/* Interface by which an accepted connection came; 0 unknown. Does not block. */
unsigned sock_arrival_ifindex(int fd);
uint32_t sock_mark(int fd); /* SO_MARK; 0 when none. Does not block. */
NODISCARD enum rc ifindex_of(const char *device, unsigned *ret, struct err *e);
NODISCARD enum rc ifname_of(unsigned ifindex, char out[16], struct err *e);

/* --- network namespaces (helper process and tests) --- */

enum { NETNS_NAME_MAX = 64 };
struct netns_id {
    uint64_t dev, ino; /* of the nsfs file: what a namespace is, whatever its name */
};
/* /run/netns/NAME; refuses '/', '.', '..'. RC_NOT_FOUND, also while it is only half made. */
NODISCARD enum rc netns_open(const char *name, int *ret_fd, struct netns_id *ret_id,
                             struct err *e);
/* Runs fn(arg) with the calling thread inside the namespace and comes back, whatever fn returns.
 * Aborts when it cannot come back. */
NODISCARD enum rc netns_run(int netns_fd, enum rc (*fn)(void *arg, struct err *e), void *arg,
                            struct err *e);
NODISCARD enum rc netns_current(struct netns_id *ret, struct err *e);

/* --- threads --- */

/* Starts with all signals blocked. Names are cut at 15 characters. */
NODISCARD enum rc thread_start(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg,
                               struct err *e);
unsigned cpu_count(void); /* those this process may run on */

/* --- privileges --- */

struct sys_user {
    uid_t uid;
    gid_t gid;
    char name[64];
};
/* RC_NOT_FOUND, also for a number that no user has. */
NODISCARD enum rc user_find(const char *name_or_number, struct sys_user *ret, struct err *e);
/* Becomes that user for good: groups, gid, uid, no capabilities, no_new_privs, dumpable off. Call
 * it while the process has one thread. After a failure the process must end. */
NODISCARD enum rc user_become(const struct sys_user *u, struct err *e);
/* /proc/self/exe; returns only on failure. */
NODISCARD enum rc sys_reexec(char *const argv[], char *const envp[], struct err *e);

#endif
