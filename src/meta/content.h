/* What registries hold, as rows: repositories, links to blobs, manifests, tags, uploads.
 * Not its business: which of them may be written, or in what order (registry/).
 * A repository is named by its id here; meta_repository_find gives it. Where a row is not there: RC_NOT_FOUND. */
#ifndef META_CONTENT_H
#define META_CONTENT_H

#include "base/digest.h"
#include "meta/meta.h"

/* Called with names in byte order; returning other than RC_OK ends it. */
typedef enum rc meta_name_fn(struct str name, void *arg, struct err *e);
/* A page: names after `last` (STR_NONE: from the start), at most `limit`. */
struct meta_page {
    struct str last;
    size_t limit;
};

/* --- repositories --- */
NODISCARD enum rc meta_repository_find(struct meta_tx *tx, const struct uuid *registry,
                                       struct str name, struct uuid *ret, struct err *e);
/* Finds or makes. */
NODISCARD enum rc meta_repository_make(struct meta_tx *tx, const struct uuid *registry,
                                       struct str name, struct uuid *ret, struct err *e);
/* Those that hold a manifest. */
NODISCARD enum rc meta_repository_each(struct meta_tx *tx, const struct uuid *registry,
                                       const struct meta_page *page, meta_name_fn *fn, void *arg,
                                       struct err *e);

/* --- links to blobs --- */
NODISCARD enum rc meta_link_find(struct meta_tx *tx, const struct uuid *repository,
                                 const struct digest *d, uint64_t *ret_size, struct err *e);
NODISCARD enum rc meta_link_put(struct meta_tx *tx, const struct uuid *repository,
                                const struct digest *d, uint64_t size, struct err *e);
NODISCARD enum rc meta_link_delete(struct meta_tx *tx, const struct uuid *repository,
                                   const struct digest *d, struct err *e);
/* The repositories of a registry that have one. */
NODISCARD enum rc meta_link_holders(struct meta_tx *tx, const struct uuid *registry,
                                    const struct digest *d, meta_name_fn *fn, void *arg,
                                    struct err *e);
/* Bytes of the blobs that a registry's repositories hold, each counted once. */
NODISCARD enum rc meta_registry_size(struct meta_tx *tx, const struct uuid *registry,
                                     uint64_t *ret, struct err *e);

/* --- manifests --- */
struct meta_manifest {
    struct digest digest;
    struct str media_type, artifact_type; /* "" when there is none */
    struct digest subject;                /* DIGEST_NONE: none */
    uint64_t size;
    int64_t created_us; /* set by meta_manifest_put */
};
enum meta_reference_kind { META_REFERENCE_BLOB = 0, META_REFERENCE_MANIFEST = 1 }; /* stored */

NODISCARD enum rc meta_manifest_find(struct meta_tx *tx, struct arena *a,
                                     const struct uuid *repository, const struct digest *d,
                                     struct meta_manifest *ret, struct err *e);
NODISCARD enum rc meta_manifest_size(struct meta_tx *tx, const struct uuid *repository,
                                     const struct digest *d, uint64_t *ret_size, struct err *e);
NODISCARD enum rc meta_manifest_bytes(struct meta_tx *tx, struct arena *a,
                                      const struct uuid *repository, const struct digest *d,
                                      struct str *ret, struct err *e);
/* Those that have a subject, by digest. */
struct meta_referrers {
    struct digest subject;
    struct str artifact_type; /* "": any */
    struct digest last;       /* those after it; DIGEST_NONE: all */
    size_t limit;
};
typedef enum rc meta_manifest_fn(const struct meta_manifest *m, void *arg, struct err *e);
NODISCARD enum rc meta_manifest_referrers(struct meta_tx *tx, struct arena *a,
                                          const struct uuid *repository,
                                          const struct meta_referrers *which, meta_manifest_fn *fn,
                                          void *arg, struct err *e);
/* Again with the same digest: what is told of it is replaced, the bytes are the same anyway. */
NODISCARD enum rc meta_manifest_put(struct meta_tx *tx, const struct uuid *repository,
                                    const struct meta_manifest *m, struct str bytes, struct err *e);
NODISCARD enum rc meta_manifest_refer(struct meta_tx *tx, const struct uuid *repository,
                                      const struct digest *manifest, enum meta_reference_kind kind,
                                      const struct digest *d, struct err *e);
/* With its tags, bytes and references. */
NODISCARD enum rc meta_manifest_delete(struct meta_tx *tx, const struct uuid *repository,
                                       const struct digest *d, struct err *e);

/* --- tags --- */
NODISCARD enum rc meta_tag_find(struct meta_tx *tx, const struct uuid *repository, struct str name,
                                struct digest *ret, struct err *e);
NODISCARD enum rc meta_tag_put(struct meta_tx *tx, const struct uuid *repository, struct str name,
                               const struct digest *d, struct err *e);
NODISCARD enum rc meta_tag_delete(struct meta_tx *tx, const struct uuid *repository,
                                  struct str name, struct err *e);
NODISCARD enum rc meta_tag_each(struct meta_tx *tx, const struct uuid *repository,
                                const struct meta_page *page, meta_name_fn *fn, void *arg,
                                struct err *e);

/* --- uploads --- */
struct meta_upload {
    struct uuid id, registry;
    struct str repository; /* its name: a repository begins with its first commit */
    uint64_t size;         /* acknowledged */
    struct str hash_state; /* of exactly these bytes */
    int64_t started_us, changed_us; /* set by meta_upload_add and meta_upload_save */
};
NODISCARD enum rc meta_upload_add(struct meta_tx *tx, const struct meta_upload *u, struct err *e);
NODISCARD enum rc meta_upload_find(struct meta_tx *tx, struct arena *a, const struct uuid *id,
                                   struct meta_upload *ret, struct err *e);
NODISCARD enum rc meta_upload_save(struct meta_tx *tx, const struct uuid *id, uint64_t size,
                                   struct str hash_state, struct err *e);
NODISCARD enum rc meta_upload_delete(struct meta_tx *tx, const struct uuid *id, struct err *e);
typedef enum rc meta_upload_fn(const struct uuid *id, void *arg, struct err *e);
/* Those that were not changed since, the oldest first, at most `limit`. */
NODISCARD enum rc meta_upload_old(struct meta_tx *tx, int64_t changed_before_us, unsigned limit,
                                  meta_upload_fn *fn, void *arg, struct err *e);
NODISCARD enum rc meta_upload_expire(struct meta_tx *tx, int64_t changed_before_us, struct err *e);
NODISCARD enum rc meta_upload_each(struct meta_tx *tx, meta_upload_fn *fn, void *arg,
                                   struct err *e);

#endif
