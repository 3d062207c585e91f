/* Subscriptions, tenants, locations. */
#ifndef ARM_SUBSCRIPTION_H
#define ARM_SUBSCRIPTION_H

#include "arm/resource.h"

enum http_verdict arm_subscription_get(struct http_request *req);
enum http_verdict arm_subscription_list(struct http_request *req);
enum http_verdict arm_tenant_list(struct http_request *req);
enum http_verdict arm_location_list(struct http_request *req);

#endif
