/* Blobs: uploads, visibility, mounts, what is left after a crash. */
#include "fixture.h"

#include "base/clock.h"
#include "meta/content.h"
#include "sys/fd.h"
#include <unistd.h>

static void assert_visible(struct registry_fixture *f, const struct registry_where *w,
                           const struct digest *d, const char *bytes)
{
    CLEANUP(fd_closep) int fd = -1;
    uint64_t size = 0;
    char have[64];

    assert_int_equal(registry_blob_stat(f->store, w, d, &size, NULL), RC_OK);
    assert_int_equal(size, strlen(bytes));
    assert_int_equal(registry_blob_open(f->store, w, d, &fd, &size, NULL), RC_OK);
    assert_int_equal(pread(fd, have, sizeof(have), 0), (ssize_t)strlen(bytes));
    assert_memory_equal(have, bytes, strlen(bytes));
}

static void assert_invisible(struct registry_fixture *f, const struct registry_where *w,
                             const struct digest *d)
{
    uint64_t size = 0;
    int fd = -1;

    assert_int_equal(registry_blob_stat(f->store, w, d, &size, NULL), RC_NOT_FOUND);
    assert_int_equal(registry_blob_open(f->store, w, d, &fd, &size, NULL), RC_NOT_FOUND);
}

/* Begins an upload and leaves it; returns its id. */
static struct str begin(struct registry_fixture *f, const struct registry_where *w)
{
    struct registry_upload *u = NULL;

    assert_int_equal(registry_upload_start(f->store, w, DIGEST_SHA256, &u, NULL), RC_OK);
    struct str id = arena_copy(&f->arena, registry_upload_id(u));

    registry_upload_close(u);
    return id;
}

static struct registry_upload *open_again(struct registry_fixture *f, struct str id)
{
    struct registry_upload *u = NULL;

    assert_int_equal(registry_upload_open(f->store, &f->a, id, &u, NULL), RC_OK);
    return u;
}

static void append(struct registry_upload *u, const char *bytes)
{
    assert_int_equal(registry_upload_append(u, str_from(bytes), NULL), RC_OK);
}

static void assert_gone(struct registry_fixture *f, const struct registry_where *w, struct str id)
{
    struct registry_upload *u = NULL;
    uint64_t saved = 0;
    struct err e = {0};

    assert_int_equal(registry_upload_open(f->store, w, id, &u, &e), RC_NOT_FOUND);
    assert_string_equal(e.code, "BLOB_UPLOAD_UNKNOWN");
    assert_int_equal(registry_upload_stat(f->store, w, id, &saved, NULL), RC_NOT_FOUND);
}

static void a_pushed_blob_is_visible_in_its_repository_only(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = push_blob(f, &f->a, STR("content"));

    assert_visible(f, &f->a, &d, "content");
    assert_invisible(f, &f->b, &d);
    assert_invisible(f, &f->elsewhere, &d);
    assert_true(f->judged > 0);
}

static void an_upload_goes_on_where_it_was_saved(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = digest_of(STR("0123456789"));
    struct str id = begin(f, &f->a);
    struct registry_upload *u = open_again(f, id);

    append(u, "0123");
    assert_int_equal(registry_upload_save(u, NULL), RC_OK);
    assert_int_equal(registry_upload_offset(u), 4);
    append(u, "and what no one acknowledged");
    registry_upload_close(u);

    u = open_again(f, id);
    assert_int_equal(registry_upload_offset(u), 4);
    append(u, "45");
    append(u, "6789");
    assert_int_equal(registry_upload_finish(u, &f->a, &d, NULL), RC_OK);
    assert_visible(f, &f->a, &d, "0123456789");
    assert_gone(f, &f->a, id);
}

static void a_wrong_digest_is_refused_and_ends_the_upload(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = digest_of(STR("expected"));
    struct str id = begin(f, &f->a);
    struct registry_upload *u = open_again(f, id);
    struct err e = {0};

    append(u, "something else");
    assert_int_equal(registry_upload_finish(u, &f->a, &d, &e), RC_INVALID);
    assert_string_equal(e.code, "DIGEST_INVALID");
    assert_invisible(f, &f->a, &d);
    assert_gone(f, &f->a, id);
}

static void a_digest_of_another_algorithm_is_verified_too(void **state)
{
    struct registry_fixture *f = *state;
    struct registry_upload *u = NULL;
    struct digest d, wrong;

    hash_bytes(DIGEST_SHA512, STR("content"), &d);
    hash_bytes(DIGEST_SHA512, STR("other"), &wrong);
    assert_int_equal(registry_upload_start(f->store, &f->a, DIGEST_SHA256, &u, NULL), RC_OK);
    append(u, "content");
    assert_int_equal(registry_upload_finish(u, &f->a, &d, NULL), RC_OK);
    assert_visible(f, &f->a, &d, "content");
    assert_int_equal(registry_upload_start(f->store, &f->a, DIGEST_SHA256, &u, NULL), RC_OK);
    append(u, "content");
    assert_int_equal(registry_upload_finish(u, &f->a, &wrong, NULL), RC_INVALID);
}

