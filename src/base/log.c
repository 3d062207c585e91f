#include "base/log.h"

#include "base/clock.h"
#include "base/log_line.h"
#include "base/log_ring.h"
#include "base/metric.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* How the writer may be woken. It naps between two rounds while there is something to write, so
 * that a busy server pays one write for many lines and no wake-up; a ring that fills ends a nap. */
enum writer_state { WRITER_AWAKE, WRITER_NAPS, WRITER_ASLEEP };
enum { NAP_MS = 20, STOP_S = 5 };

static struct {
    _Atomic int level;
    atomic_bool running;              /* lines go into rings */
    atomic_bool stopping;             /* the writer shall end */
    _Atomic int writer_state;         /* enum writer_state */
    _Atomic(struct log_ring *) rings; /* threads push at the head; only the reader unlinks */
    pthread_key_t key;                /* runs log_thread_end */
    pthread_t writer;
    int fd, wake;
    bool terminal;
} logs = {.level = LOG_INFO, .fd = STDERR_FILENO, .wake = -1};
static pthread_once_t logs_once = PTHREAD_ONCE_INIT;
static _Thread_local struct log_ring *log_mine;

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&logs.level, memory_order_relaxed);
}

void log_set_level(enum log_level level)
{
    atomic_store(&logs.level, (int)level);
}

uint64_t log_dropped(void)
{
    return (uint64_t)metric_value(METRIC_LOG_DROPPED);
}

/* --- output --- */

/* False when the descriptor takes no more: the bytes are lost. */
static bool output_wait(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    while (poll(&p, 1, 1000) == 0)
        if (atomic_load(&logs.stopping))
            return false;
    return true;
}

static void output(int fd, struct str s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.ptr, s.len);

        if (n >= 0)
            s = str_skip(s, (size_t)n);
        else if (errno == EAGAIN && output_wait(fd))
            continue;
        else if (errno != EINTR)
            return;
    }
}

static void format(const struct log_event *ev, bool terminal, struct buf *line)
{
    if (terminal)
        log_line_text(ev, line);
    else
        log_line_json(ev, line);
}

static void output_event(int fd, const struct log_event *ev)
{
    CLEANUP(buf_done) struct buf line = BUF_INIT(LOG_LINE_MAX);

    format(ev, isatty(fd), &line);
    output(fd, buf_str(&line));
}

/* --- the writing threads --- */

static void log_thread_end(void *arg)
{
    struct log_ring *r = arg;

    log_mine = NULL;
    atomic_store(&r->ended, true); /* the reader frees it once it is empty */
}

static struct log_ring *log_thread_begin(void)
{
    struct log_ring *r = log_ring_new(), *head = atomic_load(&logs.rings);

    if (pthread_setspecific(logs.key, r) != 0)
        abort();
    do
        r->next = head;
    while (!atomic_compare_exchange_weak(&logs.rings, &head, r));
    log_mine = r;
    return r;
}

