/* A change is in force on every loop when it returns, or it has not happened. */
#include "snapshot/installation.h"

#include <sched.h>
#include <stdatomic.h>

#define ONE     "00000000-0000-4000-8000-000000000001"
#define TWO     "00000000-0000-4000-8000-000000000002"
#define NEW     "00000000-0000-4000-8000-000000000009"
#define NETWORK "00000000-0000-4000-8000-0000000000a1"
#define ATTACH  "00000000-0000-4000-8000-0000000000b1"

static const char network[] =
    "{\"subnets\":[{\"name\":\"n\",\"uuid\":\"" SUBNET_UUID "\",\"properties\":"
    "{\"addressPrefix\":\"10.0.0.0/24\",\"serviceEndpoints\":[{\"service\":"
    "\"Microsoft.ContainerRegistry\"}]}}]}";
static const char network_without[] = "{\"subnets\":[{\"name\":\"n\",\"uuid\":\"" SUBNET_UUID
                                      "\",\"properties\":{\"addressPrefix\":\"10.0.0.0/24\"}}]}";
static const char attachment[] =
    "{\"kind\":\"netns\",\"netns\":{\"name\":\"blue\"},\"virtualNetwork\":{\"id\":\"" GROUP_ID
        NETWORK_TYPE "/v\"}}";

static int setup(void **state)
{
    struct installation *i = calloc(1, sizeof(*i));

    installation_new(i, 3);
    store(i, REGISTRY_TYPE, "one", ONE, OPEN);
    store(i, REGISTRY_TYPE, "two", TWO, OPEN);
    store(i, NETWORK_TYPE, "v", NETWORK, network);
    store(i, ATTACHMENT_TYPE, "a", ATTACH, attachment);
    installation_hub(i);
    installation_run(i);
    *state = i;
    return 0;
}

static int teardown(void **state)
{
    struct installation *i = *state;

    installation_free(i);
    free(i);
    return 0;
}

/* --- what a loop sees --- */

struct sight {
    struct snapshot_hub *hub;
    struct origin origin;
    bool there, allow;
    uint64_t generation;
    const struct gate *gate_two;
};

static void look(void *arg, struct loop *l)
{
    struct sight *v = arg;
    const struct snapshot *s = snapshot_current(v->hub, l);
    const struct snapshot_registry *one = snapshot_by_name(s, STR("one")),
                                   *two = snapshot_by_name(s, STR("two"));
    struct evidence ev = {.arrival = NET_NETNS, .attachment = uuid_of(ATTACH), .place = "blue"};

    ev.peer = ev.local = (struct ip_addr){.family = 4, .bytes = {10, 0, 0, 4}};
    origin_resolve(s->origins, &ev, &v->origin);
    v->there = one != NULL;
    v->allow = one && gate_decide(one->gate, &v->origin).allow;
    v->generation = s->generation;
    v->gate_two = two ? two->gate : NULL;
}

static struct sight see(struct installation *i, unsigned loop)
{
    struct sight v = {.hub = i->hub};

    on_loop(i->loops[loop], look, &v);
    return v;
}

static void a_change_is_in_force_on_every_loop_when_it_returns(void **state)
{
    struct installation *i = *state;

    for (int round = 0; round < 50; round++) {
        put(i, REGISTRY_TYPE, "one", ONE, round % 2 ? OPEN : CLOSED);
        for (unsigned n = 0; n < i->n_loops; n++) {
            struct sight v = see(i, n);

            assert_int_equal(v.allow, round % 2);
            assert_int_equal(v.generation, 2 + round);
        }
    }
}

static void what_was_not_touched_is_not_compiled_anew(void **state)
{
    struct installation *i = *state;
    const struct gate *before = see(i, 0).gate_two;

    put(i, REGISTRY_TYPE, "one", ONE, CLOSED);
    assert_ptr_equal(see(i, 0).gate_two, before);
    put(i, REGISTRY_TYPE, "two", TWO, CLOSED);
    assert_true(see(i, 0).gate_two != NULL);
}

struct stored {
    const char *name;
    bool denies;
};

