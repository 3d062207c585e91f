/* The handlers that all resource types share; the route's access string says which type. */
#ifndef ARM_RESOURCE_H
#define ARM_RESOURCE_H

#include "arm/call.h"

enum http_verdict arm_get(struct http_request *req);
enum http_verdict arm_put(struct http_request *req);
enum http_verdict arm_patch(struct http_request *req);
enum http_verdict arm_remove(struct http_request *req);
enum http_verdict arm_list(struct http_request *req);

struct arm_view arm_view_of(struct arm_call *c, const struct snapshot *s);

/* list.c: {"value":[...]} of stored resources, a page at a time ($top, $skiptoken, nextLink). */
typedef struct json *arm_list_render_fn(const struct arm_view *v, const struct meta_resource *r, const struct json *body);
struct arm_list {
    struct str prefix, type;   /* of ids, no case; STR_NONE: any type */
    arm_list_render_fn *render; /* NULL instead of an object: it is left out */
    bool filtered;             /* $filter by name, resourceType, resourceGroup, location, tagName and tagValue is offered */
};
/* Reads and answers; also where it fails. */
void arm_answer_list(struct arm_call *c, struct meta_tx *tx, const struct arm_list *list);
/* Where a page ended, as clients send it back: the id of its last resource. RC_INVALID (InvalidSkipToken). */
NODISCARD enum rc arm_skip_token_parse(struct str token, struct arena *a, struct str *ret, struct err *e);

#endif
