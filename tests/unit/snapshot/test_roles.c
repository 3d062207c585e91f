/* Which of many assignments hold for something is found without looking at all of them. */
#include "installation.h"

#include <stdio.h>

#define ASSIGNMENT "Microsoft.Authorization/roleAssignments"
#define ASSIGNMENT_BODY                                                                            \
    "{\"properties\":{\"principalId\":\"%s\",\"roleDefinitionId\":\"%s\",\"scope\":\"%s\"}}"

enum { SUBSCRIPTIONS = 3, GROUPS = 4, THINGS = 4, IDS_MAX = 1 + 3 * (1 + 4 * (1 + 2 * 4)) };

struct world {
    char ids[IDS_MAX][128];
    size_t n_ids;
    unsigned serial;
};

static void add_id(struct world *w, const char *id)
{
    assert_true(w->n_ids < IDS_MAX);
    snprintf(w->ids[w->n_ids++], sizeof(w->ids[0]), "%s", id);
}

/* The server, subscriptions, groups, things, and what is in them. */
static void world_make(struct world *w)
{
    char id[128];

    add_id(w, "/");
    for (int s = 0; s < SUBSCRIPTIONS; s++) {
        snprintf(id, sizeof(id), "/subscriptions/s%.*s", s, "00");
        add_id(w, id);
        for (int g = 0; g < GROUPS; g++) {
            snprintf(id, sizeof(id), "/subscriptions/s%.*s/resourceGroups/g%d", s, "00", g * 5);
            add_id(w, id);
            for (int t = 0; t < THINGS; t++) {
                size_t len = (size_t)snprintf(id, sizeof(id),
                                              "/subscriptions/s%.*s/resourceGroups/g%d/providers/"
                                              "N.S/things/t%d",
                                              s, "00", g * 5, t);

                add_id(w, id);
                snprintf(id + len, sizeof(id) - len, "/parts/t%d", t);
                add_id(w, id);
            }
        }
    }
}

static enum rc assign(struct meta_tx *tx, struct world *w, const char *principal, size_t role,
                      const char *scope, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    struct meta_resource r = {
        .id = arena_printf(&a, "%s/providers/" ASSIGNMENT "/%u", scope, w->serial++),
        .type = STR(ASSIGNMENT),
        .body = arena_printf(&a, ASSIGNMENT_BODY, principal, auth_roles[role].id, scope),
    };

    return meta_resource_put(tx, &a, &r, e);
}

/* To one of the two principals several roles on each second thing, in another case and with a
 * final slash now and then; to the other one role on one thing. */
static enum rc assign_many(struct meta_tx *tx, struct snapshot_change *c, void *arg, struct err *e)
{
    struct world *w = arg;
    enum rc rc = RC_OK;

    snapshot_touch_roles(c);
    for (size_t i = 0; rc == RC_OK && i < w->n_ids; i += 2) {
        char scope[160];

        snprintf(scope, sizeof(scope), "%s%s", w->ids[i], i % 3 == 0 && i > 0 ? "/" : "");
        for (char *p = scope; i % 4 == 0 && *p; p++)
            *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
        for (size_t role = 0; rc == RC_OK && role < 1 + i % 3; role++)
            rc = assign(tx, w, PLAIN_OBJECT, role, scope, e);
    }
    return rc == RC_OK ? assign(tx, w, ADMIN_OBJECT, 0, w->ids[w->n_ids - 1], e) : rc;
}

struct count {
    size_t n, stop_at;
    struct str id;
};

static bool count_one(const struct snapshot_assignment *a, void *arg)
{
    struct count *c = arg;

    assert_true(auth_scope_covers(a->scope, c->id));
    return ++c->n == c->stop_at;
}

static size_t holding(const struct snapshot *s, const struct uuid *principal, struct str id)
{
    size_t n, found = 0;
    const struct snapshot_assignment *list = snapshot_assignments(s, principal, &n);

    for (size_t i = 0; i < n; i++)
        found += auth_scope_covers(list[i].scope, id);
    return found;
}

static void expect_same(const struct snapshot *s, const struct uuid *principal, const char *id)
{
    struct count c = {.id = str_from(id)}, first = {.id = c.id, .stop_at = 1};
    size_t wanted = holding(s, principal, c.id);

    assert_false(snapshot_assignment_any(s, principal, c.id, count_one, &c));
    assert_int_equal(c.n, wanted);
    assert_int_equal(snapshot_assignment_any(s, principal, c.id, count_one, &first), wanted > 0);
    assert_int_equal(first.n, wanted > 0);
}

static enum rc compare(const struct snapshot *s, void *arg, struct err *e)
{
    const struct uuid people[] = {uuid_of(PLAIN_OBJECT), uuid_of(ADMIN_OBJECT), uuid_of(TENANT)};
    const struct world *w = arg;
    size_t n;

    (void)e;
    assert_non_null(snapshot_assignments(s, &people[0], &n));
    assert_int_equal(n, w->serial - 1);
    assert_non_null(snapshot_assignments(s, &people[1], &n));
    assert_int_equal(n, 1);
    assert_null(snapshot_assignments(s, &people[2], &n));
    assert_int_equal(n, 0);
    for (size_t p = 0; p < ARRAY_LEN(people); p++)
        for (size_t i = 0; i < w->n_ids; i++) {
            char other[160];

            expect_same(s, &people[p], w->ids[i]);
            snprintf(other, sizeof(other), "%s/", w->ids[i]);
            expect_same(s, &people[p], other);
            snprintf(other, sizeof(other), "%s0", w->ids[i]);
            expect_same(s, &people[p], other);
        }
    return RC_OK;
}

static void what_holds_is_what_is_assigned_on_it_or_on_what_it_is_in(void **state)
{
    static struct world w;
    struct installation i;
    struct err e = {0};

    (void)state;
    installation_new(&i, 0);
    installation_hub(&i);
    world_make(&w);
    must(snapshot_change(i.hub, assign_many, &w, &e), &e);
    must(snapshot_with_newest(i.hub, compare, &w, &e), &e);
    installation_free(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_is_what_is_assigned_on_it_or_on_what_it_is_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
