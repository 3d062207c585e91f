#include "app/helper.h"
#include "app/helper_process.h"
#include "app/helper_table.h"
#include "app/helper_watch.h"
#include "app/main_sockets.h"
#include "base/clock.h"
#include "base/log.h"
#include "sys/fd.h"
#include "sys/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BACKOFF_FIRST_S = 1,
    BACKOFF_LAST_S = 30,
    STEADY_MS = 1000,     /* a server that served so long begins again with the first */
    CHECK_APART_MS = 50,  /* mounts come in bursts where containers start */
    RETRY_FIRST_MS = 100, /* what failed for the server's own old socket works soon */
    RETRY_LAST_MS = 5000,
    EXIT_OK = 0,
    EXIT_FAILED = 1,
};

struct helper {
    const struct helper_config *config;
    struct main_sockets mains;
    struct helper_table table;
    struct helper_watch watch;
    sigset_t old_mask;
    int signals;

    pid_t server; /* 0: none now */
    int sock;     /* -1: none now, or the server let go of it */
    bool hello;   /* this server asked for everything */
    size_t mains_sent;
    bool ready_sent;
    bool pong_due;
    bool has_served; /* some server came as far as hello */
    int64_t hello_us, start_at_us;
    unsigned backoff_s;

    bool check_due;
    int64_t checked_us, retry_at_us; /* 0: nothing to try again */
    int retry_ms;
    bool ending, over;
    int exit_code;
};

/* --- the server's life --- */

static int64_t in_seconds(unsigned s)
{
    return clock_mono_us() + (int64_t)s * CLOCK_US_PER_S;
}

static void forget_socket(struct helper *h)
{
    fd_close(h->sock);
    h->sock = -1;
    h->hello = h->ready_sent = h->pong_due = false;
    h->mains_sent = 0;
}

static void start_server(struct helper *h)
{
    struct err e = {0};

    h->hello_us = INT64_MAX;
    helper_table_untold(&h->table);
    if (helper_process_start(h->config, &h->old_mask, &h->server, &h->sock, &e) == RC_OK)
        return;
    log_error("helper.start_failed", F_TEXT("reason", e.text));
    h->server = 0;
    h->start_at_us = in_seconds(h->backoff_s);
}

static void finish(struct helper *h, int exit_code)
{
    h->over = true;
    h->exit_code = exit_code;
}

static void restart_later(struct helper *h, int status)
{
    if (h->hello_us < clock_mono_us() - STEADY_MS * 1000)
        h->backoff_s = BACKOFF_FIRST_S;
    log_error("helper.server_died", F_I64("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
              F_I64("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
              F_U64("restart_in_s", h->backoff_s));
    h->start_at_us = in_seconds(h->backoff_s);
    h->backoff_s = h->backoff_s * 2 < BACKOFF_LAST_S ? h->backoff_s * 2 : (unsigned)BACKOFF_LAST_S;
}

/* A server that ends by itself before it ever served has said why (a locked folder, a bad
 * certificate), and starting it again would not help. */
static void reap(struct helper *h)
{
    int status = 0;

    if (h->server == 0 || waitpid(h->server, &status, WNOHANG) != h->server)
        return;
    h->server = 0;
    forget_socket(h);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || h->ending || !h->has_served))
        finish(h, WEXITSTATUS(status));
    else if (h->ending)
        finish(h, EXIT_FAILED);
    else
        restart_later(h, status);
}

static void end_server(struct helper *h)
{
    h->ending = true;
    if (h->server > 0)
        (void)kill(h->server, SIGTERM);
    else
        finish(h, EXIT_OK);
}

static void take_signals(struct helper *h)
{
    struct signalfd_siginfo s;

    while (read(h->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
        if (s.ssi_signo == SIGCHLD)
            reap(h);
        else if (s.ssi_signo == SIGHUP && h->server > 0)
            (void)kill(h->server, SIGHUP);
        else if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT)
            end_server(h);
    }
}

/* --- messages --- */

static void refuse(struct helper *h, const struct helper_message *request, int error)
{
    struct helper_message m = *request;

    m.type = HELPER_STATE;
    m.state = HELPER_FAILED;
    m.error = error;
    if (fd_send(h->sock, &m, sizeof(m), -1, NULL) != RC_OK)
        log_warn("helper.refusal_lost", F_TEXT("name", m.name));
}

