#include "meta/content.h"
#include "base/clock.h"
#include "meta/tx.h"

/* Rows whose first column is a name. */
struct name_each {
    meta_name_fn *fn;
    void *arg;
};

static enum rc name_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct name_each *each = arg;

    return each->fn(db_text(row, 0), each->arg, e);
}

static int64_t limit_of(const struct meta_page *page)
{
    return page->limit > INT32_MAX ? INT32_MAX : (int64_t)page->limit;
}

/* --- repositories --- */

enum rc meta_repository_find(struct meta_tx *tx, const struct uuid *registry, struct str name,
                             struct uuid *ret, struct err *e)
{
    const struct db_value v[] = {DB_UUID(registry), DB_T(name)};
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_REPOSITORY_FIND, v, ARRAY_LEN(v), &row, e);

    if (rc == RC_NOT_FOUND)
        return err_set(e, rc, "no repository %.*s", STR_ARG(name));
    return rc == RC_OK ? tx_uuid(row, 0, ret, e) : rc;
}

enum rc meta_repository_make(struct meta_tx *tx, const struct uuid *registry, struct str name,
                             struct uuid *ret, struct err *e)
{
    enum rc rc = meta_repository_find(tx, registry, name, ret, e);

    if (rc != RC_NOT_FOUND)
        return rc;
    struct uuid id = uuid_random();
    const struct db_value v[] = {DB_UUID(&id), DB_UUID(registry), DB_T(name),
                                 DB_I(clock_wall_us())};

    rc = tx_exec(tx, META_REPOSITORY_ADD, v, ARRAY_LEN(v), NULL, e);
    /* Read back: another node may have been first. */
    return rc == RC_OK ? meta_repository_find(tx, registry, name, ret, e) : rc;
}

enum rc meta_repository_each(struct meta_tx *tx, const struct uuid *registry,
                             const struct meta_page *page, meta_name_fn *fn, void *arg,
                             struct err *e)
{
    const struct db_value v[] = {DB_UUID(registry), DB_T(page->last), DB_I(limit_of(page))};
    struct name_each each = {fn, arg};

    return tx_each(tx, META_REPOSITORY_EACH, v, ARRAY_LEN(v), name_row, &each, e);
}

/* --- links to blobs --- */

enum rc meta_link_find(struct meta_tx *tx, const struct uuid *repository, const struct digest *d,
                       uint64_t *ret_size, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(d, digest)};
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_LINK_FIND, v, ARRAY_LEN(v), &row, e);

    if (rc == RC_OK)
        *ret_size = (uint64_t)db_int(row, 0);
    return rc;
}

enum rc meta_registry_size(struct meta_tx *tx, const struct uuid *registry, uint64_t *ret,
                           struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_REGISTRY_SIZE, &DB_UUID(registry), 1, &row, e);

    if (rc == RC_OK)
        *ret = (uint64_t)db_int(row, 0);
    return rc;
}

enum rc meta_link_put(struct meta_tx *tx, const struct uuid *repository, const struct digest *d,
                      uint64_t size, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(d, digest), DB_I(size),
                                 DB_I(clock_wall_us())};

    return tx_exec(tx, META_LINK_PUT, v, ARRAY_LEN(v), NULL, e);
}

enum rc meta_link_delete(struct meta_tx *tx, const struct uuid *repository, const struct digest *d,
                         struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(d, digest)};

    return tx_exec_found(tx, META_LINK_DELETE, v, ARRAY_LEN(v), e);
}

enum rc meta_link_holders(struct meta_tx *tx, const struct uuid *registry, const struct digest *d,
                          meta_name_fn *fn, void *arg, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {tx_digest_value(d, digest), DB_UUID(registry)};
    struct name_each each = {fn, arg};

    return tx_each(tx, META_LINK_HOLDERS, v, ARRAY_LEN(v), name_row, &each, e);
}

/* --- manifests --- */

static enum rc manifest_row(const struct db_rows *row, struct arena *a, struct meta_manifest *m,
                            struct err *e)
{
    enum rc rc = tx_copy(a, row, 0, &m->media_type, e);

    if (rc == RC_OK)
        rc = tx_copy(a, row, 1, &m->artifact_type, e);
    if (rc == RC_OK && !db_null(row, 2))
        rc = tx_digest(row, 2, &m->subject, e);
    m->size = (uint64_t)db_int(row, 3);
    m->created_us = db_int(row, 4);
    return rc;
}

enum rc meta_manifest_find(struct meta_tx *tx, struct arena *a, const struct uuid *repository,
                           const struct digest *d, struct meta_manifest *ret, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(d, digest)};
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    struct meta_manifest m = {.digest = *d};
    enum rc rc = tx_query_row(tx, META_MANIFEST_FIND, v, ARRAY_LEN(v), &row, e);

    if (rc == RC_OK)
        rc = manifest_row(row, a, &m, e);
    if (rc == RC_OK)
        *ret = m;
    return rc;
}

struct manifest_each {
    struct arena *arena;
    meta_manifest_fn *fn;
    void *arg;
};

