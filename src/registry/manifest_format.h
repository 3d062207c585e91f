/* Reading manifests: which media types there are, what their bytes must look like, what they refer to. Pure functions.
 * Whether the references are there is not decided here. Private to registry/ and to the fuzz target. */
#ifndef REGISTRY_MANIFEST_FORMAT_H
#define REGISTRY_MANIFEST_FORMAT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"

enum {
    MANIFEST_REFERENCES_MAX = 4096,
    MANIFEST_TYPE_MAX = 255,              /* of media types and artifact types */
    MANIFEST_PARSE_MEMORY = 1024 * 1024,  /* enough for an arena: references and texts */
};

enum manifest_need {
    MANIFEST_NEEDS_BLOB,     /* a config or a layer */
    MANIFEST_NEEDS_EITHER,   /* listed by an index under a media type that is not a manifest's: build caches */
    MANIFEST_NEEDS_MANIFEST, /* listed by an index */
    MANIFEST_NEEDS_NOTHING,  /* a layer that clients fetch elsewhere, by its urls */
};
struct manifest_reference {
    struct digest digest;
    uint64_t size;
    enum manifest_need need;
};
struct manifest {
    struct str media_type;    /* static text */
    struct str artifact_type; /* an image without one: its config's media type; "" when there is neither */
    struct digest subject;    /* DIGEST_NONE: none */
    const struct manifest_reference *references;
    size_t n_references;
};

/* `media_type`: from Content-Type, without parameters. What is returned is in the arena or static.
 * MANIFEST_INVALID, SIZE_INVALID. */
NODISCARD enum rc manifest_parse(struct arena *a, struct str media_type, struct str bytes,
                                 struct manifest *ret, struct err *e);

/* `bytes` were accepted by manifest_parse: their annotations, as a JSON object without what is no text; nothing when
 * there are none. False: `bytes` cannot be read. */
NODISCARD bool manifest_add_annotations(struct str bytes, struct buf *out);

#endif
