#include "base/encode.h"
#include "cli/choice.h"
#include "sys/file.h"
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ADMIN_MAX = 256 * 1024, ANSWER_MAX = 64 * 1024 * 1024, ARENA_MAX = 64 * 1024 * 1024 };

#define SYSTEM_DATA "/var/lib/kidoban" /* where make run keeps it as root, and the systemd unit */
#define API_VERSION "2023-07-01"

/* --- credentials --- */

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
    if (!folder)
        folder = access("data", F_OK) != 0 && access(SYSTEM_DATA, R_OK | X_OK) == 0 ? SYSTEM_DATA
                                                                                    : "./data";
    return arena_printf(&s->arena, "%s/admin.json", folder);
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
    if (rc != RC_OK)
        return err_advise(e, rc,
                          "It is for the server's user: use sudo, or --credentials FILE with a "
                          "copy of your own.");
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
        return err_set(e, RC_INVALID,
                       "%s has no controlUrl or subscriptionId: it is no copy of admin.json",
                       path.ptr);
    if (!str_starts(s->control, STR("https://")))
        return err_set(e, RC_INVALID, "the control plane is an https:// URL, not '%.*s'",
                       STR_ARG(s->control));
    return RC_OK;
}

enum rc cli_session_open(const struct cli_args *args, struct cli_session *ret, struct err *e)
{
    enum rc rc;

    *ret = (struct cli_session){.args = args, .arena = ARENA_INIT(ARENA_MAX)};
    rc = read_admin(ret, e);
    if (rc == RC_OK)
        rc = httpc_new(ret->ca, "kidoban/" KIDOBAN_VERSION, &ret->http, e);
    return rc == RC_OK ? cli_choice_read(ret, e) : rc;
}

void cli_session_done(struct cli_session *s)
{
    httpc_free(s->http);
    json_free(s->admin);
    arena_done(&s->arena);
    *s = (struct cli_session){0};
}

/* --- paths --- */

struct str cli_escape(struct cli_session *s, struct str value)
{
    CLEANUP(buf_done) struct buf escaped = BUF_INIT(ADMIN_MAX);

    percent_encode(&escaped, value);
    return arena_copy(&s->arena, buf_str(&escaped));
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

/* --- requests --- */

/* What to do next where the control plane gave no answer. */
static const char *control_advice(enum httpc_trouble trouble)
{
    switch (trouble) {
    case HTTPC_CONNECTION:
        return "Is the server running? `kidoban serve` starts it; --control says where it is.";
    case HTTPC_URL:
    case HTTPC_NAME:
        return "--control URL says where the server is.";
    case HTTPC_CERTIFICATE:
        return "These credentials are not of the server that answers there: take a copy of its "
               "admin.json.";
    default:
        return "Is that the control plane's port? --control URL says where it is.";
    }
}

static enum rc advise(const struct cli_session *s, enum rc rc, struct err *e)
{
    enum httpc_trouble trouble = httpc_trouble(s->http);

    if (rc == RC_OK || trouble == HTTPC_NO_TROUBLE)
        return rc;
    return err_advise(e, rc, "%s", control_advice(trouble));
}

enum rc cli_fetch(struct cli_session *s, const char *url, const char *form, unsigned *ret_status,
                  struct buf *ret_body, struct err *e)
{
    const struct httpc_request request = {
        .method = form ? "POST" : "GET", .url = url, .body = str_from(form)};

    return httpc_perform(s->http, &request, ret_status, ret_body, e);
}

/* --- tokens --- */

static enum rc sign_in_refused(unsigned status, struct str why, struct err *e)
{
    if (status != 401)
        return err_set(e, RC_UNAUTHENTICATED, "no sign-in to the control plane: %.*s",
                       STR_ARG(why));
    err_set(e, RC_UNAUTHENTICATED, "the control plane does not know us: %.*s", STR_ARG(why));
    return err_advise(e, RC_UNAUTHENTICATED,
                      "Take a new copy of the server's admin.json; where the secret is lost, "
                      "`kidoban admin reset` makes another.");
}

static enum rc token_from(struct cli_session *s, unsigned status, struct str body, struct str *ret,
                          struct err *e)
{
    CLEANUP(json_freep) struct json *answer = NULL;
    enum rc rc = json_parse(body, NULL, &answer, e);

