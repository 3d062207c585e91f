#include "registry/store.h"
#include "sys/fd.h"

struct link {
    const struct registry_where *where;
    const struct digest *digest;
    struct str from; /* of a mount; ptr NULL: any */
    uint64_t size;
};

static enum rc find_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    struct link *l = arg;
    struct uuid repository;
    enum rc rc = where_find(tx, l->where, &repository, e);

    if (rc != RC_OK)
        return rc;
    return blob_unknown(meta_link_find(tx, &repository, l->digest, &l->size, e), l->digest, e);
}

enum rc registry_blob_stat(struct registry_store *s, const struct registry_where *w,
                           const struct digest *d, uint64_t *ret_size, struct err *e)
{
    struct link l = {.where = w, .digest = d};
    enum rc rc = meta_read(s->meta, find_fn, &l, e);

    if (rc == RC_OK)
        *ret_size = l.size;
    return rc;
}

enum rc registry_blob_open(struct registry_store *s, const struct registry_where *w,
                           const struct digest *d, int *ret_fd, uint64_t *ret_size, struct err *e)
{
    struct link l = {.where = w, .digest = d};
    enum rc rc = meta_read(s->meta, find_fn, &l, e);
    CLEANUP(fd_closep) int fd = -1;
    uint64_t size = 0;

    if (rc == RC_OK)
        rc = blob_open(s->blobs, d, &fd, &size, e);
    else
        return rc;
    if (rc == RC_NOT_FOUND) /* it is linked: our store lost it */
        return err_prefix(e, RC_INTERNAL, "a linked blob is missing");
    if (rc != RC_OK)
        return rc;
    if (size != l.size)
        return err_set(e, RC_CORRUPT, "a blob has %llu bytes instead of %llu",
                       (unsigned long long)size, (unsigned long long)l.size);
    *ret_fd = fd;
    *ret_size = size;
    fd = -1;
    return RC_OK;
}

static enum rc delete_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct link *l = arg;
    struct uuid repository;
    enum rc rc = where_judge(l->where, e);

    if (rc == RC_OK)
        rc = where_find(tx, l->where, &repository, e);
    if (rc != RC_OK)
        return rc;
    return blob_unknown(meta_link_delete(tx, &repository, l->digest, e), l->digest, e);
}

enum rc registry_blob_delete(struct registry_store *s, const struct registry_where *w,
                             const struct digest *d, struct err *e)
{
    struct link l = {.where = w, .digest = d};

    return meta_write(s->meta, &w->registry, delete_fn, &l, e);
}

/* --- mount --- */

struct holder {
    struct meta_tx *tx;
    struct link *link;
    bool found;
};

/* RC_EXISTS ends the search. */
static enum rc note_holder(struct str name, void *arg, struct err *e)
{
    struct holder *h = arg;
    struct uuid repository;
    enum rc rc = meta_repository_find(h->tx, &h->link->where->registry, name, &repository, e);

    if (rc == RC_OK)
        rc = meta_link_find(h->tx, &repository, h->link->digest, &h->link->size, e);
    h->found = rc == RC_OK;
    return h->found ? RC_EXISTS : rc;
}

static enum rc find_source(struct meta_tx *tx, struct link *l, struct err *e)
{
    struct holder h = {.tx = tx, .link = l};
    enum rc rc = l->from.ptr
                     ? note_holder(l->from, &h, e)
                     : meta_link_holders(tx, &l->where->registry, l->digest, note_holder, &h, e);

    if (h.found)
        return RC_OK;
    return blob_unknown(rc == RC_OK ? RC_NOT_FOUND : rc, l->digest, e);
}

static enum rc mount_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    struct link *l = arg;
    struct uuid repository;
    enum rc rc = where_judge(l->where, e);

    if (rc == RC_OK)
        rc = find_source(tx, l, e);
    if (rc == RC_OK)
        rc = meta_repository_make(tx, &l->where->registry, l->where->repository, &repository, e);
    return rc == RC_OK ? meta_link_put(tx, &repository, l->digest, l->size, e) : rc;
}

enum rc registry_blob_mount(struct registry_store *s, const struct registry_where *w,
                            const struct digest *d, struct str from, struct err *e)
{
    struct link l = {.where = w, .digest = d, .from = from};

    return meta_write(s->meta, &w->registry, mount_fn, &l, e);
}
