/* Resource providers: namespaces, their types, and their registration per subscription. */
#ifndef ARM_PROVIDER_H
#define ARM_PROVIDER_H

#include "arm/resource.h"

/* Before anything of that type is made in the call's subscription: MissingSubscriptionRegistration. */
NODISCARD enum rc arm_provider_required(struct arm_write *w, const struct arm_type *type, struct err *e);
/* Of any subscription ("/subscriptions/GUID"): SubscriptionNotFound. */
NODISCARD enum rc arm_provider_registered(struct meta_tx *tx, struct arena *a, struct str subscription_id,
                                          struct str provider, bool *ret, struct err *e);

enum http_verdict arm_provider_show(struct http_request *req);
enum http_verdict arm_provider_list(struct http_request *req);
enum http_verdict arm_provider_register(struct http_request *req);
enum http_verdict arm_provider_unregister(struct http_request *req);

#endif
