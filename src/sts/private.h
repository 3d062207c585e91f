/* Between sts' own files. */
#ifndef STS_PRIVATE_H
#define STS_PRIVATE_H

#include "sts/sts.h"

/* What a scope or resource parameter asks for: the control URL or the registries' audience; as it
 * was asked, that is with or without a final slash. In the arena. */
struct sts_asked {
    struct str scope, resource; /* the parameters, STR_NONE where absent */
};
/* RC_INVALID with an OAuth code: invalid_scope, invalid_resource. */
NODISCARD enum rc sts_audience(struct arena *a, const struct sts_asked *asked,
                               struct str control_url, struct str *ret, struct err *e);
bool sts_asks_for(const struct sts_asked *asked,
                  const char *word); /* "openid": always, where a client has no scopes */

/* --- request.c: what was sent --- */
struct sts_request { /* of the token and device endpoints; STR_NONE where absent */
    struct str grant, client, secret, username, password, refresh_token, device_code, client_info;
    struct sts_asked asked;
};
NODISCARD enum rc sts_request_read(struct http_request *req, struct sts_request *ret,
                                   struct err *e);
/* A public client, by the id that it names itself. RC_INVALID. */
NODISCARD enum rc sts_client_check(const struct sts_request *r, struct uuid *ret, struct err *e);
/* Is the path's {tenant}, if it has one, ours (its id, "organizations" or "common")? RC_INVALID. */
NODISCARD enum rc sts_tenant_check(struct http_request *req, struct err *e);

/* --- answer.c --- */
enum http_verdict sts_fail(struct http_request *req, const struct err *e); /* OAuth's error form */
enum http_verdict sts_answer_json(struct http_request *req, const struct buf *b);
void sts_no_store(struct http_request *req);

/* --- issue.c: tokens for whom is known --- */
struct sts_grant {
    const struct snapshot_principal *who; /* of the request's snapshot */
    int64_t credential;                   /* of a service principal's secret; 0: a user */
    struct str refresh_token;             /* a user's, STR_NONE: none was asked for */
};
NODISCARD enum rc sts_issue(struct http_request *req, const struct sts_request *r,
                            const struct sts_grant *g, struct buf *out, struct err *e);

/* --- refresh.c --- */
#define STS_REFRESH_LIFE_US ((int64_t)90 * 86400 * 1000000) /* from last use */
NODISCARD enum rc sts_refresh_start(struct http_request *req, const struct snapshot_principal *who,
                                    struct str client, struct str *ret, struct err *e);
/* *ret_next: the token to use from now on, often the same. RC_INVALID, invalid_grant. */
NODISCARD enum rc sts_refresh_use(struct http_request *req, struct str token, struct str client,
                                  const struct snapshot_principal **ret, struct str *ret_next,
                                  struct err *e);

/* --- device.c --- */
enum { STS_USER_CODE = 8 };
/* As stored: capitals, without what people put between. RC_INVALID. */
NODISCARD enum rc sts_user_code_parse(struct str typed, char out[STS_USER_CODE + 1], struct err *e);
/* What became of it: OAuth's error codes while there is no answer yet. Ends it when there is one.
 * *ret_scope: what was asked for at its start. */
NODISCARD enum rc sts_device_poll(struct http_request *req, const struct sts_request *r,
                                  const struct snapshot_principal **ret, struct str *ret_scope,
                                  struct err *e);
/* `who` NULL: refused. RC_NOT_FOUND: no such code waits. */
NODISCARD enum rc sts_device_decide(struct http_request *req, const char *user_code,
                                    const struct snapshot_principal *who, struct err *e);
#define STS_DEVICE_PAGE "/device"
struct str sts_cookie(struct str cookies, const char *name); /* STR_NONE */

http_handler_fn sts_discovery_get, sts_tenant_discovery_get, sts_instance_get, sts_realm_get,
    sts_keys_get;
http_handler_fn sts_metadata_get;
http_handler_fn sts_token_post,
    sts_token_password_post; /* the second where a password is to be hashed */
http_handler_fn sts_device_code_post, sts_device_page_get, sts_device_page_post,
    sts_device_page_password_post, sts_authorize_get;

#endif
