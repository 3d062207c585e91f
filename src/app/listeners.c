#include "app/listeners.h"
#include "app/attached.h"
#include "app/main_sockets.h"
#include "base/log.h"
#include "base/metric.h"
#include "sys/fd.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>

struct main_listener {
    enum net_class class;
    unsigned index;
    uint16_t port;
    struct net_listener *listener;
};

struct listeners {
    struct listeners_config config;
    unsigned max_connections;
    struct main_listener *mains;
    size_t n_mains;
    struct attached *attached;
    struct loop_poll *helper; /* NULL: none, or gone */
    struct loop_timer *pulse;
    unsigned unanswered; /* how often the helper was waited for since its last word */
};

/* The helper opens a listener in no time; one that is silent for so long hangs. */
enum { PULSE_MS = 5000, SILENT_AFTER = 3 };

/* --- main listeners --- */

/* What the process may have open, less what files and the database need. */
static unsigned most_connections(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    rlim_t n = limit.rlim_cur - limit.rlim_cur / 8;

    return n > 128 ? (unsigned)(n - 64) : 64;
}

static struct net_tls *tls_for(const struct listeners *l, const struct main_socket *s)
{
    const struct listen_option *at = main_sockets_option(l->config.options, s->class, s->index);

    return s->class == NET_METRICS || !at || at->plain ? NULL : l->config.tls;
}

/* Takes the descriptor over. Sockets of one address go to one loop each; what they accept stays
 * there. */
static enum rc add_main(struct listeners *l, struct main_socket *s, struct err *e)
{
    struct main_listener m = {s->class, s->index, s->port, NULL};
    size_t same = 0;

    for (size_t i = 0; i < l->n_mains; i++)
        same += l->mains[i].class == s->class && l->mains[i].index == s->index;
    struct loop *home = l->config.loops[same % l->config.n_loops];
    const struct serve_options *o = l->config.options;
    const struct listen_option *at = main_sockets_option(o, s->class, s->index);
    const struct net_listener_config c = {
        .class = s->class,
        .arrival = at && at->proxy ? NET_PROXY : NET_MAIN,
        .trusted = o->proxies.list,
        .n_trusted = o->proxies.n,
        .tls = tls_for(l, s),
        .loops = &home,
        .n_loops = 1,
        .max_connections = l->max_connections,
        .accepted = l->config.accepted,
        .surplus = l->config.surplus,
        .ctx = l->config.ctx,
    };
    enum rc rc = net_listener_new(home, s->fd, &c, &m.listener, e);

    if (rc != RC_OK)
        return rc;
    s->fd = -1;
    l->mains = reallocarray(l->mains, l->n_mains + 1, sizeof(m));
    if (!l->mains)
        abort();
    l->mains[l->n_mains++] = m;
    return RC_OK;
}

static enum rc open_mains(struct listeners *l, struct err *e)
{
    struct main_sockets sockets = {0};
    enum rc rc = main_sockets_open(l->config.options, (unsigned)l->config.n_loops, &sockets, e);

    for (size_t i = 0; rc == RC_OK && i < sockets.n; i++)
        rc = add_main(l, &sockets.list[i], e);
    main_sockets_close(&sockets);
    return rc;
}

/* --- the helper --- */

static enum rc take_main(struct listeners *l, const struct helper_message *m, int fd, struct err *e)
{
    struct main_socket s = {(enum net_class)m->service, m->index, m->port, fd};
    enum rc rc = RC_OK;

    if (fd < 0 || m->service > NET_METRICS)
        return err_set(e, RC_INTERNAL, "the helper sent no usable listener");
    rc = add_main(l, &s, e);
    fd_close(s.fd);
    return rc;
}

static void tell_silent(struct listeners *l, bool silent)
{
    metric_add(METRIC_HELPER_SILENT, silent ? 1 : -1);
    attached_helper_silent(l->attached, silent);
    if (silent)
        log_error("listeners.helper_silent",
                  F_STR("advice", STR("what is open stays open; to open and watch what attachments "
                                      "need, restart the server")));
    else
        log_warn("listeners.helper_answers", F_BOOL("again", true));
}

static void helper_heard(struct listeners *l)
{
    if (l->unanswered >= SILENT_AFTER)
        tell_silent(l, false);
    l->unanswered = 0;
}

static enum rc take_message(struct listeners *l, bool *ret_ready, struct err *e)
{
    struct helper_message m;
    int fd = -1;
    enum rc rc = fd_recv(l->config.helper_fd, &m, sizeof(m), &fd, e);

    if (rc != RC_OK)
        return rc;
    helper_heard(l);
    if (m.version == HELPER_VERSION && m.type == HELPER_MAIN)
        return take_main(l, &m, fd, e);
    if (m.version == HELPER_VERSION && m.type == HELPER_STATE && m.state >= HELPER_WAITING &&
        m.state <= HELPER_FAILED && m.name[HELPER_NAME_MAX - 1] == '\0') {
        attached_take(l->attached, &m, fd);
        return RC_OK;
    }
    fd_close(fd);
    if (m.version == HELPER_VERSION && m.type == HELPER_PONG)
        return RC_OK;
    if (m.version != HELPER_VERSION || m.type != HELPER_READY)
        return err_set(e, RC_INTERNAL, "the helper sent a message of type %u", m.type);
    *ret_ready = true;
    return RC_OK;
}