    if (rc != RC_OK)
        return err_prefix(e, rc, "the identity endpoint's answer (status %u)", status);
    if (status != 200)
        return sign_in_refused(status, json_str(json_get(answer, "error_description")), e);
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
    unsigned status = 0;
    enum rc rc = advise(s, cli_fetch(s, url.ptr, form.ptr, &status, &body, e), e);

    return rc == RC_OK ? token_from(s, status, buf_str(&body), ret, e) : rc;
}

static enum rc sign_in(struct cli_session *s, struct err *e)
{
    if (s->token.len > 0)
        return RC_OK;
    /* The audience is the control plane by the name that we use. */
    return cli_token(s, arena_copy(&s->arena, s->control).ptr, &s->token, e);
}

/* --- the control plane --- */

static enum rc code_of(unsigned status)
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

static enum rc refusal(struct cli_session *s, unsigned status, const struct json *answer,
                       struct err *e)
{
    struct str code = json_str(json_path(answer, "error.code"));
    struct str message = json_str(json_path(answer, "error.message"));

    if (code.len == 0)
        return err_set(e, code_of(status), "the control plane answered with status %u", status);
    return err_code(e, code_of(status), arena_copy(&s->arena, code).ptr, "%.*s", STR_ARG(message));
}

/* Nothing here goes to the arena: a command may ask again and again. */
static enum rc exchange(struct cli_session *s, const char *method, struct str path,
                        const struct json *body, unsigned *ret_status, struct buf *answer,
                        struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ANSWER_MAX), url = BUF_INIT(ADMIN_MAX);
    CLEANUP(buf_done) struct buf token = BUF_INIT(ADMIN_MAX);
    bool has_query = str_find(path, '?') < path.len; /* a link that the server gave */
    bool has_version = has_query && strstr(path.ptr, "api-version=");
    const char *fields[] = {NULL, "Accept: application/json", NULL, NULL};
    struct httpc_request request = {.method = method, .fields = fields};

    buf_addf(&token, "Authorization: Bearer %.*s", STR_ARG(s->token));
    fields[0] = buf_cstr(&token);
    buf_addf(&url, "%.*s%.*s", STR_ARG(s->control), STR_ARG(path));
    if (!has_version)
        buf_addf(&url, "%sapi-version=" API_VERSION, has_query ? "&" : "?");
    request.url = buf_cstr(&url);
    if (body) {
        json_write(body, &text);
        fields[2] = "Content-Type: application/json";
        request.body = buf_str(&text);
    }
    return advise(s, httpc_perform(s->http, &request, ret_status, answer, e), e);
}

/* A command that goes on for long outlives its token: then it takes another, once. */
static enum rc exchange_signed_in(struct cli_session *s, const char *method, struct str path,
                                  const struct json *body, unsigned *ret_status, struct buf *answer,
                                  struct err *e)
{
    bool had_one = s->token.len > 0;
    enum rc rc = sign_in(s, e);

    if (rc == RC_OK)
        rc = exchange(s, method, path, body, ret_status, answer, e);
    if (rc != RC_OK || *ret_status != 401 || !had_one)
        return rc;
    buf_clear(answer);
    s->token = STR_NONE;
    rc = sign_in(s, e);
    return rc == RC_OK ? exchange(s, method, path, body, ret_status, answer, e) : rc;
}

