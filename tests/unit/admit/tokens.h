/* Tokens of the installation, as its endpoints would issue them. */
#ifndef UNIT_ADMIT_TOKENS_H
#define UNIT_ADMIT_TOKENS_H

#include "server.h"

struct minting {
    struct auth_token token;
    struct auth_identity_token identity;
    struct buf out;
};

/* "Authorization: Bearer ..." in the arena. */
const char *bearer(struct admit_server *s, struct arena *a, struct minting *m);
/* The administrator's, for one registry. */
struct minting registry_token(const char *registry, const char *scope);
struct minting identity_token(const char *object, const char *audience);

#endif
