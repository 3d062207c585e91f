/* A value in the PROXY header of a proxy that the attachment names. Values of types that tell a
 * network are never passed over: a connection that carries one is its attachment's, or nobody's. */
#include "base/mem.h"
#include "origin/private.h"

#include <stdio.h>

enum { PEERS_MAX = 64, KEY_MAX = EVIDENCE_TLV_TEXT + 8 };

struct proxy {
    struct cidr *peers;
    size_t n_peers;
    uint8_t type;
    struct str value;
};
/* Attachments with the same value, each with proxies of its own. */
struct proxy_entry {
    struct proxy_entry *next;
    const struct attachment *at;
};
struct proxies {
    struct map by_tlv; /* type and value → struct proxy_entry, the arena's */
};

static struct str tlv_key(uint8_t type, struct str value, char out[KEY_MAX])
{
    int n = snprintf(out, KEY_MAX, "%u/%.*s", type, STR_ARG(value));

    return (struct str){out, (size_t)n};
}

/* --- how it is written down --- */

static enum rc peers_read(const struct json *list, struct arena *a, struct proxy *p, struct err *e)
{
    enum rc rc = RC_OK;

    if (json_type(list) != JSON_ARRAY || json_len(list) == 0)
        return err_set(e, RC_INVALID, "proxy: peers, a list of addresses, is missing");
    if (json_len(list) > PEERS_MAX)
        return err_set(e, RC_INVALID, "proxy: more than %d peers", PEERS_MAX);
    p->n_peers = json_len(list);
    p->peers = arena_alloc(a, p->n_peers * sizeof(*p->peers));
    for (size_t i = 0; rc == RC_OK && i < p->n_peers; i++)
        rc = cidr_parse(json_str(json_at(list, i)), &p->peers[i], e);
    return rc == RC_OK ? rc : err_prefix(e, rc, "proxy: peers");
}

/* As the header's own number is written: decimal, without zeros before it. */
static bool is_number(struct str s, uint64_t max)
{
    uint64_t n = 0;

    return str_to_u64(s, &n) == RC_OK && n <= max && (s.len == 1 || s.ptr[0] != '0');
}

static bool is_text(struct str s)
{
    bool good = s.len > 0 && s.len < EVIDENCE_TLV_TEXT;

    for (size_t i = 0; good && i < s.len; i++)
        good = s.ptr[i] > ' ' && s.ptr[i] < 0x7F;
    return good;
}

static enum rc tlv_read(const struct json *tlv, struct arena *a, struct proxy *p, struct err *e)
{
    int64_t type = json_int(json_get(tlv, "type"), -1);
    struct str value = json_str(json_get(tlv, "value"));
    bool good = false;

    switch (type) {
    case TLV_NAMESPACE:
    case TLV_ALIBABA:
    case TLV_AWS:
        good = is_text(value);
        break;
    case TLV_AZURE:
        good = is_number(value, UINT32_MAX);
        break;
    case TLV_GOOGLE:
        good = is_number(value, UINT64_MAX);
        break;
    default:
        return err_set(e, RC_INVALID,
                       "proxy: tlv.type is 234 (AWS), 238 (Azure), 224 (Google), 225 (Alibaba) or "
                       "48 (a namespace's name)");
    }
    if (!good)
        return err_set(e, RC_INVALID, "proxy: tlv.value is none of type %d", (int)type);
    p->type = (uint8_t)type;
    p->value = arena_copy(a, value);
    return RC_OK;
}

static enum rc proxy_read(struct attachment *at, const struct json *properties, struct arena *a,
                          struct str *ret_claim, struct err *e)
{
    static const char *const others[] = {"interfaces", NULL};
    const struct json *object = json_get(properties, "proxy");
    struct proxy *p = ARENA_NEW(a, struct proxy);
    enum rc rc = attachment_refuse(properties, "proxy", others, e);

    (void)ret_claim;
    at->own = p;
    if (rc == RC_OK)
        rc = peers_read(json_get(object, "peers"), a, p, e);
    if (rc == RC_OK)
        rc = tlv_read(json_get(object, "tlv"), a, p, e);
    if (rc == RC_OK && at->n_endpoints > 1)
        rc = err_set(e, RC_INVALID, "an attachment of kind proxy has one private endpoint at most");
    if (rc == RC_OK && at->n_endpoints > 0 && at->names_subnet)
        rc = err_set(e, RC_INVALID, "it names a subnet or a private endpoint, not both");
    if (rc == RC_OK && at->face.services != ORIGIN_SERVICE_DATA)
        rc = err_set(e, RC_INVALID, "attachments of kind proxy have no listeners of their own");
    return rc;
}

