#include "blob/driver.h"
#include <assert.h>

void blob_store_free(struct blob_store *s)
{
    if (s)
        s->ops->free(s);
}

enum rc blob_size(struct blob_store *s, const struct digest *d, uint64_t *ret_size, struct err *e)
{
    assert(digest_is_set(d));
    return s->ops->size(s, d, ret_size, e);
}

enum rc blob_open(struct blob_store *s, const struct digest *d, int *ret_fd, uint64_t *ret_size,
                  struct err *e)
{
    assert(digest_is_set(d));
    return s->ops->open(s, d, ret_fd, ret_size, e);
}

enum rc blob_unlink(struct blob_store *s, const struct digest *d, struct err *e)
{
    assert(digest_is_set(d));
    return s->ops->unlink(s, d, e);
}

/* A name becomes a file's name: nothing that leads elsewhere. */
static enum rc check_name(struct str name, struct err *e)
{
    if (name.len == 0 || name.len > BLOB_STAGE_NAME_MAX)
        return err_set(e, RC_INVALID, "a staging name has 1 to %d characters", BLOB_STAGE_NAME_MAX);
    for (size_t i = 0; i < name.len; i++)
        if (!memchr("0123456789abcdef-", name.ptr[i], 17))
            return err_set(e, RC_INVALID, "a staging name consists of 0-9, a-f and -");
    return RC_OK;
}

enum rc blob_stage_new(struct blob_store *s, struct str name, struct blob_stage **ret,
                       struct err *e)
{
    enum rc rc = check_name(name, e);

    return rc == RC_OK ? s->ops->stage_new(s, name, ret, e) : rc;
}

enum rc blob_stage_open(struct blob_store *s, struct str name, struct blob_stage **ret,
                        uint64_t *ret_size, struct err *e)
{
    enum rc rc = check_name(name, e);

    return rc == RC_OK ? s->ops->stage_open(s, name, ret, ret_size, e) : rc;
}

enum rc blob_stage_write(struct blob_stage *g, uint64_t offset, struct str bytes, struct err *e)
{
    return g->store->ops->stage_write(g, offset, bytes, e);
}

enum rc blob_stage_read(struct blob_stage *g, uint64_t offset, void *out, size_t n, size_t *ret_n,
                        struct err *e)
{
    return g->store->ops->stage_read(g, offset, out, n, ret_n, e);
}

enum rc blob_stage_truncate(struct blob_stage *g, uint64_t size, struct err *e)
{
    return g->store->ops->stage_truncate(g, size, e);
}

enum rc blob_stage_sync(struct blob_stage *g, struct err *e)
{
    return g->store->ops->stage_sync(g, e);
}

enum rc blob_stage_commit(struct blob_stage *g, const struct digest *d, struct err *e)
{
    assert(digest_is_set(d));
    return g->store->ops->stage_commit(g, d, e);
}

void blob_stage_close(struct blob_stage *g)
{
    if (g)
        g->store->ops->stage_close(g);
}

void blob_stage_discard(struct blob_stage *g)
{
    if (g)
        g->store->ops->stage_discard(g);
}

enum rc blob_stage_sweep(struct blob_store *s, bool (*keep)(void *ctx, struct str name), void *ctx,
                         struct err *e)
{
    return s->ops->stage_sweep(s, keep, ctx, e);
}
