/* The server: connections of HTTP, and what stands above them. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/http.h"
#include "loop/lane.h"

struct http_service { /* what stands above: admit/ */
    void *ctx;
    /* On the loop, when a head is complete and its framing and Host are certain. Answers or dispatches. */
    void (*request)(void *ctx, struct http_request *req);
    /* On the loop, once per request given to `request`: all sent, or the client gone. Log, release. */
    void (*finished)(void *ctx, struct http_request *req);
    /* Optional. On the loop, after a handler that did not run on the loop has answered and before anything is sent:
     * may replace the answer, because the gate has closed meanwhile. */
    void (*answering)(void *ctx, struct http_request *req);
    /* The body for an error that http finds itself (400, 408, 413, 431, 500, 503), in the API's own form. The head may
     * be malformed: then nothing of the request is set but evidence and loop. */
    void (*error)(void *ctx, struct http_request *req, unsigned status, const char *text);
};
struct http_server_config {
    struct http_service service;
    struct lanes lanes;
    uint64_t call_body_budget; /* bytes of large collected bodies at once, all loops; 0: 64 MiB; a quarter for each lane_key */
    const char *server_field;  /* Server: header, or NULL */
    struct {
        unsigned head_ms, keep_alive_ms, body_idle_ms, slow_window_ms, slow_bytes_per_s, gentle_close_ms;
        unsigned surplus_ms; /* for the head of one of too many */
    } limits; /* 0: 10 s, 120 s, 60 s, 60 s, 1024, 2 s, 2 s */
};
struct http_server;
NODISCARD enum rc http_server_new(const struct http_server_config *config, struct http_server **ret, struct err *e);
void http_server_accepted(void *server, struct net_stream *s); /* for net_listener_config */
/* One of too many: its first request is answered 503, and that is all. */
void http_server_surplus(void *server, struct net_stream *s);

/* On a loop's thread, for what lives on it: */
/* Each request that was given to `request` and is not finished; fn may end it. */
void http_server_each(struct http_server *s, struct loop *l, void (*fn)(void *ctx, struct http_request *req), void *ctx);
/* The gate has closed for this request. A response under way: its connection is reset, no further byte is handed on,
 * and the request ends (HTTP_CUT_RESET). A body being received: its sink is aborted with RC_DENIED, `error` of the
 * service makes the 403 and the connection closes gently (HTTP_CUT_REFUSED). Neither: the handler is at work, a
 * body that it wants from now on is aborted the same way, and `answering` will be asked (HTTP_CUT_LATER). */
enum http_cut { HTTP_CUT_RESET, HTTP_CUT_REFUSED, HTTP_CUT_LATER };
enum http_cut http_cut(struct http_request *req);
/* Take no more connections, finish requests under way, close idle connections. Returns connections and requests left on this loop. */
size_t http_server_drain(struct http_server *s, struct loop *l);
void http_server_close_all(struct http_server *s, struct loop *l); /* resets what is left; handlers at work go on */
void http_server_free(struct http_server *s); /* when http_server_drain has returned 0 on every loop */

#endif
