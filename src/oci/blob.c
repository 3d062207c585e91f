/* Blobs: their bytes, whole or in part. */
#include "oci/private.h"

#include "sys/fd.h"

static enum rc find(struct http_request *req, bool write, struct registry_where *ret_where,
                    struct digest *ret_digest, struct err *e)
{
    enum rc rc = oci_where(req, write, ret_where, e);

    return rc == RC_OK ? oci_digest(http_param(req, "digest"), ret_digest, e) : rc;
}

/* Only the size: nothing is opened. */
static enum http_verdict head(struct http_request *req, const struct registry_where *where,
                              const struct digest *d)
{
    struct err e = {0};
    uint64_t size;

    if (registry_blob_stat(admit_store(req), where, d, &size, &e) != RC_OK)
        return oci_fail(req, &e);
    oci_add_digest(req, d);
    if (oci_not_modified(req, d))
        return HTTP_ANSWERED;
    http_add_field(req, "Accept-Ranges", STR("bytes"));
    http_answer(req, 200, "application/octet-stream", STR(""));
    req->response.length = size;
    return HTTP_ANSWERED;
}

enum http_verdict oci_blob_get(struct http_request *req)
{
    struct err e = {0};
    struct registry_where where;
    struct digest d;
    uint64_t size;
    int fd;

    if (find(req, false, &where, &d, &e) != RC_OK)
        return oci_fail(req, &e);
    if (req->method == HTTP_HEAD)
        return head(req, &where, &d);
    if (registry_blob_open(admit_store(req), &where, &d, &fd, &size, &e) != RC_OK)
        return oci_fail(req, &e);
    oci_add_digest(req, &d);
    if (oci_not_modified(req, &d)) {
        fd_close(fd);
        return HTTP_ANSWERED;
    }
    http_answer_file(req, "application/octet-stream", fd, size);
    return HTTP_ANSWERED;
}

enum http_verdict oci_blob_delete(struct http_request *req)
{
    struct err e = {0};
    struct registry_where where;
    struct digest d;
    enum rc rc = find(req, true, &where, &d, &e);

    if (rc == RC_OK)
        rc = registry_blob_delete(admit_store(req), &where, &d, &e);
    if (rc != RC_OK)
        return oci_fail(req, &e);
    http_answer(req, 202, NULL, STR(""));
    return HTTP_ANSWERED;
}