static void retry_in(struct helper *h, int ms)
{
    h->retry_ms = ms < RETRY_LAST_MS ? ms : (int)RETRY_LAST_MS;
    h->retry_at_us = clock_mono_us() + (int64_t)h->retry_ms * 1000;
}

static void obey(struct helper *h, const struct helper_message *m)
{
    struct err e = {0};
    enum rc rc = helper_request_check(m, &e);

    if (rc != RC_OK) {
        log_warn("helper.bad_request", F_TEXT("reason", e.text));
    } else if (m->type == HELPER_HELLO) {
        h->hello = h->has_served = true;
        h->hello_us = clock_mono_us();
        h->mains_sent = 0;
        h->ready_sent = false;
        helper_table_untold(&h->table);
    } else if (m->type == HELPER_PING) {
        h->pong_due = true;
    } else if (m->type == HELPER_CLOSE) {
        helper_table_close(&h->table, &m->key);
    } else if (helper_table_open(&h->table, m, &e) != RC_OK) {
        log_warn("helper.refused", F_TEXT("name", m->name), F_TEXT("reason", e.text));
        refuse(h, m, ENOSPC);
    } else if (h->retry_at_us == 0) {
        retry_in(h, RETRY_FIRST_MS);
    }
}

static void take_requests(struct helper *h)
{
    for (int i = 0; i < 64; i++) { /* then others have their turn */
        struct helper_message m;
        int fd = -1;
        enum rc rc = fd_recv(h->sock, &m, sizeof(m), &fd, NULL);

        if (rc == RC_UNAVAILABLE)
            return;
        if (rc != RC_OK) { /* gone, or not speaking our protocol */
            forget_socket(h);
            return;
        }
        fd_close(fd); /* nobody asked for one */
        obey(h, &m);
    }
}

static enum rc send_main(struct helper *h, const struct main_socket *s)
{
    const struct helper_message m = {
        .version = HELPER_VERSION,
        .type = HELPER_MAIN,
        .service = (uint8_t)s->class,
        .index = (uint16_t)s->index,
        .port = s->port,
    };

    return fd_send(h->sock, &m, sizeof(m), s->fd, NULL);
}

static enum rc send_word(const struct helper *h, enum helper_type type)
{
    const struct helper_message m = {.version = HELPER_VERSION, .type = type};

    return fd_send(h->sock, &m, sizeof(m), -1, NULL);
}

/* The next thing that the server should know. RC_NOT_FOUND: it knows all. */
static enum rc tell_next(struct helper *h)
{
    enum rc rc;

    if (h->pong_due) {
        rc = send_word(h, HELPER_PONG);
        h->pong_due = rc != RC_OK;
        return rc;
    }
    if (h->mains_sent < h->mains.n) {
        rc = send_main(h, &h->mains.list[h->mains_sent]);
        h->mains_sent += rc == RC_OK;
        return rc;
    }
    struct helper_entry *n = helper_table_next_untold(&h->table);

    if (n) {
        rc = fd_send(h->sock, &n->state, sizeof(n->state), n->fd, NULL);
        n->told = rc == RC_OK;
        return rc;
    }
    if (h->ready_sent)
        return RC_NOT_FOUND;
    rc = send_word(h, HELPER_READY);
    h->ready_sent = rc == RC_OK;
    return rc;
}

static bool something_to_tell(struct helper *h)
{
    return h->sock >= 0 && h->hello &&
           (!h->ready_sent || h->pong_due || helper_table_next_untold(&h->table));
}

/* A server that does not read makes us wait for it, never block. */
static void tell(struct helper *h)
{
    enum rc rc = RC_OK;

    while (rc == RC_OK && h->sock >= 0 && h->hello)
        rc = tell_next(h);
    if (rc != RC_OK && rc != RC_NOT_FOUND && rc != RC_UNAVAILABLE)
        forget_socket(h);
}

/* --- the loop --- */

static void earlier(int *timeout_ms, int64_t at_us)
{
    int64_t left = (at_us - clock_mono_us() + 999) / 1000;
    int ms = left < 0 ? 0 : (int)left;

    if (*timeout_ms < 0 || ms < *timeout_ms)
        *timeout_ms = ms;
}

