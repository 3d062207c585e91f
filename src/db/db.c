#include "db/driver.h"

static const struct {
    const char *scheme;
    enum rc (*open)(const char *place, struct db_conn **ret, struct err *e);
} drivers[] = {
    {"sqlite:", sqlite_open},
};

enum rc db_open(const char *url, struct db_conn **ret, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (str_starts(str_from(url), str_from(drivers[i].scheme)))
            return drivers[i].open(url + strlen(drivers[i].scheme), ret, e);
    /* The URL is not shown: it may carry a password. */
    return err_set(e, RC_UNSUPPORTED, "database URL: the scheme is none of: sqlite:");
}

void db_close(struct db_conn *c)
{
    if (c)
        c->ops->close(c);
}

enum rc db_exec(struct db_conn *c, const struct db_statement *st, const struct db_value *v,
                size_t n, uint64_t *ret_changed, struct err *e)
{
    return c->ops->exec(c, st, v, n, ret_changed, e);
}

enum rc db_query(struct db_conn *c, const struct db_statement *st, const struct db_value *v,
                 size_t n, struct db_rows **ret, struct err *e)
{
    return c->ops->query(c, st, v, n, ret, e);
}

enum rc db_next(struct db_rows *r, struct err *e)
{
    return r->conn->ops->next(r, e);
}

int64_t db_int(const struct db_rows *r, unsigned column)
{
    return r->conn->ops->column_int(r, column);
}

struct str db_text(const struct db_rows *r, unsigned column)
{
    return r->conn->ops->column_text(r, column);
}

bool db_null(const struct db_rows *r, unsigned column)
{
    return r->conn->ops->column_null(r, column);
}

void db_rows_free(struct db_rows *r)
{
    if (r)
        r->conn->ops->rows_free(r);
}

enum rc db_begin(struct db_conn *c, struct err *e)
{
    return c->ops->begin(c, false, e);
}

enum rc db_begin_read(struct db_conn *c, struct err *e)
{
    return c->ops->begin(c, true, e);
}

enum rc db_commit(struct db_conn *c, struct err *e)
{
    return c->ops->commit(c, e);
}

void db_rollback(struct db_conn *c)
{
    c->ops->rollback(c);
}

enum rc db_savepoint(struct db_conn *c, struct err *e)
{
    return c->ops->savepoint(c, e);
}

enum rc db_release(struct db_conn *c, struct err *e)
{
    return c->ops->release(c, e);
}

void db_rollback_to(struct db_conn *c)
{
    c->ops->rollback_to(c);
}
