/* Identity endpoints: discovery, keys, tokens for the control plane (DESIGN 4.5), the device page;
 * users, service principals. Behind no gate: they belong to listeners of the control class. Errors
 * are OAuth's (RFC 6749 5.2). */
#ifndef STS_STS_H
#define STS_STS_H

#include "admit/admit.h"

extern const struct http_routes sts_routes;

enum { STS_TOKEN_LIFE_S = 3600 }; /* of access tokens */

/* Now and then, on a work thread: a new signing key when the present one is 90 days old; keys,
 * refresh tokens and device codes that nobody can use any more go. */
NODISCARD enum rc sts_maintain(struct snapshot_hub *hub, int64_t now_us, struct err *e);

#endif
