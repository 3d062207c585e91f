/* Manifests: byte for byte as they were pushed, under their stored media type; Accept is not
 * negotiated, because nothing else can be given without changing the digest. */
#include "oci/private.h"

static enum http_verdict answer(struct http_request *req, const struct registry_manifest *m)
{
    http_add_field(req, "Docker-Distribution-Api-Version", STR("registry/2.0"));
    oci_add_digest(req, &m->digest);
    if (oci_not_modified(req, &m->digest))
        return HTTP_ANSWERED;
    struct str type = arena_copy(&req->arena, m->media_type); /* terminated */

    http_answer(req, 200, type.ptr ? type.ptr : "application/octet-stream", m->bytes);
    return HTTP_ANSWERED;
}

/* On the loop, from memory. */
enum http_verdict oci_manifest_get_hot(struct http_request *req)
{
    struct registry_where where;
    struct registry_manifest m;

    if (oci_where(req, false, &where, NULL) != RC_OK ||
        !registry_manifest_cached(admit_store(req), &where, http_param(req, "reference"),
                                  &req->arena, &m))
        return HTTP_DECLINED;
    return answer(req, &m);
}

enum http_verdict oci_manifest_get(struct http_request *req)
{
    struct err e = {0};
    struct registry_where where;
    struct registry_manifest m;
    enum rc rc = oci_where(req, false, &where, &e);

    if (rc == RC_OK)
        rc = registry_manifest_get(admit_store(req), &where, http_param(req, "reference"),
                                   &req->arena, &m, &e);
    return rc == RC_OK ? answer(req, &m) : oci_fail(req, &e);
}

/* The media type without parameters. */
static enum rc media_type(struct http_request *req, struct str *ret, struct err *e)
{
    struct str field = http_field(req, "Content-Type");
    struct str type = str_trim(str_split(&field, ';'));

    if (type.len == 0 || type.len > 255)
        return err_code(e, RC_INVALID, "MANIFEST_INVALID",
                        "a manifest needs its media type in Content-Type");
    *ret = type;
    return RC_OK;
}

enum http_verdict oci_manifest_put(struct http_request *req)
{
    struct err e = {0};
    struct registry_where where;
    struct registry_pushed pushed;
    struct str type;
    char text[DIGEST_TEXT_MAX];
    enum rc rc = oci_where(req, true, &where, &e);

    if (rc == RC_OK)
        rc = media_type(req, &type, &e);
    if (rc == RC_OK)
        rc = registry_manifest_put(admit_store(req), &where, http_param(req, "reference"), type,
                                   req->body, &pushed, &e);
    if (rc != RC_OK)
        return oci_fail(req, &e);
    oci_add_location(req, where.repository, "manifests", digest_format(&pushed.digest, text));
    oci_add_digest(req, &pushed.digest);
    if (digest_is_set(&pushed.subject)) /* that it is listed: no list under a tag is needed */
        http_add_field(req, "OCI-Subject", digest_format(&pushed.subject, text));
    http_answer(req, 201, NULL, STR(""));
    return HTTP_ANSWERED;
}

enum http_verdict oci_manifest_delete(struct http_request *req)
{
    struct err e = {0};
    struct registry_where where;
    enum rc rc = oci_where(req, true, &where, &e);

    if (rc == RC_OK)
        rc = registry_manifest_delete(admit_store(req), &where, http_param(req, "reference"), &e);
    if (rc != RC_OK)
        return oci_fail(req, &e);
    http_answer(req, 202, NULL, STR(""));
    return HTTP_ANSWERED;
}
