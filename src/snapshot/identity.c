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

/* --- signing keys: sealed under their own id --- */

static enum rc identity_key_open(const struct crypto_key *seal, const struct meta_identity_key *k,
                                 struct jws_key **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(SETTING_MAX);
    char id[UUID_TEXT_MAX];
    enum rc rc = crypto_unseal(seal, uuid_format(&k->id, id), k->sealed, &plain, e);

    if (rc != RC_OK)
        return err_prefix(e, rc, "identity key %s", id);
    rc = jws_key_from_jwk(buf_str(&plain), ret, e);
    crypto_wipe(plain.ptr, plain.len);
    return rc;
}

struct loading {
    const struct crypto_key *seal;
    struct snapshot_identity *identity;
};

/* First comes the one that signs; only it is not retired. */
static enum rc identity_key_add(const struct meta_identity_key *k, void *arg, struct err *e)
{
    struct loading *l = arg;
    struct snapshot_identity *i = l->identity;
    struct jws_key *key = NULL;
    enum rc rc = identity_key_open(l->seal, k, &key, e);

    if (rc != RC_OK)
        return rc;
    i->identity_keys = mem_grow(i->identity_keys, i->n_identity_keys + 1, sizeof(struct jws_key *));
    i->identity_keys[i->n_identity_keys++] = key;
    return RC_OK;
}

static enum rc identity_keys_load(struct meta_tx *tx, const struct crypto_key *seal,
                                  struct snapshot_identity *i, struct err *e)
{
    struct loading l = {seal, i};
    enum rc rc = meta_identity_key_each(tx, identity_key_add, &l, e);

    if (rc == RC_OK && i->n_identity_keys == 0)
        return err_set(e, RC_CORRUPT, "no key signs identity tokens");
    return rc;
}

enum rc snapshot_identity_key_new(struct meta_tx *tx, const struct crypto_key *seal, int64_t now_us,
                                  struct err *e)
{
    CLEANUP(jws_key_freep) struct jws_key *key = NULL;
    CLEANUP(buf_done) struct buf jwk = BUF_INIT(SETTING_MAX), sealed = BUF_INIT(SETTING_MAX);
    struct meta_identity_key k = {.id = uuid_random(), .created_us = now_us};
    char id[UUID_TEXT_MAX];
    enum rc rc = jws_key_generate_es256(&key, e);

    if (rc == RC_OK)
        rc = jws_key_to_jwk(key, true, &jwk, e);
    if (rc == RC_OK)
        rc = crypto_seal(seal, uuid_format(&k.id, id), buf_str(&jwk), &sealed, e);
    if (jwk.ptr)
        crypto_wipe(jwk.ptr, jwk.len);
    k.sealed = buf_str(&sealed);
    return rc == RC_OK ? meta_identity_key_add(tx, &k, e) : rc;
}

/* --- principals --- */

static enum rc principal_add(const struct meta_principal *p, void *arg, struct err *e)
{
    struct snapshot_identity *i = arg;

    (void)e;
    i->principals = mem_grow(i->principals, i->n_principals + 1, sizeof(*i->principals));
    i->principals[i->n_principals++] = (struct snapshot_principal){
        .kind = p->kind,
        .object_id = p->object_id,
        .app_id = p->app_id,
        .name = arena_copy(&i->arena, p->name),
        .upn = arena_copy(&i->arena, p->upn),
        .password = arena_copy(&i->arena, p->password),
        .generation = p->generation,
        .created_us = p->created_us,
        .enabled = p->enabled,
        .administrator = p->administrator,
    };
    return RC_OK;
}

static enum rc secret_add(const struct meta_secret *s, void *arg, struct err *e)
{
    struct snapshot_identity *i = arg;

