/* Blobs as files: blobs/<algorithm>/<first two hex digits>/<hex>, staging/<name>.
 * A file appears under its digest by rename, whole and synced; so what is there is complete,
 * whenever power failed. */
#include "base/encode.h"
#include "base/mem.h"
#include "blob/driver.h"
#include "sys/fd.h"
#include "sys/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const enum digest_algorithm algorithms[] = {DIGEST_SHA256, DIGEST_SHA512};
enum { FANOUT = 256, BLOB_PATH_MAX = 3 + 2 * DIGEST_BYTES_MAX + 1 };

struct fs_store {
    struct blob_store base;
    int staging;
    int roots[DIGEST_SHA512 + 1]; /* blobs/<algorithm>, by enum digest_algorithm */
};

static struct fs_store *fs_of(struct blob_store *s)
{
    return CONTAINER_OF(s, struct fs_store, base);
}

/* --- folders --- */

/* Makes the folder where missing, opens it, and makes its name durable. */
static enum rc folder(int at, const char *name, int *ret_fd, struct err *e)
{
    enum rc rc = dir_make(at, name, 0700, e);

    if (rc == RC_OK)
        rc = dir_sync(at, e);
    if (rc != RC_OK)
        return rc;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return err_sys(e, "open the folder %s", name);
    *ret_fd = fd;
    return RC_OK;
}

/* All at once, so that no push has to. */
static enum rc fan_out(int root, struct err *e)
{
    enum rc rc = RC_OK;

    for (unsigned i = 0; rc == RC_OK && i < FANOUT; i++) {
        char name[3];

        hex_encode(&(uint8_t){(uint8_t)i}, 1, name);
        rc = dir_make(root, name, 0700, e);
    }
    return rc == RC_OK ? dir_sync(root, e) : rc;
}

static enum rc open_folders(struct fs_store *s, int dir, struct err *e)
{
    CLEANUP(fd_closep) int blobs = -1;
    enum rc rc = folder(dir, "staging", &s->staging, e);

    if (rc == RC_OK)
        rc = folder(dir, "blobs", &blobs, e);
    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(algorithms); i++) {
        int *root = &s->roots[algorithms[i]];

        rc = folder(blobs, digest_algorithm_name(algorithms[i]), root, e);
        if (rc == RC_OK)
            rc = fan_out(*root, e);
    }
    return rc;
}

static void fs_free(struct blob_store *base)
{
    struct fs_store *s = fs_of(base);

    for (size_t i = 0; i < ARRAY_LEN(s->roots); i++)
        fd_close(s->roots[i]);
    fd_close(s->staging);
    free(s);
}

static const struct blob_ops fs_ops;

enum rc blob_fs_open(const char *dir, struct blob_store **ret, struct err *e)
{
    CLEANUP(fd_closep) int fd = -1;
    enum rc rc = dir_open(dir, &fd, e);

    if (rc != RC_OK)
        return rc;
    struct fs_store *s = MEM_NEW(struct fs_store);

    s->base.ops = &fs_ops;
    s->staging = -1;
    for (size_t i = 0; i < ARRAY_LEN(s->roots); i++)
        s->roots[i] = -1;
    rc = open_folders(s, fd, e);
    if (rc != RC_OK) {
        fs_free(&s->base);
        return rc;
    }
    *ret = &s->base;
    return RC_OK;
}

/* --- blobs --- */

/* "ab/abcd...": below the root of the digest's algorithm. */
static void path_of(const struct digest *d, char out[BLOB_PATH_MAX])
{
    hex_encode(d->bytes, 1, out);
    out[2] = '/';
    hex_encode(d->bytes, digest_size(d->algorithm), out + 3);
}

static enum rc no_blob(const struct digest *d, struct err *e)
{
    char text[DIGEST_TEXT_MAX];

    return err_set(e, RC_NOT_FOUND, "no blob %s", digest_format(d, text).ptr);
}

static enum rc fs_size(struct blob_store *base, const struct digest *d, uint64_t *ret_size,
                       struct err *e)
{
    char path[BLOB_PATH_MAX];
    struct stat st;

