/* Users and privileges of this process. */
#ifndef SYS_USER_H
#define SYS_USER_H

#include "base/str.h"
#include <sys/types.h>

struct sys_user {
    uid_t uid;
    gid_t gid;
    char name[64];
};
/* RC_NOT_FOUND, also for a number that no user has. */
NODISCARD enum rc user_find(const char *name_or_number, struct sys_user *ret, struct err *e);
/* Becomes that user for good: groups, gid, uid, no capabilities, no_new_privs, dumpable off. Call
 * it while the process has one thread. After a failure the process must end. */
NODISCARD enum rc user_become(const struct sys_user *u, struct err *e);
/* /proc/self/exe; returns only on failure. */
NODISCARD enum rc sys_reexec(char *const argv[], char *const envp[], struct err *e);

#endif
