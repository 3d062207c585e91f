/* The connection of HTTP/1.1 as a state machine: one request at a time; those that follow wait in the buffer.
 * Everything happens in h1_run, step by step; callbacks only change the state and make it run. */
#ifndef HTTP_H1_H
#define HTTP_H1_H

#include "http/file_send.h"
#include "http/h1_parse.h"

enum h1_state {
    H1_IDLE,      /* between requests; no buffer is held */
    H1_READING,   /* a part of a head is there */
    H1_HELD,      /* the service has the request; its body may be coming */
    H1_SENDING,   /* the answer is going out */
    H1_DRAINING,  /* answered; the rest of the body is dropped, so that the connection can be used again */
    H1_FLUSHING,  /* the last answer is written; the kernel shall have it */
    H1_LINGERING, /* our side has finished; input is dropped until the client ends or the time is up */
};
enum {
    H1_DRAIN_MAX = 64 * 1024,          /* of a body nobody wants */
    H1_LINGER_MAX = 1024 * 1024,       /* past it we stop reading and only wait */
    H1_TURN_MAX = 1024 * 1024,         /* bytes of one connection in one turn of the loop, each way */
    H1_OUT_MAX = 4,
};
#define H1_NEVER INT64_MAX

struct h1_exchange {
    struct http_exchange x; /* first member */
    struct h1_head head;
    bool persistent;     /* the client can go on after it */
    bool expects;        /* 100-continue has neither been sent nor become pointless */
    bool head_only;      /* HEAD, or a status without a body */
    bool chunked_out;
    bool keep;           /* decided: the connection goes on afterwards */
    bool source_over;
    struct str out[H1_OUT_MAX]; /* to be written, in order */
    unsigned n_out;
    char chunk_line[24];
    struct file_send file;
};

struct h1_conn {
    struct http_conn base; /* first member */
    struct net_stream *stream;
    struct loop_timer *timer;
    int64_t deadline_us, armed_us; /* the timer is lazy: it may fire before the deadline; 0: it is not running */
    struct http_block *in;         /* unread input; NULL when there is none */
    struct h1_exchange *x;
    enum h1_state state;
    bool running, dead;
    bool surplus;             /* there are too many connections: it gets 503 */
    bool can_read, can_write; /* as far as we know */
    bool ended;               /* the client has finished its side */
    bool retry;               /* a lane was full: the deadline says when to ask again */
    size_t turn_in, turn_out; /* bytes in this run */
    uint64_t dropped;         /* draining, lingering */
    /* the body of the current request */
    bool chunked, body_over;
    uint64_t body_left; /* unless chunked */
    struct h1_chunks chunks;
    /* how fast the client moves, while we wait for it */
    int64_t moved_us, window_us, paused_us;
    uint64_t window_bytes;
    size_t unflushed; /* what the kernel had not taken when last looked */
};

static inline struct http_server *h1_server(const struct h1_conn *c)
{
    return c->base.home->server;
}
static inline size_t h1_input(const struct h1_conn *c)
{
    return c->in ? c->in->end - c->in->start : 0;
}

/* h1.c */
void h1_run(struct h1_conn *c);
void h1_set_deadline(struct h1_conn *c, int64_t at_us);
void h1_gone(struct h1_conn *c);    /* the client, or our patience; the connection is reset */
void h1_go_idle(struct h1_conn *c); /* the next request may come */
void h1_end(struct h1_conn *c);     /* gently, all answers having been written */
void h1_moved(struct h1_conn *c, size_t n); /* n bytes came or went */
void h1_wait(struct h1_conn *c);            /* for the client: body bytes, or room; not for ever */
void h1_wait_over(struct h1_conn *c);       /* what comes next is not the client's doing */
enum net_io h1_flush(struct h1_conn *c);    /* NET_IO_AGAIN: can_write again when the kernel has taken all */
enum net_io h1_fill(struct h1_conn *c, size_t room); /* reads once, into a block of HTTP_BLOCK_SMALL or _LARGE */
void h1_consume(struct h1_conn *c, size_t n);
/* h1_body.c: each does one step; false: wait */
bool h1_step_body(struct h1_conn *c);
bool h1_step_drain(struct h1_conn *c);
bool h1_body_wants_input(const struct h1_conn *c);
/* h1_send.c */
void h1_send_start(struct h1_conn *c);
bool h1_step_send(struct h1_conn *c);
bool h1_write_out(struct h1_conn *c); /* false: blocked, or gone */
void h1_queue(struct h1_exchange *x, struct str s);

#endif
