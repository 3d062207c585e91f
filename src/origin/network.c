/* Virtual networks: a stored body → subnets and their prefixes. */
#include "base/mem.h"
#include "origin/private.h"

enum { ID_MAX = 2048 };

struct str origin_uuid_key(const struct uuid *u)
{
    return (struct str){(const char *)u->bytes, sizeof(u->bytes)};
}

/* Ids compare without case: the key is the lower-cased id. A longer one than any that can be stored
 * is nobody's. */
static struct str id_key(struct str id, char out[ID_MAX])
{
    size_t n = id.len < ID_MAX ? id.len : ID_MAX;

    for (size_t i = 0; i < n; i++)
        out[i] = ascii_lower(id.ptr[i]);
    return (struct str){out, n};
}

void *origin_by_id(const struct map *m, struct str id)
{
    char lower[ID_MAX];

    return id.len < ID_MAX ? map_get(m, id_key(id, lower)) : NULL;
}

void origin_put_id(struct map *m, struct str id, void *value)
{
    char lower[ID_MAX];

    map_put(m, id_key(id, lower), value);
}

enum rc origin_text_read(const struct json *object, const char *member, struct str *ret,
                         struct err *e)
{
    struct str s = json_str(json_get(object, member));

    if (s.len == 0)
        return err_set(e, RC_INVALID, "%s is missing", member);
    if (s.len >= ID_MAX)
        return err_set(e, RC_INVALID, "%s is longer than %d characters", member, ID_MAX - 1);
    *ret = s;
    return RC_OK;
}

static bool has_endpoint(const struct json *properties)
{
    const struct json *list = json_get(properties, "serviceEndpoints");

    for (size_t i = 0; i < json_len(list); i++)
        if (str_is_nocase(json_str(json_get(json_at(list, i), "service")), ORIGIN_SERVICE_ENDPOINT))
            return true;
    return false;
}

static enum rc prefix_add(struct origin_network *net, size_t subnet, const struct json *text,
                          struct err *e)
{
    struct origin_prefix p = {.subnet = subnet};
    enum rc rc = cidr_parse(json_str(text), &p.cidr, e);

    if (rc != RC_OK)
        return rc;
    net->prefixes = mem_grow(net->prefixes, net->n_prefixes + 1, sizeof(p));
    net->prefixes[net->n_prefixes++] = p;
    return RC_OK;
}

/* addressPrefixes where it stands, else addressPrefix. */
static enum rc prefixes_read(struct origin_network *net, size_t subnet,
                             const struct json *properties, struct err *e)
{
    const struct json *list = json_get(properties, "addressPrefixes");
    enum rc rc = RC_OK;

    if (json_type(list) != JSON_ARRAY || json_len(list) == 0)
        return prefix_add(net, subnet, json_get(properties, "addressPrefix"), e);
    for (size_t i = 0; rc == RC_OK && i < json_len(list); i++)
        rc = prefix_add(net, subnet, json_at(list, i), e);
    return rc;
}

static void subnet_index(struct origin_table *t, struct origin_subnet *s)
{
    t->subnets = mem_grow(t->subnets, t->n_subnets + 1, sizeof(s));
    t->subnets[t->n_subnets++] = s;
    origin_put_id(&t->subnet_by_id, s->id, s);
    map_put(&t->subnet_by_uuid, origin_uuid_key(&s->uuid), s);
}

static enum rc subnet_read(struct origin_table *t, struct origin_network *net, const struct json *j,
                           struct err *e)
{
    struct origin_subnet s = {.network = t->n_networks};
    struct str name, uuid;
    const struct json *properties = json_get(j, "properties");
    enum rc rc = origin_text_read(j, "name", &name, e);

    if (rc == RC_OK)
        rc = origin_text_read(j, "uuid", &uuid, e);
    if (rc == RC_OK)
        rc = uuid_parse(uuid, &s.uuid, e);
    if (rc == RC_OK)
        rc = prefixes_read(net, t->n_subnets, properties, e);
    if (rc != RC_OK)
        return rc;
    s.has_endpoint = has_endpoint(properties);
    s.id = arena_printf(&t->arena, "%.*s/subnets/%.*s", STR_ARG(net->id), STR_ARG(name));
    struct origin_subnet *kept = ARENA_NEW(&t->arena, struct origin_subnet);

    *kept = s;
    subnet_index(t, kept);
    return RC_OK;
}

/* Longest first: the first that holds an address is then the longest that does. */
static int prefix_order(const void *left, const void *right)
{
    const struct origin_prefix *a = left, *b = right;

    if (a->cidr.prefix != b->cidr.prefix)
        return a->cidr.prefix > b->cidr.prefix ? -1 : 1;
    return a->subnet < b->subnet ? -1 : a->subnet > b->subnet;
}

enum rc origin_builder_network(struct origin_builder *b, struct str id, const struct uuid *uuid,
                               const struct json *body, struct err *e)
{
    struct origin_table *t = (struct origin_table *)b;
    const struct json *subnets = json_path(body, "properties.subnets");
    struct origin_network *net = ARENA_NEW(&t->arena, struct origin_network);
    enum rc rc = RC_OK;

    if (json_type(body) != JSON_OBJECT || id.len >= ID_MAX / 2)
        return err_set(e, RC_INVALID, "not a virtual network");
    t->networks = mem_grow(t->networks, t->n_networks + 1, sizeof(net));
    t->networks[t->n_networks] = net;
    net->id = arena_copy(&t->arena, id);
    net->uuid = *uuid;
    for (size_t i = 0; rc == RC_OK && i < json_len(subnets); i++)
        rc = subnet_read(t, net, json_at(subnets, i), e);
    t->n_networks++; /* also when it failed: what it holds is freed with the builder */
    if (rc != RC_OK)
        return err_prefix(e, rc, "virtual network %.*s", STR_ARG(id));
    if (net->n_prefixes > 0) {
        qsort(net->prefixes, net->n_prefixes, sizeof(*net->prefixes), prefix_order);
        ranges_init(&net->ranges, &net->prefixes[0].cidr, net->n_prefixes, sizeof(*net->prefixes));
    }
    origin_put_id(&t->network_by_id, id, net);
    return RC_OK;
}

const struct origin_subnet *origin_network_find(const struct origin_table *t,
                                                const struct origin_network *n,
                                                const struct ip_addr *a)
{
    int i = ranges_find(&n->ranges, a);

    return i >= 0 ? t->subnets[n->prefixes[i].subnet] : NULL;
}
