#include "sys/netns.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define NETNS_SELF "/proc/thread-self/ns/net"

static bool name_accepted(const char *name)
{
    struct str s = str_from(name);

    return s.len > 0 && s.len < NETNS_NAME_MAX && str_find(s, '/') == s.len && !str_is(s, ".") &&
           !str_is(s, "..");
}

/* A plain file stands there between its making and its mounting. */
static bool is_netns(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC &&
           ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

enum rc netns_open(const char *name, int *ret_fd, struct netns_id *ret_id, struct err *e)
{
    char path[NETNS_NAME_MAX + 16];
    struct stat st;

    if (!name_accepted(name))
        return err_set(e, RC_INVALID, "not the name of a network namespace");
    snprintf(path, sizeof(path), "/run/netns/%s", name);
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return err_sys(e, "open the network namespace %s", path);
    if (!is_netns(fd))
        return err_set(e, RC_NOT_FOUND, "%s is not a network namespace (yet)", path);
    if (fstat(fd, &st) != 0)
        return err_sys(e, "look at %s", path);
    *ret_id = (struct netns_id){st.st_dev, st.st_ino};
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}

enum rc netns_run(int netns_fd, enum rc (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
    CLEANUP(fd_closep) int home = open(NETNS_SELF, O_RDONLY | O_CLOEXEC);

    if (home < 0)
        return err_sys(e, "open this thread's network namespace");
    if (setns(netns_fd, CLONE_NEWNET) != 0)
        return err_sys(e, "enter the network namespace");
    enum rc rc = fn(arg, e);

    if (setns(home, CLONE_NEWNET) != 0)
        abort(); /* everything after would happen in the wrong network */
    return rc;
}

enum rc netns_current(struct netns_id *ret, struct err *e)
{
    struct stat st;

    if (stat(NETNS_SELF, &st) != 0)
        return err_sys(e, "look at this thread's network namespace");
    *ret = (struct netns_id){st.st_dev, st.st_ino};
    return RC_OK;
}
