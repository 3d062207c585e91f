/* What goes on after an answer, as the client that waits for it sees it. */
#include "fixture.h"

#include "arm/operation.h"
#include "base/clock.h"
#include "meta/operation.h"
#include "meta/tx.h"

#define LOCAL "{\"location\":\"westus\"}"
#define BASIC "{\"location\":\"westus\",\"sku\":{\"name\":\"Basic\"}}"
#define OTHER "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000aa"

static struct control *lab(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(control(c, "PUT", REGISTRY, BASIC), 201);
    control_operations(c);
    return c;
}

/* The path of a header of the last answer. */
static const char *link_of(struct control *c, const char *field, char out[2048])
{
    struct str url = http_answer_field(&c->req, field);

    assert_true(str_starts(url, STR("https://localhost:8443/")));
    assert_int_equal(str_copy(str_skip(url, strlen("https://localhost:8443")), out, 2048), RC_OK);
    return out;
}

struct served {
    struct str host;
    bool is;
};

static enum rc served_read(const struct snapshot *s, void *arg, struct err *e)
{
    struct served *q = arg;

    (void)e;
    q->is = snapshot_by_host(s, q->host) != NULL;
    return RC_OK;
}

static bool registry_served(struct control *c, struct str host)
{
    struct served q = {.host = host};

    assert_int_equal(snapshot_with_newest(c->hub, served_read, &q, NULL), RC_OK);
    return q.is;
}

static void a_deleted_group_goes_after_the_answer(void **state)
{
    struct control *c = lab(state);
    char link[2048];

    assert_int_equal(control(c, "DELETE", G "?api-version=2021-04-01", NULL), 202);
    assert_str(http_answer_field(&c->req, "Retry-After"), "1");
    assert_int_equal(c->req.response.body.len, 0);
    link_of(c, "Location", link);
    assert_non_null(strstr(link, S "/operationresults/"));
    assert_non_null(strstr(link, "?api-version=2021-04-01"));
    assert_int_equal(control(c, "GET", link, NULL), 202);
    assert_non_null(http_answer_field(&c->req, "Location").ptr);
    assert_int_equal(control(c, "GET", G, NULL), 200);
    assert_str(answer_text(c, "properties.provisioningState"), "Deleting");
    control_operations(c);
    assert_int_equal(control(c, "GET", link, NULL), 200);
    assert_int_equal(c->req.response.body.len, 0);
    assert_int_equal(control(c, "GET", G, NULL), 404);
    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 404);
}

static void nothing_is_put_into_a_group_that_goes(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    assert_int_equal(control(c, "PUT", REGISTRY "2", BASIC), 409);
    assert_str(answer_text(c, "error.code"), "ResourceGroupBeingDeleted");
    assert_str(answer_text(c, "error.message"),
               "The resource group 'lab' is in deprovisioning state and cannot perform this "
               "operation.");
    assert_int_equal(control(c, "PUT", G, LOCAL), 409);
    assert_int_equal(control(c, "PATCH", G, "{\"tags\":{}}"), 409);
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 200);
}

static void deleting_twice_does_not_reach_the_next_group_of_that_name(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    control_operations(c);
    assert_int_equal(control(c, "GET", G, NULL), 200);
}

static void an_operation_is_its_subscriptions_and_its_principals(void **state)
{
    struct control *c = lab(state);
    char link[2048], elsewhere[2200];

    assert_int_equal(control(c, "PUT", OTHER, "{\"displayName\":\"b\"}"), 201);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    link_of(c, "Location", link);
    snprintf(elsewhere, sizeof(elsewhere), OTHER "%s", link + strlen(S));
    assert_int_equal(control(c, "GET", elsewhere, NULL), 404);
    assert_str(answer_text(c, "error.code"), "OperationNotFound");
    assert_int_equal(control(c, "GET", S "/operationresults/nonsense", NULL), 404);
    c->stranger = true;
    assert_int_equal(control(c, "GET", link, NULL), 404);
    c->stranger = false;
    assert_int_equal(control(c, "GET", link, NULL), 202);
}

