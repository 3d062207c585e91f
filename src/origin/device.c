/* A listening socket bound to an interface (bridge, VLAN, VXLAN, WireGuard): whoever reaches it
 * came through that interface. So did whoever reaches another socket of the server through it (one
 * with a narrower address, another port, or while the interface's own is not open yet). */
#include "origin/private.h"

#include <stdio.h>

enum { NAME_MAX_LEN = 15 }; /* IFNAMSIZ, without the end */

static enum rc device_read(struct attachment *at, const struct json *properties, struct arena *a,
                           struct str *ret_claim, struct err *e)
{
    return place_read(at, properties, NAME_MAX_LEN, a, ret_claim, e);
}

/* An interface that has no name any more may have been anybody's. Its name was asked for when the
 * connection was accepted, so an index that was given away again is not believed. */
static bool device_find(const struct origin_table *t, const struct evidence *ev,
                        const struct attachment **ret)
{
    size_t len = strnlen(ev->interface, sizeof(ev->interface));
    char key[sizeof("device/") + sizeof(ev->interface)];

    if (ev->ifindex == 0)
        return false;
    *ret = NULL;
    if (len == 0)
        return true;
    int n = snprintf(key, sizeof(key), "device/%.*s", (int)len, ev->interface);
    const struct attachment *at = map_get(&t->claims, (struct str){key, (size_t)n});

    *ret = at;
    return at != NULL;
}

const struct attachment_kind attachment_device = {
    .name = "device",
    .kind = ATTACH_DEVICE,
    .hears_no_others = true,
    .read = device_read,
    .find = device_find,
    .resolve = place_resolve,
};
