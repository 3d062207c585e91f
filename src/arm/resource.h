/* The handlers that all resource types share; the route's access string says which type. */
#ifndef ARM_RESOURCE_H
#define ARM_RESOURCE_H

#include "arm/call.h"

enum http_verdict arm_get(struct http_request *req);
enum http_verdict arm_put(struct http_request *req);
enum http_verdict arm_patch(struct http_request *req);
enum http_verdict arm_remove(struct http_request *req);
enum http_verdict arm_list(struct http_request *req);

/* Answers {"value":[...]} of the resources whose id begins with `prefix`; past a page's size with a nextLink. */
typedef struct json *arm_list_render_fn(const struct arm_view *v, const struct meta_resource *r, const struct json *body);
void arm_answer_list(struct arm_call *c, struct meta_tx *tx, struct str prefix, struct str type,
                     arm_list_render_fn *render);

#endif
