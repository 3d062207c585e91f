/* Inside the server: what a loop has, connections whatever their protocol, and a request on its way (an exchange).
 * An exchange is given to the service, answered once (http_respond), then finished; it outlives its connection while a
 * handler or a job of its own is at work. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "base/buf.h"
#include "base/clock.h"
#include "http/route.h"
#include "http/server.h"
#include <stdatomic.h>

enum { HTTP_BLOCK_SMALL = 16 * 1024, HTTP_BLOCK_LARGE = 256 * 1024 };
struct http_block { /* bytes [start, end) are in use */
    struct http_block *next;
    size_t cap, start, end;
    char bytes[];
};

struct http_conn;
struct http_exchange;
struct http_protocol { /* one for each version of HTTP */
    const char *name;
    void (*respond)(struct http_exchange *x); /* the response is complete */
    void (*go_on)(struct http_exchange *x);   /* the body is wanted, or a source has more */
    void (*drain)(struct http_conn *c);       /* close it once nothing is under way */
    void (*reset)(struct http_conn *c);       /* now, dropping what was collected */
};
struct http_conn {
    const struct http_protocol *protocol;
    struct http_home *home;
    struct http_conn *prev, *next;
};

struct http_home { /* of one loop */
    struct http_server *server;
    struct loop *loop;
    struct http_block *small, *large; /* free ones */
    unsigned n_small, n_large;
    struct http_conn *conns;
    struct http_exchange *given; /* those that the service has */
    size_t n_conns, n_given;
    struct buf head; /* where response heads are made */
    int64_t date_s;
    char date[CLOCK_TEXT_MAX];
    bool draining;
};

enum { HTTP_BODY_PARTS = 64 };
struct http_server {
    struct http_server_config config;
    atomic_uint_fast64_t bodies; /* bytes of large collected bodies */
    atomic_uint_fast64_t bodies_of[HTTP_BODY_PARTS]; /* of those, by who gets them */
    struct http_home **homes;    /* by loop_index; each is made and used by its loop alone */
};

struct http_exchange {
    struct http_request req; /* first member */
    struct evidence evidence;
    struct http_home *home;
    struct http_conn *conn; /* NULL: the client has gone */
    struct http_exchange *prev, *next;
    void (*free)(struct http_exchange *x); /* of the protocol's own struct */
    bool given;    /* to the service */
    bool answered; /* http_respond was called */
    bool late;     /* `request` returned before that */
    bool paused;   /* the sink has `lent` */
    bool body_over;   /* its end, or its failure, is known */
    bool pulling;     /* the source said LATER */
    bool busy;        /* a job of http's own uses it */
    bool cut;         /* before its body was wanted: nothing of it is taken any more */
    unsigned failure; /* the status that http gives when the handler, after an abort, has none */
    const char *failure_text;
    struct http_block *lent;
    /* a call's: */
    struct lane_job job;
    struct buf collected;
    http_handler_fn *call;
    enum http_verdict verdict; /* its */
    uint64_t reserved; /* of the server's budget */
};

struct http_home *http_home_of(struct http_server *s, struct loop *l);
struct http_block *http_block_take(struct http_home *h, size_t cap); /* HTTP_BLOCK_SMALL or _LARGE */
void http_block_give(struct http_home *h, struct http_block *b);     /* accepts NULL */
struct str http_date(struct http_home *h);                           /* for the Date field */

void http_conn_init(struct http_conn *c, const struct http_protocol *p, struct http_home *h);
void http_conn_done(struct http_conn *c);

void http_exchange_init(struct http_exchange *x, struct http_conn *c, const struct evidence *ev);
void http_exchange_give(struct http_exchange *x); /* to the service; it may be gone on return */
void http_exchange_error(struct http_exchange *x, unsigned status, const char *text); /* sets the answer */
/* The body cannot go on: tells the sink; the client, if there, will get `status` unless the handler answers. */
void http_exchange_abort_body(struct http_exchange *x, enum rc reason, unsigned status, const char *text);
void http_exchange_client_gone(struct http_exchange *x); /* the connection forgets it */
void http_exchange_finish(struct http_exchange *x);      /* as soon as nothing uses it */
void http_call_start(struct http_request *req, http_handler_fn *fn);
/* body_budget.c: room for a collected body of n bytes in all. False: there is none now. */
bool http_body_reserve(struct http_exchange *x, uint64_t n);
void http_body_release(struct http_exchange *x);

/* protocol h1: */
void h1_accepted(struct http_home *h, struct net_stream *s, bool surplus);

#endif
