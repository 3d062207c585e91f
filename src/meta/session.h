/* Sign-ins that last: refresh tokens, device codes. Both are kept hashed (crypto_secret_hash). None of it is in the snapshot. */
#ifndef META_SESSION_H
#define META_SESSION_H

#include "base/digest.h"
#include "base/uuid.h"
#include "meta/meta.h"

struct meta_refresh {
    struct digest hash;
    struct uuid family;    /* what began with one sign-in */
    struct uuid principal; /* object id */
    int64_t generation;    /* of the principal, when it signed in */
    struct str client;     /* whom it was issued to */
    int64_t issued_us, used_us, replaced_us; /* replaced_us 0: it has no successor */
};
NODISCARD enum rc meta_refresh_add(struct meta_tx *tx, const struct meta_refresh *r, struct err *e);
NODISCARD enum rc meta_refresh_get(struct meta_tx *tx, struct arena *a, const struct digest *hash, struct meta_refresh *ret,
                                   struct err *e);
NODISCARD enum rc meta_refresh_used(struct meta_tx *tx, const struct digest *hash, int64_t used_us, int64_t replaced_us,
                                    struct err *e);
NODISCARD enum rc meta_refresh_end_family(struct meta_tx *tx, const struct uuid *family, struct err *e);
NODISCARD enum rc meta_refresh_end_principal(struct meta_tx *tx, const struct uuid *principal, struct err *e);
/* Keeps those of the principal that were used last. */
NODISCARD enum rc meta_refresh_trim(struct meta_tx *tx, const struct uuid *principal, unsigned keep, struct err *e);
NODISCARD enum rc meta_refresh_expire(struct meta_tx *tx, int64_t used_before_us, struct err *e);

enum meta_device_state { META_DEVICE_WAITING, META_DEVICE_GRANTED, META_DEVICE_REFUSED };
struct meta_device {
    struct digest hash;
    struct str user_code, client, scope;
    int64_t expires_us, polled_us;
    enum meta_device_state state;
    struct uuid principal; /* META_DEVICE_GRANTED: whose, and its generation then */
    int64_t generation;
};
/* RC_EXISTS: the user code is in use. */
NODISCARD enum rc meta_device_add(struct meta_tx *tx, const struct meta_device *d, struct err *e);
NODISCARD enum rc meta_device_get(struct meta_tx *tx, struct arena *a, const struct digest *hash, struct meta_device *ret,
                                  struct err *e);
NODISCARD enum rc meta_device_polled(struct meta_tx *tx, const struct digest *hash, int64_t polled_us, struct err *e);
/* Of one that waits and has not expired by `now_us`; RC_NOT_FOUND otherwise. */
NODISCARD enum rc meta_device_decide(struct meta_tx *tx, struct str user_code, const struct meta_device *decided, int64_t now_us,
                                     struct err *e);
NODISCARD enum rc meta_device_delete(struct meta_tx *tx, const struct digest *hash, struct err *e);
NODISCARD enum rc meta_device_expire(struct meta_tx *tx, int64_t expired_before_us, struct err *e);
NODISCARD enum rc meta_device_count(struct meta_tx *tx, uint64_t *ret, struct err *e);

#endif
