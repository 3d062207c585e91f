#include "app/attached.h"
#include "app/helper_queue.h"
#include "base/log.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static const struct seat_kind {
    uint8_t service, family;
} seats[] = {{HELPER_DATA, 4}, {HELPER_DATA, 6}, {HELPER_CONTROL, 4}, {HELPER_CONTROL, 6}};
enum { SEATS = ARRAY_LEN(seats) };

/* One listener of an attachment: a service and a family. */
struct seat {
    bool used;
    bool answered; /* by the helper, since it was asked */
    enum helper_state state;
    int error;
    struct net_listener *listener;
};

struct attachment {
    struct uuid uuid;
    uint8_t kind;
    char place[HELPER_NAME_MAX];
    struct seat seats[SEATS];
    bool wanted;
    struct attachment *next;
};

struct attached {
    struct listeners_config config;
    unsigned max_connections;
    int helper; /* -1: none, or gone */
    struct helper_queue queue;
    bool had_helper, silent, closed;
    bool settled;         /* has been told what is wanted: from then on nothing unknown is taken */
    pthread_mutex_t lock; /* what attached_state reads: the list, states and errors */
    struct attachment *first;
};

/* --- the helper's end --- */

/* What it listened on stays; nothing new comes. */
void attached_helper_gone(struct attached *a)
{
    pthread_mutex_lock(&a->lock);
    a->helper = -1;
    for (struct attachment *t = a->first; t; t = t->next)
        for (size_t i = 0; i < SEATS; i++)
            if (t->seats[i].used && t->seats[i].state == HELPER_WAITING)
                t->seats[i].state = HELPER_FAILED;
    pthread_mutex_unlock(&a->lock);
    helper_queue_done(&a->queue);
}

void attached_helper_silent(struct attached *a, bool silent)
{
    pthread_mutex_lock(&a->lock);
    a->silent = silent;
    pthread_mutex_unlock(&a->lock);
}

static void lose_helper(struct attached *a, const struct err *e)
{
    log_error("listeners.helper_not_reached", F_TEXT("reason", e->text));
    attached_helper_gone(a);
}

bool attached_waits(const struct attached *a)
{
    return a->queue.n > 0;
}

void attached_go_on(struct attached *a)
{
    struct err e = {0};
    enum rc rc = helper_queue_flush(&a->queue, &e);

    if (rc != RC_OK && rc != RC_UNAVAILABLE)
        lose_helper(a, &e);
}

/* --- what the helper is asked --- */

static void ask(struct attached *a, const struct helper_message *m)
{
    struct err e = {0};
    enum rc rc = a->helper >= 0 ? helper_queue_send(&a->queue, m, &e) : RC_OK;

    if (rc != RC_OK && rc != RC_UNAVAILABLE)
        lose_helper(a, &e);
}

static void ask_open(struct attached *a, const struct attachment *t, size_t seat)
{
    struct helper_message m = {
        .version = HELPER_VERSION,
        .type = HELPER_OPEN,
        .key = t->uuid,
        .kind = t->kind,
        .service = seats[seat].service,
        .family = seats[seat].family,
    };

    memcpy(m.name, t->place, sizeof(m.name));
    ask(a, &m);
}

static void ask_close(struct attached *a, const struct attachment *t)
{
    const struct helper_message m = {
        .version = HELPER_VERSION, .type = HELPER_CLOSE, .key = t->uuid};

    ask(a, &m);
}

void attached_ping(struct attached *a)
{
    static const struct helper_message ping = {.version = HELPER_VERSION, .type = HELPER_PING};

    ask(a, &ping);
}

/* --- connections of a place that went --- */

struct cut {
    struct loop_task task;
    struct loop *loop;
    struct uuid attachment;
    const struct seat_kind *seat; /* of one of its listeners; NULL: of all */
    char device[HELPER_NAME_MAX]; /* "", or: those of main listeners that came through it */
    unsigned ifindex;             /* of what has it now; 0: nothing */
    unsigned grace_ms;
};

static bool was_there(const struct evidence *ev, const void *arg)
{
    const struct cut *c = arg;

    if (!uuid_eq(&ev->attachment, &c->attachment))
        return false;
    return !c->seat || (ev->local.family == c->seat->family &&
                        (ev->class == NET_CONTROL) == (c->seat->service == HELPER_CONTROL));
}

