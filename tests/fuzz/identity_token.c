/* Identity tokens: whatever claims our own key signs, those that are taken are in force and whole,
 * and count at the control plane or at the registries, never at both; what goes into a token comes
 * out again. */
#include "fuzz.h"

#include "auth/auth.h"
#include "base/clock.h"
#include <stdlib.h>

#define NOW_US ((int64_t)1795400000 * CLOCK_US_PER_S)

static const char jwk[] = "{\"kty\":\"EC\",\"crv\":\"P-256\","
                          "\"d\":\"AAAAAAAAAAAAAAAAAAAAABI0VniQq83vEjRWeJCrze8\","
                          "\"x\":\"-evkZBR8wQLZIyTQmdknwaUOQtV6CKEW_-wKKYGdjGU\","
                          "\"y\":\"cLr30SiIkCpqDB1nrdEDEjyFmrab-OlDHJOEkw1Lfu4\"}";

static void try_claims(struct jws_key *key, struct str claims)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(256 * 1024);
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
    struct auth_identity_token t;

    if (jws_sign(key, JWS_ES256, "at+jwt", claims, &token, NULL) != RC_OK ||
        auth_identity_verify(&key, 1, buf_str(&token), NOW_US, &a, &t, NULL) != RC_OK)
        return;
    if (t.expires_us <= NOW_US || !t.issuer.ptr || !t.audience.ptr)
        abort();
    if (auth_identity_for_control(&t) && auth_identity_for_registries(&t) &&
        !str_starts(t.issuer, STR(AUTH_REGISTRIES_AUDIENCE)))
        abort();
}

static void try_minting(struct jws_key *key, struct str text)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(256 * 1024);
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20), id = BUF_INIT(1 << 20);
    const struct auth_identity_token t = {.issuer = STR("https://arm.x/adfs"),
                                          .audience = STR("https://arm.x"),
                                          .upn = text,
                                          .name = text,
                                          .generation = 3,
                                          .issued_us = NOW_US,
                                          .expires_us = NOW_US + CLOCK_US_PER_S};
    const struct auth_id_token i = {.issuer = t.issuer,
                                    .client = text,
                                    .upn = text,
                                    .issued_us = NOW_US,
                                    .expires_us = t.expires_us};
    struct auth_identity_token got;

    if (text.len > 0 && memchr(text.ptr, '\0', text.len))
        return; /* no name has one: they come as JSON */
    if (auth_identity_mint(key, &t, &token, NULL) != RC_OK)
        return; /* too large */
    if (token.len <= JWS_TOKEN_MAX &&
        (auth_identity_verify(&key, 1, buf_str(&token), NOW_US, &a, &got, NULL) != RC_OK ||
         got.generation != 3 || !auth_identity_for_control(&got)))
        abort();
    if (auth_id_token_mint(key, &i, &id, NULL) == RC_OK &&
        auth_identity_verify(&key, 1, buf_str(&id), NOW_US, &a, &got, NULL) == RC_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(jws_key_freep) struct jws_key *key = NULL;
    struct str text = {(const char *)data, size};

    if (jws_key_from_jwk(STR(jwk), &key, NULL) != RC_OK)
        abort();
    try_claims(key, text);
    try_minting(key, text);
    return 0;
}
