/* SQLite behind the connection interface. */
#include "temp_folder.h"
#include "test.h"

#include "db/db.h"

static const struct db_migration tables[] = {
    {1, "first",
     "CREATE TABLE thing (name TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, n BIGINT, bytes BLOB);"
     "CREATE TABLE part (thing TEXT COLLATE \"C\" NOT NULL REFERENCES thing (name));"},
};
/* Out of order on purpose: SQLite numbers names as it meets them. */
static const struct db_statement put = {0, "put",
                                        "INSERT INTO thing (n, name, bytes) VALUES ($2, $1, $3)"};
static const struct db_statement get = {1, "get", "SELECT n, bytes FROM thing WHERE name = $1"};
static const struct db_statement all = {2, "all", "SELECT name FROM thing ORDER BY name"};
static const struct db_statement twice = {3, "twice",
                                          "UPDATE thing SET n = $2 WHERE n = $1 OR n = $1 + $2"};
static const struct db_statement add_part = {4, "part", "INSERT INTO part (thing) VALUES ($1)"};

struct fixture {
    struct temp_folder folder;
    char url[600];
    struct db_conn *c;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    temp_folder_make(&f->folder);
    snprintf(f->url, sizeof(f->url), "sqlite:%s/test.db", f->folder.path);
    *state = f;
    if (db_open(f->url, &f->c, NULL) != RC_OK)
        return -1;
    return db_migrate(f->c, tables, ARRAY_LEN(tables), NULL) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    db_close(f->c);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

static enum rc put_thing(struct db_conn *c, const char *name, int64_t n)
{
    const struct db_value v[] = {DB_T(str_from(name)), DB_I(n), DB_B(STR("a\0b"))};

    return db_exec(c, &put, v, ARRAY_LEN(v), NULL, NULL);
}

static enum rc get_thing(struct db_conn *c, const char *name, int64_t *ret)
{
    const struct db_value v[] = {DB_T(str_from(name))};
    CLEANUP(db_rows_freep) struct db_rows *rows = NULL;
    enum rc rc = db_query(c, &get, v, 1, &rows, NULL);

