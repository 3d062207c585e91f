/* Manifests as pushed: the first byte chooses the media type, the rest is the body. Whatever is
 * accepted has references that can be looked up: digests that are written as they are read, sizes
 * that fit a column, and no more than promised. */
#include "fuzz.h"

#include "registry/manifest_format.h"
#include "json/json.h"
#include <stdlib.h>

static const char *const types[] = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.artifact.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
};

static void check_digest(const struct digest *d)
{
    char text[DIGEST_TEXT_MAX];
    struct digest again;

    if (digest_parse(digest_format(d, text), &again, NULL) != RC_OK || !digest_eq(d, &again))
        abort();
}

/* What was accepted has annotations that can be listed: none, or an object that is read as it is
 * written. */
static void check_annotations(struct str bytes)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(16 * 1024 * 1024);
    struct json *j = NULL;

    if (!manifest_add_annotations(bytes, &b) || buf_status(&b, NULL) != RC_OK)
        abort();
    if (b.len > 0 && (json_parse(buf_str(&b), NULL, &j, NULL) != RC_OK || json_len(j) == 0))
        abort();
    json_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(MANIFEST_PARSE_MEMORY);
    const char *type = types[data[0] % ARRAY_LEN(types)];
    struct manifest m;
    struct err e = {0};
    enum rc rc = manifest_parse(&arena, str_from(type),
                                (struct str){(const char *)data + 1, size - 1}, &m, &e);

    if (rc != RC_OK) {
        if (!e.code || e.text[0] == '\0')
            abort();
        return 0;
    }
    check_annotations((struct str){(const char *)data + 1, size - 1});
    if (!str_is(m.media_type, type) || m.n_references > MANIFEST_REFERENCES_MAX + 1 ||
        !m.artifact_type.ptr || m.artifact_type.len > MANIFEST_TYPE_MAX)
        abort();
    for (size_t i = 0; i < m.n_references; i++) {
        check_digest(&m.references[i].digest);
        if (m.references[i].size > INT64_MAX)
            abort();
    }
    if (digest_is_set(&m.subject))
        check_digest(&m.subject);
    return 0;
}
