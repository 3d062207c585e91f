/* The mark that the host's firewall put on a connection. A mark belongs to the attachment whose
 * value it has in the bits of its mask. A mark that belongs to nobody, but has a bit in any
 * attachment's mask, is one that nobody knows; bits outside every mask are other programs' and mean
 * nothing. */
#include "base/mem.h"
#include "origin/private.h"

struct mark {
    uint32_t mask, value;
};
struct mark_entry {
    struct mark mark;
    const struct attachment *at;
};
struct marks {
    struct mark_entry *list;
    size_t n;
    uint32_t *masks; /* each once */
    size_t n_masks;
    uint32_t bits;      /* of all masks */
    struct map by_mark; /* struct mark → struct attachment */
};

static struct str key_of(const struct mark *m)
{
    return (struct str){(const char *)m, sizeof(*m)};
}

static enum rc number_read(const struct json *mark, const char *member, uint32_t *ret,
                           struct err *e)
{
    const struct json *j = json_get(mark, member);
    int64_t n = json_int(j, -1);

    if (json_type(j) != JSON_INTEGER || n < 0 || n > UINT32_MAX)
        return err_set(e, RC_INVALID, "mark: %s is not a number of 32 bits", member);
    *ret = (uint32_t)n;
    return RC_OK;
}

/* Value 0 is what every connection has that no rule marks. */
static enum rc mark_check(const struct mark *m, struct err *e)
{
    if (m->value == 0)
        return err_set(e, RC_INVALID, "mark: value is 0, which every connection without one has");
    if (m->value & ~m->mask)
        return err_set(e, RC_INVALID,
                       "mark: value has bits outside its mask, so it matches nothing");
    return RC_OK;
}

static enum rc mark_read(struct attachment *at, const struct json *properties, struct arena *a,
                         struct str *ret_claim, struct err *e)
{
    static const char *const others[] = {"subnet", "interfaces", "privateEndpoints", NULL};
    const struct json *object = json_get(properties, "mark");
    struct mark *m = ARENA_NEW(a, struct mark);
    enum rc rc = attachment_refuse(properties, "mark", others, e);

    (void)ret_claim;
    if (rc == RC_OK)
        rc = number_read(object, "value", &m->value, e);
    if (rc == RC_OK)
        rc = number_read(object, "mask", &m->mask, e);
    if (rc == RC_OK)
        rc = mark_check(m, e);
    if (rc == RC_OK && at->face.services != ORIGIN_SERVICE_DATA)
        rc = err_set(e, RC_INVALID, "attachments of kind mark have no listeners of their own");
    at->own = m;
    return rc;
}

static void add(struct marks *s, const struct mark *m, const struct attachment *at)
{
    bool known = false;

    for (size_t i = 0; i < s->n_masks; i++)
        known |= s->masks[i] == m->mask;
    if (!known) {
        s->masks = mem_grow(s->masks, s->n_masks + 1, sizeof(*s->masks));
        s->masks[s->n_masks++] = m->mask;
    }
    s->list = mem_grow(s->list, s->n + 1, sizeof(*s->list));
    s->list[s->n++] = (struct mark_entry){*m, at};
    s->bits |= m->mask;
    map_put(&s->by_mark, key_of(m), (void *)at);
}

/* Two overlap when some mark is both's: where both masks look, they agree. */
static enum rc mark_claim(struct origin_table *t, const struct attachment *at, struct err *e)
{
    struct marks *s = t->index[ATTACH_MARK];
    const struct mark *m = at->own;

    if (!s)
        t->index[ATTACH_MARK] = s = MEM_NEW(struct marks);
    for (size_t i = 0; i < s->n; i++) {
        const struct mark *o = &s->list[i].mark;

        if (((m->value ^ o->value) & m->mask & o->mask) == 0)
            return err_set(e, RC_CONFLICT, "mark 0x%x/0x%x overlaps 0x%x/0x%x of attachment %.*s",
                           m->value, m->mask, o->value, o->mask, STR_ARG(s->list[i].at->face.name));
    }
    add(s, m, at);
    return RC_OK;
}

static void marks_free(void *index)
{
    struct marks *s = index;

    if (!s)
        return;
    free(s->list);
    free(s->masks);
    map_done(&s->by_mark);
    free(s);
}

static bool mark_find(const struct origin_table *t, const struct evidence *ev,
                      const struct attachment **ret)
{
    const struct marks *s = t->index[ATTACH_MARK];

    *ret = NULL;
    if ((ev->mark & s->bits) == 0)
        return false;
    for (size_t i = 0; !*ret && i < s->n_masks; i++) {
        const struct mark m = {s->masks[i], ev->mark & s->masks[i]};

        *ret = map_get(&s->by_mark, key_of(&m));
    }
    return true;
}

const struct attachment_kind attachment_mark = {
    .name = "mark",
    .kind = ATTACH_MARK,
    .hears_no_others = true,
    .read = mark_read,
    .claim = mark_claim,
    .index_free = marks_free,
    .find = mark_find,
    .resolve = source_resolve,
};
