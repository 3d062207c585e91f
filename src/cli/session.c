#include "cli/session.h"
#include "sys/file.h"
#include <fcntl.h>
#include <stdlib.h>

enum { ADMIN_MAX = 256 * 1024, ANSWER_MAX = 64 * 1024 * 1024, ARENA_MAX = 64 * 1024 * 1024 };
enum { CONNECT_SECONDS = 10, REQUEST_SECONDS = 120 };

#define API_VERSION "2023-07-01"

/* --- credentials --------------------------------------------------------------------------- */

static const char *setting(const struct cli_args *a, enum cli_option o, const char *variable)
{
    const char *value = cli_value(a, o);

    return value ? value : getenv(variable);
}

static struct str admin_path(struct cli_session *s)
{
    const char *file = setting(s->args, CLI_CREDENTIALS, "KIDOBAN_CREDENTIALS");
    const char *folder = setting(s->args, CLI_DATA, "KIDOBAN_DATA");

    if (file)
        return str_from(file);
    return arena_printf(&s->arena, "%s/admin.json", folder ? folder : "./data");
}

static enum rc read_admin(struct cli_session *s, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ADMIN_MAX);
    struct str path = admin_path(s);
    const char *control = setting(s->args, CLI_CONTROL, "KIDOBAN_CONTROL_URL");
    enum rc rc = file_read(AT_FDCWD, path.ptr, ADMIN_MAX, &text, e);

    if (rc == RC_NOT_FOUND)
        return err_set(e, RC_INVALID,
                       "no %s: say --data DIR (the server's data folder) or --credentials FILE",
                       path.ptr);
    if (rc == RC_OK)
        rc = json_parse(buf_str(&text), NULL, &s->admin, e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "%s", path.ptr);
    s->ca = json_str(json_get(s->admin, "ca"));
    s->subscription = json_str(json_get(s->admin, "subscriptionId"));
    s->control = control ? str_from(control) : json_str(json_get(s->admin, "controlUrl"));
    while (str_ends(s->control, STR("/")))
        s->control = str_take(s->control, s->control.len - 1);
    if (s->control.len == 0 || s->subscription.len == 0)
        return err_set(e, RC_INVALID, "%s has no controlUrl or subscriptionId", path.ptr);
    return RC_OK;
}

enum rc cli_session_open(const struct cli_args *args, struct cli_session *ret, struct err *e)
{
    enum rc rc;

    *ret = (struct cli_session){.args = args, .arena = ARENA_INIT(ARENA_MAX)};
    rc = read_admin(ret, e);
    if (rc != RC_OK)
        return rc;
    ret->curl = curl_easy_init();
    return ret->curl ? RC_OK : err_set(e, RC_INTERNAL, "libcurl does not start");
}

void cli_session_done(struct cli_session *s)
{
    if (s->curl)
        curl_easy_cleanup(s->curl);
    json_free(s->admin);
    arena_done(&s->arena);
    *s = (struct cli_session){0};
}

/* --- paths --------------------------------------------------------------------------------- */

struct str cli_escape(struct cli_session *s, struct str value)
{
    char *escaped = curl_easy_escape(s->curl, value.ptr ? value.ptr : "", (int)value.len);
    struct str kept = arena_copy(&s->arena, str_from(escaped));

    curl_free(escaped);
    return kept;
}

struct str cli_group_path(struct cli_session *s, const char *group)
{
    return arena_printf(&s->arena, "/subscriptions/%.*s/resourceGroups/%s",
                        STR_ARG(s->subscription), cli_escape(s, str_from(group)).ptr);
}

struct str cli_path(struct cli_session *s, const char *group, const char *provider,
                    const char *name)
{
    return arena_printf(&s->arena, "%s/providers/%s/%s", cli_group_path(s, group).ptr, provider,
                        cli_escape(s, str_from(name)).ptr);
}

struct str cli_child(struct cli_session *s, struct str parent, const char *type, const char *name)
{
    return arena_printf(&s->arena, "%.*s/%s/%s", STR_ARG(parent), type,
                        cli_escape(s, str_from(name)).ptr);
}

/* --- requests ------------------------------------------------------------------------------ */

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    struct buf *body = arg;

    buf_add(body, (struct str){bytes, size * n});
    return body->failed ? 0 : size * n;
}

/* What holds for every request: our authority, no redirects, no proxies, https only. */
static void prepare(struct cli_session *s, const char *method, const char *url, struct buf *body)
{
    struct curl_blob ca = {
        .data = (void *)(uintptr_t)s->ca.ptr, .len = s->ca.len, .flags = CURL_BLOB_COPY};

    curl_easy_reset(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_URL, url);
    curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(s->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, (long)REQUEST_SECONDS);
    curl_easy_setopt(s->curl, CURLOPT_USERAGENT, "kidoban/" KIDOBAN_VERSION);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, body);
    if (s->ca.len > 0)
        curl_easy_setopt(s->curl, CURLOPT_CAINFO_BLOB, &ca);
}

static enum rc perform(struct cli_session *s, long *ret_status, struct err *e)
{
    char text[CURL_ERROR_SIZE] = "";
    const char *url = NULL;
    CURLcode code;

    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, text);
    code = curl_easy_perform(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_getinfo(s->curl, CURLINFO_EFFECTIVE_URL, &url);
    if (code != CURLE_OK)
        return err_set(e, RC_UNAVAILABLE, "%s: %s", url ? url : "",
                       text[0] ? text : curl_easy_strerror(code));
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, ret_status);
    return RC_OK;
}

