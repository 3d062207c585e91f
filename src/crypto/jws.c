#include "crypto/jws.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include <assert.h>
#include <cjose/cjose.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_ID_MAX = 256, JWK_MAX = 4096, P256_BYTES = 32 };
/* Signatures of 64 and 32 bytes in base64url. */
enum { ES256_TEXT = 86, HS256_TEXT = 43 };

struct jws_key {
    cjose_jwk_t *jwk;
    enum jws_algorithm alg;
    char id[KEY_ID_MAX];
};

static const char *const alg_names[] = {[JWS_HS256] = "HS256", [JWS_ES256] = "ES256"};

void jws_key_free(struct jws_key *k)
{
    if (!k)
        return;
    cjose_jwk_release(k->jwk);
    free(k);
}

const char *jws_key_id(const struct jws_key *k)
{
    return k->id;
}

/* --- keys --- */

/* Takes jwk over. */
static struct jws_key *key_new(cjose_jwk_t *jwk, enum jws_algorithm alg)
{
    struct jws_key *k = calloc(1, sizeof(*k));

    if (!k)
        abort();
    k->jwk = jwk;
    k->alg = alg;
    return k;
}

static enum rc key_set_id(struct jws_key *k, struct str id, struct err *e)
{
    if (id.len == 0 || str_copy(id, k->id, sizeof(k->id)) != RC_OK)
        return err_set(e, RC_INVALID, "a key id is empty or too long");
    if (!cjose_jwk_set_kid(k->jwk, k->id, id.len, NULL))
        return err_set(e, RC_INTERNAL, "a key id cannot be set");
    return RC_OK;
}

/* RFC 7638: the required members, in order, without blanks. */
static enum rc key_set_thumbprint(struct jws_key *k, struct str canonical, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(KEY_ID_MAX);
    struct digest d;

    hash_bytes(DIGEST_SHA256, canonical, &d);
    base64url_encode(&text, (struct str){(char *)d.bytes, digest_size(DIGEST_SHA256)});
    return key_set_id(k, buf_str(&text), e);
}

static enum rc ec_thumbprint(struct jws_key *k, struct str x, struct str y, struct err *e)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(JWK_MAX);

    buf_addf(&b, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"}", STR_ARG(x),
             STR_ARG(y));
    return key_set_thumbprint(k, buf_str(&b), e);
}

enum rc jws_key_hmac(const struct crypto_key *key, struct jws_key **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(JWK_MAX);
    cjose_jwk_t *jwk = cjose_jwk_create_oct_spec(key->bytes, sizeof(key->bytes), NULL);

    if (!jwk)
        return err_set(e, RC_INTERNAL, "a signing key cannot be made");
    struct jws_key *k = key_new(jwk, JWS_HS256);

    buf_add(&b, STR("{\"k\":\""));
    base64url_encode(&b, (struct str){(const char *)key->bytes, sizeof(key->bytes)});
    buf_add(&b, STR("\",\"kty\":\"oct\"}"));
    enum rc rc = key_set_thumbprint(k, buf_str(&b), e);

    crypto_wipe(b.ptr, b.len);
    if (rc != RC_OK) {
        jws_key_free(k);
        return rc;
    }
    *ret = k;
    return RC_OK;
}

static bool number_bytes(const EVP_PKEY *pkey, const char *name, uint8_t out[P256_BYTES])
{
    BIGNUM *n = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, name, &n) == 1 &&
              BN_bn2binpad(n, out, P256_BYTES) == P256_BYTES;

    BN_clear_free(n);
    return ok;
}

struct ec_numbers {
    uint8_t d[P256_BYTES], x[P256_BYTES], y[P256_BYTES];
};

static bool ec_generate(struct ec_numbers *n)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    bool ok = pkey && number_bytes(pkey, OSSL_PKEY_PARAM_PRIV_KEY, n->d) &&
              number_bytes(pkey, OSSL_PKEY_PARAM_EC_PUB_X, n->x) &&
              number_bytes(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, n->y);

    EVP_PKEY_free(pkey);
    return ok;
}

enum rc jws_key_generate_es256(struct jws_key **ret, struct err *e)
{
    struct ec_numbers n;

