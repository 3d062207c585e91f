/* ARM's error envelope, and the one table from codes to statuses. */
#ifndef ARM_ERROR_H
#define ARM_ERROR_H

#include "http/http.h"

/* Ends the request with what `e` says. What is our own fault is logged, and told without its details. */
void arm_error_rc(struct http_request *req, const struct err *e);
/* As Microsoft.Network says what is wrong with a request: with an empty list of details. */
void arm_error_details(struct http_request *req, const struct err *e);

#endif
