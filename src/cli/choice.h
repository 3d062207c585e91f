/* Which subscription the commands work in: --subscription, KIDOBAN_SUBSCRIPTION, what `account set`
 * chose for this server (kept in the user's own configuration), or the server's first. */
#ifndef CLI_CHOICE_H
#define CLI_CHOICE_H

#include "cli/session.h"

/* Sets s->subscription; asks the server only where a name was given. */
NODISCARD enum rc cli_choice_read(struct cli_session *s, struct err *e);
/* From now on, for this server. */
NODISCARD enum rc cli_choice_write(struct cli_session *s, struct str id, struct err *e);
/* The one that a name (no case) or an id means: RC_NOT_FOUND; RC_INVALID when the name is that of
 * several. */
NODISCARD enum rc cli_choice_find(struct cli_session *s, const char *wanted, struct str *ret,
                                  struct err *e);

#endif
