/* What netns and device attachments share: they listen in a place of their own, so who reaches it
 * stands in their network; an interface can name the subnet, and a local address the private
 * endpoint. */
#include "origin/private.h"

static bool name_good(struct str name, size_t max)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '/')
            return false;
    return name.len <= max && !str_is(name, ".") && !str_is(name, "..");
}

enum rc place_read(struct attachment *at, const struct json *properties, size_t name_max,
                   struct arena *a, struct str *ret_claim, struct err *e)
{
    static const char *const others[] = {"subnet", NULL};
    const char *kind = at->kind->name;
    struct str name;
    enum rc rc = origin_text_read(json_get(properties, kind), "name", &name, e);

    if (rc == RC_OK && !name_good(name, name_max))
        rc = err_set(e, RC_INVALID, "not the name of one");
    if (rc != RC_OK)
        return err_prefix(e, rc, "%s", kind);
    rc = attachment_refuse(properties, kind, others, e);
    if (rc != RC_OK)
        return rc;
    at->face.place = arena_copy(a, name);
    *ret_claim = arena_printf(a, "%s/%.*s", kind, STR_ARG(name));
    return RC_OK;
}

static const struct origin_subnet *subnet_of(const struct origin_table *t,
                                             const struct attachment *at, const struct evidence *ev)
{
    struct str name = {ev->interface, strnlen(ev->interface, sizeof(ev->interface))};

    if (at->n_interfaces > 0 && name.len == 0)
        return NULL; /* it could be one whose sources are not to be believed */
    for (size_t i = 0; i < at->n_interfaces; i++)
        if (str_eq(at->interfaces[i].name, name))
            return at->interfaces[i].subnet;
    return origin_network_find(t, at->network, &ev->peer);
}

void place_resolve(const struct origin_table *t, const struct attachment *at,
                   const struct evidence *ev, struct origin *ret)
{
    for (size_t i = 0; i < at->n_endpoints; i++)
        if (ip_eq(&at->endpoints[i].local, &ev->local)) {
            ret->kind = ORIGIN_PRIVATE_ENDPOINT;
            ret->private_endpoint = at->endpoints[i].endpoint;
            return;
        }
    origin_in_subnet(at, subnet_of(t, at, ev), ret);
}
