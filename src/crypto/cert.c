#include "crypto/cert.h"

#include "base/clock.h"
#include "crypto/seal.h"
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

enum { SERIAL_BYTES = 16, CLOCK_SKEW_S = 3600, DAY_S = 86400, EXTENSION_MAX = 65536 };

static void x509_freep(X509 **c)
{
    X509_free(*c);
}

static void pkey_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void bio_freep(BIO **b)
{
    BIO_free(*b);
}

/* Says what OpenSSL says, and leaves its queue empty for whoever comes next on this thread. */
static enum rc failed(enum rc rc, const char *what, struct err *e)
{
    const char *reason = ERR_reason_error_string(ERR_get_error());

    ERR_clear_error();
    return err_set(e, rc, "%s: %s", what, reason ? reason : "no reason given");
}

/* --- PEM --- */

static int no_password(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1; /* instead of asking on the terminal */
}

static BIO *reader(struct str pem)
{
    BIO *b = pem.len < INT32_MAX ? BIO_new_mem_buf(pem.ptr ? pem.ptr : "", (int)pem.len) : NULL;

    if (!b)
        abort();
    return b;
}

static enum rc read_cert(struct str pem, X509 **ret, struct err *e)
{
    CLEANUP(bio_freep) BIO *b = reader(pem);
    X509 *c = PEM_read_bio_X509(b, NULL, no_password, NULL);

    if (!c)
        return failed(RC_INVALID, "a certificate cannot be read", e);
    *ret = c;
    return RC_OK;
}

static enum rc read_key(struct str pem, EVP_PKEY **ret, struct err *e)
{
    CLEANUP(bio_freep) BIO *b = reader(pem);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);

    if (!k)
        return failed(RC_INVALID, "a private key cannot be read", e);
    *ret = k;
    return RC_OK;
}

static enum rc write_pems(X509 *cert, EVP_PKEY *key, struct buf *ret_cert, struct buf *ret_key,
                          struct err *e)
{
    CLEANUP(bio_freep) BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());
    char *bytes;

    if (!c || !k || PEM_write_bio_X509(c, cert) != 1 ||
        PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) != 1)
        return failed(RC_INTERNAL, "a certificate cannot be written", e);
    long n = BIO_get_mem_data(c, &bytes);

    buf_add(ret_cert, (struct str){bytes, (size_t)n});
    n = BIO_get_mem_data(k, &bytes);
    buf_add(ret_key, (struct str){bytes, (size_t)n});
    enum rc rc = buf_status(ret_cert, e);

    return rc == RC_OK ? buf_status(ret_key, e) : rc;
}

/* --- names as the text of an extension --- */

/* The text has a grammar of its own: nothing but names may get into it. */
static bool dns_name(struct str s)
{
    if (str_starts(s, STR("*.")))
        s = str_skip(s, 2);
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.ptr[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return s.len > 0 && s.len <= 253 && s.ptr[0] != '.';
}

static enum rc check_names(const struct cert_names *names, struct err *e)
{
    if (!names->dns || !names->dns[0])
        return err_set(e, RC_INVALID, "a certificate needs a DNS name");
    for (size_t i = 0; names->dns[i]; i++)
        if (!dns_name(str_from(names->dns[i])))
            return err_set(e, RC_INVALID, "'%s' is not a DNS name", names->dns[i]);
    for (size_t i = 0; i < names->n_ips; i++)
        if (names->ips[i].family == 0)
            return err_set(e, RC_INVALID, "an address is not set");
    return RC_OK;
}

static void add_permitted_ip(const struct ip_addr *ip, struct buf *out)
{
    char text[IP_TEXT_MAX];

    if (ip->family == 4 && ip_is_loopback(ip))
        buf_add(out, STR(",permitted;IP:127.0.0.0/255.0.0.0"));
    else
        buf_addf(out, ",permitted;IP:%s/%s", ip_format(ip, text).ptr,
                 ip->family == 4 ? "255.255.255.255" : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void constraints_text(const struct cert_names *names, struct buf *out)
{
    buf_add(out, STR("critical"));
    for (size_t i = 0; names->dns[i]; i++)
        buf_addf(out, ",permitted;DNS:%s", names->dns[i]);
    for (size_t i = 0; i < names->n_ips; i++)
        add_permitted_ip(&names->ips[i], out);
    if (names->n_ips == 0)
        buf_add(out, STR(",excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::"));
}

static void alternatives_text(const struct cert_names *names, struct buf *out)
{
    for (size_t i = 0; names->dns[i]; i++)
        buf_addf(out, "%sDNS:%s", i > 0 ? "," : "", names->dns[i]);
    for (size_t i = 0; i < names->n_ips; i++) {
        char text[IP_TEXT_MAX];

        buf_addf(out, ",IP:%s", ip_format(&names->ips[i], text).ptr);
    }
}

/* --- making --- */

static bool set_serial(X509 *c)
{
    uint8_t bytes[SERIAL_BYTES];

    crypto_random(bytes, sizeof(bytes));
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* positive, and always of the same length */
    BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c));

    BN_free(n);
    return ok;
}

static bool set_head(X509 *c, const char *common_name, int days, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(c);

    return X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) &&
           X509_gmtime_adj(X509_getm_notBefore(c), -CLOCK_SKEW_S) &&
           X509_gmtime_adj(X509_getm_notAfter(c), (long)days * DAY_S) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)common_name, -1,
                                      -1, 0) == 1 &&
           X509_set_pubkey(c, key) == 1;
}

