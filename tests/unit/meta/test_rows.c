/* Resources, accounts, and the content of registries, each in one write transaction. */
#include "fixture.h"

#include "base/buf.h"
#include "meta/account.h"
#include "meta/content.h"
#include "meta/principal.h"

#define GROUP "/subscriptions/S/resourceGroups/Build"

/* Every test is one write function. */
static void in_write(void **state, meta_fn *fn)
{
    struct meta_fixture *f = *state;

    assert_int_equal(meta_write(f->meta, &(struct uuid){{1}}, fn, f, NULL), RC_OK);
}

/* Texts put one after the other, each ended by a comma. */
static enum rc add_resource(const struct meta_resource *r, void *arg, struct err *e)
{
    (void)e;
    buf_add(arg, r->id);
    buf_addc(arg, ',');
    return RC_OK;
}

static enum rc add_name(struct str name, void *arg, struct err *e)
{
    (void)e;
    buf_add(arg, name);
    buf_addc(arg, ',');
    return RC_OK;
}

static void put_resource(struct meta_tx *tx, struct meta_fixture *f, const char *id,
                         const char *type)
{
    struct meta_resource r = {.id = str_from(id), .type = str_from(type), .body = STR("{}")};

    assert_int_equal(meta_resource_put(tx, &f->arena, &r, NULL), RC_OK);
    assert_false(uuid_is_nil(&r.uuid));
}

static enum rc resource_by_id(struct meta_tx *tx, void *arg, struct err *e)
{
    struct meta_fixture *f = arg;
    struct meta_resource r = {.id = STR(GROUP), .type = STR("a/B"), .body = STR("{\"x\":1}")};
    struct meta_resource found;
    struct str first;

    (void)e;
    assert_int_equal(meta_resource_put(tx, &f->arena, &r, NULL), RC_OK);
    first = r.etag;
    assert_true(str_starts(first, STR("W/\"")) && first.len == 40);
    assert_true(r.created_us > 0 && r.changed_us == r.created_us);

    r.id = STR("/SUBSCRIPTIONS/s/RESOURCEGROUPS/build");
    r.body = STR("{\"x\":2}");
    assert_int_equal(meta_resource_put(tx, &f->arena, &r, NULL), RC_OK);
    assert_false(str_eq(first, r.etag));
    assert_int_equal(meta_resource_get(tx, &f->arena, STR("/subscriptions/s/resourcegroups/BUILD"),
                                       &found, NULL),
                     RC_OK);
    assert_str(found.id, GROUP); /* as first typed */
    assert_str(found.body, "{\"x\":2}");
    assert_true(str_eq(found.etag, r.etag));
    assert_int_equal(meta_resource_by_uuid(tx, &f->arena, &r.uuid, &found, NULL), RC_OK);
    assert_str(found.id, GROUP);

    assert_int_equal(meta_resource_delete(tx, STR("/Subscriptions/S/ResourceGroups/Build"), NULL),
                     RC_OK);
    assert_int_equal(meta_resource_delete(tx, STR(GROUP), NULL), RC_NOT_FOUND);
    assert_int_equal(meta_resource_get(tx, &f->arena, STR(GROUP), &found, NULL), RC_NOT_FOUND);
    return RC_OK;
}

static void a_resource_is_found_in_any_case_and_shown_as_first_typed(void **state)
{
    in_write(state, resource_by_id);
}

static enum rc resources_by_prefix(struct meta_tx *tx, void *arg, struct err *e)
{
    struct meta_fixture *f = arg;
    CLEANUP(buf_done) struct buf all = BUF_INIT(4096);
    CLEANUP(buf_done) struct buf typed = BUF_INIT(4096);

