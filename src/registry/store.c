#include "registry/store.h"
#include "base/clock.h"
#include "base/mem.h"
#include <assert.h>

enum { MANIFEST_CACHE_BYTES = 16 * 1024 * 1024 };

struct registry_store *registry_store_new(struct meta *m, struct blob_store *b)
{
    struct registry_store *s = MEM_NEW(struct registry_store);

    s->meta = m;
    s->blobs = b;
    s->manifests = manifest_cache_new(MANIFEST_CACHE_BYTES);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void registry_store_free(struct registry_store *s)
{
    if (!s)
        return;
    assert(s->in_use.count == 0); /* uploads are closed by the requests that opened them */
    map_done(&s->in_use);
    manifest_cache_free(s->manifests);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- one request at a time, and who waits --- */

/* Of an upload that somebody works on or waits for. */
struct registry_claim {
    bool held;
    struct registry_wait *first, *last; /* in the order in which they came */
};

static void wait_add(struct registry_claim *c, struct registry_wait *w)
{
    w->claim = c;
    w->next = NULL;
    w->prev = c->last;
    *(c->last ? &c->last->next : &c->first) = w;
    c->last = w;
}

static void wait_remove(struct registry_wait *w)
{
    struct registry_claim *c = w->claim;

    *(w->prev ? &w->prev->next : &c->first) = w->next;
    *(w->next ? &w->next->prev : &c->last) = w->prev;
    w->claim = NULL;
}

static void claim_forget_idle(struct registry_store *s, struct registry_claim *c, struct str id)
{
    if (c->held || c->first)
        return;
    map_del(&s->in_use, id);
    free(c);
}

enum rc store_claim(struct registry_store *s, struct str id, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    struct registry_claim *c = map_get(&s->in_use, id);
    bool busy = c && c->held;

    if (!c) {
        c = MEM_NEW(struct registry_claim);
        map_put(&s->in_use, id, c);
    }
    c->held = true;
    pthread_mutex_unlock(&s->lock);
    return busy ? err_code(e, RC_CONFLICT, "BLOB_UPLOAD_INVALID",
                           "another request works on this upload")
                : RC_OK;
}

void store_unclaim(struct registry_store *s, struct str id)
{
    pthread_mutex_lock(&s->lock);
    struct registry_claim *c = map_get(&s->in_use, id);
    struct registry_wait *w = c->first;

    c->held = false;
    if (w) {
        wait_remove(w);
        w->told(
            w); /* under the lock: whoever finds that it no longer waits knows that it was told */
    }
    claim_forget_idle(s, c, id);
    pthread_mutex_unlock(&s->lock);
}

bool registry_upload_wait(struct registry_store *s, struct str id, struct registry_wait *w)
{
    struct uuid uuid;

    w->claim = NULL;
    if (uuid_parse(id, &uuid, NULL) != RC_OK)
        return false;
    pthread_mutex_lock(&s->lock);
    struct registry_claim *c = map_get(&s->in_use, uuid_format(&uuid, w->id));
    bool busy = c && c->held;

    if (busy)
        wait_add(c, w);
    pthread_mutex_unlock(&s->lock);
    return busy;
}

bool registry_upload_wait_end(struct registry_store *s, struct registry_wait *w)
{
    pthread_mutex_lock(&s->lock);
    struct registry_claim *c = w->claim;

    if (c) {
        wait_remove(w);
        claim_forget_idle(s, c, str_from(w->id));
    }
    pthread_mutex_unlock(&s->lock);
    return c != NULL;
}

/* --- where --- */

enum rc where_judge(const struct registry_where *w, struct err *e)
{
    assert(w->guard.judge);
    return w->guard.judge(w->guard.ctx, e);
}

enum rc where_find(struct meta_tx *tx, const struct registry_where *w, struct uuid *ret,
                   struct err *e)
{
    enum rc rc = meta_repository_find(tx, &w->registry, w->repository, ret, e);

    if (rc == RC_NOT_FOUND)
        return err_code(e, rc, "NAME_UNKNOWN", "no repository %.*s", STR_ARG(w->repository));
    return rc;
}

enum rc blob_unknown(enum rc rc, const struct digest *d, struct err *e)
{
    char text[DIGEST_TEXT_MAX];

    if (rc == RC_NOT_FOUND)
        return err_code(e, rc, "BLOB_UNKNOWN", "no blob %s in this repository",
                        digest_format(d, text).ptr);
    return rc;
}

/* --- sweeping --- */

int64_t registry_upload_cutoff(void)
{
    return clock_wall_us() - (int64_t)REGISTRY_UPLOAD_LIFE_S * CLOCK_US_PER_S;
}

struct sweep {
    struct map live; /* ids of uploads, as text */
};

static enum rc note_live(const struct uuid *id, void *arg, struct err *e)
{
    struct sweep *sweep = arg;
    char text[UUID_TEXT_MAX];

    (void)e;
    map_put(&sweep->live, uuid_format(id, text), sweep);
    return RC_OK;
}

static enum rc expire_and_list(struct meta_tx *tx, void *arg, struct err *e)
{
    struct sweep *sweep = arg;
    enum rc rc = meta_upload_expire(tx, registry_upload_cutoff(), e);

    map_done(&sweep->live); /* this may be the second run */
    sweep->live = MAP_INIT;
    return rc == RC_OK ? meta_upload_each(tx, note_live, sweep, e) : rc;
}

/* What is left in the map afterwards has no file. */
static bool keep_live(void *ctx, struct str name)
{
    struct sweep *sweep = ctx;

    return map_del(&sweep->live, name) != NULL;
}

static enum rc forget_orphans(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct sweep *sweep = arg;
    enum rc rc = RC_OK;
    struct str name;
    void *value;

    for (size_t i = 0; rc == RC_OK && map_next(&sweep->live, &i, &name, &value);) {
        struct uuid id;

        rc = uuid_parse(name, &id, e);
        if (rc == RC_OK)
            rc = meta_upload_delete(tx, &id, e);
        if (rc == RC_NOT_FOUND)
            rc = RC_OK;
    }
    return rc;
}

enum rc registry_store_sweep(struct registry_store *s, struct err *e)
{
    const struct uuid nobody = {{0}};
    struct sweep sweep = {0};
    enum rc rc = meta_write(s->meta, &nobody, expire_and_list, &sweep, e);

    if (rc == RC_OK)
        rc = blob_stage_sweep(s->blobs, keep_live, &sweep, e);
    if (rc == RC_OK && sweep.live.count > 0)
        rc = meta_write(s->meta, &nobody, forget_orphans, &sweep, e);
    map_done(&sweep.live);
    return rc;
}
