/* Which manifests have another one as their subject: signatures, lists of contents. */
#include "oci/private.h"

#include "base/encode.h"

static enum rc read_query(struct http_request *req, struct registry_referrers *which, struct err *e)
{
    struct str last;
    enum rc rc = oci_digest(http_param(req, "digest"), &which->subject, e);

    if (rc == RC_OK)
        rc = form_text(&req->arena, req->query, "artifactType", &which->artifact_type, e);
    if (rc == RC_OK)
        rc = form_text(&req->arena, req->query, "last", &last, e);
    if (rc == RC_OK && last.ptr)
        rc = oci_digest(last, &which->last, e);
    return rc;
}

/* Relative, as those of other lists. */
static void add_link(struct http_request *req, const struct registry_referrers *which,
                     const struct digest *last)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);
    char text[DIGEST_TEXT_MAX];

    buf_addc(&b, '<');
    buf_add(&b, req->path);
    buf_add(&b, STR("?last="));
    buf_add(&b, digest_format(last, text));
    if (which->artifact_type.len > 0) {
        buf_add(&b, STR("&artifactType="));
        percent_encode(&b, which->artifact_type);
    }
    buf_add(&b, STR(">; rel=\"next\""));
    if (buf_status(&b, NULL) == RC_OK)
        http_add_field(req, "Link", buf_str(&b));
}

enum http_verdict oci_referrers_get(struct http_request *req)
{
    CLEANUP(buf_done) struct buf index = BUF_INIT(REGISTRY_REFERRERS_MAX);
    struct err e = {0};
    struct registry_where where;
    struct registry_referrers which = {0};
    struct digest last;
    enum rc rc = oci_where(req, false, &where, &e);

    if (rc == RC_OK)
        rc = read_query(req, &which, &e);
    if (rc == RC_OK)
        rc = registry_referrers(admit_store(req), &where, &which, &index, &last, &e);
    if (rc != RC_OK)
        return oci_fail(req, &e);
    struct str body = arena_copy(&req->arena, buf_str(&index));

    if (!body.ptr)
        return oci_refuse(req, RC_TOO_LARGE, NULL, "the list is too long for one answer");
    if (which.artifact_type.len > 0)
        http_add_field(req, "OCI-Filters-Applied", STR("artifactType"));
    if (digest_is_set(&last))
        add_link(req, &which, &last);
    http_answer(req, 200, "application/vnd.oci.image.index.v1+json", body);
    return HTTP_ANSWERED;
}
