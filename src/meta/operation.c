#include "meta/operation.h"
#include "base/clock.h"
#include "meta/tx.h"

enum rc meta_operation_add(struct meta_tx *tx, const struct meta_operation *o, struct err *e)
{
    const struct db_value v[] = {
        DB_UUID(&o->id),        DB_T(o->kind),      DB_T(o->target),  DB_UUID(&o->resource),
        DB_UUID(&o->object_id), DB_T(o->principal), DB_T(o->address), DB_I(META_OPERATION_RUNNING),
        DB_I(clock_wall_us())};

    return tx_exec(tx, META_OPERATION_ADD, v, ARRAY_LEN(v), NULL, e);
}

static enum rc state_read(const struct db_rows *row, struct meta_operation *o, struct err *e)
{
    switch (db_int(row, 7)) {
    case META_OPERATION_RUNNING:
        o->state = META_OPERATION_RUNNING;
        return RC_OK;
    case META_OPERATION_SUCCEEDED:
        o->state = META_OPERATION_SUCCEEDED;
        return RC_OK;
    case META_OPERATION_FAILED:
        o->state = META_OPERATION_FAILED;
        return RC_OK;
    case META_OPERATION_CANCELED:
        o->state = META_OPERATION_CANCELED;
        return RC_OK;
    default:
        return err_set(e, RC_CORRUPT, "database: an operation in an unknown state");
    }
}

static enum rc operation_borrow(const struct db_rows *row, struct meta_operation *ret,
                                struct err *e)
{
    struct meta_operation o = {
        .kind = db_text(row, 1),
        .target = db_text(row, 2),
        .principal = db_text(row, 5),
        .address = db_text(row, 6),
        .code = db_text(row, 8),
        .message = db_text(row, 9),
        .created_us = db_int(row, 10),
        .changed_us = db_int(row, 11),
    };
    enum rc rc = tx_uuid(row, 0, &o.id, e);

    if (rc == RC_OK)
        rc = tx_uuid(row, 3, &o.resource, e);
    if (rc == RC_OK)
        rc = tx_uuid(row, 4, &o.object_id, e);
    if (rc == RC_OK)
        rc = state_read(row, &o, e);
    if (rc == RC_OK)
        *ret = o;
    return rc;
}

enum rc meta_operation_get(struct meta_tx *tx, struct arena *a, const struct uuid *id,
                           struct meta_operation *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    struct meta_operation o = {0};
    enum rc rc = tx_query_row(tx, META_OPERATION_GET, &DB_UUID(id), 1, &row, e);

    if (rc == RC_NOT_FOUND)
        return err_set(e, rc, "no such operation");
    if (rc == RC_OK)
        rc = operation_borrow(row, &o, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 1, &o.kind, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 2, &o.target, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 5, &o.principal, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 6, &o.address, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 8, &o.code, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 9, &o.message, e);
    if (rc == RC_OK)
        *ret = o;
    return rc;
}

enum rc meta_operation_end(struct meta_tx *tx, const struct uuid *id,
                           enum meta_operation_state state, struct str code, struct str message,
                           struct err *e)
{
    const struct db_value v[] = {DB_UUID(id), DB_I(state), DB_T(code.ptr ? code : STR("")),
                                 DB_T(message.ptr ? message : STR("")), DB_I(clock_wall_us())};

    return tx_exec_found(tx, META_OPERATION_END, v, ARRAY_LEN(v), e);
}

struct operation_each {
    meta_operation_fn *fn;
    void *arg;
};

static enum rc operation_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct operation_each *each = arg;
    struct meta_operation o;
    enum rc rc = operation_borrow(row, &o, e);

    return rc == RC_OK ? each->fn(&o, each->arg, e) : rc;
}

enum rc meta_operation_running(struct meta_tx *tx, unsigned limit, meta_operation_fn *fn, void *arg,
                               struct err *e)
{
    const struct db_value v[] = {DB_I(META_OPERATION_RUNNING), DB_I(limit)};
    struct operation_each each = {fn, arg};

    return tx_each(tx, META_OPERATION_OF_STATE, v, ARRAY_LEN(v), operation_row, &each, e);
}

enum rc meta_operation_expire(struct meta_tx *tx, int64_t changed_before_us, struct err *e)
{
    return tx_exec(tx, META_OPERATION_EXPIRE, &DB_I(changed_before_us), 1, NULL, e);
}
