/* Attachments: a stored body → what the evidence of one means. The kinds are a table; what they
 * share is read here. */
#include "base/mem.h"
#include "origin/private.h"

/* In the order of precedence. */
static const struct attachment_kind *const kinds[] = {
    &attachment_netns, &attachment_device, &attachment_proxy, &attachment_mark, &attachment_range,
};

const char *origin_attachment_kind_name(enum origin_attachment_kind k)
{
    size_t i = 0;

    while (kinds[i]->kind != k)
        i++;
    return kinds[i]->name;
}

enum { ENTRIES_MAX = 1024 }; /* interfaces, and private endpoints, of one attachment */

static enum rc kind_read(struct str name, const struct attachment_kind **ret, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is_nocase(name, kinds[i]->name)) {
            *ret = kinds[i];
            return RC_OK;
        }
    return err_set(e, RC_INVALID, "no kind of attachment is called '%.*s'", STR_ARG(name));
}

static enum rc services_read(const struct json *properties, unsigned *ret, struct err *e)
{
    const struct json *list = json_get(properties, "services");
    unsigned services = 0;

    if (!json_given(list)) {
        *ret = ORIGIN_SERVICE_DATA;
        return RC_OK;
    }
    for (size_t i = 0; i < json_len(list); i++) {
        struct str s = json_str(json_at(list, i));

        if (str_is_nocase(s, "data"))
            services |= ORIGIN_SERVICE_DATA;
        else if (str_is_nocase(s, "control"))
            services |= ORIGIN_SERVICE_CONTROL;
        else
            return err_set(e, RC_INVALID, "a service is 'data' or 'control'");
    }
    if (!(services & ORIGIN_SERVICE_DATA))
        return err_set(e, RC_INVALID, "services must contain 'data'");
    *ret = services;
    return RC_OK;
}

static enum rc outbound_read(const struct json *properties, struct ip_addr *ret, struct err *e)
{
    const struct json *j = json_get(properties, "outboundPublicIPAddress");

    if (!json_given(j))
        return RC_OK;
    enum rc rc = ip_parse(json_str(j), ret, e);

    return rc == RC_OK ? rc : err_prefix(e, rc, "outboundPublicIPAddress");
}

/* {"id"}, of the attachment's network. One that is gone is NULL. */
static enum rc subnet_read(const struct origin_table *t, const struct attachment *at,
                           const struct json *reference, const struct origin_subnet **ret,
                           struct err *e)
{
    struct str id;
    enum rc rc = origin_text_read(reference, "id", &id, e);

    if (rc != RC_OK)
        return rc;
    const struct origin_subnet *s = origin_by_id(&t->subnet_by_id, id);

    if (s && t->networks[s->network] != at->network)
        return err_set(e, RC_INVALID, "subnet %.*s belongs to another virtual network",
                       STR_ARG(s->id));
    *ret = s;
    return RC_OK;
}

static enum rc own_subnet_read(const struct origin_table *t, struct attachment *at,
                               const struct json *properties, struct err *e)
{
    const struct json *j = json_get(properties, "subnet");

    if (!json_given(j))
        return RC_OK;
    enum rc rc = subnet_read(t, at, j, &at->subnet, e);

    at->names_subnet = true;
    return rc == RC_OK ? rc : err_prefix(e, rc, "subnet");
}

static enum rc interface_read(const struct origin_table *t, const struct attachment *at,
                              const struct json *j, struct arena *a,
                              struct attachment_interface *ret, struct err *e)
{
    const struct origin_subnet *s = NULL;
    struct str name;
    enum rc rc = origin_text_read(j, "name", &name, e);

    if (rc == RC_OK)
        rc = subnet_read(t, at, json_get(j, "subnet"), &s, e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "interfaces");
    for (const struct attachment_interface *i = at->interfaces; i < ret; i++)
        if (str_eq(i->name, name))
            return err_set(e, RC_INVALID, "interface %.*s is named twice", STR_ARG(name));
    *ret = (struct attachment_interface){.name = arena_copy(a, name), .subnet = s};
    return RC_OK;
}

static enum rc interfaces_read(struct origin_table *t, struct attachment *at,
                               const struct json *properties, struct err *e)
{
    const struct json *list = json_get(properties, "interfaces");
    size_t n = json_len(list);
    enum rc rc = RC_OK;

    if (n > ENTRIES_MAX)
        return err_set(e, RC_INVALID, "more than %d interfaces", ENTRIES_MAX);
    at->interfaces = arena_alloc(&t->arena, n * sizeof(*at->interfaces) + 1);
    for (size_t i = 0; rc == RC_OK && i < n; i++)
        rc = interface_read(t, at, json_at(list, i), &t->arena, &at->interfaces[i], e);
    at->n_interfaces = n;
    return rc;
}

static enum rc endpoint_read(const struct attachment *at, const struct json *j,
                             struct attachment_endpoint *ret, struct err *e)
{
    struct str local = STR_NONE, id, uuid = json_str(json_path(j, "privateEndpoint.uuid"));
    bool by_address = at->kind->kind != ATTACH_PROXY; /* there the TLV tells it */
    struct attachment_endpoint p = {0};
    enum rc rc = origin_text_read(json_get(j, "privateEndpoint"), "id", &id, e);