    path_of(d, path);
    if (fstatat(fs_of(base)->roots[d->algorithm], path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        *ret_size = (uint64_t)st.st_size;
        return RC_OK;
    }
    return errno == ENOENT ? no_blob(d, e) : blob_file_fail(e, "stat a blob");
}

static enum rc fs_open(struct blob_store *base, const struct digest *d, int *ret_fd,
                       uint64_t *ret_size, struct err *e)
{
    char path[BLOB_PATH_MAX];

    path_of(d, path);
    int fd = openat(fs_of(base)->roots[d->algorithm], path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errno == ENOENT ? no_blob(d, e) : blob_file_fail(e, "open a blob");
    enum rc rc = blob_file_size(fd, ret_size, e);

    if (rc == RC_OK)
        *ret_fd = fd;
    else
        fd_close(fd);
    return rc;
}

static enum rc sync_folder_of(struct fs_store *s, const struct digest *d, struct err *e)
{
    char path[BLOB_PATH_MAX];

    path_of(d, path);
    path[2] = '\0';
    CLEANUP(fd_closep)
    int fd = openat(s->roots[d->algorithm], path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return blob_file_fail(e, "open a blob's folder");
    return dir_sync(fd, e);
}

static enum rc fs_unlink(struct blob_store *base, const struct digest *d, struct err *e)
{
    struct fs_store *s = fs_of(base);
    char path[BLOB_PATH_MAX];

    path_of(d, path);
    if (unlinkat(s->roots[d->algorithm], path, 0) == 0)
        return sync_folder_of(s, d, e);
    return errno == ENOENT ? no_blob(d, e) : blob_file_fail(e, "unlink a blob");
}

/* --- staging --- */

static struct blob_stage *new_stage(struct blob_store *s, const char *name, int fd)
{
    struct blob_stage *g = MEM_NEW(struct blob_stage);

    g->store = s;
    g->fd = fd;
    snprintf(g->name, sizeof(g->name), "%s", name);
    return g;
}

static enum rc fs_stage_new(struct blob_store *base, struct str name, struct blob_stage **ret,
                            struct err *e)
{
    char file[BLOB_STAGE_NAME_MAX + 1];
    enum rc rc = str_copy(name, file, sizeof(file));

    if (rc != RC_OK)
        return err_set(e, rc, "not a staging name");
    int fd = openat(fs_of(base)->staging, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    0600);

    if (fd < 0 && errno == EEXIST)
        return err_set(e, RC_EXISTS, "staging file %s is there already", file);
    if (fd < 0)
        return blob_file_fail(e, "make a staging file");
    *ret = new_stage(base, file, fd);
    return RC_OK;
}

static enum rc fs_stage_open(struct blob_store *base, struct str name, struct blob_stage **ret,
                             uint64_t *ret_size, struct err *e)
{
    char file[BLOB_STAGE_NAME_MAX + 1];
    enum rc rc = str_copy(name, file, sizeof(file));

    if (rc != RC_OK)
        return err_set(e, rc, "not a staging name");
    int fd = openat(fs_of(base)->staging, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT)
        return err_set(e, RC_NOT_FOUND, "no staging file %s", file);
    if (fd < 0)
        return blob_file_fail(e, "open a staging file");
    rc = blob_file_size(fd, ret_size, e);
    if (rc == RC_OK)
        *ret = new_stage(base, file, fd);
    else
        fd_close(fd);
    return rc;
}

/* The file's name is durable too: its entry is synced with it. */
static enum rc fs_stage_sync(struct blob_stage *g, struct err *e)
{
    if (fsync(g->fd) != 0)
        return blob_file_fail(e, "sync a staging file");
    return dir_sync(fs_of(g->store)->staging, e);
}

static void fs_stage_close(struct blob_stage *g)
{
    fd_close(g->fd);
    free(g);
}

static void fs_stage_discard(struct blob_stage *g)
{
    /* Nothing to tell anyone when it fails: the next start sweeps. */
    (void)!unlinkat(fs_of(g->store)->staging, g->name, 0);
    fs_stage_close(g);
}

/* A blob that is there already is replaced by the same bytes, newly verified; its readers keep the
 * old file. */
static enum rc publish(struct blob_stage *g, const struct digest *d, struct err *e)
{
    struct fs_store *s = fs_of(g->store);
    char path[BLOB_PATH_MAX];

    path_of(d, path);
    if (fsync(g->fd) != 0)
        return blob_file_fail(e, "sync a blob");
    if (renameat(s->staging, g->name, s->roots[d->algorithm], path) != 0)
        return blob_file_fail(e, "rename a staging file to its digest");
    return sync_folder_of(s, d, e);
}

static enum rc fs_stage_commit(struct blob_stage *g, const struct digest *d, struct err *e)
{
    enum rc rc = publish(g, d, e);

    if (rc == RC_OK)
        fs_stage_close(g);
    else
        fs_stage_discard(g);
    return rc;
}

static enum rc sweep_entry(struct fs_store *s, const char *name, struct err *e)
{
    struct stat st;

    if (fstatat(s->staging, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode))
        return RC_OK;
    if (unlinkat(s->staging, name, 0) != 0 && errno != ENOENT)
        return blob_file_fail(e, "unlink a staging file");
    return RC_OK;
}

static enum rc fs_stage_sweep(struct blob_store *base, bool (*keep)(void *ctx, struct str name),
                              void *ctx, struct err *e)
{
    struct fs_store *s = fs_of(base);
    int fd = openat(s->staging, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* its own position */
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    enum rc rc = RC_OK;

    if (!dir) {
        rc = blob_file_fail(e, "list staging files");
        fd_close(fd);
        return rc;
    }
    for (struct dirent *entry; rc == RC_OK && (entry = readdir(dir));)
        if (!keep(ctx, str_from(entry->d_name)))
            rc = sweep_entry(s, entry->d_name, e);
    closedir(dir);
    return rc;
}

static const struct blob_ops fs_ops = {
    .name = "fs",
    .free = fs_free,
    .size = fs_size,
    .open = fs_open,
    .unlink = fs_unlink,
    .stage_new = fs_stage_new,
    .stage_open = fs_stage_open,
    .stage_sweep = fs_stage_sweep,
    .stage_write = blob_file_write,
    .stage_read = blob_file_read,
    .stage_truncate = blob_file_truncate,
    .stage_sync = fs_stage_sync,
    .stage_commit = fs_stage_commit,
    .stage_close = fs_stage_close,
    .stage_discard = fs_stage_discard,
};