struct extension {
    int nid;
    const char *text;
};

/* In order: the authority's key identifier refers to the subject's, which must stand before it. */
static bool add_extensions(X509 *c, X509 *issuer, const struct extension *list, size_t n)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, c, NULL, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, list[i].nid, list[i].text);
        bool ok = x && X509_add_ext(c, x, -1) == 1;

        X509_EXTENSION_free(x);
        if (!ok)
            return false;
    }
    return true;
}

/* Who signs: `cert` NULL means the certificate itself. */
struct issuer {
    X509 *cert;
    EVP_PKEY *key;
};

static bool sign(X509 *c, const struct issuer *by, const struct extension *list, size_t n)
{
    X509 *issuer = by->cert ? by->cert : c;

    return X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1 &&
           add_extensions(c, issuer, list, n) && X509_sign(c, by->key, EVP_sha256()) > 0;
}

enum rc cert_authority_new(const char *common_name, const struct cert_names *names, int days,
                           struct buf *ret_cert, struct buf *ret_key, struct err *e)
{
    CLEANUP(buf_done) struct buf constraints = BUF_INIT(EXTENSION_MAX);
    CLEANUP(x509_freep) X509 *c = X509_new();
    CLEANUP(pkey_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    enum rc rc = check_names(names, e);

    if (rc != RC_OK)
        return rc;
    constraints_text(names, &constraints);
    const struct extension list[] = {
        {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
        {NID_name_constraints, buf_cstr(&constraints)},
    };

    if (!c || !key || constraints.failed || !set_head(c, common_name, days, key) ||
        !sign(c, &(struct issuer){NULL, key}, list, ARRAY_LEN(list)))
        return failed(RC_INTERNAL, "a certificate authority cannot be made", e);
    return write_pems(c, key, ret_cert, ret_key, e);
}

static enum rc read_authority(const struct cert_authority *a, struct issuer *ret, struct err *e)
{
    enum rc rc = read_cert(a->cert, &ret->cert, e);

    if (rc == RC_OK)
        rc = read_key(a->key, &ret->key, e);
    if (rc == RC_OK && X509_check_private_key(ret->cert, ret->key) != 1)
        rc = failed(RC_INVALID, "the authority's key is not its certificate's", e);
    return rc;
}

static void issuer_done(struct issuer *i)
{
    X509_free(i->cert);
    EVP_PKEY_free(i->key);
}

enum rc cert_leaf_new(const struct cert_authority *a, const char *common_name,
                      const struct cert_names *names, int days, struct buf *ret_cert,
                      struct buf *ret_key, struct err *e)
{
    CLEANUP(buf_done) struct buf alternatives = BUF_INIT(EXTENSION_MAX);
    CLEANUP(x509_freep) X509 *c = X509_new();
    CLEANUP(pkey_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(issuer_done) struct issuer by = {0};
    enum rc rc = check_names(names, e);

    if (rc == RC_OK)
        rc = read_authority(a, &by, e);
    if (rc != RC_OK)
        return rc;
    alternatives_text(names, &alternatives);
    const struct extension list[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid:always"},
        {NID_subject_alt_name, buf_cstr(&alternatives)},
    };

    if (!c || !key || alternatives.failed || !set_head(c, common_name, days, key) ||
        !sign(c, &by, list, ARRAY_LEN(list)))
        return failed(RC_INTERNAL, "a certificate cannot be made", e);
    return write_pems(c, key, ret_cert, ret_key, e);
}

/* --- reading --- */

enum rc cert_not_after(struct str cert, int64_t *ret_wall_us, struct err *e)
{
    CLEANUP(x509_freep) X509 *c = NULL;
    struct tm tm;
    enum rc rc = read_cert(cert, &c, e);

    if (rc != RC_OK)
        return rc;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(c), &tm) != 1)
        return failed(RC_INVALID, "a certificate has no end", e);
    *ret_wall_us = (int64_t)timegm(&tm) * CLOCK_US_PER_S;
    return RC_OK;
}

enum rc cert_belongs(struct str cert, struct str key, struct str authority, bool *ret,
                     struct err *e)
{
    CLEANUP(x509_freep) X509 *c = NULL, *a = NULL;
    CLEANUP(pkey_freep) EVP_PKEY *k = NULL;
    enum rc rc = read_cert(cert, &c, e);

    if (rc == RC_OK)
        rc = read_key(key, &k, e);
    if (rc == RC_OK)
        rc = read_cert(authority, &a, e);
    if (rc != RC_OK)
        return rc;
    *ret = X509_check_private_key(c, k) == 1 && X509_verify(c, X509_get0_pubkey(a)) == 1;
    ERR_clear_error();
    return RC_OK;
}

static bool is_dns(const GENERAL_NAME *g, struct str name)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(g, &type);

    if (type != GEN_DNS)
        return false;
    return str_eq(name, (struct str){(const char *)ASN1_STRING_get0_data(value),
                                     (size_t)ASN1_STRING_length(value)});
}

enum rc cert_has_dns(struct str cert, const char *name, bool *ret, struct err *e)
{
    CLEANUP(x509_freep) X509 *c = NULL;
    enum rc rc = read_cert(cert, &c, e);

    if (rc != RC_OK)
        return rc;
    GENERAL_NAMES *names = X509_get_ext_d2i(c, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        found = found || is_dns(sk_GENERAL_NAME_value(names, i), str_from(name));
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    *ret = found;
    return RC_OK;
}
