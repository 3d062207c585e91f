#include "base/clock.h"
#include "db/driver.h"
#include <assert.h>

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
                                   "number BIGINT NOT NULL PRIMARY KEY, "
                                   "name TEXT NOT NULL, "
                                   "applied_us BIGINT NOT NULL)";
/* They run at start only: no place in a connection's cache. */
static const struct db_statement newest = {DB_STATEMENTS_MAX, "migration_newest",
                                           "SELECT COALESCE(MAX(number), 0) FROM schema_migration"};
static const struct db_statement note = {
    DB_STATEMENTS_MAX, "migration_note",
    "INSERT INTO schema_migration (number, name, applied_us) VALUES ($1, $2, $3)"};

static enum rc read_newest(struct db_conn *c, int64_t *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *rows = NULL;
    enum rc rc = db_query(c, &newest, NULL, 0, &rows, e);

    if (rc == RC_OK)
        rc = db_next(rows, e);
    if (rc == RC_OK)
        *ret = db_int(rows, 0);
    return rc;
}

/* Within a transaction. Another server may have applied it since: then there is nothing to do. */
static enum rc apply(struct db_conn *c, const struct db_migration *m, struct err *e)
{
    const struct db_value v[] = {DB_I(m->number), DB_T(str_from(m->name)), DB_I(clock_wall_us())};
    int64_t at = 0;
    enum rc rc = read_newest(c, &at, e);

    if (rc != RC_OK || at >= m->number)
        return rc;
    rc = c->ops->script(c, m->sql, e);
    if (rc == RC_OK)
        rc = db_exec(c, &note, v, ARRAY_LEN(v), NULL, e);
    return rc == RC_OK ? RC_OK : err_prefix(e, rc, "migration %s", m->name);
}

static enum rc migrate_one(struct db_conn *c, const struct db_migration *m, struct err *e)
{
    enum rc rc = db_begin(c, e);

    if (rc != RC_OK)
        return rc;
    rc = apply(c, m, e);
    if (rc == RC_OK)
        rc = db_commit(c, e);
    if (rc != RC_OK)
        db_rollback(c);
    return rc;
}

enum rc db_migrate(struct db_conn *c, const struct db_migration *list, size_t n, struct err *e)
{
    int64_t at = 0;
    enum rc rc = c->ops->script(c, create_table, e);

    if (rc == RC_OK)
        rc = read_newest(c, &at, e);
    if (rc == RC_OK && at > (int64_t)n)
        return err_set(e, RC_CONFLICT,
                       "the database has schema %lld, this program knows %zu: a newer version of "
                       "the program wrote it",
                       (long long)at, n);
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        assert(list[i].number == i + 1);
        if (list[i].number > at)
            rc = migrate_one(c, &list[i], e);
    }
    return rc;
}
