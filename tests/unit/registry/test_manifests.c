/* Manifests and tags: push, pull, delete, list. */
#include "fixture.h"

#include "base/buf.h"
#include "json/json.h"

#define IMAGE "application/vnd.oci.image.manifest.v1+json"
#define INDEX "application/vnd.oci.image.index.v1+json"

static void add_descriptor(struct buf *b, const char *type, const struct digest *d, size_t size)
{
    char text[DIGEST_TEXT_MAX];

    buf_addf(b, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", type,
             digest_format(d, text).ptr, size);
}

/* The bytes of an image with one layer, in the fixture's arena. */
static struct str image(struct registry_fixture *f, struct str config, struct str layer)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct digest c = digest_of(config), l = digest_of(layer);

    buf_add(&b, STR("{ \"schemaVersion\": 2, \"config\": "));
    add_descriptor(&b, "t/config", &c, config.len);
    buf_add(&b, STR(",\n \"layers\": ["));
    add_descriptor(&b, "t/layer", &l, layer.len);
    buf_add(&b, STR("] }\n"));
    return arena_copy(&f->arena, buf_str(&b));
}

static struct str index_of(struct registry_fixture *f, const char *type, struct str child)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct digest d = digest_of(child);

    buf_add(&b, STR("{\"schemaVersion\":2,\"manifests\":["));
    add_descriptor(&b, type, &d, child.len);
    buf_add(&b, STR("]}"));
    return arena_copy(&f->arena, buf_str(&b));
}

static enum rc put(struct registry_fixture *f, const struct registry_where *w,
                   const char *reference, const char *type, struct str bytes, struct err *e)
{
    struct registry_pushed pushed;
    enum rc rc =
        registry_manifest_put(f->store, w, str_from(reference), str_from(type), bytes, &pushed, e);

    if (rc == RC_OK) {
        struct digest want = digest_of(bytes);

        assert_true(digest_eq(&pushed.digest, &want));
    }
    return rc;
}

/* Pushes an image with its blobs; returns its bytes. */
static struct str push_image(struct registry_fixture *f, const struct registry_where *w,
                             const char *tag, const char *layer)
{
    struct str bytes = image(f, STR("{}"), str_from(layer));

    push_blob(f, w, STR("{}"));
    push_blob(f, w, str_from(layer));
    assert_int_equal(put(f, w, tag, IMAGE, bytes, NULL), RC_OK);
    return bytes;
}

static enum rc get(struct registry_fixture *f, const struct registry_where *w,
                   const char *reference, struct registry_manifest *ret, struct err *e)
{
    return registry_manifest_get(f->store, w, str_from(reference), &f->arena, ret, e);
}

static const char *digest_text(struct registry_fixture *f, struct str bytes)
{
    struct digest d = digest_of(bytes);
    char text[DIGEST_TEXT_MAX];

    return arena_copy(&f->arena, digest_format(&d, text)).ptr;
}

static void assert_unknown(struct registry_fixture *f, const struct registry_where *w,
                           const char *reference, const char *code)
{
    struct registry_manifest m;
    struct err e = {0};

    assert_int_equal(get(f, w, reference, &m, &e), RC_NOT_FOUND);
    assert_string_equal(e.code, code);
}

static void a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest(void **state)
{
    struct registry_fixture *f = *state;
    struct str bytes = push_image(f, &f->a, "v1", "layer");
    const char *const references[] = {"v1", digest_text(f, bytes)};
    struct registry_manifest m;

    for (size_t i = 0; i < ARRAY_LEN(references); i++) {
        assert_int_equal(get(f, &f->a, references[i], &m, NULL), RC_OK);
        assert_int_equal(m.size, bytes.len);
        assert_true(str_eq(m.bytes, bytes));
        assert_str(m.media_type, IMAGE);
    }
}

