/* The page on which a user lets a device in: a plain form, no scripts, nothing of what was sent is
 * shown again. The form carries a random value that a cookie must repeat, so that no other site can
 * post it in somebody's name. */
#include "sts/private.h"

#include "base/encode.h"
#include "base/log.h"

#define COOKIE "__Host-kidoban-device"

#define PAGE_HEAD                                                                                  \
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Kidoban</title>"      \
    "<meta name=\"viewport\" content=\"width=device-width\"></head><body>\n<h1>Kidoban</h1>\n"
#define PAGE_TAIL "</body></html>\n"

static void answer_page(struct http_request *req, unsigned status, struct str page)
{
    sts_no_store(req);
    http_add_field(req, "Content-Security-Policy",
                   STR("default-src 'none'; form-action 'self'; frame-ancestors 'none'; "
                       "base-uri 'none'"));
    http_add_field(req, "X-Frame-Options", STR("DENY"));
    http_add_field(req, "X-Content-Type-Options", STR("nosniff"));
    http_add_field(req, "Referrer-Policy", STR("same-origin"));
    http_answer(req, status, "text/html; charset=utf-8", page);
}

static enum http_verdict answer_text(struct http_request *req, unsigned status, const char *text)
{
    struct str page = arena_printf(&req->arena, PAGE_HEAD "<p>%s</p>\n" PAGE_TAIL, text);

    answer_page(req, status, page);
    return HTTP_ANSWERED;
}

#define AGAIN " <a href=\"" STS_DEVICE_PAGE "\">Try again</a>"

enum http_verdict sts_device_page_get(struct http_request *req)
{
    char text[CRYPTO_SECRET_TEXT_MAX];
    struct str token = crypto_secret(text);
    struct str page = arena_printf(
        &req->arena,
        PAGE_HEAD
        "<p>Enter the code that your device shows, and sign in. Only go on if you started this "
        "yourself.</p>\n"
        "<form method=\"post\" action=\"" STS_DEVICE_PAGE "\" autocomplete=\"off\">\n"
        "<input type=\"hidden\" name=\"csrf\" value=\"%.*s\">\n"
        "<p><label>Code <input name=\"user_code\" required autofocus></label></p>\n"
        "<p><label>User <input name=\"username\" required></label></p>\n"
        "<p><label>Password <input name=\"password\" type=\"password\" required></label></p>\n"
        "<p><button name=\"action\" value=\"allow\">Let the device in</button>\n"
        "<button name=\"action\" value=\"refuse\">Refuse</button></p>\n"
        "</form>\n" PAGE_TAIL,
        STR_ARG(token));

    http_add_fieldf(req, "Set-Cookie",
                    COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=900",
                    STR_ARG(token));
    answer_page(req, 200, page);
    return HTTP_ANSWERED;
}

/* There is no sign-in in the browser that a client opens; discovery has to name a page for it. */
enum http_verdict sts_authorize_get(struct http_request *req)
{
    return answer_text(req, 400,
                       "Clients do not sign in by way of a browser here. Use a device code: "
                       "<code>az login --use-device-code</code>.");
}

struct str sts_cookie(struct str cookies, const char *name)
{
    while (cookies.len > 0) {
        struct str value = str_trim(str_split(&cookies, ';'));

        if (str_is(str_split(&value, '='), name))
            return value;
    }
    return STR_NONE;
}

static bool is_own_form(struct http_request *req, struct str csrf)
{
    struct str cookie = sts_cookie(http_field(req, "Cookie"), COOKIE);
    struct str origin = http_field(req, "Origin");

    if (origin.ptr && !str_eq_nocase(origin, admit_control_url(req)))
        return false;
    return cookie.len == CRYPTO_SECRET_TEXT_MAX - 1 && crypto_equal(cookie, csrf);
}

struct form {
    struct str csrf, typed, user, password, action;
    char code[STS_USER_CODE + 1];
};

static enum rc read_form(struct http_request *req, struct form *f)
{
    const struct {
        const char *key;
        struct str *to;
    } fields[] = {
        {"csrf", &f->csrf},         {"user_code", &f->typed}, {"username", &f->user},
        {"password", &f->password}, {"action", &f->action},
    };
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(fields); i++) {
        rc = form_text(&req->arena, req->body, fields[i].key, fields[i].to, NULL);
        if (rc == RC_OK && !fields[i].to->ptr)
            rc = RC_INVALID;
    }
    return rc;
}

enum http_verdict sts_device_page_post(struct http_request *req)
{
    struct form f = {0};

    if (read_form(req, &f) != RC_OK)
        return answer_text(req, 400, "Something is missing." AGAIN);
    if (!is_own_form(req, f.csrf))
        return answer_text(req, 403, "The form is out of date, or came from another site." AGAIN);
    if (!admit_sign_in_allowed(req, f.user))
        return answer_text(req, 429, "Too many failed sign-ins. Try again later.");
    return HTTP_DECLINED;
}

/* A code that does not wait counts as a failure too: nobody finds one by trying. */
static enum rc decide(struct http_request *req, struct form *f, struct err *e)
{
    const struct snapshot_principal *who = NULL;
    enum rc rc = admit_sign_in_user(req, f->user, f->password, &who, e);

    if (rc != RC_OK)
        return rc;
    rc = sts_user_code_parse(f->typed, f->code, e);
    if (rc == RC_OK)
        rc = sts_device_decide(req, f->code, str_is(f->action, "allow") ? who : NULL, e);
    if (rc == RC_INVALID || rc == RC_NOT_FOUND)
        admit_sign_in_failed(req, f->user);
    return rc;
}

enum http_verdict sts_device_page_password_post(struct http_request *req)
{
    struct form f = {0};
    struct err e = {0};

    if (read_form(req, &f) != RC_OK)
        return answer_text(req, 400, "Something is missing." AGAIN);
    enum rc rc = decide(req, &f, &e);

    switch (rc) {
    case RC_OK:
        return answer_text(req, 200,
                           str_is(f.action, "allow")
                               ? "The device has been let in. You may close this page."
                               : "The device was refused. You may close this page.");
    case RC_UNAUTHENTICATED:
        return answer_text(req, 401, "No user has this name and password." AGAIN);
    case RC_INVALID:
    case RC_NOT_FOUND:
        return answer_text(req, 404, "No device waits with this code." AGAIN);
    case RC_QUOTA:
        return answer_text(req, 429, "Too many failed sign-ins. Try again later.");
    default:
        if (admit_status_of(rc)->status == 503)
            return answer_text(req, 503, "The server is busy." AGAIN);
        log_error("identity.failed", F_TEXT("error", e.text), F_TEXT("rc", rc_name(e.rc)));
        return answer_text(req, 500, "Something went wrong here." AGAIN);
    }
}