static enum rc referrer_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct manifest_each *each = arg;
    struct meta_manifest m = {0};
    enum rc rc = manifest_row(row, each->arena, &m, e);

    if (rc == RC_OK)
        rc = tx_digest(row, 5, &m.digest, e);
    return rc == RC_OK ? each->fn(&m, each->arg, e) : rc;
}

enum rc meta_manifest_referrers(struct meta_tx *tx, struct arena *a, const struct uuid *repository,
                                const struct meta_referrers *which, meta_manifest_fn *fn, void *arg,
                                struct err *e)
{
    uint8_t subject[TX_DIGEST_MAX], last[TX_DIGEST_MAX];
    const struct db_value v[] = {
        DB_UUID(repository),
        tx_digest_value(&which->subject, subject),
        digest_is_set(&which->last) ? tx_digest_value(&which->last, last) : DB_B(STR("")),
        DB_T(which->artifact_type),
        DB_I(which->limit),
    };
    struct manifest_each each = {a, fn, arg};

    return tx_each(tx, META_MANIFEST_REFERRERS, v, ARRAY_LEN(v), referrer_row, &each, e);
}

enum rc meta_manifest_size(struct meta_tx *tx, const struct uuid *repository,
                           const struct digest *d, uint64_t *ret_size, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(d, digest)};
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_MANIFEST_SIZE, v, ARRAY_LEN(v), &row, e);

    if (rc == RC_OK)
        *ret_size = (uint64_t)db_int(row, 0);
    return rc;
}

enum rc meta_manifest_bytes(struct meta_tx *tx, struct arena *a, const struct uuid *repository,
                            const struct digest *d, struct str *ret, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(d, digest)};
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_MANIFEST_BYTES, v, ARRAY_LEN(v), &row, e);

    return rc == RC_OK ? tx_copy(a, row, 0, ret, e) : rc;
}

enum rc meta_manifest_put(struct meta_tx *tx, const struct uuid *repository,
                          const struct meta_manifest *m, struct str bytes, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX], subject[TX_DIGEST_MAX];
    const struct db_value v[] = {
        DB_UUID(repository),
        tx_digest_value(&m->digest, digest),
        DB_T(m->media_type),
        DB_T(m->artifact_type),
        digest_is_set(&m->subject) ? tx_digest_value(&m->subject, subject) : DB_NIL,
        DB_I(m->size),
        DB_I(clock_wall_us()),
    };
    const struct db_value content[] = {v[0], v[1], DB_B(bytes)};
    enum rc rc = tx_exec(tx, META_MANIFEST_PUT, v, ARRAY_LEN(v), NULL, e);

    if (rc == RC_OK)
        rc = tx_exec(tx, META_MANIFEST_BYTES_PUT, content, ARRAY_LEN(content), NULL, e);
    return rc;
}

enum rc meta_manifest_refer(struct meta_tx *tx, const struct uuid *repository,
                            const struct digest *manifest, enum meta_reference_kind kind,
                            const struct digest *d, struct err *e)
{
    uint8_t parent[TX_DIGEST_MAX], digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(manifest, parent), DB_I(kind),
                                 tx_digest_value(d, digest)};

    return tx_exec(tx, META_REFERENCE_PUT, v, ARRAY_LEN(v), NULL, e);
}

enum rc meta_manifest_delete(struct meta_tx *tx, const struct uuid *repository,
                             const struct digest *d, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), tx_digest_value(d, digest)};

    return tx_exec_found(tx, META_MANIFEST_DELETE, v, ARRAY_LEN(v), e);
}

/* --- tags --- */

enum rc meta_tag_find(struct meta_tx *tx, const struct uuid *repository, struct str name,
                      struct digest *ret, struct err *e)
{
    const struct db_value v[] = {DB_UUID(repository), DB_T(name)};
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_TAG_FIND, v, ARRAY_LEN(v), &row, e);

    return rc == RC_OK ? tx_digest(row, 0, ret, e) : rc;
}

enum rc meta_tag_put(struct meta_tx *tx, const struct uuid *repository, struct str name,
                     const struct digest *d, struct err *e)
{
    uint8_t digest[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(repository), DB_T(name), tx_digest_value(d, digest),
                                 DB_I(clock_wall_us())};

    return tx_exec(tx, META_TAG_PUT, v, ARRAY_LEN(v), NULL, e);
}

enum rc meta_tag_delete(struct meta_tx *tx, const struct uuid *repository, struct str name,
                        struct err *e)
{
    const struct db_value v[] = {DB_UUID(repository), DB_T(name)};

    return tx_exec_found(tx, META_TAG_DELETE, v, ARRAY_LEN(v), e);
}

enum rc meta_tag_each(struct meta_tx *tx, const struct uuid *repository,
                      const struct meta_page *page, meta_name_fn *fn, void *arg, struct err *e)
{
    const struct db_value v[] = {DB_UUID(repository), DB_T(page->last), DB_I(limit_of(page))};
    struct name_each each = {fn, arg};

    return tx_each(tx, META_TAG_EACH, v, ARRAY_LEN(v), name_row, &each, e);
}
