/* A request to the control plane of a test, without its sockets. */
#ifndef UNIT_CONTROL_REQUEST_H
#define UNIT_CONTROL_REQUEST_H

#include "test.h"

#include "http/message.h"
#include "json/json.h"

static const struct evidence control_evidence = {.class = NET_CONTROL,
                                                 .peer = {4, {192, 0, 2, 7}},
                                                 .local = {4, {127, 0, 0, 1}},
                                                 .local_port = 8443,
                                                 .tls = true};

/* The body may be NULL. What the request points to stays the caller's. */
static inline void control_request_begin(struct http_request *req, const char *method,
                                         const char *target, const char *body,
                                         struct http_fields fields, const struct evidence *evidence)
{
    *req = (struct http_request){
        .arena = ARENA_INIT(HTTP_ARENA_MAX),
        .method = http_method_of(str_from(method)),
        .method_text = str_from(method),
        .target = str_from(target),
        .authority = STR("localhost:8443"),
        .host = STR("localhost"),
        .fields = fields,
        .has_body = body != NULL,
        .body = body ? str_from(body) : STR(""),
        .evidence = evidence,
        .response = {.file = -1},
        .version = 11,
    };
    assert_int_equal(http_target_parse(req, NULL), RC_OK);
}

/* Of a request with its answer, or of none yet. */
static inline void control_request_end(struct http_request *req, struct json **answer)
{
    json_free(*answer);
    *answer = NULL;
    http_answer_clear(req);
    arena_done(&req->arena);
}

#endif
