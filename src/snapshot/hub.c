#include "base/mem.h"
#include "base/metric.h"
#include "snapshot/private.h"
#include <assert.h>

/* --- freeing: the configuration thread --- */

static void published_free(struct published *p)
{
    struct snapshot_index *x = p->face.index;

    for (size_t i = 0; i < x->n; i++)
        if (--x->list[i]->face.refs == 0)
            registry_entry_free(x->list[i]);
    if (--p->face.identity->refs == 0)
        identity_free(p->face.identity);
    if (--p->face.roles->refs == 0)
        roles_free(p->face.roles);
    origin_table_unref(p->face.origins);
    index_free(x);
    free(p->pins);
    free(p->adoptions);
    free(p);
}

static void live_remove(struct snapshot_hub *h, const struct published *p)
{
    struct published **at = &h->live;

    while (*at != p)
        at = &(*at)->next_live;
    *at = p->next_live;
}

static void sweep(struct snapshot_hub *h)
{
    struct published *p = atomic_exchange(&h->retired, NULL), *next;

    for (; p; p = next) {
        next = p->next_retired;
        live_remove(h, p);
        published_free(p);
    }
}

/* Any thread. The last one leaves it to the configuration thread, which frees what is retired when
 * it publishes. */
static void release(struct published *p)
{
    struct snapshot_hub *h = p->hub;

    if (atomic_fetch_sub(&p->holders, 1) != 1)
        return;
    p->next_retired = atomic_load(&h->retired);
    while (!atomic_compare_exchange_weak(&h->retired, &p->next_retired, p))
        continue;
}

/* --- adopting: each loop --- */

static void acknowledge(struct published *p)
{
    struct snapshot_hub *h = p->hub;
    uint64_t generation = p->face.generation;

    if (atomic_fetch_sub(&p->pending, 1) != 1)
        return;
    pthread_mutex_lock(&h->lock);
    h->acked = generation; /* loops adopt in order, so this only grows */
    pthread_cond_broadcast(&h->acked_more);
    pthread_mutex_unlock(&h->lock);
}

static unsigned *pins_of(struct published *p, size_t loop)
{
    return &p->pins[loop * PIN_STRIDE];
}

static void adopt(struct loop_task *task)
{
    struct adoption *step = CONTAINER_OF(task, struct adoption, task);
    struct published *p = step->snapshot;
    struct snapshot_hub *h = p->hub;
    struct published *old = h->loops[step->loop].current;
    /* Not idle: the last request lets go of it, perhaps already in on_adopt. After that it may be
     * gone, so that what is asked of it is asked before. */
    bool idle = *pins_of(old, step->loop) == 0;
    bool networks = old->face.origins != p->face.origins;

    h->loops[step->loop].current = p;
    if (h->on_adopt)
        h->on_adopt(h->on_adopt_ctx, h->config.loops[step->loop], &p->face);
    if (step->loop == 0 && h->on_networks && networks)
        h->on_networks(h->on_networks_ctx, &p->face);
    if (idle)
        release(old);
    acknowledge(p);
}

const struct snapshot *snapshot_current(const struct snapshot_hub *h, const struct loop *l)
{
    return &h->loops[loop_index(l)].current->face;
}

const struct snapshot *snapshot_pin(struct snapshot_hub *h, const struct loop *l)
{
    struct published *p = h->loops[loop_index(l)].current;

    ++*pins_of(p, loop_index(l));
    return &p->face;
}

void snapshot_unpin(struct snapshot_hub *h, const struct loop *l, const struct snapshot *s)
{
    struct published *p = (struct published *)(uintptr_t)s;
    unsigned i = loop_index(l);

    assert(*pins_of(p, i) > 0);
    if (--*pins_of(p, i) == 0 && p != h->loops[i].current)
        release(p);
}

/* --- publishing: the configuration thread --- */

static const struct snapshot_registry *default_registry(const struct snapshot_hub *h,
                                                        const struct snapshot *s)
{
    struct str name = h->config.default_registry;
    const struct snapshot_registry *r = name.len > 0 ? snapshot_by_name(s, name) : NULL;

    return r && !r->creating ? r : NULL;
}

static struct published *published_new(struct snapshot_hub *h, struct candidate *c)
{
    struct published *p = MEM_NEW(struct published);
    size_t n = h->config.n_loops;

    p->hub = h;
    p->face = (struct snapshot){.generation = (c->base ? c->base->generation : 0) + 1,
                                .origins = c->origins,
                                .identity = c->identity,
                                .roles = c->roles,
                                .index = c->index};
    if (!c->fresh_origins)
        origin_table_ref(c->origins);
    c->identity->refs++;
    c->roles->refs++;
    for (size_t i = 0; i < c->index->n; i++)
        c->index->list[i]->face.refs++;
    p->face.default_registry = default_registry(h, &p->face);
    atomic_init(&p->holders, (unsigned)n + 1);
    atomic_init(&p->pending, (unsigned)n);
    p->pins = MEM_ARRAY(unsigned, n *PIN_STRIDE);
    p->adoptions = MEM_ARRAY(struct adoption, n);
    p->next_live = h->live;
    h->live = p;
    return p;
}

static void candidate_spent(struct candidate *c)
{
    free(c->fresh);
    *c = (struct candidate){0};
}