static void what_is_not_there_has_its_own_code(void **state)
{
    struct registry_fixture *f = *state;
    struct str bytes = push_image(f, &f->a, "v1", "layer");

    assert_unknown(f, &f->a, "v2", "MANIFEST_UNKNOWN");
    assert_unknown(f, &f->a, ".INVALID", "MANIFEST_UNKNOWN");
    assert_unknown(f, &f->a, digest_text(f, STR("x")), "MANIFEST_UNKNOWN");
    assert_unknown(f, &f->b, digest_text(f, bytes), "NAME_UNKNOWN");
    assert_unknown(f, &f->elsewhere, "v1", "NAME_UNKNOWN");
}

static void a_push_by_digest_must_be_what_it_says(void **state)
{
    struct registry_fixture *f = *state;
    struct str bytes = push_image(f, &f->a, "v1", "layer");
    struct registry_manifest m;
    struct err e = {0};
    struct registry_pushed pushed;
    struct digest wide;
    char text[DIGEST_TEXT_MAX];

    assert_int_equal(put(f, &f->a, digest_text(f, STR("x")), IMAGE, bytes, &e), RC_INVALID);
    assert_string_equal(e.code, "DIGEST_INVALID");
    assert_int_equal(put(f, &f->a, digest_text(f, bytes), IMAGE, bytes, NULL), RC_OK);

    hash_bytes(DIGEST_SHA512, bytes, &wide);
    assert_int_equal(registry_manifest_put(f->store, &f->a, digest_format(&wide, text), STR(IMAGE),
                                           bytes, &pushed, NULL),
                     RC_OK);
    assert_true(digest_eq(&pushed.digest, &wide));
    assert_int_equal(get(f, &f->a, text, &m, NULL), RC_OK);
    assert_true(digest_eq(&m.digest, &wide));
}

static void blobs_that_the_repository_lacks_are_named(void **state)
{
    struct registry_fixture *f = *state;
    struct str bytes = image(f, STR("{}"), STR("layer"));
    struct err e = {0};

    push_blob(f, &f->b, STR("{}"));
    push_blob(f, &f->b, STR("layer")); /* in another repository: as if it were not there */
    push_blob(f, &f->a, STR("{}"));
    assert_int_equal(put(f, &f->a, "v1", IMAGE, bytes, &e), RC_INVALID);
    assert_string_equal(e.code, "MANIFEST_BLOB_UNKNOWN");
    assert_non_null(strstr(e.text, digest_text(f, STR("layer"))));
    assert_unknown(f, &f->a, "v1", "MANIFEST_UNKNOWN");
    assert_unknown(f, &f->a, digest_text(f, bytes), "MANIFEST_UNKNOWN");
    push_blob(f, &f->a, STR("layer"));
    assert_int_equal(put(f, &f->a, "v1", IMAGE, bytes, NULL), RC_OK);
}

static void a_size_that_is_not_the_blobs_is_refused(void **state)
{
    struct registry_fixture *f = *state;
    struct digest config = push_blob(f, &f->a, STR("{}"));
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct err e = {0};

    buf_add(&b, STR("{\"schemaVersion\":2,\"layers\":[],\"config\":"));
    add_descriptor(&b, "t/config", &config, 3);
    buf_addc(&b, '}');
    assert_int_equal(put(f, &f->a, "v1", IMAGE, buf_str(&b), &e), RC_INVALID);
    assert_string_equal(e.code, "MANIFEST_INVALID");
}

static void an_index_needs_its_children(void **state)
{
    struct registry_fixture *f = *state;
    struct str child = image(f, STR("{}"), STR("layer")), list = index_of(f, IMAGE, child);
    struct registry_manifest m;

    push_blob(f, &f->a, child); /* a blob is not a manifest */
    assert_int_equal(put(f, &f->a, "all", INDEX, list, NULL), RC_INVALID);
    push_image(f, &f->a, "one", "layer");
    assert_int_equal(put(f, &f->a, "all", INDEX, list, NULL), RC_OK);
    assert_int_equal(get(f, &f->a, "all", &m, NULL), RC_OK);
    assert_str(m.media_type, INDEX);
}

static void a_build_cache_may_list_blobs_in_an_index(void **state)
{
    struct registry_fixture *f = *state;
    struct str list = index_of(f, "application/vnd.buildkit.cacheconfig.v0", STR("cache"));

    assert_int_equal(put(f, &f->a, "cache", INDEX, list, NULL), RC_INVALID);
    push_blob(f, &f->a, STR("cache"));
    assert_int_equal(put(f, &f->a, "cache", INDEX, list, NULL), RC_OK);
}