static void a_registry_is_served_once_it_has_been_made(void **state)
{
    struct control *c = lab(state);
    char link[2048];

    assert_int_equal(control(c, "PUT", REGISTRY "2?api-version=2023-11-01-preview", BASIC), 201);
    assert_str(answer_text(c, "properties.provisioningState"), "Creating");
    assert_null(http_answer_field(&c->req, "Location").ptr);
    assert_str(http_answer_field(&c->req, "Retry-After"), "1");
    link_of(c, "Azure-AsyncOperation", link);
    assert_memory_equal(link, REGISTRY "2/operationStatuses/registries-",
                        strlen(REGISTRY "2/operationStatuses/registries-"));
    assert_non_null(strstr(link, "?api-version=2023-11-01-preview"));
    assert_false(registry_served(c, STR("myregistry2.azurecr.test")));
    assert_int_equal(control(c, "GET", link, NULL), 200);
    assert_str(answer_text(c, "status"), "InProgress");
    assert_str(http_answer_field(&c->req, "Retry-After"), "1");
    control_operations(c);
    assert_true(registry_served(c, STR("myregistry2.azurecr.test")));
    assert_int_equal(control(c, "GET", link, NULL), 200);
    assert_str(c->req.response.body, "{\"status\":\"Succeeded\"}");
    assert_non_null(http_answer_field(&c->req, "Azure-AsyncOperation").ptr);
    assert_int_equal(control(c, "GET", REGISTRY "2", NULL), 200);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
}

static void a_name_that_is_being_made_is_taken(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "PUT", S "/resourceGroups/twin", LOCAL), 201);
    assert_int_equal(control(c, "PUT", REGISTRY "2", BASIC), 201);
    assert_int_equal(control(c, "PUT",
                             S "/resourceGroups/twin/providers/Microsoft.ContainerRegistry/"
                               "registries/myRegistry2",
                             BASIC),
                     409);
    assert_str(answer_text(c, "error.code"), "AlreadyInUse");
}

static void only_some_changes_of_a_registry_go_on_after_the_answer(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "PUT", REGISTRY, BASIC), 201);
    assert_str(answer_text(c, "properties.provisioningState"), "Updating");
    control_operations(c);
    assert_int_equal(control(c, "PATCH", REGISTRY, "{\"properties\":{\"adminUserEnabled\":true}}"),
                     200);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_null(http_answer_field(&c->req, "Azure-AsyncOperation").ptr);
    assert_int_equal(control(c, "DELETE", REGISTRY, NULL), 200);
    assert_null(http_answer_field(&c->req, "Location").ptr);
}

static void what_was_deleted_meanwhile_is_canceled(void **state)
{
    struct control *c = lab(state);
    char link[2048];

    assert_int_equal(control(c, "PUT", REGISTRY "2", BASIC), 201);
    link_of(c, "Azure-AsyncOperation", link);
    assert_int_equal(control(c, "DELETE", REGISTRY "2", NULL), 200);
    control_operations(c);
    assert_int_equal(control(c, "GET", link, NULL), 200);
    assert_str(answer_text(c, "status"), "Canceled");
    assert_str(answer_text(c, "error.code"), "OperationCanceled");
}

static void a_later_write_ends_the_state_that_it_set(void **state)
{
    struct control *c = lab(state);
    char first[2048];

    assert_int_equal(control(c, "PUT", REGISTRY, BASIC), 201);
    link_of(c, "Azure-AsyncOperation", first);
    assert_int_equal(control(c, "PUT", REGISTRY, BASIC), 201);
    control_operations(c);
    assert_int_equal(control(c, "GET", first, NULL), 200);
    assert_str(answer_text(c, "status"), "Succeeded");
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 200);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
}

#define NETWORK                                                                                    \
    "{\"location\":\"westus\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":[\"10.0.0.0/"  \
    "16\"]},\"subnets\":[{\"name\":\"N\",\"properties\":{\"addressPrefix\":\"10.0.0.0/24\"}}]}}"
#define CARD                                                                                       \
    "{\"location\":\"westus\",\"properties\":{\"ipConfigurations\":[{\"name\":\"c\","              \
    "\"properties\":{"                                                                             \
    "\"subnet\":{\"id\":\"" VNET "/subnets/N\"}}}]}}"
#define CARDS "/providers/Microsoft.Network/networkInterfaces/"

static void a_group_goes_in_whatever_order_its_resources_allow(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "PUT", VNET, NETWORK), 201);
    assert_int_equal(control(c, "PUT", G CARDS "a", CARD),
                     201); /* it is deleted after the network was tried */
    control_operations(c);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    control_operations(c);
    assert_int_equal(control(c, "GET", G, NULL), 404);
}

static void a_group_stays_when_others_use_what_is_in_it(void **state)
{
    struct control *c = lab(state);
    char link[2048];

    assert_int_equal(control(c, "PUT", VNET, NETWORK), 201);
    assert_int_equal(control(c, "PUT", S "/resourceGroups/twin", LOCAL), 201);
    assert_int_equal(control(c, "PUT", S "/resourceGroups/twin" CARDS "a", CARD), 201);
    control_operations(c);
    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    link_of(c, "Location", link);
    control_operations(c);
    assert_int_equal(control(c, "GET", link, NULL), 409);
    assert_str(answer_text(c, "error.code"), "InUseSubnetCannotBeDeleted");
    assert_int_equal(control(c, "GET", G, NULL), 200);
    assert_str(answer_text(c, "properties.provisioningState"), "Succeeded");
    assert_int_equal(control(c, "GET", VNET, NULL), 200);
    assert_int_equal(control(c, "GET", REGISTRY, NULL), 404); /* what could go has gone */
    assert_int_equal(control(c, "PUT", REGISTRY, BASIC), 201);
}

