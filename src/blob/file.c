/* Stages that are files: what fs.c and mem.c share. */
#include "blob/driver.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc rc_of(int sys)
{
    switch (sys) {
    case ENOSPC:
    case EDQUOT:
        return RC_QUOTA;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return RC_UNAVAILABLE;
    default:
        return RC_INTERNAL;
    }
}

enum rc blob_file_fail(struct err *e, const char *doing)
{
    enum rc rc = rc_of(errno);

    (void)err_sys(e, "blob store: %s", doing);
    if (e)
        e->rc = rc;
    return rc;
}

enum rc blob_file_write(struct blob_stage *g, uint64_t offset, struct str bytes, struct err *e)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(g->fd, bytes.ptr, bytes.len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return blob_file_fail(e, "write");
        offset += (uint64_t)n;
        bytes = str_skip(bytes, (size_t)n);
    }
    return RC_OK;
}

enum rc blob_file_read(struct blob_stage *g, uint64_t offset, void *out, size_t n, size_t *ret_n,
                       struct err *e)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = pread(g->fd, (char *)out + have, n - have, (off_t)(offset + have));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return blob_file_fail(e, "read");
        if (got == 0)
            break;
        have += (size_t)got;
    }
    *ret_n = have;
    return RC_OK;
}

enum rc blob_file_truncate(struct blob_stage *g, uint64_t size, struct err *e)
{
    return ftruncate(g->fd, (off_t)size) == 0 ? RC_OK : blob_file_fail(e, "truncate");
}

enum rc blob_file_size(int fd, uint64_t *ret, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return blob_file_fail(e, "stat");
    *ret = (uint64_t)st.st_size;
    return RC_OK;
}