static void a_subject_may_be_missing(void **state)
{
    struct registry_fixture *f = *state;
    struct digest config = push_blob(f, &f->a, STR("{}")), subject = digest_of(STR("later"));
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);

    buf_add(&b, STR("{\"schemaVersion\":2,\"layers\":[],\"config\":"));
    add_descriptor(&b, "t/config", &config, 2);
    buf_add(&b, STR(",\"subject\":"));
    add_descriptor(&b, IMAGE, &subject, 5);
    buf_addc(&b, '}');
    assert_int_equal(put(f, &f->a, "signature", IMAGE, buf_str(&b), NULL), RC_OK);
}

/* --- referrers --- */

/* An image without layers that refers to `subject`; `more` are members, each with a comma before
 * it. */
static struct digest push_referrer(struct registry_fixture *f, const struct digest *subject,
                                   const char *more)
{
    struct digest config = push_blob(f, &f->a, STR("{}"));
    CLEANUP(buf_done) struct buf b = BUF_INIT(REGISTRY_MANIFEST_MAX);
    struct registry_pushed pushed;

    buf_add(&b, STR("{\"schemaVersion\":2,\"layers\":[],\"config\":"));
    add_descriptor(&b, "t/config", &config, 2);
    buf_add(&b, STR(",\"subject\":"));
    add_descriptor(&b, IMAGE, subject, 5);
    buf_add(&b, str_from(more));
    buf_addc(&b, '}');
    assert_int_equal(buf_status(&b, NULL), RC_OK);
    assert_int_equal(registry_manifest_put(f->store, &f->a, STR("referrer"), STR(IMAGE),
                                           buf_str(&b), &pushed, NULL),
                     RC_OK);
    assert_true(digest_eq(&pushed.subject, subject));
    return pushed.digest;
}

/* The manifests of one page; the caller frees. */
static struct json *referrers(struct registry_fixture *f, const struct registry_where *w,
                              const struct registry_referrers *which, struct digest *ret_last)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(REGISTRY_REFERRERS_MAX);
    const struct json_limits limits = {.bytes = REGISTRY_REFERRERS_MAX};
    struct json *index = NULL, *list;

    assert_int_equal(registry_referrers(f->store, w, which, &out, ret_last, NULL), RC_OK);
    assert_int_equal(json_parse(buf_str(&out), &limits, &index, NULL), RC_OK);
    assert_int_equal(json_int(json_get(index, "schemaVersion"), 0), 2);
    assert_true(str_is(json_str(json_get(index, "mediaType")), INDEX));
    list = json_clone(json_get(index, "manifests"));
    json_free(index);
    assert_int_equal(json_type(list), JSON_ARRAY);
    return list;
}

static const struct json *find_digest(const struct json *list, const struct digest *d)
{
    char text[DIGEST_TEXT_MAX];
    struct str want = digest_format(d, text);

    for (size_t i = 0; i < json_len(list); i++)
        if (str_eq(json_str(json_get(json_at(list, i), "digest")), want))
            return json_at(list, i);
    return NULL;
}

static void assert_referrers(struct registry_fixture *f, const struct registry_where *w,
                             const struct registry_referrers *which, size_t n)
{
    struct digest last;
    CLEANUP(json_freep) struct json *list = referrers(f, w, which, &last);

    assert_int_equal(json_len(list), n);
    assert_false(digest_is_set(&last));
}

