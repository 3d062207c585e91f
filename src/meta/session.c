#include "meta/session.h"
#include "meta/tx.h"

/* --- refresh tokens --- */

enum rc meta_refresh_add(struct meta_tx *tx, const struct meta_refresh *r, struct err *e)
{
    uint8_t hash[TX_DIGEST_MAX];
    const struct db_value v[] = {tx_digest_value(&r->hash, hash),
                                 DB_UUID(&r->family),
                                 DB_UUID(&r->principal),
                                 DB_I(r->generation),
                                 DB_T(r->client),
                                 DB_I(r->issued_us),
                                 DB_I(r->used_us),
                                 DB_I(r->replaced_us)};

    return tx_exec(tx, META_REFRESH_ADD, v, ARRAY_LEN(v), NULL, e);
}

enum rc meta_refresh_get(struct meta_tx *tx, struct arena *a, const struct digest *hash,
                         struct meta_refresh *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    struct meta_refresh r = {.hash = *hash};
    uint8_t bytes[TX_DIGEST_MAX];
    struct db_value key = tx_digest_value(hash, bytes);
    enum rc rc = tx_query_row(tx, META_REFRESH_GET, &key, 1, &row, e);

    if (rc == RC_OK)
        rc = tx_uuid(row, 0, &r.family, e);
    if (rc == RC_OK)
        rc = tx_uuid(row, 1, &r.principal, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 3, &r.client, e);
    if (rc != RC_OK)
        return rc;
    r.generation = db_int(row, 2);
    r.issued_us = db_int(row, 4);
    r.used_us = db_int(row, 5);
    r.replaced_us = db_int(row, 6);
    *ret = r;
    return RC_OK;
}

enum rc meta_refresh_used(struct meta_tx *tx, const struct digest *hash, int64_t used_us,
                          int64_t replaced_us, struct err *e)
{
    uint8_t bytes[TX_DIGEST_MAX];
    const struct db_value v[] = {tx_digest_value(hash, bytes), DB_I(used_us), DB_I(replaced_us)};

    return tx_exec_found(tx, META_REFRESH_USED, v, ARRAY_LEN(v), e);
}

enum rc meta_refresh_end_family(struct meta_tx *tx, const struct uuid *family, struct err *e)
{
    return tx_exec(tx, META_REFRESH_END_FAMILY, &DB_UUID(family), 1, NULL, e);
}

enum rc meta_refresh_end_principal(struct meta_tx *tx, const struct uuid *principal, struct err *e)
{
    return tx_exec(tx, META_REFRESH_END_PRINCIPAL, &DB_UUID(principal), 1, NULL, e);
}

enum rc meta_refresh_trim(struct meta_tx *tx, const struct uuid *principal, unsigned keep,
                          struct err *e)
{
    const struct db_value v[] = {DB_UUID(principal), DB_I(keep)};

    return tx_exec(tx, META_REFRESH_TRIM, v, ARRAY_LEN(v), NULL, e);
}

enum rc meta_refresh_expire(struct meta_tx *tx, int64_t used_before_us, struct err *e)
{
    return tx_exec(tx, META_REFRESH_EXPIRE, &DB_I(used_before_us), 1, NULL, e);
}

/* --- device codes --- */

enum rc meta_device_add(struct meta_tx *tx, const struct meta_device *d, struct err *e)
{
    uint8_t hash[TX_DIGEST_MAX];
    const struct db_value v[] = {tx_digest_value(&d->hash, hash),
                                 DB_T(d->user_code),
                                 DB_T(d->client),
                                 DB_T(d->scope),
                                 DB_I(d->expires_us),
                                 DB_I(d->polled_us),
                                 DB_I(d->state),
                                 DB_UUID(&d->principal),
                                 DB_I(d->generation)};

    return tx_exec(tx, META_DEVICE_ADD, v, ARRAY_LEN(v), NULL, e);
}

static enum meta_device_state state_of(int64_t stored)
{
    return stored == META_DEVICE_WAITING   ? META_DEVICE_WAITING
           : stored == META_DEVICE_GRANTED ? META_DEVICE_GRANTED
                                           : META_DEVICE_REFUSED;
}

enum rc meta_device_get(struct meta_tx *tx, struct arena *a, const struct digest *hash,
                        struct meta_device *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    struct meta_device d = {.hash = *hash};
    uint8_t bytes[TX_DIGEST_MAX];
    struct db_value key = tx_digest_value(hash, bytes);
    enum rc rc = tx_query_row(tx, META_DEVICE_GET, &key, 1, &row, e);

    if (rc == RC_OK)
        rc = tx_copy(a, row, 0, &d.user_code, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 1, &d.client, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 2, &d.scope, e);
    if (rc == RC_OK)
        rc = tx_uuid(row, 6, &d.principal, e);
    if (rc != RC_OK)
        return rc;
    d.expires_us = db_int(row, 3);
    d.polled_us = db_int(row, 4);
    d.state = state_of(db_int(row, 5));
    d.generation = db_int(row, 7);
    *ret = d;
    return RC_OK;
}

enum rc meta_device_polled(struct meta_tx *tx, const struct digest *hash, int64_t polled_us,
                           struct err *e)
{
    uint8_t bytes[TX_DIGEST_MAX];
    const struct db_value v[] = {tx_digest_value(hash, bytes), DB_I(polled_us)};

    return tx_exec_found(tx, META_DEVICE_POLLED, v, ARRAY_LEN(v), e);
}

enum rc meta_device_decide(struct meta_tx *tx, struct str user_code,
                           const struct meta_device *decided, int64_t now_us, struct err *e)
{
    const struct db_value v[] = {DB_T(user_code), DB_I(decided->state),
                                 DB_UUID(&decided->principal), DB_I(decided->generation),
                                 DB_I(now_us)};

    return tx_exec_found(tx, META_DEVICE_DECIDE, v, ARRAY_LEN(v), e);
}

enum rc meta_device_delete(struct meta_tx *tx, const struct digest *hash, struct err *e)
{
    uint8_t bytes[TX_DIGEST_MAX];
    struct db_value key = tx_digest_value(hash, bytes);

    return tx_exec_found(tx, META_DEVICE_DELETE, &key, 1, e);
}

enum rc meta_device_expire(struct meta_tx *tx, int64_t expired_before_us, struct err *e)
{
    return tx_exec(tx, META_DEVICE_EXPIRE, &DB_I(expired_before_us), 1, NULL, e);
}

enum rc meta_device_count(struct meta_tx *tx, uint64_t *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_DEVICE_COUNT, NULL, 0, &row, e);

    if (rc == RC_OK)
        *ret = (uint64_t)db_int(row, 0);
    return rc;
}
