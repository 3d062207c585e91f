/* The two passwords of a registry's admin user: made with the registry, sealed so that they can be
 * shown again, hashed so that checking needs no key. Renewing one moves its generation, which ends
 * the tokens that it vouched for. */
#include "arm/registry.h"

enum { SLOTS = 2 };
static const char *const slot_names[SLOTS] = {"password", "password2"};

/* What a sealed password is bound to: its row. */
static struct str bound_to(struct arena *a, const struct uuid *registry, unsigned slot)
{
    char text[UUID_TEXT_MAX];

    uuid_format(registry, text);
    return arena_printf(a, "registry-secret/%s/%u", text, slot);
}

static enum rc secret_put(struct arm_write *w, const struct uuid *registry, unsigned slot,
                          int64_t generation, struct err *e)
{
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(512);
    char text[CRYPTO_SECRET_TEXT_MAX];
    struct str password = crypto_secret(text);
    struct meta_registry_secret secret = {.registry = *registry,
                                          .slot = slot,
                                          .hash = crypto_secret_hash(password),
                                          .generation = generation};
    enum rc rc = crypto_seal(&w->call->services->seal, bound_to(w->arena, registry, slot), password,
                             &sealed, e);

    crypto_wipe(text, sizeof(text));
    secret.sealed = buf_str(&sealed);
    return rc == RC_OK ? meta_registry_secret_put(w->tx, &secret, e) : rc;
}

enum rc registry_secrets_new(struct arm_write *w, const struct meta_resource *r, struct err *e)
{
    enum rc rc = RC_OK;

    for (unsigned slot = 0; rc == RC_OK && slot < SLOTS; slot++)
        rc = secret_put(w, &r->uuid, slot, 1, e);
    return rc;
}

/* --- reading --- */
struct secrets {
    struct arm_call *call;
    struct str passwords[SLOTS]; /* in the request's arena */
    int64_t generations[SLOTS];
};

static enum rc secret_read(const struct meta_registry_secret *s, void *arg, struct err *e)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(512);
    struct secrets *secrets = arg;
    struct arm_call *c = secrets->call;
    enum rc rc;

    if (s->slot >= SLOTS)
        return err_set(e, RC_INTERNAL, "a registry's secret has slot %u", s->slot);
    rc = crypto_unseal(&c->services->seal, bound_to(c->arena, &s->registry, s->slot), s->sealed,
                       &plain, e);
    if (rc != RC_OK)
        return rc;
    secrets->passwords[s->slot] = arena_copy(c->arena, buf_str(&plain));
    secrets->generations[s->slot] = s->generation;
    return RC_OK;
}

static struct json *credentials_json(const struct secrets *secrets, struct str registry)
{
    struct json *out = json_new_object(), *list = json_new_array();

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        struct json *one = json_new_object();

        json_set_text(one, "name", slot_names[slot]);
        json_set_str(one, "value", secrets->passwords[slot]);
        json_append(list, one);
    }
    json_set_str(out, "username", registry);
    json_set(out, "passwords", list);
    return out;
}

/* The registry, whose admin user must be enabled, and its passwords. */
static enum rc credentials_read(struct arm_call *c, struct meta_tx *tx, struct meta_resource *r,
                                struct secrets *secrets, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = arm_resource_get(c, tx, r, &body, e);

    if (rc != RC_OK)
        return rc;
    if (!json_bool(json_path(body, "properties.adminUserEnabled"), false))
        return err_code(e, RC_INVALID, "UnAuthorizedForCredentialOperations",
                        "Cannot perform credential operations for %.*s as admin user is disabled. "
                        "Kindly enable admin user.",
                        STR_ARG(r->id));
    secrets->call = c;
    return meta_registry_secret_each(tx, &r->uuid, secret_read, secrets, e);
}

static enum rc list_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct secrets secrets = {0};
    struct meta_resource r = {0};
    enum rc rc = credentials_read(c, tx, &r, &secrets, e);

    if (rc == RC_OK)
        arm_set_answer(c, credentials_json(&secrets, arm_name_of(r.id)));
    return rc;
}

enum http_verdict arm_registry_list_credentials(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, list_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- renewing --- */
static enum rc slot_asked(const struct arm_call *c, unsigned *ret, struct err *e)
{
    struct str name = json_str(json_get_nocase(c->sent, "name"));

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (str_is_nocase(name, slot_names[slot])) {
            *ret = slot;
            return RC_OK;
        }
    }
    return err_set(e, RC_INVALID, "The name of a password is 'password' or 'password2'.");
}

static enum rc renew_write(struct arm_write *w, struct err *e)
{
    struct arm_call *c = w->call;
    struct secrets secrets = {0};
    struct meta_resource r = {0};
    unsigned slot = 0;
    enum rc rc = slot_asked(c, &slot, e);

    if (rc == RC_OK)
        rc = credentials_read(c, w->tx, &r, &secrets, e);
    if (rc == RC_OK)
        rc = secret_put(w, &r.uuid, slot, secrets.generations[slot] + 1, e);
    if (rc == RC_OK)
        rc = meta_registry_secret_each(w->tx, &r.uuid, secret_read, &secrets, e);
    if (rc == RC_OK)
        rc = arm_audit(w, c->req->route->access, r.id, STR_NONE,
                       arena_printf(w->arena, "{\"name\":\"%s\"}", slot_names[slot]), e);
    if (rc != RC_OK)
        return rc;
    snapshot_touch_registry(w->change, &r.uuid);
    arm_set_answer(c, credentials_json(&secrets, arm_name_of(r.id)));
    return RC_OK;
}

enum http_verdict arm_registry_regenerate_credential(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || !arm_body_given(&c))
        return HTTP_ANSWERED;
    if (!arm_failed(&c, arm_change(&c, renew_write, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}
