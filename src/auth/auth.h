/* Credentials, tokens, scopes, limits on failures. Verifies records that it is given; queries nothing. Pure but for the
 * failure limiter, which is one object shared by all threads.
 * DESIGN 4.5 has the kinds of token; contract 8 the scopes. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/ip.h"
#include "base/uuid.h"
#include "crypto/jws.h"
#include "crypto/seal.h"

enum principal_kind {
    PRINCIPAL_ANONYMOUS,
    PRINCIPAL_REGISTRY_ADMIN, /* the registry's admin user */
    PRINCIPAL_IDENTITY,       /* a service principal or user of the identity endpoint */
};
struct principal {
    enum principal_kind kind;
    struct uuid object_id, app_id; /* PRINCIPAL_IDENTITY */
    int64_t generation; /* of the credential that vouches for it */
    unsigned slot;      /* PRINCIPAL_REGISTRY_ADMIN: by which of the two passwords, 0 or 1 */
    bool administrator;
    char name[96]; /* for logs and audit */
};

/* --- scopes: `repository:<name>:<actions>`, `registry:catalog:*` --- */
enum auth_action {
    AUTH_PULL = 1, AUTH_PUSH = 2, AUTH_DELETE = 4, AUTH_METADATA_READ = 8, AUTH_METADATA_WRITE = 16, AUTH_CATALOG = 32,
    AUTH_EVERYTHING = 63
};
struct auth_scope {
    struct str type, name;
    unsigned actions; /* enum auth_action */
};
enum { AUTH_SCOPES_MAX = 32 };
struct auth_scopes {
    struct auth_scope list[AUTH_SCOPES_MAX];
    size_t n;
    unsigned everywhere; /* actions on whatever there is: Basic credentials, never in a token */
};
/* One `scope` parameter (several, blank-separated, are allowed); appended. Unknown actions and types grant nothing and are no
 * error ("registry:None:*"); malformed: RC_INVALID. Texts are borrowed. */
NODISCARD enum rc auth_scopes_parse(struct str text, struct auth_scopes *scopes, struct err *e);
bool auth_scopes_allow(const struct auth_scopes *scopes, struct str repository, unsigned actions);
bool auth_scopes_allow_catalog(const struct auth_scopes *scopes);
void auth_scopes_everything(unsigned actions, struct auth_scopes *ret); /* those actions, on whatever there is */
void auth_scopes_limit(struct auth_scopes *scopes, unsigned actions);   /* keeps those actions */

/* --- registry tokens (JWT, HS256) --- */
enum auth_token_kind { AUTH_TOKEN_REFRESH, AUTH_TOKEN_ACCESS };
struct auth_token {
    enum auth_token_kind kind;
    struct uuid registry; /* audience */
    struct principal principal;
    struct auth_scopes scopes; /* access tokens; claim `access` */
    int64_t issued_us, expires_us; /* wall clock */
};
NODISCARD enum rc auth_token_mint(const struct jws_key *key, const struct auth_token *t, struct buf *out, struct err *e);
/* Checks signature, typ, alg, audience, times; `administrator` is not in a token and stays false. Texts in the arena. RC_UNAUTHENTICATED. The generation is the caller's to check. */
struct auth_token_wanted {
    enum auth_token_kind kind;
    struct uuid registry;
    int64_t now_us;
};
NODISCARD enum rc auth_token_verify(struct jws_key *key, const struct auth_token_wanted *wanted, struct str token,
                                    struct arena *a, struct auth_token *ret, struct err *e);

/* --- identity access tokens (JWT, ES256, typ at+jwt) --- */
struct auth_identity_token {
    struct uuid tenant, object_id;
    struct uuid app_id; /* of a user's: the client that it signed in with */
    struct str issuer, audience;
    struct str upn, name; /* a user's, for other readers: nothing here reads them back */
    int64_t generation, issued_us, expires_us;
};
NODISCARD enum rc auth_identity_mint(const struct jws_key *key, const struct auth_identity_token *t, struct buf *out, struct err *e);
#define AUTH_EXPIRED "expired" /* err.code of a token that verifies and whose time is over */
NODISCARD enum rc auth_identity_verify(struct jws_key *const *keys, size_t n_keys, struct str token, int64_t now_us,
                                       struct arena *a, struct auth_identity_token *ret, struct err *e);

/* An id token (OpenID Connect Core 2; JWT, ES256): what a client shows of its user. Nothing here accepts one. */
struct auth_id_token {
    struct uuid tenant, object_id;
    struct str issuer, client, upn, name; /* client: the audience, as it spelled itself */
    int64_t issued_us, expires_us;
};
NODISCARD enum rc auth_id_token_mint(const struct jws_key *key, const struct auth_id_token *t, struct buf *out, struct err *e);

/* The audience of the registries' token exchange, without final slash. */
#define AUTH_REGISTRIES_AUDIENCE "https://containerregistry.azure.net"
bool auth_identity_for_registries(const struct auth_identity_token *t);
/* For the control plane: its audience is the root of the issuer's URL, the name by which the client came. Only the identity
 * endpoint writes either. */
bool auth_identity_for_control(const struct auth_identity_token *t);

/* --- HTTP credentials (RFC 7617, RFC 6750) --- */
NODISCARD enum rc auth_basic_parse(struct str authorization, struct arena *a, struct str *ret_user, struct str *ret_password,
                                   struct err *e); /* RC_NOT_FOUND: another scheme or none */
NODISCARD enum rc auth_bearer_parse(struct str authorization, struct str *ret_token, struct err *e);

/* --- failures: a bucket of 10, one back every 6 s, per (attachment, address or IPv6 /64, account); 65,536 entries --- */
struct auth_limiter;
struct auth_limiter *auth_limiter_new(void);
void auth_limiter_free(struct auth_limiter *l);
struct auth_limiter_key {
    struct uuid attachment;
    struct ip_addr address;
    struct str account;
};
bool auth_limiter_allows(struct auth_limiter *l, const struct auth_limiter_key *k, int64_t mono_us); /* any thread */
void auth_limiter_failed(struct auth_limiter *l, const struct auth_limiter_key *k, int64_t mono_us);

#endif
