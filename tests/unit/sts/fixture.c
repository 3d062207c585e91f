#include "fixture.h"

#include "control_request.h"

#include "base/clock.h"

/* As the control plane of a server would answer; the body is of no interest here. */
static void refused(struct http_request *req, unsigned status, const char *code,
                    const char *message)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);

    buf_addf(&b, "{\"error\":{\"code\":\"%s\",\"message\":", code ? code : "");
    buf_add_json(&b, str_from(message));
    buf_add(&b, STR("}}"));
    http_answer(req, status, "application/json", arena_copy(&req->arena, buf_str(&b)));
}

struct whole {
    struct sts sts; /* first */
    struct arena kept;
};

int sts_setup(void **state)
{
    struct whole *w = calloc(1, sizeof(*w));
    struct sts *f = &w->sts;

    if (!w)
        return -1;
    w->kept = ARENA_INIT(1 << 20);
    f->evidence = control_evidence;
    *state = f;
    installation_new(&f->i, 0);
    installation_hub(&f->i);
    f->limiter = auth_limiter_new();
    const struct admit_config config = {
        .hub = f->i.hub,
        .limiter = f->limiter,
        .data.error = refused,
        .control = {sts_routes, refused},
        .metrics.error = refused,
        .suffix = STR("registry.test"),
        .control_name = STR(""),
        .login_port = 443,
    };

    assert_int_equal(admit_new(&config, &f->admit, NULL), RC_OK);
    return 0;
}

int sts_teardown(void **state)
{
    struct whole *w = *state;
    struct sts *f = &w->sts;

    control_request_end(&f->req, &f->answer);
    admit_free(f->admit);
    auth_limiter_free(f->limiter);
    installation_free(&f->i);
    arena_done(&w->kept);
    free(w);
    return 0;
}

void sts_field(struct sts *f, const char *name, const char *value)
{
    f->fields[f->n_fields++] = (struct http_field){str_from(name), str_from(value)};
}

static enum rc run(const struct snapshot *s, void *arg, struct err *e)
{
    struct sts *f = arg;
    struct admission *a = ARENA_NEW(&f->req.arena, struct admission);
    struct str allow;

    a->admit = f->admit;
    a->snapshot = s;
    a->principal = (struct principal){.kind = PRINCIPAL_IDENTITY,
                                      .object_id = uuid_of(ADMIN_OBJECT),
                                      .app_id = uuid_of(ADMIN_APP),
                                      .generation = CREDENTIAL(1),
                                      .name = "administrator"};
    f->req.admission = a;
    enum rc rc = http_route_find(&sts_routes, &f->req, &allow);

    if (rc != RC_OK)
        return err_set(e, rc, "no route");
    if (f->meanwhile)
        f->meanwhile(f);
    f->meanwhile = NULL;
    f->hashed = f->req.route->start(&f->req) == HTTP_DECLINED;
    if (f->hashed)
        assert_int_equal(f->req.route->call(&f->req), HTTP_ANSWERED);
    return RC_OK;
}

unsigned ask(struct sts *f, const char *method, const char *target, const char *body)
{
    const struct http_fields fields = {f->fields, f->n_fields, ARRAY_LEN(f->fields)};

    control_request_end(&f->req, &f->answer);
    control_request_begin(&f->req, method, target, body, fields, &f->evidence);
    assert_int_equal(snapshot_with_newest(f->i.hub, run, f, NULL), RC_OK);
    f->n_fields = 0;
    if (f->req.response.body.len > 0 && f->req.response.body.ptr[0] == '{')
        assert_int_equal(json_parse(f->req.response.body, NULL, &f->answer, NULL), RC_OK);
    return f->req.response.status;
}

struct str said(const struct sts *f, const char *path)
{
    return json_str(json_path(f->answer, path));
}

void expect_error(const struct sts *f, const char *code)
{
    assert_str(said(f, "error"), code);
}

/* hashlib.scrypt(b"correct horse", salt=bytes(16), n=16, r=1, p=1, dklen=32), by Python */
#define RECORD "scrypt$16$1$1$AAAAAAAAAAAAAAAAAAAAAA$7NhokSmBG5NzCn6JJiJG9qnYF8Z_iKWN8uhFYxSOR8Y"

static enum rc put_ann(struct meta_tx *tx, struct snapshot_change *change, void *arg, struct err *e)
{
    const struct meta_principal p = {.kind = META_USER,
                                     .object_id = uuid_random(),
                                     .name = STR("Ann"),
                                     .upn = STR("ann@example.org"),
                                     .password = STR(RECORD),
                                     .generation = 1,
                                     .enabled = true};

    (void)arg;
    snapshot_touch_identity(change);
    return meta_principal_put(tx, &p, e);
}

void make_ann(struct sts *f)
{
    assert_int_equal(snapshot_change(f->i.hub, put_ann, NULL, NULL), RC_OK);
}

/* A bucket has room for ten failures and gets one back every six seconds. Where the attempt itself
 * took about as long, it proves nothing: once more, from another address. */
bool shuts_out(struct sts *f, const char *account, unsigned (*attempt)(struct sts *f))
{
    struct auth_limiter_key key = {.account = str_from(account)};

    for (uint8_t round = 1; round <= 30; round++) {
        f->evidence.peer.bytes[3] = round;
        key.address = f->evidence.peer;
        int64_t began = clock_mono_us();

        for (int i = 0; i < 9; i++)
            auth_limiter_failed(f->limiter, &key, began);
        assert_int_not_equal(attempt(f), 429);
        if (!auth_limiter_allows(f->limiter, &key, began))
            break;
        if (clock_mono_us() - began < (int64_t)5 * CLOCK_US_PER_S)
            return false; /* it was not counted */
    }
    for (int i = 0; i < 9; i++) /* for as long as the last attempt takes */
        auth_limiter_failed(f->limiter, &key, clock_mono_us() + (int64_t)3600 * CLOCK_US_PER_S);
    return attempt(f) == 429;
}

unsigned ann_signs_in(struct sts *f, const char *rest_of_form)
{
    char body[1024];

    snprintf(body, sizeof(body),
             FORM "grant_type=password&username=ann%%40example.org&password=correct+horse%s",
             rest_of_form);
    return ask(f, "POST", TOKEN, body);
}

const char *keep(struct sts *f, const char *path)
{
    struct whole *w = CONTAINER_OF(f, struct whole, sts);
    struct str copy = arena_copy(&w->kept, said(f, path));

    assert_non_null(copy.ptr);
    assert_true(copy.len > 0);
    return copy.ptr;
}

void in_write(struct sts *f, meta_fn *fn, void *arg)
{
    const struct uuid key = {{1}};

    assert_int_equal(meta_write(f->i.meta, &key, fn, arg, NULL), RC_OK);
}

struct reading {
    struct str token;
    struct arena *arena;
    struct auth_identity_token *ret;
};

static enum rc verify(const struct snapshot *s, void *arg, struct err *e)
{
    struct reading *r = arg;

    return auth_identity_verify(s->identity->identity_keys, s->identity->n_identity_keys, r->token,
                                clock_wall_us(), r->arena, r->ret, e);
}

enum rc try_token(struct sts *f, const char *token, struct auth_identity_token *ret)
{
    struct whole *w = CONTAINER_OF(f, struct whole, sts);
    struct reading r = {str_from(token), &w->kept, ret};

    return snapshot_with_newest(f->i.hub, verify, &r, NULL);
}

void read_token(struct sts *f, const char *token, struct auth_identity_token *ret)
{
    assert_int_equal(try_token(f, token, ret), RC_OK);
}
