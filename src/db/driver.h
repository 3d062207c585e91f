/* What a database driver implements, and what its connections and rows begin with. Private to db/.
 * db.c checks nothing: each entry has the contract of the function in db.h that bears its name. */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include "db/db.h"

struct db_ops {
    const char *name;
    void (*close)(struct db_conn *c);
    /* One or more statements without parameters or rows: migrations. */
    enum rc (*script)(struct db_conn *c, const char *sql, struct err *e);
    enum rc (*exec)(struct db_conn *c, const struct db_statement *st, const struct db_value *v,
                    size_t n, uint64_t *ret_changed, struct err *e);
    enum rc (*query)(struct db_conn *c, const struct db_statement *st, const struct db_value *v,
                     size_t n, struct db_rows **ret, struct err *e);
    enum rc (*next)(struct db_rows *r, struct err *e);
    int64_t (*column_int)(const struct db_rows *r, unsigned column);
    struct str (*column_text)(const struct db_rows *r, unsigned column);
    bool (*column_null)(const struct db_rows *r, unsigned column);
    void (*rows_free)(struct db_rows *r);
    enum rc (*begin)(struct db_conn *c, bool read_only, struct err *e);
    enum rc (*commit)(struct db_conn *c, struct err *e);
    void (*rollback)(struct db_conn *c);
    enum rc (*savepoint)(struct db_conn *c, struct err *e);
    enum rc (*release)(struct db_conn *c, struct err *e);
    void (*rollback_to)(struct db_conn *c);
};

struct db_conn {
    const struct db_ops *ops; /* first member of each driver's connection */
};
struct db_rows {
    struct db_conn *conn; /* first member of each driver's rows */
};

/* `place`: the URL without its scheme. */
NODISCARD enum rc sqlite_open(const char *place, struct db_conn **ret, struct err *e);

#endif
