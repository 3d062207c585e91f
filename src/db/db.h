/* One database connection interface: statements, rows, transactions, migrations. sqlite.c implements it; postgres.c will.
 * The same SQL text serves both: $1, $2 ... are positional; types BIGINT, TEXT, BLOB; text compares as bytes.
 * Threads: a db_conn belongs to one thread at a time; every call may block: never from an event loop.
 * Transactions are begun and ended by meta/'s write lane only; no handler does. */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/str.h"

struct db_conn;
struct db_rows;

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };
struct db_value {
    enum db_type type;
    int64_t i;
    struct str s;
};
#define DB_I(v) ((struct db_value){.type = DB_INT, .i = (int64_t)(v)})
#define DB_T(v) ((struct db_value){.type = DB_TEXT, .s = (v)})
#define DB_B(v) ((struct db_value){.type = DB_BLOB, .s = (v)})
#define DB_NIL  ((struct db_value){.type = DB_NULL})

/* A statement has a fixed place in its module's table, so that a connection prepares it once. */
struct db_statement {
    unsigned index; /* below DB_STATEMENTS_MAX - DB_STATEMENTS_OWN; DB_STATEMENTS_MAX: not kept */
    const char *name, *sql;
};
enum { DB_STATEMENTS_MAX = 256, DB_STATEMENTS_OWN = 8 }; /* the last few indexes are the drivers' own */

struct db_migration {
    unsigned number; /* 1, 2, ... */
    const char *name, *sql; /* one or more statements */
};

/* url: "sqlite:/absolute/path/kidoban.db" or "sqlite::memory:". */
NODISCARD enum rc db_open(const char *url, struct db_conn **ret, struct err *e);
void db_close(struct db_conn *c);
/* Applies those that are missing, each in its transaction. RC_CONFLICT when the database is newer than the list. */
NODISCARD enum rc db_migrate(struct db_conn *c, const struct db_migration *list, size_t n, struct err *e);

/* RC_EXISTS on a unique violation; RC_UNAVAILABLE when it should be retried (busy, serialization failure);
 * RC_QUOTA when the disk is full. ret_changed (may be NULL): rows touched. */
NODISCARD enum rc db_exec(struct db_conn *c, const struct db_statement *st, const struct db_value *v, size_t n,
                          uint64_t *ret_changed, struct err *e);
NODISCARD enum rc db_query(struct db_conn *c, const struct db_statement *st, const struct db_value *v, size_t n,
                           struct db_rows **ret, struct err *e);
NODISCARD enum rc db_next(struct db_rows *r, struct err *e); /* RC_OK: a row; RC_NOT_FOUND: the end */
int64_t db_int(const struct db_rows *r, unsigned column);
struct str db_text(const struct db_rows *r, unsigned column); /* text or blob; valid until db_next or db_rows_free */
bool db_null(const struct db_rows *r, unsigned column);
void db_rows_free(struct db_rows *r);
CLEANUP_POINTER(struct db_rows, db_rows_free)

NODISCARD enum rc db_begin(struct db_conn *c, struct err *e);
NODISCARD enum rc db_begin_read(struct db_conn *c, struct err *e); /* one view of the data for all its queries */
NODISCARD enum rc db_commit(struct db_conn *c, struct err *e);
void db_rollback(struct db_conn *c);
NODISCARD enum rc db_savepoint(struct db_conn *c, struct err *e);
NODISCARD enum rc db_release(struct db_conn *c, struct err *e);
void db_rollback_to(struct db_conn *c);

#endif
