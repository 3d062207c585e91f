#include "cli/choice.h"
#include "base/uuid.h"
#include "cli/command.h"
#include "sys/fd.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define CHOICES "subscriptions.json" /* {"<tenant>": "<subscription>"} */
enum { CHOICES_MAX = 1024 * 1024 };

/* $KIDOBAN_CONFIG, else where the user's other configuration is; "" where there is no home. */
static struct str config_folder(struct cli_session *s)
{
    const char *own = getenv("KIDOBAN_CONFIG"), *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (own && *own)
        return str_from(own);
    if (xdg && *xdg)
        return arena_printf(&s->arena, "%s/kidoban", xdg);
    return home && *home ? arena_printf(&s->arena, "%s/.config/kidoban", home) : STR("");
}

/* One that cannot be read says nothing. */
static struct json *choices_read(struct str folder)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(CHOICES_MAX);
    CLEANUP(fd_closep) int fd = -1;
    struct json *choices = NULL;

    if (folder.len == 0 || dir_open(folder.ptr, &fd, NULL) != RC_OK ||
        file_read(fd, CHOICES, CHOICES_MAX, &text, NULL) != RC_OK ||
        json_parse(buf_str(&text), NULL, &choices, NULL) != RC_OK)
        return json_new_object();
    return choices;
}

static const char *tenant_of(struct cli_session *s)
{
    return arena_copy(&s->arena, json_str(json_get(s->admin, "tenantId"))).ptr;
}

enum rc cli_choice_read(struct cli_session *s, struct err *e)
{
    CLEANUP(json_freep) struct json *choices = NULL;
    const char *wanted = cli_value(s->args, CLI_SUBSCRIPTION);
    struct uuid id;
    struct str chosen;

    if (!wanted)
        wanted = getenv("KIDOBAN_SUBSCRIPTION");
    if (wanted && *wanted)
        return cli_choice_find(s, wanted, &s->subscription, e);
    choices = choices_read(config_folder(s));
    chosen = json_str(json_get(choices, tenant_of(s)));
    if (uuid_parse(chosen, &id, NULL) == RC_OK)
        s->subscription = arena_copy(&s->arena, chosen);
    return RC_OK;
}

enum rc cli_choice_find(struct cli_session *s, const char *wanted, struct str *ret, struct err *e)
{
    CLEANUP(json_freep) struct json *all = NULL;
    struct str found = STR_NONE;
    struct uuid id;
    enum rc rc;

    if (uuid_parse(str_from(wanted), &id, NULL) == RC_OK) {
        *ret = str_from(wanted);
        return RC_OK;
    }
    rc = cli_list(s, STR("/subscriptions"), &all, e);
    for (size_t i = 0; rc == RC_OK && i < json_len(all); i++) {
        if (!str_is_nocase(json_str(json_get(json_at(all, i), "displayName")), wanted))
            continue;
        if (found.ptr)
            return err_set(e, RC_INVALID, "Several subscriptions are named '%s': give one's id.",
                           wanted);
        found = arena_copy(&s->arena, json_str(json_get(json_at(all, i), "subscriptionId")));
    }
    if (rc != RC_OK)
        return rc;
    if (!found.ptr)
        return err_code(e, RC_NOT_FOUND, "SubscriptionNotFound",
                        "The subscription of '%s' doesn't exist.", wanted);
    *ret = found;
    return RC_OK;
}

/* With the folders above it. */
static enum rc folder_make(struct str path, struct err *e)
{
    char text[4096];

    if (str_copy(path, text, sizeof(text)) != RC_OK)
        return err_set(e, RC_INVALID, "the configuration folder's name is too long");
    for (char *p = text + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        char was = *p;

        *p = '\0';
        if (mkdir(text, 0700) != 0 && errno != EEXIST)
            return err_sys(e, "make %s", text);
        *p = was;
        if (!was)
            return RC_OK;
    }
}

enum rc cli_choice_write(struct cli_session *s, struct str id, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(CHOICES_MAX);
    CLEANUP(json_freep) struct json *choices = NULL;
    CLEANUP(fd_closep) int fd = -1;
    struct str folder = config_folder(s);
    enum rc rc;

    if (folder.len == 0)
        return err_set(e, RC_INVALID, "no place for the choice: set HOME or KIDOBAN_CONFIG");
    rc = folder_make(folder, e);
    if (rc == RC_OK)
        rc = dir_open(folder.ptr, &fd, e);
    if (rc != RC_OK)
        return rc;
    choices = choices_read(folder);
    json_set_str(choices, tenant_of(s), id);
    json_write_pretty(choices, &text);
    buf_addc(&text, '\n');
    return file_write_atomic(fd, CHOICES, buf_str(&text), 0600, e);
}
