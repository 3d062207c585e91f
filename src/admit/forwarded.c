/* What a trusted forwarder says of a request. It is believed of nobody else, and of no connection
 * whose network is known from something better than its address. */
#include "admit/forwarded.h"
#include "admit/private.h"
#include <assert.h>

bool forwarded_trusts(const struct forwarded_trust *t, const struct ip_addr *a)
{
    for (size_t i = 0; i < t->n; i++)
        if (cidr_contains(&t->list[i], a))
            return true;
    return false;
}

/* --- X-Forwarded-For --- */

static enum rc port_parse(struct str s, uint16_t *ret, struct err *e)
{
    uint64_t port = 0;

    if (s.len > 5 || str_to_u64(s, &port) != RC_OK || port > UINT16_MAX)
        return err_set(e, RC_INVALID, "a port that is none");
    *ret = (uint16_t)port;
    return RC_OK;
}

/* ADDRESS, IPV4:PORT, [IPV6] or [IPV6]:PORT */
static enum rc hop_parse(struct str s, struct ip_addr *ret, uint16_t *ret_port, struct err *e)
{
    bool bracket = str_starts(s, STR("["));
    size_t end = str_find(s, bracket ? ']' : ':');
    struct str rest = str_skip(s, end + (bracket ? 1 : 0)), address = str_take(s, end);
    uint16_t port = 0;
    enum rc rc = RC_OK;

    *ret_port = 0;
    if (!bracket && str_find_last(s, ':') != end) /* several colons: IPv6 alone */
        return ip_parse(s, ret, e);
    if (bracket && end == s.len)
        return err_set(e, RC_INVALID, "a bracket that stays open");
    if (bracket)
        address = str_skip(address, 1);
    if (bracket && str_find(address, ':') == address.len)
        return err_set(e, RC_INVALID, "brackets around what is no IPv6 address");
    if (rest.len > 0)
        rc = rest.ptr[0] == ':' ? port_parse(str_skip(rest, 1), &port, e)
                                : err_set(e, RC_INVALID, "something after the address");
    if (rc == RC_OK)
        rc = ip_parse(address, ret, e);
    if (rc == RC_OK)
        *ret_port = port;
    return rc;
}

enum rc forwarded_client(struct str value, const struct forwarded_trust *t, struct ip_addr *ret,
                         uint16_t *ret_port, struct err *e)
{
    struct ip_addr hop;
    uint16_t port;
    bool more = true;

    while (more) {
        size_t comma = str_find_last(value, ',');
        struct str last = str_trim(comma < value.len ? str_skip(value, comma + 1) : value);
        enum rc rc = hop_parse(last, &hop, &port, e);

        if (rc != RC_OK)
            return rc;
        more = comma < value.len && forwarded_trusts(t, &hop);
        value = str_take(value, comma);
    }
    *ret = hop;
    *ret_port = port;
    return RC_OK;
}

/* --- the request --- */

static void take_client(struct evidence *ev, struct str value, const struct forwarded_trust *t)
{
    struct ip_addr client;
    uint16_t port = 0;

    if (forwarded_client(value, t, &client, &port, NULL) != RC_OK) {
        ev->unreadable = true;
        return;
    }
    ev->via = ev->peer;
    ev->via_port = ev->peer_port;
    ev->peer = client;
    ev->peer_port = port;
}

void admit_forward(struct http_request *req)
{
    const struct admission *a = req->admission;
    const struct evidence *ev = req->evidence;
    const struct forwarded_trust *trust = &a->admit->config.forwarders;
    struct str client = http_field(req, "X-Forwarded-For"),
               scheme = http_field(req, "X-Forwarded-Proto");

    if (ev->class != NET_DATA || ev->arrival != NET_MAIN || (!client.ptr && !scheme.ptr) ||
        !forwarded_trusts(trust, &ev->peer))
        return;
    struct evidence *said = ARENA_NEW(&req->arena, struct evidence);

    assert(said); /* as for the admission */
    *said = *ev;
    if (client.ptr)
        take_client(said, client, trust);
    if (str_is_nocase(scheme, "https") || str_is_nocase(scheme, "http"))
        said->tls = str_is_nocase(scheme, "https");
    req->evidence = said;
}
