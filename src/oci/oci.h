/* The data plane's endpoints: the OCI distribution API (/v2/), the token endpoints (/oauth2/). What a registry does is
 * registry/'s; here are only its forms: paths, fields, statuses, and the one table that makes a code an HTTP status. */
#ifndef OCI_OCI_H
#define OCI_OCI_H

#include "admit/admit.h"

extern const struct http_routes oci_routes; /* for listeners of the data class */
/* {"errors":[{"code","message","detail":null}]}; code NULL: by the status. For struct admit_api. Any thread. */
void oci_error(struct http_request *req, unsigned status, const char *code, const char *message);

#endif