    if (!ec_generate(&n))
        return err_set(e, RC_INTERNAL, "a key pair cannot be made");
    cjose_jwk_ec_keyspec spec = {CJOSE_JWK_EC_P_256, n.d, P256_BYTES, n.x,
                                 P256_BYTES,         n.y, P256_BYTES};
    cjose_jwk_t *jwk = cjose_jwk_create_EC_spec(&spec, NULL);

    crypto_wipe(n.d, sizeof(n.d));
    if (!jwk)
        return err_set(e, RC_INTERNAL, "a key pair cannot be used");
    CLEANUP(jws_key_freep) struct jws_key *k = key_new(jwk, JWS_ES256);
    CLEANUP(buf_done) struct buf x = BUF_INIT(JWK_MAX), y = BUF_INIT(JWK_MAX);

    base64url_encode(&x, (struct str){(char *)n.x, P256_BYTES});
    base64url_encode(&y, (struct str){(char *)n.y, P256_BYTES});
    enum rc rc = ec_thumbprint(k, buf_str(&x), buf_str(&y), e);

    if (rc != RC_OK)
        return rc;
    *ret = k;
    k = NULL;
    return RC_OK;
}

/* The value of a member of the text that cjose writes for a key: flat, without blanks, quotes in
 * strings escaped, so that `"name":"` stands nowhere but at the member. */
static struct str jwk_member(struct str text, const char *name)
{
    char key[8];
    int n = snprintf(key, sizeof(key), "\"%s\":\"", name);
    const char *at = memmem(text.ptr, text.len, key, (size_t)n);

    if (!at)
        return STR_NONE;
    struct str rest = str_skip(text, (size_t)(at - text.ptr) + (size_t)n);

    return str_take(rest, str_find(rest, '"'));
}

static enum rc jwk_finish(struct jws_key *k, struct err *e)
{
    char *text = cjose_jwk_to_json(k->jwk, true, NULL);
    const char *id = cjose_jwk_get_kid(k->jwk, NULL);
    struct str s = str_from(text);
    enum rc rc = RC_OK;

    if (!text || !jwk_member(s, "d").ptr)
        rc = err_set(e, RC_INVALID, "a JWK has no private part");
    else if (id && id[0] != '\0')
        rc = key_set_id(k, str_from(id), e);
    else
        rc = ec_thumbprint(k, jwk_member(s, "x"), jwk_member(s, "y"), e);
    if (text)
        crypto_wipe(text, s.len);
    free(text);
    return rc;
}

/* cjose asserts on padding inside a number. RFC 7518 6.2.1 has none, and nothing in a JWK of ours
 * is escaped. */
static bool jwk_is_plain(struct str jwk)
{
    return jwk.len > 0 && jwk.len <= JWK_MAX && utf8_valid(jwk) && !memchr(jwk.ptr, '=', jwk.len) &&
           !memchr(jwk.ptr, '\\', jwk.len);
}

enum rc jws_key_from_jwk(struct str jwk, struct jws_key **ret, struct err *e)
{
    cjose_jwk_t *imported = jwk_is_plain(jwk) ? cjose_jwk_import(jwk.ptr, jwk.len, NULL) : NULL;

    ERR_clear_error();
    if (!imported)
        return err_set(e, RC_INVALID, "not a JWK");
    CLEANUP(jws_key_freep) struct jws_key *k = key_new(imported, JWS_ES256);

    if (cjose_jwk_get_kty(imported, NULL) != CJOSE_JWK_KTY_EC ||
        cjose_jwk_EC_get_curve(imported, NULL) != CJOSE_JWK_EC_P_256)
        return err_set(e, RC_INVALID, "not a JWK of an EC key on P-256");
    enum rc rc = jwk_finish(k, e);

    if (rc != RC_OK)
        return rc;
    *ret = k;
    k = NULL;
    return RC_OK;
}

enum rc jws_key_to_jwk(const struct jws_key *k, bool with_private, struct buf *out, struct err *e)
{
    if (k->alg == JWS_HS256 && !with_private)
        return err_set(e, RC_UNSUPPORTED, "a symmetric key has no public part");
    char *text = cjose_jwk_to_json(k->jwk, with_private, NULL);

    if (!text)
        return err_set(e, RC_INTERNAL, "a key cannot be written as JWK");
    buf_add(out, str_from(text));
    crypto_wipe(text, strlen(text));
    free(text);
    return buf_status(out, e);
}

