#include "app/helper_queue.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <stdlib.h>

enum { FIRST_CAP = 64 };

static void grow(struct helper_queue *q)
{
    size_t cap = q->cap ? 2 * q->cap : FIRST_CAP;
    struct helper_message *ring = MEM_ARRAY(struct helper_message, cap);

    for (size_t i = 0; i < q->n; i++)
        ring[i] = q->ring[(q->first + i) % q->cap];
    free(q->ring);
    q->ring = ring;
    q->first = 0;
    q->cap = cap;
}

enum rc helper_queue_flush(struct helper_queue *q, struct err *e)
{
    while (q->n > 0) {
        enum rc rc = fd_send(q->fd, &q->ring[q->first], sizeof(q->ring[0]), -1, e);

        if (rc != RC_OK)
            return rc;
        q->first = (q->first + 1) % q->cap;
        q->n--;
    }
    return RC_OK;
}

enum rc helper_queue_send(struct helper_queue *q, const struct helper_message *m, struct err *e)
{
    if (q->n >= HELPER_QUEUE_MAX)
        return err_set(e, RC_QUOTA, "%d requests wait for the helper", HELPER_QUEUE_MAX);
    if (q->n == q->cap)
        grow(q);
    q->ring[(q->first + q->n++) % q->cap] = *m;
    return helper_queue_flush(q, e);
}

void helper_queue_done(struct helper_queue *q)
{
    free(q->ring);
    *q = (struct helper_queue){.fd = -1};
}
