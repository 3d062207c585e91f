/* Users: made and changed by the administrator. A password is hashed on its lane, before anything
 * is written. */
#include "sts/directory.h"

#include "base/clock.h"

enum { UPN_MAX = 113 };

static bool upn_char(char c)
{
    char lower = ascii_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || strchr("'.-_!#^~+", c);
}

static bool upn_part(struct str part)
{
    for (size_t i = 0; i < part.len; i++)
        if (part.ptr[i] == '\0' || !upn_char(part.ptr[i]))
            return false;
    return part.len > 0;
}

static enum rc upn_check(struct str upn, struct err *e)
{
    size_t at = str_find(upn, '@');

    if (upn.len == 0 || upn.len > UPN_MAX || !upn_part(str_take(upn, at)) ||
        !upn_part(str_skip(upn, at + 1)))
        return err_set(e, RC_INVALID,
                       "userPrincipalName has the form name@domain, with at most %d characters.",
                       UPN_MAX);
    return RC_OK;
}

/* Graph's form has the password inside passwordProfile. */
static struct str sent_password(const struct directory_call *c)
{
    const struct json *profile = json_get_nocase(c->sent, "passwordProfile");
    const struct json *password = json_get_nocase(c->sent, "password");

    return json_str(password ? password : json_get_nocase(profile, "password"));
}

static enum rc take_password(struct directory_call *c, struct err *e)
{
    enum rc rc = password_hash(sent_password(c), c->password, e);

    if (rc == RC_OK)
        c->principal.password = str_from(c->password);
    c->set.password = rc == RC_OK;
    return rc;
}

/* --- making one --- */

static enum rc read_new(struct directory_call *c, struct err *e)
{
    struct meta_principal *p = &c->principal;

    *p = (struct meta_principal){
        .kind = META_USER,
        .object_id = uuid_random(),
        .upn = json_str(json_get_nocase(c->sent, "userPrincipalName")),
        .created_us = clock_wall_us(),
        .generation = 1,
        .enabled = true,
    };
    c->is_new = true;
    p->name = str_take(p->upn, str_find(p->upn, '@'));
    enum rc rc = upn_check(p->upn, e);

    return rc == RC_OK ? directory_take_common(c, e) : rc;
}

enum http_verdict sts_users_post(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    struct err e = {0};

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    enum rc rc = read_new(&c, &e);

    if (rc == RC_OK && !sent_password(&c).ptr)
        rc = err_set(&e, RC_INVALID, "A user needs a password.");
    return rc == RC_OK ? HTTP_DECLINED : directory_fail(req, &e);
}

enum http_verdict sts_users_password_post(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;
    struct err e = {0};

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    enum rc rc = read_new(&c, &e);

    if (rc == RC_OK)
        rc = take_password(&c, &e);
    if (rc == RC_OK)
        rc = directory_write(&c, &e);
    return rc == RC_OK ? directory_answer(&c, 201, NULL) : directory_fail(req, &e);
}

/* --- changing one --- */

static enum http_verdict change(struct directory_call *c)
{
    bool has_password = sent_password(c).ptr != NULL;
    struct err e = {0};
    enum rc rc = directory_find(c, META_USER, &e);

    if (rc == RC_OK)
        rc = directory_take_common(c, &e);
    if (rc == RC_OK && has_password)
        rc = take_password(c, &e);
    if (rc == RC_OK)
        rc = directory_write(c, &e);
    return rc == RC_OK ? directory_answer(c, 200, NULL) : directory_fail(c->req, &e);
}

enum http_verdict sts_user_patch(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;

    if (!directory_begin(&c, req))
        return HTTP_ANSWERED;
    return sent_password(&c).ptr ? HTTP_DECLINED : change(&c);
}

enum http_verdict sts_user_password_patch(struct http_request *req)
{
    CLEANUP(directory_done) struct directory_call c;

    return directory_begin(&c, req) ? change(&c) : HTTP_ANSWERED;
}

/* --- the rest --- */

enum http_verdict sts_users_get(struct http_request *req)
{
    return directory_list(req, META_USER);
}

enum http_verdict sts_user_get(struct http_request *req)
{
    return directory_show(req, META_USER);
}

enum http_verdict sts_user_delete(struct http_request *req)
{
    return directory_remove(req, META_USER);
}
