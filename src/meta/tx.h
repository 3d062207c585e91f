/* What a transaction's function works with. Private to meta/. */
#ifndef META_TX_H
#define META_TX_H

#include "base/digest.h"
#include "meta/meta.h"
#include "meta/statements.h"

struct meta_tx {
    struct db_conn *conn;
    bool writable;
};

/* ret_changed may be NULL. Only in a write function: anything else is a bug. */
NODISCARD enum rc tx_exec(struct meta_tx *tx, enum meta_statement id, const struct db_value *v,
                          size_t n, uint64_t *ret_changed, struct err *e);
/* The same; RC_NOT_FOUND when no row was touched. */
NODISCARD enum rc tx_exec_found(struct meta_tx *tx, enum meta_statement id,
                                const struct db_value *v, size_t n, struct err *e);
NODISCARD enum rc tx_query(struct meta_tx *tx, enum meta_statement id, const struct db_value *v,
                           size_t n, struct db_rows **ret, struct err *e);
/* The same, standing on its first row; RC_NOT_FOUND when there is none. */
NODISCARD enum rc tx_query_row(struct meta_tx *tx, enum meta_statement id,
                               const struct db_value *v, size_t n, struct db_rows **ret,
                               struct err *e);
/* Calls fn for each row until it returns other than RC_OK, which is what this returns then. */
typedef enum rc tx_row_fn(const struct db_rows *row, void *arg, struct err *e);
NODISCARD enum rc tx_each(struct meta_tx *tx, enum meta_statement id, const struct db_value *v,
                          size_t n, tx_row_fn *fn, void *arg, struct err *e);

/* How uuids and digests stand in columns. Reading: RC_CORRUPT when the column holds anything else. */
#define DB_UUID(u) DB_B(((struct str){(const char *)(u)->bytes, sizeof((u)->bytes)}))
NODISCARD enum rc tx_uuid(const struct db_rows *row, unsigned column, struct uuid *ret,
                          struct err *e);
enum { TX_DIGEST_MAX = 1 + DIGEST_BYTES_MAX };
struct db_value tx_digest_value(const struct digest *d, uint8_t out[TX_DIGEST_MAX]);
NODISCARD enum rc tx_digest(const struct db_rows *row, unsigned column, struct digest *ret,
                            struct err *e);
/* A copy in the arena; RC_TOO_LARGE past its maximum. */
NODISCARD enum rc tx_copy(struct arena *a, const struct db_rows *row, unsigned column,
                          struct str *ret, struct err *e);

#endif
