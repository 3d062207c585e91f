/* Tokens: what was not signed by our key never verifies, and the Bearer field gives only what may
 * be one. */
#include "auth/auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_token(struct str token)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(64 * 1024);
    CLEANUP(jws_key_freep) struct jws_key *key = NULL;
    struct crypto_key secret;
    struct auth_token_wanted access = {.kind = AUTH_TOKEN_ACCESS};
    struct auth_token_wanted refresh = {.kind = AUTH_TOKEN_REFRESH};
    struct auth_token t;
    struct auth_identity_token i;

    crypto_random(secret.bytes, sizeof(secret.bytes));
    if (jws_key_hmac(&secret, &key, NULL) != RC_OK)
        abort();
    if (auth_token_verify(key, &access, token, &a, &t, NULL) == RC_OK ||
        auth_token_verify(key, &refresh, token, &a, &t, NULL) == RC_OK ||
        auth_identity_verify(&key, 1, token, 0, &a, &i, NULL) == RC_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size}, token;

    try_token(text);
    if (auth_bearer_parse(text, &token, NULL) == RC_OK &&
        (token.len == 0 || memchr(token.ptr, ' ', token.len)))
        abort();
    return 0;
}