static int next_timeout(const struct helper *h)
{
    int ms = -1;

    if (h->server == 0)
        earlier(&ms, h->start_at_us);
    if (h->check_due)
        earlier(&ms, h->checked_us + CHECK_APART_MS * 1000);
    if (h->retry_at_us)
        earlier(&ms, h->retry_at_us);
    return ms;
}

static void check_places(struct helper *h)
{
    int64_t now = clock_mono_us();
    bool due = h->check_due && now - h->checked_us >= CHECK_APART_MS * 1000;

    if (!due && (h->retry_at_us == 0 || now < h->retry_at_us))
        return;
    h->check_due = false;
    h->checked_us = now;
    if (!helper_table_check(&h->table))
        h->retry_at_us = 0;
    else
        retry_in(h, due ? (int)RETRY_FIRST_MS : h->retry_ms * 2);
}

static void turn(struct helper *h)
{
    struct pollfd fds[2 + HELPER_WATCH_FDS] = {
        {.fd = h->signals, .events = POLLIN},
        {.fd = h->sock, .events = (short)(POLLIN | (something_to_tell(h) ? POLLOUT : 0))},
    };

    helper_watch_fill(&h->watch, fds + 2);
    if (poll(fds, ARRAY_LEN(fds), next_timeout(h)) < 0 && errno != EINTR) {
        log_error("helper.poll_failed", F_I64("errno", errno));
        end_server(h);
    }
    if (helper_watch_changed(&h->watch, fds + 2))
        h->check_due = true;
    if (h->sock >= 0 && fds[1].revents)
        take_requests(h);
    check_places(h);
    if (h->sock >= 0)
        tell(h);
    if (fds[0].revents)
        take_signals(h);
    if (!h->over && !h->ending && h->server == 0 && clock_mono_us() >= h->start_at_us)
        start_server(h);
}

/* --- beginning and end --- */

static enum rc watch_signals(struct helper *h, struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, &h->old_mask) != 0)
        return err_sys(e, "block signals");
    h->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return h->signals >= 0 ? RC_OK : err_sys(e, "watch signals");
}

static uint16_t port_of(const struct helper *h, enum net_class class)
{
    for (size_t i = 0; i < h->mains.n; i++)
        if (h->mains.list[i].class == class)
            return h->mains.list[i].port;
    return 0;
}

static void note_mains6(struct helper *h)
{
    h->table.mains6 = calloc(h->mains.n + 1, sizeof(int));
    if (!h->table.mains6)
        abort();
    for (size_t i = 0; i < h->mains.n; i++) {
        const struct main_socket *m = &h->mains.list[i];
        const struct listen_option *at =
            main_sockets_option(h->config->options, m->class, m->index);

        if (at && at->addr.family == 6)
            h->table.mains6[h->table.n_mains6++] = m->fd;
    }
}

static enum rc helper_open(struct helper *h, struct err *e)
{
    struct err why = {0};
    enum rc rc = watch_signals(h, e);

    if (fd_limit_raise(&why) != RC_OK) /* a listener is a descriptor */
        log_warn("helper.descriptor_limit", F_TEXT("reason", why.text));
    if (rc == RC_OK)
        rc = helper_watch_open(&h->watch, e);
    if (rc == RC_OK)
        rc = main_sockets_open(h->config->options, cpu_count(), &h->mains, e);
    if (rc != RC_OK)
        return rc;
    uint16_t login = serve_login_port(h->config->options);

    note_mains6(h);
    h->table.ports[HELPER_DATA] = login ? login : port_of(h, NET_DATA);
    h->table.ports[HELPER_CONTROL] = port_of(h, NET_CONTROL);
    return RC_OK;
}

static void helper_done(struct helper *h)
{
    fd_close(h->signals);
    fd_close(h->sock);
    helper_watch_close(&h->watch);
    helper_table_done(&h->table);
    main_sockets_close(&h->mains);
}

int helper_run(const struct helper_config *config)
{
    struct helper h = {
        .config = config,
        .watch = {-1, -1},
        .signals = -1,
        .sock = -1,
        .backoff_s = BACKOFF_FIRST_S,
    };
    struct err e = {0};

    if (helper_open(&h, &e) != RC_OK) {
        fprintf(stderr, "ERROR: %s\n", e.text);
        h.exit_code = EXIT_FAILED;
    } else {
        start_server(&h);
        while (!h.over)
            turn(&h);
    }
    helper_done(&h);
    return h.exit_code;
}
