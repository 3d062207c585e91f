#include "loop/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

/* First in, first out; only the loop's own thread touches it. */
struct task_list {
    struct loop_task *head, **tail;
};

enum { LOOP_ATTACHED_MAX = 8, LOOP_STALL_MS = 500 };

struct loop_value {
    const void *key;
    void *value;
    void (*free_value)(void *value);
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_idle_t idle;       /* active while something is deferred: then the loop does not wait */
    uv_prepare_t prepare; /* the last thing before the loop waits */
    unsigned index;
    bool running;
    struct task_list deferred, ending;
    struct loop_value values[LOOP_ATTACHED_MAX];
    size_t n_values;
    _Atomic(struct loop_task *) posted; /* newest first; any thread pushes, the loop takes all */
    atomic_bool stopping;
    _Atomic pthread_t thread;
};

struct loop_poll {
    uv_poll_t uv;
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
    unsigned wanted;
    unsigned watched; /* what the kernel was told; a superset of wanted (see loop_poll_want) */
};

struct loop_timer {
    uv_timer_t uv;
    uint64_t due; /* in uv's milliseconds */
    bool excused; /* it was late once already */
    void (*fired)(void *ctx);
    void *ctx;
};

struct loop_signal {
    uv_signal_t uv;
    void (*caught)(void *ctx, int signum);
    void *ctx;
};

static void *loop_alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        abort();
    return p;
}

static enum rc loop_uv_error(struct err *e, int status, const char *what)
{
    return err_set(e, status == UV_EMFILE || status == UV_ENFILE ? RC_UNAVAILABLE : RC_INTERNAL,
                   "%s: %s", what, uv_strerror(status));
}

/* --- tasks --- */

static void task_list_init(struct task_list *list)
{
    list->head = NULL;
    list->tail = &list->head;
}

static void task_list_add(struct task_list *list, struct loop_task *t)
{
    t->next = NULL;
    *list->tail = t;
    list->tail = &t->next;
}

static struct loop_task *task_list_take(struct task_list *list)
{
    struct loop_task *head = list->head;

    task_list_init(list);
    return head;
}

/* A task may free itself or be queued again by its own run. */
static void task_run_all(struct loop_task *t)
{
    while (t) {
        struct loop_task *next = t->next;

        t->run(t);
        t = next;
    }
}

static struct loop_task *loop_take_posted(struct loop *l)
{
    struct loop_task *newest = atomic_exchange_explicit(&l->posted, NULL, memory_order_acquire);
    struct loop_task *oldest = NULL;

