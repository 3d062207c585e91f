/* The subscriptions that there are: which paths lead anywhere, and which may be written. */
#include "base/mem.h"
#include "snapshot/private.h"

static enum rc subscription_add(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct snapshot_identity *i = arg;
    struct snapshot_subscription s = {0};
    struct str state;
    enum rc rc = uuid_parse(str_skip(r->id, str_find_last(r->id, '/') + 1), &s.id, e);

    if (rc == RC_OK)
        rc = json_parse(r->body, NULL, &body, e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "subscription %.*s", STR_ARG(r->id));
    state = json_str(json_get(body, "state"));
    s.enabled = str_is_nocase(state, "Enabled");
    s.name = arena_copy(&i->arena, json_str(json_get(body, "displayName")));
    i->subscriptions =
        mem_grow(i->subscriptions, i->n_subscriptions + 1, sizeof(*i->subscriptions));
    i->subscriptions[i->n_subscriptions++] = s;
    return RC_OK;
}

static int id_order(const void *left, const void *right)
{
    const struct snapshot_subscription *a = left, *b = right;

    return memcmp(a->id.bytes, b->id.bytes, sizeof(a->id.bytes));
}

enum rc subscriptions_load(struct meta_tx *tx, struct snapshot_identity *i, struct err *e)
{
    enum rc rc = meta_resource_each(tx, STR("/subscriptions/"), STR(SNAPSHOT_TYPE_SUBSCRIPTION),
                                    subscription_add, i, e);

    if (rc == RC_OK && i->n_subscriptions > 0)
        qsort(i->subscriptions, i->n_subscriptions, sizeof(*i->subscriptions), id_order);
    return rc;
}

const struct snapshot_subscription *snapshot_subscription(const struct snapshot *s,
                                                          const struct uuid *id)
{
    const struct snapshot_subscription wanted = {.id = *id};
    const struct snapshot_identity *i = s->identity;

    return i->n_subscriptions == 0 ? NULL
                                   : bsearch(&wanted, i->subscriptions, i->n_subscriptions,
                                             sizeof(*i->subscriptions), id_order);
}
