/* The built-in roles, with the ids, texts and action lists that ARM's clients know. */
#include "auth/role.h"

#include "auth/auth.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const none[] = {NULL};

const struct auth_role auth_roles[] = {
    {
        .id = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        .name = "Owner",
        .description =
            "Grants full access to manage all resources, including the ability to assign roles "
            "in Azure RBAC.",
        .actions = LIST("*"),
        .not_actions = none,
    },
    {
        .id = "b24988ac-6180-42a0-ab88-20f7382dd24c",
        .name = "Contributor",
        .description =
            "Grants full access to manage all resources, but does not allow you to assign roles in "
            "Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.",
        .actions = LIST("*"),
        .not_actions =
            LIST("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
                 "Microsoft.Authorization/elevateAccess/Action",
                 "Microsoft.Blueprint/blueprintAssignments/write",
                 "Microsoft.Blueprint/blueprintAssignments/delete",
                 "Microsoft.Compute/galleries/share/action", "Microsoft.Purview/consents/write",
                 "Microsoft.Purview/consents/delete",
                 "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
                 "Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action"),
    },
    {
        .id = "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        .name = "Reader",
        .description = "View all resources, but does not allow you to make any changes.",
        .actions = LIST("*/read"),
        .not_actions = none,
    },
    {
        .id = "4d97b98b-1d4f-4787-a291-c67834d212e7",
        .name = "Network Contributor",
        .description = "Lets you manage networks, but not access to them.",
        .actions =
            LIST("Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*",
                 "Microsoft.Network/*", "Microsoft.ResourceHealth/availabilityStatuses/read",
                 "Microsoft.Resources/deployments/*",
                 "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*"),
        .not_actions = none,
    },
    {
        .id = "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        .name = "AcrPull",
        .description = "acr pull",
        .actions = LIST("Microsoft.ContainerRegistry/registries/pull/read"),
        .not_actions = none,
    },
    {
        .id = "8311e382-0749-4cb8-b61a-304f252e45ec",
        .name = "AcrPush",
        .description = "acr push",
        .actions = LIST("Microsoft.ContainerRegistry/registries/pull/read",
                        "Microsoft.ContainerRegistry/registries/push/write"),
        .not_actions = none,
    },
    {
        .id = "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
        .name = "AcrDelete",
        .description = "acr delete",
        .actions = LIST("Microsoft.ContainerRegistry/registries/artifacts/delete"),
        .not_actions = none,
    },
};
const size_t auth_roles_count = ARRAY_LEN(auth_roles);

const struct auth_role *auth_role_by_id(struct str guid)
{
    for (size_t i = 0; i < auth_roles_count; i++)
        if (str_is_nocase(guid, auth_roles[i].id))
            return &auth_roles[i];
    return NULL;
}

const struct auth_role *auth_role_by_name(struct str name)
{
    for (size_t i = 0; i < auth_roles_count; i++)
        if (str_is_nocase(name, auth_roles[i].name))
            return &auth_roles[i];
    return NULL;
}

/* --- actions --- */

/* Greedy with one point of return, the last star: linear in practice, never more than the product
 * of the lengths. */
