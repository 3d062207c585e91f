#include "base/log.h"
#include "base/mem.h"
#include "snapshot/private.h"

/* --- networks and attachments --- */

static enum rc body_parse(const struct meta_resource *r, struct json **ret, struct err *e)
{
    enum rc rc = json_parse(r->body, NULL, ret, e);

    return rc == RC_OK ? rc : err_prefix(e, rc, "%.*s", STR_ARG(r->id));
}

static enum rc network_add(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = body_parse(r, &body, e);

    return rc == RC_OK ? origin_builder_network(arg, r->id, &r->uuid, body, e) : rc;
}

static enum rc attachment_add(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = body_parse(r, &body, e);

    return rc == RC_OK ? origin_builder_attachment(arg, r->id, &r->uuid, body, e) : rc;
}

static enum rc origins_load(struct candidate *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = origin_builder_new();
    enum rc rc = meta_resource_each(tx, STR(""), STR(SNAPSHOT_TYPE_NETWORK), network_add, b, e);

    if (rc == RC_OK)
        rc = meta_resource_each(tx, STR(""), STR(SNAPSHOT_TYPE_ATTACHMENT), attachment_add, b, e);
    if (rc != RC_OK)
        return rc;
    c->origins = origin_table_build(b);
    c->fresh_origins = true;
    return RC_OK;
}

static enum rc identity_fresh(struct candidate *c, struct meta_tx *tx, struct err *e)
{
    enum rc rc = identity_load(tx, &c->config->seal, &c->identity, e);

    c->fresh_identity = rc == RC_OK;
    return rc;
}

static enum rc roles_fresh(struct candidate *c, struct meta_tx *tx, struct err *e)
{
    enum rc rc = roles_load(tx, &c->roles, e);

    c->fresh_roles = rc == RC_OK;
    return rc;
}

/* --- registries --- */

static void list_add(struct registry_entry ***list, size_t *n, struct registry_entry *r)
{
    if ((*n & (*n - 1)) == 0) /* full at each power of two */
        *list = mem_grow(*list, *n > 0 ? 2 * *n : 1, sizeof(r));
    (*list)[(*n)++] = r;
}

static void fresh_add(struct candidate *c, struct registry_entry *r)
{
    list_add(&c->fresh, &c->n_fresh, r);
}

/* At start: one registry that this version does not understand is left out (its Host is then
 * unknown to everybody), and the others are served. A change that made one would have been refused.
 */
static enum rc registry_add(const struct meta_resource *r, void *arg, struct err *e)
{
    struct candidate *c = arg;
    struct registry_entry *entry = NULL;
    struct err why = {0};

    (void)e;
    if (registry_compile(r, c->config->suffix, &entry, &why) != RC_OK) {
        log_error("snapshot.registry_left_out", F_STR("id", r->id), F_TEXT("reason", why.text));
        return RC_OK;
    }
    list_add(&c->list, &c->n, entry);
    fresh_add(c, entry);
    return RC_OK;
}

static enum rc secret_add(const struct meta_registry_secret *s, void *arg, struct err *e)
{
    const struct snapshot_index *index = arg;
    struct registry_entry *r = index_uuid(index, &s->registry, NULL);

    (void)e;
    if (r)
        registry_set_secret(r, s);
    return RC_OK;
}

static enum rc one_secret_add(const struct meta_registry_secret *s, void *arg, struct err *e)
{
    (void)e;
    registry_set_secret(arg, s);
    return RC_OK;
}

/* The entry of a touched registry as it is now; *ret stays NULL when it is gone, or is another type
 * of resource. */
static enum rc registry_load(struct candidate *c, struct meta_tx *tx, const struct uuid *u,
                             struct registry_entry **ret, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(16 << 20);
    struct meta_resource r;
    enum rc rc = meta_resource_by_uuid(tx, &a, u, &r, e);

    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_is_nocase(r.type, SNAPSHOT_TYPE_REGISTRY)))
        return RC_OK;
    if (rc == RC_OK)
        rc = registry_compile(&r, c->config->suffix, ret, e);
    if (rc != RC_OK)
        return rc;
    fresh_add(c, *ret);
    return meta_registry_secret_each(tx, u, one_secret_add, *ret, e);
}

static enum rc registry_replace(struct candidate *c, struct meta_tx *tx, const struct uuid *u,
                                struct err *e)
{
    struct registry_entry *now = NULL;
    size_t place = 0;
    bool was = index_uuid(c->base->index, u, &place) != NULL;
    enum rc rc = registry_load(c, tx, u, &now, e);

    if (rc != RC_OK)
        return rc;
    if (was)
        c->list[place] = now; /* NULL where it is gone, until the list is closed up */
    else if (now) {
        c->list = mem_grow(c->list, c->n + 1, sizeof(now));
        c->list[c->n++] = now;
    }
    return RC_OK;
}

static void list_close_up(struct candidate *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n; i++)
        if (c->list[i])
            c->list[kept++] = c->list[i];
    c->n = kept;
}

static enum rc index_build(struct candidate *c, struct err *e)
{
    struct registry_entry **list = c->list;

    c->list = NULL;
    return index_new(list, c->n, &c->index, e);
}

/* --- the whole --- */

enum rc candidate_first(struct candidate *c, struct meta_tx *tx, struct err *e)
{
    enum rc rc = meta_resource_each(tx, STR(""), STR(SNAPSHOT_TYPE_REGISTRY), registry_add, c, e);

    if (rc == RC_OK)
        rc = index_build(c, e);
    if (rc == RC_OK)
        rc = meta_registry_secret_each(tx, NULL, secret_add, c->index, e);
    if (rc == RC_OK)
        rc = origins_load(c, tx, e);
    if (rc == RC_OK)
        rc = identity_fresh(c, tx, e);
    return rc == RC_OK ? roles_fresh(c, tx, e) : rc;
}

enum rc candidate_next(struct candidate *c, struct meta_tx *tx, const struct touched *t,
                       struct err *e)
{
    const struct snapshot_index *index = c->base->index;
    enum rc rc = RC_OK;

    c->n = index->n;
    c->list = MEM_ARRAY(struct registry_entry *, c->n);
    for (size_t i = 0; i < c->n; i++)
        c->list[i] = index->list[i];
    for (size_t i = 0; rc == RC_OK && i < t->n_registries; i++)
        rc = registry_replace(c, tx, &t->registries[i], e);
    list_close_up(c);
    if (rc == RC_OK)
        rc = index_build(c, e);
    c->origins = c->base->origins;
    c->identity = c->base->identity;
    c->roles = c->base->roles;
    if (rc == RC_OK && t->networks)
        rc = origins_load(c, tx, e);
    if (rc == RC_OK && t->identity)
        rc = identity_fresh(c, tx, e);
    return rc == RC_OK && t->roles ? roles_fresh(c, tx, e) : rc;
}

void candidate_done(struct candidate *c)
{
    for (size_t i = 0; i < c->n_fresh; i++)
        registry_entry_free(c->fresh[i]);
    if (c->fresh_origins)
        origin_table_unref(c->origins);
    if (c->fresh_identity)
        identity_free(c->identity);
    if (c->fresh_roles)
        roles_free(c->roles);
    index_free(c->index);
    free(c->list);
    free(c->fresh);
    *c = (struct candidate){0};
}
