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
    assert(!s->waiting);
    map_done(&s->in_use);
    manifest_cache_free(s->manifests);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

enum rc store_claim(struct registry_store *s, struct str id, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    bool busy = map_get(&s->in_use, id) != NULL;

    if (!busy)
        map_put(&s->in_use, id, s);
    pthread_mutex_unlock(&s->lock);
    return busy ? err_code(e, RC_CONFLICT, "BLOB_UPLOAD_INVALID",
                           "another request works on this upload")
                : RC_OK;
}

/* The first who waits for this upload, or NULL. The lock is held. */
static struct registry_wait *take_waiting(struct registry_store *s, struct str id)
{
    for (struct registry_wait **link = &s->waiting; *link; link = &(*link)->next) {
        struct registry_wait *w = *link;

        if (!str_eq(str_from(w->id), id))
            continue;
        *link = w->next;
        return w;
    }
    return NULL;
}

void store_unclaim(struct registry_store *s, struct str id)
{
    pthread_mutex_lock(&s->lock);
    map_del(&s->in_use, id);
    struct registry_wait *w = take_waiting(s, id);

    if (w) /* under the lock: whoever finds that it no longer waits knows that it has been told */
        w->told(w);
    pthread_mutex_unlock(&s->lock);
}

bool registry_upload_wait(struct registry_store *s, struct str id, struct registry_wait *w)
{
    struct registry_wait **end = &s->waiting;
    struct uuid uuid;

    if (uuid_parse(id, &uuid, NULL) != RC_OK)
        return false;
    w->next = NULL;
    pthread_mutex_lock(&s->lock);
    bool busy = map_get(&s->in_use, uuid_format(&uuid, w->id)) != NULL;

    while (*end)
        end = &(*end)->next;
    if (busy)
        *end = w;
    pthread_mutex_unlock(&s->lock);
    return busy;
}

bool registry_upload_wait_end(struct registry_store *s, struct registry_wait *w)
{
    struct registry_wait **link = &s->waiting;

    pthread_mutex_lock(&s->lock);
    while (*link && *link != w)
        link = &(*link)->next;
    bool found = *link != NULL;

    if (found)
        *link = w->next;
    pthread_mutex_unlock(&s->lock);
    return found;
}

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
