#include "base/mem.h"
#include "origin/private.h"

struct origin_builder { /* a table that nothing reads yet */
    struct origin_table table;
};

struct origin_builder *origin_builder_new(void)
{
    struct origin_builder *b = MEM_NEW(struct origin_builder);

    b->table.arena = ARENA_INIT(SIZE_MAX / 2);
    return b;
}

static void table_done(struct origin_table *t)
{
    for (size_t i = 0; i < t->n_networks; i++) {
        ranges_done(&t->networks[i]->ranges);
        free(t->networks[i]->prefixes);
    }
    free(t->networks);
    free(t->subnets);
    free(t->attachments);
    free(t->faces);
    map_done(&t->network_by_id);
    map_done(&t->subnet_by_id);
    map_done(&t->subnet_by_uuid);
    map_done(&t->attachment_by_uuid);
    map_done(&t->claims);
    attachment_indexes_free(t);
    arena_done(&t->arena);
}

void origin_builder_free(struct origin_builder *b)
{
    if (!b)
        return;
    table_done(&b->table);
    free(b);
}

struct origin_table *origin_table_build(struct origin_builder *b)
{
    struct origin_table *t = MEM_NEW(struct origin_table);

    *t = b->table;
    b->table = (struct origin_table){.arena = ARENA_INIT(SIZE_MAX / 2)};
    t->faces = MEM_ARRAY(struct origin_attachment, t->n_attachments);
    for (size_t i = 0; i < t->n_attachments; i++)
        t->faces[i] = t->attachments[i]->face;
    t->refs = 1;
    return t;
}

struct origin_table *origin_table_ref(struct origin_table *t)
{
    t->refs++;
    return t;
}

void origin_table_unref(struct origin_table *t)
{
    if (!t || --t->refs > 0)
        return;
    table_done(t);
    free(t);
}

/* --- reading --- */

void origin_in_subnet(const struct attachment *at, const struct origin_subnet *subnet,
                      struct origin *ret)
{
    if (!subnet)
        return; /* unidentified, and nobody's trusted service */
    ret->trusted_service = at->trusted_service;
    if (subnet->has_endpoint) {
        ret->kind = ORIGIN_SUBNET;
        ret->subnet = subnet->uuid;
    } else if (at->outbound.family != 0) {
        ret->kind = ORIGIN_PUBLIC;
        ret->ip = at->outbound;
    }
}

/* A connection that was accepted where the attachment stood before says nothing of where it stands
 * now. */
static bool stands_there(const struct attachment *at, const struct evidence *ev)
{
    struct str place = {ev->place, strnlen(ev->place, sizeof(ev->place))};
    enum origin_attachment_kind kind = ev->arrival == NET_DEVICE ? ATTACH_DEVICE : ATTACH_NETNS;

    return at->face.kind == kind && str_eq(at->face.place, place);
}

static void resolve_attached(const struct origin_table *t, const struct evidence *ev,
                             struct origin *ret)
{
    const struct attachment *at = map_get(&t->attachment_by_uuid, origin_uuid_key(&ev->attachment));

    ret->attachment = ev->attachment;
    if (at && at->network && stands_there(at, ev))
        at->kind->resolve(t, at, ev, ret);
}

void source_resolve(const struct origin_table *t, const struct attachment *at,
                    const struct evidence *ev, struct origin *ret)
{
    origin_in_subnet(at, origin_network_find(t, at->network, &ev->peer), ret);
}

/* Of a connection that came by no attachment's listener. Evidence that names an attachment never
 * falls back to public, whether or not that one is known. */
static void resolve_found(const struct origin_table *t, const struct evidence *ev,
                          struct origin *ret)
{
    const struct attachment *at = NULL;
    const struct attachment_kind *kind = attachment_find(t, ev, &at);

    if (!kind) {
        ret->kind = ORIGIN_PUBLIC;
        return;
    }
    bool liar = kind->hears_no_others && ev->via.family != 0;

    if (liar)
        ret->ip = ev->via;
    if (!at)
        return;
    ret->attachment = at->face.uuid;
    if (at->network && !liar)
        at->kind->resolve(t, at, ev, ret);
}

void origin_resolve(const struct origin_table *t, const struct evidence *ev, struct origin *ret)
{
    *ret = (struct origin){.kind = ORIGIN_UNIDENTIFIED, .ip = ev->peer};
    if (ev->unreadable)
        return;
    switch (ev->arrival) {
    case NET_NETNS:
    case NET_DEVICE:
        resolve_attached(t, ev, ret);
        break;
    case NET_MAIN:
    case NET_PROXY:
        resolve_found(t, ev, ret);
        break;
    }
}

/* Where clients of a subnet that lacks the service endpoint would seem to come from. */
static const struct attachment *attachment_out_of(const struct origin_table *t,
                                                  const struct origin_network *network)
{
    for (size_t i = 0; i < t->n_attachments; i++)
        if (t->attachments[i]->network == network && t->attachments[i]->outbound.family != 0)
            return t->attachments[i];
    return NULL;
}

enum rc origin_of_subnet(const struct origin_table *t, struct str subnet_id, struct origin *ret,
                         struct err *e)
{
    const struct origin_subnet *s = origin_by_id(&t->subnet_by_id, subnet_id);

    if (!s)
        return err_set(e, RC_NOT_FOUND, "there is no subnet %.*s", STR_ARG(subnet_id));
    const struct attachment *out = attachment_out_of(t, t->networks[s->network]);
    static const struct attachment none;

    *ret = (struct origin){.kind = ORIGIN_UNIDENTIFIED};
    origin_in_subnet(out ? out : &none, s, ret);
    ret->trusted_service = false; /* which attachment the client uses is not said */
    return RC_OK;
}

struct str origin_subnet_id(const struct origin_table *t, const struct uuid *subnet)
{
    const struct origin_subnet *s = map_get(&t->subnet_by_uuid, origin_uuid_key(subnet));

    return s ? s->id : STR_NONE;
}

struct str origin_attachment_name(const struct origin_table *t, const struct uuid *attachment)
{
    const struct attachment *at = map_get(&t->attachment_by_uuid, origin_uuid_key(attachment));

    return at ? at->face.name : STR_NONE;
}

size_t origin_attachments(const struct origin_table *t, const struct origin_attachment **ret_list)
{
    *ret_list = t->faces;
    return t->n_attachments;
}
