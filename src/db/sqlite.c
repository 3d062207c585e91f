/* SQLite: one file, WAL, every commit durable. */
#include "base/mem.h"
#include "db/driver.h"
#include "sys/file.h"
#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000 };

static const char settings[] = "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA trusted_schema = OFF;";

struct sqlite_conn {
    struct db_conn base;
    sqlite3 *db;
    bool in_transaction; /* ours; SQLite ends it by itself after some failures */
    sqlite3_stmt *kept[DB_STATEMENTS_MAX];
};

struct sqlite_rows {
    struct db_rows base;
    sqlite3_stmt *stmt;
    const struct db_statement *st;
    bool kept; /* goes back to the connection */
    bool ended;
};

static struct sqlite_conn *conn_of(struct db_conn *c)
{
    return CONTAINER_OF(c, struct sqlite_conn, base);
}

static const struct sqlite_rows *rows_of(const struct db_rows *r)
{
    return (const struct sqlite_rows *)(const void *)r; /* base is its first member */
}

/* --- errors --- */

static enum rc constraint_rc(int extended)
{
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return RC_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return RC_CONFLICT;
    default:
        return RC_INTERNAL; /* NOT NULL, CHECK: our own statement is wrong */
    }
}

static enum rc result_rc(sqlite3 *db, int result)
{
    int sys = db ? sqlite3_system_errno(db) : 0;

    switch (result & 0xff) {
    case SQLITE_CONSTRAINT:
        return constraint_rc(db ? sqlite3_extended_errcode(db) : result);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RC_UNAVAILABLE;
    case SQLITE_FULL:
        return RC_QUOTA;
    case SQLITE_IOERR:
        return sys == ENOSPC || sys == EDQUOT ? RC_QUOTA : RC_INTERNAL;
    case SQLITE_TOOBIG:
        return RC_TOO_LARGE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RC_CORRUPT;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return RC_DENIED;
    default:
        return RC_INTERNAL;
    }
}

static enum rc fail(struct sqlite_conn *c, int result, const char *what, struct err *e)
{
    return err_set(e, result_rc(c->db, result), "database: %s: %s", what, sqlite3_errmsg(c->db));
}

/* --- opening --- */

/* What PostgreSQL calls "C": bytes. So the same COLLATE clause serves both. */
static int compare_bytes(void *ctx, int na, const void *a, int nb, const void *b)
{
    (void)ctx;
    return str_cmp((struct str){a, (size_t)na}, (struct str){b, (size_t)nb});
}

static void sqlite_close(struct db_conn *base)
{
    struct sqlite_conn *c = conn_of(base);

    for (size_t i = 0; i < DB_STATEMENTS_MAX; i++)
        sqlite3_finalize(c->kept[i]);
    int result = sqlite3_close(c->db);

    assert(result == SQLITE_OK); /* else rows are still open */
    free(c);
}

static enum rc configure(struct sqlite_conn *c, struct err *e)
{
    int result = sqlite3_create_collation_v2(c->db, "C", SQLITE_UTF8, NULL, compare_bytes, NULL);

    sqlite3_extended_result_codes(c->db, 1);
    if (result == SQLITE_OK)
        result = sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
    if (result == SQLITE_OK)
        result = sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(c->db, settings, NULL, NULL, NULL);
    return result == SQLITE_OK ? RC_OK : fail(c, result, "settings", e);
}

/* SQLite does not say which folder on the way it cannot search. */
static enum rc fail_open(struct sqlite_conn *c, int result, const char *place, struct err *e)
{
    if (result == SQLITE_CANTOPEN && path_searchable_by(place, geteuid(), getegid(), e) != RC_OK)
        return err_prefix(e, RC_DENIED, "database");
    return fail(c, result, place, e);
}

static const struct db_ops sqlite_ops;

enum rc sqlite_open(const char *place, struct db_conn **ret, struct err *e)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (place[0] != '/' && strcmp(place, ":memory:") != 0)
        return err_set(e, RC_INVALID, "database: %s is not an absolute path", place);
    struct sqlite_conn *c = MEM_NEW(struct sqlite_conn);

    c->base.ops = &sqlite_ops;
    int result = sqlite3_open_v2(place, &c->db, flags, NULL);
    enum rc rc = result == SQLITE_OK ? configure(c, e) : fail_open(c, result, place, e);

    if (rc != RC_OK) {
        sqlite_close(&c->base);
        return rc;
    }
    *ret = &c->base;
    return RC_OK;
}

/* --- statements --- */

static enum rc prepare(struct sqlite_conn *c, const struct db_statement *st, bool keep,
                       sqlite3_stmt **ret, struct err *e)
{
    const char *rest = NULL;
    sqlite3_stmt *stmt = NULL;
    int result =
        sqlite3_prepare_v3(c->db, st->sql, -1, keep ? SQLITE_PREPARE_PERSISTENT : 0, &stmt, &rest);

    if (result != SQLITE_OK)
        return fail(c, result, st->name, e);
    assert(stmt && *rest == '\0'); /* exactly one statement */
    *ret = stmt;
    return RC_OK;
}

