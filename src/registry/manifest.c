#include "registry/manifest_format.h"
#include "registry/store.h"

/* --- pull --- */

struct get {
    const struct registry_where *where;
    struct reference reference;
    struct arena *arena;
    struct registry_manifest found;
};

static enum rc unknown(enum rc rc, struct err *e)
{
    if (rc == RC_NOT_FOUND)
        return err_code(e, rc, "MANIFEST_UNKNOWN", "no such manifest in this repository");
    return rc;
}

/* What is named badly is not there either: clients ask for both in the same way. */
static enum rc parse_known(struct str reference, struct reference *ret, struct err *e)
{
    return reference_parse(reference, ret, NULL) == RC_OK ? RC_OK : unknown(RC_NOT_FOUND, e);
}

static enum rc resolve(struct meta_tx *tx, const struct uuid *repository,
                       const struct reference *reference, struct digest *ret, struct err *e)
{
    if (reference->tag.ptr)
        return meta_tag_find(tx, repository, reference->tag, ret, e);
    *ret = reference->digest;
    return RC_OK;
}

static enum rc get_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    struct get *g = arg;
    struct meta_manifest m;
    struct uuid repository;
    struct digest digest;
    struct str bytes;
    enum rc rc = where_find(tx, g->where, &repository, e);

    if (rc != RC_OK)
        return rc;
    rc = resolve(tx, &repository, &g->reference, &digest, e);
    if (rc == RC_OK)
        rc = meta_manifest_find(tx, g->arena, &repository, &digest, &m, e);
    if (rc != RC_OK)
        return unknown(rc, e);
    rc = meta_manifest_bytes(tx, g->arena, &repository, &digest, &bytes, e);
    if (rc == RC_NOT_FOUND)
        return err_set(e, RC_INTERNAL, "the bytes of a manifest are missing");
    if (rc == RC_OK)
        g->found = (struct registry_manifest){m.digest, m.media_type, bytes, m.size};
    return rc;
}

enum rc registry_manifest_get(struct registry_store *s, const struct registry_where *w,
                              struct str reference, struct arena *a, struct registry_manifest *ret,
                              struct err *e)
{
    struct get g = {.where = w, .arena = a};
    uint64_t version = manifest_cache_version(s->manifests, w);
    enum rc rc = parse_known(reference, &g.reference, e);

    if (rc == RC_OK)
        rc = meta_read(s->meta, get_fn, &g, e);
    if (rc != RC_OK)
        return rc;
    manifest_cache_put(s->manifests, w, reference, version, &g.found);
    *ret = g.found;
    return RC_OK;
}

bool registry_manifest_cached(struct registry_store *s, const struct registry_where *w,
                              struct str reference, struct arena *a, struct registry_manifest *ret)
{
    return manifest_cache_get(s->manifests, w, reference, a, ret);
}

static enum rc write_manifests(struct registry_store *s, const struct registry_where *w,
                               meta_fn *fn, void *arg, struct err *e)
{
    manifest_cache_changes(s->manifests, w);
    enum rc rc = meta_write(s->meta, &w->registry, fn, arg, e);

    manifest_cache_changes(s->manifests, w);
    return rc;
}

/* --- push --- */

struct put {
    const struct registry_where *where;
    struct reference reference;
    struct str bytes;
    struct manifest parsed;
    struct digest digest;
};

static enum rc refuse_reference(const struct manifest_reference *r, const char *what, struct err *e)
{
    char text[DIGEST_TEXT_MAX];

    return err_code(e, RC_INVALID, "MANIFEST_BLOB_UNKNOWN",
                    "the manifest refers to %s %s, which is not in this repository", what,
                    digest_format(&r->digest, text).ptr);
}

static enum rc check_size(const struct manifest_reference *r, uint64_t size, struct err *e)
{
    char text[DIGEST_TEXT_MAX];

    if (r->size == size)
        return RC_OK;
    return err_code(
        e, RC_INVALID, "MANIFEST_INVALID", "the manifest gives %s %llu bytes, it has %llu",
        digest_format(&r->digest, text).ptr, (unsigned long long)r->size, (unsigned long long)size);
}

static enum rc check_reference(struct meta_tx *tx, const struct uuid *repository,
                               const struct manifest_reference *r,
                               enum meta_reference_kind *ret_kind, struct err *e)
{
    bool blob_will_do = r->need == MANIFEST_NEEDS_BLOB || r->need == MANIFEST_NEEDS_EITHER;
    bool manifest_will_do = r->need == MANIFEST_NEEDS_MANIFEST || r->need == MANIFEST_NEEDS_EITHER;
    uint64_t size = r->size;
    enum rc rc = RC_NOT_FOUND;

