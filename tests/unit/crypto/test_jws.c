#include "test.h"

#include "base/encode.h"
#include "crypto/jws.h"
#include <stdio.h>
#include <stdlib.h>

static const struct crypto_key secret = {{7}};
#define CLAIMS "{\"sub\":\"someone\",\"exp\":1}"

static struct jws_key *hmac_key(const struct crypto_key *k)
{
    struct jws_key *key = NULL;

    assert_int_equal(jws_key_hmac(k, &key, NULL), RC_OK);
    return key;
}

static struct jws_key *ec_key(void)
{
    struct jws_key *key = NULL;

    assert_int_equal(jws_key_generate_es256(&key, NULL), RC_OK);
    return key;
}

static enum rc verify(struct jws_key *k, enum jws_algorithm alg, const char *typ, struct str token)
{
    CLEANUP(buf_done) struct buf claims = BUF_INIT(10000);
    enum rc rc = jws_verify(&k, 1, alg, typ, token, &claims, NULL);

    if (rc == RC_OK)
        assert_string_equal(buf_cstr(&claims), CLAIMS);
    else
        assert_int_equal(claims.len, 0);
    return rc;
}

/* header.claims with a signature that a key makes over it as HS256, whatever the header says. */
static void forge(const char *header, struct buf *out)
{
    CLEANUP(jws_key_freep) struct jws_key *k = hmac_key(&secret);
    CLEANUP(buf_done) struct buf signed_token = BUF_INIT(10000);

    assert_int_equal(jws_sign(k, JWS_HS256, "t", STR(CLAIMS), &signed_token, NULL), RC_OK);
    struct str rest = buf_str(&signed_token);

    (void)str_split(&rest, '.');
    base64url_encode(out, str_from(header));
    buf_addc(out, '.');
    buf_add(out, rest);
}

static void a_signed_token_verifies_with_its_own_key(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *h = hmac_key(&secret), *ec = ec_key();
    CLEANUP(buf_done) struct buf a = BUF_INIT(10000), b = BUF_INIT(10000);

    (void)state;
    assert_int_equal(jws_sign(h, JWS_HS256, "t", STR(CLAIMS), &a, NULL), RC_OK);
    assert_int_equal(jws_sign(ec, JWS_ES256, "t", STR(CLAIMS), &b, NULL), RC_OK);
    assert_int_equal(verify(h, JWS_HS256, "t", buf_str(&a)), RC_OK);
    assert_int_equal(verify(ec, JWS_ES256, "t", buf_str(&b)), RC_OK);
    assert_int_equal(verify(h, JWS_HS256, "u", buf_str(&a)), RC_UNAUTHENTICATED);
    assert_int_equal(verify(ec, JWS_ES256, "t", buf_str(&a)), RC_UNAUTHENTICATED);
    assert_int_equal(verify(h, JWS_ES256, "t", buf_str(&a)), RC_UNAUTHENTICATED);
    assert_int_equal(verify(h, JWS_HS256, "t", buf_str(&b)), RC_UNAUTHENTICATED);
}

static void the_header_names_algorithm_type_and_key(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *k = hmac_key(&secret);
    CLEANUP(buf_done) struct buf token = BUF_INIT(10000), header = BUF_INIT(1000);
    char expected[200];

    (void)state;
    assert_int_equal(jws_sign(k, JWS_HS256, "kdb-access", STR(CLAIMS), &token, NULL), RC_OK);
    struct str rest = buf_str(&token);

    assert_int_equal(base64url_decode(str_split(&rest, '.'), &header, NULL), RC_OK);
    snprintf(expected, sizeof(expected),
             "{\"alg\":\"HS256\",\"typ\":\"kdb-access\",\"kid\":\"%s\"}", jws_key_id(k));
    assert_string_equal(buf_cstr(&header), expected);
}

static void bytes_behind_a_signature_are_refused(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *h = hmac_key(&secret), *ec = ec_key();
    CLEANUP(buf_done) struct buf a = BUF_INIT(10000), b = BUF_INIT(10000);

    (void)state;
    assert_int_equal(jws_sign(h, JWS_HS256, "t", STR(CLAIMS), &a, NULL), RC_OK);
    assert_int_equal(jws_sign(ec, JWS_ES256, "t", STR(CLAIMS), &b, NULL), RC_OK);
    for (int i = 0; i < 12; i++) {
        buf_addc(&a, 'A');
        buf_addc(&b, 'A');
        assert_int_equal(verify(h, JWS_HS256, "t", buf_str(&a)), RC_UNAUTHENTICATED);
        assert_int_equal(verify(ec, JWS_ES256, "t", buf_str(&b)), RC_UNAUTHENTICATED);
    }
}

