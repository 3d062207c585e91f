/* Event loops, timers, wake-ups. The only user of libuv.
 * One loop per thread; everything on a loop runs on its thread, and only loop_post and loop_stop may be called from
 * another. Callbacks must not block. Freeing an object inside its own callback is allowed. */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "base/err.h"

struct loop;

NODISCARD enum rc loop_new(unsigned index, struct loop **ret, struct err *e);
void loop_run(struct loop *l);  /* on the calling thread, until loop_stop */
void loop_stop(struct loop *l); /* any thread */
void loop_free(struct loop *l); /* after loop_run returned and everything on it was freed */
unsigned loop_index(const struct loop *l);
bool loop_is_current(const struct loop *l);
int64_t loop_now_us(const struct loop *l); /* monotonic, as of this turn, in steps of 1 ms */

/* One value for each key (an address of the module's own), kept by the loop for whom it asks. This loop's thread. */
void loop_attach(struct loop *l, const void *key, void *value, void (*free_value)(void *value)); /* runs in loop_free */
void *loop_attached(const struct loop *l, const void *key); /* NULL: none */

/* A piece of work for a loop; embedded in what it works on, owned by the poster until run. */
struct loop_task {
    void (*run)(struct loop_task *t);
    struct loop_task *next; /* private */
};
void loop_post(struct loop *l, struct loop_task *t);     /* any thread; in order of posting */
void loop_defer(struct loop *l, struct loop_task *t);    /* this loop's thread: at the start of its next turn, without waiting */
void loop_turn_end(struct loop *l, struct loop_task *t); /* this loop's thread: before it waits again */

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_ERROR = 4 /* never asked for; comes with both others */ };
struct loop_poll;
/* Watches fd (not owned; close it only after loop_poll_free). Starts with no event wanted. */
NODISCARD enum rc loop_poll_new(struct loop *l, int fd, void (*ready)(void *ctx, unsigned events), void *ctx,
                                struct loop_poll **ret, struct err *e);
void loop_poll_want(struct loop_poll *p, unsigned events);
void loop_poll_free(struct loop_poll *p);

/* After the loop itself stood still (a suspended machine) a timer that is due waits half a second more: what came meanwhile is
 * heard before anybody is given up, and who stood still as well has time to speak. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, void (*fired)(void *ctx), void *ctx);
void loop_timer_start(struct loop_timer *t, uint64_t ms); /* once; a running one is restarted */
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

struct loop_signal;
NODISCARD enum rc loop_signal_new(struct loop *l, int signum, void (*caught)(void *ctx, int signum), void *ctx,
                                  struct loop_signal **ret, struct err *e);
void loop_signal_free(struct loop_signal *s);

#endif
