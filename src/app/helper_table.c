#include "app/helper_table.h"
#include "base/log.h"
#include "sys/fd.h"
#include "sys/netns.h"
#include "sys/sock.h"

#include <errno.h>
#include <stdlib.h>

/* --- one listener --- */

struct place {
    int netns; /* -1: this one */
    uint64_t ns_dev, ns_ino;
    unsigned ifindex;
};

static enum rc find_place(const struct helper_message *m, struct place *ret, struct err *e)
{
    struct place p = {.netns = -1};
    struct netns_id id = {0};
    enum rc rc = m->kind == HELPER_NETNS ? netns_open(m->name, &p.netns, &id, e)
                                         : ifindex_of(m->name, &p.ifindex, e);

    if (rc != RC_OK)
        return rc;
    p.ns_dev = id.dev;
    p.ns_ino = id.ino;
    *ret = p;
    return RC_OK;
}

static bool same_place(const struct helper_message *m, const struct place *p)
{
    return m->ns_dev == p->ns_dev && m->ns_ino == p->ns_ino && m->ifindex == p->ifindex;
}

struct opening {
    const struct sock_listen *how;
    int fd;
};

static enum rc open_inside(void *arg, struct err *e)
{
    struct opening *o = arg;

    return sock_listen(o->how, &o->fd, e);
}

static void mains6_share(const struct helper_table *t, bool share)
{
    struct err e = {0};

    for (size_t i = 0; i < t->n_mains6; i++)
        if (sock_share_port(t->mains6[i], share, &e) != RC_OK)
            log_error("helper.share_failed", F_TEXT("reason", e.text));
}

/* The kernel lets two sockets have one port only while both say that they share it. */
static enum rc listen_here(const struct helper_table *t, struct opening *o, struct err *e)
{
    bool beside_mains = o->how->device && o->how->addr.family == 6;

    if (beside_mains)
        mains6_share(t, true);
    enum rc rc = open_inside(o, e);

    if (beside_mains && rc == RC_OK)
        mains6_share(t, false);
    return rc;
}

static enum rc listen_at(const struct helper_table *t, const struct helper_message *m,
                         const struct place *p, int *ret_fd, struct err *e)
{
    bool device = m->kind == HELPER_DEVICE;
    /* A device's listener stands beside the main one on the same port, which is shared. Inside a
     * namespace nobody shares: a port that is taken there is a mistake to be told of. */
    const struct sock_listen how = {.addr = {.family = m->family},
                                    .port = m->port,
                                    .device = device ? m->name : NULL,
                                    .flags = SOCK_PKTINFO | (device ? SOCK_REUSEPORT : 0u)};
    struct opening o = {&how, -1};
    enum rc rc = p->netns >= 0 ? netns_run(p->netns, open_inside, &o, e) : listen_here(t, &o, e);

    if (rc == RC_OK)
        *ret_fd = o.fd;
    return rc;
}

static void entry_set(struct helper_entry *n, enum helper_state state, int error)
{
    if (n->state.state == state && n->state.error == error && state != HELPER_LISTENING)
        return;
    n->state.state = (uint8_t)state;
    n->state.error = error;
    n->told = false;
}

static void entry_shut(struct helper_entry *n, enum helper_state state)
{
    fd_close(n->fd);
    n->fd = -1;
    n->state.ns_dev = n->state.ns_ino = n->state.ifindex = 0;
    entry_set(n, state, 0);
}

static void entry_listen(const struct helper_table *t, struct helper_entry *n,
                         const struct place *p)
{
    struct err e = {0};

    if (listen_at(t, &n->state, p, &n->fd, &e) != RC_OK) {
        if (n->state.state != HELPER_FAILED)
            log_warn("helper.listen_failed", F_TEXT("name", n->state.name),
                     F_TEXT("reason", e.text));
        entry_set(n, HELPER_FAILED, e.sys ? e.sys : EIO);
        return;
    }
    n->state.ns_dev = p->ns_dev;
    n->state.ns_ino = p->ns_ino;
    n->state.ifindex = p->ifindex;
    entry_set(n, HELPER_LISTENING, 0);
}

