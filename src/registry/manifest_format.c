#include "registry/manifest_format.h"
#include "registry/registry.h"
#include "json/json.h"

enum manifest_kind { KIND_IMAGE, KIND_INDEX, KIND_ARTIFACT };

static const struct media_type {
    const char *name;
    enum manifest_kind kind;
    bool named_in_body; /* `mediaType` is required there */
    bool versioned;     /* `schemaVersion` is required there, and is 2 */
} media_types[] = {
    {"application/vnd.oci.image.manifest.v1+json", KIND_IMAGE, false, true},
    {"application/vnd.oci.image.index.v1+json", KIND_INDEX, false, true},
    {"application/vnd.oci.artifact.manifest.v1+json", KIND_ARTIFACT, true, false},
    {"application/vnd.docker.distribution.manifest.v2+json", KIND_IMAGE, true, true},
    {"application/vnd.docker.distribution.manifest.list.v2+json", KIND_INDEX, true, true},
};

/* Layers that may stay where their urls say. */
static const char *const foreign_types[] = {
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
};

/* Members by which another kind is recognised: bytes that can be read as two kinds mean two things
 * to two clients. */
static const char *const strange_members[][6] = {
    [KIND_IMAGE] = {"manifests", "fsLayers", "blobs"},
    [KIND_INDEX] = {"config", "layers", "fsLayers", "blobs"},
    [KIND_ARTIFACT] = {"config", "layers", "fsLayers", "manifests"},
};

struct reading {
    struct arena *arena;
    struct manifest_reference *references;
    size_t n;
    struct manifest manifest;
};

#define INVALID(e, ...) err_code(e, RC_INVALID, "MANIFEST_INVALID", __VA_ARGS__)

static const struct media_type *find_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(media_types); i++)
        if (str_is_nocase(name, media_types[i].name))
            return &media_types[i];
    return NULL;
}

static bool is_foreign(const struct json *descriptor)
{
    struct str type = json_str(json_get(descriptor, "mediaType"));
    const struct json *urls = json_get(descriptor, "urls");

    if (json_type(urls) != JSON_ARRAY || json_len(urls) == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(foreign_types); i++)
        if (str_is(type, foreign_types[i]))
            return true;
    return false;
}

/* --- descriptors --- */

static enum rc read_descriptor(const struct json *j, const char *what, struct digest *ret_digest,
                               uint64_t *ret_size, struct err *e)
{
    struct str type = json_str(json_get(j, "mediaType"));
    const struct json *size = json_get(j, "size");

    if (json_type(j) != JSON_OBJECT)
        return INVALID(e, "%s: a descriptor is an object", what);
    if (type.len == 0 || type.len > MANIFEST_TYPE_MAX)
        return INVALID(e, "%s: a descriptor has a mediaType", what);
    if (json_type(size) != JSON_INTEGER || json_int(size, -1) < 0)
        return INVALID(e, "%s: a descriptor has a size that is not negative", what);
    if (digest_parse(json_str(json_get(j, "digest")), ret_digest, NULL) != RC_OK)
        return INVALID(e, "%s: a descriptor has a sha256 or sha512 digest", what);
    *ret_size = (uint64_t)json_int(size, 0);
    return RC_OK;
}

static enum rc add_reference(struct reading *r, const struct json *j, const char *what,
                             enum manifest_need need, struct err *e)
{
    struct manifest_reference *next = &r->references[r->n];
    enum rc rc = read_descriptor(j, what, &next->digest, &next->size, e);

    if (rc != RC_OK)
        return rc;
    next->need = need;
    r->n++;
    return RC_OK;
}

static enum manifest_need need_of(const struct json *descriptor, bool index)
{
    if (!index)
        return is_foreign(descriptor) ? MANIFEST_NEEDS_NOTHING : MANIFEST_NEEDS_BLOB;
    return find_type(json_str(json_get(descriptor, "mediaType"))) ? MANIFEST_NEEDS_MANIFEST
                                                                  : MANIFEST_NEEDS_EITHER;
}

/* An absent list is refused where it is `required`; null is how some clients write an empty one. */
static enum rc add_list(struct reading *r, const struct json *body, const char *member,
                        bool required, struct err *e)
{
    const struct json *list = json_get(body, member);
    bool index = strcmp(member, "manifests") == 0;
    enum rc rc = RC_OK;

    if (!json_given(list))
        return required && json_type(list) == JSON_ABSENT ? INVALID(e, "%s is missing", member)
                                                          : RC_OK;
    if (json_type(list) != JSON_ARRAY)
        return INVALID(e, "%s is not a list", member);
    if (json_len(list) > MANIFEST_REFERENCES_MAX)
        return INVALID(e, "%s has more than %d entries", member, MANIFEST_REFERENCES_MAX);
    /* One more: an image's config stands beside its layers. */
    r->references = arena_alloc(r->arena, (json_len(list) + 1) * sizeof(struct manifest_reference));
    if (!r->references)
        return err_code(e, RC_TOO_LARGE, "SIZE_INVALID", "the manifest has too many references");
    for (size_t i = 0; rc == RC_OK && i < json_len(list); i++)
        rc = add_reference(r, json_at(list, i), member, need_of(json_at(list, i), index), e);
    return rc;
}

