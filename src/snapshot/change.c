/* A configuration change: written, compiled and committed in one transaction, published, adopted;
 * then it is done. */
#include "base/mem.h"
#include "snapshot/private.h"

struct snapshot_change {
    struct snapshot_hub *hub;
    snapshot_change_fn *fn;
    void *arg;
    struct touched touched;
    struct candidate candidate;
    bool compiled;
    uint64_t generation; /* published as; 0: not */
};

void snapshot_touch_registry(struct snapshot_change *c, const struct uuid *registry)
{
    struct touched *t = &c->touched;

    for (size_t i = 0; i < t->n_registries; i++)
        if (uuid_eq(&t->registries[i], registry))
            return;
    t->registries = mem_grow(t->registries, t->n_registries + 1, sizeof(*registry));
    t->registries[t->n_registries++] = *registry;
}

void snapshot_touch_networks(struct snapshot_change *c)
{
    c->touched.networks = true;
}

void snapshot_touch_identity(struct snapshot_change *c)
{
    c->touched.identity = true;
}

void snapshot_touch_roles(struct snapshot_change *c)
{
    c->touched.roles = true;
}

static bool nothing_touched(const struct touched *t)
{
    return t->n_registries == 0 && !t->networks && !t->identity && !t->roles;
}

static void change_reset(struct snapshot_change *c)
{
    candidate_done(&c->candidate);
    free(c->touched.registries);
    c->touched = (struct touched){0};
    c->compiled = false;
}

/* Inside the transaction, on the configuration thread: nobody else publishes meanwhile, so the
 * newest snapshot is the base until this one is committed or undone. May run more than once. */
static enum rc change_run(struct meta_tx *tx, void *arg, struct err *e)
{
    struct snapshot_change *c = arg;

    change_reset(c);
    enum rc rc = c->fn(tx, c, c->arg, e);

    if (rc != RC_OK || nothing_touched(&c->touched))
        return rc;
    c->candidate.base = &c->hub->newest->face;
    c->candidate.config = &c->hub->config;
    rc = candidate_next(&c->candidate, tx, &c->touched, e);
    c->compiled = rc == RC_OK;
    return rc;
}

static void change_committed(void *arg)
{
    struct snapshot_change *c = arg;

    if (c->compiled)
        c->generation = hub_publish(c->hub, &c->candidate);
}

enum rc snapshot_change(struct snapshot_hub *h, snapshot_change_fn *fn, void *arg, struct err *e)
{
    struct snapshot_change c = {.hub = h, .fn = fn, .arg = arg};
    enum rc rc = meta_write_alone(h->config.meta, change_run, change_committed, &c, e);

    if (c.generation > 0)
        hub_wait(h, c.generation);
    change_reset(&c);
    return rc;
}
