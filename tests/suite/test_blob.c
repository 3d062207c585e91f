/* What every blob store does. */
#include "temp_folder.h"
#include "test.h"

#include "blob/blob.h"
#include "sys/fd.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static const struct digest one = {DIGEST_SHA256, {0xab, 1}}, two = {DIGEST_SHA256, {0xab, 2}};
static const struct digest wide = {DIGEST_SHA512, {0xab, 1}};

struct fixture {
    struct temp_folder folder;
    struct blob_store *store;
};

static struct fixture *new_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    temp_folder_make(&f->folder);
    *state = f;
    return f;
}

static int setup_fs(void **state)
{
    struct fixture *f = new_fixture(state);

    return blob_fs_open(f->folder.path, &f->store, NULL) == RC_OK ? 0 : -1;
}

static int setup_mem(void **state)
{
    new_fixture(state)->store = blob_mem_new();
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    blob_store_free(f->store);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

static struct blob_stage *stage(struct blob_store *s, const char *name, const char *bytes)
{
    struct blob_stage *g = NULL;

    assert_int_equal(blob_stage_new(s, str_from(name), &g, NULL), RC_OK);
    assert_int_equal(blob_stage_write(g, 0, str_from(bytes), NULL), RC_OK);
    return g;
}

static void put(struct blob_store *s, const struct digest *d, const char *bytes)
{
    assert_int_equal(blob_stage_commit(stage(s, "a0", bytes), d, NULL), RC_OK);
}

static void assert_blob(struct blob_store *s, const struct digest *d, const char *bytes)
{
    CLEANUP(fd_closep) int fd = -1;
    uint64_t size = 0;
    char have[64];

    assert_int_equal(blob_open(s, d, &fd, &size, NULL), RC_OK);
    assert_int_equal(size, strlen(bytes));
    assert_int_equal(pread(fd, have, sizeof(have), 0), (ssize_t)size);
    assert_memory_equal(have, bytes, size);
    assert_true(write(fd, "x", 1) < 0); /* what is stored is never changed */
}

static void a_missing_blob_is_not_found(void **state)
{
    struct fixture *f = *state;
    uint64_t size = 7;
    int fd = -7;

    assert_int_equal(blob_size(f->store, &one, &size, NULL), RC_NOT_FOUND);
    assert_int_equal(blob_open(f->store, &one, &fd, &size, NULL), RC_NOT_FOUND);
    assert_int_equal(blob_unlink(f->store, &one, NULL), RC_NOT_FOUND);
    assert_int_equal(size, 7); /* untouched on failure */
    assert_int_equal(fd, -7);
}

static void a_committed_stage_is_the_blob(void **state)
{
    struct fixture *f = *state;
    uint64_t size = 0;
    struct blob_stage *g = NULL;

    put(f->store, &one, "content");
    assert_blob(f->store, &one, "content");
    assert_int_equal(blob_size(f->store, &one, &size, NULL), RC_OK);
    assert_int_equal(size, 7);
    assert_int_equal(blob_stage_open(f->store, STR("a0"), &g, &size, NULL), RC_NOT_FOUND);
}

static void an_empty_blob_is_a_blob(void **state)
{
    struct fixture *f = *state;

    put(f->store, &one, "");
    assert_blob(f->store, &one, "");
}

static void digests_do_not_meet(void **state)
{
    struct fixture *f = *state;
    uint64_t size = 0;

    put(f->store, &one, "1");
    assert_int_equal(blob_size(f->store, &two, &size, NULL), RC_NOT_FOUND);
    assert_int_equal(blob_size(f->store, &wide, &size, NULL), RC_NOT_FOUND);
    put(f->store, &wide, "512");
    assert_blob(f->store, &one, "1");
    assert_blob(f->store, &wide, "512");
}

static void committing_what_is_there_is_fine_and_readers_go_on(void **state)
{
    struct fixture *f = *state;
    CLEANUP(fd_closep) int fd = -1;
    uint64_t size = 0;
    char have[8];

    put(f->store, &one, "same");
    assert_int_equal(blob_open(f->store, &one, &fd, &size, NULL), RC_OK);
    put(f->store, &one, "same");
    assert_blob(f->store, &one, "same");
    assert_int_equal(blob_unlink(f->store, &one, NULL), RC_OK);
    assert_int_equal(blob_size(f->store, &one, &size, NULL), RC_NOT_FOUND);
    assert_int_equal(pread(fd, have, sizeof(have), 0), 4);
}

static void a_stage_is_written_anywhere_cut_and_read_back(void **state)
{
    struct fixture *f = *state;
    struct blob_stage *g = stage(f->store, "b-1", "0123456789");
    uint64_t size = 0;
    size_t n = 99;
    char have[16];

    assert_int_equal(blob_stage_write(g, 8, STR("abcd"), NULL), RC_OK);
    assert_int_equal(blob_stage_truncate(g, 11, NULL), RC_OK);
    assert_int_equal(blob_stage_read(g, 6, have, sizeof(have), &n, NULL), RC_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(have, "67abc", 5);
    assert_int_equal(blob_stage_read(g, 11, have, sizeof(have), &n, NULL), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(blob_stage_sync(g, NULL), RC_OK);
    blob_stage_close(g);

    assert_int_equal(blob_stage_open(f->store, STR("b-1"), &g, &size, NULL), RC_OK);
    assert_int_equal(size, 11);
    assert_int_equal(blob_stage_commit(g, &one, NULL), RC_OK);
    assert_blob(f->store, &one, "01234567abc");
}

static void a_discarded_stage_is_gone_and_a_name_serves_one_stage(void **state)
{
    struct fixture *f = *state;
    struct blob_stage *g = stage(f->store, "c", "x"), *again = NULL;
    uint64_t size = 0;

    assert_int_equal(blob_stage_new(f->store, STR("c"), &again, NULL), RC_EXISTS);
    blob_stage_discard(g);
    assert_int_equal(blob_stage_open(f->store, STR("c"), &again, &size, NULL), RC_NOT_FOUND);
    assert_null(again);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "../a", "/a", "A", "g", "a b"};
    static const char long_name[] = "0123456789abcdef0123456789abcdef"
                                    "0123456789abcdef0123456789abcdef0";
    struct fixture *f = *state;
    struct blob_stage *g = NULL;
    uint64_t size = 0;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(blob_stage_new(f->store, str_from(bad[i]), &g, NULL), RC_INVALID);
        assert_int_equal(blob_stage_open(f->store, str_from(bad[i]), &g, &size, NULL), RC_INVALID);
    }
    assert_int_equal(blob_stage_new(f->store, STR("a\0b"), &g, NULL), RC_INVALID);
    assert_int_equal(blob_stage_new(f->store, STR(long_name), &g, NULL), RC_INVALID);
    assert_null(g);
}

static bool keep_a(void *ctx, struct str name)
{
    ++*(unsigned *)ctx;
    return name.ptr[0] == 'a';
}

static void sweeping_removes_the_stages_that_nobody_keeps(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"a1", "b1", "a2", "b2", "c"};
    struct blob_stage *g = NULL;
    unsigned asked = 0;
    uint64_t size = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        blob_stage_close(stage(f->store, names[i], "x"));
    assert_int_equal(blob_stage_sweep(f->store, keep_a, &asked, NULL), RC_OK);
    assert_true(asked >= ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum rc want = names[i][0] == 'a' ? RC_OK : RC_NOT_FOUND;

        assert_int_equal(blob_stage_open(f->store, str_from(names[i]), &g, &size, NULL), want);
        if (want == RC_OK)
            blob_stage_close(g);
    }
}

