/* The server's own authority and the leaf that it serves with. */
#include "app/data_folder.h"
#include "base/clock.h"
#include "base/ip.h"
#include "crypto/cert.h"
#include "sys/fd.h"
#include "sys/file.h"
#include <stdio.h>

enum { AUTHORITY_DAYS = 3650, LEAF_DAYS = 397, RENEW_DAYS = 30, PEM_MAX = 64 * 1024 };

/* A leaf with one name outside the authority's constraints is void as a whole for Go and OpenSSL:
 * so exactly these. */
struct names {
    char wildcard[256];
    const char *authority_dns[3], *leaf_dns[3];
    struct ip_addr ips[2];
    struct cert_names authority, leaf;
};

static void names_init(struct names *n, const char *suffix)
{
    *n = (struct names){.authority_dns = {suffix, "localhost", NULL},
                        .ips = {{.family = 4, .bytes = {127, 0, 0, 1}}, {.family = 6}}};
    n->ips[1].bytes[15] = 1;
    snprintf(n->wildcard, sizeof(n->wildcard), "*.%s", suffix);
    n->leaf_dns[0] = n->wildcard;
    n->leaf_dns[1] = "localhost";
    n->authority = (struct cert_names){n->authority_dns, n->ips, ARRAY_LEN(n->ips)};
    n->leaf = (struct cert_names){n->leaf_dns, n->ips, ARRAY_LEN(n->ips)};
}

static enum rc write_pair(int dir, const char *cert_name, const char *key_name,
                          const struct buf *cert, const struct buf *key, struct err *e)
{
    enum rc rc = file_write_atomic(dir, key_name, buf_str(key), 0600, e);

    return rc == RC_OK ? file_write_atomic(dir, cert_name, buf_str(cert), 0644, e) : rc;
}

static enum rc read_pair(int dir, const char *cert_name, const char *key_name, struct buf *cert,
                         struct buf *key, struct err *e)
{
    enum rc rc = file_read(dir, cert_name, PEM_MAX, cert, e);

    return rc == RC_OK ? file_read(dir, key_name, PEM_MAX, key, e) : rc;
}

static enum rc make_authority(int dir, const struct names *n, struct buf *cert, struct buf *key,
                              struct err *e)
{
    buf_clear(cert);
    buf_clear(key);
    enum rc rc =
        cert_authority_new("Kidoban local authority", &n->authority, AUTHORITY_DAYS, cert, key, e);

    return rc == RC_OK ? write_pair(dir, "ca.crt", "ca.key", cert, key, e) : rc;
}

static enum rc make_leaf(int dir, const struct names *n, const struct buf *ca_cert,
                         const struct buf *ca_key, struct buf *cert, struct buf *key, struct err *e)
{
    if (ca_key->len == 0)
        return err_set(
            e, RC_CONFLICT,
            "a server certificate is needed, and the authority's key, tls/ca.key, is not "
            "there: put it back, or make another authority with `kidoban ca renew`");
    buf_clear(cert);
    buf_clear(key);
    const struct cert_authority ca = {buf_str(ca_cert), buf_str(ca_key)};
    enum rc rc = cert_leaf_new(&ca, n->wildcard, &n->leaf, LEAF_DAYS, cert, key, e);

    return rc == RC_OK ? write_pair(dir, "server.crt", "server.key", cert, key, e) : rc;
}

static enum rc check_suffix(struct str cert, const struct names *n, struct err *e)
{
    bool has = false;
    enum rc rc = cert_has_dns(cert, n->wildcard, &has, e);

    if (rc == RC_OK && !has)
        rc = err_set(e, RC_CONFLICT,
                     "the certificates are not for %s: stop the server and run `kidoban ca renew` "
                     "with the new --suffix",
                     n->wildcard);
    return rc;
}

struct pems {
    struct buf ca_cert, ca_key, cert, key;
};

static void pems_done(struct pems *p)
{
    crypto_wipe(p->ca_key.ptr, p->ca_key.len);
    crypto_wipe(p->key.ptr, p->key.len);
    buf_done(&p->ca_cert);
    buf_done(&p->ca_key);
    buf_done(&p->cert);
    buf_done(&p->key);
}

