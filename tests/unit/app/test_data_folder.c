#include "app/data_folder.h"
#include "sys/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PEM_MAX = 65536 };

/* A folder of the test's own; removed with everything in it by remove_folder. */
static int make_folder(void **state)
{
    static char path[64];

    snprintf(path, sizeof(path), "/tmp/kidoban-test-XXXXXX");
    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const files[] = {"tls/ca.crt",     "tls/ca.key", "tls/server.crt",
                                        "tls/server.key", "tls",        "seal.key",
                                        "lock",           "."};
    int dir = open(*state, O_RDONLY | O_DIRECTORY);

    for (size_t i = 0; i + 1 < ARRAY_LEN(files); i++)
        if (unlinkat(dir, files[i], 0) < 0)
            unlinkat(dir, files[i], AT_REMOVEDIR);
    close(dir);
    return rmdir(*state);
}

static void a_second_server_is_refused_the_folder(void **state)
{
    CLEANUP(data_folder_done) struct data_folder first = DATA_FOLDER_NONE;
    struct data_folder second = DATA_FOLDER_NONE;
    struct err e = {0};

    assert_int_equal(data_folder_open(*state, &first, NULL), RC_OK);
    assert_int_equal(data_folder_open(*state, &second, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "in use by another kidoban"));
    assert_int_equal(second.fd, -1);
}

static void the_sealing_key_is_made_once_and_kept_from_others(void **state)
{
    struct data_folder d = DATA_FOLDER_NONE;
    struct crypto_key key;
    struct stat st;

    assert_int_equal(data_folder_open(*state, &d, NULL), RC_OK);
    key = d.seal;
    assert_int_equal(fstatat(d.fd, "seal.key", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    data_folder_done(&d);
    assert_int_equal(data_folder_open(*state, &d, NULL), RC_OK);
    assert_memory_equal(&key, &d.seal, sizeof(key));
    data_folder_done(&d);
}

static void a_sealing_key_of_the_wrong_size_is_not_replaced(void **state)
{
    struct data_folder d = DATA_FOLDER_NONE;
    struct err e = {0};
    int dir = open(*state, O_RDONLY | O_DIRECTORY);

    assert_int_equal(file_write_atomic(dir, "seal.key", STR("short"), 0600, NULL), RC_OK);
    close(dir);
    assert_int_equal(data_folder_open(*state, &d, &e), RC_CORRUPT);
}

static void a_sealing_key_that_is_missing_beside_a_database_is_not_replaced(void **state)
{
    struct data_folder d = DATA_FOLDER_NONE;
    struct err e = {0};
    int dir = open(*state, O_RDONLY | O_DIRECTORY);

    assert_int_equal(file_write_atomic(dir, "kidoban.db", STR("rows"), 0600, NULL), RC_OK);
    assert_int_equal(data_folder_open(*state, &d, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "seal.key is missing"));
    assert_int_not_equal(faccessat(dir, "seal.key", F_OK, 0), 0);
    assert_int_equal(unlinkat(dir, "kidoban.db", 0), 0);
    close(dir);
}

static enum rc certificates(const struct data_folder *d, const char *suffix, struct buf *chain,
                            struct err *e)
{
    CLEANUP(buf_done) struct buf key = BUF_INIT(PEM_MAX);

    return data_folder_certificates(d, suffix, chain, &key, e);
}

static void certificates_are_made_once_and_only_for_their_suffix(void **state)
{
    CLEANUP(data_folder_done) struct data_folder d = DATA_FOLDER_NONE;
    CLEANUP(buf_done) struct buf one = BUF_INIT(PEM_MAX), two = BUF_INIT(PEM_MAX);
    struct err e = {0};

    assert_int_equal(data_folder_open(*state, &d, NULL), RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &one, NULL), RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &two, NULL), RC_OK);
    assert_true(str_eq(buf_str(&one), buf_str(&two)));
    assert_int_equal(certificates(&d, "other.example", &two, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "kidoban ca renew"));
    assert_int_equal(data_folder_renew_certificates(&d, "other.example", NULL), RC_OK);
    assert_int_equal(certificates(&d, "other.example", &two, NULL), RC_OK);
}