static enum rc read_stored(struct meta_tx *tx, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct stored *v = arg;
    struct meta_resource r;
    enum rc rc =
        meta_resource_get(tx, &a, arena_printf(&a, GROUP_ID REGISTRY_TYPE "/%s", v->name), &r, e);

    if (rc == RC_OK)
        v->denies = memmem(r.body.ptr, r.body.len, "Deny", 4) != NULL;
    return rc;
}

static void a_change_that_does_not_compile_has_not_happened(void **state)
{
    struct installation *i = *state;
    struct stored v = {.name = "one"};

    put(i, REGISTRY_TYPE, "one", ONE, CLOSED);
    assert_int_equal(try_put(i, REGISTRY_TYPE, "one", ONE,
                             "{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"ipRules\":[{}]}}"),
                     RC_INVALID);
    assert_int_equal(try_put(i, REGISTRY_TYPE, "one", ONE, "{\"networkRuleSet\":{}}"), RC_INVALID);
    assert_int_equal(see(i, 1).generation, 2);
    assert_false(see(i, 1).allow);
    assert_int_equal(meta_read(i->meta, read_stored, &v, NULL), RC_OK);
    assert_true(v.denies);
}

static void a_change_that_fails_after_writing_has_not_happened(void **state)
{
    struct installation *i = *state;
    struct installation_put p = {.type = REGISTRY_TYPE,
                                 .name = "one",
                                 .uuid = ONE,
                                 .properties = CLOSED,
                                 .answer = RC_QUOTA};
    struct stored v = {.name = "one"};

    assert_int_equal(snapshot_change(i->hub, installation_change, &p, NULL), RC_QUOTA);
    assert_true(see(i, 2).allow);
    assert_int_equal(meta_read(i->meta, read_stored, &v, NULL), RC_OK);
    assert_false(v.denies);
}

static void two_registries_cannot_share_a_login_server(void **state)
{
    struct installation *i = *state;

    assert_int_equal(
        try_put(i, REGISTRY_TYPE, "three", NEW, "{\"loginServer\":\"ONE.registry.test\"}"),
        RC_CONFLICT);
    assert_int_equal(see(i, 0).generation, 1);
}

static void a_deleted_registry_is_gone_and_its_name_is_free(void **state)
{
    struct installation *i = *state;

    put(i, REGISTRY_TYPE, "one", ONE, NULL);
    assert_false(see(i, 0).there);
    put(i, REGISTRY_TYPE, "one", NEW, CLOSED);
    assert_true(see(i, 0).there);
    assert_false(see(i, 0).allow);
}

static void taking_the_service_endpoint_away_closes_the_rule(void **state)
{
    struct installation *i = *state;

    put(i, REGISTRY_TYPE, "one", ONE,
        "{\"networkRuleSet\":{\"defaultAction\":\"Deny\",\"virtualNetworkRules\":[{\"id\":\"/"
        "n\",\"uuid\":\"" SUBNET_UUID "\"}]}}");
    assert_true(see(i, 1).allow);
    put(i, NETWORK_TYPE, "v", NETWORK, network_without);
    assert_false(see(i, 1).allow);
    put(i, NETWORK_TYPE, "v", NETWORK, network);
    assert_true(see(i, 1).allow);
    put(i, ATTACHMENT_TYPE, "a", ATTACH, NULL);
    assert_int_equal(see(i, 1).origin.kind, ORIGIN_UNIDENTIFIED);
    assert_false(see(i, 1).allow);
}

static void a_network_whose_attachments_clash_is_refused(void **state)
{
    struct installation *i = *state;

    assert_int_equal(try_put(i, ATTACHMENT_TYPE, "b", NEW, attachment), RC_CONFLICT);
    assert_int_equal(try_put(i, ATTACHMENT_TYPE, "b", NEW, "{\"kind\":\"magic\"}"), RC_INVALID);
    assert_int_equal(see(i, 0).generation, 1);
}

/* --- who is told --- */

struct told {
    unsigned adopted[LOOPS_MAX];
    unsigned networks;
    uint64_t generation;
};