/* --- signing --- */

static void header_releasep(cjose_header_t **h)
{
    if (*h)
        cjose_header_release(*h);
}

static void jws_releasep(cjose_jws_t **j)
{
    cjose_jws_release(*j);
}

enum rc jws_sign(const struct jws_key *k, enum jws_algorithm alg, const char *typ,
                 struct str claims, struct buf *out, struct err *e)
{
    CLEANUP(header_releasep) cjose_header_t *h = cjose_header_new(NULL);
    CLEANUP(jws_releasep) cjose_jws_t *jws = NULL;
    const char *token = NULL;

    assert(k->alg == alg);
    if (!h || !cjose_header_set(h, CJOSE_HDR_ALG, alg_names[alg], NULL) ||
        !cjose_header_set(h, "typ", typ, NULL) || !cjose_header_set(h, CJOSE_HDR_KID, k->id, NULL))
        return err_set(e, RC_INTERNAL, "a token's header cannot be made");
    jws = cjose_jws_sign(k->jwk, h, (const uint8_t *)claims.ptr, claims.len, NULL);
    if (!jws || !cjose_jws_export(jws, &token, NULL))
        return err_set(e, RC_INTERNAL, "a token cannot be signed");
    buf_add(out, str_from(token));
    return buf_status(out, e);
}

/* --- verifying --- */

static enum rc refuse(struct err *e, const char *why)
{
    ERR_clear_error(); /* this thread may go on to a TLS connection, which looks there */
    return err_set(e, RC_UNAUTHENTICATED, "the token %s", why);
}

/* Three parts of strict base64url, the last as long as a signature is (cjose looks at no more than
 * it needs): one spelling for each token. */
static bool well_formed(struct str token, enum jws_algorithm alg)
{
    CLEANUP(buf_done) struct buf scratch = BUF_INIT(JWS_TOKEN_MAX);
    struct str rest = token;

    if (token.len > JWS_TOKEN_MAX)
        return false;
    for (int parts = 0; rest.ptr; parts++) {
        struct str part = str_split(&rest, '.');

        if (parts == 3 || part.len == 0 || base64url_decode(part, &scratch, NULL) != RC_OK)
            return false;
        if (!rest.ptr)
            return parts == 2 && part.len == (alg == JWS_ES256 ? ES256_TEXT : HS256_TEXT);
    }
    return false;
}

static bool header_is(cjose_header_t *h, const char *name, const char *wanted)
{
    const char *value = cjose_header_get(h, name, NULL);

    return value && str_is(str_from(value), wanted);
}

static bool header_has(cjose_header_t *h, const char *name)
{
    char *raw = cjose_header_get_raw(h, name, NULL);

    free(raw);
    return raw != NULL;
}

static struct jws_key *key_named(struct jws_key *const *keys, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (id && str_is(str_from(id), keys[i]->id))
            return keys[i];
    return NULL;
}

enum rc jws_verify(struct jws_key *const *keys, size_t n, enum jws_algorithm alg, const char *typ,
                   struct str token, struct buf *ret_claims, struct err *e)
{
    CLEANUP(jws_releasep) cjose_jws_t *jws = NULL;
    uint8_t *claims = NULL;
    size_t len = 0;

    if (!well_formed(token, alg))
        return refuse(e, "is malformed");
    jws = cjose_jws_import(token.ptr, token.len, NULL);
    if (!jws)
        return refuse(e, "is malformed");
    cjose_header_t *h = cjose_jws_get_protected(jws);

    if (!header_is(h, CJOSE_HDR_ALG, alg_names[alg]) || !header_is(h, "typ", typ))
        return refuse(e, "is of another kind");
    if (header_has(h, "crit"))
        return refuse(e, "asks for an extension");
    struct jws_key *k = key_named(keys, n, cjose_header_get(h, CJOSE_HDR_KID, NULL));

    if (!k || k->alg != alg)
        return refuse(e, "is signed with an unknown key");
    if (!cjose_jws_verify(jws, k->jwk, NULL))
        return refuse(e, "has a wrong signature");
    if (!cjose_jws_get_plaintext(jws, &claims, &len, NULL))
        return refuse(e, "has no claims");
    buf_add(ret_claims, (struct str){(char *)claims, len});
    return ret_claims->failed ? refuse(e, "is too long") : RC_OK;
}
