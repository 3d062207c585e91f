/* What a blob store implements, and what its stores and stages begin with. Private to blob/.
 * Each entry has the contract of the function in blob.h that bears its name; names of stages were checked before. */
#ifndef BLOB_DRIVER_H
#define BLOB_DRIVER_H

#include "blob/blob.h"

struct blob_ops {
    const char *name;
    void (*free)(struct blob_store *s);
    enum rc (*size)(struct blob_store *s, const struct digest *d, uint64_t *ret_size,
                    struct err *e);
    enum rc (*open)(struct blob_store *s, const struct digest *d, int *ret_fd, uint64_t *ret_size,
                    struct err *e);
    enum rc (*unlink)(struct blob_store *s, const struct digest *d, struct err *e);
    enum rc (*stage_new)(struct blob_store *s, struct str name, struct blob_stage **ret,
                         struct err *e);
    enum rc (*stage_open)(struct blob_store *s, struct str name, struct blob_stage **ret,
                          uint64_t *ret_size, struct err *e);
    enum rc (*stage_sweep)(struct blob_store *s, bool (*keep)(void *ctx, struct str name),
                           void *ctx, struct err *e);
    enum rc (*stage_write)(struct blob_stage *g, uint64_t offset, struct str bytes, struct err *e);
    enum rc (*stage_read)(struct blob_stage *g, uint64_t offset, void *out, size_t n,
                          size_t *ret_n, struct err *e);
    enum rc (*stage_truncate)(struct blob_stage *g, uint64_t size, struct err *e);
    enum rc (*stage_sync)(struct blob_stage *g, struct err *e);
    enum rc (*stage_commit)(struct blob_stage *g, const struct digest *d, struct err *e);
    void (*stage_close)(struct blob_stage *g);
    void (*stage_discard)(struct blob_stage *g);
};

struct blob_store {
    const struct blob_ops *ops; /* first member of each driver's store */
};

struct blob_stage {
    struct blob_store *store; /* first member of each driver's stage */
    int fd;                   /* of drivers that use blob_file_...; owned by the driver */
    char name[BLOB_STAGE_NAME_MAX + 1];
};

/* Stages that are files. */
NODISCARD enum rc blob_file_write(struct blob_stage *g, uint64_t offset, struct str bytes,
                                  struct err *e);
NODISCARD enum rc blob_file_read(struct blob_stage *g, uint64_t offset, void *out, size_t n,
                                 size_t *ret_n, struct err *e);
NODISCARD enum rc blob_file_truncate(struct blob_stage *g, uint64_t size, struct err *e);
NODISCARD enum rc blob_file_size(int fd, uint64_t *ret, struct err *e);
/* From errno: RC_QUOTA when the disk is full, RC_UNAVAILABLE when the process lacks something for now, else
 * RC_INTERNAL: these files are ours, so it is never the caller's fault. */
enum rc blob_file_fail(struct err *e, const char *doing);

#endif
