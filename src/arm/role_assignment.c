/* Microsoft.Authorization/roleAssignments: who has which role where. In force when the answer
 * leaves. */
#include "arm/role.h"
#include "base/clock.h"
#include "http/filter.h"
#include "meta/principal.h"

/* --- the resource type --- */
static void assignment_touch(struct snapshot_change *change, const struct meta_resource *r)
{
    (void)r;
    snapshot_touch_roles(change);
}

static void set_or_null(struct json *out, const char *member, const struct json *value)
{
    json_set(out, member, json_str(value).len > 0 ? json_clone(value) : json_new_null());
}

/* `asked` is the scope under which it is shown: its subscription is the role definition's. */
static struct json *assignment_show(struct arena *a, const struct meta_resource *r,
                                    const struct json *body, struct str asked)
{
    const struct json *stored = json_get(body, "properties");
    struct json *out = json_new_object(), *p = json_new_object();
    char time[CLOCK_TEXT_MAX];

    json_set_str(p, "roleDefinitionId",
                 role_definition_id(a, asked, json_str(json_get(stored, "roleDefinitionId"))));
    json_set(p, "principalId", json_clone(json_get(stored, "principalId")));
    json_set(p, "principalType", json_clone(json_get(stored, "principalType")));
    json_set(p, "scope", json_clone(json_get(stored, "scope")));
    json_set(p, "condition", json_new_null());
    json_set(p, "conditionVersion", json_new_null());
    json_set_str(p, "createdOn", clock_format_z(r->created_us, time));
    json_set_str(p, "updatedOn", clock_format_z(r->changed_us, time));
    set_or_null(p, "createdBy", json_get(stored, "createdBy"));
    set_or_null(p, "updatedBy", json_get(stored, "updatedBy"));
    json_set(p, "delegatedManagedIdentityResourceId", json_new_null());
    set_or_null(p, "description", json_get(stored, "description"));
    json_set(out, "properties", p);
    json_set_str(out, "id", r->id);
    json_set_text(out, "type", ROLE_ASSIGNMENTS);
    json_set_str(out, "name", arm_name_of(r->id));
    return out;
}

static struct json *assignment_render(const struct arm_view *v, const struct meta_resource *r,
                                      const struct json *body)
{
    return assignment_show(v->arena, r, body, json_str(json_path(body, "properties.scope")));
}

const struct arm_type arm_role_assignment = {
    .name = ROLE_ASSIGNMENTS,
    .scope = ARM_SCOPE_SERVER,
    .touch = assignment_touch,
    .render = assignment_render,
};

/* --- from what a client sent --- */
struct wanted {
    struct str scope, description; /* scope: "" for the server */
    const struct auth_role *role;
    struct uuid principal;
    struct str type;
};

static enum rc unsupported_refuse(const struct json *sent, struct err *e)
{
    static const char *const members[] = {"condition", "delegatedManagedIdentityResourceId"};

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_given(json_get_nocase(sent, members[i])))
            return err_code(e, RC_UNSUPPORTED, "NotSupported",
                            "'%s' of a role assignment is not offered here.", members[i]);
    return RC_OK;
}

static enum rc role_read(const struct json *sent, const struct auth_role **ret, struct err *e)
{
    struct str id = json_str(json_get_nocase(sent, "roleDefinitionId"));
    struct str guid = arm_name_of(id);
    const struct auth_role *role = auth_role_by_id(guid);

    if (id.len == 0)
        return err_code(e, RC_INVALID, "InvalidRoleDefinitionId",
                        "properties.roleDefinitionId is missing.");
    if (!role)
        return err_code(e, RC_NOT_FOUND, "RoleDefinitionDoesNotExist",
                        "The specified role definition with ID '%.*s' does not exist.",
                        STR_ARG(str_take(guid, 100)));
    *ret = role;
    return RC_OK;
}

static enum rc no_principal(struct arm_call *c, struct str id, struct err *e)
{
    char tenant[UUID_TEXT_MAX];
    char bare[33];
    size_t n = 0;