enum rc cli_fetch(struct cli_session *s, const struct cli_http *request, long *ret_status,
                  struct buf *ret_body, struct err *e)
{
    prepare(s, request->method, request->url, ret_body);
    if (request->form)
        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, request->form);
    return perform(s, ret_status, e);
}

/* --- tokens -------------------------------------------------------------------------------- */

static enum rc token_from(struct cli_session *s, long status, struct str body, struct str *ret,
                          struct err *e)
{
    CLEANUP(json_freep) struct json *answer = NULL;
    enum rc rc = json_parse(body, NULL, &answer, e);

    if (rc != RC_OK)
        return err_prefix(e, rc, "the identity endpoint's answer (status %ld)", status);
    if (status != 200)
        return err_set(e, RC_UNAUTHENTICATED, "the control plane does not know us: %.*s",
                       STR_ARG(json_str(json_get(answer, "error_description"))));
    *ret = arena_copy(&s->arena, json_str(json_get(answer, "access_token")));
    return ret->len > 0 ? RC_OK : err_set(e, RC_INTERNAL, "the identity endpoint gave no token");
}

enum rc cli_token(struct cli_session *s, const char *resource, struct str *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(ADMIN_MAX);
    struct str url = arena_printf(&s->arena, "%.*s/adfs/oauth2/token", STR_ARG(s->control));
    struct str form = arena_printf(
        &s->arena,
        "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s%%2F.default",
        cli_escape(s, json_str(json_get(s->admin, "clientId"))).ptr,
        cli_escape(s, json_str(json_get(s->admin, "clientSecret"))).ptr,
        cli_escape(s, str_from(resource)).ptr);
    struct cli_http request = {.method = "POST", .url = url.ptr, .form = form.ptr};
    long status = 0;
    enum rc rc = cli_fetch(s, &request, &status, &body, e);

    return rc == RC_OK ? token_from(s, status, buf_str(&body), ret, e) : rc;
}

static enum rc sign_in(struct cli_session *s, struct err *e)
{
    struct str audience;

    if (s->token.len > 0)
        return RC_OK;
    /* The audience is the control plane by the name it gave itself, not by the one we use. */
    audience = json_str(json_get(s->admin, "controlUrl"));
    return cli_token(s, arena_copy(&s->arena, audience).ptr, &s->token, e);
}

/* --- the control plane --------------------------------------------------------------------- */

static enum rc code_of(long status)
{
    switch (status) {
    case 401:
        return RC_UNAUTHENTICATED;
    case 403:
        return RC_DENIED;
    case 404:
        return RC_NOT_FOUND;
    case 409:
        return RC_CONFLICT;
    case 429:
    case 503:
        return RC_UNAVAILABLE;
    default:
        return status < 500 ? RC_INVALID : RC_INTERNAL;
    }
}

static enum rc refusal(struct cli_session *s, long status, const struct json *answer, struct err *e)
{
    struct str code = json_str(json_path(answer, "error.code"));
    struct str message = json_str(json_path(answer, "error.message"));

    if (code.len == 0)
        return err_set(e, code_of(status), "the control plane answered with status %ld", status);
    return err_code(e, code_of(status), arena_copy(&s->arena, code).ptr, "%.*s", STR_ARG(message));
}

static struct curl_slist *header_fields(struct cli_session *s, bool has_body)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(ADMIN_MAX);
    struct curl_slist *list;

    buf_addf(&token, "Authorization: Bearer %.*s", STR_ARG(s->token));
    list = curl_slist_append(NULL, buf_cstr(&token));
    list = curl_slist_append(list, "Accept: application/json");
    list = curl_slist_append(list, "Expect:");
    if (has_body)
        list = curl_slist_append(list, "Content-Type: application/json");
    return list;
}

/* Nothing here goes to the arena: a command may ask again and again. */
static enum rc exchange(struct cli_session *s, const char *method, struct str path,
                        const struct json *body, long *ret_status, struct buf *answer,
                        struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ANSWER_MAX), url = BUF_INIT(ADMIN_MAX);
    bool has_query = str_find(path, '?') < path.len; /* the link to a list's next page */
    struct curl_slist *fields = header_fields(s, body != NULL);
    enum rc rc;

    buf_addf(&url, "%.*s%.*s%sapi-version=" API_VERSION, STR_ARG(s->control), STR_ARG(path),
             has_query ? "&" : "?");
    if (body)
        json_write(body, &text);
    prepare(s, method, buf_cstr(&url), answer);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, fields);
    if (body || str_is(str_from(method), "POST")) {
        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE, (long)text.len);
        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, buf_cstr(&text));
        curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, method);
    }
    rc = perform(s, ret_status, e);
    curl_slist_free_all(fields);
    return rc;
}

enum rc cli_request(struct cli_session *s, const char *method, struct str path,
                    const struct json *body, struct json **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ANSWER_MAX);
    CLEANUP(json_freep) struct json *answer = NULL;
    struct json_limits limits = {.bytes = ANSWER_MAX};
    long status = 0;
    enum rc rc = sign_in(s, e);

    if (rc == RC_OK)
        rc = exchange(s, method, path, body, &status, &text, e);
    if (rc != RC_OK)
        return rc;
    if (text.len > 0 && json_parse(buf_str(&text), &limits, &answer, e) != RC_OK)
        return err_prefix(e, RC_INTERNAL, "the control plane's answer (status %ld)", status);
    if (status >= 400)
        return refusal(s, status, answer, e);
    *ret = answer;
    answer = NULL;
    return RC_OK;
}
