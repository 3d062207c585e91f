/* The identity endpoints without their sockets: requests go through the real routes, handlers,
 * database and snapshots. */
#ifndef UNIT_STS_FIXTURE_H
#define UNIT_STS_FIXTURE_H

#include "snapshot/installation.h"

#include "admit/admit.h"
#include "meta/session.h"
#include "sts/sts.h"
#include "json/json.h"

#define CONTROL_URL "https://localhost:8443"
#define CLIENT      "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
#define FORM        "client_id=" CLIENT "&"
#define SCOPE       "&scope=" CONTROL_URL "/.default"
#define USER_SCOPE  SCOPE "+openid+profile+offline_access"
#define TOKEN       "/adfs/oauth2/token"
#define USERS       "/providers/Kidoban.Identity/users"
#define APPS        "/providers/Kidoban.Identity/servicePrincipals"

struct sts {
    struct installation i;
    struct auth_limiter *limiter;
    struct admit *admit;
    struct evidence evidence;
    struct http_request req; /* the last one, with its answer */
    struct http_field fields[4];
    size_t n_fields;
    struct json *answer;              /* NULL: no JSON */
    void (*meanwhile)(struct sts *f); /* NULL, or what happens once, after admission */
    bool hashed; /* the last one was declined, and answered on the password lane */
};

int sts_setup(void **state);
int sts_teardown(void **state);
void sts_field(struct sts *f, const char *name, const char *value); /* of the next request */
/* One request; returns its status, its JSON is in f->answer. */
unsigned ask(struct sts *f, const char *method, const char *target, const char *body);
struct str said(const struct sts *f, const char *path); /* a text of the answer */
void expect_error(const struct sts *f, const char *code);
/* ann@example.org, whose password is "correct horse"; hashed cheaply, so that tests need not wait.
 */
void make_ann(struct sts *f);
/* Do failures of `attempt` (which answers 429 then) shut its account out? */
bool shuts_out(struct sts *f, const char *account, unsigned (*attempt)(struct sts *f));
unsigned ann_signs_in(struct sts *f, const char *rest_of_form);
/* A copy of a text of the answer, until the test is over. */
const char *keep(struct sts *f, const char *path);
/* Runs fn in a write transaction, outside of configuration. */
void in_write(struct sts *f, meta_fn *fn, void *arg);
/* What the access token of the last answer says; fails if the newest snapshot's keys do not verify
 * it. */
void read_token(struct sts *f, const char *token, struct auth_identity_token *ret);
NODISCARD enum rc try_token(struct sts *f, const char *token, struct auth_identity_token *ret);

#define STS_TEST(name) cmocka_unit_test_setup_teardown(name, sts_setup, sts_teardown)

#endif
