/* The first start: tenant, subscription, signing keys, administrator, admin.json. */
#include "app/data_folder.h"
#include "arm/subscription.h"
#include "base/clock.h"
#include "base/encode.h"
#include "meta/account.h"
#include "meta/principal.h"
#include "snapshot/snapshot.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "json/json.h"

enum { SETTING_MAX = 16 * 1024, ADMIN_JSON_MAX = 64 * 1024 };

struct installation {
    const struct data_folder *folder;
    const char *control_url; /* NULL: keep what admin.json says */
    struct arena arena;
    struct str tenant, subscription;
    struct meta_principal administrator;
    char secret[CRYPTO_SECRET_TEXT_MAX];
    bool has_administrator, new_secret;
};

static void installation_done(struct installation *in)
{
    arena_done(&in->arena);
    crypto_wipe(in->secret, sizeof(in->secret));
}

static enum rc setting_uuid(struct meta_tx *tx, struct arena *a, const char *name, struct str *ret,
                            struct err *e)
{
    enum rc rc = meta_setting_get(tx, a, name, ret, e);

    if (rc != RC_NOT_FOUND)
        return rc;
    char text[UUID_TEXT_MAX];
    struct uuid fresh = uuid_random();

    *ret = arena_copy(a, uuid_format(&fresh, text));
    return meta_setting_put(tx, name, *ret, e);
}

static enum rc put_sealed(struct meta_tx *tx, const struct data_folder *d, const char *name,
                          struct str plain, struct err *e)
{
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(SETTING_MAX);
    CLEANUP(buf_done) struct buf text = BUF_INIT(2 * SETTING_MAX);
    enum rc rc = crypto_seal(&d->seal, str_from(name), plain, &sealed, e);

    if (rc != RC_OK)
        return rc;
    base64url_encode(&text, buf_str(&sealed));
    rc = buf_status(&text, e);
    return rc == RC_OK ? meta_setting_put(tx, name, buf_str(&text), e) : rc;
}

static bool setting_is_there(struct meta_tx *tx, struct arena *a, const char *name, enum rc *rc,
                             struct err *e)
{
    struct str value;

    *rc = meta_setting_get(tx, a, name, &value, e);
    if (*rc == RC_NOT_FOUND) {
        *rc = RC_OK;
        return false;
    }
    return true;
}

static enum rc install_token_key(struct meta_tx *tx, struct installation *in, struct err *e)
{
    enum rc rc;

    if (setting_is_there(tx, &in->arena, "token-key", &rc, e))
        return rc;
    struct crypto_key key;

    crypto_random(key.bytes, sizeof(key.bytes));
    rc = put_sealed(tx, in->folder, "token-key",
                    (struct str){(const char *)key.bytes, sizeof(key.bytes)}, e);
    crypto_wipe(&key, sizeof(key));
    return rc;
}

static enum rc note_key(const struct meta_identity_key *k, void *arg, struct err *e)
{
    bool *there = arg;

    (void)k;
    (void)e;
    *there = true;
    return RC_OK;
}

static enum rc install_identity_key(struct meta_tx *tx, struct installation *in, struct err *e)
{
    bool there = false;
    enum rc rc = meta_identity_key_each(tx, note_key, &there, e);

    if (rc != RC_OK || there)
        return rc;
    return snapshot_identity_key_new(tx, &in->folder->seal, clock_wall_us(), e);
}

static enum rc find_administrator(const struct meta_principal *p, void *arg, struct err *e)
{
    struct installation *in = arg;

    (void)e;
    if (p->administrator && !in->has_administrator) {
        in->administrator = *p;
        in->administrator.name = arena_copy(&in->arena, p->name);
        in->administrator.upn = in->administrator.password = STR("");
        in->has_administrator = true;
    }
    return RC_OK;
}

/* admin.json goes first: a crash in between leaves a file that the next start writes anew, never an
 * unknown secret. */
static enum rc write_admin_json(struct installation *in, struct err *e)
{
    CLEANUP(json_freep) struct json *j = json_new_object();
    CLEANUP(buf_done) struct buf ca = BUF_INIT(ADMIN_JSON_MAX), text = BUF_INIT(ADMIN_JSON_MAX);
    char app[UUID_TEXT_MAX];
    enum rc rc = file_read(in->folder->fd, "tls/ca.crt", ADMIN_JSON_MAX, &ca, e);

    if (rc == RC_NOT_FOUND) /* --tls-cert: the caller's own authority */
        rc = RC_OK;
    if (rc != RC_OK)
        return rc;
    json_set_text(j, "controlUrl", in->control_url);
    json_set_str(j, "ca", buf_str(&ca));
    json_set_str(j, "tenantId", in->tenant);
    json_set_str(j, "subscriptionId", in->subscription);
    json_set_str(j, "clientId", uuid_format(&in->administrator.app_id, app));
    json_set_text(j, "clientSecret", in->secret);
    json_write_pretty(j, &text);
    buf_addc(&text, '\n');
    rc = buf_status(&text, e);
    return rc == RC_OK ? file_write_atomic(in->folder->fd, "admin.json", buf_str(&text), 0600, e)
                       : rc;
}

