/* Looking resources up by type; what this server has no resource type for. */
#ifndef ARM_RESOURCES_H
#define ARM_RESOURCES_H

#include "arm/resource.h"

enum http_verdict arm_resources_find(struct http_request *req);
enum http_verdict arm_unknown(struct http_request *req);
enum http_verdict arm_not_offered(struct http_request *req); /* the route has {rest+} */

#endif
