#include "arm/id.h"

/* The next segment of *rest, past any slashes; STR_NONE at the end. */
static struct str segment_next(struct str *rest)
{
    struct str seg;

    while (rest->len > 0 && rest->ptr[0] == '/')
        *rest = str_skip(*rest, 1);
    if (rest->len == 0)
        return STR_NONE;
    seg = str_take(*rest, str_find(*rest, '/'));
    *rest = str_skip(*rest, seg.len);
    return seg;
}

static bool segment_ok(struct str s)
{
    if (s.len == 0 || str_is(s, ".") || str_is(s, ".."))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c < 0x20 || c == 0x7F || memchr("%?#\\", c, 4))
            return false;
    }
    return true;
}

static enum rc malformed(struct str text, struct err *e)
{
    return err_code(
        e, RC_INVALID, "LinkedInvalidPropertyId",
        "Property id '%.*s' is invalid. Expect fully qualified resource Id that start with "
        "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
        STR_ARG(str_take(text, 300)));
}

/* type/name pairs up to the end. */
static bool parts_parse(struct str *rest, struct arm_id *id)
{
    struct str seg;

    id->provider = segment_next(rest);
    if (!segment_ok(id->provider))
        return false;
    while ((seg = segment_next(rest)).len > 0) {
        if (id->n == ARM_ID_DEPTH)
            return false;
        id->parts[id->n].type = seg;
        id->parts[id->n].name = segment_next(rest);
        if (!segment_ok(seg) || !segment_ok(id->parts[id->n].name))
            return false;
        id->n++;
    }
    return id->n > 0;
}

static bool scope_parse(struct str *rest, struct arm_id *id)
{
    struct str word = segment_next(rest);

    if (str_is_nocase(word, "subscriptions")) {
        id->subscription = segment_next(rest);
        if (!segment_ok(id->subscription))
            return false;
        word = segment_next(rest);
    }
    if (id->subscription.len > 0 && str_is_nocase(word, "resourceGroups")) {
        id->group = segment_next(rest);
        if (!segment_ok(id->group))
            return false;
        word = segment_next(rest);
    }
    if (word.len == 0)
        return id->subscription.len > 0;
    return str_is_nocase(word, "providers") && parts_parse(rest, id);
}

enum rc arm_id_parse(struct str text, struct arm_id *ret, struct err *e)
{
    struct arm_id id = {0};
    struct str rest = text;

    if (text.len == 0 || text.len > ARM_ID_MAX || text.ptr[0] != '/' || !scope_parse(&rest, &id))
        return malformed(text, e);
    *ret = id;
    return RC_OK;
}

bool arm_id_is(const struct arm_id *id, const char *type)
{
    struct str rest = str_from(type);

    if (!str_eq_nocase(id->provider, str_split(&rest, '/')))
        return false;
    for (size_t i = 0; i < id->n; i++)
        if (rest.len == 0 || !str_eq_nocase(id->parts[i].type, str_split(&rest, '/')))
            return false;
    return rest.len == 0;
}

bool arm_id_same(const struct arm_id *a, const struct arm_id *b)
{
    if (a->n != b->n || !str_eq_nocase(a->subscription, b->subscription) ||
        !str_eq_nocase(a->group, b->group) || !str_eq_nocase(a->provider, b->provider))
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq_nocase(a->parts[i].type, b->parts[i].type) ||
            !str_eq_nocase(a->parts[i].name, b->parts[i].name))
            return false;
    return true;
}

static void add_pair(struct buf *b, struct str name, struct str value)
{
    if (value.len > 0)
        buf_addf(b, "/%.*s/%.*s", STR_ARG(name), STR_ARG(value));
}

struct str arm_id_format(const struct arm_id *id, struct arena *a)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(2 * ARM_ID_MAX);

    add_pair(&b, STR("subscriptions"), id->subscription);
    add_pair(&b, STR("resourceGroups"), id->group);
    add_pair(&b, STR("providers"), id->provider);
    for (size_t i = 0; i < id->n; i++)
        add_pair(&b, id->parts[i].type, id->parts[i].name);
    return arena_copy(a, buf_str(&b));
}

struct arm_id arm_id_parent(const struct arm_id *id)
{
    struct arm_id parent = *id;

    if (parent.n > 0)
        parent.n--;
    return parent;
}
