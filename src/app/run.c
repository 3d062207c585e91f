/* The server at work: listeners, loops, signals. */
#include "app/drain.h"
#include "app/listeners.h"
#include "app/server.h"
#include "arm/operation.h"
#include "base/clock.h"
#include "base/log.h"
#include "sts/sts.h"
#include "sys/thread.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CERTIFICATE_CHECK_MS = 12 * 3600 * 1000, EXPIRY_MS = 3600 * 1000, OUTPUT_MS = 1000 };

struct run {
    struct server *server;
    struct drain *drain;
    struct loop_signal *term, *interrupt, *hangup;
    struct loop_timer *certificates, *expiry;
    pthread_t *threads; /* of loops 1 and up */
    unsigned n_threads;
};

static void on_end(void *ctx, int signum)
{
    struct run *r = ctx;

    log_info("server.draining", F_I64("signal", signum));
    listeners_close(r->server->listeners);
    arm_operations_stop(r->server->control.operations);
    drain_begin(r->drain);
}

static void on_hangup(void *ctx, int signum)
{
    struct run *r = ctx;

    (void)signum;
    server_tls_reload(r->server);
}

/* Reading them renews those that are due. */
static void on_certificate_check(void *ctx)
{
    struct run *r = ctx;

    server_tls_reload(r->server);
    loop_timer_start(r->certificates, CERTIFICATE_CHECK_MS);
}

static void expire_run(struct lane_job *job)
{
    struct server *s = CONTAINER_OF(job, struct server, expiry);
    struct err e = {0};

    if (registry_store_expire(s->store, registry_upload_cutoff(), &e) != RC_OK)
        log_error("upload.expiry_failed", F_TEXT("error", e.text));
    if (sts_maintain(s->hub, clock_wall_us(), &e) != RC_OK)
        log_error("identity.maintenance_failed", F_TEXT("error", e.text));
}

static void expire_done(struct lane_job *job, enum rc rc)
{
    struct server *s = CONTAINER_OF(job, struct server, expiry);

    (void)rc; /* one that did not run comes again */
    atomic_store(&s->expiring, false);
}

static void on_expiry(void *ctx)
{
    struct run *r = ctx;
    struct server *s = r->server;

    loop_timer_start(r->expiry, EXPIRY_MS);
    if (atomic_exchange(&s->expiring, true))
        return;
    s->expiry = (struct lane_job){.run = expire_run, .done = expire_done};
    if (lane_submit(s->lanes.disk, &s->expiry, NULL) != RC_OK)
        atomic_store(&s->expiring, false);
}

static void on_networks(void *ctx, const struct snapshot *s)
{
    struct server *server = ctx;

    listeners_attachments(server->listeners, s->origins);
}

/* Requests under way on this loop are judged again before the change is acknowledged. */
static void on_adopt(void *ctx, struct loop *l, const struct snapshot *s)
{
    const struct server *server = ctx;

    admit_judge_again(server->http, l, s);
}

/* A change of theirs waits for every loop. */
static bool operations_busy(void *ctx)
{
    const struct server *s = ctx;

    return !arm_operations_ended(s->control.operations);
}

static enum rc watch_signals(struct run *r, struct err *e)
{
    struct loop *main_loop = r->server->loops[0];
    enum rc rc = loop_signal_new(main_loop, SIGTERM, on_end, r, &r->term, e);

    if (rc == RC_OK)
        rc = loop_signal_new(main_loop, SIGINT, on_end, r, &r->interrupt, e);
    if (rc == RC_OK)
        rc = loop_signal_new(main_loop, SIGHUP, on_hangup, r, &r->hangup, e);
    r->certificates = loop_timer_new(main_loop, on_certificate_check, r);
    loop_timer_start(r->certificates, CERTIFICATE_CHECK_MS);
    r->expiry = loop_timer_new(main_loop, on_expiry, r);
    loop_timer_start(r->expiry, EXPIRY_MS);
    return rc;
}

static enum rc open_listeners(struct server *s, int helper_fd, struct err *e)
{
    const struct listeners_config config = {
        .options = s->options,
        .helper_fd = helper_fd,
        .loops = s->loops,
        .n_loops = s->n_loops,
        .tls = s->tls,
        .accepted = http_server_accepted,
        .surplus = http_server_surplus,
        .ctx = s->http,
    };

    return listeners_new(&config, &s->listeners, e);
}

/* One line per listener and then `ready`, on standard output: scripts wait for it. Where nobody has
 * read what was said before, nobody waits, and nor do we. */
static void say_ready(const struct server *s)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(64 * 1024);
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

    if (poll(&out, 1, OUTPUT_MS) <= 0) { /* nor where we are told to end meanwhile */
        log_warn(
            "server.output_full",
            F_STR("advice", STR("let somebody read the standard output, or send it elsewhere")));
        return;
    }
    listeners_describe(s->listeners, &text);
    fwrite(text.ptr, 1, text.len, stdout);
    puts("ready");
    fflush(stdout);
}

static void *run_loop(void *loop)
{
    loop_run(loop);
    return NULL;
}

static enum rc start_threads(struct run *r, struct err *e)
{
    struct server *s = r->server;
    enum rc rc = RC_OK;

    r->threads = calloc(s->n_loops, sizeof(pthread_t));
    if (!r->threads)
        abort();
    while (rc == RC_OK && r->n_threads + 1 < s->n_loops) {
        rc = thread_start(&r->threads[r->n_threads], "loop", run_loop, s->loops[r->n_threads + 1],
                          e);
        r->n_threads += rc == RC_OK;
    }
    return rc;
}

static void join_threads(struct run *r)
{
    for (unsigned i = 0; i < r->n_threads; i++) {
        loop_stop(r->server->loops[i + 1]);
        pthread_join(r->threads[i], NULL);
    }
    free(r->threads);
}

static void attach_now(const struct server *s)
{
    listeners_attachments(s->listeners, snapshot_current(s->hub, s->loops[0])->origins);
}

enum rc server_run(struct server *s, int helper_fd, struct err *e)
{
    struct run r = {.server = s};
    enum rc rc = watch_signals(&r, e);

    r.drain = drain_new(s->http, s->loops, s->n_loops);
    if (rc == RC_OK)
        rc = open_listeners(s, helper_fd, e);
    if (rc == RC_OK) {
        snapshot_on_networks(s->hub, on_networks, s);
        snapshot_on_adopt(s->hub, on_adopt, s);
        attach_now(s);
        rc = start_threads(&r, e);
    }
    drain_wait_for(r.drain, operations_busy, s);
    if (rc == RC_OK)
        rc = arm_operations_start(s->control.operations, e);
    if (rc == RC_OK) {
        say_ready(s);
        loop_run(s->loops[0]);
    }
    join_threads(&r);
    listeners_free(s->listeners);
    drain_free(r.drain);
    loop_timer_free(r.certificates);
    loop_timer_free(r.expiry);
    loop_signal_free(r.term);
    loop_signal_free(r.interrupt);
    loop_signal_free(r.hangup);
    return rc;
}
