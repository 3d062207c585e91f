/* Tells the helper when network namespaces or devices may have come or gone. It says that something changed, not what. */
#ifndef APP_HELPER_WATCH_H
#define APP_HELPER_WATCH_H

#include "base/err.h"

#include <poll.h>

enum { HELPER_WATCH_FDS = 2 };
struct helper_watch {
    int mounts; /* /proc/self/mountinfo: a namespace's name is a mount */
    int links;  /* rtnetlink */
};
NODISCARD enum rc helper_watch_open(struct helper_watch *w, struct err *e);
void helper_watch_fill(const struct helper_watch *w, struct pollfd fds[HELPER_WATCH_FDS]);
bool helper_watch_changed(struct helper_watch *w, const struct pollfd fds[HELPER_WATCH_FDS]);
void helper_watch_close(struct helper_watch *w);

#endif