    if (rc == RC_OK && by_address)
        rc = origin_text_read(j, "localAddress", &local, e);
    if (rc == RC_OK && by_address)
        rc = ip_parse(local, &p.local, e);
    if (rc == RC_OK && !by_address && json_str(json_get(j, "localAddress")).len > 0)
        rc = err_set(e, RC_INVALID, "attachments of kind proxy have no localAddress");
    if (rc == RC_OK && uuid.ptr)
        rc = uuid_parse(uuid, &p.endpoint, e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "privateEndpoints");
    for (const struct attachment_endpoint *i = at->endpoints; i < ret; i++)
        if (by_address && ip_eq(&i->local, &p.local))
            return err_set(e, RC_INVALID, "local address %.*s has two private endpoints",
                           STR_ARG(local));
    *ret = p;
    return RC_OK;
}

static enum rc endpoints_read(struct origin_table *t, struct attachment *at,
                              const struct json *properties, struct err *e)
{
    const struct json *list = json_get(properties, "privateEndpoints");
    size_t n = json_len(list);
    enum rc rc = RC_OK;

    if (n > ENTRIES_MAX)
        return err_set(e, RC_INVALID, "more than %d privateEndpoints", ENTRIES_MAX);
    at->endpoints = arena_alloc(&t->arena, n * sizeof(*at->endpoints) + 1);
    for (size_t i = 0; rc == RC_OK && i < n; i++)
        rc = endpoint_read(at, json_at(list, i), &at->endpoints[i], e);
    at->n_endpoints = n;
    return rc;
}

static enum rc common_read(struct origin_table *t, struct attachment *at,
                           const struct json *properties, struct err *e)
{
    struct str network;
    enum rc rc = origin_text_read(json_get(properties, "virtualNetwork"), "id", &network, e);

    if (rc != RC_OK)
        return err_prefix(e, rc, "virtualNetwork");
    at->network = origin_by_id(&t->network_by_id, network);
    at->trusted_service = json_bool(json_get(properties, "trustedService"), false);
    rc = services_read(properties, &at->face.services, e);
    if (rc == RC_OK)
        rc = outbound_read(properties, &at->outbound, e);
    if (rc == RC_OK)
        rc = own_subnet_read(t, at, properties, e);
    if (rc == RC_OK)
        rc = interfaces_read(t, at, properties, e);
    return rc == RC_OK ? endpoints_read(t, at, properties, e) : rc;
}

static enum rc claim(struct origin_table *t, struct attachment *at, struct str evidence,
                     struct err *e)
{
    const struct attachment *other = evidence.ptr ? map_get(&t->claims, evidence) : NULL;
    enum rc rc = RC_OK;

    if (other)
        return err_set(e, RC_CONFLICT, "attachment %.*s has %s %.*s already",
                       STR_ARG(other->face.name), at->kind->name, STR_ARG(at->face.place));
    if (at->kind->claim)
        rc = at->kind->claim(t, at, e);
    if (rc != RC_OK)
        return rc;
    if (evidence.ptr)
        map_put(&t->claims, evidence, at);
    t->n_of[at->kind->kind]++;
    map_put(&t->attachment_by_uuid, origin_uuid_key(&at->face.uuid), at);
    t->attachments = mem_grow(t->attachments, t->n_attachments + 1, sizeof(at));
    t->attachments[t->n_attachments++] = at;
    return RC_OK;
}

enum rc origin_builder_attachment(struct origin_builder *b, struct str id, const struct uuid *uuid,
                                  const struct json *body, struct err *e)
{
    struct origin_table *t = (struct origin_table *)b;
    const struct json *properties = json_get(body, "properties");
    struct attachment *at = ARENA_NEW(&t->arena, struct attachment);
    struct str evidence = STR_NONE;
    enum rc rc = kind_read(json_str(json_get(properties, "kind")), &at->kind, e);

    if (rc != RC_OK)
        return rc;
    at->face.uuid = *uuid;
    at->face.id = arena_copy(&t->arena, id);
    at->face.name = str_skip(at->face.id, str_find_last(at->face.id, '/') + 1);
    at->face.kind = at->kind->kind;
    rc = common_read(t, at, properties, e);
    if (rc == RC_OK)
        rc = at->kind->read(at, properties, &t->arena, &evidence, e);
    return rc == RC_OK ? claim(t, at, evidence, e) : rc;
}

enum rc attachment_refuse(const struct json *properties, const char *kind,
                          const char *const *members, struct err *e)
{
    for (; *members; members++) {
        const struct json *j = json_get(properties, *members);

        if (json_len(j) > 0 || json_str(j).len > 0)
            return err_set(e, RC_INVALID, "attachments of kind %s have no '%s'", kind, *members);
    }
    return RC_OK;
}

static bool found(const struct attachment_kind *k, const struct origin_table *t,
                  const struct evidence *ev, const struct attachment **ret_at)
{
    /* What a proxy's header tells names an attachment even where there is none. */
    return k->find && (t->n_of[k->kind] > 0 || k->kind == ATTACH_PROXY) && k->find(t, ev, ret_at);
}

const struct attachment_kind *attachment_find(const struct origin_table *t,
                                              const struct evidence *ev,
                                              const struct attachment **ret_at)
{
    bool speaks_for_others = ev->via.family != 0;

    for (size_t i = 0; speaks_for_others && i < ARRAY_LEN(kinds); i++)
        if (kinds[i]->hears_no_others && found(kinds[i], t, ev, ret_at))
            return kinds[i];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (found(kinds[i], t, ev, ret_at))
            return kinds[i];
    return NULL;
}

void attachment_indexes_free(struct origin_table *t)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i]->index_free)
            kinds[i]->index_free(t->index[kinds[i]->kind]);
}