static enum rc replace_secrets(struct meta_tx *tx, const struct meta_principal *p,
                               struct str secret, struct err *e)
{
    struct meta_secret s = {
        .id = uuid_random(),
        .principal = p->object_id,
        .name = STR("admin.json"),
        .hash = crypto_secret_hash(secret),
        .created_us = clock_wall_us(),
    };
    enum rc rc = meta_secret_delete(tx, &p->object_id, NULL, e);

    return rc == RC_OK ? meta_secret_add(tx, &s, e) : rc;
}

static enum rc renew_secret(struct meta_tx *tx, struct installation *in, struct err *e)
{
    struct str secret = crypto_secret(in->secret);

    in->administrator.generation++;
    in->administrator.enabled = true;
    in->new_secret = true;
    enum rc rc = write_admin_json(in, e);

    if (rc == RC_OK)
        rc = meta_principal_put(tx, &in->administrator, e);
    return rc == RC_OK ? replace_secrets(tx, &in->administrator, secret, e) : rc;
}

static enum rc install_administrator(struct meta_tx *tx, struct installation *in, struct err *e)
{
    enum rc rc = meta_principal_each(tx, find_administrator, in, e);

    if (rc != RC_OK || in->has_administrator)
        return rc;
    in->administrator = (struct meta_principal){.object_id = uuid_random(),
                                                .app_id = uuid_random(),
                                                .name = STR("administrator"),
                                                .created_us = clock_wall_us(),
                                                .administrator = true};
    return renew_secret(tx, in, e);
}

static enum rc install(struct meta_tx *tx, void *arg, struct err *e)
{
    struct installation *in = arg;
    enum rc rc = setting_uuid(tx, &in->arena, "tenant", &in->tenant, e);

    if (rc == RC_OK)
        rc = setting_uuid(tx, &in->arena, "subscription", &in->subscription, e);
    if (rc == RC_OK)
        rc = arm_subscription_install(tx, &in->arena, in->subscription, e);
    if (rc == RC_OK)
        rc = install_token_key(tx, in, e);
    if (rc == RC_OK)
        rc = install_identity_key(tx, in, e);
    if (rc == RC_OK)
        rc = install_administrator(tx, in, e);
    return rc;
}

/* Another --control or a new authority: the file follows, with the secret that it has. */
static enum rc refresh_admin_json(struct installation *in, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ADMIN_JSON_MAX);
    CLEANUP(json_freep) struct json *j = NULL;
    enum rc rc = file_read(in->folder->fd, "admin.json", ADMIN_JSON_MAX, &text, e);

    if (rc == RC_NOT_FOUND) /* moved away on purpose; `kidoban admin reset` makes a new one */
        return RC_OK;
    if (rc == RC_OK)
        rc = json_parse(buf_str(&text), NULL, &j, e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "%s/admin.json (`kidoban admin reset` makes a new one)",
                          in->folder->path);
    if (!in->control_url)
        in->control_url = arena_copy(&in->arena, json_str(json_get(j, "controlUrl"))).ptr;
    rc = str_copy(json_str(json_get(j, "clientSecret")), in->secret, sizeof(in->secret));
    if (rc != RC_OK)
        return err_set(e, RC_INVALID,
                       "%s/admin.json has no clientSecret: run `kidoban admin reset`",
                       in->folder->path);
    return write_admin_json(in, e);
}

enum rc data_folder_install(const struct data_folder *d, struct meta *m, const char *control_url,
                            struct err *e)
{
    CLEANUP(installation_done)
    struct installation in = {
        .folder = d, .control_url = control_url, .arena = ARENA_INIT(1 << 20)};
    enum rc rc = meta_write_alone(m, install, NULL, &in, e);

    if (rc == RC_OK && !in.new_secret)
        rc = refresh_admin_json(&in, e);
    return rc;
}

static enum rc reset(struct meta_tx *tx, void *arg, struct err *e)
{
    struct installation *in = arg;
    enum rc rc = meta_principal_each(tx, find_administrator, in, e);

    if (rc == RC_OK)
        rc = meta_setting_get(tx, &in->arena, "tenant", &in->tenant, e);
    if (rc == RC_OK)
        rc = meta_setting_get(tx, &in->arena, "subscription", &in->subscription, e);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !in->has_administrator))
        return err_set(e, RC_NOT_FOUND, "%s has no administrator yet: start `kidoban serve` once",
                       in->folder->path);
    return rc == RC_OK ? renew_secret(tx, in, e) : rc;
}

enum rc data_folder_reset_administrator(const struct data_folder *d, struct meta *m,
                                        const char *control_url, struct err *e)
{
    CLEANUP(installation_done)
    struct installation in = {
        .folder = d, .control_url = control_url, .arena = ARENA_INIT(1 << 20)};

    return meta_write_alone(m, reset, NULL, &in, e);
}
