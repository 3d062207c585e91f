#include "admit/denial_log.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
    FULL_PER_KEY = 10,
    FULL_PER_SECOND = 100,
    KEYS_MAX = 256,     /* told apart within one second */
    SUMMARIES_MAX = 10, /* lines for one second */
    NAMES_MAX = 65536,  /* registries counted by name; then "other" */
    NAME_TEXT_MAX = 64,
    ORIGIN_KINDS = ORIGIN_PRIVATE_ENDPOINT + 1,
    RECENT_MAX = 2048, /* kept for those who ask what was refused */
};

struct counter { /* of one registry; it stays as long as the log */
    struct counter *next;
    char name[NAME_TEXT_MAX];
    uint64_t denied[ORIGIN_KINDS][GATE_REASON_COUNT], reported[ORIGIN_KINDS][GATE_REASON_COUNT];
};

struct source { /* one (attachment, address, registry) in the present second */
    char registry[NAME_TEXT_MAX];
    struct ip_addr address;
    uint64_t count, left_out;
};

struct recent {
    uint64_t serial;
    char registry[NAME_TEXT_MAX];
    int64_t wall_us;
    struct denial denial; /* its registry is not kept: the name above is */
};

struct denial_log {
    pthread_mutex_t lock;
    struct map counters; /* registry's name → struct counter */
    struct counter *first_counter;
    atomic_llong second; /* the present one, of the monotonic clock */
    unsigned in_full;    /* in it */
    uint64_t others;     /* left out, of sources beyond those that are told apart */
    struct map by_key;   /* → struct source */
    struct source sources[KEYS_MAX];
    size_t n_sources;
    struct recent recent[RECENT_MAX]; /* the serial n, from 1, is at n % RECENT_MAX */
    uint64_t serial;                  /* of the newest */
    int64_t began_us;
};

struct denial_log *denial_log_new(void)
{
    struct denial_log *l = MEM_NEW(struct denial_log);

    pthread_mutex_init(&l->lock, NULL);
    l->began_us = clock_wall_us();
    return l;
}

/* Names are the operator's, but what a metric's label or a line may hold is decided here. */
static void name_copy(struct str name, char out[NAME_TEXT_MAX])
{
    struct str cut = str_take(name, NAME_TEXT_MAX - 1);

    for (size_t i = 0; i < cut.len; i++) {
        char c = ascii_lower(cut.ptr[i]);
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';

        out[i] = plain ? c : '_';
    }
    out[cut.len] = '\0';
}

/* --- counting --- */

static struct counter *counter_of(struct denial_log *l, const char *name)
{
    const char *key = l->counters.count < NAMES_MAX ? name : "other";
    struct counter *c = map_get(&l->counters, str_from(name));

    if (!c)
        c = map_get(&l->counters, str_from(key));
    if (!c) {
        c = MEM_NEW(struct counter);
        memcpy(c->name, key, strlen(key) + 1);
        c->next = l->first_counter;
        l->first_counter = c;
        map_put(&l->counters, str_from(key), c);
    }
    return c;
}

static void count(struct denial_log *l, const struct denial *d)
{
    char name[NAME_TEXT_MAX];

    if (!d->registry.ptr)
        return; /* a Host that is nobody's is not the gate's refusal */
    name_copy(d->registry, name);
    struct counter *c = counter_of(l, name);

    (d->reported ? c->reported : c->denied)[d->origin][d->reason]++;
}

/* --- rationing --- */

static void summary_write(const struct source *s)
{
    char ip[IP_TEXT_MAX];

    log_warn("gate.denials_left_out", F_TEXT("registry", s->registry),
             F_STR("ip", ip_format(&s->address, ip)), F_U64("count", s->left_out));
}

/* Under the lock: the second is over. */
static void second_end(struct denial_log *l)
{
    uint64_t rest = l->others;
    unsigned lines = 0;

    for (size_t i = 0; i < l->n_sources; i++) {
        if (l->sources[i].left_out == 0)
            continue;
        if (lines++ < SUMMARIES_MAX)
            summary_write(&l->sources[i]);
        else
            rest += l->sources[i].left_out;
    }
    if (rest > 0)
        log_warn("gate.denials_left_out", F_U64("count", rest));
    l->n_sources = 0;
    l->others = l->in_full = 0;
    map_done(&l->by_key);
    l->by_key = MAP_INIT;
}

/* Clocks of loops differ by what a turn takes: one that is behind does not bring a second back. */
static void second_turn(struct denial_log *l, int64_t mono_us)
{
    long long now = mono_us / CLOCK_US_PER_S;

    if (now <= atomic_load(&l->second))
        return;
    second_end(l);
    atomic_store(&l->second, now);
}

/* The source's account of this second; NULL beyond those that are told apart. */
static struct source *source_of(struct denial_log *l, const struct denial *d)
{
    struct {
        struct uuid attachment;
        struct ip_addr address;
        char registry[NAME_TEXT_MAX];
    } key = {.attachment = d->attachment, .address = d->address};

    name_copy(d->registry, key.registry);
    struct str bytes = {(const char *)&key,
                        sizeof(key.attachment) + sizeof(key.address) + strlen(key.registry)};
    struct source *s = map_get(&l->by_key, bytes);

    if (s || l->n_sources == KEYS_MAX)
        return s;
    s = &l->sources[l->n_sources++];
    *s = (struct source){.address = d->address};
    memcpy(s->registry, key.registry, sizeof(s->registry));
    map_put(&l->by_key, bytes, s);
    return s;
}

static bool ration(struct denial_log *l, const struct denial *d)
{
    struct source *s = source_of(l, d);

    if (s && s->count++ < FULL_PER_KEY && l->in_full < FULL_PER_SECOND) {
        l->in_full++;
        return true;
    }
    ++*(s ? &s->left_out : &l->others);
    return false;
}

