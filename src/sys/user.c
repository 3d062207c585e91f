#include "sys/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum rc user_find(const char *name_or_number, struct sys_user *ret, struct err *e)
{
    char bytes[16384];
    struct passwd pw, *found = NULL;
    uint64_t number;
    bool by_number = str_to_u64(str_from(name_or_number), &number) == RC_OK;

    if (by_number && number >= UINT32_MAX)
        return err_set(e, RC_NOT_FOUND, "there is no user %s", name_or_number);
    int failed = by_number ? getpwuid_r((uid_t)number, &pw, bytes, sizeof(bytes), &found)
                           : getpwnam_r(name_or_number, &pw, bytes, sizeof(bytes), &found);

    if (!found && failed != 0 && failed != ENOENT && failed != ESRCH) {
        errno = failed;
        return err_sys(e, "look for the user %s", name_or_number);
    }
    if (!found)
        return err_set(e, RC_NOT_FOUND, "there is no user %s", name_or_number);
    struct sys_user u = {.uid = pw.pw_uid, .gid = pw.pw_gid};

    if (str_copy(str_from(pw.pw_name), u.name, sizeof(u.name)) != RC_OK)
        return err_set(e, RC_INVALID, "the name of user %s is too long", name_or_number);
    *ret = u;
    return RC_OK;
}

static enum rc drop_capabilities(struct err *e)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
        syscall(SYS_capset, &head, none) != 0)
        return err_sys(e, "give up capabilities");
    return RC_OK;
}

enum rc user_become(const struct sys_user *u, struct err *e)
{
    bool already = geteuid() != 0 && geteuid() == u->uid && getegid() == u->gid;

    if (!already && initgroups(u->name, u->gid) != 0)
        return err_sys(e, "take the groups of the user %s", u->name);
    if (setresgid(u->gid, u->gid, u->gid) != 0)
        return err_sys(e, "take the group %u", (unsigned)u->gid);
    if (setresuid(u->uid, u->uid, u->uid) != 0)
        return err_sys(e, "become the user %s", u->name);
    enum rc rc = drop_capabilities(e);

    if (rc != RC_OK)
        return rc;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(e, "give up privileges");
    if (u->uid != 0 && setresuid(0, 0, 0) == 0)
        return err_set(e, RC_INTERNAL, "privileges came back");
    return RC_OK;
}

enum rc sys_reexec(char *const argv[], char *const envp[], struct err *e)
{
    execve("/proc/self/exe", argv, envp);
    return err_sys(e, "run this program again");
}