    for (size_t i = 0; i < id.len && n < sizeof(bare) - 1; i++)
        if (id.ptr[i] != '-')
            bare[n++] = ascii_lower(id.ptr[i]);
    bare[n] = '\0';
    uuid_format(&admission_of(c->req)->snapshot->identity->tenant, tenant);
    return err_code(e, RC_INVALID, "PrincipalNotFound",
                    "Principal %s does not exist in the directory %s. Check that you have the "
                    "correct principal ID. If you are creating this principal and then immediately "
                    "assigning a role, this error might be related to a replication delay. In this "
                    "case, set the role assignment principalType property to a value, such as "
                    "ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
                    bare, tenant);
}

static enum rc principal_read(struct arm_write *w, const struct json *sent, struct wanted *ret,
                              struct err *e)
{
    struct str text = json_str(json_get_nocase(sent, "principalId"));
    struct str given = json_str(json_get_nocase(sent, "principalType"));
    struct meta_principal p;
    enum rc rc;

    if (uuid_parse(text, &ret->principal, NULL) != RC_OK)
        return err_code(e, RC_INVALID, "InvalidPrincipalId",
                        "The Principal ID '%.*s' is not valid. Principal ID must be a GUID.",
                        STR_ARG(str_take(text, 100)));
    rc = meta_principal_get(w->tx, w->arena, &ret->principal, &p, e);
    if (rc == RC_NOT_FOUND)
        return no_principal(w->call, text, e);
    if (rc != RC_OK)
        return rc;
    ret->type = p.kind == META_USER ? STR("User") : STR("ServicePrincipal");
    if (given.ptr && !str_eq_nocase(given, ret->type))
        return err_code(e, RC_INVALID, "UnmatchedPrincipalType",
                        "The PrincipalId '%.*s' has type '%.*s' , which is different from "
                        "specified PrinciaplType '%.*s'.",
                        STR_ARG(text), STR_ARG(ret->type), STR_ARG(str_take(given, 100)));
    return RC_OK;
}

static enum rc wanted_read(struct arm_write *w, struct wanted *ret, struct err *e)
{
    const struct json *sent = json_get_nocase(w->call->sent, "properties");
    enum rc rc = role_scope_find(w->call, w->tx, &ret->scope, e);

    if (!sent)
        sent = w->call->sent; /* an older form of the request */
    if (rc == RC_OK)
        rc = unsupported_refuse(sent, e);
    if (rc == RC_OK)
        rc = role_read(sent, &ret->role, e);
    if (rc == RC_OK)
        rc = principal_read(w, sent, ret, e);
    ret->description = json_str(json_get_nocase(sent, "description"));
    if (rc == RC_OK && ret->description.len > 1024)
        return err_set(e, RC_INVALID, "The description has more than 1024 characters.");
    return rc;
}

/* --- PUT --- */
static enum rc name_read(struct arm_call *c, struct str *ret, struct err *e)
{
    char text[UUID_TEXT_MAX];
    struct uuid u;

    if (uuid_parse(c->name, &u, NULL) != RC_OK)
        return err_code(e, RC_INVALID, "InvalidRoleAssignmentId",
                        "The role assignment ID '%.*s' is not valid. The role assignment ID must "
                        "be a GUID.",
                        STR_ARG(str_take(c->name, 100)));
    *ret = arena_copy(c->arena, uuid_format(&u, text));
    return RC_OK;
}

static bool same_assignment(const struct json *body, const struct wanted *wanted)
{
    const struct json *p = json_get(body, "properties");
    struct uuid u;

    return uuid_parse(json_str(json_get(p, "principalId")), &u, NULL) == RC_OK &&
           uuid_eq(&u, &wanted->principal) &&
           str_is_nocase(json_str(json_get(p, "roleDefinitionId")), wanted->role->id);
}

static enum rc refuse_same(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK && same_assignment(body, arg))
        return err_code(e, RC_EXISTS, "RoleAssignmentExists",
                        "The role assignment already exists.");
    return rc;
}

