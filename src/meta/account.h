/* Settings and keys, registries' secrets, the audit trail. Principals: principal.h. */
#ifndef META_ACCOUNT_H
#define META_ACCOUNT_H

#include "base/digest.h"
#include "meta/meta.h"

/* Named values of the installation: "tenant", "subscription" (uuid texts), "suffix", "token-key". The key is
 * sealed: base64url of crypto_seal(seal key, bound = the setting's name, plain = 32 bytes). */
NODISCARD enum rc meta_setting_get(struct meta_tx *tx, struct arena *a, const char *name, struct str *ret, struct err *e);
NODISCARD enum rc meta_setting_put(struct meta_tx *tx, const char *name, struct str value, struct err *e);

/* The admin user's two passwords of a registry: sealed (they can be shown again) and hashed (so that checking needs no key). */
struct meta_registry_secret {
    struct uuid registry;
    unsigned slot; /* 0: password, 1: password2 */
    struct str sealed;
    struct digest hash;
    int64_t generation;
};
typedef enum rc meta_registry_secret_fn(const struct meta_registry_secret *s, void *arg, struct err *e);
NODISCARD enum rc meta_registry_secret_put(struct meta_tx *tx, const struct meta_registry_secret *s, struct err *e);
NODISCARD enum rc meta_registry_secret_each(struct meta_tx *tx, const struct uuid *registry, meta_registry_secret_fn *fn,
                                            void *arg, struct err *e); /* registry NULL: all */
NODISCARD enum rc meta_registry_secret_delete(struct meta_tx *tx, const struct uuid *registry, struct err *e); /* both, if any */

struct meta_audit {
    int64_t at_us;
    struct str principal, address; /* who, from where */
    struct str operation, target;  /* "Microsoft.ContainerRegistry/registries/write", resource id */
    struct str before, after;      /* JSON, "" when there is none */
};
NODISCARD enum rc meta_audit_add(struct meta_tx *tx, const struct meta_audit *entry, struct err *e);
typedef enum rc meta_audit_fn(const struct meta_audit *entry, void *arg, struct err *e);
NODISCARD enum rc meta_audit_each(struct meta_tx *tx, int64_t since_us, unsigned limit, meta_audit_fn *fn, void *arg, struct err *e);

#endif
