/* What the route table needs of resource groups beside the shared handlers. */
#ifndef ARM_GROUP_H
#define ARM_GROUP_H

#include "arm/resource.h"

enum http_verdict arm_group_read(struct http_request *req);

#endif
