/* What the files of admit/ share. */
#ifndef ADMIT_PRIVATE_H
#define ADMIT_PRIVATE_H

#include "admit/admit.h"
#include "admit/denial_log.h"
#include "auth/token_cache.h"

struct admit {
    struct admit_config config; /* its texts are in `texts` */
    char *texts;
    struct denial_log *denials;
    struct auth_token_cache *tokens;
};

const struct admit_api *admit_api_of(const struct admit *a, const struct http_request *req);

/* --- host.c --- */
/* The registry that the request's Host names; NULL: nobody's. */
const struct snapshot_registry *admit_host_registry(const struct snapshot *s, struct str host);
/* May control and metrics listeners answer for this Host? A name that an attacker's DNS can point here may not. */
bool admit_host_is_ours(const struct admit *a, const struct http_request *req);
void admit_answer_unknown_host(struct http_request *req); /* the one fixed 404 */

/* --- forwarded.c --- */
/* Makes what a trusted forwarder says of the request its evidence, for as long as it lives. */
void admit_forward(struct http_request *req);

/* --- denial.c --- */
/* Judges under `s`: sets origin and decision, or returns false when the registry is not there any more. */
bool admit_decide(struct admission *a, const struct snapshot *s, const struct evidence *ev);
/* Counts; decides whether it is logged in full. */
void admit_note_decision(struct http_request *req, const struct origin *o, const struct gate_decision *d);
void admit_answer_denial(struct http_request *req);
/* "client with IP '...' is not allowed access." and what to do, without quotes that JSON would escape. */
enum { DENIAL_TEXT_MAX = 256 };
void admit_denial_text(const struct origin *o, char out[DENIAL_TEXT_MAX]);

/* --- authorize.c, authorize_control.c --- */
/* Authentication and authorization by req->route->access. False: it has answered. */
bool admit_authorize_data(struct http_request *req);
unsigned admit_needed_actions(const struct http_request *req); /* of the data plane: enum auth_action */
bool admit_authorize_control(struct http_request *req);

/* --- roles.c --- */
/* What the request's path is about. */
struct auth_path admit_path(struct http_request *req);

/* --- access_log.c --- */
void admit_log(const struct http_request *req);

#endif
