/* Routes are data: which handler serves which method and path, and how it runs. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "http/http.h"

enum http_route_kind { ROUTE_HOT, ROUTE_CALL, ROUTE_STREAM };
/* ANSWERED: the response is set. DECLINED: see the kinds below. */
enum http_verdict { HTTP_ANSWERED, HTTP_DECLINED };
typedef enum http_verdict http_handler_fn(struct http_request *req);

struct http_route {
    enum http_method method; /* HTTP_GET serves HEAD too */
    const char *pattern;     /* "{x}" is one segment, "{x+}" one or more (one of these at most) */
    const char *access;      /* what authorization needs: for admit/ */
    enum http_route_kind kind;
    /* ROUTE_HOT: on the loop; may decline, then `call` runs. ROUTE_STREAM: on the loop; answers, or declines: then it
     * has called http_body_take, or will call that or http_respond later.
     * ROUTE_CALL: the handler itself, on the metadata read lane, with the whole body in req->body. It may decline where a
     * password has to be hashed: then `call` runs on the password lane, in turn with other clients' addresses. */
    http_handler_fn *start;
    http_handler_fn *call; /* as ROUTE_CALL's, for a route that declined */
};
struct http_routes {
    const struct http_route *list;
    size_t n;
    bool fold_case; /* literal segments in any case, repeated slashes collapsed (ARM) */
};

/* Splits and checks the target. RC_INVALID (400): bad percent-encoding, "." or ".." segments, control characters, a
 * form that the method does not have. RC_TOO_LARGE (414). RC_UNSUPPORTED (505): a version other than HTTP/1.x. */
NODISCARD enum rc http_target_parse(struct http_request *req, struct err *e);
/* Sets req->route and params (from req->path). RC_NOT_FOUND, or RC_UNSUPPORTED with *ret_allow = "GET, HEAD, PUT".
 * An encoded slash does not divide segments; in the parameter's value it is a slash. */
NODISCARD enum rc http_route_find(const struct http_routes *routes, struct http_request *req, struct str *ret_allow);
/* Runs the route that was found, by its kind. On the loop, once admission is done. */
void http_dispatch(struct http_request *req);

#endif