bool auth_action_matches(struct str pattern, struct str action)
{
    size_t p = 0, a = 0, star = SIZE_MAX, resume = 0;

    while (a < action.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = a;
        } else if (p < pattern.len && ascii_lower(pattern.ptr[p]) == ascii_lower(action.ptr[a])) {
            p++;
            a++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            a = ++resume;
        } else
            return false;
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool any_matches(const char *const *patterns, struct str action)
{
    for (; *patterns; patterns++)
        if (auth_action_matches(str_from(*patterns), action))
            return true;
    return false;
}

bool auth_role_allows(const struct auth_role *r, struct str action)
{
    return any_matches(r->actions, action) && !any_matches(r->not_actions, action);
}

unsigned auth_role_registry_actions(const struct auth_role *r)
{
    static const struct {
        const char *action;
        unsigned gives;
    } known[] = {
        {"Microsoft.ContainerRegistry/registries/pull/read",
         AUTH_PULL | AUTH_METADATA_READ | AUTH_CATALOG},
        {"Microsoft.ContainerRegistry/registries/push/write", AUTH_PUSH | AUTH_METADATA_WRITE},
        {"Microsoft.ContainerRegistry/registries/artifacts/delete", AUTH_DELETE},
    };
    unsigned gives = 0;

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (auth_role_allows(r, str_from(known[i].action)))
            gives |= known[i].gives;
    return gives;
}

bool auth_action_is_common(struct str action)
{
    static const char *const common[] = {
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Resources/subscriptions/locations/read",
        "Microsoft.Resources/subscriptions/providers/read",
        "Microsoft.Resources/subscriptions/resources/read",
        "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
        "Microsoft.Resources/subscriptions/tagNames/read",
        "Microsoft.Network/locations/*/read",
        NULL,
    };

    return any_matches(common, action);
}

/* --- scopes --- */

/* Ids of what stands side by side differ at their ends alone, and a principal may have a role on
 * each of thousands. */
static bool ends_alike(struct str a, struct str b)
{
    size_t n = a.len < 4 ? a.len : 4;

    return str_eq_nocase(str_skip(a, a.len - n), str_skip(b, b.len - n));
}

bool auth_scope_covers(struct str scope, struct str id)
{
    if (scope.len == 0)
        return false;
    if (scope.ptr[scope.len - 1] == '/')
        scope.len--;
    if (scope.len > id.len || (scope.len < id.len && id.ptr[scope.len] != '/'))
        return false;
    struct str begin = str_take(id, scope.len);

    return ends_alike(scope, begin) && str_eq_nocase(scope, begin);
}

struct walk {
    struct str path;
    size_t at; /* behind the last segment that belongs to the scope */
};

/* The n-th segment (from 0) behind the scope; STR_NONE where there is none. *ret_end: behind it. */
static struct str segment(const struct walk *w, size_t n, size_t *ret_end)
{
    struct str rest = str_skip(w->path, w->at), one = STR_NONE;

    for (size_t i = 0; i <= n; i++) {
        if (rest.len < 2 || rest.ptr[0] != '/')
            return STR_NONE;
        one = str_take(str_skip(rest, 1), str_find(str_skip(rest, 1), '/'));
        rest = str_skip(rest, 1 + one.len);
    }
    *ret_end = w->path.len - rest.len;
    return one;
}

static bool is_word(const struct walk *w, const char *word)
{
    size_t end;

    return str_is_nocase(segment(w, 0, &end), word);
}

/* "/word/name" belongs to the scope; false where it is not there. */
static bool take_pair(struct walk *w)
{
    size_t end = 0;
    struct str name = segment(w, 1, &end);

    if (name.len == 0)
        return false;
    w->at = end;
    return true;
}

/* "/providers/NS/type/name[/type/name]": with at least one name, else only a list's path. */
static bool take_provider(struct walk *w)
{
    struct walk next = *w;
    size_t names = 0;

    if (!is_word(w, "providers") || !take_pair(&next))
        return false;
    while (!is_word(&next, "providers") && take_pair(&next))
        names++;
    if (names > 0)
        *w = next;
    return names > 0;
}

/* "/providers/NS/type" or one word, and nothing more. */
static bool is_list(const struct walk *w)
{
    size_t end = 0;
    size_t n = is_word(w, "providers") ? 2 : 0;

    return segment(w, n, &end).len > 0 && end == w->path.len;
}

struct auth_path auth_path_read(struct str path)
{
    struct walk w = {path, 0};
    struct auth_path ret = {STR("/"), false};

    if (is_word(&w, "subscriptions") && take_pair(&w)) {
        if (is_word(&w, "resourceGroups"))
            (void)take_pair(&w);
        ret.list = is_list(&w);
    }
    while (take_provider(&w))
        ret.list = false;
    if (w.at > 0)
        ret.scope = str_take(path, w.at);
    return ret;
}
