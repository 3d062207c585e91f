#include "sys/file.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum rc dir_open(const char *path, int *ret_fd, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "open the folder %s", path);
    *ret_fd = fd;
    return RC_OK;
}

enum rc dir_make(int at, const char *name, mode_t mode, struct err *e)
{
    struct stat st;

    if (mkdirat(at, name, mode) == 0)
        return RC_OK;
    if (errno != EEXIST)
        return err_sys(e, "make the folder %s", name);
    if (fstatat(at, name, &st, 0) != 0)
        return err_sys(e, "look at %s", name);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, RC_EXISTS, "%s is there and is not a folder", name);
    return RC_OK;
}

enum rc dir_sync(int fd, struct err *e)
{
    if (fsync(fd) != 0)
        return err_sys(e, "sync a folder");
    return RC_OK;
}

/* Reads to the end, however long the file says it is. */
static enum rc read_rest(int fd, const char *name, size_t max, struct buf *out, struct err *e)
{
    enum { CHUNK = 16384 };
    size_t start = out->len;
    char bytes[CHUNK];

    for (;;) {
        ssize_t n = read(fd, bytes, sizeof(bytes));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "read %s", name);
        if (n == 0)
            return buf_status(out, e);
        buf_add(out, (struct str){bytes, (size_t)n});
        if (out->failed || out->len - start > max)
            return err_set(e, RC_TOO_LARGE, "%s is longer than %zu bytes", name, max);
    }
}

enum rc file_read(int at, const char *name, size_t max, struct buf *out, struct err *e)
{
    CLEANUP(fd_closep) int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t before = out->len;

    if (fd < 0)
        return err_sys(e, "open %s", name);
    enum rc rc = read_rest(fd, name, max, out, e);

    if (rc != RC_OK)
        out->len = before;
    return rc;
}

enum rc file_write_all(int fd, const void *bytes, size_t n, struct err *e)
{
    struct str rest = {bytes, n};

    while (rest.len > 0) {
        ssize_t written = write(fd, rest.ptr, rest.len);

        if (written < 0 && errno != EINTR)
            return err_sys(e, "write");
        if (written > 0)
            rest = str_skip(rest, (size_t)written);
    }
    return RC_OK;
}

/* The folder that `name` stands in, and its last part. */
static enum rc open_parent(int at, const char *name, int *ret_fd, const char **ret_last,
                           struct err *e)
{
    struct str s = str_from(name);
    size_t slash = str_find_last(s, '/');
    char parent[4096] = ".";

    if (slash < s.len &&
        str_copy(str_take(s, slash > 0 ? slash : 1), parent, sizeof(parent)) != RC_OK)
        return err_set(e, RC_INVALID, "the path is too long");
    int fd = openat(at, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "open the folder of %s", name);
    *ret_fd = fd;
    *ret_last = slash < s.len ? name + slash + 1 : name;
    return RC_OK;
}

static enum rc write_and_sync(int fd, struct str bytes, mode_t mode, struct err *e)
{
    enum rc rc = file_write_all(fd, bytes.ptr, bytes.len, e);

    if (rc != RC_OK)
        return rc;
    if (fchmod(fd, mode) != 0) /* not by open(2): the umask would have a say */
        return err_sys(e, "set the mode");
    if (fsync(fd) != 0)
        return err_sys(e, "sync");
    return RC_OK;
}

static enum rc write_temporary(int dir, const char *name, const char *temporary, struct str bytes,
                               mode_t mode, struct err *e)
{
    CLEANUP(fd_closep)
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_sys(e, "make a temporary file for %s", name);
    enum rc rc = write_and_sync(fd, bytes, mode, e);

    if (rc == RC_OK && renameat(dir, temporary, dir, name) != 0)
        rc = err_sys(e, "rename to %s", name);
    if (rc != RC_OK)
        unlinkat(dir, temporary, 0);
    return rc == RC_OK ? RC_OK : err_prefix(e, rc, "%s", name);
}

enum rc file_write_atomic(int at, const char *name, struct str bytes, mode_t mode, struct err *e)
{
    CLEANUP(fd_closep) int dir = -1;
    const char *last;
    uint64_t random;
    char temporary[NAME_MAX + 1];
    enum rc rc = open_parent(at, name, &dir, &last, e);

    if (rc != RC_OK)
        return rc;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return err_sys(e, "get random bytes");
    int n = snprintf(temporary, sizeof(temporary), ".%s.%016llx", last, (unsigned long long)random);

    if ((size_t)n >= sizeof(temporary))
        return err_set(e, RC_INVALID, "the file name %s is too long", last);
    rc = write_temporary(dir, last, temporary, bytes, mode, e);
    return rc == RC_OK ? dir_sync(dir, e) : rc;
}

enum rc file_lock(int at, const char *name, int *ret_fd, struct err *e)
{
    CLEANUP(fd_closep) int fd = openat(at, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed;

    if (fd < 0)
        return err_sys(e, "open the lock %s", name);
    do
        failed = flock(fd, LOCK_EX | LOCK_NB);
    while (failed && errno == EINTR);
    if (failed && errno == EWOULDBLOCK)
        return err_set(e, RC_CONFLICT, "another process holds the lock %s", name);
    if (failed)
        return err_sys(e, "lock %s", name);
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}
