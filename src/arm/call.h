/* One request of the control plane: what its path and body say, reading, writing in one transaction with its audit entry,
 * answering. Used by resource.c (what all types share) and by the types' own actions. */
#ifndef ARM_CALL_H
#define ARM_CALL_H

#include "admit/admit.h"
#include "arm/arm.h"
#include "arm/error.h"
#include "arm/resource_type.h"
#include "meta/account.h"

struct arm_call { /* on the handler's stack; texts in the request's arena */
    struct http_request *req;
    struct arena *arena;
    const struct arm_services *services;
    const struct arm_type *type;
    struct str subscription_id;    /* "/subscriptions/GUID" of the path; STR_NONE where it has none */
    struct str group, name, child; /* from the path; STR_NONE where it has none */
    struct json *sent;             /* the body: an object, or NULL when there was none */
    struct json *answer;           /* what arm_answer_json sends */
    struct { /* that the write began: operation.h */
        bool is;
        struct uuid id;
        struct arm_style style;
        const struct arm_type *type;
        struct str target, location;
    } operation;
    /* Set in the write function, read after it: */
    struct meta_resource stored;
    bool created, missing;
};

/* Reads the path's parameters, checks subscription and type, parses the body. On failure the error has been answered. */
NODISCARD bool arm_call_begin(struct arm_call *c, struct http_request *req);
void arm_call_done(struct arm_call *c);

/* In a transaction; each may run again, so that what it makes belongs to it. */
struct arm_write {
    struct arm_call *call; /* in an operation: without req, group, name and sent */
    struct arm_actor {     /* for the audit */
        struct str principal, address;
        struct uuid object_id;
    } actor;
    struct meta_tx *tx;
    struct snapshot_change *change;
    struct arena *arena;
    struct str id;     /* of what is written, as it is stored */
    struct str before; /* the stored body of what is written, for the audit; STR_NONE when new */
};

/* The group's resource as stored: ResourceGroupNotFound. */
NODISCARD enum rc arm_group_get(struct arm_call *c, struct meta_tx *tx, struct meta_resource *ret, struct err *e);
/* ResourceGroupBeingDeleted: a group of that name and stored body goes. */
NODISCARD enum rc arm_group_stays(struct str name, const struct json *body, struct err *e);
/* The canonical id of the call's resource (or, without a name, of its collection, ending in '/'). */
NODISCARD enum rc arm_id_of_call(struct arm_call *c, struct meta_tx *tx, struct str *ret, struct err *e);
/* The call's resource and its parsed body: ResourceNotFound in ARM's words. */
NODISCARD enum rc arm_resource_get(struct arm_call *c, struct meta_tx *tx, struct meta_resource *ret,
                                   struct json **ret_body, struct err *e);
enum rc arm_not_found(struct arm_call *c, struct err *e);
/* RC_CORRUPT: it is damaged. */
NODISCARD enum rc arm_body_parse(const struct meta_resource *r, struct json **ret, struct err *e);
/* If-Match and If-None-Match against an etag ("" where there is no resource). */
NODISCARD enum rc arm_precondition(struct arm_call *c, struct str etag, struct err *e);

/* Stores `body` as r's, with its audit entry and what it touches; call->stored becomes r. */
NODISCARD enum rc arm_store(struct arm_write *w, struct meta_resource *r, const struct json *body, struct err *e);
NODISCARD enum rc arm_delete(struct arm_write *w, const struct arm_type *type, const struct meta_resource *r,
                             struct err *e);
/* `operation` "Microsoft.ContainerRegistry/registries/write"; before and after are JSON without secrets, or STR_NONE. */
NODISCARD enum rc arm_audit(struct arm_write *w, const char *operation, struct str target, struct str before,
                            struct str after, struct err *e);
/* Runs fn as a configuration change; its arm_write is ready but for before. */
typedef enum rc arm_write_fn(struct arm_write *w, struct err *e);
NODISCARD enum rc arm_change(struct arm_call *c, arm_write_fn *fn, struct err *e);
/* Runs fn in a read transaction. */
typedef enum rc arm_read_fn(struct arm_call *c, struct meta_tx *tx, struct err *e);
NODISCARD enum rc arm_read(struct arm_call *c, arm_read_fn *fn, struct err *e);

/* What will be answered; an earlier one (of a run that is repeated) goes. */
void arm_set_answer(struct arm_call *c, struct json *answer);
/* A body is needed: answers 400 otherwise. */
bool arm_body_given(struct arm_call *c);
void arm_answer_json(struct arm_call *c, unsigned status, const struct json *j);
/* The stored resource, rendered under the newest snapshot, with its ETag. */
void arm_answer_stored(struct arm_call *c, unsigned status);
/* Answers the error if there is one. */
bool arm_failed(struct arm_call *c, enum rc rc, const struct err *e);

#endif
