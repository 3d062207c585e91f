#include "app/serve_user.h"
#include "base/log.h"
#include "sys/file.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool owner_of(const char *path, uid_t *ret)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return false;
    *ret = st.st_uid;
    return true;
}

static enum rc find_by_uid(uid_t uid, struct sys_user *ret, struct err *e)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", (unsigned)uid);
    return user_find(number, ret, e);
}

enum rc serve_user_choose(const struct serve_options *o, struct sys_user *ret, struct err *e)
{
    uid_t owner = 0;
    uint64_t sudo_uid = 0;
    const char *sudo = getenv("SUDO_UID");

    if (o->user)
        return user_find(o->user, ret, e);
    if (owner_of(o->data, &owner) && owner != 0)
        return find_by_uid(owner, ret, e);
    if (sudo && str_to_u64(str_from(sudo), &sudo_uid) == RC_OK && sudo_uid > 0 &&
        sudo_uid < UINT32_MAX)
        return find_by_uid((uid_t)sudo_uid, ret, e);
    if (user_find("kidoban", ret, NULL) == RC_OK)
        return RC_OK;
    return err_set(
        e, RC_NOT_FOUND,
        "no user to serve as: give --user NAME, or make one with: "
        "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin kidoban");
}

static enum rc folder_not_made(const char *path, struct err *e)
{
    enum rc rc = err_sys(e, "make the data folder %s", path);

    return rc == RC_NOT_FOUND ? err_advise(e, rc, "The folder that it is to be in is not there.")
                              : rc;
}

static enum rc make_folder(const char *path, const struct sys_user *u, struct err *e)
{
    if (mkdir(path, 0700) < 0)
        return errno == EEXIST ? RC_OK : folder_not_made(path, e);
    if (lchown(path, u->uid, u->gid) < 0) /* never what somebody put in its place */
        return err_sys(e, "give the data folder %s to %s", path, u->name);
    return RC_OK;
}

static enum rc check_owner(const char *path, const struct sys_user *u, struct err *e)
{
    uid_t owner = 0;

    if (!owner_of(path, &owner))
        return err_set(e, RC_INVALID, "%s is not a folder", path);
    if (owner != u->uid)
        return err_set(e, RC_DENIED,
                       "%s belongs to user %u, not to %s: chown -R %s %s, or choose with --user",
                       path, (unsigned)owner, u->name, u->name, path);
    return RC_OK;
}

enum rc serve_user_prepare(const struct serve_options *o, const struct sys_user *u,
                           struct buf *ret_path, struct err *e)
{
    char path[PATH_MAX];
    enum rc rc = make_folder(o->data, u, e);

    if (rc == RC_OK && !realpath(o->data, path))
        rc = err_sys(e, "find the absolute path of %s", o->data);
    if (rc == RC_OK)
        rc = check_owner(path, u, e);
    if (rc == RC_OK)
        rc = path_searchable_by(path, u->uid, u->gid, e);
    if (rc != RC_OK)
        return rc;
    buf_add(ret_path, str_from(path));
    return buf_status(ret_path, e);
}