    (void)e;
    put_resource(tx, f, GROUP "/providers/X/r/b", "X/r");
    put_resource(tx, f, GROUP "/providers/X/r/a", "x/R");
    put_resource(tx, f, GROUP "/providers/X/v/\xc3\xa9", "X/v");
    put_resource(tx, f, GROUP "2/providers/X/r/c", "X/r");
    assert_int_equal(meta_resource_each(tx, STR("/subscriptions/s/resourcegroups/build/"), STR_NONE,
                                        add_resource, &all, NULL),
                     RC_OK);
    assert_str(buf_str(&all), GROUP "/providers/X/r/a," GROUP "/providers/X/r/b," GROUP
                                    "/providers/X/v/\xc3\xa9,");
    assert_int_equal(meta_resource_each(tx, STR("/"), STR("X/R"), add_resource, &typed, NULL),
                     RC_OK);
    assert_str(buf_str(&typed),
               GROUP "/providers/X/r/a," GROUP "/providers/X/r/b," GROUP "2/providers/X/r/c,");
    buf_clear(&typed);
    assert_int_equal(meta_resource_each_from(tx, STR("/subscriptions/"),
                                             STR(GROUP "/PROVIDERS/x/R/b"), STR("X/r"),
                                             add_resource, &typed, NULL),
                     RC_OK);
    assert_str(buf_str(&typed), GROUP "/providers/X/r/b," GROUP "2/providers/X/r/c,");
    buf_clear(&all);
    assert_int_equal(meta_resource_each_from(tx, STR(GROUP "2/"), STR(GROUP "/providers/X/r/b"),
                                             STR_NONE, add_resource, &all, NULL),
                     RC_OK);
    assert_str(buf_str(&all), GROUP "2/providers/X/r/c,");
    return RC_OK;
}

static void resources_are_listed_by_prefix_and_type(void **state)
{
    in_write(state, resources_by_prefix);
}

static enum rc expect_principal(const struct meta_principal *p, void *arg, struct err *e)
{
    unsigned *seen = arg;

    (void)e;
    (*seen)++;
    assert_str(p->name, "admin");
    assert_int_equal(p->generation, 2);
    assert_true(p->administrator);
    assert_true(p->enabled);
    assert_int_equal(p->kind, META_SERVICE_PRINCIPAL);
    assert_int_equal(p->app_id.bytes[0], 8);
    return RC_OK;
}

static enum rc expect_secret(const struct meta_registry_secret *s, void *arg, struct err *e)
{
    unsigned *seen = arg;

    (void)e;
    (*seen)++;
    assert_int_equal(s->registry.bytes[0], 3);
    assert_str(s->sealed, s->slot == 0 ? "one" : "two");
    assert_int_equal(s->hash.algorithm, DIGEST_SHA256);
    return RC_OK;
}

static enum rc accounts(struct meta_tx *tx, void *arg, struct err *e)
{
    struct meta_principal p = {.object_id = {{7}},
                               .app_id = {{8}},
                               .name = STR("admin"),
                               .generation = 1,
                               .enabled = true};
    struct meta_registry_secret s = {
        .registry = {{3}}, .sealed = STR("old"), .hash = {DIGEST_SHA256, {9}}, .generation = 1};
    unsigned principals = 0, secrets = 0, none = 0;

    (void)arg;
    (void)e;
    assert_int_equal(meta_principal_put(tx, &p, NULL), RC_OK);
    p.generation = 2;
    p.administrator = true;
    assert_int_equal(meta_principal_put(tx, &p, NULL), RC_OK);
    assert_int_equal(meta_principal_each(tx, expect_principal, &principals, NULL), RC_OK);
    assert_int_equal(principals, 1);