static void any_changed_character_is_refused(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *h = hmac_key(&secret), *ec = ec_key();
    struct buf tokens[2] = {BUF_INIT(10000), BUF_INIT(10000)};
    struct jws_key *keys[] = {h, ec};

    (void)state;
    assert_int_equal(jws_sign(h, JWS_HS256, "t", STR(CLAIMS), &tokens[0], NULL), RC_OK);
    assert_int_equal(jws_sign(ec, JWS_ES256, "t", STR(CLAIMS), &tokens[1], NULL), RC_OK);
    for (int t = 0; t < 2; t++) {
        enum jws_algorithm alg = t == 0 ? JWS_HS256 : JWS_ES256;
        struct str s = buf_str(&tokens[t]);

        for (size_t i = 0; i < s.len; i++) {
            char before = tokens[t].ptr[i];

            tokens[t].ptr[i] = before == 'A' ? 'B' : 'A';
            assert_int_equal(verify(keys[t], alg, "t", s), RC_UNAUTHENTICATED);
            tokens[t].ptr[i] = before;
        }
        for (size_t i = 0; i < s.len; i++)
            assert_int_equal(verify(keys[t], alg, "t", str_take(s, i)), RC_UNAUTHENTICATED);
        buf_done(&tokens[t]);
    }
}

static void a_token_is_verified_with_the_key_that_it_names_among_several(void **state)
{
    static const struct crypto_key other = {{8}};
    CLEANUP(jws_key_freep) struct jws_key *old = hmac_key(&other), *k = hmac_key(&secret);
    struct jws_key *both[] = {old, k};
    CLEANUP(buf_done) struct buf token = BUF_INIT(10000), claims = BUF_INIT(1000);

    (void)state;
    assert_string_not_equal(jws_key_id(old), jws_key_id(k));
    assert_int_equal(jws_sign(k, JWS_HS256, "t", STR(CLAIMS), &token, NULL), RC_OK);
    assert_int_equal(jws_verify(both, 2, JWS_HS256, "t", buf_str(&token), &claims, NULL), RC_OK);
    assert_int_equal(jws_verify(both, 1, JWS_HS256, "t", buf_str(&token), &claims, NULL),
                     RC_UNAUTHENTICATED);
    assert_int_equal(jws_verify(both, 0, JWS_HS256, "t", buf_str(&token), &claims, NULL),
                     RC_UNAUTHENTICATED);
}

static void forged_headers_are_refused(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *k = hmac_key(&secret);
    static const char *const formats[] = {
        "{\"alg\":\"none\",\"typ\":\"t\",\"kid\":\"%s\"}",
        "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\"}",
        "{\"alg\":\"HS256\",\"typ\":\"t\",\"kid\":\"%s\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
        "{\"alg\":\"HS256\",\"typ\":[\"t\"],\"kid\":\"%s\"}",
        "{\"alg\":\"HS256\",\"typ\":\"t\",\"kid\":\"%sx\"}",
        "{\"alg\":\"HS256\",\"typ\":\"t\"}%.0s",
        "[\"%s\"]",
        "\"%s\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        CLEANUP(buf_done) struct buf token = BUF_INIT(10000);
        char header[300];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(header, sizeof(header), formats[i], jws_key_id(k));
#pragma GCC diagnostic pop
        forge(header, &token);
        assert_int_equal(verify(k, JWS_HS256, "t", buf_str(&token)), RC_UNAUTHENTICATED);
    }
}

