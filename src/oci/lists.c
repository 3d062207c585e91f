/* Tags of a repository, repositories of a registry. */
#include "oci/private.h"

static struct str tags_head(struct http_request *req, struct str name)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);

    buf_add(&b, STR("{\"name\":"));
    buf_add_json(&b, name);
    buf_add(&b, STR(",\"tags\":"));
    return arena_copy(&req->arena, buf_str(&b));
}

enum http_verdict oci_tags_get(struct http_request *req)
{
    struct err e = {0};
    struct registry_where where;
    struct registry_names names = {0};
    struct oci_page page;
    enum rc rc = oci_where(req, false, &where, &e);

    if (rc == RC_OK)
        rc = oci_page_read(req, &page, &e);
    if (rc == RC_OK)
        rc = registry_tags(admit_store(req), &where, page.last, page.n, &req->arena, &names, &e);
    if (rc != RC_OK)
        return oci_fail(req, &e);
    return oci_page_answer(req, &page, tags_head(req, where.repository), &names);
}

enum http_verdict oci_catalog_get(struct http_request *req)
{
    struct err e = {0};
    const struct uuid *registry = &admission_of(req)->registry->uuid;
    struct registry_names names = {0};
    struct oci_page page;
    enum rc rc = oci_page_read(req, &page, &e);

    if (rc == RC_OK)
        rc = registry_catalog(admit_store(req), registry, page.last, page.n, &req->arena, &names,
                              &e);
    if (rc != RC_OK)
        return oci_fail(req, &e);
    return oci_page_answer(req, &page, STR("{\"repositories\":"), &names);
}

/* The answer is for whoever is let in and signed in: the gate and authorization have come first. */
enum http_verdict oci_azure_refuse(struct http_request *req)
{
    http_add_field(req, "Allow", STR(""));
    oci_error(req, 405, "UNSUPPORTED",
              "this registry keeps no attributes of repositories, tags and manifests: use the "
              "distribution API (/v2/)");
    return HTTP_ANSWERED;
}
