/* What the server has to tell its helper: sent in order as far as the socket takes it, the rest when there is room again.
 * Nobody waits. Threads: the main loop's. */
#ifndef APP_HELPER_QUEUE_H
#define APP_HELPER_QUEUE_H

#include "app/helper_protocol.h"

enum { HELPER_QUEUE_MAX = 2 * HELPER_LISTENERS_MAX }; /* each listener's end, and then its beginning */

struct helper_queue {
    int fd; /* not owned; does not block */
    struct helper_message *ring;
    size_t first, n, cap;
};

/* RC_QUOTA: so much waits that the helper cannot be well; else as for helper_queue_flush. */
NODISCARD enum rc helper_queue_send(struct helper_queue *q, const struct helper_message *m, struct err *e);
/* RC_OK: nothing waits. RC_UNAVAILABLE: something does, and LOOP_WRITE says when to try again. Otherwise nothing can be
 * sent any more. */
NODISCARD enum rc helper_queue_flush(struct helper_queue *q, struct err *e);
void helper_queue_done(struct helper_queue *q);

#endif
