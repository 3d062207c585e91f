/* The fixed order of every request of every API (DESIGN 3): Host → registry, evidence → origin, gate, route, authentication,
 * authorization, dispatch; and what later steps may know of it. An endpoint cannot forget a step: routes say what they need.
 * Threads: on the request's loop, except where noted. */
#ifndef ADMIT_ADMIT_H
#define ADMIT_ADMIT_H

#include "admit/forwarded.h"
#include "http/route.h"
#include "http/server.h"
#include "registry/registry.h"
#include "snapshot/snapshot.h"

/* route->access on data listeners:
 *   "public"      no credentials needed (the token endpoints; behind the gate all the same)
 *   "signed-in"   any valid credential (/v2/); none at all is challenged even where anonymous pull is on, because clients
 *                 learn from that challenge where tokens are
 *   "pull", "push", "delete", "pull,push"  that scope on {name}
 *   "list"        "pull" or "metadata_read" on {name}
 *   "catalog"     registry:catalog:*
 * on control listeners:
 *   "public"      discovery, token endpoint
 *   "signed-in"   any valid token; the handler says whose things it shows (long operations)
 *   an ARM action, "Microsoft.ContainerRegistry/registries/write": a bearer token of the control URL whose principal has a
 *                 role that allows it over the resource that the path is about. A list of what is in a subscription or a
 *                 group is also for those who may see some of it: its handler leaves out the rest (admit_may). What begins
 *                 with "Kidoban." is written by the administrator alone.
 * on metrics listeners: "public" only. */
struct admission { /* req->admission; in the request's arena */
    struct admit *admit;
    const struct snapshot *snapshot;         /* pinned until the request is finished */
    const struct snapshot_registry *registry; /* data plane */
    struct origin origin;
    struct gate_decision decision;
    bool decided; /* the gate has spoken (data plane) */
    bool log_in_full; /* a refusal: within what is logged one by one; the loop's */
    struct principal principal;
    bool authenticated;
    struct auth_scopes scopes; /* what its token grants (bearer), or all that its principal may (basic) */
    const char *outcome; /* for the access log: "allow", "deny", "cut", "unauthorized", "no-such-host" ... */
    struct { /* the loop's, while a handler may read the rest elsewhere: the gate has closed since, or the registry went */
        bool is, gone;
        struct origin origin;
        struct gate_decision decision;
        const char *outcome;
    } closed;
};
struct admission *admission_of(const struct http_request *req);

struct admit_api { /* one for each listener class */
    struct http_routes routes;
    /* The API's own error form. `code` may be NULL (from rc). */
    void (*error)(struct http_request *req, unsigned status, const char *code, const char *message);
};
struct admit_config {
    struct snapshot_hub *hub;
    struct auth_limiter *limiter;
    struct registry_store *store; /* what handlers of the data plane work on; admit itself never does */
    struct lanes lanes;
    struct admit_api data, control, metrics;
    struct str suffix;            /* control and metrics answer for arm.<suffix>, localhost, the local address, control_name */
    struct str control_name;      /* or STR_NONE */
    struct forwarded_trust forwarders; /* whose X-Forwarded-For and -Proto count; not owned */
    bool denial_detail_full;
    uint16_t login_port;          /* in loginServer unless 443 */
    void *services;               /* what handlers of the control plane work on (arm/'s struct arm_services) */
};
NODISCARD enum rc admit_new(const struct admit_config *config, struct admit **ret, struct err *e);
void admit_free(struct admit *a);
struct http_service admit_service(struct admit *a); /* for the http server */

struct registry_store *admit_store(const struct http_request *req);
struct snapshot_hub *admit_hub(const struct http_request *req);
struct str admit_suffix(const struct http_request *req); /* of the login servers */
const struct lanes *admit_lanes(const struct http_request *req);
void *admit_services(const struct http_request *req);
/* Answers in the form of the listener's class, and sets the outcome. `code` may be NULL. */
void admit_refuse(struct http_request *req, unsigned status, const char *code, const char *message, const char *outcome);
/* On each loop after it adopted `s` (snapshot_on_adopt): requests that the gate no longer lets in are cut. */
void admit_judge_again(struct http_server *http, struct loop *l, const struct snapshot *s);

