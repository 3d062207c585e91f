/* The compiled form of all configuration: build, publish, adopt, read.
 * A snapshot is immutable. Loops read the newest without a lock; a request pins one by its loop's own counter. Only the
 * configuration thread (the write lane's) publishes, counts references between snapshots and frees them. DESIGN 4.3. */
#ifndef SNAPSHOT_SNAPSHOT_H
#define SNAPSHOT_SNAPSHOT_H

#include "auth/auth.h"
#include "auth/role.h"
#include "base/arena.h"
#include "gate/gate.h"
#include "loop/loop.h"
#include "meta/principal.h"
#include "origin/origin.h"

struct snapshot_registry {
    struct uuid uuid;
    struct str name, id, login_host; /* login_host: lower case, without port */
    struct gate *gate;
    bool creating; /* announced, and not served before it has been made */
    bool admin_user, anonymous_pull, arm_audience; /* arm_audience: /oauth2/exchange takes the control URL's audience */
    struct digest admin_password[2]; /* crypto_secret_hash */
    int64_t admin_generation[2];
    unsigned refs; /* the configuration thread's */
};
struct snapshot_secret { /* of a service principal */
    struct uuid id, principal;
    struct str name;
    struct digest hash;             /* crypto_secret_hash */
    int64_t created_us, expires_us; /* 0: never */
};
struct snapshot_principal {
    enum meta_principal_kind kind;
    struct uuid object_id, app_id;  /* app_id: nil for a user */
    struct str name, upn, password; /* upn and password (a password_hash): "" for a service principal */
    const struct snapshot_secret *secrets; /* oldest first */
    size_t n_secrets;
    int64_t generation, created_us;
    bool enabled, administrator; /* one that is not enabled is still found: it only cannot sign in */
};
struct snapshot_subscription {
    struct uuid id;
    struct str name; /* shown */
    bool enabled;    /* else only read */
};
struct snapshot_identity { /* shared between snapshots until it changes */
    struct uuid tenant, subscription;
    struct jws_key *token_key;       /* registry tokens, HS256 */
    struct jws_key **identity_keys;  /* identity tokens, ES256; the first signs */
    size_t n_identity_keys;
    struct snapshot_principal *principals; /* by object id */
    size_t n_principals;
    struct snapshot_subscription *subscriptions; /* by id; `subscription` is the first that was made */
    size_t n_subscriptions;
    struct snapshot_secret *secrets;       /* private from here: of all, by principal */
    size_t n_secrets;
    const struct snapshot_principal **by_app, **by_upn; /* service principals; users, by upn in lower case */
    size_t n_apps, n_users;
    struct arena arena;
    unsigned refs;
};
struct snapshot_assignment {
    struct uuid principal;
    const struct auth_role *role;
    unsigned registry_actions; /* what the role gives on a data plane: enum auth_action */
    struct str scope;          /* "/" or a resource id */
};
struct snapshot_roles { /* shared between snapshots until it changes */
    struct snapshot_assignment *list; /* by principal, then by what it is on */
    size_t n;
    struct arena arena;
    unsigned refs;
};
struct snapshot {
    uint64_t generation;
    struct origin_table *origins;
    struct snapshot_identity *identity;
    struct snapshot_roles *roles;
    const struct snapshot_registry *default_registry; /* NULL without */
    struct snapshot_index *index; /* private: registries by host, name, uuid */
};
const struct snapshot_registry *snapshot_by_host(const struct snapshot *s, struct str host); /* one that is served */
const struct snapshot_registry *snapshot_by_name(const struct snapshot *s, struct str name); /* no case */
const struct snapshot_registry *snapshot_by_uuid(const struct snapshot *s, const struct uuid *u);
const struct snapshot_principal *snapshot_principal_by_app(const struct snapshot *s, const struct uuid *app_id);
const struct snapshot_principal *snapshot_principal_by_object(const struct snapshot *s, const struct uuid *object_id);
const struct snapshot_subscription *snapshot_subscription(const struct snapshot *s, const struct uuid *id); /* NULL */
const struct snapshot_principal *snapshot_principal_by_upn(const struct snapshot *s, struct str upn); /* no case */
/* The roles of a principal: *ret_n of them. */
const struct snapshot_assignment *snapshot_assignments(const struct snapshot *s, const struct uuid *principal, size_t *ret_n);
/* Those of them that hold for `id`, because they are on it or on what it is in: whether `is` says so of one. Others may have
 * assigned it any number elsewhere: that costs nothing. */
