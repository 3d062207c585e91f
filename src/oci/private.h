/* Between oci's own files. */
#ifndef OCI_PRIVATE_H
#define OCI_PRIVATE_H

#include "oci/oci.h"

/* --- error.c, answer.c --- */
unsigned oci_status(enum rc rc, const char *code); /* the one table: canonical code → HTTP status */
enum http_verdict oci_fail(struct http_request *req, const struct err *e); /* answers; logs what is our fault */
/* The same for a code that has no struct err yet. */
enum http_verdict oci_refuse(struct http_request *req, enum rc rc, const char *code, const char *text);
/* {name} of the request, checked; `write`: judged again when it commits. Anything that is wrong: NAME_INVALID. */
NODISCARD enum rc oci_where(struct http_request *req, bool write, struct registry_where *ret, struct err *e);
NODISCARD enum rc oci_digest(struct str text, struct digest *ret, struct err *e); /* DIGEST_INVALID */
void oci_add_digest(struct http_request *req, const struct digest *d);            /* Docker-Content-Digest */
void oci_add_location(struct http_request *req, struct str repository, const char *kind, struct str last);
/* 304 where If-None-Match names the digest; adds the ETag. */
bool oci_not_modified(struct http_request *req, const struct digest *d);
/* A page of names: {"name":...,"tags":[...]} or {"repositories":[...]}. */
struct oci_page {
    struct str last;
    size_t n;
};
NODISCARD enum rc oci_page_read(struct http_request *req, struct oci_page *ret, struct err *e);
/* `head` is what stands before the list: {"name":"x","tags": */
enum http_verdict oci_page_answer(struct http_request *req, const struct oci_page *p, struct str head,
                                  const struct registry_names *names);

/* --- content_range.c --- */
/* "<first>-<last>" of a chunk (OCI distribution, "Pushing a blob in chunks"). RC_INVALID. */
NODISCARD enum rc oci_content_range_parse(struct str s, uint64_t *ret_first, uint64_t *ret_last, struct err *e);

/* --- form.c: application/x-www-form-urlencoded, also of queries --- */
/* Every `scope` (it may stand there more than once), each with blanks between several. */
NODISCARD enum rc oci_form_scopes(struct arena *a, struct str form, struct auth_scopes *ret, struct err *e);

/* --- handlers --- */
http_handler_fn oci_base_get;
http_handler_fn oci_catalog_get;
http_handler_fn oci_azure_refuse;
http_handler_fn oci_tags_get;
http_handler_fn oci_manifest_get_hot, oci_manifest_get, oci_manifest_put, oci_manifest_delete;
http_handler_fn oci_referrers_get;
http_handler_fn oci_blob_get, oci_blob_delete;
http_handler_fn oci_upload_post, oci_upload_patch, oci_upload_put, oci_upload_delete; /* streams */
http_handler_fn oci_upload_get;
http_handler_fn oci_token_get, oci_token_post, oci_exchange_post;

#endif