/* The next interface of a name is another. */
static bool came_through(const struct evidence *ev, const void *arg)
{
    const struct cut *c = arg;

    return uuid_is_nil(&ev->attachment) && ev->ifindex != c->ifindex &&
           strncmp(ev->interface, c->device, sizeof(ev->interface)) == 0;
}

static void cut_run(struct loop_task *task)
{
    struct cut *c = CONTAINER_OF(task, struct cut, task);

    if (c->device[0] != '\0') {
        if (ifindex_of(c->device, &c->ifindex, NULL) != RC_OK)
            c->ifindex = 0;
        net_streams_cut(c->loop, came_through, c);
    } else if (c->grace_ms > 0) {
        net_streams_end(c->loop, &c->attachment, c->grace_ms);
    } else {
        net_streams_cut(c->loop, was_there, c);
    }
    free(c);
}

static void cut_everywhere(const struct attached *a, const struct cut *what)
{
    for (size_t i = 0; i < a->config.n_loops; i++) {
        struct cut *c = malloc(sizeof(*c));

        if (!c)
            abort();
        *c = *what;
        c->task = (struct loop_task){cut_run, NULL};
        c->loop = a->config.loops[i];
        loop_post(c->loop, &c->task);
    }
}

/* They would keep the namespace alive, and who they were is no longer known. */
static void cut_connections(const struct attached *a, const struct uuid *attachment,
                            const struct seat_kind *seat, unsigned grace_ms)
{
    cut_everywhere(a, &(struct cut){.attachment = *attachment, .seat = seat, .grace_ms = grace_ms});
}

static void cut_arrivals(const struct attached *a, const char device[HELPER_NAME_MAX])
{
    struct cut c = {.ifindex = 0};

    memcpy(c.device, device, sizeof(c.device));
    cut_everywhere(a, &c);
}

/* --- the list; the lock is held where it changes --- */

static struct attachment *find(const struct attached *a, const struct uuid *uuid)
{
    struct attachment *t = a->first;

    while (t && !uuid_eq(&t->uuid, uuid))
        t = t->next;
    return t;
}

static struct attachment *add(struct attached *a, const struct uuid *uuid, uint8_t kind,
                              const char *place)
{
    struct attachment *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    t->uuid = *uuid;
    t->kind = kind;
    memcpy(t->place, place, sizeof(t->place));
    pthread_mutex_lock(&a->lock);
    t->next = a->first;
    a->first = t;
    pthread_mutex_unlock(&a->lock);
    return t;
}

static void remove_one(struct attached *a, struct attachment **link)
{
    struct attachment *t = *link;

    pthread_mutex_lock(&a->lock);
    *link = t->next;
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < SEATS; i++)
        net_listener_free(t->seats[i].listener);
    free(t);
}

static void set_state(struct attached *a, struct seat *s, enum helper_state state, int error,
                      bool answered)
{
    pthread_mutex_lock(&a->lock);
    s->used = true;
    s->answered = answered;
    s->state = state;
    s->error = error;
    pthread_mutex_unlock(&a->lock);
}

/* --- what the helper says --- */

static struct net_tls *tls_of(const struct attached *a, uint8_t service)
{
    const struct serve_options *o = a->config.options;
    bool plain = service == HELPER_CONTROL ? o->control.plain : o->listen[0].plain;

    return plain ? NULL : a->config.tls;
}

static enum rc listen_on(struct attached *a, const struct attachment *t, size_t seat, int fd,
                         struct net_listener **ret, struct err *e)
{
    struct net_listener_config c = {
        .class = seats[seat].service == HELPER_CONTROL ? NET_CONTROL : NET_DATA,
        .arrival = t->kind == HELPER_DEVICE ? NET_DEVICE : NET_NETNS,
        .attachment = t->uuid,
        .tls = tls_of(a, seats[seat].service),
        .loops = a->config.loops,
        .n_loops = a->config.n_loops,
        .max_connections = a->max_connections,
        .accepted = a->config.accepted,
        .surplus = a->config.surplus,
        .ctx = a->config.ctx,
    };