static void an_upload_is_worked_on_by_one_request_at_a_time(void **state)
{
    struct registry_fixture *f = *state;
    struct str id = begin(f, &f->a);
    struct registry_upload *first = open_again(f, id), *second = NULL;

    assert_int_equal(registry_upload_open(f->store, &f->a, id, &second, NULL), RC_CONFLICT);
    registry_upload_close(first);
    second = open_again(f, id);
    assert_int_equal(registry_upload_cancel(second, NULL), RC_OK);
    assert_gone(f, &f->a, id);
}

static void who_asks_how_far_an_upload_is_stands_in_nobodys_way(void **state)
{
    struct registry_fixture *f = *state;
    struct str id = begin(f, &f->a);
    struct registry_upload *u = open_again(f, id);
    uint64_t saved = 99;

    append(u, "saved");
    assert_int_equal(registry_upload_save(u, NULL), RC_OK);
    append(u, ", not saved");
    assert_int_equal(registry_upload_stat(f->store, &f->a, id, &saved, NULL), RC_OK);
    assert_int_equal(saved, 5);
    registry_upload_close(u);
}

struct waiter {
    struct registry_wait wait;
    unsigned told;
};

static void note_told(struct registry_wait *w)
{
    CONTAINER_OF(w, struct waiter, wait)->told++;
}

static void who_waits_for_an_upload_is_told_in_turn_when_it_is_free(void **state)
{
    struct registry_fixture *f = *state;
    struct str id = begin(f, &f->a), other = begin(f, &f->a);
    struct registry_upload *u = open_again(f, id);
    struct waiter first = {{note_told}, 0}, second = first, third = first;

    assert_false(registry_upload_wait(f->store, other, &first.wait)); /* nobody works on it */
    assert_false(registry_upload_wait(f->store, STR("no-id"), &first.wait));
    assert_true(registry_upload_wait(f->store, id, &first.wait));
    assert_true(registry_upload_wait(f->store, id, &second.wait));
    assert_true(registry_upload_wait(f->store, id, &third.wait));
    registry_upload_close(open_again(f, other));
    assert_int_equal(first.told, 0);
    assert_true(registry_upload_wait_end(f->store, &second.wait));
    registry_upload_close(u);
    assert_int_equal(first.told, 1);
    assert_false(registry_upload_wait_end(f->store, &first.wait));
    assert_int_equal(third.told, 0); /* the first one's turn */
    registry_upload_close(open_again(f, id));
    assert_int_equal(third.told, 1);
    assert_int_equal(first.told + second.told, 1);
}

static void who_waits_for_an_upload_that_ends_is_told(void **state)
{
    struct registry_fixture *f = *state;
    struct str id = begin(f, &f->a);
    struct digest d = digest_of(STR(""));
    struct registry_upload *u = open_again(f, id);
    struct waiter w = {{note_told}, 0};

    assert_true(registry_upload_wait(f->store, id, &w.wait));
    assert_int_equal(registry_upload_finish(u, &f->a, &d, NULL), RC_OK);
    assert_int_equal(w.told, 1);
    assert_gone(f, &f->a, id);
}

static void who_waits_in_vain_leaves_nothing_behind(void **state)
{
    struct registry_fixture *f = *state;
    struct str id = begin(f, &f->a);
    struct registry_upload *u = open_again(f, id);
    struct waiter list[4] = {
        {{note_told}, 0}, {{note_told}, 0}, {{note_told}, 0}, {{note_told}, 0}};

    for (size_t i = 0; i < 4; i++)
        assert_true(registry_upload_wait(f->store, id, &list[i].wait));
    assert_true(registry_upload_wait_end(f->store, &list[3].wait)); /* the last one */
    assert_true(registry_upload_wait_end(f->store, &list[0].wait)); /* the first one */
    registry_upload_close(u);
    assert_int_equal(list[1].told, 1); /* and does not come */
    assert_int_equal(list[2].told, 0);
    registry_upload_close(open_again(f, id)); /* that another waits keeps nobody out */
    assert_int_equal(list[2].told, 1);
    assert_false(registry_upload_wait_end(f->store, &list[2].wait));
    u = open_again(f, id);
    assert_true(registry_upload_wait(f->store, id, &list[0].wait));
    assert_true(registry_upload_wait(f->store, id, &list[2].wait));
    registry_upload_close(u);
    assert_int_equal(list[0].told, 1);
    assert_true(registry_upload_wait_end(
        f->store, &list[2].wait)); /* nobody works on it, but nobody told it */
    assert_false(registry_upload_wait_end(f->store, &list[2].wait));
    assert_false(registry_upload_wait(f->store, id, &list[2].wait));
    assert_false(registry_upload_wait_end(f->store, &list[2].wait));
}

