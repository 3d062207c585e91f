/* The source address alone. As good as the network filters spoofed ones. */
#include "base/mem.h"
#include "origin/private.h"

enum { PREFIXES_MAX = 1024 };

struct prefixes {
    struct cidr *list;
    size_t n;
};
struct range {
    struct cidr cidr;
    const struct attachment *at;
};
struct ranges_claimed {
    struct range *list; /* ascending and disjoint */
    size_t n;
};

static enum rc range_read(struct attachment *at, const struct json *properties, struct arena *a,
                          struct str *ret_claim, struct err *e)
{
    static const char *const others[] = {"subnet", "interfaces", "privateEndpoints", NULL};
    const struct json *list = json_path(properties, "range.addressPrefixes");
    struct prefixes *p = ARENA_NEW(a, struct prefixes);
    enum rc rc = attachment_refuse(properties, "range", others, e);

    (void)ret_claim;
    if (rc != RC_OK)
        return rc;
    if (at->face.services != ORIGIN_SERVICE_DATA)
        return err_set(e, RC_INVALID, "attachments of kind range have no listeners of their own");
    p->n = json_type(list) == JSON_ARRAY ? json_len(list) : 0;
    if (p->n == 0 || p->n > PREFIXES_MAX)
        return err_set(e, RC_INVALID, "range: addressPrefixes has 1 to %d address prefixes",
                       PREFIXES_MAX);
    p->list = arena_alloc(a, p->n * sizeof(*p->list));
    for (size_t i = 0; rc == RC_OK && i < p->n; i++)
        rc = cidr_parse(json_str(json_at(list, i)), &p->list[i], e);
    at->own = p;
    return rc == RC_OK ? rc : err_prefix(e, rc, "range");
}

/* How many begin at or before the address. */
static size_t up_to(const struct ranges_claimed *s, const struct ip_addr *a)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ip_cmp(&s->list[middle].cidr.addr, a) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Those in the list are disjoint: one that overlaps holds the beginning, or begins next. */
static const struct range *overlapped(const struct ranges_claimed *s, const struct cidr *c,
                                      size_t at)
{
    if (at > 0 && cidr_overlaps(&s->list[at - 1].cidr, c))
        return &s->list[at - 1];
    return at < s->n && cidr_overlaps(&s->list[at].cidr, c) ? &s->list[at] : NULL;
}

static enum rc claim_one(struct ranges_claimed *s, const struct cidr *c,
                         const struct attachment *at, struct err *e)
{
    size_t i = up_to(s, &c->addr);
    const struct range *other = overlapped(s, c, i);
    char mine[CIDR_TEXT_MAX], theirs[CIDR_TEXT_MAX];

    if (other) {
        bool same = other->at == at;

        cidr_format(c, mine);
        cidr_format(&other->cidr, theirs);
        return err_set(e, same ? RC_INVALID : RC_CONFLICT, "range %s overlaps %s%s%.*s", mine,
                       theirs, same ? "" : " of attachment ",
                       STR_ARG(same ? STR("") : other->at->face.name));
    }
    s->list = mem_grow(s->list, s->n + 1, sizeof(*s->list));
    memmove(&s->list[i + 1], &s->list[i], (s->n - i) * sizeof(*s->list));
    s->list[i] = (struct range){*c, at};
    s->n++;
    return RC_OK;
}

static enum rc range_claim(struct origin_table *t, const struct attachment *at, struct err *e)
{
    struct ranges_claimed *s = t->index[ATTACH_RANGE];
    const struct prefixes *p = at->own;
    enum rc rc = RC_OK;

    if (!s)
        t->index[ATTACH_RANGE] = s = MEM_NEW(struct ranges_claimed);
    for (size_t i = 0; rc == RC_OK && i < p->n; i++)
        rc = claim_one(s, &p->list[i], at, e);
    return rc;
}

static void ranges_claimed_free(void *index)
{
    struct ranges_claimed *s = index;

    if (!s)
        return;
    free(s->list);
    free(s);
}

static bool range_find(const struct origin_table *t, const struct evidence *ev,
                       const struct attachment **ret)
{
    const struct ranges_claimed *s = t->index[ATTACH_RANGE];
    size_t i = up_to(s, &ev->peer);

    if (i == 0 || !cidr_contains(&s->list[i - 1].cidr, &ev->peer))
        return false;
    *ret = s->list[i - 1].at;
    return true;
}

const struct attachment_kind attachment_range = {
    .name = "range",
    .kind = ATTACH_RANGE,
    .read = range_read,
    .claim = range_claim,
    .index_free = ranges_claimed_free,
    .find = range_find,
    .resolve = source_resolve,
};
