#include "base/clock.h"
#include "meta/content.h"
#include "meta/tx.h"

enum rc meta_upload_add(struct meta_tx *tx, const struct meta_upload *u, struct err *e)
{
    int64_t now = clock_wall_us();
    const struct db_value v[] = {DB_UUID(&u->id), DB_UUID(&u->registry), DB_T(u->repository),
                                 DB_I(u->size),   DB_B(u->hash_state),   DB_I(now),
                                 DB_I(now)};

    return tx_exec(tx, META_UPLOAD_ADD, v, ARRAY_LEN(v), NULL, e);
}

enum rc meta_upload_find(struct meta_tx *tx, struct arena *a, const struct uuid *id,
                         struct meta_upload *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_UPLOAD_FIND, &DB_UUID(id), 1, &row, e);
    struct meta_upload u = {.id = *id};

    if (rc == RC_OK)
        rc = tx_uuid(row, 0, &u.registry, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 1, &u.repository, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 3, &u.hash_state, e);
    if (rc != RC_OK)
        return rc;
    u.size = (uint64_t)db_int(row, 2);
    u.started_us = db_int(row, 4);
    u.changed_us = db_int(row, 5);
    *ret = u;
    return RC_OK;
}

enum rc meta_upload_save(struct meta_tx *tx, const struct uuid *id, uint64_t size,
                         struct str hash_state, struct err *e)
{
    const struct db_value v[] = {DB_UUID(id), DB_I(size), DB_B(hash_state), DB_I(clock_wall_us())};

    return tx_exec_found(tx, META_UPLOAD_SAVE, v, ARRAY_LEN(v), e);
}

enum rc meta_upload_delete(struct meta_tx *tx, const struct uuid *id, struct err *e)
{
    return tx_exec_found(tx, META_UPLOAD_DELETE, &DB_UUID(id), 1, e);
}

enum rc meta_upload_expire(struct meta_tx *tx, int64_t changed_before_us, struct err *e)
{
    return tx_exec(tx, META_UPLOAD_EXPIRE, &DB_I(changed_before_us), 1, NULL, e);
}

struct upload_each {
    meta_upload_fn *fn;
    void *arg;
};

static enum rc upload_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct upload_each *each = arg;
    struct uuid id;
    enum rc rc = tx_uuid(row, 0, &id, e);

    return rc == RC_OK ? each->fn(&id, each->arg, e) : rc;
}

enum rc meta_upload_each(struct meta_tx *tx, meta_upload_fn *fn, void *arg, struct err *e)
{
    struct upload_each each = {fn, arg};

    return tx_each(tx, META_UPLOAD_EACH, NULL, 0, upload_row, &each, e);
}

enum rc meta_upload_old(struct meta_tx *tx, int64_t changed_before_us, unsigned limit,
                        meta_upload_fn *fn, void *arg, struct err *e)
{
    const struct db_value v[] = {DB_I(changed_before_us), DB_I(limit)};
    struct upload_each each = {fn, arg};

    return tx_each(tx, META_UPLOAD_OLD, v, ARRAY_LEN(v), upload_row, &each, e);
}
