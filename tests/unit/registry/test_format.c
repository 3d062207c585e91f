/* What the bytes of a manifest must look like. */
#include "test.h"

#include "base/buf.h"
#include "registry/manifest_format.h"
#include "registry/registry.h"

#define D0 "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2                                                                                         \
    "sha512:"                                                                                      \
    "2222222222222222222222222222222222222222222222222222222222222222"                             \
    "2222222222222222222222222222222222222222222222222222222222222222"
#define OCI_IMAGE   "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX   "application/vnd.oci.image.index.v1+json"
#define ARTIFACT    "application/vnd.oci.artifact.manifest.v1+json"
#define DOCKER      "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define FOREIGN     "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

#define DESC(type, digest, size)                                                                   \
    "{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":" size "}"
#define CONFIG "\"config\":" DESC("t/config", D0, "2")
#define LAYER  DESC("t/layer", D1, "10")

static struct arena arena = ARENA_INIT(MANIFEST_PARSE_MEMORY);

static enum rc parse(const char *type, const char *bytes, struct manifest *ret, struct err *e)
{
    arena_done(&arena);
    return manifest_parse(&arena, str_from(type), str_from(bytes), ret, e);
}

static void images_refer_to_their_config_and_layers(void **state)
{
    static const char body[] = "{\"schemaVersion\":2,\"mediaType\":\"" OCI_IMAGE "\"," CONFIG
                               ",\"layers\":[" LAYER "," DESC("t/l", D2, "0") "]}\n";
    struct manifest m;

    (void)state;
    assert_int_equal(parse(OCI_IMAGE, body, &m, NULL), RC_OK);
    assert_str(m.media_type, OCI_IMAGE);
    assert_str(m.artifact_type, "t/config");
    assert_int_equal(m.n_references, 3);
    assert_int_equal(m.references[0].size, 10);
    assert_int_equal(m.references[1].digest.algorithm, DIGEST_SHA512);
    assert_int_equal(m.references[2].size, 2);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(m.references[i].need, MANIFEST_NEEDS_BLOB);
    assert_false(digest_is_set(&m.subject));
}

static void an_index_refers_to_manifests(void **state)
{
    static const char body[] =
        "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER_LIST "\",\"manifests\":[" DESC(
            DOCKER, D0, "7") "," DESC("application/vnd.buildkit.cacheconfig.v0", D1, "8") "]}";
    struct manifest m;

    (void)state;
    assert_int_equal(parse(DOCKER_LIST, body, &m, NULL), RC_OK);
    assert_int_equal(m.n_references, 2);
    assert_int_equal(m.references[0].need, MANIFEST_NEEDS_MANIFEST);
    assert_int_equal(m.references[1].need, MANIFEST_NEEDS_EITHER);
    assert_str(m.artifact_type, "");
}

static void an_artifact_refers_to_blobs_and_may_have_a_subject(void **state)
{
    static const char body[] = "{\"mediaType\":\"" ARTIFACT "\",\"artifactType\":\"t/sbom\","
                               "\"blobs\":[" LAYER "],\"subject\":" DESC(OCI_IMAGE, D0, "9") "}";
    struct manifest m;

    (void)state;
    assert_int_equal(parse(ARTIFACT, body, &m, NULL), RC_OK);
    assert_int_equal(m.n_references, 1);
    assert_str(m.artifact_type, "t/sbom");
    assert_true(digest_is_set(&m.subject));
}

static void a_foreign_layer_with_urls_may_be_elsewhere(void **state)
{
#define WITH(type, urls)                                                                           \
    "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER "\"," CONFIG                                    \
    ",\"layers\":[{\"mediaType\":\"" type "\",\"digest\":\"" D1 "\",\"size\":1" urls "}]}"
    static const char *const bodies[] = {
        WITH(FOREIGN, ",\"urls\":[\"https://example.org/l\"]"),
        WITH(FOREIGN, ""),
        WITH(FOREIGN, ",\"urls\":[]"),
        WITH("t/layer", ",\"urls\":[\"https://example.org/l\"]"),
    };
    struct manifest m;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_int_equal(parse(DOCKER, bodies[i], &m, NULL), RC_OK);
        assert_int_equal(m.references[0].need,
                         i == 0 ? MANIFEST_NEEDS_NOTHING : MANIFEST_NEEDS_BLOB);
    }
}

