/* Who asks of the control plane, and may they: by the action that the route says, over what its
 * path is about. */
#include "admit/private.h"
#include "base/clock.h"
#include "base/encode.h"
#include <inttypes.h>

/* Lists of what is in a subscription or a group are for those who may see some of it: the handler
 * leaves out the rest. A subscription is seen by whoever has a role in it. */
static bool may_see_some(const struct http_request *req, const struct snapshot *s,
                         const struct auth_path *path)
{
    const struct principal *p = &admission_of(req)->principal;
    struct str action = str_from(req->route->access);

    if (req->method != HTTP_GET && req->method != HTTP_HEAD)
        return false;
    if (auth_action_is_common(action))
        return str_is(path->scope, "/") || admit_sees(s, p, path->scope);
    return path->list && admit_may_inside(s, p, action, path->scope);
}

static bool may(struct http_request *req, const struct snapshot *s, struct str *ret_scope)
{
    const struct principal *p = &admission_of(req)->principal;
    struct str action = str_from(req->route->access);
    struct auth_path path;

    if (str_is(action, "signed-in"))
        return true;
    path = admit_path(req);
    *ret_scope = path.scope;
    return admit_may(s, p, action, path.scope) || may_see_some(req, s, &path);
}

static enum rc refusal(struct http_request *req, struct str scope, struct err *e)
{
    const struct principal *p = &admission_of(req)->principal;
    char id[UUID_TEXT_MAX];

    return err_code(
        e, RC_DENIED, "AuthorizationFailed",
        "The client '%.*s' with object id '%s' does not have authorization to perform action "
        "'%s' over scope '%.*s' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials.",
        STR_ARG(admit_client_name(req)), uuid_format(&p->object_id, id).ptr, req->route->access,
        STR_ARG(scope));
}

enum rc admit_control_stands(struct http_request *req, const struct snapshot *s, struct err *e)
{
    struct str scope = STR("/");

    if (!admit_principal_stands(s, NULL, &admission_of(req)->principal))
        return err_code(e, RC_UNAUTHENTICATED, "AuthenticationFailed",
                        "The credential was renewed or disabled.");
    return may(req, s, &scope) ? RC_OK : refusal(req, scope, e);
}

/* Of a token that was good until its credential went, clients that ask for tokens themselves are
 * told to ask for a newer one: else they would send the old one from their cache until it expires.
 */
static void challenge(struct http_request *req, bool revoked)
{
    CLEANUP(buf_done) struct buf claims = BUF_INIT(256), text = BUF_INIT(512);
    struct str url = admit_control_url(req);

    if (!revoked) {
        http_add_field(req, "WWW-Authenticate", STR("Bearer"));
        return;
    }
    buf_addf(&claims, "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"%" PRId64 "\"}}}",
             clock_wall_us() / CLOCK_US_PER_S);
    base64_encode(&text, buf_str(&claims));
    http_add_fieldf(req, "WWW-Authenticate",
                    "Bearer realm=\"\", authorization_uri=\"%.*s/adfs/oauth2/authorize\", "
                    "error=\"insufficient_claims\", claims=\"%.*s\"",
                    STR_ARG(url), (int)text.len, text.ptr);
}

static enum rc identify(struct http_request *req, struct str token, struct err *e)
{
    struct admission *a = req->admission;
    enum rc rc = admit_identity_token(req, token, &a->principal, e);

    a->authenticated = rc == RC_OK;
    return rc;
}

static void refuse_token(struct http_request *req, const struct err *e)
{
    struct str why = str_from(e->code);
    const char *code = "AuthenticationFailed";
    const char *text = "Authentication failed. The access token is invalid.";

    challenge(req, str_is(why, ADMIT_REVOKED));
    if (str_is(why, ADMIT_REVOKED)) {
        text = "Authentication failed. The credential that the access token was given for was "
               "renewed or disabled.";
    } else if (str_is(why, AUTH_EXPIRED)) {
        code = "ExpiredAuthenticationToken";
        text = "The access token has expired. Sign in again for a new one.";
    } else if (!e->text[0]) {
        text = "Authentication failed. The 'Authorization' header is missing.";
    }
    admit_refuse(req, 401, code, text, "unauthorized");
}

bool admit_authorize_control(struct http_request *req)
{
    struct str token;
    struct err e = {0};

    if (str_is(str_from(req->route->access), "public"))
        return true;
    if (auth_bearer_parse(http_field(req, "Authorization"), &token, NULL) != RC_OK ||
        identify(req, token, &e) != RC_OK) {
        refuse_token(req, &e);
        return false;
    }
    if (admit_control_stands(req, admission_of(req)->snapshot, &e) == RC_OK)
        return true;
    admit_refuse(req, 403, e.code, e.text, "forbidden");
    return false;
}
