/* Parts of a resource that have ids and routes of their own, yet live in its body and share its etag: a network's subnets, a
 * security group's rules. A PUT replaces one as a whole. */
#ifndef ARM_CHILD_H
#define ARM_CHILD_H

#include "arm/resource.h"

struct arm_child {
    const char *type; /* "Microsoft.Network/virtualNetworks/subnets" */
    const char *list; /* their member below the parent's properties */
    size_t max;       /* how many there may be */
    /* From what a client sent; `before` is the one of that name as it was, or NULL. */
    enum rc (*make)(struct str name, const struct json *sent, const struct json *before, struct json **ret, struct err *e);
    /* `state` is the parent's provisioningState. */
    struct json *(*render)(const struct meta_resource *parent, const char *state, const struct json *child);
    /* Before the parent is stored with `body`, which was `before`, in the same transaction. Also where the parent itself is
     * written. */
    enum rc (*changed)(struct arm_write *w, struct str parent, const struct json *before, struct json *body, struct err *e);
};

/* The one of that name; NULL. */
struct json *arm_child_find(const struct json *list, struct str name);
/* {"name", "id", "etag", "type"} of one, with the parent's id and etag; the caller adds properties. */
struct json *arm_child_head(const struct meta_resource *parent, const char *type, struct str name);
/* A list that is sent with the parent replaces what is there; none sent: they stay. `properties` is the parent's. */
NODISCARD enum rc arm_children_set(const struct arm_child *type, const struct json *sent, struct json *properties,
                                   struct err *e);
struct json *arm_children_render(const struct arm_child *type, const struct meta_resource *parent, const struct json *body);

enum http_verdict arm_child_get(struct http_request *req, const struct arm_child *type);
enum http_verdict arm_child_list(struct http_request *req, const struct arm_child *type);
enum http_verdict arm_child_put(struct http_request *req, const struct arm_child *type);
enum http_verdict arm_child_delete(struct http_request *req, const struct arm_child *type);

#endif