    assert_int_equal(meta_registry_secret_put(tx, &s, NULL), RC_OK);
    s.sealed = STR("one");
    assert_int_equal(meta_registry_secret_put(tx, &s, NULL), RC_OK);
    s.slot = 1;
    s.sealed = STR("two");
    assert_int_equal(meta_registry_secret_put(tx, &s, NULL), RC_OK);
    assert_int_equal(meta_registry_secret_each(tx, &s.registry, expect_secret, &secrets, NULL),
                     RC_OK);
    assert_int_equal(meta_registry_secret_each(tx, NULL, expect_secret, &secrets, NULL), RC_OK);
    assert_int_equal(secrets, 4);
    assert_int_equal(meta_registry_secret_each(tx, &p.app_id, expect_secret, &none, NULL), RC_OK);
    assert_int_equal(none, 0);
    assert_int_equal(meta_registry_secret_delete(tx, &s.registry, NULL), RC_OK);
    assert_int_equal(meta_registry_secret_each(tx, NULL, expect_secret, &none, NULL), RC_OK);
    assert_int_equal(none, 0);
    return RC_OK;
}

static void principals_and_secrets_are_replaced_by_their_keys(void **state)
{
    in_write(state, accounts);
}

static enum rc add_operation(const struct meta_audit *entry, void *arg, struct err *e)
{
    return add_name(entry->operation, arg, e);
}

static enum rc audit(struct meta_tx *tx, void *arg, struct err *e)
{
    static const char *const operations[] = {"third", "first", "second"};
    static const int64_t times[] = {30, 10, 20};
    CLEANUP(buf_done) struct buf seen = BUF_INIT(100);

    (void)arg;
    (void)e;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct meta_audit entry = {.at_us = times[i], .operation = str_from(operations[i])};

        assert_int_equal(meta_audit_add(tx, &entry, NULL), RC_OK);
    }
    assert_int_equal(meta_audit_each(tx, 10, 2, add_operation, &seen, NULL), RC_OK);
    assert_str(buf_str(&seen), "first,second,");
    buf_clear(&seen);
    assert_int_equal(meta_audit_each(tx, 20, 9, add_operation, &seen, NULL), RC_OK);
    assert_str(buf_str(&seen), "second,third,");
    return RC_OK;
}

static void the_audit_trail_is_read_in_order_of_time(void **state)
{
    in_write(state, audit);
}

/* --- content --- */

static const struct uuid registry = {{0xaa}}, other_registry = {{0xbb}};
static const struct digest blob = {DIGEST_SHA256, {1}}, long_blob = {DIGEST_SHA512, {1}};
static const struct digest manifest = {DIGEST_SHA256, {2}};

static struct uuid make(struct meta_tx *tx, const struct uuid *of, const char *name)
{
    struct uuid id = {{0}};

    assert_int_equal(meta_repository_make(tx, of, str_from(name), &id, NULL), RC_OK);
    return id;
}

static void put_manifest(struct meta_tx *tx, const struct uuid *repo, const struct digest *d,
                         struct str bytes)
{
    const struct meta_manifest m = {
        .digest = *d, .media_type = STR("t"), .artifact_type = STR("a"), .size = bytes.len};

    assert_int_equal(meta_manifest_put(tx, repo, &m, bytes, NULL), RC_OK);
}

static enum rc repositories(struct meta_tx *tx, void *arg, struct err *e)
{
    static const char *const names[] = {"b", "a/b", "a-b", "a", "empty"};
    const struct meta_page page = {.limit = 10}, second = {STR("a"), 2};
    CLEANUP(buf_done) struct buf list = BUF_INIT(100);
    struct uuid id, again;

    (void)arg;
    (void)e;
    assert_int_equal(meta_repository_find(tx, &registry, STR("a"), &id, NULL), RC_NOT_FOUND);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        id = make(tx, &registry, names[i]);
        again = make(tx, &registry, names[i]);
        assert_true(uuid_eq(&id, &again));
        if (strcmp(names[i], "empty") != 0)
            put_manifest(tx, &id, &manifest, STR("{}"));
    }
    id = make(tx, &other_registry, "a");
    put_manifest(tx, &id, &manifest, STR("{}"));
    assert_int_equal(meta_repository_each(tx, &registry, &page, add_name, &list, NULL), RC_OK);
    assert_str(buf_str(&list), "a,a-b,a/b,b,");
    buf_clear(&list);
    assert_int_equal(meta_repository_each(tx, &registry, &second, add_name, &list, NULL), RC_OK);
    assert_str(buf_str(&list), "a-b,a/b,");
    return RC_OK;
}

