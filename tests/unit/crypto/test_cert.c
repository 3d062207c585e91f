#include "test.h"

#include "base/clock.h"
#include "crypto/cert.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static const char *const authority_dns[] = {"azurecr.localhost", "localhost", NULL};
static const char *const leaf_dns[] = {"*.azurecr.localhost", "localhost", NULL};
static const struct ip_addr loopback[] = {{4, {127, 0, 0, 1}}, {6, {[15] = 1}}};
static const struct cert_names authority_names = {authority_dns, loopback, 2};
static const struct cert_names leaf_names = {leaf_dns, loopback, 2};

struct pair {
    struct buf cert, key;
};

#define PAIR_INIT ((struct pair){BUF_INIT(20000), BUF_INIT(20000)})

static void pair_done(struct pair *p)
{
    buf_done(&p->cert);
    buf_done(&p->key);
}

static void authority(const struct cert_names *names, struct pair *ret)
{
    assert_int_equal(cert_authority_new("Test authority", names, 3650, &ret->cert, &ret->key, NULL),
                     RC_OK);
}

static void leaf(const struct pair *ca, const struct cert_names *names, struct pair *ret)
{
    struct cert_authority a = {buf_str(&ca->cert), buf_str(&ca->key)};

    assert_int_equal(
        cert_leaf_new(&a, "*.azurecr.localhost", names, 397, &ret->cert, &ret->key, NULL), RC_OK);
}

static X509 *x509(const struct buf *pem)
{
    BIO *b = BIO_new_mem_buf(pem->ptr, (int)pem->len);
    X509 *c = PEM_read_bio_X509(b, NULL, NULL, NULL);

    BIO_free(b);
    assert_non_null(c);
    return c;
}

/* X509_V_OK, or why a TLS client that trusts the authority refuses the leaf for this name. */
static int verify(const struct pair *ca, const struct pair *server, const char *host,
                  const char *ip)
{
    X509 *root = x509(&ca->cert), *c = x509(&server->cert);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    X509_STORE_add_cert(store, root);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, c, NULL), 1);
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

    X509_STORE_CTX_set_default(ctx, "ssl_server");
    X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    if (host)
        X509_VERIFY_PARAM_set1_host(p, host, 0);
    if (ip)
        X509_VERIFY_PARAM_set1_ip_asc(p, ip);
    int error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);

    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(c);
    return error;
}

static void a_leaf_is_good_for_its_names_under_its_authority(void **state)
{
    CLEANUP(pair_done) struct pair ca = PAIR_INIT, server = PAIR_INIT;

    (void)state;
    authority(&authority_names, &ca);
    leaf(&ca, &leaf_names, &server);
    assert_int_equal(verify(&ca, &server, "myregistry.azurecr.localhost", NULL), X509_V_OK);
    assert_int_equal(verify(&ca, &server, "localhost", NULL), X509_V_OK);
    assert_int_equal(verify(&ca, &server, NULL, "127.0.0.1"), X509_V_OK);
    assert_int_equal(verify(&ca, &server, NULL, "::1"), X509_V_OK);
    assert_int_equal(verify(&ca, &server, "example.com", NULL), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify(&ca, &server, NULL, "127.0.0.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

static void a_leaf_of_another_authority_of_that_name_is_refused(void **state)
{
    CLEANUP(pair_done) struct pair ca = PAIR_INIT, other = PAIR_INIT, server = PAIR_INIT;

    (void)state;
    authority(&authority_names, &ca);
    authority(&authority_names, &other);
    leaf(&ca, &leaf_names, &server);
    assert_int_not_equal(verify(&other, &server, NULL, NULL), X509_V_OK);
}

static void the_authority_is_believed_for_its_own_names_only(void **state)
{
    static const char *const outside[] = {"azurecr.localhost", "example.com", NULL};
    static const struct ip_addr addresses[] = {
        {4, {127, 9, 9, 9}}, {4, {10, 0, 0, 1}}, {6, {[15] = 2}}};
    static const struct {
        struct cert_names names;
        int expected;
    } cases[] = {
        {{leaf_dns, addresses, 1}, X509_V_OK}, /* all of 127.0.0.0/8 */
        {{leaf_dns, addresses + 1, 1}, X509_V_ERR_PERMITTED_VIOLATION},
        {{leaf_dns, addresses + 2, 1}, X509_V_ERR_PERMITTED_VIOLATION},
        {{outside, NULL, 0}, X509_V_ERR_PERMITTED_VIOLATION},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(pair_done) struct pair ca = PAIR_INIT, server = PAIR_INIT;

        authority(&authority_names, &ca);
        leaf(&ca, &cases[i].names, &server);
        assert_int_equal(verify(&ca, &server, NULL, NULL), cases[i].expected);
    }
}

static void an_authority_without_addresses_is_believed_for_none(void **state)
{
    CLEANUP(pair_done) struct pair ca = PAIR_INIT, by_name = PAIR_INIT, by_ip = PAIR_INIT;

    (void)state;
    authority(&(struct cert_names){authority_dns, NULL, 0}, &ca);
    leaf(&ca, &(struct cert_names){leaf_dns, NULL, 0}, &by_name);
    leaf(&ca, &leaf_names, &by_ip);
    assert_int_equal(verify(&ca, &by_name, NULL, NULL), X509_V_OK);
    assert_int_equal(verify(&ca, &by_ip, NULL, NULL), X509_V_ERR_EXCLUDED_VIOLATION);
}

static void a_leaf_cannot_sign_and_the_authority_has_no_authority_below(void **state)
{
    CLEANUP(pair_done) struct pair ca = PAIR_INIT, server = PAIR_INIT;

    (void)state;
    authority(&authority_names, &ca);
    leaf(&ca, &leaf_names, &server);
    X509 *root = x509(&ca.cert), *c = x509(&server.cert);

    assert_int_equal(X509_check_ca(root), 1);
    assert_int_equal(X509_get_pathlen(root), 0);
    assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_check_ca(c), 0);
    assert_int_equal(X509_get_key_usage(c), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(c), XKU_SSL_SERVER);
    assert_int_equal(X509_check_issued(root, c), X509_V_OK);
    assert_non_null(X509_get0_authority_key_id(c));
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(root), X509_get0_serialNumber(c)),
                         0);
    X509_free(root);
    X509_free(c);
}

