/* What the use cases share. Private to registry/. */
#ifndef REGISTRY_STORE_H
#define REGISTRY_STORE_H

#include "base/map.h"
#include "meta/content.h"
#include "registry/manifest_cache.h"
#include "registry/registry.h"
#include <pthread.h>

struct registry_store {
    struct meta *meta;
    struct blob_store *blobs;
    struct manifest_cache *manifests;

    pthread_mutex_t lock;  /* guards: */
    struct map in_use;     /* id of an upload → struct registry_claim */
};

/* RC_CONFLICT while another request, or its expiry, works on this upload. */
NODISCARD enum rc store_claim(struct registry_store *s, struct str id, struct err *e);
void store_unclaim(struct registry_store *s, struct str id);

/* A tag or a digest. */
struct reference {
    struct str tag;       /* ptr NULL: none */
    struct digest digest; /* where there is no tag */
};
NODISCARD enum rc reference_parse(struct str s, struct reference *ret, struct err *e);

/* First in every write function: the gate and the credential as they are now. */
NODISCARD enum rc where_judge(const struct registry_where *w, struct err *e);
/* NAME_UNKNOWN. */
NODISCARD enum rc where_find(struct meta_tx *tx, const struct registry_where *w, struct uuid *ret,
                             struct err *e);
/* "No such blob in this repository", for rc RC_NOT_FOUND; others are returned as they are. */
enum rc blob_unknown(enum rc rc, const struct digest *d, struct err *e);

#endif
