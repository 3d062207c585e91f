/* A database of a test's own, in a folder that goes with it. */
#ifndef UNIT_META_FIXTURE_H
#define UNIT_META_FIXTURE_H

#include "temp_folder.h"
#include "test.h"

#include "meta/meta.h"

struct meta_fixture {
    struct temp_folder folder;
    char url[600];
    struct meta *meta;
    struct arena arena;
};

static inline int meta_setup(void **state)
{
    struct meta_fixture *f = calloc(1, sizeof(*f));
    struct err e = {0};

    if (!f)
        return -1;
    f->arena = ARENA_INIT(16 * 1024 * 1024);
    temp_folder_make(&f->folder);
    snprintf(f->url, sizeof(f->url), "sqlite:%s/kidoban.db", f->folder.path);
    *state = f;
    if (meta_open(f->url, &f->meta, &e) == RC_OK)
        return 0;
    fprintf(stderr, "%s\n", e.text);
    return -1;
}

static inline int meta_teardown(void **state)
{
    struct meta_fixture *f = *state;

    meta_close(f->meta);
    arena_done(&f->arena);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

#define META_TEST(name) cmocka_unit_test_setup_teardown(name, meta_setup, meta_teardown)

#endif