static void ids_of_operations_are_read_in_each_form(void **state)
{
    struct uuid u;
    char text[UUID_TEXT_MAX];

    (void)state;
    assert_int_equal(arm_operation_id_parse(STR("6f1a0d9e-0000-4000-8000-000000000001"), &u, NULL),
                     RC_OK);
    assert_int_equal(
        arm_operation_id_parse(STR("registries-6f1a0d9e-0000-4000-8000-000000000002"), &u, NULL),
        RC_OK);
    assert_str(uuid_format(&u, text), "6f1a0d9e-0000-4000-8000-000000000002");
    assert_int_equal(arm_operation_id_parse(STR("eyJqb2JJZCI6MX0"), &u, NULL), RC_INVALID);
    assert_int_equal(arm_operation_id_parse(STR(""), &u, NULL), RC_INVALID);
    assert_int_equal(arm_operation_id_parse(STR_NONE, &u, NULL), RC_INVALID);
}

static enum rc operation_old(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct meta_operation o = {.id = uuid_random(),
                                     .kind = STR("deleted"),
                                     .target = STR("/x"),
                                     .principal = STR("p"),
                                     .address = STR("")};
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct meta_operation read = {0};

    (void)arg;
    assert_int_equal(meta_operation_add(tx, &o, e), RC_OK);
    assert_int_equal(meta_operation_expire(tx, INT64_MAX, e), RC_OK);
    assert_int_equal(meta_operation_get(tx, &a, &o.id, &read, e), RC_OK); /* it runs */
    assert_int_equal(
        meta_operation_end(tx, &o.id, META_OPERATION_FAILED, STR("Code"), STR("why"), e), RC_OK);
    assert_int_equal(meta_operation_end(tx, &o.id, META_OPERATION_SUCCEEDED, STR_NONE, STR_NONE, e),
                     RC_NOT_FOUND);
    assert_int_equal(meta_operation_get(tx, &a, &o.id, &read, e), RC_OK);
    assert_int_equal(read.state, META_OPERATION_FAILED);
    assert_str(read.message, "why");
    assert_int_equal(meta_operation_expire(tx, read.changed_us, e), RC_OK);
    assert_int_equal(meta_operation_get(tx, &a, &o.id, &read, e), RC_OK);
    assert_int_equal(meta_operation_expire(tx, read.changed_us + 1, e), RC_OK);
    assert_int_equal(meta_operation_get(tx, &a, &o.id, &read, e), RC_NOT_FOUND);
    return RC_OK;
}

static void what_has_ended_stays_ended_and_goes_when_it_is_old(void **state)
{
    struct control *c = *state;

    assert_int_equal(meta_write(c->meta, &(struct uuid){{1}}, operation_old, NULL, NULL), RC_OK);
}

/* --- a database that does not take it --- */
static enum rc sql_run(struct meta_tx *tx, void *arg, struct err *e)
{
    const char *sql = arg;
    const struct db_statement s = {DB_STATEMENTS_MAX, "refusal", sql};

    return db_exec(tx->conn, &s, NULL, 0, NULL, e);
}

static void refuse_ends(struct control *c, bool refused)
{
    static char make[] = "CREATE TRIGGER refusal BEFORE UPDATE ON operation BEGIN SELECT "
                         "RAISE(ABORT, 'not now'); END",
                drop[] = "DROP TRIGGER refusal";

    assert_int_equal(meta_write(c->meta, &(struct uuid){{1}}, sql_run, refused ? make : drop, NULL),
                     RC_OK);
}

/* Until its text at this path is another, for half a minute. */
static void wait_while(struct control *c, const char *link, const char *path, const char *text)
{
    int64_t until = clock_mono_us() + 30 * (int64_t)CLOCK_US_PER_S;

    do {
        assert_true(clock_mono_us() < until);
        assert_int_equal(control(c, "GET", link, NULL), 200);
    } while (str_is(answer_text(c, path), text));
}

static void an_end_that_could_not_be_stored_is_stored_soon_after(void **state)
{
    struct control *c = lab(state);
    struct arm_operations *worker = arm_operations_new(&c->services);
    char link[2048];

    assert_int_equal(control(c, "PUT", REGISTRY "2", BASIC), 201);
    link_of(c, "Azure-AsyncOperation", link);
    refuse_ends(c, true);
    assert_int_equal(arm_operations_start(worker, NULL), RC_OK);
    wait_while(c, REGISTRY "2", "properties.provisioningState", "Creating");
    assert_int_equal(control(c, "GET", link, NULL), 200);
    assert_str(answer_text(c, "status"), "InProgress");
    refuse_ends(c, false);
    wait_while(c, link, "status", "InProgress");
    arm_operations_free(worker);
}

