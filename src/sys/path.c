/* Who can search which folder. */
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUPS_MAX = 256 };
struct identity {
    uid_t uid;
    gid_t groups[GROUPS_MAX];
    int n_groups;
};

static void identity_init(struct identity *id, uid_t uid, gid_t gid)
{
    char bytes[4096];
    struct passwd pw, *found = NULL;

    id->uid = uid;
    id->n_groups = GROUPS_MAX;
    if (getpwuid_r(uid, &pw, bytes, sizeof(bytes), &found) != 0 || !found ||
        getgrouplist(pw.pw_name, gid, id->groups, &id->n_groups) < 0) {
        id->groups[0] = gid;
        id->n_groups = 1;
    }
}

static bool in_group(const struct identity *id, gid_t gid)
{
    for (int i = 0; i < id->n_groups; i++)
        if (id->groups[i] == gid)
            return true;
    return false;
}

static bool may_search(const char *folder, const struct stat *st, const struct identity *id)
{
    if (id->uid == geteuid()) /* the kernel knows best */
        return faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) == 0;
    if (id->uid == 0)
        return true;
    if (st->st_uid == id->uid)
        return (st->st_mode & S_IXUSR) != 0;
    return (st->st_mode & (in_group(id, st->st_gid) ? S_IXGRP : S_IXOTH)) != 0;
}

/* Every folder on the way, from the root; stops where nothing is there yet. */
static enum rc check_prefixes(const char *path, const struct identity *id, struct err *e)
{
    char folder[PATH_MAX];
    struct stat st;

    for (size_t i = 0; path[i] != '\0'; i++) {
        if (path[i] != '/')
            continue;
        if (str_copy((struct str){path, i > 0 ? i : 1}, folder, sizeof(folder)) != RC_OK)
            return err_set(e, RC_INVALID, "the path is too long");
        if (stat(folder, &st) != 0)
            return errno == ENOENT ? RC_OK : err_sys(e, "look at %s", folder);
        if (!may_search(folder, &st, id))
            return err_set(e, RC_DENIED, "user %u cannot search the folder %s", (unsigned)id->uid,
                           folder);
    }
    return RC_OK;
}

enum rc path_searchable_by(const char *path, uid_t uid, gid_t gid, struct err *e)
{
    struct identity id;
    char *resolved;

    if (path[0] != '/')
        return err_set(e, RC_INVALID, "%s is not an absolute path", path);
    identity_init(&id, uid, gid);
    enum rc rc = check_prefixes(path, &id, e);

    if (rc != RC_OK)
        return rc;
    /* And where symbolic links lead. */
    resolved = realpath(path, NULL);
    if (resolved)
        rc = check_prefixes(resolved, &id, e);
    free(resolved);
    return rc;
}