static void helper_arm(struct listeners *l)
{
    unsigned more = attached_waits(l->attached) ? (unsigned)LOOP_WRITE : 0u;

    if (l->helper)
        loop_poll_want(l->helper, LOOP_READ | more);
}

static void helper_says(void *ctx, unsigned events)
{
    struct listeners *l = ctx;
    struct err e = {0};
    bool ready = false;
    enum rc rc;

    if (events & LOOP_WRITE)
        attached_go_on(l->attached);
    do
        rc = take_message(l, &ready, &e);
    while (rc == RC_OK);
    if (rc == RC_UNAVAILABLE) {
        helper_arm(l);
        return;
    }
    log_error("listeners.helper_gone", F_TEXT("reason", e.text));
    attached_helper_gone(l->attached);
    loop_poll_free(l->helper);
    l->helper = NULL;
}

static unsigned pulse_ms(const struct listeners *l)
{
    return l->config.pulse_ms > 0 ? l->config.pulse_ms : (unsigned)PULSE_MS;
}

static void on_pulse(void *ctx)
{
    struct listeners *l = ctx;

    if (!l->helper)
        return;
    if (l->unanswered == 0)
        attached_ping(l->attached);
    helper_arm(l);
    if (l->unanswered < SILENT_AFTER && ++l->unanswered == SILENT_AFTER)
        tell_silent(l, true);
    loop_timer_start(l->pulse, pulse_ms(l));
}

static void watch_pulse(struct listeners *l)
{
    l->pulse = loop_timer_new(l->config.loops[0], on_pulse, l);
    loop_timer_start(l->pulse, pulse_ms(l));
}

static void await_word(struct listeners *l)
{
    struct pollfd p = {.fd = l->config.helper_fd, .events = POLLIN};

    while (l->unanswered < SILENT_AFTER && poll(&p, 1, (int)pulse_ms(l)) == 0)
        if (++l->unanswered == SILENT_AFTER)
            tell_silent(l, true);
}

/* Before the loops run, and so by waiting. */
static enum rc greet_helper(struct listeners *l, struct err *e)
{
    static const struct helper_message hello = {.version = HELPER_VERSION, .type = HELPER_HELLO};
    int fd = l->config.helper_fd;
    bool ready = false;
    enum rc rc = fd_send(fd, &hello, sizeof(hello), -1, e);

    while (rc == RC_OK && !ready) {
        await_word(l);
        rc = take_message(l, &ready, e);
    }
    if (rc == RC_OK)
        rc = fd_nonblocking(fd, e);
    if (rc == RC_OK)
        rc = loop_poll_new(l->config.loops[0], fd, helper_says, l, &l->helper, e);
    if (rc != RC_OK)
        return rc;
    helper_arm(l);
    watch_pulse(l);
    return RC_OK;
}

/* --- the face --- */

enum rc listeners_new(const struct listeners_config *config, struct listeners **ret, struct err *e)
{
    struct listeners *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    l->config = *config;
    l->max_connections = most_connections();
    l->attached = attached_new(config, l->max_connections);
    enum rc rc = config->helper_fd >= 0 ? greet_helper(l, e) : open_mains(l, e);

    if (rc == RC_OK)
        *ret = l;
    else
        listeners_free(l);
    return rc;
}

void listeners_describe(const struct listeners *l, struct buf *out)
{
    static const char *const names[] = {
        [NET_DATA] = "data", [NET_CONTROL] = "control", [NET_METRICS] = "metrics"};

    for (size_t i = 0; i < l->n_mains; i++) {
        const struct main_listener *m = &l->mains[i];
        const struct listen_option *at = main_sockets_option(l->config.options, m->class, m->index);
        char text[IP_TEXT_MAX];

        if (!at || (i > 0 && m[-1].class == m->class && m[-1].index == m->index))
            continue;
        struct str ip = ip_format(&at->addr, text);
        bool six = at->addr.family == 6, plain = at->plain || m->class == NET_METRICS;

        buf_addf(out, "listening on %s%.*s%s:%u (%s, %s%s)\n", six ? "[" : "", STR_ARG(ip),
                 six ? "]" : "", m->port, names[m->class], plain ? "plain" : "TLS",
                 at->proxy ? ", PROXY protocol" : "");
    }
}

void listeners_attachments(struct listeners *l, const struct origin_table *origins)
{
    attached_want(l->attached, origins);
    helper_arm(l);
}

enum rc listeners_state(struct listeners *l, const struct uuid *attachment,
                        enum listener_state *ret, struct buf *ret_reason)
{
    return attached_state(l->attached, attachment, ret, ret_reason);
}

/* A main listener is freed on its own loop's thread; until the loops have ended it only stops
 * accepting. */
void listeners_close(struct listeners *l)
{
    for (size_t i = 0; i < l->n_mains; i++)
        net_listener_stop(l->mains[i].listener);
    attached_close(l->attached);
}

void listeners_free(struct listeners *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n_mains; i++)
        net_listener_free(l->mains[i].listener);
    loop_poll_free(l->helper);
    loop_timer_free(l->pulse);
    attached_free(l->attached);
    free(l->mains);
    free(l);
}
