/* Thousands of changes while every loop and a guest read all the time: nobody sees half a change,
 * an old one after a newer one, or freed memory. Meant for the sanitizers, too. */
#include "snapshot/installation.h"
#include <poll.h>
#include <stdatomic.h>

#define ONE "00000000-0000-4000-8000-000000000001"
#define TWO "00000000-0000-4000-8000-000000000002"

enum { CHANGES = 2000, LOOPS = 4, KEPT = 16, READS = 20 };

struct reader { /* one loop, every millisecond many times */
    struct loop_task task;
    struct loop_timer *timer;
    struct snapshot_hub *hub;
    struct loop *loop;
    const struct snapshot *kept[KEPT];
    unsigned n;
    uint64_t newest, reads;
    atomic_bool *stop;
    atomic_uint *stopped;
};

static bool is_open(const struct snapshot_registry *r)
{
    struct origin o = {.kind = ORIGIN_PUBLIC, .ip = {.family = 4, .bytes = {192, 0, 2, 1}}};

    return gate_decide(r->gate, &o).allow;
}

/* Both registries are always changed together. */
static void check(const struct snapshot *s)
{
    const struct snapshot_registry *one = snapshot_by_name(s, STR("one")),
                                   *two = snapshot_by_host(s, STR("two.registry.test"));

    if (!one || !two || is_open(one) != is_open(two) || is_open(one) != (s->generation % 2 == 1))
        abort();
}

static void reader_end(struct reader *r)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (r->kept[i])
            snapshot_unpin(r->hub, r->loop, r->kept[i]);
    loop_timer_free(r->timer);
    atomic_fetch_add(r->stopped, 1);
}

static void reader_read(struct reader *r)
{
    const struct snapshot *s = snapshot_pin(r->hub, r->loop);
    const struct snapshot **slot = &r->kept[r->n++ % KEPT];

    if (s->generation < r->newest)
        abort();
    r->newest = s->generation;
    r->reads++;
    check(s);
    if (*slot) {
        check(*slot);
        snapshot_unpin(r->hub, r->loop, *slot);
    }
    *slot = s;
}

static void reader_turn(void *ctx)
{
    struct reader *r = ctx;

    for (unsigned i = 0; i < READS; i++)
        reader_read(r);
    if (atomic_load(r->stop))
        reader_end(r);
    else
        loop_timer_start(r->timer, 1);
}

static void reader_begin(struct loop_task *t)
{
    struct reader *r = CONTAINER_OF(t, struct reader, task);

    r->timer = loop_timer_new(r->loop, reader_turn, r);
    loop_timer_start(r->timer, 0);
}

static enum rc change_both(struct meta_tx *tx, struct snapshot_change *c, void *arg, struct err *e)
{
    struct installation_put p = {
        .type = REGISTRY_TYPE, .name = "one", .uuid = ONE, .properties = arg};
    enum rc rc = installation_change(tx, c, &p, e);

    p.name = "two";
    p.uuid = TWO;
    return rc == RC_OK ? installation_change(tx, c, &p, e) : rc;
}

static enum rc guest_check(const struct snapshot *s, void *arg, struct err *e)
{
    uint64_t *newest = arg;

    (void)e;
    if (s->generation < *newest)
        abort();
    *newest = s->generation;
    check(s);
    return RC_OK;
}

struct guest {
    struct snapshot_hub *hub;
    atomic_bool *stop;
};

static void *guest_run(void *arg)
{
    const struct guest *g = arg;
    uint64_t newest = 0;

    while (!atomic_load(g->stop)) {
        if (snapshot_with_newest(g->hub, guest_check, &newest, NULL) != RC_OK)
            abort();
        poll(NULL, 0, 1); /* leave the processors to the others */
    }
    return NULL;
}

static void readers_start(struct reader *readers, struct installation *i, atomic_bool *stop,
                          atomic_uint *stopped)
{
    for (unsigned n = 0; n < i->n_loops; n++) {
        readers[n] = (struct reader){.task.run = reader_begin,
                                     .hub = i->hub,
                                     .loop = i->loops[n],
                                     .stop = stop,
                                     .stopped = stopped};
        loop_post(i->loops[n], &readers[n].task);
    }
}

static void nobody_sees_half_a_change_or_an_old_one(void **state)
{
    struct installation i;
    struct reader readers[LOOPS];
    atomic_bool stop = false;
    atomic_uint stopped = 0;
    pthread_t thread;

    (void)state;
    installation_new(&i, LOOPS);
    store(&i, REGISTRY_TYPE, "one", ONE, OPEN);
    store(&i, REGISTRY_TYPE, "two", TWO, OPEN);
    installation_hub(&i);
    installation_run(&i);
    struct guest guest = {i.hub, &stop};

    readers_start(readers, &i, &stop, &stopped);
    assert_int_equal(thread_start(&thread, "guest", guest_run, &guest, NULL), RC_OK);
    for (int n = 0; n < CHANGES; n++)
        assert_int_equal(
            snapshot_change(i.hub, change_both, (void *)(uintptr_t)(n % 2 ? OPEN : CLOSED), NULL),
            RC_OK);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    while (atomic_load(&stopped) < LOOPS)
        sched_yield();
    for (unsigned n = 0; n < LOOPS; n++) {
        assert_true(readers[n].reads > 0);
        assert_true(readers[n].newest >=
                    CHANGES); /* the last one may have come after its last look */
    }
    installation_free(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_sees_half_a_change_or_an_old_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
