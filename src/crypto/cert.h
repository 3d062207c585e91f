/* Certificates (X.509, RFC 5280) as PEM texts; keys are ECDSA P-256. TLS itself is in net/. */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H

#include "base/buf.h"
#include "base/ip.h"

/* Permitted subtrees for an authority, subject alternative names for a leaf. */
struct cert_names {
    const char *const *dns; /* NULL-terminated */
    const struct ip_addr *ips;
    size_t n_ips;
};

/* A certificate authority constrained (critical, RFC 5280 4.2.1.10) to `names`: a DNS name permits
 * itself and what is below it; addresses permit exactly themselves, except 127.0.0.1, which permits
 * 127.0.0.0/8; without addresses all are excluded. At least one DNS name. Appends PEM texts. */
NODISCARD enum rc cert_authority_new(const char *common_name, const struct cert_names *names,
                                     int days, struct buf *ret_cert, struct buf *ret_key,
                                     struct err *e);
struct cert_authority {
    struct str cert, key; /* PEM */
};
NODISCARD enum rc cert_leaf_new(const struct cert_authority *a, const char *common_name,
                                const struct cert_names *names, int days, struct buf *ret_cert,
                                struct buf *ret_key, struct err *e);
NODISCARD enum rc cert_not_after(struct str cert, int64_t *ret_wall_us, struct err *e);
/* Whether `key` is the certificate's own and `authority` (a certificate) has signed it. */
NODISCARD enum rc cert_belongs(struct str cert, struct str key, struct str authority, bool *ret,
                               struct err *e);
/* Whether a subject alternative name is exactly this text. */
NODISCARD enum rc cert_has_dns(struct str cert, const char *name, bool *ret, struct err *e);

#endif
