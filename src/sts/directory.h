/* Whom the identity endpoint knows, written by the administrator: users, service principals and
 * their secrets, signing keys. Kidoban's own routes, under /providers/Kidoban.Identity, and those
 * of Graph; errors are ARM's. Private to sts/. */
#ifndef STS_DIRECTORY_H
#define STS_DIRECTORY_H

#include "crypto/password.h"
#include "meta/account.h"
#include "meta/principal.h"
#include "meta/session.h"
#include "sts/private.h"
#include "json/json.h"

struct directory_call { /* on the handler's stack; texts in the request's arena */
    struct http_request *req;
    struct json *sent;               /* an object; empty where there was no body */
    struct meta_principal principal; /* of one that is there, only what `set` says is written */
    bool is_new;
    struct {
        bool name, enabled, password;
    } set;
    char password[PASSWORD_RECORD_MAX]; /* principal.password, where it is a new one */
    struct meta_secret secret;          /* a new one; without a hash: none */
    struct uuid remove;                 /* a secret to remove; nil: none */
    bool replace;                       /* the new secret is the only one */
};

/* Parses the body; on failure the error has been answered. */
NODISCARD bool directory_begin(struct directory_call *c, struct http_request *req);
void directory_done(struct directory_call *c);
/* The principal that {id} names (object id, app id or UPN), copied to c->principal. RC_NOT_FOUND.
 */
NODISCARD enum rc directory_find(struct directory_call *c, enum meta_principal_kind kind,
                                 struct err *e);
/* displayName and accountEnabled, where they were sent. */
NODISCARD enum rc directory_take_common(struct directory_call *c, struct err *e);

/* c->principal becomes a new service principal, of what was sent. */
NODISCARD enum rc directory_new_app(struct directory_call *c, struct err *e);
/* Inside a change: may the caller still, by the newest configuration? RC_UNAUTHENTICATED,
 * RC_DENIED.
 */
NODISCARD enum rc directory_judge(struct http_request *req, struct err *e);
/* Inside a change: the audit entry of who asked for it. */
NODISCARD enum rc directory_audit(struct meta_tx *tx, struct http_request *req, struct str target,
                                  struct str after, struct err *e);
/* Writes c->principal (and its secret), with the audit entry; returns when every loop knows it. */
NODISCARD enum rc directory_write(struct directory_call *c, struct err *e);
NODISCARD enum rc directory_delete(struct directory_call *c, struct err *e);

void directory_render(const struct snapshot_principal *p, struct json *j);
enum http_verdict directory_answer_json(struct http_request *req, unsigned status,
                                        const struct json *j);
enum http_verdict directory_fail(struct http_request *req, const struct err *e);
/* `extra` is taken over; its members come first. */
enum http_verdict directory_answer(struct directory_call *c, unsigned status, struct json *extra);
/* Of those that $filter leaves. */
enum http_verdict directory_list(struct http_request *req, enum meta_principal_kind kind);
enum http_verdict directory_show(struct http_request *req, enum meta_principal_kind kind);
enum http_verdict directory_remove(struct http_request *req, enum meta_principal_kind kind);

http_handler_fn sts_users_get, sts_users_post, sts_users_password_post;
http_handler_fn sts_user_get, sts_user_patch, sts_user_password_patch, sts_user_delete;
http_handler_fn sts_apps_get, sts_apps_post, sts_app_get, sts_app_patch, sts_app_delete;
http_handler_fn sts_app_add_password, sts_app_remove_password;
/* --- graph.c: the same things as Microsoft Graph names them, below /v1.0 --- */
http_handler_fn sts_graph_me, sts_graph_owned, sts_graph_not_offered, sts_graph_by_ids, sts_graph_groups;
http_handler_fn sts_graph_application_post, sts_graph_service_principal_post, sts_graph_app_patch;
http_handler_fn sts_graph_remove_password, sts_graph_user_patch, sts_graph_user_password_patch;

http_handler_fn sts_signing_keys_get, sts_signing_keys_rotate;

#endif
