#include "meta/account.h"
#include "meta/tx.h"

enum rc meta_setting_get(struct meta_tx *tx, struct arena *a, const char *name, struct str *ret,
                         struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, META_SETTING_GET, &DB_T(str_from(name)), 1, &row, e);

    if (rc == RC_NOT_FOUND)
        return err_set(e, rc, "no setting %s", name);
    return rc == RC_OK ? tx_copy(a, row, 0, ret, e) : rc;
}

enum rc meta_setting_put(struct meta_tx *tx, const char *name, struct str value, struct err *e)
{
    const struct db_value v[] = {DB_T(str_from(name)), DB_T(value)};

    return tx_exec(tx, META_SETTING_PUT, v, ARRAY_LEN(v), NULL, e);
}

/* --- registries' secrets --- */

enum rc meta_registry_secret_put(struct meta_tx *tx, const struct meta_registry_secret *s,
                                 struct err *e)
{
    uint8_t hash[TX_DIGEST_MAX];
    const struct db_value v[] = {DB_UUID(&s->registry), DB_I(s->slot), DB_B(s->sealed),
                                 tx_digest_value(&s->hash, hash), DB_I(s->generation)};

    return tx_exec(tx, META_REGISTRY_SECRET_PUT, v, ARRAY_LEN(v), NULL, e);
}

struct secret_each {
    meta_registry_secret_fn *fn;
    void *arg;
};

static enum rc secret_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct secret_each *each = arg;
    struct meta_registry_secret s = {
        .slot = (unsigned)db_int(row, 1),
        .sealed = db_text(row, 2),
        .generation = db_int(row, 4),
    };
    enum rc rc = tx_uuid(row, 0, &s.registry, e);

    if (rc == RC_OK)
        rc = tx_digest(row, 3, &s.hash, e);
    return rc == RC_OK ? each->fn(&s, each->arg, e) : rc;
}

enum rc meta_registry_secret_each(struct meta_tx *tx, const struct uuid *registry,
                                  meta_registry_secret_fn *fn, void *arg, struct err *e)
{
    struct secret_each each = {fn, arg};

    if (!registry)
        return tx_each(tx, META_REGISTRY_SECRET_EACH, NULL, 0, secret_row, &each, e);
    return tx_each(tx, META_REGISTRY_SECRET_OF, &DB_UUID(registry), 1, secret_row, &each, e);
}

enum rc meta_registry_secret_delete(struct meta_tx *tx, const struct uuid *registry, struct err *e)
{
    return tx_exec(tx, META_REGISTRY_SECRET_DELETE, &DB_UUID(registry), 1, NULL, e);
}

/* --- audit --- */

enum rc meta_audit_add(struct meta_tx *tx, const struct meta_audit *entry, struct err *e)
{
    struct uuid id = uuid_random();
    const struct db_value v[] = {
        DB_UUID(&id),           DB_I(entry->at_us),  DB_T(entry->principal), DB_T(entry->address),
        DB_T(entry->operation), DB_T(entry->target), DB_T(entry->before),    DB_T(entry->after)};

    return tx_exec(tx, META_AUDIT_ADD, v, ARRAY_LEN(v), NULL, e);
}

struct audit_each {
    meta_audit_fn *fn;
    void *arg;
};

static enum rc audit_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct audit_each *each = arg;
    const struct meta_audit entry = {
        .at_us = db_int(row, 0),
        .principal = db_text(row, 1),
        .address = db_text(row, 2),
        .operation = db_text(row, 3),
        .target = db_text(row, 4),
        .before = db_text(row, 5),
        .after = db_text(row, 6),
    };

    return each->fn(&entry, each->arg, e);
}

enum rc meta_audit_each(struct meta_tx *tx, int64_t since_us, unsigned limit, meta_audit_fn *fn,
                        void *arg, struct err *e)
{
    const struct db_value v[] = {DB_I(since_us), DB_I(limit)};
    struct audit_each each = {fn, arg};

    return tx_each(tx, META_AUDIT_EACH, v, ARRAY_LEN(v), audit_row, &each, e);
}