    while (newest) {
        struct loop_task *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void loop_on_wake(uv_async_t *wake)
{
    struct loop *l = wake->data;

    task_run_all(loop_take_posted(l));
    if (atomic_exchange(&l->stopping, false))
        uv_stop(&l->uv);
}

static void loop_on_idle(uv_idle_t *idle)
{
    struct loop *l = idle->data;

    task_run_all(task_list_take(&l->deferred));
    if (!l->deferred.head)
        uv_idle_stop(idle);
}

static void loop_on_prepare(uv_prepare_t *prepare)
{
    struct loop *l = prepare->data;

    while (l->ending.head)
        task_run_all(task_list_take(&l->ending));
}

void loop_post(struct loop *l, struct loop_task *t)
{
    struct loop_task *head = atomic_load_explicit(&l->posted, memory_order_relaxed);

    do
        t->next = head;
    while (!atomic_compare_exchange_weak_explicit(&l->posted, &head, t, memory_order_release,
                                                  memory_order_relaxed));
    if (!head) /* whoever found the queue empty wakes the loop for all who follow */
        uv_async_send(&l->wake);
}

void loop_defer(struct loop *l, struct loop_task *t)
{
    task_list_add(&l->deferred, t);
    uv_idle_start(&l->idle, loop_on_idle);
}

void loop_turn_end(struct loop *l, struct loop_task *t)
{
    task_list_add(&l->ending, t);
}

/* --- the loop --- */

static enum rc loop_init_handles(struct loop *l, struct err *e)
{
    int status = uv_async_init(&l->uv, &l->wake, loop_on_wake);

    if (status < 0)
        return loop_uv_error(e, status, "wake-up of an event loop");
    uv_idle_init(&l->uv, &l->idle);
    uv_prepare_init(&l->uv, &l->prepare);
    uv_prepare_start(&l->prepare, loop_on_prepare);
    l->wake.data = l->idle.data = l->prepare.data = l;
    return RC_OK;
}

enum rc loop_new(unsigned index, struct loop **ret, struct err *e)
{
    struct loop *l = loop_alloc(sizeof(*l));
    int status = uv_loop_init(&l->uv);

    if (status < 0) {
        free(l);
        return loop_uv_error(e, status, "event loop");
    }
    l->index = index;
    task_list_init(&l->deferred);
    task_list_init(&l->ending);
    atomic_store(&l->thread, pthread_self());
    enum rc rc = loop_init_handles(l, e);

    if (rc != RC_OK) {
        uv_loop_close(&l->uv);
        free(l);
        return rc;
    }
    *ret = l;
    return RC_OK;
}

void loop_run(struct loop *l)
{
    atomic_store(&l->thread, pthread_self());
    l->running = true;
    uv_run(&l->uv, UV_RUN_DEFAULT);
    l->running = false;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopping, true);
    uv_async_send(&l->wake);
}

/* Whoever posted to the loop gave away what its tasks hold, so they run even now. */
static void loop_drain(struct loop *l)
{
    struct loop_task *t;

    do {
        loop_on_prepare(&l->prepare);
        t = loop_take_posted(l);
        if (!t)
            t = task_list_take(&l->deferred);
        task_run_all(t);
    } while (t);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    atomic_store(&l->thread, pthread_self());
    loop_drain(l);
    while (l->n_values > 0) {
        struct loop_value *v = &l->values[--l->n_values];

        v->free_value(v->value);
    }
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_run(&l->uv, UV_RUN_NOWAIT);
    int status = uv_loop_close(&l->uv);

    assert(status == 0); /* else a poll, a timer or a signal was not freed */
    free(l);
}

void loop_attach(struct loop *l, const void *key, void *value, void (*free_value)(void *value))
{
    assert(l->n_values < LOOP_ATTACHED_MAX && !loop_attached(l, key));
    l->values[l->n_values++] = (struct loop_value){key, value, free_value};
}

void *loop_attached(const struct loop *l, const void *key)
{
    for (size_t i = 0; i < l->n_values; i++)
        if (l->values[i].key == key)
            return l->values[i].value;
    return NULL;
}

unsigned loop_index(const struct loop *l)
{
    return l->index;
}

bool loop_is_current(const struct loop *l)
{
    return pthread_equal(atomic_load(&l->thread), pthread_self()) != 0;
}

int64_t loop_now_us(const struct loop *l)
{
    return (int64_t)uv_now(&l->uv) * 1000;
}

/* --- descriptors --- */

static void poll_on_event(uv_poll_t *uv, int status, int uv_events);

static int poll_watch(struct loop_poll *p, unsigned events)
{
    int uv_events = 0;

    p->watched = events;
    if (events & LOOP_READ)
        uv_events |= UV_READABLE;
    if (events & LOOP_WRITE)
        uv_events |= UV_WRITABLE;
    return uv_events ? uv_poll_start(&p->uv, uv_events, poll_on_event) : uv_poll_stop(&p->uv);
}

static void poll_on_event(uv_poll_t *uv, int status, int uv_events)
{
    struct loop_poll *p = uv->data;
    unsigned events = 0;

    if (status < 0) { /* libuv stopped watching: the next read or write tells why */
        p->watched = 0;
        events = p->wanted ? LOOP_READ | LOOP_WRITE | LOOP_ERROR : 0;
        p->wanted = 0;
    } else {
        events |= uv_events & UV_READABLE ? LOOP_READ : 0u;
        events |= uv_events & UV_WRITABLE ? LOOP_WRITE : 0u;
        events &= p->wanted;
        if (p->watched !=
            p->wanted) /* something no longer wanted happened: now it is worth a call */
            (void)poll_watch(p, p->wanted);
    }
    if (events)
        p->ready(p->ctx, events);
}

enum rc loop_poll_new(struct loop *l, int fd, void (*ready)(void *ctx, unsigned events), void *ctx,
                      struct loop_poll **ret, struct err *e)
{
    struct loop_poll *p = loop_alloc(sizeof(*p));
    int status = uv_poll_init(&l->uv, &p->uv, fd);

