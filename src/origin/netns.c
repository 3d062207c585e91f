/* A listening socket inside the virtual network's namespace: whoever reaches it stands in that
 * network. */
#include "origin/private.h"

enum { NAME_MAX_LEN = 63 };

static enum rc name_check(struct str name, struct err *e)
{
    if (name.len > NAME_MAX_LEN || str_find(name, '/') < name.len ||
        str_find(name, '\0') < name.len || str_is(name, ".") || str_is(name, ".."))
        return err_set(e, RC_INVALID, "not the name of a network namespace");
    return RC_OK;
}

static enum rc netns_read(struct attachment *at, const struct json *properties, struct arena *a,
                          struct str *ret_claim, struct err *e)
{
    struct str name;
    enum rc rc = origin_text_read(json_get(properties, "netns"), "name", &name, e);

    if (rc == RC_OK)
        rc = name_check(name, e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "netns");
    if (json_type(json_get(properties, "subnet")) == JSON_OBJECT)
        return err_set(e, RC_INVALID,
                       "only attachments of kind proxy name one subnet; this one "
                       "may name one for each interface");
    at->face.place = arena_copy(a, name);
    *ret_claim = arena_printf(a, "netns/%.*s", STR_ARG(name));
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

static void netns_resolve(const struct origin_table *t, const struct attachment *at,
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

const struct attachment_kind attachment_netns = {
    .name = "netns",
    .kind = ATTACH_NETNS,
    .read = netns_read,
    .resolve = netns_resolve,
};
