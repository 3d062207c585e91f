/* As whom the server runs when it is started as root (DESIGN 8, hardening). */
#ifndef APP_SERVE_USER_H
#define APP_SERVE_USER_H

#include "app/options.h"
#include "base/buf.h"
#include "sys/user.h"

/* --user; else the owner of the data folder; where that is root or there is no folder yet: $SUDO_UID, else the user
 * `kidoban`, else RC_NOT_FOUND with the useradd line to type. */
NODISCARD enum rc serve_user_choose(const struct serve_options *o, struct sys_user *ret, struct err *e);
/* Makes the data folder for that user (0700) where missing; RC_DENIED naming a parent that the user cannot search.
 * Appends its absolute path. */
NODISCARD enum rc serve_user_prepare(const struct serve_options *o, const struct sys_user *u, struct buf *ret_path,
                                     struct err *e);

#endif