    if (status < 0) {
        free(p);
        return loop_uv_error(e, status, "watch a descriptor");
    }
    p->uv.data = p;
    p->ready = ready;
    p->ctx = ctx;
    *ret = p;
    return RC_OK;
}

/* Each change of what epoll watches costs two system calls, so less is told to the kernel only once
 * an unwanted event arrives: pausing input for the time of one answer is free. */
void loop_poll_want(struct loop_poll *p, unsigned events)
{
    p->wanted = events;
    if ((events & ~p->watched) == 0)
        return;
    int status = poll_watch(p, events);

    assert(status == 0); /* UV_EEXIST: two polls on one descriptor; UV_EINVAL: freed */
}

static void handle_closed(uv_handle_t *h)
{
    free(h->data);
}

void loop_poll_free(struct loop_poll *p)
{
    if (p)
        uv_close((uv_handle_t *)&p->uv, handle_closed); /* leaves epoll at once */
}

/* --- timers --- */

static void timer_on_fire(uv_timer_t *uv)
{
    struct loop_timer *t = uv->data;

    if (!t->excused && uv_now(uv->loop) - t->due >= LOOP_STALL_MS) {
        t->excused = true;
        uv_timer_start(uv, timer_on_fire, LOOP_STALL_MS, 0);
        return;
    }
    t->fired(t->ctx);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*fired)(void *ctx), void *ctx)
{
    struct loop_timer *t = loop_alloc(sizeof(*t));

    uv_timer_init(&l->uv, &t->uv);
    t->uv.data = t;
    t->fired = fired;
    t->ctx = ctx;
    return t;
}

void loop_timer_start(struct loop_timer *t, uint64_t ms)
{
    struct loop *l = CONTAINER_OF(t->uv.loop, struct loop, uv);

    if (!l->running) /* its idea of now may be long past */
        uv_update_time(&l->uv);
    t->due = uv_now(&l->uv) + ms;
    t->excused = false;
    uv_timer_start(&t->uv, timer_on_fire, ms, 0);
}

void loop_timer_stop(struct loop_timer *t)
{
    uv_timer_stop(&t->uv);
}

void loop_timer_free(struct loop_timer *t)
{
    if (t)
        uv_close((uv_handle_t *)&t->uv, handle_closed);
}

/* --- signals --- */

static void signal_on_catch(uv_signal_t *uv, int signum)
{
    struct loop_signal *s = uv->data;

    s->caught(s->ctx, signum);
}

enum rc loop_signal_new(struct loop *l, int signum, void (*caught)(void *ctx, int signum),
                        void *ctx, struct loop_signal **ret, struct err *e)
{
    struct loop_signal *s = loop_alloc(sizeof(*s));
    int status = uv_signal_init(&l->uv, &s->uv);

    if (status < 0) {
        free(s);
        return loop_uv_error(e, status, "watch a signal");
    }
    s->uv.data = s;
    s->caught = caught;
    s->ctx = ctx;
    status = uv_signal_start(&s->uv, signal_on_catch, signum);
    if (status < 0) {
        loop_signal_free(s);
        return loop_uv_error(e, status, "watch a signal");
    }
    *ret = s;
    return RC_OK;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s)
        uv_close((uv_handle_t *)&s->uv, handle_closed);
}
