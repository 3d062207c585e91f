/* Identity endpoints under /adfs: discovery, keys, tokens for the control plane (DESIGN 4.5). Behind no gate: they belong
 * to listeners of the control class. Errors are OAuth's (RFC 6749 5.2). */
#ifndef STS_STS_H
#define STS_STS_H

#include "admit/admit.h"

extern const struct http_routes sts_routes;

enum { STS_TOKEN_LIFE_S = 3600 }; /* of access tokens */

#endif