enum { THREADS = 4, ROUNDS = 25 };
struct pusher {
    struct blob_store *store;
    unsigned number;
};

static void *push_many(void *arg)
{
    const struct pusher *p = arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        char name[16];
        struct blob_stage *g = NULL;

        snprintf(name, sizeof(name), "%x-%x", p->number, i);
        if (blob_stage_new(p->store, str_from(name), &g, NULL) != RC_OK ||
            blob_stage_write(g, 0, STR("shared"), NULL) != RC_OK ||
            blob_stage_commit(g, &one, NULL) != RC_OK)
            abort();
    }
    return NULL;
}

static void the_same_blob_is_pushed_by_several_at_once(void **state)
{
    struct fixture *f = *state;
    struct pusher pushers[THREADS];
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        pushers[i] = (struct pusher){f->store, i};
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_blob(f->store, &one, "shared");
}

/* --- files only --- */

static void a_blob_is_a_file_under_its_digest(void **state)
{
    struct fixture *f = *state;
    char path[800];
    struct stat st;

    put(f->store, &one, "content");
    snprintf(path, sizeof(path), "%s/blobs/sha256/ab/ab01%060d", f->folder.path, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 7);
    assert_int_equal(st.st_mode & 077, 0);
    snprintf(path, sizeof(path), "%s/blobs/sha512/ff", f->folder.path);
    assert_int_equal(stat(path, &st), 0); /* made at the first start */
}

static void files_outlive_the_store(void **state)
{
    struct fixture *f = *state;
    struct blob_stage *g = stage(f->store, "d", "half");
    uint64_t size = 0;

    put(f->store, &one, "kept");
    blob_stage_close(g);
    blob_store_free(f->store);
    f->store = NULL;
    assert_int_equal(blob_fs_open(f->folder.path, &f->store, NULL), RC_OK);
    assert_blob(f->store, &one, "kept");
    assert_int_equal(blob_stage_open(f->store, STR("d"), &g, &size, NULL), RC_OK);
    assert_int_equal(size, 4);
    blob_stage_discard(g);
}

static void what_does_not_belong_in_staging_goes_too(void **state)
{
    struct fixture *f = *state;
    char path[800];
    unsigned asked = 0;
    struct stat st;

    snprintf(path, sizeof(path), "%s/staging/left over", f->folder.path);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    fd_close(fd);
    assert_int_equal(blob_stage_sweep(f->store, keep_a, &asked, NULL), RC_OK);
    assert_int_not_equal(stat(path, &st), 0);
}

#define BOTH(name)                                                                                 \
    {#name " (fs)", name, setup_fs, teardown, NULL},                                               \
    {                                                                                              \
#name " (mem)", name, setup_mem, teardown, NULL                                            \
    }
#define FS(name) cmocka_unit_test_setup_teardown(name, setup_fs, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_missing_blob_is_not_found),
        BOTH(a_committed_stage_is_the_blob),
        BOTH(an_empty_blob_is_a_blob),
        BOTH(digests_do_not_meet),
        BOTH(committing_what_is_there_is_fine_and_readers_go_on),
        BOTH(a_stage_is_written_anywhere_cut_and_read_back),
        BOTH(a_discarded_stage_is_gone_and_a_name_serves_one_stage),
        BOTH(names_that_lead_elsewhere_are_refused),
        BOTH(sweeping_removes_the_stages_that_nobody_keeps),
        BOTH(the_same_blob_is_pushed_by_several_at_once),
        FS(a_blob_is_a_file_under_its_digest),
        FS(files_outlive_the_store),
        FS(what_does_not_belong_in_staging_goes_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