static void become_newest(struct snapshot_hub *h, struct published *p)
{
    pthread_mutex_lock(&h->lock);
    struct published *old = h->newest;

    h->newest = p;
    if (h->config.n_loops == 0)
        h->acked = p->face.generation;
    pthread_mutex_unlock(&h->lock);
    if (old)
        release(old);
    metric_add(METRIC_SNAPSHOTS_PUBLISHED, 1);
    metric_add(METRIC_SNAPSHOT_GENERATION, 1);
}

uint64_t hub_publish(struct snapshot_hub *h, struct candidate *c)
{
    struct published *p = published_new(h, c);
    uint64_t generation = p->face.generation;

    candidate_spent(c);
    become_newest(h, p);
    for (size_t i = 0; i < h->config.n_loops; i++) {
        p->adoptions[i] = (struct adoption){.task.run = adopt, .snapshot = p, .loop = i};
        loop_post(h->config.loops[i], &p->adoptions[i].task);
    }
    sweep(h);
    return generation;
}

void hub_wait(struct snapshot_hub *h, uint64_t generation)
{
    pthread_mutex_lock(&h->lock);
    while (h->acked < generation)
        pthread_cond_wait(&h->acked_more, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

void snapshot_wait(struct snapshot_hub *h, const struct snapshot *s)
{
    hub_wait(h, s->generation);
}

enum rc snapshot_with_newest(struct snapshot_hub *h,
                             enum rc (*fn)(const struct snapshot *s, void *arg, struct err *e),
                             void *arg, struct err *e)
{
    pthread_mutex_lock(&h->lock);
    struct published *p = h->newest;

    atomic_fetch_add(&p->holders, 1);
    pthread_mutex_unlock(&h->lock);
    enum rc rc = fn(&p->face, arg, e);

    release(p);
    return rc;
}

/* --- the hub itself --- */

void snapshot_on_adopt(struct snapshot_hub *h,
                       void (*fn)(void *ctx, struct loop *l, const struct snapshot *s), void *ctx)
{
    h->on_adopt = fn;
    h->on_adopt_ctx = ctx;
}

void snapshot_on_networks(struct snapshot_hub *h, void (*fn)(void *ctx, const struct snapshot *s),
                          void *ctx)
{
    h->on_networks = fn;
    h->on_networks_ctx = ctx;
}

static struct snapshot_hub *hub_alloc(const struct snapshot_config *config)
{
    struct snapshot_hub *h = MEM_NEW(struct snapshot_hub);
    size_t suffix = config->suffix.len, name = config->default_registry.len;

    h->config = *config;
    h->texts = MEM_ARRAY(char, suffix + name);
    if (suffix > 0)
        memcpy(h->texts, config->suffix.ptr, suffix);
    if (name > 0)
        memcpy(h->texts + suffix, config->default_registry.ptr, name);
    h->config.suffix = (struct str){h->texts, suffix};
    h->config.default_registry = (struct str){h->texts + suffix, name};
    h->loops = aligned_alloc(64, (config->n_loops + 1) * sizeof(*h->loops));
    if (!h->loops)
        abort();
    memset(h->loops, 0, (config->n_loops + 1) * sizeof(*h->loops));
    for (size_t i = 0; i < config->n_loops; i++)
        assert(loop_index(config->loops[i]) == i);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->acked_more, NULL);
    return h;
}

/* The first snapshot: nobody reads yet, so every loop has it at once. */
static void publish_first(struct snapshot_hub *h, struct candidate *c)
{
    struct published *p = published_new(h, c);

    candidate_spent(c);
    become_newest(h, p);
    atomic_store(&p->pending, 0);
    h->acked = p->face.generation;
    for (size_t i = 0; i < h->config.n_loops; i++)
        h->loops[i].current = p;
}

static enum rc load_first(struct meta_tx *tx, void *arg, struct err *e)
{
    struct candidate *c = arg;
    const struct snapshot_config *config = c->config;

    candidate_done(c); /* of a run that is being repeated */
    c->config = config;
    return candidate_first(c, tx, e);
}

enum rc snapshot_hub_new(const struct snapshot_config *config, struct snapshot_hub **ret,
                         struct err *e)
{
    struct snapshot_hub *h = hub_alloc(config);
    struct candidate c = {.config = &h->config};
    enum rc rc = meta_read(config->meta, load_first, &c, e);

    if (rc != RC_OK) {
        candidate_done(&c);
        snapshot_hub_free(h);
        return rc;
    }
    publish_first(h, &c);
    *ret = h;
    return RC_OK;
}

struct meta *snapshot_meta(struct snapshot_hub *h)
{
    return h->config.meta;
}

const struct crypto_key *snapshot_seal(const struct snapshot_hub *h)
{
    return &h->config.seal;
}

/* Loops have ended and lanes are empty: what was posted to a loop and not run any more is let go
 * here. */
void snapshot_hub_free(struct snapshot_hub *h)
{
    if (!h)
        return;
    for (struct published *p = h->live, *next; p; p = next) {
        next = p->next_live;
        published_free(p);
    }
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->acked_more);
    crypto_wipe(&h->config.seal, sizeof(h->config.seal));
    free(h->loops);
    free(h->texts);
    free(h);
}