    *ret_kind = META_REFERENCE_BLOB;
    if (r->need == MANIFEST_NEEDS_NOTHING)
        return RC_OK;
    if (manifest_will_do) {
        rc = meta_manifest_size(tx, repository, &r->digest, &size, e);
        if (rc == RC_OK)
            *ret_kind = META_REFERENCE_MANIFEST;
    }
    if (rc == RC_NOT_FOUND && blob_will_do)
        rc = meta_link_find(tx, repository, &r->digest, &size, e);
    if (rc == RC_NOT_FOUND)
        return refuse_reference(r, blob_will_do ? "blob" : "manifest", e);
    return rc == RC_OK ? check_size(r, size, e) : rc;
}

static enum rc put_references(struct meta_tx *tx, const struct uuid *repository,
                              const struct put *p, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < p->parsed.n_references; i++) {
        const struct manifest_reference *r = &p->parsed.references[i];
        enum meta_reference_kind kind;

        rc = check_reference(tx, repository, r, &kind, e);
        if (rc == RC_OK)
            rc = meta_manifest_refer(tx, repository, &p->digest, kind, &r->digest, e);
    }
    return rc;
}

static enum rc put_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct put *p = arg;
    const struct meta_manifest row = {
        .digest = p->digest,
        .media_type = p->parsed.media_type,
        .artifact_type = p->parsed.artifact_type,
        .subject = p->parsed.subject,
        .size = p->bytes.len,
    };
    struct uuid repository;
    enum rc rc = where_judge(p->where, e);

    if (rc == RC_OK)
        rc = meta_repository_make(tx, &p->where->registry, p->where->repository, &repository, e);
    if (rc == RC_OK)
        rc = meta_manifest_put(tx, &repository, &row, p->bytes, e);
    if (rc == RC_OK)
        rc = put_references(tx, &repository, p, e);
    if (rc == RC_OK && p->reference.tag.ptr)
        rc = meta_tag_put(tx, &repository, p->reference.tag, &p->digest, e);
    return rc;
}

/* A push by digest says what the bytes must be; a push by tag takes sha256. */
static enum rc put_digest(struct put *p, struct err *e)
{
    bool by_tag = p->reference.tag.ptr != NULL;

    hash_bytes(by_tag ? DIGEST_SHA256 : p->reference.digest.algorithm, p->bytes, &p->digest);
    if (by_tag || digest_eq(&p->digest, &p->reference.digest))
        return RC_OK;
    return err_code(e, RC_INVALID, "DIGEST_INVALID",
                    "the manifest does not have the digest that it is pushed under");
}

enum rc registry_manifest_put(struct registry_store *s, const struct registry_where *w,
                              struct str reference, struct str media_type, struct str bytes,
                              struct registry_pushed *ret, struct err *e)
{
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(MANIFEST_PARSE_MEMORY);
    struct put p = {.where = w, .bytes = bytes};
    enum rc rc = reference_parse(reference, &p.reference, e);

    if (rc == RC_OK)
        rc = manifest_parse(&arena, media_type, bytes, &p.parsed, e);
    if (rc == RC_OK)
        rc = put_digest(&p, e);
    if (rc == RC_OK)
        rc = write_manifests(s, w, put_fn, &p, e);
    if (rc == RC_OK)
        *ret = (struct registry_pushed){p.digest, p.parsed.subject};
    return rc;
}

/* --- delete --- */

struct removal {
    const struct registry_where *where;
    struct reference reference;
};

static enum rc delete_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct removal *r = arg;
    struct uuid repository;
    enum rc rc = where_judge(r->where, e);

    if (rc == RC_OK)
        rc = where_find(tx, r->where, &repository, e);
    if (rc != RC_OK)
        return rc;
    if (r->reference.tag.ptr)
        rc = meta_tag_delete(tx, &repository, r->reference.tag, e);
    else
        rc = meta_manifest_delete(tx, &repository, &r->reference.digest, e);
    return unknown(rc, e);
}

enum rc registry_manifest_delete(struct registry_store *s, const struct registry_where *w,
                                 struct str reference, struct err *e)
{
    struct removal r = {.where = w};
    enum rc rc = parse_known(reference, &r.reference, e);

    return rc == RC_OK ? write_manifests(s, w, delete_fn, &r, e) : rc;
}
