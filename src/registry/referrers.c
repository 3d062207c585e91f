/* Referrers: manifests that have another one as their subject (OCI distribution, "Listing
 * Referrers"). Their descriptors are made from rows; only annotations are read from the bytes, of
 * which a page has no more than one manifest may have. */
#include "base/mem.h"
#include "registry/manifest_format.h"
#include "registry/store.h"

enum { PAGE_ENTRIES = 1000, PAGE_BYTES = REGISTRY_MANIFEST_MAX };

struct referrers {
    const struct registry_where *where;
    const struct registry_referrers *which;
    struct arena arena;
    struct meta_manifest list[PAGE_ENTRIES];
    size_t n;
    uint64_t bytes; /* of those in the list */
    bool more;
    struct buf *out;
};

/* RC_EXISTS ends the page: there is one that does not fit. */
static enum rc note(const struct meta_manifest *m, void *arg, struct err *e)
{
    struct referrers *r = arg;

    r->more = r->n == PAGE_ENTRIES || (r->n > 0 && r->bytes + m->size > PAGE_BYTES);
    if (r->more)
        return err_set(e, RC_EXISTS, "the page is full");
    r->bytes += m->size;
    r->list[r->n++] = *m;
    return RC_OK;
}

static void add_member(struct buf *out, const char *head, struct str value)
{
    buf_add(out, str_from(head));
    buf_add_json(out, value);
}

static enum rc add_descriptor(struct meta_tx *tx, const struct uuid *repository,
                              const struct meta_manifest *m, struct buf *out, struct err *e)
{
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(2 * REGISTRY_MANIFEST_MAX);
    CLEANUP(buf_done) struct buf annotations = BUF_INIT(out->max);
    char digest[DIGEST_TEXT_MAX];
    struct str bytes;
    enum rc rc = meta_manifest_bytes(tx, &arena, repository, &m->digest, &bytes, e);

    if (rc == RC_NOT_FOUND)
        return err_set(e, RC_INTERNAL, "the bytes of a manifest are missing");
    if (rc != RC_OK)
        return rc;
    if (!manifest_add_annotations(bytes, &annotations))
        return err_set(e, RC_CORRUPT, "a stored manifest cannot be read");
    add_member(out, "{\"mediaType\":", m->media_type);
    add_member(out, ",\"digest\":", digest_format(&m->digest, digest));
    buf_addf(out, ",\"size\":%llu", (unsigned long long)m->size);
    if (m->artifact_type.len > 0)
        add_member(out, ",\"artifactType\":", m->artifact_type);
    if (annotations.len > 0) {
        buf_add(out, STR(",\"annotations\":"));
        buf_add(out, buf_str(&annotations));
    }
    buf_addc(out, '}');
    return buf_status(&annotations, e);
}

static enum rc find(struct meta_tx *tx, struct referrers *r, const struct uuid *repository,
                    struct err *e)
{
    const struct meta_referrers which = {
        .subject = r->which->subject,
        .artifact_type = r->which->artifact_type,
        .last = r->which->last,
        .limit = PAGE_ENTRIES + 1,
    };
    enum rc rc = meta_manifest_referrers(tx, &r->arena, repository, &which, note, r, e);

    return r->more ? RC_OK : rc;
}

static enum rc list_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    struct referrers *r = arg;
    struct uuid repository;
    enum rc rc = where_find(tx, r->where, &repository, e);

    if (rc == RC_NOT_FOUND) /* nothing refers to anything there */
        return RC_OK;
    if (rc == RC_OK)
        rc = find(tx, r, &repository, e);
    for (size_t i = 0; rc == RC_OK && i < r->n; i++) {
        if (i > 0)
            buf_addc(r->out, ',');
        rc = add_descriptor(tx, &repository, &r->list[i], r->out, e);
    }
    return rc;
}

enum rc registry_referrers(struct registry_store *s, const struct registry_where *w,
                           const struct registry_referrers *which, struct buf *out,
                           struct digest *ret_last, struct err *e)
{
    struct referrers *r = MEM_NEW(struct referrers);

    r->where = w;
    r->which = which;
    r->out = out;
    r->arena = ARENA_INIT(PAGE_ENTRIES * 1024);
    buf_add(out, STR("{\"schemaVersion\":2,"
                     "\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":["));
    enum rc rc = meta_read(s->meta, list_fn, r, e);

    buf_add(out, STR("]}"));
    if (rc == RC_OK)
        rc = buf_status(out, e);
    if (rc == RC_OK)
        *ret_last = r->more ? r->list[r->n - 1].digest : (struct digest){0};
    arena_done(&r->arena);
    free(r);
    return rc;
}
