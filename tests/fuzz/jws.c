/* Signed tokens: of what is put in place of header or signature, or of the whole, nothing verifies;
 * stored hash states and sealed values that are accepted hold together. */
#include "fuzz.h"

#include "crypto/hash.h"
#include "crypto/jws.h"
#include <stdlib.h>

static const struct crypto_key secret = {{1, 2, 3}};

/* Made anew each time: the target keeps no state. Deterministic but for the nonce of a seal. */
static void try_token(struct str text)
{
    CLEANUP(jws_key_freep) struct jws_key *k = NULL;
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20), claims = BUF_INIT(1 << 16);

    if (jws_key_hmac(&secret, &k, NULL) != RC_OK ||
        jws_sign(k, JWS_HS256, "t", STR("{}"), &token, NULL) != RC_OK)
        abort();
    struct str tail = buf_str(&token), rest = text, header = str_split(&rest, '.');

    (void)str_split(&tail, '.');
    bool genuine = str_eq(text, buf_str(&token));

    if (jws_verify(&k, 1, JWS_HS256, "t", text, &claims, NULL) == RC_OK && !genuine)
        abort();
    /* The input's first part as header of a token whose other parts are ours. */
    CLEANUP(buf_done) struct buf forged = BUF_INIT(1 << 20);

    buf_addf(&forged, "%.*s.", STR_ARG(header));
    buf_add(&forged, tail);
    if (jws_verify(&k, 1, JWS_HS256, "t", buf_str(&forged), &claims, NULL) == RC_OK &&
        !str_eq(buf_str(&forged), buf_str(&token)))
        abort();
}

static void try_jwk(struct str text)
{
    CLEANUP(jws_key_freep) struct jws_key *k = NULL, *again = NULL;
    CLEANUP(buf_done) struct buf out = BUF_INIT(1 << 16);

    if (jws_key_from_jwk(text, &k, NULL) != RC_OK)
        return;
    if (jws_key_to_jwk(k, true, &out, NULL) != RC_OK ||
        jws_key_from_jwk(buf_str(&out), &again, NULL) != RC_OK ||
        !str_is(str_from(jws_key_id(k)), jws_key_id(again)))
        abort();
}

static void try_stored(struct str text)
{
    struct hash_state h;
    uint8_t out[HASH_STATE_MAX];
    CLEANUP(buf_done) struct buf plain = BUF_INIT(1 << 20);

    if (hash_import(text, &h, NULL) == RC_OK &&
        !str_eq(text, (struct str){(char *)out, hash_export(&h, out)}))
        abort();
    if (crypto_unseal(&secret, STR("fuzz"), text, &plain, NULL) == RC_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};

    try_token(text);
    try_jwk(text);
    try_stored(text);
    return 0;
}
