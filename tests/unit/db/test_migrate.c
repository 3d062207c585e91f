/* Numbered migrations. */
#include "test.h"

#include "db/db.h"

static const struct db_migration good[] = {
    {1, "one", "CREATE TABLE a (n BIGINT); CREATE INDEX a_n ON a (n);"},
    {2, "two", "INSERT INTO a (n) VALUES (1);"},
    {3, "three", "INSERT INTO a (n) VALUES (2);"},
};
static const struct db_migration broken[] = {
    {1, "one", "CREATE TABLE a (n BIGINT);"},
    {2, "two", "INSERT INTO a (n) VALUES (1); INSERT INTO nowhere (n) VALUES (2);"},
};
static const struct db_statement count = {0, "count", "SELECT COUNT(*) FROM a"};

static int setup(void **state)
{
    return db_open("sqlite::memory:", (struct db_conn **)state, NULL) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    db_close(*state);
    return 0;
}

static int64_t rows_of_a(struct db_conn *c)
{
    CLEANUP(db_rows_freep) struct db_rows *rows = NULL;

    assert_int_equal(db_query(c, &count, NULL, 0, &rows, NULL), RC_OK);
    assert_int_equal(db_next(rows, NULL), RC_OK);
    return db_int(rows, 0);
}

static void each_migration_is_applied_once(void **state)
{
    struct db_conn *c = *state;

    assert_int_equal(db_migrate(c, good, 2, NULL), RC_OK);
    assert_int_equal(rows_of_a(c), 1);
    assert_int_equal(db_migrate(c, good, 2, NULL), RC_OK);
    assert_int_equal(rows_of_a(c), 1);
    assert_int_equal(db_migrate(c, good, 3, NULL), RC_OK);
    assert_int_equal(rows_of_a(c), 2);
}

static void an_older_program_refuses_a_newer_database(void **state)
{
    struct db_conn *c = *state;
    struct err e = {0};

    assert_int_equal(db_migrate(c, good, 3, NULL), RC_OK);
    assert_int_equal(db_migrate(c, good, 2, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "newer version"));
}

static void a_migration_that_fails_leaves_nothing_of_itself(void **state)
{
    struct db_conn *c = *state;
    struct err e = {0};

    assert_int_not_equal(db_migrate(c, broken, 2, &e), RC_OK);
    assert_non_null(strstr(e.text, "migration two"));
    assert_int_equal(rows_of_a(c), 0);
    assert_int_equal(db_migrate(c, broken, 1, NULL), RC_OK); /* the first one stays */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_migration_is_applied_once),
        CASE(an_older_program_refuses_a_newer_database),
        CASE(a_migration_that_fails_leaves_nothing_of_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
