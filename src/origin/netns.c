/* A listening socket inside the virtual network's namespace: whoever reaches it stands in that
 * network. */
#include "origin/private.h"

enum { NAME_MAX_LEN = 63 };

static enum rc netns_read(struct attachment *at, const struct json *properties, struct arena *a,
                          struct str *ret_claim, struct err *e)
{
    return place_read(at, properties, NAME_MAX_LEN, a, ret_claim, e);
}

const struct attachment_kind attachment_netns = {
    .name = "netns",
    .kind = ATTACH_NETNS,
    .read = netns_read,
    .resolve = place_resolve,
};
