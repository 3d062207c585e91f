/* HTTP semantics (RFC 9110): requests, responses, bodies, routes. What a request is does not depend on the protocol
 * version; h1.c speaks RFC 9112, h2.c (later) RFC 9113. Knows nothing of registries.
 * Threads: a request belongs to its loop; a ROUTE_CALL handler owns it on a work thread from its start to its return.
 * Ownership: the connection owns the request and its arena until the handler has answered, even if the client has gone. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/arena.h"
#include "loop/lane.h"
#include "net/net.h"

enum http_method {
    HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_CONNECT, HTTP_OTHER
};
enum {
    HTTP_HEAD_MAX = 32 * 1024,
    HTTP_FIELDS_MAX = 100,
    HTTP_TARGET_MAX = 8 * 1024,
    HTTP_CALL_BODY_MAX = 4 * 1024 * 1024,
    HTTP_PARAMS_MAX = 12,
    HTTP_ARENA_MAX = 16 * 1024 * 1024,
};

struct http_field {
    struct str name, value; /* name as it came (compare without case); value trimmed */
};
struct http_fields {
    struct http_field *list; /* in the request's arena */
    size_t n, cap;
};
struct http_param {
    const char *name;
    struct str value; /* decoded */
};

struct http_request;
struct http_route;

/* Takes an upload's bytes on the loop. */
enum http_flow { HTTP_FLOW_ON, HTTP_FLOW_PAUSE };
struct http_sink {
    /* Some body bytes, which stay valid until it returns or, after PAUSE, until http_body_resume. */
    enum http_flow (*data)(struct http_request *req, struct str bytes);
    void (*end)(struct http_request *req);                   /* the whole body came */
    void (*abort)(struct http_request *req, enum rc reason); /* client gone, body malformed or too slow; no answer is sent */
};

struct http_response {
    unsigned status; /* 0: not answered yet */
    struct http_fields fields;
    struct str body;      /* in the arena, or static */
    int file;             /* or: bytes [file_offset, file_offset + file_length) of this descriptor; -1 none; closed after */
    uint64_t file_offset, file_length;
    uint64_t length;      /* of a HEAD's representation, or of the body */
    bool close;           /* close the connection afterwards, gently */
};

struct http_request {
    struct arena arena; /* at most HTTP_ARENA_MAX */
    enum http_method method;
    struct str method_text;
    struct str target;     /* as it came */
    struct str path;       /* of the target, decoding left to the router; "" until http_target_parse */
    struct str query;      /* after '?', undecoded */
    struct str authority;  /* Host, or that of an absolute-form target; validated, lower case, as sent with its port */
    struct str host;       /* authority without port, brackets and one trailing dot */
    struct http_fields fields;
    bool has_body;
    int64_t content_length; /* -1: chunked or none */
    struct str body;        /* ROUTE_CALL: all of it */
    struct http_param params[HTTP_PARAMS_MAX];
    size_t n_params;
    const struct http_route *route;
    const struct evidence *evidence;
    struct loop *loop;
    const struct http_sink *sink; /* ROUTE_STREAM: set by the handler */
    struct http_response response;
    void *admission;  /* admit/: what is known of the request (registry, origin, principal) */
    void *state;      /* the handler's own */
    int64_t started_us; /* monotonic */
    uint64_t bytes_in, bytes_out; /* body bytes so far */
    int version;      /* 10, 11, 20 */
};

/* --- routes are data ------------------------------------------------------------------------------------------------ */
enum http_route_kind { ROUTE_HOT, ROUTE_CALL, ROUTE_STREAM };
enum http_verdict { HTTP_ANSWERED, HTTP_DECLINED };
typedef enum http_verdict http_handler_fn(struct http_request *req);

struct http_route {
    enum http_method method; /* HTTP_GET serves HEAD too */
    const char *pattern;     /* "{x}" is one segment, "{x+}" one or more */
    const char *access;      /* what authorization needs: for admit/ */
    enum http_route_kind kind;
    /* ROUTE_HOT: on the loop; may decline, then `call` runs. ROUTE_STREAM: on the loop; sets sink or response. */
    http_handler_fn *start;
    /* ROUTE_CALL (and a declined ROUTE_HOT): on the metadata read lane, with the whole body. */
    http_handler_fn *call;
};
struct http_routes {
    const struct http_route *list;
    size_t n;
    bool fold_case;    /* literal segments in any case, repeated slashes collapsed (ARM) */
};
/* Splits and checks the target (RC_INVALID: bad percent-encoding, "." or ".." segments, control characters). */
NODISCARD enum rc http_target_parse(struct http_request *req, struct err *e);
/* Sets req->route and params (from req->path). RC_NOT_FOUND, or RC_UNSUPPORTED with *ret_allow = "GET, HEAD, PUT". */
NODISCARD enum rc http_route_find(const struct http_routes *routes, struct http_request *req, struct str *ret_allow);
struct str http_param(const struct http_request *req, const char *name); /* asserts that the route has it */
NODISCARD enum rc http_query(struct http_request *req, const char *key, struct str *ret, struct err *e); /* decoded */

/* --- reading and answering --------------------------------------------------------------------------------------------- */
struct str http_field(const struct http_request *req, const char *name); /* STR_NONE when absent; several are joined by ", " */
void http_add_field(struct http_request *req, const char *name, struct str value); /* copied; CR, LF, NUL assert */
void http_add_fieldf(struct http_request *req, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* Sets the response; content type NULL: none. `body` must live as long as the arena. */
void http_answer(struct http_request *req, unsigned status, const char *content_type, struct str body);
/* Takes fd over. Answers Range itself (RFC 9110 14: one range; 206, 416), for GET and HEAD. */
void http_answer_file(struct http_request *req, const char *content_type, int fd, uint64_t size);

/* Runs the route that was found, by its kind. On the loop, once admission is done. */
void http_dispatch(struct http_request *req);
/* On the loop: the response is set; send it. (http_dispatch does this itself for hot and call handlers.) */
void http_respond(struct http_request *req);
void http_body_resume(struct http_request *req); /* on the loop, after HTTP_FLOW_PAUSE */

/* --- the server ------------------------------------------------------------------------------------------------------ */
struct http_service { /* what stands above: admit/ */
    void *ctx;
    /* On the loop, when a head is complete and its framing and Host are certain. Answers or dispatches. */
    void (*request)(void *ctx, struct http_request *req);
    /* On the loop, once per request given to `request`: all sent, or the client gone. Log, release. */
    void (*finished)(void *ctx, struct http_request *req);
    /* The body for an error that http finds itself (400, 408, 413, 431, 503 and 404-free), in the API's own form. */
    void (*error)(void *ctx, struct http_request *req, unsigned status, const char *text);
};
struct http_server_config {
    struct http_service service;
    struct lanes lanes;
    uint64_t call_body_budget; /* bytes of collected bodies at once, all loops; 0: 64 MiB */
    const char *server_field;  /* Server: header, or NULL */
    struct {
        unsigned head_s, keep_alive_s, body_idle_s, slow_window_s, slow_bytes_per_s, gentle_close_s;
    } limits; /* 0: 10, 120, 60, 60, 1024, 2 */
};
struct http_server;
NODISCARD enum rc http_server_new(const struct http_server_config *config, struct http_server **ret, struct err *e);
void http_server_accepted(void *server, struct net_stream *s); /* for net_listener_config */
/* On each loop: finish requests under way, close idle connections; *ret_open is what is left on this loop. */
size_t http_server_drain(struct http_server *s, struct loop *l);
void http_server_close_all(struct http_server *s, struct loop *l); /* on the loop */
void http_server_free(struct http_server *s);

#endif