static void who_waits_for_the_worker_reads_the_end_as_soon_as_it_has_come(void **state)
{
    struct control *c = lab(state);
    struct arm_operations *worker = arm_operations_new(&c->services);
    int64_t until = clock_mono_us() + 30 * (int64_t)CLOCK_US_PER_S;
    char link[2048];
    uint64_t steps;

    assert_false(arm_operations_await(NULL, arm_operations_steps(NULL), until));
    assert_false(arm_operations_await(worker, arm_operations_steps(worker), until)); /* asleep */
    assert_int_equal(control(c, "PUT", REGISTRY "2", BASIC), 201);
    link_of(c, "Azure-AsyncOperation", link);
    c->services.operations = worker;
    steps = arm_operations_steps(worker);
    assert_int_equal(arm_operations_start(worker, NULL), RC_OK);
    assert_true(arm_operations_await(worker, steps, until));
    assert_int_equal(control(c, "GET", link, NULL), 200);
    assert_str(answer_text(c, "status"), "Succeeded");

    steps = arm_operations_steps(worker);
    assert_false(arm_operations_await(worker, steps, clock_mono_us())); /* nothing came */
    arm_operations_stop(worker);
    assert_false(arm_operations_await(worker, steps, until));
    c->services.operations = NULL;
    arm_operations_free(worker);
}

static void run_sql(struct control *c, char *sql)
{
    assert_int_equal(meta_write(c->meta, &(struct uuid){{1}}, sql_run, sql, NULL), RC_OK);
}

static void what_cannot_be_read_fails_once_and_is_not_tried_again(void **state)
{
    static char damage[] = "UPDATE resource SET body = 'x' WHERE id LIKE '%myRegistry2'",
                mend[] = "UPDATE resource SET body = '{}' WHERE id LIKE '%myRegistry2'";
    struct control *c = lab(state);
    char link[2048];

    assert_int_equal(control(c, "PUT", REGISTRY "2", BASIC), 201);
    link_of(c, "Azure-AsyncOperation", link);
    run_sql(c, damage);
    control_operations(c);
    run_sql(c, mend); /* a poll looks at what it is about */
    assert_int_equal(control(c, "GET", link, NULL), 200);
    assert_str(answer_text(c, "status"), "Failed");
    assert_str(answer_text(c, "error.code"), "InternalServerError");
    assert_null(strstr(c->req.response.body.ptr, "damaged"));
}

static void what_the_database_says_of_a_failure_is_not_told(void **state)
{
    static char refuse[] = "CREATE TRIGGER refusal BEFORE DELETE ON resource BEGIN INSERT INTO "
                           "resource SELECT * FROM resource WHERE id = OLD.id; END";
    struct control *c = lab(state);
    char link[2048];

    assert_int_equal(control(c, "DELETE", G, NULL), 202);
    link_of(c, "Location", link);
    run_sql(c, refuse);
    control_operations(c);
    assert_int_equal(control(c, "GET", link, NULL), 409);
    assert_str(answer_text(c, "error.code"), "InternalServerError");
    assert_null(strstr(c->req.response.body.ptr, "database"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(a_deleted_group_goes_after_the_answer),
        CONTROL_TEST(nothing_is_put_into_a_group_that_goes),
        CONTROL_TEST(deleting_twice_does_not_reach_the_next_group_of_that_name),
        CONTROL_TEST(an_operation_is_its_subscriptions_and_its_principals),
        CONTROL_TEST(a_group_goes_in_whatever_order_its_resources_allow),
        CONTROL_TEST(a_group_stays_when_others_use_what_is_in_it),
        CONTROL_TEST(a_registry_is_served_once_it_has_been_made),
        CONTROL_TEST(a_name_that_is_being_made_is_taken),
        CONTROL_TEST(only_some_changes_of_a_registry_go_on_after_the_answer),
        CONTROL_TEST(what_was_deleted_meanwhile_is_canceled),
        CONTROL_TEST(a_later_write_ends_the_state_that_it_set),
        CONTROL_TEST(what_has_ended_stays_ended_and_goes_when_it_is_old),
        CONTROL_TEST(an_end_that_could_not_be_stored_is_stored_soon_after),
        CONTROL_TEST(who_waits_for_the_worker_reads_the_end_as_soon_as_it_has_come),
        CONTROL_TEST(what_cannot_be_read_fails_once_and_is_not_tried_again),
        CONTROL_TEST(what_the_database_says_of_a_failure_is_not_told),
        cmocka_unit_test(ids_of_operations_are_read_in_each_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