/* One request, as it is answered. */
static enum rc ask(struct cli_session *s, const char *method, struct str path,
                   const struct json *body, unsigned *ret_status, struct json **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ANSWER_MAX);
    CLEANUP(json_freep) struct json *answer = NULL;
    struct json_limits limits = {.bytes = ANSWER_MAX, .values = ANSWER_MAX};
    unsigned status = 0;
    enum rc rc = exchange_signed_in(s, method, path, body, &status, &text, e);

    if (rc != RC_OK)
        return rc;
    if (text.len > 0 && json_parse(buf_str(&text), &limits, &answer, e) != RC_OK)
        return err_prefix(e, RC_INTERNAL, "the control plane's answer (status %u)", status);
    if (status >= 400)
        return refusal(s, status, answer, e);
    *ret_status = status;
    *ret = answer;
    answer = NULL;
    return RC_OK;
}

/* --- what goes on after the answer --- */

/* The path of a link of the last answer; ptr NULL: there is none. */
static enum rc link_of(struct cli_session *s, const char *field, struct str *ret, struct err *e)
{
    struct str url = httpc_field(s->http, field);

    *ret = STR_NONE;
    if (!url.ptr)
        return RC_OK;
    if (!str_starts_nocase(url, s->control))
        return err_set(e, RC_INTERNAL, "the operation is at another server: %.*s", STR_ARG(url));
    *ret = arena_copy(&s->arena, str_skip(url, s->control.len));
    return RC_OK;
}

static void pause_before(unsigned attempt)
{
    unsigned ms = attempt < 6 ? 20U << attempt : 1000;
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

static enum rc operation_failed(struct cli_session *s, const struct json *answer, struct err *e)
{
    struct str code = json_str(json_path(answer, "error.code"));

    if (code.len == 0)
        return err_set(e, RC_CANCELED, "the operation was not completed");
    return err_code(e, RC_CONFLICT, arena_copy(&s->arena, code).ptr, "%.*s",
                    STR_ARG(json_str(json_path(answer, "error.message"))));
}

static enum rc wait_for_status(struct cli_session *s, struct str path, struct err *e)
{
    for (unsigned attempt = 0;; attempt++) {
        CLEANUP(json_freep) struct json *answer = NULL;
        unsigned status;
        enum rc rc = ask(s, "GET", path, NULL, &status, &answer, e);
        struct str word = json_str(json_get(answer, "status"));

        if (rc != RC_OK)
            return rc;
        if (str_is(word, "Succeeded"))
            return RC_OK;
        if (str_is(word, "Failed") || str_is(word, "Canceled"))
            return operation_failed(s, answer, e);
        pause_before(attempt);
    }
}

static enum rc wait_for_result(struct cli_session *s, struct str path, struct err *e)
{
    for (unsigned attempt = 0;; attempt++) {
        CLEANUP(json_freep) struct json *answer = NULL;
        unsigned status = 0;
        enum rc rc = ask(s, "GET", path, NULL, &status, &answer, e);

        if (rc != RC_OK || status != 202)
            return rc;
        pause_before(attempt);
    }
}

/* Until the operation that the last answer began, if it did, has ended. */
static enum rc wait_for_end(struct cli_session *s, bool *ret_waited, struct err *e)
{
    struct str status, result;
    enum rc rc = link_of(s, "Azure-AsyncOperation", &status, e);

    if (rc == RC_OK)
        rc = link_of(s, "Location", &result, e);
    if (rc != RC_OK || (!status.ptr && !result.ptr) || cli_given(s->args, CLI_NO_WAIT))
        return rc;
    *ret_waited = true;
    return status.ptr ? wait_for_status(s, status, e) : wait_for_result(s, result, e);
}

enum rc cli_request(struct cli_session *s, const char *method, struct str path,
                    const struct json *body, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *answer = NULL;
    bool reads = strcmp(method, "GET") == 0, waited = false;
    unsigned status = 0;
    enum rc rc = ask(s, method, path, body, &status, &answer, e);

    if (rc == RC_OK && !reads)
        rc = wait_for_end(s, &waited, e);
    if (rc == RC_OK && waited && answer) { /* what it has become */
        json_free(answer);
        answer = NULL;
        rc = ask(s, "GET", path, NULL, &status, &answer, e);
    }
    if (rc != RC_OK)
        return rc;
    *ret = answer;
    answer = NULL;
    return RC_OK;
}
