/* What the files of snapshot/ share.
 * Who may touch what: a candidate belongs to the thread that runs its change; the counts of references (registries,
 * origins, identity, roles) to the configuration thread; `pins` to one loop each; `holders` and `pending` to everybody. */
#ifndef SNAPSHOT_PRIVATE_H
#define SNAPSHOT_PRIVATE_H

#include "json/json.h"
#include "meta/account.h"
#include "snapshot/snapshot.h"
#include <pthread.h>
#include <stdatomic.h>

#define SNAPSHOT_TYPE_REGISTRY   "Microsoft.ContainerRegistry/registries"
#define SNAPSHOT_TYPE_NETWORK    "Microsoft.Network/virtualNetworks"
#define SNAPSHOT_TYPE_ATTACHMENT "Kidoban.Network/attachments"
#define SNAPSHOT_TYPE_ASSIGNMENT "Microsoft.Authorization/roleAssignments"
#define SNAPSHOT_TYPE_SUBSCRIPTION "Microsoft.Resources/subscriptions"

/* --- index.c: registries by what they are asked for --- */
enum index_key { INDEX_HOST, INDEX_NAME, INDEX_UUID, INDEX_KEYS };
struct registry_entry {
    struct snapshot_registry face; /* first */
    uint64_t hash[INDEX_KEYS];
    char texts[];
};
struct snapshot_index {
    struct registry_entry **list;
    size_t n;
    uint32_t *slots[INDEX_KEYS]; /* places in `list`, plus one; 0: free */
    size_t mask;
};
void index_hash(struct registry_entry *r); /* once its texts and uuid are there */
/* Takes `list` over, also when it fails: RC_CONFLICT, two registries share a name, a login server or a uuid. */
NODISCARD enum rc index_new(struct registry_entry **list, size_t n, struct snapshot_index **ret, struct err *e);
void index_free(struct snapshot_index *x); /* not the entries */
struct registry_entry *index_uuid(const struct snapshot_index *x, const struct uuid *u, size_t *ret_place);

/* --- registry.c, identity.c: stored → compiled --- */
NODISCARD enum rc registry_compile(const struct meta_resource *r, struct str suffix, struct registry_entry **ret, struct err *e);
void registry_entry_free(struct registry_entry *r);
void registry_set_secret(struct registry_entry *r, const struct meta_registry_secret *s);
NODISCARD enum rc identity_load(struct meta_tx *tx, const struct crypto_key *seal, struct snapshot_identity **ret, struct err *e);
void identity_free(struct snapshot_identity *i);
NODISCARD enum rc subscriptions_load(struct meta_tx *tx, struct snapshot_identity *i, struct err *e);

/* --- roles.c --- */
NODISCARD enum rc roles_load(struct meta_tx *tx, struct snapshot_roles **ret, struct err *e);
void roles_free(struct snapshot_roles *r);

/* --- candidate.c: the next snapshot, before it is one
 * Nothing in the base is touched, not even a count: a candidate can be thrown away on any thread. */
struct published;
struct candidate {
    const struct snapshot *base; /* NULL for the first */
    const struct snapshot_config *config;
    struct registry_entry **list, **fresh; /* all; those compiled here */
    size_t n, n_fresh;
    struct snapshot_index *index; /* has taken `list` */
    struct origin_table *origins;
    struct snapshot_identity *identity;
    struct snapshot_roles *roles;
    bool fresh_origins, fresh_identity, fresh_roles;
};
struct touched {
    struct uuid *registries;
    size_t n_registries;
    bool networks, identity, roles;
};
NODISCARD enum rc candidate_first(struct candidate *c, struct meta_tx *tx, struct err *e); /* everything there is */
NODISCARD enum rc candidate_next(struct candidate *c, struct meta_tx *tx, const struct touched *t, struct err *e);
void candidate_done(struct candidate *c); /* frees what was compiled here, unless it was published */

/* --- hub.c --- */
struct adoption { /* one loop's step from one snapshot to the next */
    struct loop_task task; /* first */
    struct published *snapshot;
    size_t loop;
};
enum { PIN_STRIDE = 64 / sizeof(unsigned) };
struct published {
    struct snapshot face; /* first */
    struct snapshot_hub *hub;
    atomic_uint holders; /* loops that may still read it, the hub while it is the newest, guests; 0: nobody will again */
    atomic_uint pending; /* loops that have not adopted it yet */
    struct published *next_retired, *next_live;
    unsigned *pins; /* at i * PIN_STRIDE: requests of loop i that keep it; a cache line for each */
    struct adoption *adoptions;
};
struct hub_loop {
    _Alignas(64) struct published *current; /* this loop's thread only */
};
struct snapshot_hub {
    struct snapshot_config config;
    char *texts; /* of config */
    struct hub_loop *loops;
    void (*on_adopt)(void *ctx, struct loop *l, const struct snapshot *s);
    void *on_adopt_ctx;
    void (*on_networks)(void *ctx, const struct snapshot *s);
    void *on_networks_ctx;
    pthread_mutex_t lock; /* newest, acked; never taken to read on a loop */
    pthread_cond_t acked_more;
    struct published *newest;
    uint64_t acked; /* generation that every loop has adopted */
    _Atomic(struct published *) retired;
    struct published *live; /* all that are not freed; the configuration thread's */
};
/* Configuration thread: the candidate becomes the newest snapshot, whose generation is returned; it is spent. */
uint64_t hub_publish(struct snapshot_hub *h, struct candidate *c);
void hub_wait(struct snapshot_hub *h, uint64_t generation); /* until every loop has adopted it */

#endif