static void repositories_belong_to_one_registry_and_are_listed_in_byte_order(void **state)
{
    in_write(state, repositories);
}

static enum rc links(struct meta_tx *tx, void *arg, struct err *e)
{
    struct uuid a = make(tx, &registry, "a"), b = make(tx, &registry, "b");
    struct uuid foreign = make(tx, &other_registry, "c");
    CLEANUP(buf_done) struct buf holders = BUF_INIT(100);
    uint64_t size = 0;

    (void)arg;
    (void)e;
    assert_int_equal(meta_link_put(tx, &a, &blob, 5000000000, NULL), RC_OK);
    assert_int_equal(meta_link_put(tx, &a, &blob, 5000000000, NULL), RC_OK);
    assert_int_equal(meta_link_put(tx, &b, &blob, 5000000000, NULL), RC_OK);
    assert_int_equal(meta_link_put(tx, &foreign, &blob, 5000000000, NULL), RC_OK);
    assert_int_equal(meta_link_find(tx, &a, &blob, &size, NULL), RC_OK);
    assert_int_equal(size, 5000000000);
    assert_int_equal(meta_link_find(tx, &a, &long_blob, &size, NULL), RC_NOT_FOUND);
    assert_int_equal(meta_link_holders(tx, &registry, &blob, add_name, &holders, NULL), RC_OK);
    assert_str(buf_str(&holders), "a,b,");
    assert_int_equal(meta_registry_size(tx, &registry, &size, NULL), RC_OK);
    assert_int_equal(size, 5000000000); /* held twice, counted once */
    assert_int_equal(meta_registry_size(tx, &b, &size, NULL), RC_OK);
    assert_int_equal(size, 0);
    assert_int_equal(meta_link_delete(tx, &a, &blob, NULL), RC_OK);
    assert_int_equal(meta_link_delete(tx, &a, &blob, NULL), RC_NOT_FOUND);
    assert_int_equal(meta_link_find(tx, &b, &blob, &size, NULL), RC_OK);
    return RC_OK;
}

static void a_blob_is_linked_in_each_repository_for_itself(void **state)
{
    in_write(state, links);
}

static enum rc manifests(struct meta_tx *tx, void *arg, struct err *e)
{
    struct meta_fixture *f = arg;
    struct uuid repo = make(tx, &registry, "a");
    const struct meta_page page = {STR("a"), 1};
    CLEANUP(buf_done) struct buf tags = BUF_INIT(100);
    struct meta_manifest m;
    struct digest d;
    struct str bytes;

    (void)e;
    put_manifest(tx, &repo, &manifest, STR("{ \0}"));
    put_manifest(tx, &repo, &manifest, STR("{ \0}"));
    assert_int_equal(meta_manifest_refer(tx, &repo, &manifest, META_REFERENCE_BLOB, &blob, NULL),
                     RC_OK);
    assert_int_equal(meta_manifest_refer(tx, &repo, &manifest, META_REFERENCE_BLOB, &blob, NULL),
                     RC_OK);
    assert_int_equal(meta_manifest_find(tx, &f->arena, &repo, &manifest, &m, NULL), RC_OK);
    assert_str(m.media_type, "t");
    assert_str(m.artifact_type, "a");
    assert_false(digest_is_set(&m.subject));
    assert_int_equal(m.size, 4);
    assert_int_equal(meta_manifest_bytes(tx, &f->arena, &repo, &manifest, &bytes, NULL), RC_OK);
    assert_int_equal(bytes.len, 4);
    assert_memory_equal(bytes.ptr, "{ \0}", 4);