static void writer_wake(void)
{
    uint64_t one = 1;

    while (write(logs.wake, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static void writer_wake_if_needed(struct log_ring *r)
{
    int now = atomic_load(&logs.writer_state);

    if (now == WRITER_AWAKE || (now == WRITER_NAPS && log_ring_used(r) < LOG_RING_SIZE / 2))
        return;
    if (atomic_exchange(&logs.writer_state, WRITER_AWAKE) != WRITER_AWAKE)
        writer_wake();
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    struct log_event ev = {clock_wall_us(), level, event, fields, n};

    if (!atomic_load(&logs.running)) {
        output_event(STDERR_FILENO, &ev);
        return;
    }
    struct log_ring *r = log_mine ? log_mine : log_thread_begin();

    format(&ev, logs.terminal, &r->line);
    /* log_stop clears `running` and then waits until no ring is busy: a line is either seen by its
     * last round, or goes to standard error. The stores and loads must not change places. */
    atomic_store(&r->busy, true);
    bool running = atomic_load(&logs.running);

    if (running && !log_ring_put(r, buf_str(&r->line)))
        metric_add(METRIC_LOG_DROPPED, 1);
    if (running)
        writer_wake_if_needed(r);
    atomic_store(&r->busy, false);
    if (!running)
        output_event(STDERR_FILENO, &ev);
}

/* --- the reading thread (the writer of the file) --- */

/* Only the reader unlinks, so nothing but the head can change under it. */
static void ring_unlink(struct log_ring *r)
{
    struct log_ring *head = r;

    if (!atomic_compare_exchange_strong(&logs.rings, &head, r->next)) {
        while (head->next != r)
            head = head->next;
        head->next = r->next;
    }
    log_ring_free(r);
}

static size_t drain(void)
{
    size_t total = 0;

    for (struct log_ring *r = atomic_load(&logs.rings), *next; r; r = next) {
        bool ended = atomic_load(&r->ended); /* before the look: after it, nothing is added */
        struct str pieces[2];
        size_t n = log_ring_peek(r, pieces);

        next = r->next;
        output(logs.fd, pieces[0]);
        output(logs.fd, pieces[1]);
        log_ring_take(r, n);
        total += n;
        if (ended)
            ring_unlink(r);
    }
    return total;
}

static bool rings_empty(void)
{
    for (struct log_ring *r = atomic_load(&logs.rings); r; r = r->next)
        if (log_ring_used(r) > 0)
            return false;
    return true;
}

static void writer_rest(enum writer_state how)
{
    struct pollfd p = {.fd = logs.wake, .events = POLLIN};
    uint64_t count;

    atomic_store(&logs.writer_state, (int)how);
    /* A line put before this store was not announced: look again. */
    if (how == WRITER_NAPS || rings_empty())
        (void)poll(&p, 1, how == WRITER_NAPS ? NAP_MS : -1);
    atomic_store(&logs.writer_state, WRITER_AWAKE);
    (void)!read(logs.wake, &count, sizeof(count));
}

static void tell_dropped(uint64_t *known)
{
    uint64_t now = log_dropped();

    if (now == *known)
        return;
    struct log_field field = F_U64("events", now - *known);
    struct log_event ev = {clock_wall_us(), LOG_WARN, "log.dropped", &field, 1};

    *known = now;
    output_event(logs.fd, &ev);
}

static void *writer_main(void *arg)
{
    uint64_t dropped = log_dropped();

    (void)arg;
    while (!atomic_load(&logs.stopping)) {
        size_t n = drain();

        tell_dropped(&dropped);
        writer_rest(n > 0 ? WRITER_NAPS : WRITER_ASLEEP);
    }
    return NULL;
}

/* --- starting and stopping --- */

/* In a forked child there is no writer, and what stands in the rings is its parent's to write. */
static void log_fork_child(void)
{
    atomic_store(&logs.running, false);
    for (struct log_ring *r = atomic_load(&logs.rings); r; r = r->next) {
        log_ring_take(r, log_ring_used(r));
        atomic_store(&r->busy, false);
        if (r != log_mine)
            atomic_store(&r->ended, true);
    }
    if (logs.wake >= 0)
        close(logs.wake);
    logs.wake = -1;
}

static void logs_init(void)
{
    if (pthread_key_create(&logs.key, log_thread_end) != 0 ||
        pthread_atfork(NULL, NULL, log_fork_child) != 0)
        abort();
}

static int writer_start(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&logs.writer, NULL, writer_main, NULL);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        pthread_setname_np(logs.writer, "log");
    return failed;
}

enum rc log_start(int fd, struct err *e)
{
    pthread_once(&logs_once, logs_init);
    if (atomic_load(&logs.running))
        return err_set(e, RC_CONFLICT, "the log is running");
    logs.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (logs.wake < 0)
        return err_sys(e, "make an event descriptor for the log");
    logs.fd = fd;
    logs.terminal = isatty(fd);
    atomic_store(&logs.stopping, false);
    errno = writer_start();
    if (errno != 0) {
        enum rc rc = err_sys(e, "start the log's thread");

        close(logs.wake);
        logs.wake = -1;
        return rc;
    }
    atomic_store(&logs.running, true);
    return RC_OK;
}

static void wait_until_idle(void)
{
    for (struct log_ring *r = atomic_load(&logs.rings); r; r = r->next)
        while (atomic_load(&r->busy))
            sched_yield();
}

void log_stop(void)
{
    struct timespec limit;

    if (!atomic_exchange(&logs.running, false))
        return;
    atomic_store(&logs.stopping, true);
    writer_wake();
    /* A reader of our output that has stalled for good must not keep the process from ending. */
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += STOP_S;
    if (pthread_timedjoin_np(logs.writer, NULL, &limit) != 0)
        return;
    wait_until_idle();
    (void)drain();
    close(logs.wake);
    logs.wake = -1;
}
