/* Every route of the control plane, as the server has them, and every role: who may what. A route
 * whose access nobody has decided on here fails, and so does a decision that no route needs. */
#include "../unit/arm/fixture.h"

#include "sts/sts.h"

/* --- the decisions --- */

/* O Owner, C Contributor, R Reader, N Network Contributor, L AcrPull, S AcrPush, D AcrDelete. */
static const struct {
    char letter;
    const char *role;
} roles[] = {
    {'O', "Owner"},   {'C', "Contributor"}, {'R', "Reader"},   {'N', "Network Contributor"},
    {'L', "AcrPull"}, {'S', "AcrPush"},     {'D', "AcrDelete"}};
#define EVERYBODY          "OCRNLSD"
#define ADMINISTRATOR_ONLY ""

struct decision {
    const char *access;
    const char *reads,
        *writes; /* who may, with GET and with anything else; NULL: no route does that */
};
static const struct decision decisions[] = {
    {"Kidoban.Identity/keys/read", "OCR", NULL},
    {"Kidoban.Identity/keys/rotate/action", NULL, ADMINISTRATOR_ONLY},
    {"Kidoban.Identity/servicePrincipals/delete", NULL, ADMINISTRATOR_ONLY},
    {"Kidoban.Identity/servicePrincipals/read", "OCR", NULL},
    {"Kidoban.Identity/servicePrincipals/write", NULL, ADMINISTRATOR_ONLY},
    {"Kidoban.Identity/users/delete", NULL, ADMINISTRATOR_ONLY},
    {"Kidoban.Identity/users/read", "OCR", NULL},
    {"Kidoban.Identity/users/write", NULL, ADMINISTRATOR_ONLY},
    {"Kidoban.Network/attachments/delete", NULL, ADMINISTRATOR_ONLY},
    {"Kidoban.Network/attachments/read", "OCR", NULL},
    {"Kidoban.Network/attachments/write", NULL, ADMINISTRATOR_ONLY},
    {"Microsoft.Authorization/roleAssignments/delete", NULL, "O"},
    {"Microsoft.Authorization/roleAssignments/read", "OCRN", NULL},
    {"Microsoft.Authorization/roleAssignments/write", NULL, "O"},
    {"Microsoft.Authorization/roleDefinitions/read", "OCRN", NULL},
    {"Microsoft.ContainerRegistry/registries/delete", NULL, "OC"},
    {"Microsoft.ContainerRegistry/registries/listCredentials/action", NULL, "OC"},
    {"Microsoft.ContainerRegistry/registries/listUsages/read", "OCR", NULL},
    {"Microsoft.ContainerRegistry/registries/read", "OCR", "OCR"},
    {"Microsoft.ContainerRegistry/registries/regenerateCredential/action", NULL, "OC"},
    {"Microsoft.ContainerRegistry/registries/replications/read", "OCR", NULL},
    {"Microsoft.ContainerRegistry/registries/write", NULL, "OC"},
    {"Microsoft.Network/applicationSecurityGroups/delete", NULL, "OCN"},
    {"Microsoft.Network/applicationSecurityGroups/read", "OCRN", NULL},
    {"Microsoft.Network/applicationSecurityGroups/write", NULL, "OCN"},
    {"Microsoft.Network/locations/usages/read", EVERYBODY, NULL},
    {"Microsoft.Network/locations/virtualNetworkAvailableEndpointServices/read", EVERYBODY, NULL},
    {"Microsoft.Network/networkInterfaces/delete", NULL, "OCN"},
    {"Microsoft.Network/networkInterfaces/read", "OCRN", NULL},
    {"Microsoft.Network/networkInterfaces/write", NULL, "OCN"},
    {"Microsoft.Network/networkSecurityGroups/defaultSecurityRules/read", "OCRN", NULL},
    {"Microsoft.Network/networkSecurityGroups/delete", NULL, "OCN"},
    {"Microsoft.Network/networkSecurityGroups/read", "OCRN", NULL},
    {"Microsoft.Network/networkSecurityGroups/securityRules/delete", NULL, "OCN"},
    {"Microsoft.Network/networkSecurityGroups/securityRules/read", "OCRN", NULL},
    {"Microsoft.Network/networkSecurityGroups/securityRules/write", NULL, "OCN"},
    {"Microsoft.Network/networkSecurityGroups/write", NULL, "OCN"},
    {"Microsoft.Network/publicIPAddresses/delete", NULL, "OCN"},
    {"Microsoft.Network/publicIPAddresses/read", "OCRN", NULL},
    {"Microsoft.Network/publicIPAddresses/write", NULL, "OCN"},
    {"Microsoft.Network/virtualNetworks/checkIpAddressAvailability/read", "OCRN", NULL},
    {"Microsoft.Network/virtualNetworks/delete", NULL, "OCN"},
    {"Microsoft.Network/virtualNetworks/read", "OCRN", NULL},
    {"Microsoft.Network/virtualNetworks/subnets/delete", NULL, "OCN"},
    {"Microsoft.Network/virtualNetworks/subnets/read", "OCRN", NULL},
    {"Microsoft.Network/virtualNetworks/subnets/write", NULL, "OCN"},
    {"Microsoft.Network/virtualNetworks/write", NULL, "OCN"},
    {"Microsoft.Resources/subscriptions/delete", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/locations/read", EVERYBODY, NULL},
    {"Microsoft.Resources/subscriptions/providers/read", EVERYBODY, NULL},
    {"Microsoft.Resources/subscriptions/providers/register/action", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/providers/unregister/action", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/read", EVERYBODY, "OCR"},
    {"Microsoft.Resources/subscriptions/resourceGroups/delete", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/resourceGroups/read", "OCRN", NULL},
    {"Microsoft.Resources/subscriptions/resourceGroups/resources/read", EVERYBODY, NULL},
    {"Microsoft.Resources/subscriptions/resourceGroups/write", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/resources/read", EVERYBODY, NULL},
    {"Microsoft.Resources/subscriptions/tagNames/delete", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/tagNames/read", EVERYBODY, NULL},
    {"Microsoft.Resources/subscriptions/tagNames/tagValues/delete", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/tagNames/tagValues/write", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/tagNames/write", NULL, "OC"},
    {"Microsoft.Resources/subscriptions/write", NULL, "OC"},
    {"Microsoft.Resources/tags/delete", NULL, "OC"},
    {"Microsoft.Resources/tags/read", "OCR", NULL},
    {"Microsoft.Resources/tags/write", NULL, "OC"},
};

/* Routes that ask for no role: of each it is known why. */
static const char *const open_routes[] = {
    "signed-in GET /subscriptions/{subscription}/operationresults/{operation}",
    "signed-in GET "
    "/subscriptions/{subscription}/providers/{provider}/locations/{location}/operations/"
    "{operation}",
    "signed-in GET "
    "/subscriptions/{subscription}/providers/{provider}/locations/{location}/operationResults/"
    "{operation}",
    "signed-in GET "
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/{rest+}/operationStatuses/"
    "{operation}",
    "public GET /adfs/.well-known/openid-configuration",
    "public GET /adfs/discovery/keys",
    "public POST /adfs/oauth2/token",
    "public POST /adfs/oauth2/devicecode",
    "public GET /adfs/oauth2/authorize",
    "public GET /{tenant}/oauth2/v2.0/authorize",
    "public GET /common/discovery/instance",
    "public GET /{tenant}/userrealm/{user}",
    "public GET /{tenant}/v2.0/.well-known/openid-configuration",
    "public GET /{tenant}/.well-known/openid-configuration",
    "public GET /{tenant}/discovery/v2.0/keys",
    "public GET /{tenant}/discovery/keys",
    "public POST /{tenant}/oauth2/v2.0/token",
    "public POST /{tenant}/oauth2/token",
    "public POST /{tenant}/oauth2/v2.0/devicecode",
    "public POST /{tenant}/oauth2/devicecode",
    "public GET /device",
    "public POST /device",
    "public GET /metadata/endpoints",
    "signed-in GET /v1.0/me",
    "signed-in GET /v1.0/me/ownedObjects",
    "signed-in GET /v1.0/{rest+}",
    "signed-in POST /v1.0/{rest+}",
    "signed-in PUT /v1.0/{rest+}",
    "signed-in PATCH /v1.0/{rest+}",
    "signed-in DELETE /v1.0/{rest+}",
    "signed-in POST /v1.0/directoryObjects/getByIds",
    "signed-in GET /v1.0/groups",
    "signed-in GET /v1.0/users",
    "signed-in GET /v1.0/users/{id}",
    "signed-in GET /v1.0/applications",
    "signed-in GET /v1.0/applications/{id}",
    "signed-in GET /v1.0/servicePrincipals",
    "signed-in GET /v1.0/servicePrincipals/{id}",
};

/* --- asking the real thing --- */

struct asking {
    struct control *control;
    const struct http_routes *routes;
    const struct http_route *route;
    struct str path;
    bool allowed;
};

static enum rc ask(const struct snapshot *s, void *arg, struct err *e)
{
    struct asking *q = arg;
    struct admission a = {.admit = q->control->admit,
                          .snapshot = s,
                          .authenticated = true,
                          .principal = {.kind = PRINCIPAL_IDENTITY,
                                        .object_id = {{2}},
                                        .app_id = {{2, 2}},
                                        .name = "stranger"}};
    struct http_request req = {.arena = ARENA_INIT(1 << 20),
                               .method = q->route->method,
                               .method_text = STR("X"),
                               .path = q->path,
                               .admission = &a};
    struct str allow;
    struct err why = {0};

    (void)e;
    if (http_route_find(q->routes, &req, &allow) != RC_OK || req.route != q->route)
        fail_msg("%.*s is not served by %s", STR_ARG(q->path), q->route->pattern);
    q->allowed = admit_control_stands(&req, s, &why) == RC_OK;
    arena_done(&req.arena);
    return RC_OK;
}

static const char *filler(struct str name)
{
    static const struct {
        const char *name, *value;
    } known[] = {
        {"subscription", SUBSCRIPTION},
        {"scope+", "subscriptions/" SUBSCRIPTION "/resourceGroups/lab"},
        {"provider", "Microsoft.Network"},
        {"rest+", "some.namespace/some/thing"},
        {"tenant", "common"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(name, known[i].name))
            return known[i].value;
    return "lab";
}

static struct str path_of(struct arena *a, const char *pattern)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8192);

    for (const char *p = pattern; *p; p++) {
        if (*p != '{') {
            buf_addc(&b, *p);
            continue;
        }
        const char *end = strchr(p, '}');

        buf_add(&b, str_from(filler((struct str){p + 1, (size_t)(end - p) - 1})));
        p = end;
    }
    return arena_copy(a, buf_str(&b));
}

static bool allowed(struct control *c, const struct http_routes *routes, size_t i)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    struct asking q = {c, routes, &routes->list[i], path_of(&a, routes->list[i].pattern), false};

    assert_int_equal(snapshot_with_newest(c->hub, ask, &q, NULL), RC_OK);
    return q.allowed;
}

#define ASSIGNMENT                                                                                 \
    "/providers/Microsoft.Authorization/roleAssignments/0a000000-0000-4000-8000-000000000001"

static void give(struct control *c, const char *scope, const char *role)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    struct str body = arena_printf(
        &a, "{\"properties\":{\"principalId\":\"" STRANGER "\",\"roleDefinitionId\":\"%s\"}}",
        auth_role_by_name(str_from(role))->id);
    struct str at = arena_printf(&a, "%s" ASSIGNMENT, scope);

    assert_int_equal(control(c, "PUT", at.ptr, body.ptr), 201);
}

static void take(struct control *c, const char *scope)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);

    assert_int_equal(control(c, "DELETE", arena_printf(&a, "%s" ASSIGNMENT, scope).ptr, NULL), 200);
}

