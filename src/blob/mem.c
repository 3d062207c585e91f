/* Blobs in memory, as anonymous files: for tests. */
#include "base/mem.h"
#include "base/map.h"
#include "blob/driver.h"
#include "sys/fd.h"
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct mem_file {
    int fd;
};

struct mem_store {
    struct blob_store base;
    pthread_mutex_t lock; /* guards both maps */
    struct map blobs;     /* digest → struct mem_file */
    struct map staging;   /* name → struct mem_file */
};

static struct mem_store *mem_of(struct blob_store *s)
{
    return CONTAINER_OF(s, struct mem_store, base);
}

static struct str key_of(const struct digest *d)
{
    assert(offsetof(struct digest, bytes) == 1); /* the algorithm and then the bytes */
    return (struct str){(const char *)d, 1 + digest_size(d->algorithm)};
}

static void file_free(struct mem_file *f)
{
    if (f)
        fd_close(f->fd);
    free(f);
}

static void files_free(struct map *files)
{
    struct str key;
    void *f;

    for (size_t i = 0; map_next(files, &i, &key, &f);)
        file_free(f);
    map_done(files);
}

static void mem_free(struct blob_store *base)
{
    struct mem_store *s = mem_of(base);

    files_free(&s->blobs);
    files_free(&s->staging);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* A descriptor of its own, with its own position. */
static enum rc reopen(const struct mem_file *f, int flags, int *ret_fd, uint64_t *ret_size,
                      struct err *e)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        return blob_file_fail(e, "open a file in memory");
    enum rc rc = blob_file_size(fd, ret_size, e);

    if (rc == RC_OK)
        *ret_fd = fd;
    else
        fd_close(fd);
    return rc;
}

static enum rc mem_open(struct blob_store *base, const struct digest *d, int *ret_fd,
                        uint64_t *ret_size, struct err *e)
{
    struct mem_store *s = mem_of(base);

    pthread_mutex_lock(&s->lock);
    const struct mem_file *f = map_get(&s->blobs, key_of(d));
    enum rc rc = f ? reopen(f, O_RDONLY, ret_fd, ret_size, e)
                   : err_set(e, RC_NOT_FOUND, "no such blob in memory");

    pthread_mutex_unlock(&s->lock);
    return rc;
}

static enum rc mem_size(struct blob_store *base, const struct digest *d, uint64_t *ret_size,
                        struct err *e)
{
    CLEANUP(fd_closep) int fd = -1;

    return mem_open(base, d, &fd, ret_size, e);
}

static enum rc mem_unlink(struct blob_store *base, const struct digest *d, struct err *e)
{
    struct mem_store *s = mem_of(base);

    pthread_mutex_lock(&s->lock);
    struct mem_file *f = map_del(&s->blobs, key_of(d));

    pthread_mutex_unlock(&s->lock);
    file_free(f);
    return f ? RC_OK : err_set(e, RC_NOT_FOUND, "no such blob in memory");
}

/* --- staging --- */

static enum rc stage_of(struct blob_store *s, struct str name, const struct mem_file *f,
                        struct blob_stage **ret, uint64_t *ret_size, struct err *e)
{
    struct blob_stage *g = MEM_NEW(struct blob_stage);
    enum rc rc = str_copy(name, g->name, sizeof(g->name));

    if (rc == RC_OK)
        rc = reopen(f, O_RDWR, &g->fd, ret_size, e);
    g->store = s;
    if (rc == RC_OK)
        *ret = g;
    else
        free(g);
    return rc;
}

static enum rc mem_stage_new(struct blob_store *base, struct str name, struct blob_stage **ret,
                             struct err *e)
{
    struct mem_store *s = mem_of(base);
    uint64_t size = 0;
    enum rc rc = RC_OK;

    pthread_mutex_lock(&s->lock);
    if (map_get(&s->staging, name)) {
        rc = err_set(e, RC_EXISTS, "the stage is there already");
    } else {
        struct mem_file *f = MEM_NEW(struct mem_file);

        f->fd = memfd_create("stage", MFD_CLOEXEC);
        map_put(&s->staging, name, f);
        rc = f->fd < 0 ? blob_file_fail(e, "make a file in memory")
                       : stage_of(base, name, f, ret, &size, e);
        if (rc != RC_OK)
            file_free(map_del(&s->staging, name));
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static enum rc mem_stage_open(struct blob_store *base, struct str name, struct blob_stage **ret,
                              uint64_t *ret_size, struct err *e)
{
    struct mem_store *s = mem_of(base);

    pthread_mutex_lock(&s->lock);
    const struct mem_file *f = map_get(&s->staging, name);
    enum rc rc = f ? stage_of(base, name, f, ret, ret_size, e)
                   : err_set(e, RC_NOT_FOUND, "no such stage in memory");

    pthread_mutex_unlock(&s->lock);
    return rc;
}

static void mem_stage_close(struct blob_stage *g)
{
    fd_close(g->fd);
    free(g);
}

/* Takes the file out of the staging ones; NULL when it was swept meanwhile. */
static struct mem_file *take(struct blob_stage *g)
{
    return map_del(&mem_of(g->store)->staging, str_from(g->name));
}

static void mem_stage_discard(struct blob_stage *g)
{
    struct mem_store *s = mem_of(g->store);

    pthread_mutex_lock(&s->lock);
    file_free(take(g));
    pthread_mutex_unlock(&s->lock);
    mem_stage_close(g);
}

static enum rc mem_stage_commit(struct blob_stage *g, const struct digest *d, struct err *e)
{
    struct mem_store *s = mem_of(g->store);
    struct mem_file *replaced = NULL;

    pthread_mutex_lock(&s->lock);
    struct mem_file *f = take(g);

    if (f)
        replaced = map_put(&s->blobs, key_of(d), f);
    pthread_mutex_unlock(&s->lock);
    file_free(replaced);
    mem_stage_close(g);
    return f ? RC_OK : err_set(e, RC_INTERNAL, "the stage was removed");
}

static enum rc mem_stage_sync(struct blob_stage *g, struct err *e)
{
    (void)g;
    (void)e;
    return RC_OK;
}

/* Each is asked about once, and the map does not change meanwhile. */
static enum rc mem_stage_sweep(struct blob_store *base, bool (*keep)(void *ctx, struct str name),
                               void *ctx, struct err *e)
{
    struct mem_store *s = mem_of(base);
    struct map kept = MAP_INIT;
    struct str name;
    void *f;

    (void)e;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; map_next(&s->staging, &i, &name, &f);)
        if (keep(ctx, name))
            map_put(&kept, name, f);
        else
            file_free(f);
    map_done(&s->staging);
    s->staging = kept;
    pthread_mutex_unlock(&s->lock);
    return RC_OK;
}

static const struct blob_ops mem_ops = {
    .name = "mem",
    .free = mem_free,
    .size = mem_size,
    .open = mem_open,
    .unlink = mem_unlink,
    .stage_new = mem_stage_new,
    .stage_open = mem_stage_open,
    .stage_sweep = mem_stage_sweep,
    .stage_write = blob_file_write,
    .stage_read = blob_file_read,
    .stage_truncate = blob_file_truncate,
    .stage_sync = mem_stage_sync,
    .stage_commit = mem_stage_commit,
    .stage_close = mem_stage_close,
    .stage_discard = mem_stage_discard,
};

struct blob_store *blob_mem_new(void)
{
    struct mem_store *s = MEM_NEW(struct mem_store);

    s->base.ops = &mem_ops;
    pthread_mutex_init(&s->lock, NULL);
    return &s->base;
}