static void what_refers_to_a_subject_is_listed_with_its_type_and_annotations(void **state)
{
    struct registry_fixture *f = *state;
    struct registry_referrers which = {.subject = digest_of(STR("later"))};
    struct digest other = digest_of(STR("other")), last;
    struct digest plain = push_referrer(f, &which.subject, "");
    struct digest typed = push_referrer(f, &which.subject,
                                        ",\"artifactType\":\"t/signature\",\"annotations\":"
                                        "{\"a\":\"1\",\"wrong\":2,\"quote \\\"\":\"\\n\"}");

    push_referrer(f, &other, "");
    CLEANUP(json_freep) struct json *list = referrers(f, &f->a, &which, &last);
    const struct json *p = find_digest(list, &plain), *t = find_digest(list, &typed);

    assert_int_equal(json_len(list), 2);
    assert_true(str_is(json_str(json_get(p, "mediaType")), IMAGE));
    assert_true(str_is(json_str(json_get(p, "artifactType")), "t/config"));
    assert_false(json_given(json_get(p, "annotations")));
    assert_true(json_int(json_get(p, "size"), 0) > 100);
    assert_true(str_is(json_str(json_get(t, "artifactType")), "t/signature"));
    assert_int_equal(json_len(json_get(t, "annotations")), 2);
    assert_true(str_is(json_str(json_path(t, "annotations.a")), "1"));
    assert_true(str_is(json_str(json_get(json_get(t, "annotations"), "quote \"")), "\n"));
}

static void referrers_are_chosen_by_artifact_type_and_belong_to_their_repository(void **state)
{
    struct registry_fixture *f = *state;
    struct registry_referrers which = {.subject = digest_of(STR("later"))};

    assert_referrers(f, &f->a, &which, 0); /* there is not even a repository */
    push_referrer(f, &which.subject, "");
    push_referrer(f, &which.subject, ",\"artifactType\":\"t/signature\"");
    push_blob(f, &f->b, STR("x"));
    assert_referrers(f, &f->a, &which, 2);
    assert_referrers(f, &f->b, &which, 0);
    which.artifact_type = STR("t/signature");
    assert_referrers(f, &f->a, &which, 1);
    which.artifact_type = STR("t/none");
    assert_referrers(f, &f->a, &which, 0);
}

static void a_referrer_that_was_deleted_is_not_listed(void **state)
{
    struct registry_fixture *f = *state;
    struct registry_referrers which = {.subject = digest_of(STR("later"))};
    struct digest d = push_referrer(f, &which.subject, "");
    char text[DIGEST_TEXT_MAX];

    assert_referrers(f, &f->a, &which, 1);
    assert_int_equal(registry_manifest_delete(f->store, &f->a, digest_format(&d, text), NULL),
                     RC_OK);
    assert_referrers(f, &f->a, &which, 0);
}

/* Pushes n referrers with an annotation of so many `c`, and reads them page by page. */
static size_t pages_of(struct registry_fixture *f, unsigned n, size_t bytes, char c)
{
    struct registry_referrers which = {.subject = digest_of(STR("later"))};
    char *more = calloc(1, bytes + 64);
    struct digest found[8];
    size_t pages = 0, n_found = 0;

    assert_true(more && n <= ARRAY_LEN(found));
    for (unsigned i = 0; i < n; i++) {
        int head = snprintf(more, bytes + 64, ",\"annotations\":{\"a%u\":\"", i);

        memset(more + head, c, bytes);
        memcpy(more + head + bytes, "\"}", 3);
        found[i] = push_referrer(f, &which.subject, more);
    }
    do {
        CLEANUP(json_freep) struct json *list = referrers(f, &f->a, &which, &which.last);

        for (size_t i = 0; i < n; i++)
            n_found += find_digest(list, &found[i]) != NULL;
        pages++;
    } while (digest_is_set(&which.last));
    free(more);
    assert_int_equal(n_found, n); /* each once */
    return pages;
}

static void a_page_of_referrers_ends_before_it_is_larger_than_a_manifest(void **state)
{
    assert_int_equal(pages_of(*state, 5, 1500 * 1000, 'x'), 3);
}

static void the_largest_manifest_fits_into_a_page_of_its_own(void **state)
{
    assert_int_equal(pages_of(*state, 2, REGISTRY_MANIFEST_MAX - 1024, 'x'), 2);
}

static void no_annotation_grows_so_much_that_a_page_has_no_room_for_it(void **state)
{
    assert_int_equal(pages_of(*state, 2, REGISTRY_MANIFEST_MAX - 1024, 0x7f), 2);
}

/* --- tags --- */

