/* What the endpoints have in common: names, digests, fields, pages. */
#include "oci/private.h"

#include "base/encode.h"

enum http_verdict oci_base_get(struct http_request *req)
{
    http_add_field(req, "Docker-Distribution-Api-Version", STR("registry/2.0"));
    http_answer(req, 200, "application/json", STR("{}"));
    return HTTP_ANSWERED;
}

enum rc oci_where(struct http_request *req, bool write, struct registry_where *ret, struct err *e)
{
    struct str name = http_param(req, "name");
    enum rc rc = registry_name_check(name, e);

    if (rc != RC_OK)
        return rc;
    *ret =
        (struct registry_where){.registry = admission_of(req)->registry->uuid, .repository = name};
    if (write)
        ret->guard = admit_guard(req);
    return RC_OK;
}

enum rc oci_digest(struct str text, struct digest *ret, struct err *e)
{
    struct err why = {0};

    if (digest_parse(text, ret, &why) == RC_OK)
        return RC_OK;
    return err_code(e, RC_INVALID, "DIGEST_INVALID", "%s", why.text);
}

void oci_add_digest(struct http_request *req, const struct digest *d)
{
    char text[DIGEST_TEXT_MAX];

    http_add_field(req, "Docker-Content-Digest", digest_format(d, text));
}

void oci_add_location(struct http_request *req, struct str repository, const char *kind,
                      struct str last)
{
    struct str base = admit_base_url(req);

    http_add_fieldf(req, "Location", "%.*s/v2/%.*s/%s/%.*s", STR_ARG(base), STR_ARG(repository),
                    kind, STR_ARG(last));
}

/* One of the quoted tags in `field`, weak ones too (RFC 9110 13.1.2 compares weakly), or "*". */
static bool names_tag(struct str field, struct str tag)
{
    while (field.len > 0) {
        struct str one = str_trim(str_split(&field, ','));

        if (str_starts(one, STR("W/")))
            one = str_skip(one, 2);
        if (str_eq(one, tag) || str_is(one, "*"))
            return true;
    }
    return false;
}

bool oci_not_modified(struct http_request *req, const struct digest *d)
{
    char text[DIGEST_TEXT_MAX], tag[DIGEST_TEXT_MAX + 2];
    struct str digest = digest_format(d, text);
    size_t n = digest.len;

    tag[0] = tag[n + 1] = '"';
    memcpy(tag + 1, digest.ptr, n);
    http_add_field(req, "ETag", (struct str){tag, n + 2});
    if (!names_tag(http_field(req, "If-None-Match"), (struct str){tag, n + 2}))
        return false;
    http_answer(req, 304, NULL, STR(""));
    return true;
}

/* --- pages --- */

enum { PAGE_DEFAULT = 1000, PAGE_MAX = 10000 };

enum rc oci_page_read(struct http_request *req, struct oci_page *ret, struct err *e)
{
    struct oci_page page = {.n = PAGE_DEFAULT};
    struct str n;
    uint64_t number;
    enum rc rc = form_text(&req->arena, req->query, "n", &n, e);

    if (rc == RC_OK)
        rc = form_text(&req->arena, req->query, "last", &page.last, e);
    if (rc != RC_OK)
        return rc;
    if (n.ptr && str_to_u64(n, &number) != RC_OK)
        return err_code(e, RC_INVALID, "PAGINATION_NUMBER_INVALID", "n is not a number");
    if (n.ptr)
        page.n = number < PAGE_MAX ? (size_t)number : PAGE_MAX;
    *ret = page;
    return RC_OK;
}

/* Relative, so that the client keeps the scheme and authority by which it came. */
static void add_link(struct http_request *req, const struct oci_page *p, struct str last)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8 * 1024);

    buf_addc(&b, '<');
    buf_add(&b, req->path);
    buf_add(&b, STR("?last="));
    percent_encode(&b, last);
    buf_addf(&b, "&n=%zu>; rel=\"next\"", p->n);
    if (buf_status(&b, NULL) == RC_OK)
        http_add_field(req, "Link", buf_str(&b));
}

enum http_verdict oci_page_answer(struct http_request *req, const struct oci_page *p,
                                  struct str head, const struct registry_names *names)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4 * 1024 * 1024);

    buf_add(&b, head);
    buf_addc(&b, '[');
    for (size_t i = 0; i < names->n; i++) {
        if (i)
            buf_addc(&b, ',');
        buf_add_json(&b, names->list[i]);
    }
    buf_add(&b, STR("]}"));
    struct str body =
        buf_status(&b, NULL) == RC_OK ? arena_copy(&req->arena, buf_str(&b)) : STR_NONE;

    if (!body.ptr)
        return oci_refuse(req, RC_TOO_LARGE, NULL, "the list is too long for one answer: use n");
    if (names->more && names->n > 0)
        add_link(req, p, names->list[names->n - 1]);
    http_answer(req, 200, "application/json", body);
    return HTTP_ANSWERED;
}