/* --- claims --- */

static bool has_peer(const struct proxy *p, const struct ip_addr *peer)
{
    for (size_t i = 0; i < p->n_peers; i++)
        if (cidr_contains(&p->peers[i], peer))
            return true;
    return false;
}

static bool peers_overlap(const struct proxy *a, const struct proxy *b)
{
    for (size_t i = 0; i < a->n_peers; i++)
        for (size_t j = 0; j < b->n_peers; j++)
            if (cidr_overlaps(&a->peers[i], &b->peers[j]))
                return true;
    return false;
}

static enum rc proxy_claim(struct origin_table *t, const struct attachment *at, struct err *e)
{
    struct proxies *s = t->index[ATTACH_PROXY];
    const struct proxy *p = at->own;
    char out[KEY_MAX];

    if (!s)
        t->index[ATTACH_PROXY] = s = MEM_NEW(struct proxies);
    struct str key = tlv_key(p->type, p->value, out);
    struct proxy_entry *first = map_get(&s->by_tlv, key);

    for (const struct proxy_entry *i = first; i; i = i->next)
        if (peers_overlap(p, i->at->own))
            return err_set(e, RC_CONFLICT,
                           "attachment %.*s has TLV %u=%.*s from the same proxy already",
                           STR_ARG(i->at->face.name), p->type, STR_ARG(p->value));
    struct proxy_entry *entry = ARENA_NEW(&t->arena, struct proxy_entry);

    *entry = (struct proxy_entry){first, at};
    map_put(&s->by_tlv, key, entry);
    return RC_OK;
}

static void proxies_free(void *index)
{
    struct proxies *s = index;

    if (!s)
        return;
    map_done(&s->by_tlv);
    free(s);
}

/* --- what it means --- */

static const struct attachment *find_one(const struct proxies *s, const struct evidence_tlv *tlv,
                                         const struct ip_addr *peer)
{
    char out[KEY_MAX];
    struct str value = {tlv->text, strnlen(tlv->text, sizeof(tlv->text))};
    const struct proxy_entry *i = map_get(&s->by_tlv, tlv_key(tlv->type, value, out));

    while (i && !has_peer(i->at->own, peer))
        i = i->next;
    return i ? i->at : NULL;
}

/* Each type that it carries must tell an attachment, and all the same one. (Alibaba sends several
 * values of one type, of which an attachment names one.) */
static bool proxy_find(const struct origin_table *t, const struct evidence *ev,
                       const struct attachment **ret)
{
    const struct proxies *s = t->index[ATTACH_PROXY];
    const struct attachment *found = NULL;
    bool told[UINT8_MAX + 1] = {false}, good = s != NULL;

    for (size_t i = 0; good && i < ev->n_tlvs; i++) {
        const struct attachment *at = find_one(s, &ev->tlvs[i], &ev->via);

        good = !at || !found || at == found;
        found = at ? at : found;
        told[ev->tlvs[i].type] |= at != NULL;
    }
    for (size_t i = 0; i < ev->n_tlvs; i++)
        good = good && told[ev->tlvs[i].type];
    *ret = good ? found : NULL;
    return ev->n_tlvs > 0;
}

static void proxy_resolve(const struct origin_table *t, const struct attachment *at,
                          const struct evidence *ev, struct origin *ret)
{
    if (at->n_endpoints > 0) {
        ret->kind = ORIGIN_PRIVATE_ENDPOINT;
        ret->private_endpoint = at->endpoints[0].endpoint;
    } else if (at->names_subnet) {
        origin_in_subnet(at, at->subnet, ret);
    } else {
        source_resolve(t, at, ev, ret);
    }
}

const struct attachment_kind attachment_proxy = {
    .name = "proxy",
    .kind = ATTACH_PROXY,
    .read = proxy_read,
    .claim = proxy_claim,
    .index_free = proxies_free,
    .find = proxy_find,
    .resolve = proxy_resolve,
};