static void an_upload_belongs_to_its_repository(void **state)
{
    struct registry_fixture *f = *state;
    struct str id = begin(f, &f->a);

    assert_gone(f, &f->b, id);
    assert_gone(f, &f->elsewhere, id);
    assert_gone(f, &f->a, STR("not-an-id"));
    assert_gone(f, &f->a, STR("11111111-1111-4111-8111-111111111111"));
    registry_upload_close(open_again(f, id));
}

static void a_gate_that_shut_meanwhile_lets_nothing_commit(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = digest_of(STR("late")), there = push_blob(f, &f->a, STR("there"));
    struct registry_upload *u = NULL, *none = NULL;
    struct str id = begin(f, &f->a);

    assert_int_equal(registry_upload_start(f->store, &f->a, DIGEST_SHA256, &u, NULL), RC_OK);
    append(u, "late");
    f->verdict = RC_DENIED;
    assert_int_equal(registry_upload_save(u, NULL), RC_DENIED);
    assert_int_equal(registry_upload_finish(u, &f->a, &d, NULL), RC_DENIED);
    assert_int_equal(registry_upload_start(f->store, &f->a, DIGEST_SHA256, &none, NULL), RC_DENIED);
    assert_null(none);
    assert_int_equal(registry_upload_cancel(open_again(f, id), NULL), RC_DENIED);
    assert_int_equal(registry_blob_delete(f->store, &f->a, &there, NULL), RC_DENIED);
    assert_int_equal(registry_blob_mount(f->store, &f->b, &there, f->a.repository, NULL),
                     RC_DENIED);
    assert_invisible(f, &f->a, &d);
    assert_invisible(f, &f->b, &there);
    f->verdict = RC_OK;
    assert_visible(f, &f->a, &there, "there");
    assert_int_equal(registry_upload_cancel(open_again(f, id), NULL), RC_OK);
}

static void mounting_links_what_the_source_holds(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = push_blob(f, &f->a, STR("shared")), none = digest_of(STR("none"));

    assert_int_equal(registry_blob_mount(f->store, &f->b, &none, f->a.repository, NULL),
                     RC_NOT_FOUND);
    assert_int_equal(registry_blob_mount(f->store, &f->b, &d, STR("unknown"), NULL), RC_NOT_FOUND);
    assert_invisible(f, &f->b, &d);
    assert_int_equal(registry_blob_mount(f->store, &f->b, &d, f->a.repository, NULL), RC_OK);
    assert_visible(f, &f->b, &d, "shared");
    assert_int_equal(registry_blob_mount(f->store, &f->elsewhere, &d, f->a.repository, NULL),
                     RC_NOT_FOUND);
}

static void mounting_without_a_source_finds_one_in_the_same_registry(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = push_blob(f, &f->a, STR("shared"));

    assert_int_equal(registry_blob_mount(f->store, &f->b, &d, STR_NONE, NULL), RC_OK);
    assert_visible(f, &f->b, &d, "shared");
    assert_int_equal(registry_blob_mount(f->store, &f->elsewhere, &d, STR_NONE, NULL),
                     RC_NOT_FOUND);
}

static void deleting_takes_the_blob_from_one_repository(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = push_blob(f, &f->a, STR("shared"));
    struct err e = {0};

    push_blob(f, &f->b, STR("shared"));
    assert_int_equal(registry_blob_delete(f->store, &f->a, &d, NULL), RC_OK);
    assert_invisible(f, &f->a, &d);
    assert_visible(f, &f->b, &d, "shared");
    assert_int_equal(registry_blob_delete(f->store, &f->a, &d, &e), RC_NOT_FOUND);
    assert_string_equal(e.code, "BLOB_UNKNOWN");
}

static void a_blob_whose_file_is_lost_is_our_fault_and_not_the_callers(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = push_blob(f, &f->a, STR("lost"));
    uint64_t size = 0;
    int fd = -1;

    assert_int_equal(blob_unlink(f->blobs, &d, NULL), RC_OK);
    assert_int_equal(registry_blob_open(f->store, &f->a, &d, &fd, &size, NULL), RC_INTERNAL);
}

/* --- start --- */

static enum rc age_upload(struct meta_tx *tx, void *arg, struct err *e)
{
    (void)arg;
    return meta_upload_expire(tx, INT64_MAX, e);
}