static void a_tag_moves_and_the_older_manifest_stays(void **state)
{
    struct registry_fixture *f = *state;
    struct str first = push_image(f, &f->a, "latest", "1");
    struct str second = push_image(f, &f->a, "latest", "2");
    struct registry_manifest m;

    assert_int_equal(get(f, &f->a, "latest", &m, NULL), RC_OK);
    assert_true(str_eq(m.bytes, second));
    assert_int_equal(get(f, &f->a, digest_text(f, first), &m, NULL), RC_OK);
}

static void deleting_a_tag_leaves_the_manifest(void **state)
{
    struct registry_fixture *f = *state;
    struct str bytes = push_image(f, &f->a, "v1", "1");
    struct registry_manifest m;

    push_image(f, &f->a, "v2", "1");
    assert_int_equal(registry_manifest_delete(f->store, &f->a, STR("v1"), NULL), RC_OK);
    assert_int_equal(registry_manifest_delete(f->store, &f->a, STR("v1"), NULL), RC_NOT_FOUND);
    assert_unknown(f, &f->a, "v1", "MANIFEST_UNKNOWN");
    assert_int_equal(get(f, &f->a, "v2", &m, NULL), RC_OK);
    assert_int_equal(get(f, &f->a, digest_text(f, bytes), &m, NULL), RC_OK);
}

static void deleting_a_manifest_takes_all_its_tags(void **state)
{
    struct registry_fixture *f = *state;
    struct str bytes = push_image(f, &f->a, "v1", "1");
    struct str digest = str_from(digest_text(f, bytes));

    push_image(f, &f->a, "v2", "1");
    push_image(f, &f->b, "v1", "1");
    assert_int_equal(registry_manifest_delete(f->store, &f->a, digest, NULL), RC_OK);
    assert_unknown(f, &f->a, "v1", "MANIFEST_UNKNOWN");
    assert_unknown(f, &f->a, "v2", "MANIFEST_UNKNOWN");
    assert_unknown(f, &f->a, digest.ptr, "MANIFEST_UNKNOWN");
    assert_int_equal(registry_manifest_delete(f->store, &f->a, digest, NULL), RC_NOT_FOUND);
    assert_int_equal(registry_manifest_delete(f->store, &f->b, STR("v1"), NULL), RC_OK);
}

static bool cached(struct registry_fixture *f, const char *reference, struct registry_manifest *ret)
{
    return registry_manifest_cached(f->store, &f->a, str_from(reference), &f->arena, ret);
}

static void memory_never_gives_what_a_push_or_a_delete_has_changed(void **state)
{
    struct registry_fixture *f = *state;
    struct str first = push_image(f, &f->a, "v1", "one"), second;
    struct registry_manifest m;

    assert_false(cached(f, "v1", &m));
    assert_int_equal(get(f, &f->a, "v1", &m, NULL), RC_OK);
    assert_true(cached(f, "v1", &m));
    assert_true(str_eq(m.bytes, first));
    second = push_image(f, &f->a, "v1", "two");
    assert_false(cached(f, "v1", &m));
    assert_int_equal(get(f, &f->a, "v1", &m, NULL), RC_OK);
    assert_true(cached(f, "v1", &m));
    assert_true(str_eq(m.bytes, second));
    assert_int_equal(registry_manifest_delete(f->store, &f->a, STR("v1"), NULL), RC_OK);
    assert_false(cached(f, "v1", &m));
}

static void a_gate_that_shut_meanwhile_lets_nothing_commit(void **state)
{
    struct registry_fixture *f = *state;
    struct str bytes = push_image(f, &f->a, "v1", "1");
    struct registry_manifest m;

    f->verdict = RC_DENIED;
    assert_int_equal(put(f, &f->a, "v2", IMAGE, bytes, NULL), RC_DENIED);
    assert_int_equal(registry_manifest_delete(f->store, &f->a, STR("v1"), NULL), RC_DENIED);
    assert_int_equal(get(f, &f->a, "v1", &m, NULL), RC_OK);
    assert_unknown(f, &f->a, "v2", "MANIFEST_UNKNOWN");
}

/* --- lists --- */