    if (rc == RC_OK)
        rc = db_next(rows, NULL);
    if (rc == RC_OK)
        *ret = db_int(rows, 0);
    return rc;
}

static void parameters_are_bound_by_their_number(void **state)
{
    struct fixture *f = *state;
    const struct db_value v[] = {DB_I(5), DB_I(7)};
    uint64_t changed = 9;
    int64_t n = 0;

    assert_int_equal(put_thing(f->c, "a", 5), RC_OK);
    assert_int_equal(put_thing(f->c, "b", 12), RC_OK);
    assert_int_equal(put_thing(f->c, "c", 7), RC_OK);
    assert_int_equal(db_exec(f->c, &twice, v, 2, &changed, NULL), RC_OK);
    assert_int_equal(changed, 2);
    assert_int_equal(get_thing(f->c, "b", &n), RC_OK);
    assert_int_equal(n, 7);
}

static void blobs_keep_every_byte_and_nulls_stay_null(void **state)
{
    struct fixture *f = *state;
    const struct db_value v[] = {DB_T(STR("x")), DB_NIL, DB_B(STR("\0\xff'\0"))};
    const struct db_value name[] = {DB_T(STR("x"))};
    CLEANUP(db_rows_freep) struct db_rows *rows = NULL;

    assert_int_equal(db_exec(f->c, &put, v, 3, NULL, NULL), RC_OK);
    assert_int_equal(db_query(f->c, &get, name, 1, &rows, NULL), RC_OK);
    assert_int_equal(db_next(rows, NULL), RC_OK);
    assert_true(db_null(rows, 0));
    assert_int_equal(db_text(rows, 1).len, 4);
    assert_memory_equal(db_text(rows, 1).ptr, "\0\xff'\0", 4);
    assert_int_equal(db_next(rows, NULL), RC_NOT_FOUND);
    assert_int_equal(db_next(rows, NULL), RC_NOT_FOUND); /* and does not begin again */
}

static void an_empty_text_is_not_null(void **state)
{
    struct fixture *f = *state;
    const struct db_value v[] = {DB_T(STR_NONE), DB_I(1), DB_B(STR_NONE)};
    CLEANUP(db_rows_freep) struct db_rows *rows = NULL;

    assert_int_equal(db_exec(f->c, &put, v, 3, NULL, NULL), RC_OK);
    assert_int_equal(db_query(f->c, &get, v, 1, &rows, NULL), RC_OK);
    assert_int_equal(db_next(rows, NULL), RC_OK);
    assert_false(db_null(rows, 1));
    assert_int_equal(db_text(rows, 1).len, 0);
}

static void text_sorts_as_bytes(void **state)
{
    static const char *const sorted[] = {"B", "a", "a-b", "a/b", "ab", "\xc3\xa9"};
    struct fixture *f = *state;
    CLEANUP(db_rows_freep) struct db_rows *rows = NULL;

    for (size_t i = ARRAY_LEN(sorted); i-- > 0;)
        assert_int_equal(put_thing(f->c, sorted[i], 1), RC_OK);
    assert_int_equal(db_query(f->c, &all, NULL, 0, &rows, NULL), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        assert_int_equal(db_next(rows, NULL), RC_OK);
        assert_str(db_text(rows, 0), sorted[i]);
    }
}

static void a_statement_can_run_while_its_rows_are_read(void **state)
{
    struct fixture *f = *state;
    CLEANUP(db_rows_freep) struct db_rows *outer = NULL;
    unsigned pairs = 0;

    assert_int_equal(put_thing(f->c, "a", 1), RC_OK);
    assert_int_equal(put_thing(f->c, "b", 1), RC_OK);
    assert_int_equal(db_query(f->c, &all, NULL, 0, &outer, NULL), RC_OK);
    while (db_next(outer, NULL) == RC_OK) {
        CLEANUP(db_rows_freep) struct db_rows *inner = NULL;

        assert_int_equal(db_query(f->c, &all, NULL, 0, &inner, NULL), RC_OK);
        while (db_next(inner, NULL) == RC_OK)
            pairs++;
    }
    assert_int_equal(pairs, 4);
}

static void violations_have_their_own_codes(void **state)
{
    struct fixture *f = *state;
    const struct db_value nobody[] = {DB_T(STR("nobody"))};
    int64_t n = 0;

    assert_int_equal(put_thing(f->c, "a", 1), RC_OK);
    assert_int_equal(put_thing(f->c, "a", 2), RC_EXISTS);
    assert_int_equal(db_exec(f->c, &add_part, nobody, 1, NULL, NULL), RC_CONFLICT);
    assert_int_equal(get_thing(f->c, "a", &n), RC_OK); /* both statements are usable afterwards */
    assert_int_equal(n, 1);
}

static void a_savepoint_takes_back_only_what_came_after_it(void **state)
{
    struct fixture *f = *state;
    int64_t n = 0;

    assert_int_equal(db_begin(f->c, NULL), RC_OK);
    assert_int_equal(put_thing(f->c, "kept", 1), RC_OK);
    assert_int_equal(db_savepoint(f->c, NULL), RC_OK);
    assert_int_equal(put_thing(f->c, "dropped", 2), RC_OK);
    db_rollback_to(f->c);
    assert_int_equal(db_savepoint(f->c, NULL), RC_OK);
    assert_int_equal(put_thing(f->c, "released", 3), RC_OK);
    assert_int_equal(db_release(f->c, NULL), RC_OK);
    assert_int_equal(db_commit(f->c, NULL), RC_OK);
    assert_int_equal(get_thing(f->c, "kept", &n), RC_OK);
    assert_int_equal(get_thing(f->c, "dropped", &n), RC_NOT_FOUND);
    assert_int_equal(get_thing(f->c, "released", &n), RC_OK);
}

static void a_read_transaction_sees_one_state(void **state)
{
    struct fixture *f = *state;
    struct db_conn *reader = NULL;
    int64_t n = 0;

    assert_int_equal(put_thing(f->c, "before", 1), RC_OK);
    assert_int_equal(db_open(f->url, &reader, NULL), RC_OK);
    assert_int_equal(db_begin_read(reader, NULL), RC_OK);
    assert_int_equal(get_thing(reader, "before", &n), RC_OK);
    assert_int_equal(put_thing(f->c, "after", 1), RC_OK);
    assert_int_equal(get_thing(reader, "after", &n), RC_NOT_FOUND);
    assert_int_equal(db_commit(reader, NULL), RC_OK);
    assert_int_equal(get_thing(reader, "after", &n), RC_OK);
    db_close(reader);
}

static const struct db_statement limit_pages = {5, "limit", "PRAGMA max_page_count = 24"};

static void a_full_disk_is_a_quota_and_nothing_half_written_is_committed(void **state)
{
    struct fixture *f = *state;
    static char big[200000];
    const struct db_value v[] = {DB_T(STR("big")), DB_I(1), DB_B(((struct str){big, sizeof(big)}))};
    int64_t n = 0;

    assert_int_equal(db_exec(f->c, &limit_pages, NULL, 0, NULL, NULL), RC_OK);
    assert_int_equal(db_begin(f->c, NULL), RC_OK);
    assert_int_equal(put_thing(f->c, "small", 1), RC_OK);
    assert_int_equal(db_exec(f->c, &put, v, 3, NULL, NULL), RC_QUOTA);
    /* SQLite has ended the transaction: what follows must not commit by itself. */
    assert_int_equal(put_thing(f->c, "later", 1), RC_UNAVAILABLE);
    assert_int_equal(db_commit(f->c, NULL), RC_UNAVAILABLE);
    db_rollback(f->c);
    assert_int_equal(get_thing(f->c, "small", &n), RC_NOT_FOUND);
    assert_int_equal(get_thing(f->c, "later", &n), RC_NOT_FOUND);
    assert_int_equal(put_thing(f->c, "again", 1), RC_OK);
}

static void addresses_that_are_no_database_are_refused(void **state)
{
    struct db_conn *c = NULL;

    (void)state;
    assert_int_equal(db_open("sqlite:relative.db", &c, NULL), RC_INVALID);
    assert_int_equal(db_open("mysql:/x", &c, NULL), RC_UNSUPPORTED);
    assert_int_equal(db_open("", &c, NULL), RC_UNSUPPORTED);
    assert_int_not_equal(db_open("sqlite:/proc/none/kidoban.db", &c, NULL), RC_OK);
    assert_null(c);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(parameters_are_bound_by_their_number),
        CASE(blobs_keep_every_byte_and_nulls_stay_null),
        CASE(an_empty_text_is_not_null),
        CASE(text_sorts_as_bytes),
        CASE(a_statement_can_run_while_its_rows_are_read),
        CASE(violations_have_their_own_codes),
        CASE(a_savepoint_takes_back_only_what_came_after_it),
        CASE(a_read_transaction_sees_one_state),
        CASE(a_full_disk_is_a_quota_and_nothing_half_written_is_committed),
        cmocka_unit_test(addresses_that_are_no_database_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
