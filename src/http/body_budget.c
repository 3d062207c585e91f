/* What collected bodies may take of the memory. A small one is as bounded as the connection that it
 * comes by and always has room. Large ones share a budget, and of that nobody gets more than a
 * part: whoever announces much and sends nothing must not keep the others' bodies out. */
#include "http/exchange.h"

enum { SMALL_BODY = 64 * 1024, PART = 4 };

/* Two that hash alike share a part. */
static atomic_uint_fast64_t *part_of(struct http_exchange *x)
{
    struct str key = {(const char *)x->req.lane_key.bytes, sizeof(x->req.lane_key.bytes)};

    return &x->home->server->bodies_of[str_hash(key) % HTTP_BODY_PARTS];
}

static bool take(atomic_uint_fast64_t *from, uint64_t n, uint64_t most)
{
    if (atomic_fetch_add(from, n) + n <= most)
        return true;
    atomic_fetch_sub(from, n);
    return false;
}

bool http_body_reserve(struct http_exchange *x, uint64_t n)
{
    struct http_server *s = x->home->server;
    uint64_t budget = s->config.call_body_budget, part = budget / PART;

    if (n <= SMALL_BODY || n <= x->reserved)
        return true;
    if (part < HTTP_CALL_BODY_MAX)
        part = HTTP_CALL_BODY_MAX;
    uint64_t more = n - x->reserved;

    if (!take(part_of(x), more, part))
        return false;
    if (!take(&s->bodies, more, budget)) {
        atomic_fetch_sub(part_of(x), more);
        return false;
    }
    x->reserved = n;
    return true;
}

void http_body_release(struct http_exchange *x)
{
    atomic_fetch_sub(&x->home->server->bodies, x->reserved);
    atomic_fetch_sub(part_of(x), x->reserved);
    x->reserved = 0;
}