    assert_int_equal(meta_tag_put(tx, &repo, STR("a"), &manifest, NULL), RC_OK);
    assert_int_equal(meta_tag_put(tx, &repo, STR("b"), &manifest, NULL), RC_OK);
    assert_int_equal(meta_tag_put(tx, &repo, STR("c"), &blob, NULL), RC_CONFLICT);
    assert_int_equal(meta_tag_each(tx, &repo, &page, add_name, &tags, NULL), RC_OK);
    assert_str(buf_str(&tags), "b,");
    assert_int_equal(meta_tag_delete(tx, &repo, STR("a"), NULL), RC_OK);
    assert_int_equal(meta_tag_delete(tx, &repo, STR("a"), NULL), RC_NOT_FOUND);
    assert_int_equal(meta_tag_find(tx, &repo, STR("b"), &d, NULL), RC_OK);
    assert_true(digest_eq(&d, &manifest));

    assert_int_equal(meta_manifest_delete(tx, &repo, &manifest, NULL), RC_OK);
    assert_int_equal(meta_manifest_delete(tx, &repo, &manifest, NULL), RC_NOT_FOUND);
    assert_int_equal(meta_manifest_bytes(tx, &f->arena, &repo, &manifest, &bytes, NULL),
                     RC_NOT_FOUND);
    assert_int_equal(meta_tag_find(tx, &repo, STR("b"), &d, NULL), RC_NOT_FOUND);
    return RC_OK;
}

static void a_manifest_goes_with_its_tags_and_bytes(void **state)
{
    in_write(state, manifests);
}

static enum rc count_upload(const struct uuid *id, void *arg, struct err *e)
{
    (void)id;
    (void)e;
    ++*(unsigned *)arg;
    return RC_OK;
}

static enum rc uploads(struct meta_tx *tx, void *arg, struct err *e)
{
    struct meta_fixture *f = arg;
    struct meta_upload u = {
        .id = {{1}}, .registry = registry, .repository = STR("a"), .hash_state = STR("s0")};
    const struct uuid unknown = {{9}};
    struct meta_upload found;
    unsigned n = 0;

    (void)e;
    assert_int_equal(meta_upload_add(tx, &u, NULL), RC_OK);
    assert_int_equal(meta_upload_save(tx, &u.id, 77, STR("s1"), NULL), RC_OK);
    assert_int_equal(meta_upload_save(tx, &unknown, 77, STR("s1"), NULL), RC_NOT_FOUND);
    assert_int_equal(meta_upload_find(tx, &f->arena, &u.id, &found, NULL), RC_OK);
    assert_int_equal(found.size, 77);
    assert_str(found.hash_state, "s1");
    assert_str(found.repository, "a");
    assert_true(uuid_eq(&found.registry, &registry));
    assert_int_equal(meta_upload_expire(tx, found.changed_us, NULL), RC_OK);
    assert_int_equal(meta_upload_each(tx, count_upload, &n, NULL), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(meta_upload_expire(tx, found.changed_us + 1, NULL), RC_OK);
    assert_int_equal(meta_upload_find(tx, &f->arena, &u.id, &found, NULL), RC_NOT_FOUND);
    return RC_OK;
}

static void an_upload_remembers_what_was_acknowledged_until_it_expires(void **state)
{
    in_write(state, uploads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        META_TEST(a_resource_is_found_in_any_case_and_shown_as_first_typed),
        META_TEST(resources_are_listed_by_prefix_and_type),
        META_TEST(principals_and_secrets_are_replaced_by_their_keys),
        META_TEST(the_audit_trail_is_read_in_order_of_time),
        META_TEST(repositories_belong_to_one_registry_and_are_listed_in_byte_order),
        META_TEST(a_blob_is_linked_in_each_repository_for_itself),
        META_TEST(a_manifest_goes_with_its_tags_and_bytes),
        META_TEST(an_upload_remembers_what_was_acknowledged_until_it_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
