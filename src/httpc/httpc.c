#include "httpc/httpc.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* A server that died takes up to 30 s to be started again; its listeners are kept. */
enum { CONNECT_SECONDS = 60, REQUEST_SECONDS = 120, AGENT_MAX = 64 };

struct httpc {
    CURL *curl;
    char *ca; /* NULL: the machine's */
    size_t ca_len;
    char agent[AGENT_MAX];
    CURLcode last;
};

enum rc httpc_new(struct str ca, const char *agent, struct httpc **ret, struct err *e)
{
    struct httpc *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    c->curl = curl_easy_init();
    if (!c->curl || str_copy(str_from(agent), c->agent, sizeof(c->agent)) != RC_OK) {
        httpc_free(c);
        return err_set(e, RC_INTERNAL, "libcurl does not start");
    }
    if (ca.len > 0) {
        c->ca = malloc(ca.len);
        if (!c->ca)
            abort();
        memcpy(c->ca, ca.ptr, ca.len);
        c->ca_len = ca.len;
    }
    *ret = c;
    return RC_OK;
}

void httpc_free(struct httpc *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    free(c->ca);
    free(c);
}

enum httpc_trouble httpc_trouble(const struct httpc *c)
{
    switch (c->last) {
    case CURLE_OK:
        return HTTPC_NO_TROUBLE;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return HTTPC_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTPC_NAME;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
        return HTTPC_CONNECTION;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return HTTPC_CERTIFICATE;
    default:
        return HTTPC_OTHER;
    }
}

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    struct buf *body = arg;

    buf_add(body, (struct str){bytes, size * n});
    return body->failed ? 0 : size * n;
}

/* What holds for every request. */
static void prepare(struct httpc *c, struct buf *body)
{
    struct curl_blob ca = {.data = c->ca, .len = c->ca_len, .flags = CURL_BLOB_NOCOPY};

    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(c->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(c->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)REQUEST_SECONDS);
    curl_easy_setopt(c->curl, CURLOPT_USERAGENT, c->agent);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, body);
    if (c->ca)
        curl_easy_setopt(c->curl, CURLOPT_CAINFO_BLOB, &ca);
}

static struct curl_slist *fields_list(const struct httpc_request *request)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Expect:"); /* no 100-continue: bodies are small */

    for (const char *const *f = request->fields; f && *f; f++)
        list = curl_slist_append(list, *f);
    return list;
}

static enum rc perform(struct httpc *c, const char *url, const struct buf *body,
                       unsigned *ret_status, struct err *e)
{
    char text[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode code;

    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, text);
    code = c->last = curl_easy_perform(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, NULL);
    if (body->failed)
        return err_set(e, RC_TOO_LARGE, "%s: the answer is too large", url);
    if (code != CURLE_OK)
        return err_set(e, RC_UNAVAILABLE, "%s: %s", url, text[0] ? text : curl_easy_strerror(code));
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    *ret_status = (unsigned)status;
    return RC_OK;
}

enum rc httpc_perform(struct httpc *c, const struct httpc_request *request, unsigned *ret_status,
                      struct buf *ret_body, struct err *e)
{
    struct curl_slist *fields = fields_list(request);
    enum rc rc;

    prepare(c, ret_body);
    curl_easy_setopt(c->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, fields);
    if (request->body.ptr ||
        strcmp(request->method, "POST") == 0) { /* a POST has a length, were it 0 */
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, request->body.ptr ? request->body.ptr : "");
    }
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST,
                     request->method); /* whatever the body made of it */
    rc = perform(c, request->url, ret_body, ret_status, e);
    curl_slist_free_all(fields);
    return rc;
}

struct str httpc_field(const struct httpc *c, const char *name)
{
    struct curl_header *field = NULL;

    if (curl_easy_header(c->curl, name, 0, CURLH_HEADER, -1, &field) != CURLHE_OK)
        return STR_NONE;
    return str_from(field->value);
}
