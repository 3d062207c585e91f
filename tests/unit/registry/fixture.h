/* A store over a database in a folder of the test's own and blobs in memory. */
#ifndef UNIT_REGISTRY_FIXTURE_H
#define UNIT_REGISTRY_FIXTURE_H

#include "temp_folder.h"
#include "test.h"

#include "registry/registry.h"

struct registry_fixture {
    struct temp_folder folder;
    char url[600];
    struct meta *meta;
    struct blob_store *blobs;
    struct registry_store *store;
    struct arena arena;
    enum rc verdict;  /* of the guard */
    unsigned judged;  /* how often it was asked */
    struct registry_where a, b; /* repositories of one registry */
    struct registry_where elsewhere; /* a repository named as a's, in another registry */
};

static inline enum rc fixture_judge(void *ctx, struct err *e)
{
    struct registry_fixture *f = ctx;

    f->judged++;
    return f->verdict == RC_OK ? RC_OK : err_set(e, f->verdict, "the gate was shut");
}

static inline struct registry_where fixture_where(struct registry_fixture *f, uint8_t registry,
                                                  struct str repository)
{
    return (struct registry_where){.registry = {{registry}},
                                   .repository = repository,
                                   .guard = {fixture_judge, f}};
}

static inline int registry_setup(void **state)
{
    struct registry_fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    *state = f;
    f->arena = ARENA_INIT(64 * 1024 * 1024);
    f->a = fixture_where(f, 1, STR("team/app"));
    f->b = fixture_where(f, 1, STR("other"));
    f->elsewhere = fixture_where(f, 2, STR("team/app"));
    temp_folder_make(&f->folder);
    snprintf(f->url, sizeof(f->url), "sqlite:%s/kidoban.db", f->folder.path);
    if (meta_open(f->url, &f->meta, NULL) != RC_OK)
        return -1;
    f->blobs = blob_mem_new();
    f->store = registry_store_new(f->meta, f->blobs);
    return 0;
}

static inline int registry_teardown(void **state)
{
    struct registry_fixture *f = *state;

    registry_store_free(f->store);
    meta_close(f->meta);
    blob_store_free(f->blobs);
    arena_done(&f->arena);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

static inline struct digest digest_of(struct str bytes)
{
    struct digest d;

    hash_bytes(DIGEST_SHA256, bytes, &d);
    return d;
}

/* Pushes a blob in one go. */
static inline struct digest push_blob(struct registry_fixture *f, const struct registry_where *w,
                                      struct str bytes)
{
    struct digest d = digest_of(bytes);
    struct registry_upload *u = NULL;

    assert_int_equal(registry_upload_start(f->store, w, DIGEST_SHA256, &u, NULL), RC_OK);
    assert_int_equal(registry_upload_append(u, bytes, NULL), RC_OK);
    assert_int_equal(registry_upload_finish(u, w, &d, NULL), RC_OK);
    return d;
}

#define REGISTRY_TEST(name)                                                                        \
    cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

#endif
