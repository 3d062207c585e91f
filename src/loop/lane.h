/* Lanes: bounded queues with their own work threads, fair between keys (FIFO per key, keys in turn).
 * A job that waited longer than 10 s is not run: its done gets RC_UNAVAILABLE. */
#ifndef LOOP_LANE_H
#define LOOP_LANE_H

#include "base/uuid.h"
#include "loop/loop.h"

struct lane;
struct lane_limits {
    unsigned threads, queue, per_key;
    unsigned expiry_ms; /* 0: 10 s */
};

struct lane_job {
    struct uuid key;                              /* whose work it is: a registry, a subscription, an attachment */
    void (*run)(struct lane_job *j);              /* on a work thread; may block */
    void (*done)(struct lane_job *j, enum rc rc); /* RC_OK: it ran. RC_UNAVAILABLE: it waited too long, or the lane ends */
    struct loop *home;                            /* where done runs; NULL: on the work thread */
    struct loop_task task;                        /* private from here */
    struct lane_job *next;
    int64_t queued_us;
    enum rc rc;
};

/* Takes up to `max` queued jobs at once and runs them all; used where several are cheaper together (one commit). */
struct lane_batch {
    void *ctx;
    void (*run)(void *ctx, struct lane_job **jobs, size_t n); /* calls each job's run itself */
    unsigned max;
};

/* `batch` may be NULL. `name` is not copied; threads bear it. */
NODISCARD enum rc lane_new(const char *name, const struct lane_limits *limits, const struct lane_batch *batch,
                           struct lane **ret, struct err *e);
/* Any thread. RC_UNAVAILABLE, at once, when the queue or the key's share is full: nothing was queued. */
NODISCARD enum rc lane_submit(struct lane *l, struct lane_job *j, struct err *e);
/* From a work thread of another lane (or a test): runs fn on the lane and waits for it. */
NODISCARD enum rc lane_call(struct lane *l, const struct uuid *key, enum rc (*fn)(void *arg, struct err *e), void *arg,
                            struct err *e);
size_t lane_depth(const struct lane *l); /* queued and running */
void lane_free(struct lane *l);          /* finishes what runs, refuses what waits, joins the threads */

/* The lanes of a server (DETAILS: threads, queue, per key). */
struct lanes {
    struct lane *write, *read, *disk, *password;
};

#endif