    (void)e;
    i->secrets = mem_grow(i->secrets, i->n_secrets + 1, sizeof(*i->secrets));
    i->secrets[i->n_secrets++] = (struct snapshot_secret){
        .id = s->id,
        .principal = s->principal,
        .name = arena_copy(&i->arena, s->name),
        .hash = s->hash,
        .created_us = s->created_us,
        .expires_us = s->expires_us,
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

/* Bytes, as lower case: what meta/ keeps unique. */
static int name_order(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < n; i++) {
        int order = (unsigned char)ascii_lower(a.ptr[i]) - (unsigned char)ascii_lower(b.ptr[i]);

        if (order != 0)
            return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

static int upn_order(const void *left, const void *right)
{
    const struct snapshot_principal *const *a = left, *const *b = right;

    return name_order((*a)->upn, (*b)->upn);
}

/* Both lists are in the order of object ids. */
static void secrets_attach(struct snapshot_identity *i)
{
    size_t at = 0;

    for (size_t k = 0; k < i->n_principals; k++) {
        struct snapshot_principal *p = &i->principals[k];

        while (at < i->n_secrets && uuid_order(&i->secrets[at].principal, &p->object_id) < 0)
            at++;
        p->secrets = i->secrets + at;
        while (at < i->n_secrets && uuid_eq(&i->secrets[at].principal, &p->object_id))
            at++;
        p->n_secrets = (size_t)(i->secrets + at - p->secrets);
    }
}

static void principals_sort(struct snapshot_identity *i)
{
    i->by_app = MEM_ARRAY(const struct snapshot_principal *, i->n_principals);
    i->by_upn = MEM_ARRAY(const struct snapshot_principal *, i->n_principals);
    if (i->n_principals == 0)
        return;
    qsort(i->principals, i->n_principals, sizeof(*i->principals), object_order);
    secrets_attach(i);
    for (size_t k = 0; k < i->n_principals; k++) {
        if (i->principals[k].kind == META_USER)
            i->by_upn[i->n_users++] = &i->principals[k];
        else
            i->by_app[i->n_apps++] = &i->principals[k];
    }
    qsort(i->by_app, i->n_apps, sizeof(struct snapshot_principal *), app_order);
    qsort(i->by_upn, i->n_users, sizeof(struct snapshot_principal *), upn_order);
}

enum rc identity_load(struct meta_tx *tx, const struct crypto_key *seal,
                      struct snapshot_identity **ret, struct err *e)
{
    struct snapshot_identity *i = MEM_NEW(struct snapshot_identity);

    i->arena = ARENA_INIT(SIZE_MAX / 2);
    i->secrets = MEM_ARRAY(struct snapshot_secret, 1);
    enum rc rc = uuid_setting(tx, &i->arena, "tenant", &i->tenant, e);

    if (rc == RC_OK)
        rc = uuid_setting(tx, &i->arena, "subscription", &i->subscription, e);
    if (rc == RC_OK)
        rc = token_key_load(tx, seal, &i->token_key, e);
    if (rc == RC_OK)
        rc = identity_keys_load(tx, seal, i, e);
    if (rc == RC_OK)
        rc = meta_principal_each(tx, principal_add, i, e);
    if (rc == RC_OK)
        rc = subscriptions_load(tx, i, e);
    if (rc == RC_OK)
        rc = meta_secret_each(tx, NULL, secret_add, i, e);
    if (rc != RC_OK) {
        identity_free(i);
        return rc;
    }
    principals_sort(i);
    *ret = i;
    return RC_OK;
}

void identity_free(struct snapshot_identity *i)
{
    if (!i)
        return;
    jws_key_free(i->token_key);
    for (size_t k = 0; k < i->n_identity_keys; k++)
        jws_key_free(i->identity_keys[k]);
    free(i->identity_keys);
    free(i->principals);
    free(i->secrets);
    free(i->by_app);
    free(i->subscriptions);
    free(i->by_upn);
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

static const struct snapshot_principal *find(const struct snapshot_principal **list, size_t n,
                                             const struct snapshot_principal *wanted,
                                             int (*order)(const void *, const void *))
{
    const struct snapshot_principal **found =
        n == 0 ? NULL : bsearch(&wanted, list, n, sizeof(struct snapshot_principal *), order);

    return found ? *found : NULL;
}

const struct snapshot_principal *snapshot_principal_by_app(const struct snapshot *s,
                                                           const struct uuid *app_id)
{
    const struct snapshot_principal wanted = {.app_id = *app_id};

    return find(s->identity->by_app, s->identity->n_apps, &wanted, app_order);
}

const struct snapshot_principal *snapshot_principal_by_upn(const struct snapshot *s, struct str upn)
{
    const struct snapshot_principal wanted = {.upn = upn};

    return find(s->identity->by_upn, s->identity->n_users, &wanted, upn_order);
}

/* A few bits of the secret's id tell it from the principal's others. */
static uint32_t secret_mark(const struct snapshot_secret *s)
{
    uint32_t mark;

    memcpy(&mark, s->id.bytes, sizeof(mark));
    return mark;
}

int64_t snapshot_credential(const struct snapshot_principal *p, const struct snapshot_secret *s)
{
    return (int64_t)((uint64_t)p->generation << 32 | (s ? secret_mark(s) : 0));
}

bool snapshot_secret_holds(const struct snapshot_secret *s, int64_t now_us)
{
    return s->expires_us == 0 || s->expires_us > now_us;
}

bool snapshot_credential_stands(const struct snapshot_principal *p, int64_t credential,
                                int64_t now_us)
{
    if (!p || !p->enabled)
        return false;
    if (p->kind == META_USER)
        return credential == snapshot_credential(p, NULL);
    for (size_t i = 0; i < p->n_secrets; i++)
        if (credential == snapshot_credential(p, &p->secrets[i]) &&
            snapshot_secret_holds(&p->secrets[i], now_us))
            return true;
    return false;
}
