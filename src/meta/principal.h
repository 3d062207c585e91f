/* Whom the identity endpoint knows: users and service principals, the secrets of the latter, the keys that sign tokens.
 * Everything here is also in the snapshot: whoever changes it touches the identity (snapshot_touch_identity). */
#ifndef META_PRINCIPAL_H
#define META_PRINCIPAL_H

#include "base/digest.h"
#include "base/uuid.h"
#include "meta/meta.h"

enum meta_principal_kind { META_SERVICE_PRINCIPAL, META_USER };
struct meta_principal {
    enum meta_principal_kind kind;
    struct uuid object_id, app_id; /* app_id: nil for a user */
    struct str name;               /* what it is called */
    struct str upn;                /* a user's; "" for a service principal */
    struct str password;           /* a user's, as password_hash left it; "": none */
    int64_t generation;            /* moves when its password changes, and when it is disabled */
    int64_t created_us;
    bool enabled, administrator;
};
typedef enum rc meta_principal_fn(const struct meta_principal *p, void *arg, struct err *e);
/* Puts it in place of the one with its object id. RC_EXISTS: another one has its app id or its UPN (in any case). */
NODISCARD enum rc meta_principal_put(struct meta_tx *tx, const struct meta_principal *p, struct err *e);
NODISCARD enum rc meta_principal_get(struct meta_tx *tx, struct arena *a, const struct uuid *object_id,
                                     struct meta_principal *ret, struct err *e);
NODISCARD enum rc meta_principal_each(struct meta_tx *tx, meta_principal_fn *fn, void *arg, struct err *e);
NODISCARD enum rc meta_principal_delete(struct meta_tx *tx, const struct uuid *object_id, struct err *e); /* its secrets too */

struct meta_secret { /* one of a service principal's */
    struct uuid id, principal;
    struct str name;    /* what it is for */
    struct digest hash; /* crypto_secret_hash */
    int64_t created_us, expires_us; /* 0: never */
};
typedef enum rc meta_secret_fn(const struct meta_secret *s, void *arg, struct err *e);
NODISCARD enum rc meta_secret_add(struct meta_tx *tx, const struct meta_secret *s, struct err *e);
NODISCARD enum rc meta_secret_each(struct meta_tx *tx, const struct uuid *principal, meta_secret_fn *fn, void *arg,
                                   struct err *e); /* principal NULL: all, by principal; oldest first */
NODISCARD enum rc meta_secret_delete(struct meta_tx *tx, const struct uuid *principal, const struct uuid *id,
                                     struct err *e); /* RC_NOT_FOUND; id NULL: all, if any */

struct meta_identity_key {
    struct uuid id;
    struct str sealed; /* crypto_seal(seal key, bound = the id's text, plain = a JWK with its private part) */
    int64_t created_us, retired_us; /* 0: it signs */
};
typedef enum rc meta_identity_key_fn(const struct meta_identity_key *k, void *arg, struct err *e);
/* Adds one that signs; the others are retired since its created_us. */
NODISCARD enum rc meta_identity_key_add(struct meta_tx *tx, const struct meta_identity_key *k, struct err *e);
/* First the one that signs, then the newest. */
NODISCARD enum rc meta_identity_key_each(struct meta_tx *tx, meta_identity_key_fn *fn, void *arg, struct err *e);
NODISCARD enum rc meta_identity_key_forget(struct meta_tx *tx, int64_t retired_before_us, uint64_t *ret_n, struct err *e);

#endif
