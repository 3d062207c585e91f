/* Who the installation is (tenant, subscription), its keys, and whom it knows. */
#include "base/encode.h"
#include "base/mem.h"
#include "snapshot/private.h"

enum { SETTING_MAX = 64 * 1024 };

static enum rc uuid_setting(struct meta_tx *tx, struct arena *a, const char *name, struct uuid *ret,
                            struct err *e)
{
    struct str text;
    enum rc rc = meta_setting_get(tx, a, name, &text, e);

    if (rc == RC_OK)
        rc = uuid_parse(text, ret, e);
    return rc == RC_OK ? rc : err_prefix(e, rc, "setting %s", name);
}

/* base64url of what was sealed under the setting's own name. */
static enum rc sealed_setting(struct meta_tx *tx, const struct crypto_key *seal, const char *name,
                              struct buf *out, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(SETTING_MAX);
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(SETTING_MAX);
    struct str text;
    enum rc rc = meta_setting_get(tx, &a, name, &text, e);

    if (rc == RC_OK)
        rc = base64url_decode(text, &sealed, e);
    if (rc == RC_OK)
        rc = crypto_unseal(seal, str_from(name), buf_str(&sealed), out, e);
    return rc == RC_OK ? rc : err_prefix(e, rc, "setting %s", name);
}

static enum rc token_key_load(struct meta_tx *tx, const struct crypto_key *seal,
                              struct jws_key **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(SETTING_MAX);
    struct crypto_key key;
    enum rc rc = sealed_setting(tx, seal, "token-key", &plain, e);

    if (rc != RC_OK)
        return rc;
    if (plain.len != sizeof(key.bytes)) {
        crypto_wipe(plain.ptr, plain.len);
        return err_set(e, RC_CORRUPT, "setting token-key is not a key");
    }
    memcpy(key.bytes, plain.ptr, sizeof(key.bytes));
    rc = jws_key_hmac(&key, ret, e);
    crypto_wipe(&key, sizeof(key));
    crypto_wipe(plain.ptr, plain.len);
    return rc;
}

static enum rc identity_key_load(struct meta_tx *tx, const struct crypto_key *seal,
                                 struct jws_key **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(SETTING_MAX);
    enum rc rc = sealed_setting(tx, seal, "identity-key", &plain, e);

    if (rc != RC_OK)
        return rc;
    rc = jws_key_from_jwk(buf_str(&plain), ret, e);
    crypto_wipe(plain.ptr, plain.len);
    return rc;
}

/* --- principals --- */

static enum rc principal_add(const struct meta_principal *p, void *arg, struct err *e)
{
    struct snapshot_identity *i = arg;

    (void)e;
    i->principals = mem_grow(i->principals, i->n_principals + 1, sizeof(*i->principals));
    i->principals[i->n_principals++] = (struct snapshot_principal){
        .object_id = p->object_id,
        .app_id = p->app_id,
        .name = arena_copy(&i->arena, p->name),
        .secret = p->secret,
        .generation = p->generation,
        .administrator = p->administrator,
    };
    return RC_OK;
}

static int uuid_order(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int object_order(const void *left, const void *right)
{
    const struct snapshot_principal *a = left, *b = right;

    return uuid_order(&a->object_id, &b->object_id);
}

static int app_order(const void *left, const void *right)
{
    const struct snapshot_principal *const *a = left, *const *b = right;

    return uuid_order(&(*a)->app_id, &(*b)->app_id);
}

static void principals_sort(struct snapshot_identity *i)
{
    i->by_app = MEM_ARRAY(const struct snapshot_principal *, i->n_principals);
    if (i->n_principals == 0)
        return;
    qsort(i->principals, i->n_principals, sizeof(*i->principals), object_order);
    for (size_t k = 0; k < i->n_principals; k++)
        i->by_app[k] = &i->principals[k];
    qsort(i->by_app, i->n_principals, sizeof(struct snapshot_principal *), app_order);
}

enum rc identity_load(struct meta_tx *tx, const struct crypto_key *seal,
                      struct snapshot_identity **ret, struct err *e)
{
    struct snapshot_identity *i = MEM_NEW(struct snapshot_identity);

    i->arena = ARENA_INIT(SIZE_MAX / 2);
    i->identity_keys = MEM_ARRAY(struct jws_key *, 1);
    enum rc rc = uuid_setting(tx, &i->arena, "tenant", &i->tenant, e);

    if (rc == RC_OK)
        rc = uuid_setting(tx, &i->arena, "subscription", &i->subscription, e);
    if (rc == RC_OK)
        rc = token_key_load(tx, seal, &i->token_key, e);
    if (rc == RC_OK)
        rc = identity_key_load(tx, seal, &i->identity_keys[0], e);
    if (rc == RC_OK)
        rc = meta_principal_each(tx, principal_add, i, e);
    if (rc == RC_OK)
        rc = subscriptions_load(tx, i, e);
    if (rc != RC_OK) {
        identity_free(i);
        return rc;
    }
    i->n_identity_keys = 1;
    principals_sort(i);
    *ret = i;
    return RC_OK;
}

void identity_free(struct snapshot_identity *i)
{
    if (!i)
        return;
    jws_key_free(i->token_key);
    jws_key_free(i->identity_keys[0]);
    free(i->identity_keys);
    free(i->principals);
    free(i->by_app);
    free(i->subscriptions);
    arena_done(&i->arena);
    free(i);
}

/* --- reading --- */

const struct snapshot_principal *snapshot_principal_by_object(const struct snapshot *s,
                                                              const struct uuid *object_id)
{
    const struct snapshot_principal wanted = {.object_id = *object_id};
    const struct snapshot_identity *i = s->identity;

    return i->n_principals == 0 ? NULL
                                : bsearch(&wanted, i->principals, i->n_principals,
                                          sizeof(*i->principals), object_order);
}

const struct snapshot_principal *snapshot_principal_by_app(const struct snapshot *s,
                                                           const struct uuid *app_id)
{
    const struct snapshot_principal wanted = {.app_id = *app_id}, *key = &wanted;
    const struct snapshot_identity *i = s->identity;
    const struct snapshot_principal **found =
        i->n_principals == 0 ? NULL
                             : bsearch(&key, i->by_app, i->n_principals,
                                       sizeof(struct snapshot_principal *), app_order);

    return found ? *found : NULL;
}
