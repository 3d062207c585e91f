/* What a resource type is: a table of functions, one file per type. A new type is one file and one line in types.c. */
#ifndef ARM_RESOURCE_TYPE_H
#define ARM_RESOURCE_TYPE_H

#include "json/json.h"
#include "snapshot/snapshot.h"

struct arm_call;
struct arm_write;
struct arm_services;

/* What a resource of the type is inside of. */
enum arm_scope { ARM_SCOPE_TENANT, ARM_SCOPE_SUBSCRIPTION, ARM_SCOPE_GROUP, ARM_SCOPE_SERVER };

/* How a write is answered: ARM's styles (operation.h). */
enum arm_pace {
    ARM_AT_ONCE,        /* done when it is answered */
    ARM_ASYNC,          /* with Azure-AsyncOperation */
    ARM_ASYNC_LOCATION, /* with Azure-AsyncOperation and Location */
    ARM_LOCATION        /* with Location */
};
struct arm_style {
    enum arm_pace pace;
    unsigned status;   /* 0: 201 for what is new, else 200 */
    const char *state; /* provisioningState until the operation has ended ("Creating"); NULL: Succeeded all the while */
};
enum arm_verb { ARM_CREATE, ARM_REPLACE, ARM_UPDATE, ARM_DELETE };

struct arm_view { /* what a rendering may look at */
    const struct arm_services *services;
    const struct snapshot *snapshot;
    struct admit *admit;
    struct arena *arena;
};

struct arm_type {
    const char *name;    /* "Microsoft.Network/virtualNetworks" */
    const char *actions; /* what its access strings begin with, before "/write"; NULL: its name */
    enum arm_scope scope;
    /* Before anything is created under this name. Optional. */
    enum rc (*check_name)(struct str name, struct err *e);
    /* `body` is the stored body (an empty object when it is new) and becomes the new one; `sent` is what the client sent. */
    enum rc (*put)(struct arm_write *w, const struct json *sent, struct json *body, struct err *e);
    enum rc (*patch)(struct arm_write *w, const struct json *sent, struct json *body, struct err *e);
    /* Before one is deleted by itself: may it go? Optional. */
    enum rc (*deletable)(struct arm_write *w, const struct meta_resource *r, const struct json *body, struct err *e);
    /* In the same transaction, after a new one was stored / one was deleted. Optional. */
    enum rc (*created)(struct arm_write *w, const struct meta_resource *r, struct err *e);
    enum rc (*deleted)(struct arm_write *w, const struct meta_resource *r, struct err *e);
    /* What has to be compiled anew. Optional. */
    void (*touch)(struct snapshot_change *change, const struct meta_resource *r);
    /* NULL: everything at once. `before` and `after` are stored bodies; NULL where there is none. */
    struct arm_style (*style)(const struct arm_call *c, enum arm_verb verb, const struct json *before, const struct json *after);
    /* Its operations are below it (".../operationStatuses/registries-GUID"); NULL: at its location (".../operations/GUID"). */
    const char *operation_prefix;
    /* A DELETE only begins: the operation deletes it, with what is in it. */
    bool deleted_by_operation;
    /* The object that clients see. */
    struct json *(*render)(const struct arm_view *v, const struct meta_resource *r, const struct json *body);
};

extern const struct arm_type arm_subscription, arm_group, arm_registry, arm_vnet, arm_nsg, arm_asg, arm_public_ip, arm_nic,
    arm_attachment, arm_role_assignment;
const struct arm_type *arm_type_find(struct str name); /* no case; NULL */
/* The type that an access string ("Microsoft.Network/virtualNetworks/write") is about; NULL. */
const struct arm_type *arm_type_of_access(const char *access);
const char *arm_type_actions(const struct arm_type *type);

/* Parts that several types share. */
NODISCARD enum rc arm_location_set(const struct json *sent, struct json *body, struct err *e);
NODISCARD enum rc arm_tags_set(const struct json *sent, struct json *body, bool always, struct err *e);
NODISCARD enum rc arm_tags_patch(struct arm_write *w, const struct json *sent, struct json *body, struct err *e);
/* The last segment of an id. */
struct str arm_name_of(struct str id);

#endif
