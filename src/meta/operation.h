/* Long operations as rows: what kind of work on which resource, for whom, how it ended. What the kinds mean is arm/'s. */
#ifndef META_OPERATION_H
#define META_OPERATION_H

#include "meta/meta.h"

enum meta_operation_state { /* stored */
    META_OPERATION_RUNNING = 0,
    META_OPERATION_SUCCEEDED = 1,
    META_OPERATION_FAILED = 2,
    META_OPERATION_CANCELED = 3
};
struct meta_operation {
    struct uuid id;
    struct str kind, target;       /* a word of arm/'s; the resource's id */
    struct uuid resource;          /* its uuid: a later resource of that id is another one */
    struct uuid object_id;         /* whose it is */
    struct str principal, address; /* for the audit */
    enum meta_operation_state state;
    struct str code, message; /* why it failed */
    int64_t created_us, changed_us;
};
/* Running; sets the times. */
NODISCARD enum rc meta_operation_add(struct meta_tx *tx, const struct meta_operation *o, struct err *e);
/* Texts are in the arena. RC_NOT_FOUND. */
NODISCARD enum rc meta_operation_get(struct meta_tx *tx, struct arena *a, const struct uuid *id, struct meta_operation *ret,
                                     struct err *e);
/* RC_NOT_FOUND: it does not run (any more). `code` and `message` may be STR_NONE. */
NODISCARD enum rc meta_operation_end(struct meta_tx *tx, const struct uuid *id, enum meta_operation_state state, struct str code,
                                     struct str message, struct err *e);
/* Those that run, the oldest first, at most `limit`. */
typedef enum rc meta_operation_fn(const struct meta_operation *o, void *arg, struct err *e);
NODISCARD enum rc meta_operation_running(struct meta_tx *tx, unsigned limit, meta_operation_fn *fn, void *arg, struct err *e);
/* Those that ended before. */
NODISCARD enum rc meta_operation_expire(struct meta_tx *tx, int64_t changed_before_us, struct err *e);

#endif
