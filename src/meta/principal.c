#include "meta/principal.h"
#include "meta/tx.h"

/* --- principals --- */

static struct str lower_case(struct arena *a, struct str s)
{
    char *lower = arena_alloc(a, s.len + 1);

    if (!lower)
        return STR_NONE;
    for (size_t i = 0; i < s.len; i++)
        lower[i] = ascii_lower(s.ptr[i]);
    return (struct str){lower, s.len};
}

enum rc meta_principal_put(struct meta_tx *tx, const struct meta_principal *p, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(16 * 1024);
    struct str key = lower_case(&a, p->upn);
    const struct db_value v[] = {DB_UUID(&p->object_id),
                                 DB_I(p->kind),
                                 uuid_is_nil(&p->app_id) ? DB_NIL : DB_UUID(&p->app_id),
                                 DB_T(p->upn),
                                 DB_T(p->name),
                                 DB_T(p->password),
                                 DB_I(p->generation),
                                 DB_I(p->enabled),
                                 DB_I(p->administrator),
                                 DB_I(p->created_us),
                                 p->upn.len == 0 ? DB_NIL : DB_T(key)};

    if (!key.ptr)
        return err_set(e, RC_TOO_LARGE, "the user principal name is too long");
    return tx_exec(tx, META_PRINCIPAL_PUT, v, ARRAY_LEN(v), NULL, e);
}

static enum rc principal_read(const struct db_rows *row, struct meta_principal *p, struct err *e)
{
    *p = (struct meta_principal){
        .kind = db_int(row, 1) == META_USER ? META_USER : META_SERVICE_PRINCIPAL,
        .upn = db_text(row, 3),
        .name = db_text(row, 4),
        .password = db_text(row, 5),
        .generation = db_int(row, 6),
        .enabled = db_int(row, 7) != 0,
        .administrator = db_int(row, 8) != 0,
        .created_us = db_int(row, 9),
    };
    enum rc rc = tx_uuid(row, 0, &p->object_id, e);

    return rc == RC_OK && !db_null(row, 2) ? tx_uuid(row, 2, &p->app_id, e) : rc;
}

enum rc meta_principal_get(struct meta_tx *tx, struct arena *a, const struct uuid *object_id,
                           struct meta_principal *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    struct meta_principal p;
    enum rc rc = tx_query_row(tx, META_PRINCIPAL_GET, &DB_UUID(object_id), 1, &row, e);

    if (rc == RC_OK)
        rc = principal_read(row, &p, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 3, &p.upn, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 4, &p.name, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 5, &p.password, e);
    if (rc == RC_OK)
        *ret = p;
    return rc;
}

struct principal_each {
    meta_principal_fn *fn;
    void *arg;
};

static enum rc principal_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct principal_each *each = arg;
    struct meta_principal p;
    enum rc rc = principal_read(row, &p, e);

    return rc == RC_OK ? each->fn(&p, each->arg, e) : rc;
}

enum rc meta_principal_each(struct meta_tx *tx, meta_principal_fn *fn, void *arg, struct err *e)
{
    struct principal_each each = {fn, arg};

    return tx_each(tx, META_PRINCIPAL_EACH, NULL, 0, principal_row, &each, e);
}

enum rc meta_principal_delete(struct meta_tx *tx, const struct uuid *object_id, struct err *e)
{
    enum rc rc = meta_secret_delete(tx, object_id, NULL, e);

    return rc == RC_OK ? tx_exec_found(tx, META_PRINCIPAL_DELETE, &DB_UUID(object_id), 1, e) : rc;
}

/* --- secrets --- */

enum rc meta_secret_add(struct meta_tx *tx, const struct meta_secret *s, struct err *e)
{
    uint8_t hash[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(&s->id),     DB_UUID(&s->principal),
                                 DB_T(s->name),       tx_digest_value(&s->hash, hash),
                                 DB_I(s->created_us), DB_I(s->expires_us)};

    return tx_exec(tx, META_SECRET_PUT, v, ARRAY_LEN(v), NULL, e);
}

struct secret_each {
    meta_secret_fn *fn;
    void *arg;
};

static enum rc secret_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct secret_each *each = arg;
    struct meta_secret s = {
        .name = db_text(row, 2),
        .created_us = db_int(row, 4),
        .expires_us = db_int(row, 5),
    };
    enum rc rc = tx_uuid(row, 0, &s.id, e);

    if (rc == RC_OK)
        rc = tx_uuid(row, 1, &s.principal, e);
    if (rc == RC_OK)
        rc = tx_digest(row, 3, &s.hash, e);
    return rc == RC_OK ? each->fn(&s, each->arg, e) : rc;
}

enum rc meta_secret_each(struct meta_tx *tx, const struct uuid *principal, meta_secret_fn *fn,
                         void *arg, struct err *e)
{
    struct secret_each each = {fn, arg};

    if (!principal)
        return tx_each(tx, META_SECRET_EACH, NULL, 0, secret_row, &each, e);
    return tx_each(tx, META_SECRET_OF, &DB_UUID(principal), 1, secret_row, &each, e);
}

enum rc meta_secret_delete(struct meta_tx *tx, const struct uuid *principal, const struct uuid *id,
                           struct err *e)
{
    if (!id)
        return tx_exec(tx, META_SECRET_DELETE_ALL, &DB_UUID(principal), 1, NULL, e);
    const struct db_value v[] = {DB_UUID(principal), DB_UUID(id)};

    return tx_exec_found(tx, META_SECRET_DELETE, v, ARRAY_LEN(v), e);
}

/* --- signing keys --- */

enum rc meta_identity_key_add(struct meta_tx *tx, const struct meta_identity_key *k, struct err *e)
{
    const struct db_value v[] = {DB_UUID(&k->id), DB_B(k->sealed), DB_I(k->created_us)};
    enum rc rc = tx_exec(tx, META_IDENTITY_KEY_RETIRE, &DB_I(k->created_us), 1, NULL, e);

    return rc == RC_OK ? tx_exec(tx, META_IDENTITY_KEY_ADD, v, ARRAY_LEN(v), NULL, e) : rc;
}

struct key_each {
    meta_identity_key_fn *fn;
    void *arg;
};

static enum rc key_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct key_each *each = arg;
    struct meta_identity_key k = {
        .sealed = db_text(row, 1),
        .created_us = db_int(row, 2),
        .retired_us = db_int(row, 3),
    };
    enum rc rc = tx_uuid(row, 0, &k.id, e);

    return rc == RC_OK ? each->fn(&k, each->arg, e) : rc;
}

enum rc meta_identity_key_each(struct meta_tx *tx, meta_identity_key_fn *fn, void *arg,
                               struct err *e)
{
    struct key_each each = {fn, arg};

    return tx_each(tx, META_IDENTITY_KEY_EACH, NULL, 0, key_row, &each, e);
}

enum rc meta_identity_key_forget(struct meta_tx *tx, int64_t retired_before_us, uint64_t *ret_n,
                                 struct err *e)
{
    return tx_exec(tx, META_IDENTITY_KEY_DELETE, &DB_I(retired_before_us), 1, ret_n, e);
}
