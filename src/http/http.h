/* HTTP semantics (RFC 9110): requests, responses, bodies. What a request is does not depend on the protocol version;
 * h1.c speaks RFC 9112. Routes and their handlers: route.h. The server: server.h. Knows nothing of registries.
 * Threads: a request belongs to its loop; a ROUTE_CALL handler owns it on a work thread from its start to its return.
 * Ownership: the connection owns the request and its arena until it has been answered, even if the client has gone:
 * every request given to http_service.request ends with exactly one http_respond, also after a sink's abort. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/arena.h"
#include "base/uuid.h"
#include "net/net.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_CONNECT,
    HTTP_OTHER
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
    struct str name;  /* as the route's pattern has it, without braces */
    struct str value; /* decoded */
};

struct http_request;
struct http_route;

/* Takes an upload's bytes on the loop. Each may answer (http_respond); nothing is called after that. */
enum http_flow { HTTP_FLOW_ON, HTTP_FLOW_PAUSE };
struct http_sink {
    /* Some body bytes, which stay valid until it returns or, after PAUSE, until http_body_resume. No call of data or
     * end comes in between. */
    enum http_flow (*data)(struct http_request *req, struct str bytes);
    void (*end)(struct http_request *req); /* the whole body came */
    /* No more will come: RC_CANCELED the client has gone, RC_INVALID malformed, RC_TIMEOUT too slow, RC_DENIED cut.
     * May come after PAUSE; the bytes stay valid. Call http_respond when nothing uses the request any more; without
     * an answer of the handler's own, http sends 400 or 408 where a client is left. */
    void (*abort)(struct http_request *req, enum rc reason);
};

/* Gives a response's body bit by bit, on the loop. */
enum http_pull { HTTP_PULL_BYTES, HTTP_PULL_LATER, HTTP_PULL_END, HTTP_PULL_FAILED };
struct http_source {
    /* BYTES: *ret is valid until the next call. LATER: http_source_ready will be called. FAILED: connection is reset. */
    enum http_pull (*next)(struct http_request *req, struct str *ret);
    /* Client gone or cut. No call of next follows; `finished` waits for http_source_ready if LATER was the last word. */
    void (*abort)(struct http_request *req);
};

struct http_response {
    unsigned status; /* 0: not answered yet */
    struct http_fields fields;
    struct str body; /* in the arena, or static */
    int file;        /* or: bytes [file_offset, file_offset + length) of this descriptor; -1 none; closed after */
    uint64_t file_offset;
    const struct http_source *source; /* or: what it gives */
    uint64_t length;                  /* of the body; a HEAD's answer may set it alone. HTTP_LENGTH_UNKNOWN: source only */
    bool close;                       /* close the connection afterwards, gently */
};
#define HTTP_LENGTH_UNKNOWN UINT64_MAX

struct http_request {
    struct arena arena; /* at most HTTP_ARENA_MAX */
    enum http_method method;
    struct str method_text;
    struct str target;    /* as it came */
    struct str path;      /* of the target, decoding left to the router; "" until http_target_parse */
    struct str query;     /* after '?', undecoded */
    struct str authority; /* Host, or that of an absolute-form target; validated, lower case, as sent with its port */
    struct str host;      /* authority without port, brackets and one trailing dot */
    struct http_fields fields;
    bool has_body;
    int64_t content_length; /* -1: chunked or none */
    size_t body_max;        /* ROUTE_CALL: what more is answered 413; admit/ sets it; 0: HTTP_CALL_BODY_MAX */
    struct str body;        /* ROUTE_CALL: all of it */
    struct http_param params[HTTP_PARAMS_MAX];
    size_t n_params;
    const struct http_route *route;
    const struct evidence *evidence;
    struct loop *loop;
    struct uuid lane_key;         /* whose work its jobs are: admit/ sets it */
    const struct http_sink *sink; /* by http_body_take */
    struct http_response response;
    void *admission;            /* admit/: what is known of the request (registry, origin, principal) */
    void *state;                /* the handler's own */
    int64_t started_us;         /* monotonic */
    uint64_t bytes_in, bytes_out; /* body bytes so far */
    int version;                /* 10, 11, 20; 0: one that is refused after the gate */
};

/* --- reading --- */
struct str http_field(const struct http_request *req, const char *name); /* STR_NONE when absent; several are joined by ", " */
struct str http_param(const struct http_request *req, const char *name); /* asserts that the route has it */
/* Decoded. RC_NOT_FOUND; RC_INVALID when it stands there twice or is malformed. */
NODISCARD enum rc http_query(struct http_request *req, const char *key, struct str *ret, struct err *e);

/* --- answering
 * Each http_answer... replaces an earlier answer (a file is closed) and leaves other fields in place. */
/* Copied. Asserts: CR, LF and NUL; Content-Length (set response.length), Transfer-Encoding, Connection. */
void http_add_field(struct http_request *req, const char *name, struct str value);
void http_add_fieldf(struct http_request *req, const char *name, const char *fmt, ...) PRINTF(3, 4);
struct str http_answer_field(const struct http_request *req, const char *name); /* as added; STR_NONE */
/* Content type NULL: none. `body` must live as long as the arena. */
void http_answer(struct http_request *req, unsigned status, const char *content_type, struct str body);
/* Takes fd over. Answers Range itself (RFC 9110 14: one range of a GET; 206, 416), and If-Range against an ETag field
 * that was added before. */
void http_answer_file(struct http_request *req, const char *content_type, int fd, uint64_t size);
/* `length` may be HTTP_LENGTH_UNKNOWN (chunked). `source` is static. */
void http_answer_source(struct http_request *req, unsigned status, const char *content_type,
                        const struct http_source *source, uint64_t length);
void http_answer_clear(struct http_request *req); /* as if nothing had been answered; no fields */

/* All on the request's loop: */
void http_respond(struct http_request *req); /* the response is set; send it. The request may be gone on return. */
/* The body may come (100-continue); the sink may be called before this returns. */
void http_body_take(struct http_request *req, const struct http_sink *sink);
void http_body_resume(struct http_request *req);  /* after HTTP_FLOW_PAUSE */
void http_source_ready(struct http_request *req); /* after HTTP_PULL_LATER */
bool http_client_gone(const struct http_request *req);

#endif