/* Not a word about the place: our own trouble, or a name that is not what it should be. A listener
 * that is open stays. */
static void look_failed(struct helper_entry *n, const struct err *e)
{
    if (n->state.state != HELPER_FAILED)
        log_warn("helper.look_failed", F_TEXT("name", n->state.name), F_TEXT("reason", e->text));
    if (n->fd < 0)
        entry_set(n, HELPER_FAILED, e->sys ? e->sys : EIO);
}

static void entry_check(const struct helper_table *t, struct helper_entry *n)
{
    struct place p = {.netns = -1};
    struct err e = {0};
    enum rc rc = find_place(&n->state, &p, &e);
    bool there = rc == RC_OK;

    if (!there && rc != RC_NOT_FOUND) {
        look_failed(n, &e);
        return;
    }
    if (n->fd >= 0 && (!there || !same_place(&n->state, &p)))
        entry_shut(n, HELPER_WAITING);
    if (!there)
        entry_set(n, HELPER_WAITING, 0);
    else if (n->fd < 0)
        entry_listen(t, n, &p);
    if (there)
        fd_close(p.netns);
}

/* --- the table --- */

static void mains6_settle(const struct helper_table *t)
{
    bool beside = false;

    for (const struct helper_entry *n = t->first; n; n = n->next)
        beside |= n->fd >= 0 && n->state.kind == HELPER_DEVICE && n->state.family == 6;
    mains6_share(t, !beside);
}

static bool entry_is(const struct helper_entry *n, const struct helper_message *m)
{
    return uuid_eq(&n->state.key, &m->key) && n->state.service == m->service &&
           n->state.family == m->family;
}

static void entry_free(struct helper_table *t, struct helper_entry **link)
{
    struct helper_entry *n = *link;

    *link = n->next;
    t->n--;
    fd_close(n->fd);
    free(n);
}

static struct helper_entry *entry_new(struct helper_table *t, const struct helper_message *request)
{
    struct helper_entry *n = calloc(1, sizeof(*n));

    if (!n)
        abort();
    n->state = *request;
    n->state.type = HELPER_STATE;
    n->state.port = t->ports[request->service];
    n->fd = -1;
    n->next = t->first;
    t->first = n;
    t->n++;
    return n;
}

enum rc helper_table_open(struct helper_table *t, const struct helper_message *request,
                          struct err *e)
{
    struct helper_entry **link = &t->first;

    while (*link && !entry_is(*link, request))
        link = &(*link)->next;
    if (*link) /* asked again, perhaps for another place */
        entry_free(t, link);
    if (t->n >= HELPER_LISTENERS_MAX)
        return err_set(e, RC_QUOTA, "too many listeners");
    entry_check(t, entry_new(t, request));
    mains6_settle(t);
    return RC_OK;
}

void helper_table_close(struct helper_table *t, const struct uuid *key)
{
    for (struct helper_entry **link = &t->first; *link;)
        if (uuid_eq(&(*link)->state.key, key))
            entry_free(t, link);
        else
            link = &(*link)->next;
    mains6_settle(t);
}

bool helper_table_check(struct helper_table *t)
{
    bool failed = false;

    for (struct helper_entry *n = t->first; n; n = n->next) {
        entry_check(t, n);
        failed |= n->state.state == HELPER_FAILED && n->state.error != EAFNOSUPPORT;
    }
    mains6_settle(t);
    return failed;
}

void helper_table_untold(struct helper_table *t)
{
    for (struct helper_entry *n = t->first; n; n = n->next)
        n->told = false;
}

struct helper_entry *helper_table_next_untold(struct helper_table *t)
{
    for (struct helper_entry *n = t->first; n; n = n->next)
        if (!n->told)
            return n;
    return NULL;
}

void helper_table_done(struct helper_table *t)
{
    while (t->first)
        entry_free(t, &t->first);
    free(t->mains6);
}