static void body_make(const struct arm_write *w, const struct wanted *wanted, struct json *body)
{
    struct json *p = json_new_object();
    char text[UUID_TEXT_MAX];

    json_set_str(p, "scope", wanted->scope.len > 0 ? wanted->scope : STR("/"));
    json_set_text(p, "roleDefinitionId", wanted->role->id);
    json_set_str(p, "principalId", uuid_format(&wanted->principal, text));
    json_set_str(p, "principalType", wanted->type);
    if (wanted->description.ptr)
        json_set_str(p, "description", wanted->description);
    json_set_str(p, "createdBy", uuid_format(&w->actor.object_id, text));
    json_set_text(p, "updatedBy", text);
    json_set(body, "properties", p);
}

/* Of one that is there, only what describes it changes. */
static enum rc put_again(struct arm_write *w, struct meta_resource *r, const struct wanted *wanted,
                         struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    char text[UUID_TEXT_MAX];
    struct json *p;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc != RC_OK)
        return rc;
    if (!same_assignment(body, wanted))
        return err_code(e, RC_INVALID, "RoleAssignmentUpdateNotPermitted",
                        "Tenant ID, application ID, principal ID, and scope are not allowed to be "
                        "updated.");
    p = json_get(body, "properties");
    if (wanted->description.ptr)
        json_set_str(p, "description", wanted->description);
    json_set_str(p, "updatedBy", uuid_format(&w->actor.object_id, text));
    w->before = r->body;
    return arm_store(w, r, body, e);
}

static enum rc put_new(struct arm_write *w, struct meta_resource *r, struct wanted *wanted,
                       struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct str beside =
        arena_printf(w->arena, "%.*s/providers/" ROLE_ASSIGNMENTS "/", STR_ARG(wanted->scope));
    enum rc rc = meta_resource_each(w->tx, beside, STR(ROLE_ASSIGNMENTS), refuse_same, wanted, e);

    if (rc != RC_OK)
        return rc;
    w->call->created = true;
    r->type = STR(ROLE_ASSIGNMENTS);
    body_make(w, wanted, body);
    return arm_store(w, r, body, e);
}

static enum rc put_write(struct arm_write *w, struct err *e)
{
    struct meta_resource r = {0};
    struct wanted wanted = {0};
    struct str name = STR_NONE, id;
    enum rc rc = name_read(w->call, &name, e);

    if (rc == RC_OK)
        rc = wanted_read(w, &wanted, e);
    if (rc != RC_OK)
        return rc;
    id = arena_printf(w->arena, "%.*s/providers/" ROLE_ASSIGNMENTS "/%.*s", STR_ARG(wanted.scope),
                      STR_ARG(name));
    rc = meta_resource_get(w->tx, w->arena, id, &r, e);
    if (rc == RC_OK)
        return put_again(w, &r, &wanted, e);
    if (rc != RC_NOT_FOUND)
        return rc;
    r = (struct meta_resource){.id = id};
    return put_new(w, &r, &wanted, e);
}

/* The answer to what is new does not say yet who made it. */
static void created_hide(struct arm_call *c)
{
    if (c->created)
        json_set(json_get(c->answer, "properties"), "createdBy", json_new_null());
}

static bool answer_make(struct arm_call *c)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct err e = {0};

    if (arm_failed(c, arm_body_parse(&c->stored, &body, &e), &e))
        return false;
    arm_set_answer(c, assignment_show(c->arena, &c->stored, body, c->stored.id));
    return true;
}

enum http_verdict arm_role_assignment_put(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || !arm_body_given(&c) ||
        arm_failed(&c, arm_change(&c, put_write, &e), &e) || !answer_make(&c))
        return HTTP_ANSWERED;
    created_hide(&c);
    arm_answer_json(&c, c.created ? 201 : 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- GET and DELETE --- */
static enum rc stored_get(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    struct str scope = STR_NONE, id;
    enum rc rc = role_scope_find(c, tx, &scope, e);

    if (rc != RC_OK)
        return rc;
    id = arena_printf(c->arena, "%.*s/providers/" ROLE_ASSIGNMENTS "/%.*s", STR_ARG(scope),
                      STR_ARG(c->name));
    rc = meta_resource_get(tx, c->arena, id, &c->stored, e);
    c->missing = rc == RC_NOT_FOUND;
    if (c->missing)
        return err_code(e, rc, "RoleAssignmentNotFound", "The role assignment '%.*s' is not found.",
                        STR_ARG(str_take(c->name, 100)));
    return rc;
}

enum http_verdict arm_role_assignment_get(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, stored_get, &e), &e) &&
        answer_make(&c))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

