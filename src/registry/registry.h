/* The use cases of a registry's content: pull, push, mount, delete, list. No HTTP, no SQL; limits are given as values.
 * Errors carry OCI distribution-spec codes in err.code (BLOB_UNKNOWN, MANIFEST_INVALID, ...).
 * Threads: everything blocks: work threads only, except where an async form is named.
 * A blob is visible in a repository only if it was pushed or mounted there. */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "base/buf.h"
#include "blob/blob.h"
#include "crypto/hash.h"
#include "meta/meta.h"

enum {
    REGISTRY_NAME_MAX = 255,
    REGISTRY_TAG_MAX = 128,
    REGISTRY_MANIFEST_MAX = 4 * 1024 * 1024,
    REGISTRY_REFERRERS_MAX = 8 * 1024 * 1024, /* of an index of referrers */
    REGISTRY_PAGE_MAX = 10000, /* names in one answer; the rest is `more` */
    REGISTRY_UPLOAD_LIFE_S = 24 * 3600, /* of an upload that nobody touches */
};

struct registry_store; /* meta + blobs */
struct registry_store *registry_store_new(struct meta *m, struct blob_store *b);
void registry_store_free(struct registry_store *s);
/* At start: uploads past the cutoff, staging files without an upload and uploads without a staging file go. */
NODISCARD enum rc registry_store_sweep(struct registry_store *s, struct err *e);
/* At any time: uploads that nobody changed since then and no request works on go, with their bytes; 256 at a time. */
NODISCARD enum rc registry_store_expire(struct registry_store *s, int64_t changed_before_us, struct err *e);
int64_t registry_upload_cutoff(void); /* REGISTRY_UPLOAD_LIFE_S ago */

/* Judged again inside every write function: a push admitted before a change cannot commit after its reply. */
struct registry_guard {
    enum rc (*judge)(void *ctx, struct err *e); /* on the write lane's thread */
    void *ctx;
};
/* A repository of a registry, and by whose leave. */
struct registry_where {
    struct uuid registry;
    struct str repository; /* checked by registry_name_check */
    struct registry_guard guard; /* writes only */
};

NODISCARD enum rc registry_name_check(struct str name, struct err *e); /* NAME_INVALID */
NODISCARD enum rc registry_tag_check(struct str tag, struct err *e);   /* TAG_INVALID */

/* --- manifests --- */
struct registry_manifest {
    struct digest digest;
    struct str media_type;
    struct str bytes; /* in the arena given, as media_type is */
    uint64_t size;
};
/* reference: a tag or a digest. MANIFEST_UNKNOWN (also for what cannot be a reference), NAME_UNKNOWN. */
NODISCARD enum rc registry_manifest_get(struct registry_store *s, const struct registry_where *w, struct str reference,
                                        struct arena *a, struct registry_manifest *ret, struct err *e);
/* The same from memory, where it was asked for lately; any thread, does not block. */
bool registry_manifest_cached(struct registry_store *s, const struct registry_where *w, struct str reference, struct arena *a,
                              struct registry_manifest *ret);
struct registry_pushed {
    struct digest digest, subject; /* DIGEST_NONE: it has none */
};
/* Byte-exact. Referenced blobs and children must be in the repository (MANIFEST_BLOB_UNKNOWN; subject may be missing). */
NODISCARD enum rc registry_manifest_put(struct registry_store *s, const struct registry_where *w, struct str reference,
                                        struct str media_type, struct str bytes, struct registry_pushed *ret,
                                        struct err *e);
NODISCARD enum rc registry_manifest_delete(struct registry_store *s, const struct registry_where *w, struct str reference,
                                           struct err *e);
/* An image index of the manifests whose subject is `subject`, which need not be there, as JSON into `out`. */
struct registry_referrers {
    struct digest subject;
    struct str artifact_type; /* only these; "": any */
    struct digest last;       /* only those after it; DIGEST_NONE: from the first */
};
NODISCARD enum rc registry_referrers(struct registry_store *s, const struct registry_where *w,
                                     const struct registry_referrers *which, struct buf *out,
                                     struct digest *ret_last, struct err *e); /* DIGEST_NONE: there are no others */
