/* Blob store: immutable bytes named by digest, and staging files that become blobs.
 * Owns: files or objects. Not its business: references, repositories, who may read, hashing (it trusts the digest that
 * blob_stage_commit is given).
 * Threads: any call may block; call it from a worker, never from the event loop. */
#ifndef BLOB_BLOB_H
#define BLOB_BLOB_H

#include "base/digest.h"

struct blob_store;
struct blob_stage;
enum { BLOB_STAGE_NAME_MAX = 64 };

/* <dir>/blobs/sha256/00..ff and <dir>/staging (one file system), made where missing. */
NODISCARD enum rc blob_fs_open(const char *dir, struct blob_store **ret, struct err *e);
struct blob_store *blob_mem_new(void); /* for tests */
void blob_store_free(struct blob_store *s);
CLEANUP_POINTER(struct blob_store, blob_store_free)

NODISCARD enum rc blob_size(struct blob_store *s, const struct digest *d, uint64_t *ret_size, struct err *e);
/* A descriptor to read from with pread (memfd for mem); the caller closes it. RC_NOT_FOUND. */
NODISCARD enum rc blob_open(struct blob_store *s, const struct digest *d, int *ret_fd, uint64_t *ret_size, struct err *e);
NODISCARD enum rc blob_unlink(struct blob_store *s, const struct digest *d, struct err *e); /* RC_NOT_FOUND */

/* Staging: named by the upload's id ([0-9a-f-]). */
NODISCARD enum rc blob_stage_new(struct blob_store *s, struct str name, struct blob_stage **ret, struct err *e);
NODISCARD enum rc blob_stage_open(struct blob_store *s, struct str name, struct blob_stage **ret, uint64_t *ret_size,
                                  struct err *e); /* RC_NOT_FOUND */
NODISCARD enum rc blob_stage_write(struct blob_stage *g, uint64_t offset, struct str bytes, struct err *e); /* RC_QUOTA: disk full */
NODISCARD enum rc blob_stage_read(struct blob_stage *g, uint64_t offset, void *out, size_t n, size_t *ret_n, struct err *e);
NODISCARD enum rc blob_stage_truncate(struct blob_stage *g, uint64_t size, struct err *e);
NODISCARD enum rc blob_stage_sync(struct blob_stage *g, struct err *e);
/* Makes the staged bytes the blob `d`, durably (fsync, rename, folder fsync); fine when it exists already. Frees g;
 * when it fails, the staged bytes go. */
NODISCARD enum rc blob_stage_commit(struct blob_stage *g, const struct digest *d, struct err *e);
void blob_stage_close(struct blob_stage *g);   /* the file stays */
void blob_stage_discard(struct blob_stage *g); /* and it goes */
/* Calls keep(name) for each staging file and removes those for which it says false (at start). */
NODISCARD enum rc blob_stage_sweep(struct blob_store *s, bool (*keep)(void *ctx, struct str name), void *ctx, struct err *e);

#endif