static void a_lost_leaf_is_made_again_by_the_same_authority(void **state)
{
    CLEANUP(data_folder_done) struct data_folder d = DATA_FOLDER_NONE;
    CLEANUP(buf_done) struct buf one = BUF_INIT(PEM_MAX), two = BUF_INIT(PEM_MAX);
    CLEANUP(buf_done) struct buf before = BUF_INIT(PEM_MAX), after = BUF_INIT(PEM_MAX);

    assert_int_equal(data_folder_open(*state, &d, NULL), RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &one, NULL), RC_OK);
    assert_int_equal(file_read(d.fd, "tls/ca.crt", PEM_MAX, &before, NULL), RC_OK);
    assert_int_equal(unlinkat(d.fd, "tls/server.crt", 0), 0);
    assert_int_equal(certificates(&d, "registry.example", &two, NULL), RC_OK);
    assert_int_equal(file_read(d.fd, "tls/ca.crt", PEM_MAX, &after, NULL), RC_OK);
    assert_true(str_eq(buf_str(&before), buf_str(&after)));
    assert_false(str_eq(buf_str(&one), buf_str(&two)));
}

/* The key is written first: power may fail before the certificate is. */
static void a_leaf_whose_key_is_another_ones_is_made_again(void **state)
{
    CLEANUP(data_folder_done) struct data_folder d = DATA_FOLDER_NONE;
    CLEANUP(buf_done) struct buf one = BUF_INIT(PEM_MAX), two = BUF_INIT(PEM_MAX);
    CLEANUP(buf_done) struct buf other_key = BUF_INIT(PEM_MAX);

    assert_int_equal(data_folder_open(*state, &d, NULL), RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &one, NULL), RC_OK);
    assert_int_equal(file_read(d.fd, "tls/ca.key", PEM_MAX, &other_key, NULL), RC_OK);
    assert_int_equal(file_write_atomic(d.fd, "tls/server.key", buf_str(&other_key), 0600, NULL),
                     RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &two, NULL), RC_OK);
    assert_false(str_eq(buf_str(&one), buf_str(&two)));
    buf_clear(&one);
    assert_int_equal(certificates(&d, "registry.example", &one, NULL), RC_OK);
    assert_true(str_eq(buf_str(&one), buf_str(&two)));
}

static void a_leaf_of_an_authority_that_was_replaced_is_made_again(void **state)
{
    CLEANUP(data_folder_done) struct data_folder d = DATA_FOLDER_NONE;
    CLEANUP(buf_done) struct buf chain = BUF_INIT(PEM_MAX), again = BUF_INIT(PEM_MAX);
    CLEANUP(buf_done) struct buf leaf = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX);

    assert_int_equal(data_folder_open(*state, &d, NULL), RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &chain, NULL), RC_OK);
    assert_int_equal(file_read(d.fd, "tls/server.crt", PEM_MAX, &leaf, NULL), RC_OK);
    assert_int_equal(file_read(d.fd, "tls/server.key", PEM_MAX, &key, NULL), RC_OK);
    assert_int_equal(data_folder_renew_certificates(&d, "registry.example", NULL), RC_OK);
    assert_int_equal(file_write_atomic(d.fd, "tls/server.key", buf_str(&key), 0600, NULL), RC_OK);
    assert_int_equal(file_write_atomic(d.fd, "tls/server.crt", buf_str(&leaf), 0644, NULL), RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &again, NULL), RC_OK);
    assert_false(str_starts(buf_str(&again), buf_str(&leaf)));
}

static void an_authority_whose_key_is_kept_elsewhere_is_not_replaced(void **state)
{
    CLEANUP(data_folder_done) struct data_folder d = DATA_FOLDER_NONE;
    CLEANUP(buf_done) struct buf one = BUF_INIT(PEM_MAX), two = BUF_INIT(PEM_MAX);
    struct err e = {0};

    assert_int_equal(data_folder_open(*state, &d, NULL), RC_OK);
    assert_int_equal(certificates(&d, "registry.example", &one, NULL), RC_OK);
    assert_int_equal(unlinkat(d.fd, "tls/ca.key", 0), 0);
    assert_int_equal(certificates(&d, "registry.example", &two, NULL), RC_OK);
    assert_true(str_eq(buf_str(&one), buf_str(&two)));
    assert_int_equal(unlinkat(d.fd, "tls/server.crt", 0), 0);
    assert_int_equal(certificates(&d, "registry.example", &two, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "tls/ca.key"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_server_is_refused_the_folder),
        TEST(the_sealing_key_is_made_once_and_kept_from_others),
        TEST(a_sealing_key_of_the_wrong_size_is_not_replaced),
        TEST(a_sealing_key_that_is_missing_beside_a_database_is_not_replaced),
        TEST(certificates_are_made_once_and_only_for_their_suffix),
        TEST(a_lost_leaf_is_made_again_by_the_same_authority),
        TEST(a_leaf_whose_key_is_another_ones_is_made_again),
        TEST(a_leaf_of_an_authority_that_was_replaced_is_made_again),
        TEST(an_authority_whose_key_is_kept_elsewhere_is_not_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