static void malformed_tokens_are_refused(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *k = hmac_key(&secret);
    static const char *const bad[] = {"",
                                      ".",
                                      "..",
                                      "...",
                                      "a.b.c",
                                      "e30.e30.e30",
                                      "x",
                                      "e30",
                                      "e30.e30",
                                      "e30..e30",
                                      "e30.e30.",
                                      "e30=.e30=.e30=",
                                      "e30.e30.e30.e30",
                                      "bnVsbA.bnVsbA.bnVsbA"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(verify(k, JWS_HS256, "t", str_from(bad[i])), RC_UNAUTHENTICATED);
    assert_int_equal(verify(k, JWS_HS256, "t", STR_NONE), RC_UNAUTHENTICATED);
}

static void tokens_over_8_kib_are_refused(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *k = hmac_key(&secret);
    CLEANUP(buf_done) struct buf token = BUF_INIT(20000), claims = BUF_INIT(20000);
    static char big[7000];
    struct err e;

    (void)state;
    memset(big, ' ', sizeof(big));
    big[0] = '{';
    big[sizeof(big) - 1] = '}';
    assert_int_equal(jws_sign(k, JWS_HS256, "t", (struct str){big, sizeof(big)}, &token, NULL),
                     RC_OK);
    assert_int_equal(jws_verify(&k, 1, JWS_HS256, "t", buf_str(&token), &claims, &e),
                     RC_UNAUTHENTICATED);
    assert_int_equal(claims.len, 0);
}

static void a_key_pair_can_be_stored_and_published(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *k = ec_key(), *again = NULL, *h = hmac_key(&secret);
    CLEANUP(buf_done)
    struct buf both = BUF_INIT(5000), public = BUF_INIT(5000), token = BUF_INIT(10000);

    (void)state;
    assert_int_equal(jws_key_to_jwk(k, true, &both, NULL), RC_OK);
    assert_int_equal(jws_key_to_jwk(k, false, &public, NULL), RC_OK);
    assert_non_null(strstr(buf_cstr(&both), "\"d\":"));
    assert_null(strstr(buf_cstr(&public), "\"d\":"));
    assert_int_equal(jws_key_from_jwk(buf_str(&both), &again, NULL), RC_OK);
    assert_string_equal(jws_key_id(again), jws_key_id(k));
    assert_int_equal(jws_sign(again, JWS_ES256, "t", STR(CLAIMS), &token, NULL), RC_OK);
    assert_int_equal(verify(k, JWS_ES256, "t", buf_str(&token)), RC_OK);
    assert_int_equal(jws_key_to_jwk(h, false, &public, NULL), RC_UNSUPPORTED);
}

/* The key of RFC 7515, appendix A.3. */
#define RFC_X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define RFC_Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define RFC_D "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""

static void a_jwk_without_an_id_gets_its_thumbprint(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *k = NULL, *named = NULL;

    (void)state;
    assert_int_equal(
        jws_key_from_jwk(STR("{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_X "," RFC_Y "," RFC_D "}"),
                         &k, NULL),
        RC_OK);
    assert_string_equal(jws_key_id(k), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    assert_int_equal(jws_key_from_jwk(STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"one\"," RFC_X
                                          "," RFC_Y "," RFC_D "}"),
                                      &named, NULL),
                     RC_OK);
    assert_string_equal(jws_key_id(named), "one");
}

static void the_private_part_of_a_jwk_decides(void **state)
{
    CLEANUP(jws_key_freep) struct jws_key *k = NULL;
    CLEANUP(buf_done) struct buf out = BUF_INIT(5000);

    (void)state;
    assert_int_equal(
        jws_key_from_jwk(STR("{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_Y "," RFC_D
                             ",\"x\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"),
                         &k, NULL),
        RC_OK);
    assert_int_equal(jws_key_to_jwk(k, false, &out, NULL), RC_OK);
    assert_non_null(strstr(buf_cstr(&out), RFC_X));
}

static void other_jwks_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_X "," RFC_Y "}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\",\"d\":\"AA\"}",
    };
    struct jws_key *k = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(jws_key_from_jwk(str_from(bad[i]), &k, NULL), RC_INVALID);
    assert_null(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_token_verifies_with_its_own_key),
        cmocka_unit_test(the_header_names_algorithm_type_and_key),
        cmocka_unit_test(bytes_behind_a_signature_are_refused),
        cmocka_unit_test(any_changed_character_is_refused),
        cmocka_unit_test(a_token_is_verified_with_the_key_that_it_names_among_several),
        cmocka_unit_test(forged_headers_are_refused),
        cmocka_unit_test(malformed_tokens_are_refused),
        cmocka_unit_test(tokens_over_8_kib_are_refused),
        cmocka_unit_test(a_key_pair_can_be_stored_and_published),
        cmocka_unit_test(a_jwk_without_an_id_gets_its_thumbprint),
        cmocka_unit_test(the_private_part_of_a_jwk_decides),
        cmocka_unit_test(other_jwks_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
