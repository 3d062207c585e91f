#include "test.h"

#include "crypto/hash.h"
#include "registry/manifest_cache.h"
#include <stdio.h>

#define TYPE "application/vnd.oci.image.manifest.v1+json"

struct fixture {
    struct manifest_cache *cache;
    struct arena arena;
    struct registry_where app, other, elsewhere;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.cache = manifest_cache_new(1024 * 1024),
                         .arena = ARENA_INIT(64 * 1024 * 1024)};
    f.app = (struct registry_where){.registry = {{1}}, .repository = STR("team/app")};
    f.other = (struct registry_where){.registry = {{1}}, .repository = STR("other")};
    f.elsewhere = (struct registry_where){.registry = {{2}}, .repository = STR("team/app")};
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    manifest_cache_free(f->cache);
    arena_done(&f->arena);
    return 0;
}

static struct registry_manifest manifest(const char *text)
{
    struct registry_manifest m = {
        .media_type = STR(TYPE), .bytes = str_from(text), .size = strlen(text)};

    hash_bytes(DIGEST_SHA256, m.bytes, &m.digest);
    return m;
}

static void put(struct fixture *f, const struct registry_where *w, const char *reference,
                const char *text)
{
    struct registry_manifest m = manifest(text);

    manifest_cache_put(f->cache, w, str_from(reference), manifest_cache_version(f->cache, w), &m);
}

static bool has(struct fixture *f, const struct registry_where *w, const char *reference)
{
    struct registry_manifest m;

    return manifest_cache_get(f->cache, w, str_from(reference), &f->arena, &m);
}

static void what_was_put_is_found_whole(void **state)
{
    struct fixture *f = *state;
    struct registry_manifest want = manifest("{}"), got;

    assert_false(has(f, &f->app, "v1"));
    put(f, &f->app, "v1", "{}");
    assert_true(manifest_cache_get(f->cache, &f->app, STR("v1"), &f->arena, &got));
    assert_str(got.bytes, "{}");
    assert_str(got.media_type, TYPE);
    assert_true(digest_eq(&got.digest, &want.digest));
    assert_int_equal(got.size, 2);
}

static void other_references_repositories_and_registries_are_others(void **state)
{
    struct fixture *f = *state;

    put(f, &f->app, "v1", "{}");
    assert_false(has(f, &f->app, "v2"));
    assert_false(has(f, &f->app, "v"));
    assert_false(has(f, &f->other, "v1"));
    assert_false(has(f, &f->elsewhere, "v1"));
}

static void a_write_ends_what_its_repository_had(void **state)
{
    struct fixture *f = *state;

    put(f, &f->app, "v1", "{}");
    put(f, &f->app, "v2", "{}");
    manifest_cache_changes(f->cache, &f->app);
    assert_false(has(f, &f->app, "v1"));
    assert_false(has(f, &f->app, "v2"));
    put(f, &f->app, "v1", "[]");
    assert_true(has(f, &f->app, "v1"));
}

static void what_was_read_while_a_write_went_on_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct registry_manifest old = manifest("{}");
    uint64_t version;

    manifest_cache_changes(f->cache, &f->app); /* a write begins */
    version = manifest_cache_version(f->cache, &f->app);
    manifest_cache_put(f->cache, &f->app, STR("v1"), version, &old);
    manifest_cache_changes(f->cache, &f->app); /* it has committed */
    assert_false(has(f, &f->app, "v1"));
    manifest_cache_put(f->cache, &f->app, STR("v1"), version,
                       &old); /* a slow reader comes after it */
    assert_false(has(f, &f->app, "v1"));
}

static void a_newer_answer_takes_the_place_of_an_older_one(void **state)
{
    struct fixture *f = *state;
    struct registry_manifest got;

    put(f, &f->app, "v1", "{}");
    put(f, &f->app, "v1", "[1]");
    assert_true(manifest_cache_get(f->cache, &f->app, STR("v1"), &f->arena, &got));
    assert_str(got.bytes, "[1]");
}

static void memory_is_bounded_and_what_was_asked_for_last_stays(void **state)
{
    struct fixture *f = *state;
    static char text[8 * 1024];
    unsigned kept = 0;

    memset(text, ' ', sizeof(text) - 1);
    for (int i = 0; i < 1000; i++) {
        char tag[16];

        snprintf(tag, sizeof(tag), "v%d", i);
        put(f, &f->app, tag, text);
        assert_true(has(f, &f->app, tag));
    }
    for (int i = 0; i < 1000; i++) {
        char tag[16];

        snprintf(tag, sizeof(tag), "v%d", i);
        kept += has(f, &f->app, tag);
    }
    assert_true(kept > 32);
    assert_true(kept * sizeof(text) <= 1024 * 1024);
}

static void large_manifests_and_impossible_names_are_left_out(void **state)
{
    struct fixture *f = *state;
    static char large[70 * 1024], reference[300];
    struct registry_where nameless = {.registry = {{1}}};

    memset(large, ' ', sizeof(large) - 1);
    memset(reference, 'a', sizeof(reference) - 1);
    put(f, &f->app, "large", large);
    put(f, &f->app, reference, "{}");
    put(f, &nameless, "v1", "{}");
    assert_false(has(f, &f->app, "large"));
    assert_false(has(f, &f->app, reference));
    assert_false(has(f, &nameless, "v1"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_put_is_found_whole),
        CASE(other_references_repositories_and_registries_are_others),
        CASE(a_write_ends_what_its_repository_had),
        CASE(what_was_read_while_a_write_went_on_is_not_believed),
        CASE(a_newer_answer_takes_the_place_of_an_older_one),
        CASE(memory_is_bounded_and_what_was_asked_for_last_stays),
        CASE(large_manifests_and_impossible_names_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