static struct pems pems_init(void)
{
    return (struct pems){BUF_INIT(PEM_MAX), BUF_INIT(PEM_MAX), BUF_INIT(PEM_MAX),
                         BUF_INIT(PEM_MAX)};
}

/* Its key may be kept elsewhere: then it signs nothing, and is not replaced for that. */
static enum rc load_authority(int dir, const struct names *n, struct pems *p, struct err *e)
{
    enum rc rc = file_read(dir, "ca.crt", PEM_MAX, &p->ca_cert, e);

    if (rc == RC_NOT_FOUND)
        return make_authority(dir, n, &p->ca_cert, &p->ca_key, e);
    if (rc == RC_OK)
        rc = file_read(dir, "ca.key", PEM_MAX, &p->ca_key, e);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Near its end; or power failed between its key and itself, or between the authority and it. */
static enum rc leaf_is_due(const struct pems *p, bool *ret, struct err *e)
{
    int64_t end = 0;
    bool belongs = false;
    enum rc rc = cert_not_after(buf_str(&p->cert), &end, e);

    if (rc == RC_OK)
        rc = cert_belongs(buf_str(&p->cert), buf_str(&p->key), buf_str(&p->ca_cert), &belongs, e);
    if (rc == RC_OK)
        *ret = !belongs || end - clock_wall_us() < (int64_t)RENEW_DAYS * 86400 * CLOCK_US_PER_S;
    return rc;
}

/* What is there, made where missing. */
static enum rc load(int dir, const struct names *n, struct pems *p, struct err *e)
{
    bool due = false;
    enum rc rc = load_authority(dir, n, p, e);

    if (rc == RC_OK)
        rc = read_pair(dir, "server.crt", "server.key", &p->cert, &p->key, e);
    if (rc == RC_NOT_FOUND)
        return make_leaf(dir, n, &p->ca_cert, &p->ca_key, &p->cert, &p->key, e);
    if (rc == RC_OK)
        rc = check_suffix(buf_str(&p->cert), n, e);
    if (rc == RC_OK)
        rc = leaf_is_due(p, &due, e);
    if (rc == RC_OK && due)
        rc = make_leaf(dir, n, &p->ca_cert, &p->ca_key, &p->cert, &p->key, e);
    return rc;
}

static enum rc open_tls(const struct data_folder *d, int *ret_fd, struct err *e)
{
    char path[sizeof(d->path) + 8];
    enum rc rc = dir_make(d->fd, "tls", 0700, e);

    snprintf(path, sizeof(path), "%s/tls", d->path);
    return rc == RC_OK ? dir_open(path, ret_fd, e) : rc;
}

enum rc data_folder_certificates(const struct data_folder *d, const char *suffix,
                                 struct buf *ret_chain, struct buf *ret_key, struct err *e)
{
    CLEANUP(fd_closep) int dir = -1;
    CLEANUP(pems_done) struct pems p = pems_init();
    struct names n;
    enum rc rc = open_tls(d, &dir, e);

    names_init(&n, suffix);
    if (rc == RC_OK)
        rc = load(dir, &n, &p, e);
    if (rc != RC_OK)
        return rc;
    buf_add(ret_chain, buf_str(&p.cert));
    buf_add(ret_chain, buf_str(&p.ca_cert));
    buf_add(ret_key, buf_str(&p.key));
    rc = buf_status(ret_chain, e);
    return rc == RC_OK ? buf_status(ret_key, e) : rc;
}

enum rc data_folder_renew_certificates(const struct data_folder *d, const char *suffix,
                                       struct err *e)
{
    CLEANUP(fd_closep) int dir = -1;
    CLEANUP(pems_done) struct pems p = pems_init();
    struct names n;
    enum rc rc = open_tls(d, &dir, e);

    names_init(&n, suffix);
    if (rc == RC_OK)
        rc = make_authority(dir, &n, &p.ca_cert, &p.ca_key, e);
    if (rc == RC_OK)
        rc = make_leaf(dir, &n, &p.ca_cert, &p.ca_key, &p.cert, &p.key, e);
    return rc;
}