static void a_start_sweeps_what_no_upload_owns_and_keeps_the_others(void **state)
{
    struct registry_fixture *f = *state;
    struct str lost = begin(f, &f->a), orphan = begin(f, &f->a), kept;
    struct blob_stage *g = NULL;
    uint64_t size = 0;

    /* one row without a file, one file without a row */
    assert_int_equal(blob_stage_open(f->blobs, lost, &g, &size, NULL), RC_OK);
    blob_stage_discard(g);
    assert_int_equal(blob_stage_new(f->blobs, STR("dead-beef"), &g, NULL), RC_OK);
    blob_stage_close(g);
    assert_int_equal(registry_store_sweep(f->store, NULL), RC_OK);
    assert_gone(f, &f->a, lost);
    assert_int_equal(blob_stage_open(f->blobs, STR("dead-beef"), &g, &size, NULL), RC_NOT_FOUND);
    registry_upload_close(open_again(f, orphan));

    assert_int_equal(meta_write(f->meta, &f->a.registry, age_upload, NULL, NULL), RC_OK);
    kept = begin(f, &f->a);
    assert_int_equal(registry_store_sweep(f->store, NULL), RC_OK);
    assert_int_equal(blob_stage_open(f->blobs, orphan, &g, &size, NULL), RC_NOT_FOUND);
    registry_upload_close(open_again(f, kept));
}

static void an_upload_that_was_given_up_goes_and_one_that_is_worked_on_stays(void **state)
{
    struct registry_fixture *f = *state;
    struct str given_up = begin(f, &f->a), worked_on = begin(f, &f->a), fresh;
    struct registry_upload *u = open_again(f, worked_on);
    int64_t now = clock_wall_us() + 1;
    struct blob_stage *g = NULL;
    uint64_t size = 0;

    while (clock_wall_us() <= now)
        continue;
    fresh = begin(f, &f->a);
    assert_int_equal(registry_store_expire(f->store, now, NULL), RC_OK);
    assert_gone(f, &f->a, given_up);
    assert_int_equal(blob_stage_open(f->blobs, given_up, &g, &size, NULL), RC_NOT_FOUND);
    registry_upload_close(open_again(f, fresh));
    registry_upload_close(u);
    registry_upload_close(open_again(f, worked_on));
    assert_int_equal(registry_store_expire(f->store, now, NULL), RC_OK);
    assert_gone(f, &f->a, worked_on);
}

static void bytes_that_a_crash_left_without_a_link_are_used_by_the_next_push(void **state)
{
    struct registry_fixture *f = *state;
    struct digest d = digest_of(STR("crash"));
    struct blob_stage *g = NULL;

    assert_int_equal(blob_stage_new(f->blobs, STR("0"), &g, NULL), RC_OK);
    assert_int_equal(blob_stage_write(g, 0, STR("crash"), NULL), RC_OK);
    assert_int_equal(blob_stage_commit(g, &d, NULL), RC_OK);
    assert_invisible(f, &f->a, &d);
    push_blob(f, &f->a, STR("crash"));
    assert_visible(f, &f->a, &d, "crash");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(a_pushed_blob_is_visible_in_its_repository_only),
        REGISTRY_TEST(an_upload_goes_on_where_it_was_saved),
        REGISTRY_TEST(a_wrong_digest_is_refused_and_ends_the_upload),
        REGISTRY_TEST(a_digest_of_another_algorithm_is_verified_too),
        REGISTRY_TEST(an_upload_is_worked_on_by_one_request_at_a_time),
        REGISTRY_TEST(who_asks_how_far_an_upload_is_stands_in_nobodys_way),
        REGISTRY_TEST(who_waits_for_an_upload_is_told_in_turn_when_it_is_free),
        REGISTRY_TEST(who_waits_for_an_upload_that_ends_is_told),
        REGISTRY_TEST(who_waits_in_vain_leaves_nothing_behind),
        REGISTRY_TEST(an_upload_belongs_to_its_repository),
        REGISTRY_TEST(a_gate_that_shut_meanwhile_lets_nothing_commit),
        REGISTRY_TEST(mounting_links_what_the_source_holds),
        REGISTRY_TEST(mounting_without_a_source_finds_one_in_the_same_registry),
        REGISTRY_TEST(deleting_takes_the_blob_from_one_repository),
        REGISTRY_TEST(a_blob_whose_file_is_lost_is_our_fault_and_not_the_callers),
        REGISTRY_TEST(a_start_sweeps_what_no_upload_owns_and_keeps_the_others),
        REGISTRY_TEST(an_upload_that_was_given_up_goes_and_one_that_is_worked_on_stays),
        REGISTRY_TEST(bytes_that_a_crash_left_without_a_link_are_used_by_the_next_push),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