static enum rc delete_write(struct arm_write *w, struct err *e)
{
    enum rc rc = stored_get(w->call, w->tx, e);

    if (w->call->missing)
        return RC_OK;
    return rc == RC_OK ? arm_delete(w, &arm_role_assignment, &w->call->stored, e) : rc;
}

enum http_verdict arm_role_assignment_delete(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (!arm_call_begin(&c, req) || arm_failed(&c, arm_change(&c, delete_write, &e), &e))
        return HTTP_ANSWERED;
    if (c.missing)
        http_answer(req, 204, NULL, STR(""));
    else if (answer_make(&c))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}

/* --- lists --- */
struct listing {
    struct arm_call *call;
    struct json *value;
    struct str scope, principal; /* principal: STR_NONE, of anybody */
    bool inside;                 /* also what is assigned on what is inside of the scope */
    bool all;                    /* the caller may see everything there */
};

static bool listed(const struct listing *l, const struct json *properties)
{
    const struct admission *a = admission_of(l->call->req);
    struct str at = json_str(json_get(properties, "scope"));

    if (l->principal.ptr &&
        !str_eq_nocase(l->principal, json_str(json_get(properties, "principalId"))))
        return false;
    if (!auth_scope_covers(at, l->scope) && !(l->inside && auth_scope_covers(l->scope, at)))
        return false;
    return l->all || admit_may(a->snapshot, &a->principal, STR(ROLE_ASSIGNMENTS "/read"), at);
}

static enum rc list_add(const struct meta_resource *r, void *arg, struct err *e)
{
    CLEANUP(arena_done) struct arena arena = ARENA_INIT(64 * 1024);
    CLEANUP(json_freep) struct json *body = NULL;
    struct listing *l = arg;
    enum rc rc = arm_body_parse(r, &body, e);

    if (rc == RC_OK && listed(l, json_get(body, "properties")))
        json_append(l->value, assignment_show(&arena, r, body, l->scope));
    return rc;
}

/* atScope(): not below; principalId eq 'X', assignedTo('X'): somebody's. There are no groups, so
 * that both mean the same. */
static enum rc filter_apply(struct listing *l, struct err *e)
{
    static const char *const offered[] = {"atScope", "principalId", "assignedTo", NULL};
    const struct http_filter_term *to;
    struct http_filter f = {.n = 0};
    enum rc rc = http_filter_read(l->call->req, &f, e);

    if (rc == RC_OK)
        rc = http_filter_known(&f, offered, e);
    if (rc != RC_OK)
        return rc;
    l->inside = !http_filter_find(&f, "atScope");
    to = http_filter_find(&f, "assignedTo");
    l->principal = to && to->value.ptr ? to->value : http_filter_value(&f, "principalId");
    return RC_OK;
}

static enum rc list_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    const struct admission *a = admission_of(c->req);
    struct listing l = {.call = c, .value = json_new_array()};
    enum rc rc;

    arm_set_answer(c, json_new_object());
    json_set(c->answer, "value", l.value);
    rc = role_scope_find(c, tx, &l.scope, e);
    if (rc == RC_OK)
        rc = filter_apply(&l, e);
    if (rc != RC_OK)
        return rc;
    if (l.scope.len == 0)
        l.scope = STR("/");
    l.all = admit_may(a->snapshot, &a->principal, STR(ROLE_ASSIGNMENTS "/read"), l.scope);
    return meta_resource_each(tx, STR(""), STR(ROLE_ASSIGNMENTS), list_add, &l, e);
}

enum http_verdict arm_role_assignment_list(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, list_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}
