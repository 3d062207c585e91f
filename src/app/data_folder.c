#include "app/data_folder.h"
#include "sys/fd.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void data_folder_done(struct data_folder *d)
{
    if (!d)
        return;
    fd_close(d->lock);
    fd_close(d->fd);
    crypto_wipe(&d->seal, sizeof(d->seal));
    d->fd = d->lock = -1;
}

/* The key that seals secrets in the database lives beside it, never in it. */
static enum rc open_seal_key(struct data_folder *d, struct err *e)
{
    CLEANUP(buf_done) struct buf bytes = BUF_INIT(CRYPTO_KEY_SIZE);
    enum rc rc = file_read(d->fd, "seal.key", CRYPTO_KEY_SIZE, &bytes, e);

    if (rc == RC_NOT_FOUND && faccessat(d->fd, "kidoban.db", F_OK, 0) == 0)
        return err_set(e, RC_CORRUPT,
                       "%s/seal.key is missing: put back the file that belongs to the database",
                       d->path); /* a new key would open none of its secrets */
    if (rc == RC_NOT_FOUND) {
        crypto_random(d->seal.bytes, CRYPTO_KEY_SIZE);
        return file_write_atomic(
            d->fd, "seal.key", (struct str){(const char *)d->seal.bytes, CRYPTO_KEY_SIZE}, 0600, e);
    }
    if (rc != RC_OK)
        return rc;
    if (bytes.len != CRYPTO_KEY_SIZE)
        return err_set(
            e, RC_CORRUPT,
            "%s/seal.key has %zu bytes, not %d: put back the file that belongs to the database",
            d->path, bytes.len, CRYPTO_KEY_SIZE);
    memcpy(d->seal.bytes, bytes.ptr, CRYPTO_KEY_SIZE);
    return RC_OK;
}

static enum rc lock_folder(struct data_folder *d, struct err *e)
{
    enum rc rc = file_lock(d->fd, "lock", &d->lock, e);

    if (rc == RC_CONFLICT)
        return err_set(e, RC_CONFLICT,
                       "%s is in use by another kidoban: stop it first, or choose another --data",
                       d->path);
    return rc;
}

enum rc data_folder_open(const char *path, struct data_folder *ret, struct err *e)
{
    struct data_folder d = DATA_FOLDER_NONE;
    enum rc rc = dir_make(AT_FDCWD, path, 0700, e);

    if (rc == RC_OK)
        rc = dir_open(path, &d.fd, e);
    if (rc == RC_OK && !realpath(path, d.path))
        rc = err_sys(e, "find the absolute path of %s", path);
    if (rc == RC_OK)
        rc = path_searchable_by(d.path, geteuid(), getegid(), e);
    if (rc == RC_OK)
        rc = lock_folder(&d, e);
    if (rc == RC_OK)
        rc = open_seal_key(&d, e);
    if (rc != RC_OK) {
        data_folder_done(&d);
        return rc;
    }
    *ret = d;
    return RC_OK;
}

enum rc data_folder_database(const struct data_folder *d, struct buf *out, struct err *e)
{
    buf_addf(out, "sqlite:%s/kidoban.db", d->path);
    return buf_status(out, e);
}
