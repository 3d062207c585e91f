/* Uploads that were given up go while the server runs. Row first: bytes without a row are swept at
 * the next start, a row without bytes would promise them. */
#include "base/log.h"
#include "registry/store.h"

enum { EXPIRE_AT_ONCE = 256, ROW_MEMORY = 16 * 1024 };

struct expiry {
    int64_t changed_before_us;
    struct uuid ids[EXPIRE_AT_ONCE];
    size_t n;
};

static enum rc note_old(const struct uuid *id, void *arg, struct err *e)
{
    struct expiry *x = arg;

    (void)e;
    x->ids[x->n++] = *id;
    return RC_OK;
}

static enum rc list_old(struct meta_tx *tx, void *arg, struct err *e)
{
    struct expiry *x = arg;

    x->n = 0;
    return meta_upload_old(tx, x->changed_before_us, EXPIRE_AT_ONCE, note_old, x, e);
}

struct removal {
    const struct uuid *id;
    int64_t changed_before_us;
};

/* Somebody may have gone on with it since it was listed. */
static enum rc remove_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(ROW_MEMORY);
    const struct removal *r = arg;
    struct meta_upload row;
    enum rc rc = meta_upload_find(tx, &arena, r->id, &row, e);

    if (rc == RC_OK && row.changed_us >= r->changed_before_us)
        return err_set(e, RC_CONFLICT, "the upload goes on");
    return rc == RC_OK ? meta_upload_delete(tx, r->id, e) : rc;
}

static void discard_stage(struct registry_store *s, struct str id)
{
    struct blob_stage *stage = NULL;
    uint64_t size = 0;

    if (blob_stage_open(s->blobs, id, &stage, &size, NULL) == RC_OK)
        blob_stage_discard(stage);
}

/* One that is gone, or goes on, is fine. */
static enum rc expire_one(struct registry_store *s, const struct removal *r, struct err *e)
{
    const struct uuid nobody = {{0}};
    char text[UUID_TEXT_MAX];
    struct str id = uuid_format(r->id, text);

    if (store_claim(s, id, NULL) != RC_OK)
        return RC_OK;
    enum rc rc = meta_write(s->meta, &nobody, remove_fn, (void *)(uintptr_t)r, e);

    if (rc == RC_OK) {
        discard_stage(s, id);
        log_info("upload.expired", F_STR("id", id));
    }
    store_unclaim(s, id);
    return rc == RC_NOT_FOUND || rc == RC_CONFLICT ? RC_OK : rc;
}

enum rc registry_store_expire(struct registry_store *s, int64_t changed_before_us, struct err *e)
{
    struct expiry x = {.changed_before_us = changed_before_us};
    enum rc rc = meta_read(s->meta, list_old, &x, e);

    for (size_t i = 0; rc == RC_OK && i < x.n; i++)
        rc = expire_one(s, &(struct removal){&x.ids[i], changed_before_us}, e);
    return rc;
}