static void assert_names(const struct registry_names *names, const char *joined, bool more)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);

    for (size_t i = 0; i < names->n; i++)
        buf_addf(&b, "%.*s,", STR_ARG(names->list[i]));
    assert_string_equal(buf_cstr(&b), joined);
    assert_int_equal(names->more, more);
}

static void tags_are_listed_in_byte_order_page_by_page(void **state)
{
    static const char *const tags[] = {"b", "B", "a.1", "a-1", "_", "a"};
    struct registry_fixture *f = *state;
    struct registry_names names;

    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        push_image(f, &f->a, tags[i], "1");
    assert_int_equal(registry_tags(f->store, &f->a, STR_NONE, 6, &f->arena, &names, NULL), RC_OK);
    assert_names(&names, "B,_,a,a-1,a.1,b,", false);
    assert_int_equal(registry_tags(f->store, &f->a, STR("_"), 2, &f->arena, &names, NULL), RC_OK);
    assert_names(&names, "a,a-1,", true);
    assert_int_equal(registry_tags(f->store, &f->a, STR("a-1"), 2, &f->arena, &names, NULL), RC_OK);
    assert_names(&names, "a.1,b,", false);
    assert_int_equal(registry_tags(f->store, &f->a, STR("zz"), 2, &f->arena, &names, NULL), RC_OK);
    assert_names(&names, "", false);
    assert_int_equal(registry_tags(f->store, &f->a, STR_NONE, 0, &f->arena, &names, NULL), RC_OK);
    assert_names(&names, "", true);
    assert_int_equal(registry_tags(f->store, &f->b, STR_NONE, 9, &f->arena, &names, NULL),
                     RC_NOT_FOUND);
}

static void the_catalog_lists_the_repositories_of_one_registry(void **state)
{
    struct registry_fixture *f = *state;
    struct registry_where c = fixture_where(f, 1, STR("only-blobs"));
    struct registry_names names;

    push_image(f, &f->a, "v1", "1");
    push_image(f, &f->b, "v1", "1");
    push_image(f, &f->elsewhere, "v1", "1");
    push_blob(f, &c, STR("1"));
    assert_int_equal(
        registry_catalog(f->store, &f->a.registry, STR_NONE, 9, &f->arena, &names, NULL), RC_OK);
    assert_names(&names, "other,team/app,", false);
    assert_int_equal(
        registry_catalog(f->store, &f->a.registry, STR_NONE, 1, &f->arena, &names, NULL), RC_OK);
    assert_names(&names, "other,", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest),
        REGISTRY_TEST(what_is_not_there_has_its_own_code),
        REGISTRY_TEST(a_push_by_digest_must_be_what_it_says),
        REGISTRY_TEST(blobs_that_the_repository_lacks_are_named),
        REGISTRY_TEST(a_size_that_is_not_the_blobs_is_refused),
        REGISTRY_TEST(an_index_needs_its_children),
        REGISTRY_TEST(a_build_cache_may_list_blobs_in_an_index),
        REGISTRY_TEST(a_subject_may_be_missing),
        REGISTRY_TEST(what_refers_to_a_subject_is_listed_with_its_type_and_annotations),
        REGISTRY_TEST(referrers_are_chosen_by_artifact_type_and_belong_to_their_repository),
        REGISTRY_TEST(a_referrer_that_was_deleted_is_not_listed),
        REGISTRY_TEST(a_page_of_referrers_ends_before_it_is_larger_than_a_manifest),
        REGISTRY_TEST(no_annotation_grows_so_much_that_a_page_has_no_room_for_it),
        REGISTRY_TEST(the_largest_manifest_fits_into_a_page_of_its_own),
        REGISTRY_TEST(a_tag_moves_and_the_older_manifest_stays),
        REGISTRY_TEST(deleting_a_tag_leaves_the_manifest),
        REGISTRY_TEST(deleting_a_manifest_takes_all_its_tags),
        REGISTRY_TEST(memory_never_gives_what_a_push_or_a_delete_has_changed),
        REGISTRY_TEST(a_gate_that_shut_meanwhile_lets_nothing_commit),
        REGISTRY_TEST(tags_are_listed_in_byte_order_page_by_page),
        REGISTRY_TEST(the_catalog_lists_the_repositories_of_one_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