static void on_adopt(void *ctx, struct loop *l, const struct snapshot *s)
{
    struct told *t = ctx;

    assert_true(loop_is_current(l));
    assert_true(s->generation > 1);
    t->adopted[loop_index(l)]++; /* each loop its own; read after the change has returned */
}

static void on_networks(void *ctx, const struct snapshot *s)
{
    struct told *t = ctx;

    t->networks++;
    t->generation = s->generation;
}

static void every_loop_is_told_and_the_main_one_of_networks(void **state)
{
    struct installation *i = *state;
    struct told t = {0};

    snapshot_on_adopt(i->hub, on_adopt, &t);
    snapshot_on_networks(i->hub, on_networks, &t);
    put(i, REGISTRY_TYPE, "one", ONE, CLOSED);
    assert_int_equal(t.networks, 0);
    put(i, NETWORK_TYPE, "v", NETWORK, network_without);
    assert_int_equal(t.networks, 1);
    assert_int_equal(t.generation, 3);
    for (unsigned n = 0; n < i->n_loops; n++)
        assert_int_equal(t.adopted[n], 2);
}

/* --- keeping one --- */

struct kept {
    struct snapshot_hub *hub;
    const struct snapshot *snapshot;
};

static void keep(void *arg, struct loop *l)
{
    struct kept *k = arg;

    k->snapshot = snapshot_pin(k->hub, l);
}

static void let_go(void *arg, struct loop *l)
{
    struct kept *k = arg;

    assert_int_equal(k->snapshot->generation, 1); /* and it can still be read */
    assert_non_null(snapshot_by_name(k->snapshot, STR("one")));
    snapshot_unpin(k->hub, l, k->snapshot);
}

static void a_pinned_snapshot_can_be_read_whatever_comes_after_it(void **state)
{
    struct installation *i = *state;
    struct kept k = {.hub = i->hub};

    on_loop(i->loops[1], keep, &k);
    put(i, REGISTRY_TYPE, "one", ONE, NULL);
    put(i, REGISTRY_TYPE, "two", TWO, NULL);
    assert_false(see(i, 1).there);
    on_loop(i->loops[1], let_go, &k);
    put(i, REGISTRY_TYPE, "one", ONE, OPEN);
}

/* What a request does that its loop cuts when it adopts a change. */
static void let_go_on_adopt(void *ctx, struct loop *l, const struct snapshot *s)
{
    struct kept *k = ctx;

    (void)s;
    if (loop_index(l) == 1 && k->snapshot) {
        snapshot_unpin(k->hub, l, k->snapshot);
        k->snapshot = NULL;
    }
}

static void a_request_that_ends_while_its_loop_adopts_lets_go_once(void **state)
{
    struct installation *i = *state;
    struct kept cut = {.hub = i->hub}, other = {.hub = i->hub};

    snapshot_on_adopt(i->hub, let_go_on_adopt, &cut);
    on_loop(i->loops[1], keep, &cut);
    on_loop(i->loops[2], keep, &other);
    put(i, REGISTRY_TYPE, "one", ONE, CLOSED);
    put(i, REGISTRY_TYPE, "one", ONE, OPEN);
    put(i, REGISTRY_TYPE, "one", ONE, CLOSED);
    on_loop(i->loops[2], let_go, &other);
}

/* A loop that is busy, a change that waits for it, and somebody to whom another loop has shown what
 * came of the change. */
struct busy {
    struct installation *i;
    sem_t began, go_on;
    atomic_bool gone_on;
    bool waited;
    struct kept seen;
};

static void be_busy(void *arg, struct loop *l)
{
    struct busy *b = arg;

    (void)l;
    sem_post(&b->began);
    sem_wait(&b->go_on);
}

static void *keep_busy(void *arg)
{
    struct busy *b = arg;

    on_loop(b->i->loops[1], be_busy, b);
    return NULL;
}

static void *change_one(void *arg)
{
    struct busy *b = arg;

    put(b->i, REGISTRY_TYPE, "one", ONE, CLOSED);
    return NULL;
}

