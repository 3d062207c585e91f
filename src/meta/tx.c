#include "meta/tx.h"
#include <assert.h>

enum rc tx_exec(struct meta_tx *tx, enum meta_statement id, const struct db_value *v, size_t n,
                uint64_t *ret_changed, struct err *e)
{
    assert(tx->writable);
    return db_exec(tx->conn, &meta_statements[id], v, n, ret_changed, e);
}

enum rc tx_exec_found(struct meta_tx *tx, enum meta_statement id, const struct db_value *v,
                      size_t n, struct err *e)
{
    uint64_t changed = 0;
    enum rc rc = tx_exec(tx, id, v, n, &changed, e);

    if (rc == RC_OK && changed == 0)
        return err_set(e, RC_NOT_FOUND, "no such row (%s)", meta_statements[id].name);
    return rc;
}

enum rc tx_query(struct meta_tx *tx, enum meta_statement id, const struct db_value *v, size_t n,
                 struct db_rows **ret, struct err *e)
{
    return db_query(tx->conn, &meta_statements[id], v, n, ret, e);
}

enum rc tx_query_row(struct meta_tx *tx, enum meta_statement id, const struct db_value *v, size_t n,
                     struct db_rows **ret, struct err *e)
{
    struct db_rows *rows = NULL;
    enum rc rc = tx_query(tx, id, v, n, &rows, e);

    if (rc == RC_OK)
        rc = db_next(rows, e);
    if (rc != RC_OK)
        db_rows_free(rows);
    else
        *ret = rows;
    return rc;
}

enum rc tx_each(struct meta_tx *tx, enum meta_statement id, const struct db_value *v, size_t n,
                tx_row_fn *fn, void *arg, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *rows = NULL;
    enum rc rc = tx_query(tx, id, v, n, &rows, e);

    while (rc == RC_OK) {
        rc = db_next(rows, e);
        if (rc == RC_NOT_FOUND)
            return RC_OK;
        if (rc == RC_OK)
            rc = fn(rows, arg, e);
    }
    return rc;
}

enum rc tx_uuid(const struct db_rows *row, unsigned column, struct uuid *ret, struct err *e)
{
    struct str s = db_text(row, column);

    if (s.len != sizeof(ret->bytes))
        return err_set(e, RC_CORRUPT, "database: a uuid of %zu bytes", s.len);
    memcpy(ret->bytes, s.ptr, s.len);
    return RC_OK;
}

struct db_value tx_digest_value(const struct digest *d, uint8_t out[TX_DIGEST_MAX])
{
    size_t n = digest_size(d->algorithm);

    assert(n > 0 && n <= DIGEST_BYTES_MAX);
    out[0] = d->algorithm;
    memcpy(out + 1, d->bytes, n);
    return DB_B(((struct str){(const char *)out, 1 + n}));
}

enum rc tx_digest(const struct db_rows *row, unsigned column, struct digest *ret, struct err *e)
{
    struct str s = db_text(row, column);
    struct digest d = {.algorithm = s.len > 0 ? (uint8_t)s.ptr[0] : DIGEST_NONE};
    size_t n = digest_size(d.algorithm);

    if (n == 0 || s.len != 1 + n)
        return err_set(e, RC_CORRUPT, "database: a digest of %zu bytes", s.len);
    memcpy(d.bytes, s.ptr + 1, n);
    *ret = d;
    return RC_OK;
}

enum rc tx_copy(struct arena *a, const struct db_rows *row, unsigned column, struct str *ret,
                struct err *e)
{
    struct str copy = arena_copy(a, db_text(row, column));

    if (!copy.ptr)
        return err_set(e, RC_TOO_LARGE, "what was stored does not fit into the request's memory");
    *ret = copy;
    return RC_OK;
}
