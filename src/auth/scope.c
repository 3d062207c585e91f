/* Scopes as the token endpoint's clients write them: `repository:<name>:<action>,<action>` and
 * `registry:catalog:*`. A name may hold colons (some clients put a host and a port into it), so the
 * type ends at the first colon and the actions begin after the last. */
#include "auth/private.h"

#define REPOSITORY_ACTIONS                                                                         \
    (AUTH_PULL | AUTH_PUSH | AUTH_DELETE | AUTH_METADATA_READ | AUTH_METADATA_WRITE)

static const struct {
    const char *name;
    unsigned action;
} action_names[] = {
    {"pull", AUTH_PULL},
    {"push", AUTH_PUSH},
    {"delete", AUTH_DELETE},
    {"metadata_read", AUTH_METADATA_READ},
    {"metadata_write", AUTH_METADATA_WRITE},
};

const char *auth_action_name(size_t i, unsigned *ret_action)
{
    if (i >= ARRAY_LEN(action_names))
        return NULL;
    *ret_action = action_names[i].action;
    return action_names[i].name;
}

static bool is_catalog(struct str type, struct str name)
{
    return str_is(type, "registry") && str_is(name, "catalog");
}

static unsigned action_from(struct str type, struct str name, struct str action)
{
    if (is_catalog(type, name))
        return str_is(action, "*") ? AUTH_CATALOG : 0;
    if (!str_is(type, "repository"))
        return 0;
    if (str_is(action, "*"))
        return REPOSITORY_ACTIONS;
    for (size_t i = 0; i < ARRAY_LEN(action_names); i++)
        if (str_is(action, action_names[i].name))
            return action_names[i].action;
    return 0;
}

unsigned auth_actions_parse(struct str type, struct str name, struct str actions)
{
    unsigned found = 0;

    while (actions.len > 0) {
        struct str one = str_split(&actions, ',');

        found |= action_from(type, name, one);
    }
    return found;
}

/* What RFC 6749 3.3 allows in a scope token. */
static bool is_scope_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c <= ' ' || c == '"' || c == '\\' || c >= 0x7f)
            return false;
    }
    return true;
}

static struct auth_scope *find(struct auth_scopes *scopes, struct str type, struct str name)
{
    for (size_t i = 0; i < scopes->n; i++)
        if (str_eq(scopes->list[i].type, type) && str_eq(scopes->list[i].name, name))
            return &scopes->list[i];
    return NULL;
}

/* The same thing asked for twice is asked for once, so that each name stands in the list once. */
enum rc auth_scopes_add(struct auth_scopes *scopes, const struct auth_scope *s, struct err *e)
{
    struct auth_scope *same = find(scopes, s->type, s->name);

    if (same) {
        same->actions |= s->actions;
        return RC_OK;
    }
    if (scopes->n == AUTH_SCOPES_MAX)
        return err_set(e, RC_INVALID, "more than %d scopes", AUTH_SCOPES_MAX);
    scopes->list[scopes->n++] = *s;
    return RC_OK;
}

static enum rc add_text(struct str text, struct auth_scopes *scopes, struct err *e)
{
    size_t first = str_find(text, ':'), last = str_find_last(text, ':');

    if (!is_scope_text(text))
        return err_set(e, RC_INVALID, "scope holds a character that scopes don't have");
    if (first == text.len || first == last || first == 0 || last == first + 1)
        return err_set(e, RC_INVALID, "scope \"%.*s\" is not type:name:actions",
                       (int)(text.len < 200 ? text.len : 200), text.ptr);
    struct auth_scope s = {.type = str_take(text, first),
                           .name = str_skip(str_take(text, last), first + 1)};

    s.actions = auth_actions_parse(s.type, s.name, str_skip(text, last + 1));
    return auth_scopes_add(scopes, &s, e);
}

enum rc auth_scopes_parse(struct str text, struct auth_scopes *scopes, struct err *e)
{
    struct auth_scopes all = *scopes;

    while (text.len > 0) {
        struct str one = str_split(&text, ' ');
        enum rc rc = one.len > 0 ? add_text(one, &all, e) : RC_OK;

        if (rc != RC_OK)
            return rc;
    }
    *scopes = all;
    return RC_OK;
}

static bool allows(const struct auth_scopes *scopes, const char *type, struct str name,
                   unsigned actions)
{
    unsigned have = scopes->everywhere;

    for (size_t i = 0; i < scopes->n; i++)
        if (str_eq(scopes->list[i].name, name) && str_is(scopes->list[i].type, type))
            have |= scopes->list[i].actions;
    return actions != 0 && (have & actions) == actions;
}

bool auth_scopes_allow(const struct auth_scopes *scopes, struct str repository, unsigned actions)
{
    return allows(scopes, "repository", repository, actions);
}

bool auth_scopes_allow_catalog(const struct auth_scopes *scopes)
{
    return allows(scopes, "registry", STR("catalog"), AUTH_CATALOG);
}

void auth_scopes_everything(unsigned actions, struct auth_scopes *ret)
{
    *ret = (struct auth_scopes){.everywhere = actions};
}

/* A scope that is left with no action stays in the list: clients read the answer for the first one
 * that they asked for. */
void auth_scopes_limit(struct auth_scopes *scopes, unsigned actions)
{
    scopes->everywhere &= actions;
    for (size_t i = 0; i < scopes->n; i++)
        scopes->list[i].actions &= actions;
}
