/* Where listening sockets come from: the privileged helper or, without one, this process itself (main ones only).
 * Main listeners: for each --listen, --control and --metrics; one socket per loop (SO_REUSEPORT), accepted where they are.
 * Attachments' listeners: one per family and service, accepted on the main loop, connections handed out in turn.
 * Threads: the main loop's, except listeners_state. */
#ifndef APP_LISTENERS_H
#define APP_LISTENERS_H

#include "app/options.h"
#include "net/net.h"
#include "origin/origin.h"

struct listeners;
struct listeners_config {
    const struct serve_options *options;
    int helper_fd;             /* -1: no helper, attachments fail with the reason */
    unsigned pulse_ms;         /* how often it is asked whether it is there; 0: as usual */
    struct loop *const *loops; /* [0] is the main loop */
    size_t n_loops;
    struct net_tls *tls;
    void (*accepted)(void *ctx, struct net_stream *s); /* http_server_accepted */
    void (*surplus)(void *ctx, struct net_stream *s);  /* http_server_surplus */
    void *ctx;
};
/* Before the loops run. Returns when every main listener is open; RC_EXISTS names the address that is taken. */
NODISCARD enum rc listeners_new(const struct listeners_config *config, struct listeners **ret, struct err *e);
/* "listening on 0.0.0.0:5443 (data, TLS)", one line for each main listener. */
void listeners_describe(const struct listeners *l, struct buf *out);
/* What attachments there are now: opens, closes and keeps accordingly. */
void listeners_attachments(struct listeners *l, const struct origin_table *origins);

enum listener_state { LISTENER_WAITING, LISTENER_LISTENING, LISTENER_FAILED };
/* Any thread. RC_NOT_FOUND for an attachment that has no listener. Appends the reason (Waiting, Failed; or its helper hangs). */
NODISCARD enum rc listeners_state(struct listeners *l, const struct uuid *attachment, enum listener_state *ret,
                                  struct buf *ret_reason);
void listeners_close(struct listeners *l); /* accept no more; the helper keeps its sockets */
void listeners_free(struct listeners *l);

#endif
