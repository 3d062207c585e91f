#include "base/mem.h"
#include "snapshot/private.h"
#include <assert.h>

/* A case-insensitive hash: of the lower-cased text, in pieces so that no length needs memory. */
static uint64_t text_hash(struct str s)
{
    char lower[512];
    uint64_t h = 0;

    do {
        struct str piece = str_take(s, sizeof(lower));

        for (size_t i = 0; i < piece.len; i++)
            lower[i] = ascii_lower(piece.ptr[i]);
        h = h * 31 + str_hash((struct str){lower, piece.len});
        s = str_skip(s, piece.len);
    } while (s.len > 0);
    return h;
}

static struct str uuid_text(const struct uuid *u)
{
    return (struct str){(const char *)u->bytes, sizeof(u->bytes)};
}

void index_hash(struct registry_entry *r)
{
    r->hash[INDEX_HOST] = text_hash(r->face.login_host);
    r->hash[INDEX_NAME] = text_hash(r->face.name);
    r->hash[INDEX_UUID] = str_hash(uuid_text(&r->face.uuid));
}

static bool same_key(const struct registry_entry *r, enum index_key key, struct str wanted)
{
    switch (key) {
    case INDEX_HOST:
        return str_eq_nocase(r->face.login_host, wanted);
    case INDEX_NAME:
        return str_eq_nocase(r->face.name, wanted);
    default:
        return str_eq(uuid_text(&r->face.uuid), wanted);
    }
}

static struct str key_of(const struct registry_entry *r, enum index_key key)
{
    return key == INDEX_HOST   ? r->face.login_host
           : key == INDEX_NAME ? r->face.name
                               : uuid_text(&r->face.uuid);
}

/* The slot that holds the key, or the free one where it would stand. */
static uint32_t *slot_find(const struct snapshot_index *x, enum index_key key, struct str wanted,
                           uint64_t hash)
{
    for (size_t i = (size_t)hash & x->mask;; i = (i + 1) & x->mask) {
        uint32_t *slot = &x->slots[key][i];
        const struct registry_entry *r = *slot ? x->list[*slot - 1] : NULL;

        if (!r || (r->hash[key] == hash && same_key(r, key, wanted)))
            return slot;
    }
}

static enum rc index_add(struct snapshot_index *x, size_t place, struct err *e)
{
    const struct registry_entry *r = x->list[place];

    for (int key = 0; key < INDEX_KEYS; key++) {
        struct str wanted = key_of(r, (enum index_key)key);
        uint32_t *slot = slot_find(x, (enum index_key)key, wanted, r->hash[key]);

        if (*slot)
            return err_set(e, RC_CONFLICT, "registries %.*s and %.*s cannot be told apart",
                           STR_ARG(x->list[*slot - 1]->face.id), STR_ARG(r->face.id));
        *slot = (uint32_t)(place + 1);
    }
    return RC_OK;
}

enum rc index_new(struct registry_entry **list, size_t n, struct snapshot_index **ret,
                  struct err *e)
{
    struct snapshot_index *x = MEM_NEW(struct snapshot_index);
    size_t slots = 4;
    enum rc rc = RC_OK;

    assert(n < UINT32_MAX / 4);
    while (slots < 2 * n)
        slots *= 2;
    x->list = list;
    x->n = n;
    x->mask = slots - 1;
    for (int key = 0; key < INDEX_KEYS; key++)
        x->slots[key] = MEM_ARRAY(uint32_t, slots);
    for (size_t i = 0; rc == RC_OK && i < n; i++)
        rc = index_add(x, i, e);
    if (rc == RC_OK)
        *ret = x;
    else
        index_free(x);
    return rc;
}

void index_free(struct snapshot_index *x)
{
    if (!x)
        return;
    for (int key = 0; key < INDEX_KEYS; key++)
        free(x->slots[key]);
    free(x->list);
    free(x);
}

static struct registry_entry *index_find(const struct snapshot_index *x, enum index_key key,
                                         struct str wanted, uint64_t hash)
{
    uint32_t place = *slot_find(x, key, wanted, hash);

    return place ? x->list[place - 1] : NULL;
}

struct registry_entry *index_uuid(const struct snapshot_index *x, const struct uuid *u,
                                  size_t *ret_place)
{
    struct str wanted = uuid_text(u);
    uint32_t place = *slot_find(x, INDEX_UUID, wanted, str_hash(wanted));

    if (!place)
        return NULL;
    if (ret_place)
        *ret_place = place - 1;
    return x->list[place - 1];
}

/* --- reading --- */

static const struct snapshot_registry *face_of(const struct registry_entry *r)
{
    return r ? &r->face : NULL;
}

const struct snapshot_registry *snapshot_by_host(const struct snapshot *s, struct str host)
{
    const struct snapshot_registry *r =
        face_of(index_find(s->index, INDEX_HOST, host, text_hash(host)));

    return r && !r->creating ? r : NULL;
}

const struct snapshot_registry *snapshot_by_name(const struct snapshot *s, struct str name)
{
    return face_of(index_find(s->index, INDEX_NAME, name, text_hash(name)));
}

const struct snapshot_registry *snapshot_by_uuid(const struct snapshot *s, const struct uuid *u)
{
    return face_of(index_uuid(s->index, u, NULL));
}