    _Static_assert(sizeof(c.place) == sizeof(t->place), "a name is as long everywhere");
    memcpy(c.place, t->place, sizeof(c.place));
    return net_listener_new(a->config.loops[0], fd, &c, ret, e);
}

static void vacate(struct attached *a, const struct attachment *t, struct seat *s)
{
    if (!s->listener)
        return;
    net_listener_free(s->listener);
    s->listener = NULL;
    cut_connections(a, &t->uuid, &seats[s - t->seats], 0);
}

static size_t seat_of(const struct helper_message *m)
{
    size_t i = 0;

    while (i < SEATS && (seats[i].service != m->service || seats[i].family != m->family))
        i++;
    return i;
}

/* In a server that has just started, the helper tells of listeners that the one before it asked
 * for. */
static struct attachment *whose(struct attached *a, const struct helper_message *m)
{
    struct attachment *t = find(a, &m->key);

    if (!t && !a->settled)
        t = add(a, &m->key, m->kind, m->name);
    return t && t->kind == m->kind && memcmp(t->place, m->name, sizeof(t->place)) == 0 ? t : NULL;
}

void attached_take(struct attached *a, const struct helper_message *m, int fd)
{
    size_t i = seat_of(m);
    struct attachment *t = i < SEATS && !a->closed ? whose(a, m) : NULL;
    struct err e = {0};

    if (!t) {
        fd_close(fd);
        return;
    }
    struct seat *s = &t->seats[i];
    int error = m->error;
    enum helper_state state = (enum helper_state)m->state;

    vacate(a, t, s);
    if (state == HELPER_LISTENING &&
        (fd < 0 || listen_on(a, t, i, fd, &s->listener, &e) != RC_OK)) {
        log_error("listeners.not_accepting", F_TEXT("place", t->place), F_TEXT("reason", e.text));
        state = HELPER_FAILED;
        error = EIO;
    }
    if (!s->listener)
        fd_close(fd);
    if (m->kind == HELPER_DEVICE)
        cut_arrivals(a, t->place);
    set_state(a, s, state, error, true);
    log_info("attachment.listener", F_TEXT("place", t->place), F_U64("family", m->family),
             F_U64("port", m->port), F_BOOL("listening", s->listener != NULL));
}

/* --- what is wanted --- */

static bool seat_wanted(const struct origin_attachment *o, size_t seat)
{
    unsigned service =
        seats[seat].service == HELPER_CONTROL ? ORIGIN_SERVICE_CONTROL : ORIGIN_SERVICE_DATA;

    return (o->services & service) != 0;
}

static bool is_same(const struct attachment *t, const struct origin_attachment *o, uint8_t kind)
{
    if (t->kind != kind || !str_is(o->place, t->place))
        return false;
    for (size_t i = 0; i < SEATS; i++)
        if (t->seats[i].used && !seat_wanted(o, i))
            return false;
    return true;
}

static void open_seats(struct attached *a, struct attachment *t, const struct origin_attachment *o)
{
    for (size_t i = 0; i < SEATS; i++) {
        struct seat *s = &t->seats[i];

        if (s->used || !seat_wanted(o, i))
            continue;
        ask_open(a, t, i);
        set_state(a, s, a->helper >= 0 ? HELPER_WAITING : HELPER_FAILED, 0, false);
    }
}

static void want_one(struct attached *a, const struct origin_attachment *o)
{
    uint8_t kind = o->kind == ATTACH_DEVICE ? HELPER_DEVICE : HELPER_NETNS;
    struct attachment *t = find(a, &o->uuid);
    char place[HELPER_NAME_MAX] = {0};

    if (o->kind != ATTACH_NETNS && o->kind != ATTACH_DEVICE)
        return;
    if (t && !is_same(t, o, kind))
        return; /* wanted stays false: it goes first, and comes again in the second round */
    if (!t) {
        if (str_copy(o->place, place, sizeof(place)) != RC_OK)
            return;
        t = add(a, &o->uuid, kind, place);
    }
    t->wanted = true;
    open_seats(a, t, o);
}

enum { REFUSAL_MS = 3000 }; /* longer than a gentle close takes */

/* Of an attachment that is no more nobody is let in, so that its connections can be refused in
 * words. Of one that stands elsewhere now they are nobody's. */
