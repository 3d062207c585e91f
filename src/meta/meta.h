/* The database's content: connections, the write lane's transactions, resources. (meta/content.h: repositories, manifests,
 * tags, uploads; meta/account.h: secrets, keys, principals, audit.) The queries, one text for every database, are in
 * statements.def; nobody else writes SQL.
 * Threads: meta_read and meta_write block; call them on work threads. A meta_tx is valid inside its function only. */
#ifndef META_META_H
#define META_META_H

#include "base/arena.h"
#include "base/uuid.h"
#include "loop/lane.h"

struct meta;
struct meta_tx;

/* Opens, migrates; starts the lanes `write` (batched) and `read` of DETAILS. */
NODISCARD enum rc meta_open(const char *url, struct meta **ret, struct err *e);
void meta_close(struct meta *m);
struct lane *meta_lane_write(struct meta *m);
struct lane *meta_lane_read(struct meta *m);

typedef enum rc meta_fn(struct meta_tx *tx, void *arg, struct err *e);
/* On the calling work thread, with a pooled connection, in one read transaction. */
NODISCARD enum rc meta_read(struct meta *m, meta_fn *fn, void *arg, struct err *e);
/* On the write lane, in a savepoint of a batch; returns when it is durable. fn may run more than once (retries): it must
 * not have effects outside tx. An error rolls back fn's own changes only. */
NODISCARD enum rc meta_write(struct meta *m, const struct uuid *key, meta_fn *fn, void *arg, struct err *e);
/* The same without blocking, for stream handlers: `job` is embedded by the caller; done runs on job->home. */
struct meta_job {
    struct lane_job lane; /* key, home and done set by the caller; run is meta's */
    meta_fn *fn;
    void *arg;
    enum rc rc; /* result, valid in done when its rc was RC_OK */
    struct err err;
};
NODISCARD enum rc meta_write_submit(struct meta *m, struct meta_job *job, struct err *e);
/* A configuration change: a transaction of its own on the write lane. `commit` runs on the write lane's thread after the
 * commit and before anything else runs there (the snapshot is published in it). */
NODISCARD enum rc meta_write_alone(struct meta *m, meta_fn *fn, void (*commit)(void *arg), void *arg, struct err *e);

/* --- resources (ARM objects): body is JSON text whose meaning is arm/'s and snapshot/'s --- */
struct meta_resource {
    struct str id;   /* as first typed; compared lower-cased */
    struct str type; /* "Microsoft.ContainerRegistry/registries" */
    struct uuid uuid;
    struct str etag; /* W/"<uuid>" */
    struct str body;
    int64_t created_us, changed_us;
};
NODISCARD enum rc meta_resource_get(struct meta_tx *tx, struct arena *a, struct str id, struct meta_resource *ret, struct err *e);
NODISCARD enum rc meta_resource_by_uuid(struct meta_tx *tx, struct arena *a, const struct uuid *u, struct meta_resource *ret,
                                        struct err *e);
/* Inserts or replaces by id; sets r->etag (in the arena) and changed_us. */
NODISCARD enum rc meta_resource_put(struct meta_tx *tx, struct arena *a, struct meta_resource *r, struct err *e);
/* Its body alone: etag and changed_us stay. RC_NOT_FOUND. */
NODISCARD enum rc meta_resource_rebody(struct meta_tx *tx, struct str id, struct str body, struct err *e);
NODISCARD enum rc meta_resource_delete(struct meta_tx *tx, struct str id, struct err *e); /* RC_NOT_FOUND */
/* Those whose id begins with `prefix` (no case), of `type` (no case; STR_NONE: any), by id. fn returning other than RC_OK ends it. */
typedef enum rc meta_resource_fn(const struct meta_resource *r, void *arg, struct err *e);
NODISCARD enum rc meta_resource_each(struct meta_tx *tx, struct str prefix, struct str type, meta_resource_fn *fn, void *arg,
                                     struct err *e);
/* Of these, those that stand at `from` or behind it (STR_NONE: all): a page need not read what the pages before it showed. */
NODISCARD enum rc meta_resource_each_from(struct meta_tx *tx, struct str prefix, struct str from, struct str type,
                                          meta_resource_fn *fn, void *arg, struct err *e);

#endif