static void keep(struct denial_log *l, const struct denial *d)
{
    struct recent *r = &l->recent[++l->serial % RECENT_MAX];

    name_copy(d->registry, r->registry);
    r->serial = l->serial;
    r->wall_us = clock_wall_us();
    r->denial = *d;
    r->denial.registry = STR_NONE;
}

bool denial_log_add(struct denial_log *l, const struct denial *d, int64_t mono_us)
{
    pthread_mutex_lock(&l->lock);
    second_turn(l, mono_us);
    count(l, d);
    bool full = ration(l, d);

    if (full && d->registry.ptr)
        keep(l, d);
    pthread_mutex_unlock(&l->lock);
    return full;
}

void denial_log_tick(struct denial_log *l, int64_t mono_us)
{
    if (mono_us / CLOCK_US_PER_S <= atomic_load_explicit(&l->second, memory_order_relaxed))
        return;
    pthread_mutex_lock(&l->lock);
    second_turn(l, mono_us);
    pthread_mutex_unlock(&l->lock);
}

/* --- showing: what loops wait for is only that it is copied, not that it is written --- */

static void render_counts(const char *metric, const char *registry, enum origin_kind origin,
                          const uint64_t counts[GATE_REASON_COUNT], struct buf *out)
{
    for (unsigned r = 0; r < GATE_REASON_COUNT; r++)
        if (counts[r] > 0)
            buf_addf(out, "%s{registry=\"%s\",origin=\"%s\",reason=\"%s\"} %llu\n", metric,
                     registry, origin_kind_name(origin), gate_reason_name((enum gate_reason)r),
                     (unsigned long long)counts[r]);
}

static struct counter *first_counter(struct denial_log *l)
{
    pthread_mutex_lock(&l->lock);
    struct counter *c = l->first_counter;

    pthread_mutex_unlock(&l->lock);
    return c;
}

static struct counter counter_now(struct denial_log *l, const struct counter *c)
{
    pthread_mutex_lock(&l->lock);
    struct counter now = *c;

    pthread_mutex_unlock(&l->lock);
    return now;
}

static void render_family(struct denial_log *l, bool reported, struct buf *out)
{
    const char *metric = reported ? "kidoban_gate_reported_by_registry_total"
                                  : "kidoban_gate_denied_by_registry_total";

    buf_addf(out,
             "# HELP %s Requests that the gate %s, by registry, origin and reason\n"
             "# TYPE %s counter\n",
             metric, reported ? "would have refused (report-only mode)" : "refused", metric);
    for (const struct counter *c = first_counter(l); c; c = c->next) {
        struct counter now = counter_now(l, c);

        for (unsigned o = 0; o < ORIGIN_KINDS; o++)
            render_counts(metric, now.name, (enum origin_kind)o,
                          reported ? now.reported[o] : now.denied[o], out);
    }
}

void denial_log_render(struct denial_log *l, struct buf *out)
{
    render_family(l, false, out);
    render_family(l, true, out);
}

static void name_write(const char *member, struct str name, struct buf *out)
{
    buf_addf(out, ",\"%s\":", member);
    if (name.ptr)
        buf_add_json(out, name);
    else
        buf_add(out, STR("null"));
}

static void recent_write(const struct recent *r, const struct origin_table *names, struct buf *out)
{
    const struct denial *d = &r->denial;
    char ip[IP_TEXT_MAX], time[CLOCK_TEXT_MAX];

    ip_format(&d->address, ip);
    buf_addf(out, "{\"serial\":%llu,\"time\":\"%.*s\",\"registry\":\"%s\",\"ip\":\"%s\",",
             (unsigned long long)r->serial, STR_ARG(clock_format_z(r->wall_us, time)), r->registry,
             ip);
    buf_addf(out, "\"origin\":\"%s\"", origin_kind_name(d->origin));
    name_write("attachment", origin_attachment_name(names, &d->attachment), out);
    name_write("subnet",
               d->origin == ORIGIN_SUBNET ? origin_subnet_id(names, &d->subnet) : STR_NONE, out);
    buf_addf(out, ",\"reason\":\"%s\",\"refused\":%s}", gate_reason_name(d->reason),
             d->reported ? "false" : "true");
}

int64_t denial_log_began(const struct denial_log *l)
{
    return l->began_us;
}

static size_t recent_copy(struct denial_log *l, const char *name, uint64_t after,
                          struct recent out[RECENT_MAX])
{
    size_t found = 0;

    pthread_mutex_lock(&l->lock);
    uint64_t oldest = l->serial >= RECENT_MAX ? l->serial - RECENT_MAX + 1 : 1;

    for (uint64_t n = after >= oldest ? after + 1 : oldest; n <= l->serial; n++)
        if (strcmp(l->recent[n % RECENT_MAX].registry, name) == 0)
            out[found++] = l->recent[n % RECENT_MAX];
    pthread_mutex_unlock(&l->lock);
    return found;
}

void denial_log_recent(struct denial_log *l, struct str registry, uint64_t after,
                       const struct origin_table *names, struct buf *out)
{
    struct recent *list = MEM_ARRAY(struct recent, RECENT_MAX);
    char name[NAME_TEXT_MAX];

    name_copy(registry, name);
    size_t n = recent_copy(l, name, after, list);

    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(out, ',');
        recent_write(&list[i], names, out);
    }
    buf_addc(out, ']');
    free(list);
}

void denial_log_free(struct denial_log *l)
{
    if (!l)
        return;
    second_end(l);
    for (struct counter *c = l->first_counter, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    map_done(&l->counters);
    map_done(&l->by_key);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
