/* Network namespaces: for the privileged helper and for tests. */
#ifndef SYS_NETNS_H
#define SYS_NETNS_H

#include "base/str.h"

enum { NETNS_NAME_MAX = 64 };
struct netns_id {
    uint64_t dev, ino; /* of the nsfs file: what a namespace is, whatever its name */
};
/* /run/netns/NAME; refuses '/', '.', '..'. RC_NOT_FOUND, also while it is only half made. */
NODISCARD enum rc netns_open(const char *name, int *ret_fd, struct netns_id *ret_id, struct err *e);
/* Runs fn(arg) with the calling thread inside the namespace and comes back, whatever fn returns.
 * Aborts when it cannot come back. */
NODISCARD enum rc netns_run(int netns_fd, enum rc (*fn)(void *arg, struct err *e), void *arg,
                            struct err *e);
NODISCARD enum rc netns_current(struct netns_id *ret, struct err *e);

#endif