static enum rc add_config(struct reading *r, const struct json *body, struct err *e)
{
    if (!r->references) /* no layers */
        r->references = ARENA_NEW(r->arena, struct manifest_reference);
    if (!r->references)
        return err_code(e, RC_TOO_LARGE, "SIZE_INVALID", "the manifest is too large");
    return add_reference(r, json_get(body, "config"), "config", MANIFEST_NEEDS_BLOB, e);
}

/* --- the whole --- */

static enum rc check_head(const struct json *body, const struct media_type *type, struct err *e)
{
    const struct json *named = json_get(body, "mediaType");

    if (json_type(body) != JSON_OBJECT)
        return INVALID(e, "a manifest is a JSON object");
    if (type->versioned && json_int(json_get(body, "schemaVersion"), 0) != 2)
        return INVALID(e, "schemaVersion is not 2");
    if (json_type(named) == JSON_ABSENT && !type->named_in_body)
        return RC_OK;
    if (!str_is(json_str(named), type->name))
        return INVALID(e, "mediaType is not what Content-Type says: %s", type->name);
    return RC_OK;
}

static enum rc check_kind(const struct json *body, enum manifest_kind kind, struct err *e)
{
    for (const char *const *m = strange_members[kind]; *m; m++)
        if (json_given(json_get(body, *m)))
            return INVALID(e, "%s does not belong into a manifest of this media type", *m);
    return RC_OK;
}

static enum rc read_references(struct reading *r, const struct json *body, enum manifest_kind kind,
                               struct err *e)
{
    enum rc rc = RC_OK;

    switch (kind) {
    case KIND_IMAGE:
        rc = add_list(r, body, "layers", true, e);
        return rc == RC_OK ? add_config(r, body, e) : rc;
    case KIND_INDEX:
        return add_list(r, body, "manifests", true, e);
    case KIND_ARTIFACT:
        return add_list(r, body, "blobs", false, e);
    }
    return rc;
}

static enum rc read_subject(struct reading *r, const struct json *body, struct err *e)
{
    const struct json *subject = json_get(body, "subject");
    uint64_t size = 0;

    return json_given(subject) ? read_descriptor(subject, "subject", &r->manifest.subject, &size, e)
                               : RC_OK;
}

static enum rc read_artifact_type(struct reading *r, const struct json *body, struct err *e)
{
    const struct json *named = json_get(body, "artifactType");
    struct str type = json_str(named);

    if (json_given(named) && (json_type(named) != JSON_STRING || type.len > MANIFEST_TYPE_MAX))
        return INVALID(e, "artifactType is not a media type");
    if (type.len == 0)
        type = json_str(json_get(json_get(body, "config"), "mediaType"));
    r->manifest.artifact_type = type.len > 0 ? arena_copy(r->arena, type) : STR("");
    if (!r->manifest.artifact_type.ptr)
        return err_code(e, RC_TOO_LARGE, "SIZE_INVALID", "the manifest is too large");
    return RC_OK;
}

static enum rc read_body(struct reading *r, const struct json *body, const struct media_type *type,
                         struct err *e)
{
    enum rc rc = check_head(body, type, e);

    if (rc == RC_OK)
        rc = check_kind(body, type->kind, e);
    if (rc == RC_OK)
        rc = read_references(r, body, type->kind, e);
    if (rc == RC_OK)
        rc = read_subject(r, body, e);
    if (rc == RC_OK)
        rc = read_artifact_type(r, body, e);
    return rc;
}

static enum rc refuse_type(struct str name, struct err *e)
{
    if (str_starts_nocase(name, STR("application/vnd.docker.distribution.manifest.v1+")))
        return INVALID(e, "manifests of schema version 1 are not accepted");
    return INVALID(e, "%.*s is not a media type of manifests", STR_ARG(str_take(name, 255)));
}

enum rc manifest_parse(struct arena *a, struct str media_type, struct str bytes,
                       struct manifest *ret, struct err *e)
{
    const struct media_type *type = find_type(media_type);
    struct reading r = {.arena = a};
    CLEANUP(json_freep) struct json *body = NULL;
    struct err why = {0};

    if (!type)
        return refuse_type(media_type, e);
    if (bytes.len > REGISTRY_MANIFEST_MAX)
        return err_code(e, RC_TOO_LARGE, "SIZE_INVALID", "a manifest has at most %d bytes",
                        REGISTRY_MANIFEST_MAX);
    if (json_parse(bytes, NULL, &body, &why) != RC_OK)
        return INVALID(e, "%s", why.text);
    enum rc rc = read_body(&r, body, type, e);

    if (rc != RC_OK)
        return rc;
    r.manifest.media_type = str_from(type->name);
    r.manifest.references = r.references;
    r.manifest.n_references = r.n;
    *ret = r.manifest;
    return RC_OK;
}

bool manifest_add_annotations(struct str bytes, struct buf *out)
{
    CLEANUP(json_freep) struct json *body = NULL, *texts = json_new_object();
    struct json *value;
    struct str name;

    if (json_parse(bytes, NULL, &body, NULL) != RC_OK)
        return false;
    const struct json *annotations = json_get(body, "annotations");

    /* One that is no text would spoil the list for its readers. */
    for (size_t i = 0; json_member(annotations, &i, &name, &value);)
        if (json_type(value) == JSON_STRING)
            json_set_str(texts, name.ptr, json_str(value));
    if (json_len(texts) > 0) /* this writer makes no text longer than it came */
        json_write(texts, out);
    return true;
}