/* Names in byte order after `last`, at most n; *ret_more tells that there are others. */
struct registry_names {
    struct str *list;
    size_t n;
    bool more;
};
NODISCARD enum rc registry_tags(struct registry_store *s, const struct registry_where *w, struct str last, size_t n,
                                struct arena *a, struct registry_names *ret, struct err *e);
NODISCARD enum rc registry_catalog(struct registry_store *s, const struct uuid *registry, struct str last, size_t n,
                                   struct arena *a, struct registry_names *ret, struct err *e);

/* --- blobs --- */
NODISCARD enum rc registry_blob_stat(struct registry_store *s, const struct registry_where *w, const struct digest *d,
                                     uint64_t *ret_size, struct err *e);
NODISCARD enum rc registry_blob_open(struct registry_store *s, const struct registry_where *w, const struct digest *d,
                                     int *ret_fd, uint64_t *ret_size, struct err *e);
NODISCARD enum rc registry_blob_delete(struct registry_store *s, const struct registry_where *w, const struct digest *d,
                                       struct err *e);
/* Links `d` from repository `from` (STR_NONE: any of the registry's; the caller checks that all may be read) into w's.
 * RC_NOT_FOUND: push it instead. */
NODISCARD enum rc registry_blob_mount(struct registry_store *s, const struct registry_where *w, const struct digest *d,
                                      struct str from, struct err *e);

/* --- uploads: one struct is one upload being worked on by one request at a time --- */
/* w's guard must live until the upload is given back (finish, cancel, close). */
struct registry_upload;
NODISCARD enum rc registry_upload_start(struct registry_store *s, const struct registry_where *w,
                                        enum digest_algorithm algorithm, struct registry_upload **ret, struct err *e);
/* BLOB_UPLOAD_UNKNOWN; RC_CONFLICT while another request works on it. */
NODISCARD enum rc registry_upload_open(struct registry_store *s, const struct registry_where *w, struct str id,
                                       struct registry_upload **ret, struct err *e);
/* What was acknowledged. Claims nothing: whoever asks stands in nobody's way. */
NODISCARD enum rc registry_upload_stat(struct registry_store *s, const struct registry_where *w, struct str id,
                                       uint64_t *ret_saved, struct err *e);
struct str registry_upload_id(const struct registry_upload *u);
uint64_t registry_upload_offset(const struct registry_upload *u);
/* Disk lane: hashes and writes; one at a time per upload. */
NODISCARD enum rc registry_upload_append(struct registry_upload *u, struct str bytes, struct err *e);
/* Makes what was appended durable and acknowledges it (offset and hash state in the database). */
NODISCARD enum rc registry_upload_save(struct registry_upload *u, struct err *e);
/* Verifies (DIGEST_INVALID), makes durable, commits the link. Always frees u; a failed digest removes the upload. */
NODISCARD enum rc registry_upload_finish(struct registry_upload *u, const struct registry_where *w, const struct digest *d,
                                         struct err *e);
NODISCARD enum rc registry_upload_cancel(struct registry_upload *u, struct err *e); /* frees u */
void registry_upload_drop(struct registry_upload *u); /* nobody was told of it: nothing of it stays */
void registry_upload_close(struct registry_upload *u); /* what was saved stays, the rest is cut back */

/* For who got RC_CONFLICT: tells, once, that an upload is free again; the first who waits is told first. It is not held
 * for him: he opens it as everybody does, and waits again if another was faster. */
struct registry_wait {
    void (*told)(struct registry_wait *w); /* on any thread; must not block, nor call the store */
    char id[UUID_TEXT_MAX];                /* private, as what follows */
    struct registry_claim *claim;                   /* NULL: it does not wait */
    struct registry_wait *prev, *next;
};
/* False: nobody works on it, so there is nothing to wait for. */
bool registry_upload_wait(struct registry_store *s, struct str id, struct registry_wait *w);
bool registry_upload_wait_end(struct registry_store *s, struct registry_wait *w); /* false: it was told */

#endif
