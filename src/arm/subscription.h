/* Subscriptions, tenants, locations. */
#ifndef ARM_SUBSCRIPTION_H
#define ARM_SUBSCRIPTION_H

#include "arm/resource.h"

/* The first start: the subscription of that id, with its providers registered, unless it is there. */
NODISCARD enum rc arm_subscription_install(struct meta_tx *tx, struct arena *a, struct str guid, struct err *e);
/* In a transaction, the call's: SubscriptionNotFound. (The snapshot that let the request in may be older.) */
NODISCARD enum rc arm_subscription_exists(struct arm_write *w, struct err *e);

/* "West US"; NULL past the last. */
const char *arm_location_display(size_t i);

enum http_verdict arm_subscription_list(struct http_request *req);
enum http_verdict arm_tenant_list(struct http_request *req);
enum http_verdict arm_location_list(struct http_request *req);

#endif
