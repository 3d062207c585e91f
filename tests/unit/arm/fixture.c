#include "fixture.h"

#include "control_request.h"

#include "arm/operation.h"
#include "arm/subscription.h"
#include "base/encode.h"

static enum rc control_seal(struct meta_tx *tx, const struct crypto_key *seal, const char *name,
                            struct str plain)
{
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(8192), text = BUF_INIT(16384);

    assert_int_equal(crypto_seal(seal, str_from(name), plain, &sealed, NULL), RC_OK);
    base64url_encode(&text, buf_str(&sealed));
    return meta_setting_put(tx, name, buf_str(&text), NULL);
}

static enum rc control_person(struct meta_tx *tx, uint8_t id, const char *name, bool administrator,
                              struct err *e)
{
    const struct meta_principal p = {.object_id = {{id}},
                                     .app_id = {{id, id}},
                                     .name = str_from(name),
                                     .enabled = true,
                                     .administrator = administrator};
    /* Its id begins with zeros, and so what vouches for them is 0, as in the requests below. */
    const struct meta_secret secret = {
        .id = {{[15] = id}}, .principal = p.object_id, .hash = crypto_secret_hash(STR("secret"))};

    assert_int_equal(meta_secret_add(tx, &secret, e), RC_OK);
    return meta_principal_put(tx, &p, e);
}

static enum rc control_install(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(65536);
    struct control *c = arg;

    assert_int_equal(meta_setting_put(tx, "tenant", STR("6f1a0d9e-0000-4000-8000-000000000002"), e),
                     RC_OK);
    assert_int_equal(meta_setting_put(tx, "subscription", STR(SUBSCRIPTION), e), RC_OK);
    assert_int_equal(arm_subscription_install(tx, &arena, STR(SUBSCRIPTION), e), RC_OK);
    assert_int_equal(
        control_seal(tx, &c->services.seal, "token-key", STR("0123456789abcdef0123456789abcdef")),
        RC_OK);
    assert_int_equal(control_person(tx, 1, "administrator", true, e), RC_OK);
    assert_int_equal(control_person(tx, 2, "stranger", false, e), RC_OK);
    return snapshot_identity_key_new(tx, &c->services.seal, 1, e);
}

int control_setup(void **state)
{
    struct control *c = calloc(1, sizeof(*c));
    struct snapshot_config hub = {.suffix = STR("azurecr.test"), .default_registry = STR("")};
    struct admit_config admit = {
        .suffix = STR("azurecr.test"), .control_name = STR(""), .login_port = 5443};
    struct err e = {0};
    char url[600];

    if (!c)
        return -1;
    *state = c;
    temp_folder_make(&c->folder);
    snprintf(url, sizeof(url), "sqlite:%s/kidoban.db", c->folder.path);
    assert_int_equal(meta_open(url, &c->meta, NULL), RC_OK);
    crypto_random(&c->services.seal, sizeof(c->services.seal));
    assert_int_equal(meta_write(c->meta, &(struct uuid){{1}}, control_install, c, NULL), RC_OK);
    hub.meta = c->meta;
    hub.seal = c->services.seal;
    if (snapshot_hub_new(&hub, &c->hub, &e) != RC_OK)
        fail_msg("%s", e.text);
    c->services.hub = c->hub;
    c->services.meta = c->meta;
    c->services.suffix = STR("azurecr.test");
    c->limiter = auth_limiter_new();
    admit.hub = c->hub;
    admit.limiter = c->limiter;
    admit.services = &c->services;
    admit.control = (struct admit_api){arm_routes, arm_error};
    admit.data.error = admit.metrics.error = arm_error;
    assert_int_equal(admit_new(&admit, &c->admit, NULL), RC_OK);
    return 0;
}

int control_teardown(void **state)
{
    struct control *c = *state;

    control_request_end(&c->req, &c->answer);
    admit_free(c->admit);
    auth_limiter_free(c->limiter);
    snapshot_hub_free(c->hub);
    meta_close(c->meta);
    temp_folder_remove(&c->folder);
    free(c);
    return 0;
}

static enum rc control_run(const struct snapshot *s, void *arg, struct err *e)
{
    struct control *c = arg;
    struct admission *a = ARENA_NEW(&c->req.arena, struct admission);
    struct str allow;
    enum rc rc;

    a->admit = c->admit;
    a->snapshot = s;
    a->authenticated = true;
    a->principal.kind = PRINCIPAL_IDENTITY;
    a->principal.administrator = !c->stranger;
    a->principal.object_id = (struct uuid){{c->stranger ? 2 : 1}};
    a->principal.app_id = (struct uuid){{c->stranger ? 2 : 1, c->stranger ? 2 : 1}};
    snprintf(a->principal.name, sizeof(a->principal.name),
             c->stranger ? "stranger" : "administrator");
    c->req.admission = a;
    rc = http_route_find(&arm_routes, &c->req, &allow);
    if (rc != RC_OK)
        return err_set(e, rc, "no route");
    if (admit_control_stands(&c->req, s, e) != RC_OK) {
        arm_error(&c->req, 403, e->code, e->text);
        return RC_OK;
    }
    if (c->meanwhile)
        c->meanwhile(c);
    c->meanwhile = NULL;
    return c->req.route->start(&c->req) == HTTP_ANSWERED ? RC_OK : RC_INTERNAL;
}

void control_operations(struct control *c)
{
    while (arm_operations_step(&c->services))
        continue;
}

void control_field(struct control *c, const char *name, struct str value)
{
    c->fields[c->n_fields++] = (struct http_field){str_from(name), value};
}

unsigned control(struct control *c, const char *method, const char *target, const char *body)
{
    const struct http_fields fields = {c->fields, c->n_fields, ARRAY_LEN(c->fields)};

    control_request_end(&c->req, &c->answer);
    control_request_begin(&c->req, method, target, body, fields, &control_evidence);
    assert_int_equal(snapshot_with_newest(c->hub, control_run, c, &(struct err){0}), RC_OK);
    c->n_fields = 0;
    if (c->req.response.body.len > 0)
        assert_int_equal(json_parse(c->req.response.body, NULL, &c->answer, NULL), RC_OK);
    return c->req.response.status;
}