/* --- the tests --- */

static const struct http_routes *const tables[] = {&arm_routes, &sts_routes};
enum { ROUTES_MAX = 512 };

static bool is_open(const struct http_route *r)
{
    return strcmp(r->access, "public") == 0 || strcmp(r->access, "signed-in") == 0;
}

static const struct decision *decision_of(const struct http_route *r)
{
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++)
        if (strcmp(decisions[i].access, r->access) == 0)
            return &decisions[i];
    return NULL;
}

static const char *decided(const struct http_route *r)
{
    const struct decision *d = decision_of(r);

    return !d ? NULL : r->method == HTTP_GET ? d->reads : d->writes;
}

static const char *const methods[] = {
    [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"};

/* Everything below "/", so that only the action counts. */
static void each_role_may_what_was_decided(void **state)
{
    struct control *c = *state;
    static char may[ARRAY_LEN(tables)][ROUTES_MAX][ARRAY_LEN(roles) + 1];
    unsigned wrong = 0;

    for (size_t k = 0; k < ARRAY_LEN(roles); k++) {
        give(c, "", roles[k].role);
        for (size_t t = 0; t < ARRAY_LEN(tables); t++)
            for (size_t i = 0; i < tables[t]->n; i++) {
                assert_true(i < ROUTES_MAX);
                if (!is_open(&tables[t]->list[i]) && allowed(c, tables[t], i))
                    may[t][i][strlen(may[t][i])] = roles[k].letter;
            }
        take(c, "");
    }
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct http_route *r = &tables[t]->list[i];
            const char *want = is_open(r) ? may[t][i] : decided(r);

            if (want && strcmp(want, may[t][i]) == 0)
                continue;
            wrong++;
            print_error("%s %s (%s): \"%s\" may; decided: \"%s\"\n", methods[r->method], r->pattern,
                        r->access, may[t][i], want ? want : "nothing");
        }
    assert_int_equal(wrong, 0);
}

static void what_asks_for_no_role_is_listed(void **state)
{
    size_t found = 0;
    unsigned wrong = 0;

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct http_route *r = &tables[t]->list[i];
            char line[300];
            bool known = false;

            if (!is_open(r))
                continue;
            snprintf(line, sizeof(line), "%s %s %s", r->access, methods[r->method], r->pattern);
            for (size_t k = 0; k < ARRAY_LEN(open_routes); k++)
                known = known || strcmp(line, open_routes[k]) == 0;
            found += known;
            wrong += !known;
            if (!known)
                print_error("    \"%s\",\n", line);
        }
    assert_int_equal(wrong, 0);
    assert_int_equal(found, ARRAY_LEN(open_routes));
}

