/* A /run of a test's own, with network namespaces of its own in it. For root. */
#ifndef UNIT_PRIVATE_RUN_H
#define UNIT_PRIVATE_RUN_H

#include "need.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* For the rest of the program; `more`: further namespaces to leave, as for unshare(). */
static inline void need_private_run(int more)
{
    static bool done;

    need_root();
    if (done)
        return;
    need(unshare(CLONE_NEWNS | more) == 0, "namespaces");
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("run", "/run", "tmpfs", 0, NULL), 0);
    assert_int_equal(mkdir("/run/netns", 0755), 0);
    done = true;
}

/* A new network namespace over the file at that path, from a thread of its own: NULL, or the path
 * if it failed. */
static inline void *make_netns(void *path)
{
    if (unshare(CLONE_NEWNET) != 0 ||
        mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) != 0)
        return path;
    return NULL;
}

#endif