bool snapshot_assignment_any(const struct snapshot *s, const struct uuid *principal, struct str id,
                             bool (*is)(const struct snapshot_assignment *a, void *arg), void *arg);
/* What vouches for a principal, as tokens say it (their `generation`): its generation, and by which of its secrets (NULL: a
 * user's password). One that stands: the principal is there and enabled, of that generation, and still has that secret, whose end has
 * not come. */
int64_t snapshot_credential(const struct snapshot_principal *p, const struct snapshot_secret *s);
bool snapshot_credential_stands(const struct snapshot_principal *p, int64_t credential, int64_t now_us); /* p NULL: false */
bool snapshot_secret_holds(const struct snapshot_secret *s, int64_t now_us); /* its end has not come */
/* In a change's transaction: a new key signs identity tokens from now on; the others verify for as long as they are kept. */
NODISCARD enum rc snapshot_identity_key_new(struct meta_tx *tx, const struct crypto_key *seal, int64_t now_us, struct err *e);

/* --- the hub --- */
struct snapshot_hub;
struct snapshot_config {
    struct meta *meta;
    struct crypto_key seal;       /* unseals keys */
    struct str suffix;            /* login servers are <name>.<suffix> unless the stored body says otherwise */
    struct str default_registry;  /* its name, or STR_NONE */
    struct loop *const *loops;
    size_t n_loops;
};
/* Builds the first snapshot from the database. */
NODISCARD enum rc snapshot_hub_new(const struct snapshot_config *config, struct snapshot_hub **ret, struct err *e);
void snapshot_hub_free(struct snapshot_hub *h);
struct meta *snapshot_meta(struct snapshot_hub *h); /* what it was built from, for queries that are not configuration */
const struct crypto_key *snapshot_seal(const struct snapshot_hub *h);
/* On a loop: the newest this loop has adopted. pin counts a request that keeps it. */
const struct snapshot *snapshot_current(const struct snapshot_hub *h, const struct loop *l);
const struct snapshot *snapshot_pin(struct snapshot_hub *h, const struct loop *l);
void snapshot_unpin(struct snapshot_hub *h, const struct loop *l, const struct snapshot *s);
/* On a work thread: until every loop has adopted `s`, which the caller keeps, or a newer one. What is given away because of
 * `s` (a token that its key signs) is known to whoever is asked next. */
void snapshot_wait(struct snapshot_hub *h, const struct snapshot *s);
/* On any thread, for as long as fn runs: the newest published (call handlers, judging again on the write lane). */
NODISCARD enum rc snapshot_with_newest(struct snapshot_hub *h, enum rc (*fn)(const struct snapshot *s, void *arg, struct err *e),
                                       void *arg, struct err *e);
/* Told on each loop after it adopted `s`, before it acknowledges: judge open streams again; set before the first change. */
void snapshot_on_adopt(struct snapshot_hub *h, void (*fn)(void *ctx, struct loop *l, const struct snapshot *s), void *ctx);
/* Told on the main loop (loops[0]) when networks or attachments changed: open and close listeners. */
void snapshot_on_networks(struct snapshot_hub *h, void (*fn)(void *ctx, const struct snapshot *s), void *ctx);

/* What a configuration change touched; fn names it while it writes, and only that is compiled anew. */
struct snapshot_change;
void snapshot_touch_registry(struct snapshot_change *c, const struct uuid *registry); /* made, changed or deleted */
void snapshot_touch_networks(struct snapshot_change *c);                              /* networks, attachments */
void snapshot_touch_identity(struct snapshot_change *c);
void snapshot_touch_roles(struct snapshot_change *c);
typedef enum rc snapshot_change_fn(struct meta_tx *tx, struct snapshot_change *c, void *arg, struct err *e);
/* On a work thread: one transaction on the write lane runs fn and compiles what it touched (a failure of either undoes both
 * and leaves the old snapshot), commits, publishes; returns when every loop has adopted and acknowledged it. */
NODISCARD enum rc snapshot_change(struct snapshot_hub *h, snapshot_change_fn *fn, void *arg, struct err *e);

#endif
