/* What metrics listeners serve: /metrics, /healthz, /readyz. */
#ifndef APP_METRICS_ROUTES_H
#define APP_METRICS_ROUTES_H

#include "http/route.h"

extern const struct http_routes metrics_routes;
void metrics_error(struct http_request *req, unsigned status, const char *code, const char *message);

#endif
