/* Between sts' own files. */
#ifndef STS_PRIVATE_H
#define STS_PRIVATE_H

#include "sts/sts.h"

/* What a scope or resource parameter asks for: the control URL or the registries' audience; as it was asked, that is with
 * or without a final slash. In the arena. */
struct sts_asked {
    struct str scope, resource; /* the parameters, STR_NONE where absent */
};
/* RC_INVALID with an OAuth code: invalid_scope, invalid_resource. */
NODISCARD enum rc sts_audience(struct arena *a, const struct sts_asked *asked, struct str control_url, struct str *ret,
                               struct err *e);

/* Is the path's {tenant} ours (its id, "organizations" or "common")? RC_INVALID. */
NODISCARD enum rc sts_tenant_check(struct http_request *req, struct err *e);
enum http_verdict sts_fail(struct http_request *req, const struct err *e); /* OAuth's error form */

http_handler_fn sts_discovery_get, sts_keys_get, sts_token_post;
http_handler_fn sts_tenant_discovery_get, sts_tenant_token_post; /* the tenant is in the path */

#endif
