#include "registry/store.h"

struct listing {
    const struct registry_where *where; /* NULL: the catalog */
    const struct uuid *registry;
    struct meta_page page;
    size_t n; /* names to return */
    struct arena *arena;
    struct registry_names names;
};

static enum rc add_name(struct str name, void *arg, struct err *e)
{
    struct listing *l = arg;

    if (l->names.n == l->n) { /* one was asked for beyond the page, to know that there is one */
        l->names.more = true;
        return RC_OK;
    }
    struct str copy = arena_copy(l->arena, name);

    if (!copy.ptr)
        return err_set(e, RC_TOO_LARGE, "the list does not fit into the request's memory");
    l->names.list[l->names.n++] = copy;
    return RC_OK;
}

static enum rc list_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    struct listing *l = arg;
    struct uuid repository;

    if (!l->where)
        return meta_repository_each(tx, l->registry, &l->page, add_name, l, e);
    enum rc rc = where_find(tx, l->where, &repository, e);

    return rc == RC_OK ? meta_tag_each(tx, &repository, &l->page, add_name, l, e) : rc;
}

static enum rc list(struct registry_store *s, struct listing *l, struct registry_names *ret,
                    struct err *e)
{
    if (l->n > REGISTRY_PAGE_MAX)
        l->n = REGISTRY_PAGE_MAX;
    l->page.limit = l->n + 1;
    l->names.list = arena_alloc(l->arena, l->n * sizeof(struct str));
    if (!l->names.list)
        return err_set(e, RC_TOO_LARGE, "the list does not fit into the request's memory");
    enum rc rc = meta_read(s->meta, list_fn, l, e);

    if (rc == RC_OK)
        *ret = l->names;
    return rc;
}

enum rc registry_tags(struct registry_store *s, const struct registry_where *w, struct str last,
                      size_t n, struct arena *a, struct registry_names *ret, struct err *e)
{
    struct listing l = {.where = w, .page.last = last, .n = n, .arena = a};

    return list(s, &l, ret, e);
}

enum rc registry_catalog(struct registry_store *s, const struct uuid *registry, struct str last,
                         size_t n, struct arena *a, struct registry_names *ret, struct err *e)
{
    struct listing l = {.registry = registry, .page.last = last, .n = n, .arena = a};

    return list(s, &l, ret, e);
}