static unsigned grace_of(const struct attachment *t, const struct origin_attachment *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (uuid_eq(&list[i].uuid, &t->uuid))
            return 0;
    return REFUSAL_MS;
}

static void drop_unwanted(struct attached *a, const struct origin_attachment *list, size_t n)
{
    for (struct attachment **link = &a->first; *link;) {
        struct attachment *t = *link;

        if (t->wanted) {
            link = &t->next;
            continue;
        }
        ask_close(a, t);
        /* What main listeners took is judged again. */
        cut_connections(a, &t->uuid, NULL, grace_of(t, list, n));
        remove_one(a, link);
    }
}

void attached_want(struct attached *a, const struct origin_table *origins)
{
    const struct origin_attachment *list = NULL;
    size_t n = origin_attachments(origins, &list);

    if (a->closed)
        return;
    a->settled = true;
    for (struct attachment *t = a->first; t; t = t->next)
        t->wanted = false;
    for (int round = 0; round < 2; round++) { /* those that moved leave between the two */
        for (size_t i = 0; i < n; i++)
            want_one(a, &list[i]);
        drop_unwanted(a, list, n);
    }
}

/* --- state --- */

/* The worst of its seats; a machine without IPv6 is no failure. */
static const struct seat *telling_seat(const struct attachment *t)
{
    const struct seat *worst = NULL;

    for (size_t i = 0; i < SEATS; i++) {
        const struct seat *s = &t->seats[i];

        if (!s->used || (s->state == HELPER_FAILED && s->error == EAFNOSUPPORT))
            continue;
        if (!worst || s->state == HELPER_FAILED ||
            (s->state == HELPER_WAITING && worst->state == HELPER_LISTENING))
            worst = s;
    }
    return worst;
}

static void explain(const struct attached *a, const struct attachment *t, const struct seat *s,
                    struct buf *out)
{
    char words[128];

    if (!a->had_helper)
        buf_addf(out, "needs the privileged helper: start as root");
    else if (s->state == HELPER_FAILED && a->helper < 0)
        buf_addf(out, "the privileged helper has ended, or hangs: restart the server");
    else if (a->silent)
        buf_addf(out, "the privileged helper does not answer: restart the server");
    else if (s->state == HELPER_FAILED)
        buf_addf(out, "cannot listen in %s: %s", t->place,
                 strerror_r(s->error, words, sizeof(words)));
    else if (s->state == HELPER_WAITING && !s->answered)
        buf_addf(out, "the privileged helper has not answered yet: if that stays so, restart the "
                      "server");
    else if (s->state == HELPER_WAITING)
        buf_addf(out, "there is no %s %s now",
                 t->kind == HELPER_DEVICE ? "device" : "network namespace", t->place);
}

enum rc attached_state(struct attached *a, const struct uuid *attachment, enum listener_state *ret,
                       struct buf *ret_reason)
{
    static const enum listener_state states[] = {
        [HELPER_WAITING] = LISTENER_WAITING,
        [HELPER_LISTENING] = LISTENER_LISTENING,
        [HELPER_FAILED] = LISTENER_FAILED,
    };

    pthread_mutex_lock(&a->lock);
    const struct attachment *t = find(a, attachment);
    const struct seat *s = t ? telling_seat(t) : NULL;

    if (s) {
        *ret = states[s->state];
        explain(a, t, s, ret_reason);
    }
    pthread_mutex_unlock(&a->lock);
    return s ? RC_OK : RC_NOT_FOUND;
}

/* --- life --- */

struct attached *attached_new(const struct listeners_config *c, unsigned max_connections)
{
    struct attached *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->config = *c;
    a->max_connections = max_connections;
    a->helper = c->helper_fd;
    a->had_helper = c->helper_fd >= 0;
    a->queue.fd = c->helper_fd;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void attached_close(struct attached *a)
{
    a->closed = true;
    for (struct attachment *t = a->first; t; t = t->next)
        for (size_t i = 0; i < SEATS; i++) {
            net_listener_free(t->seats[i].listener);
            t->seats[i].listener = NULL;
        }
}

void attached_free(struct attached *a)
{
    if (!a)
        return;
    while (a->first)
        remove_one(a, &a->first);
    helper_queue_done(&a->queue);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