static void *wait_for_all(void *arg)
{
    struct busy *b = arg;

    sem_post(&b->began);
    snapshot_wait(b->i->hub, b->seen.snapshot);
    b->waited = atomic_load(&b->gone_on);
    return NULL;
}

static void unpin(void *arg, struct loop *l)
{
    const struct kept *k = arg;

    snapshot_unpin(k->hub, l, k->snapshot);
}

static void what_one_loop_has_adopted_can_be_waited_for_on_all(void **state)
{
    struct busy b = {.i = *state, .seen.hub = ((struct installation *)*state)->hub};
    void *(*const doing[])(void *) = {keep_busy, change_one, wait_for_all};
    pthread_t threads[ARRAY_LEN(doing)];

    sem_init(&b.began, 0, 0);
    sem_init(&b.go_on, 0, 0);
    assert_int_equal(pthread_create(&threads[0], NULL, doing[0], &b), 0);
    sem_wait(&b.began);
    assert_int_equal(pthread_create(&threads[1], NULL, doing[1], &b), 0);
    while (see(b.i, 0).generation < 2)
        sched_yield();
    on_loop(b.i->loops[0], keep, &b.seen);
    assert_int_equal(pthread_create(&threads[2], NULL, doing[2], &b), 0);
    sem_wait(&b.began);
    for (int turns = 0; turns < 1000; turns++) /* who does not wait is through by now */
        sched_yield();
    atomic_store(&b.gone_on, true);
    sem_post(&b.go_on);
    for (size_t n = 0; n < ARRAY_LEN(threads); n++)
        pthread_join(threads[n], NULL);
    assert_true(b.waited);
    on_loop(b.i->loops[0], unpin, &b.seen);
    sem_destroy(&b.began);
    sem_destroy(&b.go_on);
}

static enum rc count_generation(const struct snapshot *s, void *arg, struct err *e)
{
    *(uint64_t *)arg = s->generation;
    return err_set(e, RC_TIMEOUT, "so that it comes through");
}

static void any_thread_can_read_the_newest(void **state)
{
    struct installation *i = *state;
    uint64_t generation = 0;

    put(i, REGISTRY_TYPE, "one", ONE, CLOSED);
    assert_int_equal(snapshot_with_newest(i->hub, count_generation, &generation, NULL), RC_TIMEOUT);
    assert_int_equal(generation, 2);
}

static enum rc touch_nothing(struct meta_tx *tx, struct snapshot_change *c, void *arg,
                             struct err *e)
{
    (void)c;
    (void)arg;
    return meta_setting_put(tx, "suffix", STR("registry.test"), e);
}

static void a_change_that_touches_nothing_makes_no_snapshot(void **state)
{
    struct installation *i = *state;

    assert_int_equal(snapshot_change(i->hub, touch_nothing, NULL, NULL), RC_OK);
    assert_int_equal(see(i, 0).generation, 1);
}

#define CHANGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHANGE_TEST(a_change_is_in_force_on_every_loop_when_it_returns),
        CHANGE_TEST(what_was_not_touched_is_not_compiled_anew),
        CHANGE_TEST(a_change_that_does_not_compile_has_not_happened),
        CHANGE_TEST(a_change_that_fails_after_writing_has_not_happened),
        CHANGE_TEST(two_registries_cannot_share_a_login_server),
        CHANGE_TEST(a_deleted_registry_is_gone_and_its_name_is_free),
        CHANGE_TEST(taking_the_service_endpoint_away_closes_the_rule),
        CHANGE_TEST(a_network_whose_attachments_clash_is_refused),
        CHANGE_TEST(every_loop_is_told_and_the_main_one_of_networks),
        CHANGE_TEST(a_pinned_snapshot_can_be_read_whatever_comes_after_it),
        CHANGE_TEST(a_request_that_ends_while_its_loop_adopts_lets_go_once),
        CHANGE_TEST(what_one_loop_has_adopted_can_be_waited_for_on_all),
        CHANGE_TEST(any_thread_can_read_the_newest),
        CHANGE_TEST(a_change_that_touches_nothing_makes_no_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
