/* A folder of a test's own, under TMPDIR, gone with all it holds when the test ends. */
#ifndef UNIT_TEMP_FOLDER_H
#define UNIT_TEMP_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct temp_folder {
    char path[512];
};

static inline void temp_folder_make(struct temp_folder *f)
{
    const char *root = getenv("TMPDIR");

    snprintf(f->path, sizeof(f->path), "%s/kidoban-test-XXXXXX", root ? root : "/tmp");
    if (!mkdtemp(f->path))
        abort();
}

static inline int temp_folder_entry(const char *path, const struct stat *st, int type,
                                    struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void temp_folder_remove(struct temp_folder *f)
{
    nftw(f->path, temp_folder_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