static void no_decision_is_left_over(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t d = 0; d < ARRAY_LEN(decisions); d++) {
        bool reads = false, writes = false;

        for (size_t t = 0; t < ARRAY_LEN(tables); t++)
            for (size_t i = 0; i < tables[t]->n; i++) {
                const struct http_route *r = &tables[t]->list[i];

                if (strcmp(r->access, decisions[d].access) == 0)
                    *(r->method == HTTP_GET ? &reads : &writes) = true;
            }
        if (reads == (decisions[d].reads != NULL) && writes == (decisions[d].writes != NULL))
            continue;
        wrong++;
        print_error("%s\n", decisions[d].access);
    }
    assert_int_equal(wrong, 0);
}

/* An Owner of another subscription, and somebody without any role. */
static void a_role_elsewhere_opens_only_what_is_nobodys(void **state)
{
    static const char *const nobodys[] = {"/subscriptions", "/tenants", "/providers",
                                          "/providers/{provider}"};
    static const char other[] = "/subscriptions/6f1a0d9e-0000-4000-8000-0000000000aa";
    struct control *c = *state;
    unsigned wrong = 0;

    assert_int_equal(control(c, "PUT", other, "{\"displayName\":\"other\"}"), 201);
    for (int with_role = 0; with_role < 2; with_role++) {
        if (with_role)
            give(c, other, "Owner");
        for (size_t t = 0; t < ARRAY_LEN(tables); t++)
            for (size_t i = 0; i < tables[t]->n; i++) {
                const struct http_route *r = &tables[t]->list[i];
                bool known = false;

                for (size_t k = 0; k < ARRAY_LEN(nobodys); k++)
                    known = known || (r->method == HTTP_GET && strcmp(r->pattern, nobodys[k]) == 0);
                if (is_open(r) || allowed(c, tables[t], i) == known)
                    continue;
                wrong++;
                print_error("%s %s\n", methods[r->method], r->pattern);
            }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(each_role_may_what_was_decided),
        cmocka_unit_test(what_asks_for_no_role_is_listed),
        cmocka_unit_test(no_decision_is_left_over),
        CONTROL_TEST(a_role_elsewhere_opens_only_what_is_nobodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