static void lists_may_be_empty(void **state)
{
    struct manifest m;

    (void)state;
    assert_int_equal(parse(OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", &m, NULL),
                     RC_OK);
    assert_int_equal(parse(OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":null}", &m, NULL),
                     RC_OK);
    assert_int_equal(m.n_references, 1);
    assert_int_equal(parse(OCI_INDEX, "{\"schemaVersion\":2,\"manifests\":[]}", &m, NULL), RC_OK);
    assert_int_equal(m.n_references, 0);
}

static void what_is_no_manifest_is_refused(void **state)
{
    static const struct {
        const char *type, *body;
    } bad[] = {
        {OCI_IMAGE, ""},
        {OCI_IMAGE, "[]"},
        {OCI_IMAGE, "{}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG "}"},
        {OCI_IMAGE, "{\"schemaVersion\":2,\"layers\":[]}"},
        {OCI_IMAGE, "{\"schemaVersion\":1," CONFIG ",\"layers\":[]}"},
        {OCI_IMAGE, "{\"schemaVersion\":\"2\"," CONFIG ",\"layers\":[]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":{}}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[]} x"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[1]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" DESC("", D0, "1") "]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" DESC("t", D0, "-1") "]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" DESC("t", D0, "1.0") "]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" DESC("t", D0, "\"1\"") "]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" DESC("t", "x", "1") "]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" DESC("t", "md5:00", "1") "]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"subject\":1}"},
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"artifactType\":1}"},
        /* two media types */
        {OCI_IMAGE, "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER "\"," CONFIG ",\"layers\":[]}"},
        {OCI_IMAGE, "{\"schemaVersion\":2,\"mediaType\":null," CONFIG ",\"layers\":[]}"},
        {DOCKER, "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}"},
        {ARTIFACT, "{\"blobs\":[]}"},
        /* two kinds */
        {OCI_IMAGE, "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}"},
        {OCI_INDEX, "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}"},
        {OCI_INDEX, "{\"schemaVersion\":2,\"manifests\":[],\"config\":{}}"},
        /* two meanings */
        {OCI_INDEX, "{\"schemaVersion\":2,\"manifests\":[],\"manifests\":[]}"},
        /* other media types */
        {"application/json", "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}"},
        {"", "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}"},
        {"application/vnd.docker.distribution.manifest.v1+json", "{\"schemaVersion\":1}"},
        {"application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct manifest m = {.n_references = 77};
        struct err e = {0};

        assert_int_equal(parse(bad[i].type, bad[i].body, &m, &e), RC_INVALID);
        assert_string_equal(e.code, "MANIFEST_INVALID");
        assert_int_equal(m.n_references, 77);
    }
}

static void what_is_too_large_is_refused(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(2 * REGISTRY_MANIFEST_MAX);
    struct manifest m;

    (void)state;
    buf_add(&b, STR("{\"schemaVersion\":2,\"manifests\":["));
    for (unsigned i = 0; i <= MANIFEST_REFERENCES_MAX; i++)
        buf_addf(&b, "%s" DESC("t", D0, "1"), i ? "," : "");
    buf_add(&b, STR("]}"));
    assert_int_equal(parse(OCI_INDEX, buf_cstr(&b), &m, NULL), RC_INVALID);
    while (b.len <= REGISTRY_MANIFEST_MAX)
        buf_add(&b, STR("                "));
    assert_int_equal(parse(OCI_INDEX, buf_cstr(&b), &m, NULL), RC_TOO_LARGE);
}

static int last(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_refer_to_their_config_and_layers),
        cmocka_unit_test(an_index_refers_to_manifests),
        cmocka_unit_test(an_artifact_refers_to_blobs_and_may_have_a_subject),
        cmocka_unit_test(a_foreign_layer_with_urls_may_be_elsewhere),
        cmocka_unit_test(lists_may_be_empty),
        cmocka_unit_test(what_is_no_manifest_is_refused),
        cmocka_unit_test(what_is_too_large_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, last);
}