/* The kept statement, unless it has none or is being stepped through further up the stack. */
static enum rc take(struct sqlite_conn *c, const struct db_statement *st, sqlite3_stmt **ret,
                    bool *ret_kept, struct err *e)
{
    bool keep = st->index < DB_STATEMENTS_MAX;
    enum rc rc = RC_OK;

    if (keep && !c->kept[st->index])
        rc = prepare(c, st, true, &c->kept[st->index], e);
    if (rc != RC_OK)
        return rc;
    if (keep && !sqlite3_stmt_busy(c->kept[st->index])) {
        *ret = c->kept[st->index];
        *ret_kept = true;
        return RC_OK;
    }
    rc = prepare(c, st, false, ret, e);
    if (rc == RC_OK)
        *ret_kept = false;
    return rc;
}

static void give_back(sqlite3_stmt *stmt, bool kept)
{
    if (!kept) {
        sqlite3_finalize(stmt);
        return;
    }
    sqlite3_reset(stmt); /* tells again of the failure that step told of */
    sqlite3_clear_bindings(stmt);
}

static int bind_one(sqlite3_stmt *stmt, int place, const struct db_value *v,
                    sqlite3_destructor_type life)
{
    const char *bytes = v->s.ptr ? v->s.ptr : ""; /* a NULL pointer would bind NULL */

    switch (v->type) {
    case DB_INT:
        return sqlite3_bind_int64(stmt, place, v->i);
    case DB_TEXT:
        return sqlite3_bind_text64(stmt, place, bytes, v->s.len, life, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(stmt, place, bytes, v->s.len, life);
    case DB_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, place);
}

/* For SQLite "$2" is a name, numbered in the order in which names appear in the text. */
static int bind_all(sqlite3_stmt *stmt, const struct db_value *v, size_t n,
                    sqlite3_destructor_type life)
{
    int count = sqlite3_bind_parameter_count(stmt), result = SQLITE_OK;

    assert(count >= 0 && (size_t)count == n);
    for (int place = 1; result == SQLITE_OK && place <= count; place++) {
        const char *name = sqlite3_bind_parameter_name(stmt, place);
        uint64_t number = 0;

        enum rc rc = str_to_u64(str_skip(str_from(name), 1), &number);

        assert(rc == RC_OK && number >= 1 && number <= n);
        result = bind_one(stmt, place, &v[number - 1], life);
    }
    return result;
}

/* After some failures SQLite has rolled the transaction back; going on would write outside it. */
static enum rc check_transaction(struct sqlite_conn *c, struct err *e)
{
    if (c->in_transaction && sqlite3_get_autocommit(c->db))
        return err_set(e, RC_UNAVAILABLE, "database: the transaction was rolled back");
    return RC_OK;
}

static enum rc start(struct sqlite_conn *c, const struct db_statement *st, const struct db_value *v,
                     size_t n, sqlite3_destructor_type life, struct sqlite_rows *ret, struct err *e)
{
    enum rc rc = check_transaction(c, e);

    if (rc == RC_OK)
        rc = take(c, st, &ret->stmt, &ret->kept, e);
    if (rc != RC_OK)
        return rc;
    int result = bind_all(ret->stmt, v, n, life);

    if (result == SQLITE_OK)
        return RC_OK;
    rc = fail(c, result, st->name, e);
    give_back(ret->stmt, ret->kept);
    return rc;
}

static enum rc sqlite_exec(struct db_conn *base, const struct db_statement *st,
                           const struct db_value *v, size_t n, uint64_t *ret_changed, struct err *e)
{
    struct sqlite_conn *c = conn_of(base);
    struct sqlite_rows rows = {0};
    enum rc rc = start(c, st, v, n, SQLITE_STATIC, &rows, e);
    int result = SQLITE_ROW;

    if (rc != RC_OK)
        return rc;
    while (result == SQLITE_ROW)
        result = sqlite3_step(rows.stmt);
    if (result != SQLITE_DONE)
        rc = fail(c, result, st->name, e);
    else if (ret_changed)
        *ret_changed = (uint64_t)sqlite3_changes64(c->db);
    give_back(rows.stmt, rows.kept);
    return rc;
}

static enum rc sqlite_query(struct db_conn *base, const struct db_statement *st,
                            const struct db_value *v, size_t n, struct db_rows **ret, struct err *e)
{
    struct sqlite_rows rows = {.base.conn = base, .st = st};
    /* Copied: the values may go before the rows do. */
    enum rc rc = start(conn_of(base), st, v, n, SQLITE_TRANSIENT, &rows, e);

    if (rc != RC_OK)
        return rc;
    struct sqlite_rows *kept = MEM_NEW(struct sqlite_rows);

    *kept = rows;
    *ret = &kept->base;
    return RC_OK;
}

static enum rc sqlite_next(struct db_rows *base, struct err *e)
{
    struct sqlite_rows *r = CONTAINER_OF(base, struct sqlite_rows, base);

    if (r->ended) /* another step would begin again */
        return err_set(e, RC_NOT_FOUND, "no more rows");
    int result = sqlite3_step(r->stmt);

    if (result == SQLITE_ROW)
        return RC_OK;
    r->ended = true;
    if (result == SQLITE_DONE)
        return err_set(e, RC_NOT_FOUND, "no more rows");
    return fail(conn_of(base->conn), result, r->st->name, e);
}

static int64_t sqlite_int(const struct db_rows *r, unsigned column)
{
    return sqlite3_column_int64(rows_of(r)->stmt, (int)column);
}

static struct str sqlite_text(const struct db_rows *r, unsigned column)
{
    sqlite3_stmt *stmt = rows_of(r)->stmt;
    bool blob = sqlite3_column_type(stmt, (int)column) == SQLITE_BLOB;
    const void *bytes = blob ? sqlite3_column_blob(stmt, (int)column)
                             : (const void *)sqlite3_column_text(stmt, (int)column);
    size_t n = (size_t)sqlite3_column_bytes(stmt, (int)column);

    return bytes ? (struct str){bytes, n} : STR("");
}

static bool sqlite_null(const struct db_rows *r, unsigned column)
{
    return sqlite3_column_type(rows_of(r)->stmt, (int)column) == SQLITE_NULL;
}

static void sqlite_rows_free(struct db_rows *base)
{
    struct sqlite_rows *r = CONTAINER_OF(base, struct sqlite_rows, base);

    give_back(r->stmt, r->kept);
    free(r);
}

/* --- transactions --- */

static enum rc sqlite_script(struct db_conn *base, const char *sql, struct err *e)
{
    struct sqlite_conn *c = conn_of(base);
    enum rc rc = check_transaction(c, e);
    int result = rc == RC_OK ? sqlite3_exec(c->db, sql, NULL, NULL, NULL) : SQLITE_OK;

    if (result != SQLITE_OK)
        return fail(c, result, "script", e);
    return rc;
}

/* A transaction's own statements, always the same texts. */
static enum rc control(struct db_conn *base, unsigned index, const char *sql, struct err *e)
{
    const struct db_statement st = {DB_STATEMENTS_MAX - 1 - index, sql, sql};

    return sqlite_exec(base, &st, NULL, 0, NULL, e);
}

static enum rc sqlite_begin(struct db_conn *base, bool read_only, struct err *e)
{
    struct sqlite_conn *c = conn_of(base);

    assert(!c->in_transaction);
    /* IMMEDIATE: a transaction that reads first could not get the write lock later. */
    enum rc rc = read_only ? control(base, 0, "BEGIN", e) : control(base, 1, "BEGIN IMMEDIATE", e);

    c->in_transaction = rc == RC_OK;
    return rc;
}

static enum rc sqlite_commit(struct db_conn *base, struct err *e)
{
    enum rc rc = control(base, 2, "COMMIT", e);

    if (rc == RC_OK)
        conn_of(base)->in_transaction = false;
    return rc;
}

static void sqlite_rollback(struct db_conn *base)
{
    struct sqlite_conn *c = conn_of(base);

    c->in_transaction = false;
    if (!sqlite3_get_autocommit(c->db) && control(base, 3, "ROLLBACK", NULL) != RC_OK)
        abort(); /* a rollback cannot fail; what it left behind would be committed later */
}

static enum rc sqlite_savepoint(struct db_conn *base, struct err *e)
{
    return control(base, 4, "SAVEPOINT s", e);
}

static enum rc sqlite_release(struct db_conn *base, struct err *e)
{
    return control(base, 5, "RELEASE s", e);
}

static void sqlite_rollback_to(struct db_conn *base)
{
    enum rc rc = control(base, 6, "ROLLBACK TO s", NULL);

    if (rc == RC_OK)
        rc = control(base, 5, "RELEASE s", NULL);
    /* Where the whole transaction is gone, whatever comes next says so. */
    assert(rc == RC_OK || sqlite3_get_autocommit(conn_of(base)->db));
}

static const struct db_ops sqlite_ops = {
    .name = "sqlite",
    .close = sqlite_close,
    .script = sqlite_script,
    .exec = sqlite_exec,
    .query = sqlite_query,
    .next = sqlite_next,
    .column_int = sqlite_int,
    .column_text = sqlite_text,
    .column_null = sqlite_null,
    .rows_free = sqlite_rows_free,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .savepoint = sqlite_savepoint,
    .release = sqlite_release,
    .rollback_to = sqlite_rollback_to,
};
