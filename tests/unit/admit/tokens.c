#include "tokens.h"
#include "base/clock.h"

static enum rc mint(const struct snapshot *s, void *arg, struct err *e)
{
    struct minting *m = arg;

    if (m->identity.audience.ptr)
        return auth_identity_mint(s->identity->identity_keys[0], &m->identity, &m->out, e);
    return auth_token_mint(s->identity->token_key, &m->token, &m->out, e);
}

const char *bearer(struct admit_server *s, struct arena *a, struct minting *m)
{
    struct err e = {0};

    m->out = BUF_INIT(16384);
    must(snapshot_with_newest(s->i.hub, mint, m, &e), &e);
    const char *text =
        arena_printf(a, "Authorization: Bearer %.*s\r\n", STR_ARG(buf_str(&m->out))).ptr;

    buf_done(&m->out);
    return text;
}

struct minting registry_token(const char *registry, const char *scope)
{
    struct minting m = {.token = {.kind = AUTH_TOKEN_ACCESS,
                                  .registry = uuid_of(registry),
                                  .principal = {.kind = PRINCIPAL_IDENTITY,
                                                .object_id = uuid_of(ADMIN_OBJECT),
                                                .app_id = uuid_of(ADMIN_APP),
                                                .generation = CREDENTIAL(1),
                                                .name = "admin"},
                                  .issued_us = clock_wall_us(),
                                  .expires_us = clock_wall_us() + 600 * (int64_t)CLOCK_US_PER_S}};

    assert_int_equal(auth_scopes_parse(str_from(scope), &m.token.scopes, NULL), RC_OK);
    return m;
}

struct minting identity_token(const char *object, const char *audience)
{
    return (struct minting){
        .identity = {.tenant = uuid_of(TENANT),
                     .object_id = uuid_of(object),
                     .app_id = uuid_of(ADMIN_APP),
                     .issuer = STR("http://localhost:8443/adfs"),
                     .audience = str_from(audience),
                     .generation = CREDENTIAL(1),
                     .issued_us = clock_wall_us(),
                     .expires_us = clock_wall_us() + 600 * (int64_t)CLOCK_US_PER_S}};
}