static void what_a_certificate_says_can_be_read(void **state)
{
    CLEANUP(pair_done) struct pair ca = PAIR_INIT, server = PAIR_INIT;
    int64_t end = 0;
    bool has = false;

    (void)state;
    authority(&authority_names, &ca);
    leaf(&ca, &leaf_names, &server);
    assert_int_equal(cert_not_after(buf_str(&server.cert), &end, NULL), RC_OK);
    int64_t off = end - clock_wall_us() - 397LL * 86400 * CLOCK_US_PER_S;

    assert_true(off > -60LL * CLOCK_US_PER_S && off < 60LL * CLOCK_US_PER_S);
    assert_int_equal(cert_has_dns(buf_str(&server.cert), "*.azurecr.localhost", &has, NULL), RC_OK);
    assert_true(has);
    assert_int_equal(cert_has_dns(buf_str(&server.cert), "azurecr.localhost", &has, NULL), RC_OK);
    assert_false(has);
    has = true;
    assert_int_equal(cert_has_dns(buf_str(&ca.cert), "localhost", &has, NULL), RC_OK);
    assert_false(has); /* a permitted subtree is no name of its own */
}

static void input_that_is_no_certificate_is_refused(void **state)
{
    CLEANUP(pair_done) struct pair ca = PAIR_INIT, other = PAIR_INIT, server = PAIR_INIT;
    int64_t end = 7;
    bool has;

    (void)state;
    authority(&authority_names, &ca);
    authority(&authority_names, &other);
    struct cert_authority mixed = {buf_str(&ca.cert), buf_str(&other.key)},
                          no_key = {buf_str(&ca.cert), STR("")};

    assert_int_equal(cert_leaf_new(&mixed, "x", &leaf_names, 1, &server.cert, &server.key, NULL),
                     RC_INVALID);
    assert_int_equal(cert_leaf_new(&no_key, "x", &leaf_names, 1, &server.cert, &server.key, NULL),
                     RC_INVALID);
    assert_int_equal(cert_not_after(STR("hello"), &end, NULL), RC_INVALID);
    assert_int_equal(cert_has_dns(STR_NONE, "x", &has, NULL), RC_INVALID);
    assert_int_equal(end, 7);
    assert_int_equal(server.cert.len + server.key.len, 0);
}

static void names_cannot_smuggle_in_other_extensions(void **state)
{
    static const char *const bad[] = {"",   "a,DNS:b", "a;b", "a\nb",  "a.*.b",
                                      ".a", "*.",      "a b", "DNS:a", "\xc3\xa9"};
    CLEANUP(pair_done) struct pair ca = PAIR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *dns[] = {bad[i], NULL};
        struct cert_names names = {dns, NULL, 0};

        assert_int_equal(cert_authority_new("x", &names, 1, &ca.cert, &ca.key, NULL), RC_INVALID);
    }
    assert_int_equal(cert_authority_new("x", &(struct cert_names){0}, 1, &ca.cert, &ca.key, NULL),
                     RC_INVALID);
    assert_int_equal(ca.cert.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_good_for_its_names_under_its_authority),
        cmocka_unit_test(a_leaf_of_another_authority_of_that_name_is_refused),
        cmocka_unit_test(the_authority_is_believed_for_its_own_names_only),
        cmocka_unit_test(an_authority_without_addresses_is_believed_for_none),
        cmocka_unit_test(a_leaf_cannot_sign_and_the_authority_has_no_authority_below),
        cmocka_unit_test(what_a_certificate_says_can_be_read),
        cmocka_unit_test(input_that_is_no_certificate_is_refused),
        cmocka_unit_test(names_cannot_smuggle_in_other_extensions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