/* Scheme and authority by which the client came ("https://host:port"), for realm, Location and Link; in the arena. */
struct str admit_base_url(struct http_request *req);
/* The login server of the request's registry, with its port unless 443. */
struct str admit_login_server(struct http_request *req);
struct str admit_login_server_of(struct admit *a, struct arena *arena, struct str login_host);
/* The same for the control plane, without final slash: the audience of its tokens and their issuer's root. */
struct str admit_control_url(struct http_request *req);
/* status.c: what the control plane answers for an error that brings no code of its own. */
struct admit_status {
    unsigned status;
    const char *code;
};
const struct admit_status *admit_status_of(enum rc rc);
/* Answers 401 with the Bearer challenge of the wire contract 8.1 (data plane). */
void admit_challenge(struct http_request *req, const char *message);

/* --- roles.c: what an identity may under `s`; nobody else may anything here --- */
/* `action` over `scope`, a resource id or "/". */
bool admit_may(const struct snapshot *s, const struct principal *p, struct str action, struct str scope);
/* ... over something that is in it. */
bool admit_may_inside(const struct snapshot *s, const struct principal *p, struct str action, struct str scope);
/* Has it any role on it, on what it is in, or on what is in it? */
bool admit_sees(const struct snapshot *s, const struct principal *p, struct str scope);
/* What any principal may on a registry's data plane: enum auth_action. */
unsigned admit_registry_actions(const struct snapshot *s, const struct snapshot_registry *r, const struct principal *p);
/* Control plane: the request's principal stands and may, under `s`. RC_DENIED (AuthorizationFailed), RC_UNAUTHENTICATED. */
NODISCARD enum rc admit_control_stands(struct http_request *req, const struct snapshot *s, struct err *e);
/* How ARM's texts call the client: its application's id, or the user's name. */
struct str admit_client_name(struct http_request *req);

/* For use cases that write: gate, roles, credential generation and registry uuid under the newest snapshot. Write lane's thread.
 * Lives in the request's arena; valid while the request is. */
struct registry_guard admit_guard(struct http_request *req);
/* Is the credential that vouched for `p` still in force (its generation is the present one)? Anonymous: while the registry
 * allows anonymous pull. Sets nothing. */
bool admit_principal_stands(const struct snapshot *s, const struct snapshot_registry *r, const struct principal *p);
/* Whose identity token this is, and that it is for what was asked: the control plane, or the registry (which takes the control
 * plane's tokens too, unless its policy says otherwise). RC_UNAUTHENTICATED, with the code AUTH_EXPIRED where its own time is
 * over, ADMIT_REVOKED where the credential is gone that it was given for. */
#define ADMIT_REVOKED "revoked"
NODISCARD enum rc admit_identity_token(struct http_request *req, struct str token, struct principal *ret, struct err *e);
/* Whose name and password these are: the registry's admin user (its name in any case), a service principal (its application
 * id), or ADMIT_TOKEN_USER with a registry refresh token as the password. Under the request's snapshot; counts failures.
 * RC_UNAUTHENTICATED; RC_QUOTA after too many failures (429). */
#define ADMIT_TOKEN_USER "00000000-0000-0000-0000-000000000000"
NODISCARD enum rc admit_sign_in(struct http_request *req, struct str user, struct str password, struct principal *ret,
                                struct err *e);
NODISCARD enum rc admit_refresh_token(struct http_request *req, struct str token, struct principal *ret, struct err *e);
/* A service principal alone: what the identity endpoint asks. The same failures. */
NODISCARD enum rc admit_sign_in_app(struct http_request *req, struct str app_id, struct str secret, struct principal *ret,
                                    struct err *e);
/* A user by name (UPN, any case) and password. Hashes: on the password lane only. RC_INTERNAL: its record is unreadable. */
NODISCARD enum rc admit_sign_in_user(struct http_request *req, struct str upn, struct str password,
                                     const struct snapshot_principal **ret, struct err *e);
/* /oauth2/token and the identity endpoints: the limiter's key of this request. */
struct auth_limiter_key admit_limiter_key(struct http_request *req, struct str account);
bool admit_sign_in_allowed(struct http_request *req, struct str account); /* false: answer 429 */
void admit_sign_in_failed(struct http_request *req, struct str account);
/* Prometheus lines of denials by registry and reason. Any thread. */
void admit_render_metrics(struct admit *a, struct buf *out);
/* The last refusals of a registry, as a JSON object: "value", those whose serial is above `after`, and "since", the time
 * from which on serials count (another one: the server was started anew). Any thread. */
void admit_render_denials(const struct http_request *req, struct str registry, uint64_t after, struct buf *out);

#endif
