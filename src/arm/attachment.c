/* Kidoban.Network/attachments: how a virtual network reaches this server. At server scope: they
 * belong to no group. What the kinds mean and which evidence two of them may not share is
 * origin/'s, which compiles every change. */
#include "arm/resource.h"

#include "arm/id.h"

enum { ATTACHMENT_NAME_MAX = 64 };

static enum rc attachment_check_name(struct str name, struct err *e)
{
    bool good = name.len > 0 && name.len <= ATTACHMENT_NAME_MAX;

    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        good = good && (word || (i > 0 && (c == '-' || c == '_' || c == '.')));
    }
    if (good)
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidResourceName",
                    "The name of an attachment has 1 to %d characters, letters, digits, '-', '_' "
                    "and '.', and begins with a letter "
                    "or digit: '%.*s'.",
                    ATTACHMENT_NAME_MAX, STR_ARG(str_take(name, 100)));
}

/* --- what it refers to --- */
/* The virtual network's stored id and body. */
static enum rc network_get(struct arm_write *w, struct str id, struct meta_resource *ret,
                           struct json **ret_body, struct err *e)
{
    struct arm_id parsed;
    struct str canonical = STR_NONE;
    enum rc rc = arm_id_parse(id, &parsed, e);

    if (rc != RC_OK)
        return rc;
    if (parsed.group.len > 0 && arm_id_is(&parsed, arm_vnet.name))
        canonical = arm_id_format(&parsed, w->arena);
    rc = canonical.ptr ? meta_resource_get(w->tx, w->arena, canonical, ret, e) : RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND)
        return err_code(e, RC_INVALID, "InvalidResourceReference",
                        "Resource %.*s referenced by attachment %.*s was not found.",
                        STR_ARG(str_take(id, 300)), STR_ARG(w->call->name));
    return rc == RC_OK ? arm_body_parse(ret, ret_body, e) : rc;
}

static bool network_has_subnet(const struct meta_resource *network, const struct json *body,
                               struct str id)
{
    const struct json *list = json_path(body, "properties.subnets");
    struct arm_id subnet, parent, vnet;

    if (arm_id_parse(id, &subnet, NULL) != RC_OK ||
        !arm_id_is(&subnet, "Microsoft.Network/virtualNetworks/subnets") ||
        arm_id_parse(network->id, &vnet, NULL) != RC_OK)
        return false;
    parent = arm_id_parent(&subnet);
    for (size_t i = 0; arm_id_same(&parent, &vnet) && i < json_len(list); i++)
        if (str_eq_nocase(json_str(json_get(json_at(list, i), "name")), subnet.parts[1].name))
            return true;
    return false;
}

static enum rc subnet_check(const struct arm_write *w, const struct meta_resource *network,
                            const struct json *network_body, struct str id, struct err *e)
{
    if (network_has_subnet(network, network_body, id))
        return RC_OK;
    return err_code(e, RC_INVALID, "InvalidResourceReference",
                    "Subnet %.*s referenced by attachment %.*s was not found in its virtual "
                    "network.",
                    STR_ARG(str_take(id, 300)), STR_ARG(w->call->name));
}

/* {"id"}, where all connections are one subnet's. */
static enum rc subnet_set(const struct arm_write *w, const struct json *sent,
                          const struct meta_resource *network, const struct json *network_body,
                          struct json *properties, struct err *e)
{
    const struct json *j = json_get_nocase(sent, "subnet");
    struct str id = json_str(json_get_nocase(j, "id"));
    struct json *subnet;

    if (!json_given(j))
        return RC_OK;
    subnet = json_new_object();
    json_set_str(subnet, "id", id);
    json_set(properties, "subnet", subnet);
    return subnet_check(w, network, network_body, id, e);
}

/* {"name", "subnet":{"id"}} for each interface that is known to be one subnet's. */
static enum rc interfaces_set(struct arm_write *w, const struct json *sent,
                              const struct meta_resource *network, const struct json *network_body,
                              struct json *properties, struct err *e)
{
    const struct json *list = json_get_nocase(sent, "interfaces");
    struct json *stored = json_new_array();

    json_set(properties, "interfaces", stored);
    for (size_t i = 0; i < json_len(list); i++) {
        struct str id =
            json_str(json_get_nocase(json_get_nocase(json_at(list, i), "subnet"), "id"));
        struct json *one = json_new_object(), *subnet = json_new_object();

        json_set_str(subnet, "id", id);
        json_set_str(one, "name", json_str(json_get_nocase(json_at(list, i), "name")));
        json_set(one, "subnet", subnet);
        json_append(stored, one);
        enum rc rc = subnet_check(w, network, network_body, id, e);

        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static void services_set(const struct json *sent, struct json *properties)
{
    const struct json *list = json_get_nocase(sent, "services");
    struct json *data;

    if (json_given(list)) {
        json_set(properties, "services", json_clone(list)); /* origin/ says whether it is good */
        return;
    }
    data = json_new_array();
    json_append(data, json_new_text("data"));
    json_set(properties, "services", data);
}

static void copy_member(const struct json *sent, struct json *properties, const char *member)
{
    const struct json *j = json_get_nocase(sent, member);

    if (json_given(j))
        json_set(properties, member, json_clone(j));
}

/* What decides who a connection is must not be lost because it is of the wrong type. */
static enum rc shapes_check(const struct json *sent, struct err *e)
{
    static const struct {
        const char *member;
        enum json_type type;
        const char *what;
    } shapes[] = {
        {"subnet", JSON_OBJECT, "an object"},
        {"interfaces", JSON_ARRAY, "a list"},
        {"privateEndpoints", JSON_ARRAY, "a list"},
        {"trustedService", JSON_BOOL, "true or false"},
    };

    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        enum json_type type = json_type(json_get_nocase(sent, shapes[i].member));

        if (type != JSON_ABSENT && type != JSON_NULL && type != shapes[i].type)
            return err_set(e, RC_INVALID, "The property '%s' has to be %s.", shapes[i].member,
                           shapes[i].what);
    }
    return RC_OK;
}

/* {"localAddress", "privateEndpoint":{"id"}}: which endpoint it is, is not looked up. */
static enum rc endpoints_set(struct arm_write *w, const struct json *sent, struct json *properties,
                             struct err *e)
{
    const struct json *list = json_get_nocase(sent, "privateEndpoints");
    struct json *stored = json_new_array();

    json_set(properties, "privateEndpoints", stored);
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *from = json_at(list, i);
        struct str id = json_str(json_get_nocase(json_get_nocase(from, "privateEndpoint"), "id"));
        struct json *one = json_new_object(), *endpoint = json_new_object();
        struct arm_id parsed;

        json_append(stored, one);
        copy_member(from, one, "localAddress");
        json_set(one, "privateEndpoint", endpoint);
        json_set_str(endpoint, "id", id);
        if (arm_id_parse(id, &parsed, NULL) != RC_OK ||
            !arm_id_is(&parsed, "Microsoft.Network/privateEndpoints"))
            return err_code(e, RC_INVALID, "InvalidResourceReference",
                            "'%.*s' in privateEndpoints of attachment %.*s is not the id of a "
                            "private endpoint.",
                            STR_ARG(str_take(id, 300)), STR_ARG(w->call->name));
    }
    return RC_OK;
}

/* --- the evidence --- */
/* What each kind says of itself: an object under its own name. What the values mean is origin/'s.
 */
static const struct evidence_form {
    const char *kind, *members[3];
} forms[] = {
    {"netns", {"name"}},         {"device", {"name"}},
    {"mark", {"value", "mask"}}, {"range", {"addressPrefixes"}},
    {"proxy", {"peers", "tlv"}},
};

static const struct evidence_form *form_of(struct str kind)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (str_is_nocase(kind, forms[i].kind))
            return &forms[i];
    return NULL;
}

static enum rc form_check(const struct json *sent, const struct evidence_form *form, struct err *e)
{
    static const char *const members[] = {"netns", "device", "mark", "proxy", "range", "subnet"};
    bool proxy = strcmp(form->kind, "proxy") == 0; /* the one that may name its subnet */

    for (size_t i = 0; i < ARRAY_LEN(members) - (proxy ? 1 : 0); i++)
        if (strcmp(members[i], form->kind) != 0 && json_len(json_get_nocase(sent, members[i])) > 0)
            return err_set(e, RC_INVALID, "An attachment of kind %s has no properties.%s.",
                           form->kind, members[i]);
    if (json_type(json_get_nocase(sent, form->kind)) != JSON_OBJECT)
        return err_set(e, RC_INVALID, "An attachment of kind %s needs properties.%s.%s.",
                       form->kind, form->kind, form->members[0]);
    return RC_OK;
}

static enum rc evidence_set(const struct json *sent, struct json *properties, struct err *e)
{
    struct str kind = json_str(json_get_nocase(sent, "kind"));
    const struct evidence_form *form = form_of(kind);
    struct json *own = json_new_object();

    if (!kind.ptr || !form) { /* origin/ knows which kinds there are, and says so */
        json_free(own);
        return kind.ptr ? RC_OK : err_set(e, RC_INVALID, "An attachment needs properties.kind.");
    }
    for (size_t i = 0; i < ARRAY_LEN(form->members) && form->members[i]; i++)
        copy_member(json_get_nocase(sent, form->kind), own, form->members[i]);
    if (strcmp(form->kind, "mark") == 0 && !json_get(own, "mask"))
        json_set(own, "mask", json_new_int(UINT32_MAX));
    json_set(properties, form->kind, own);
    return form_check(sent, form, e);
}

/* --- writing --- */
static enum rc attachment_put(struct arm_write *w, const struct json *sent_body, struct json *body,
                              struct err *e)
{
    CLEANUP(json_freep) struct json *network_body = NULL;
    const struct json *sent = json_get_nocase(sent_body, "properties");
    struct str id = json_str(json_get_nocase(json_get_nocase(sent, "virtualNetwork"), "id"));
    struct json *properties = json_new_object(), *reference = json_new_object();
    struct meta_resource network = {0};
    enum rc rc;

    json_set(body, "properties", properties);
    json_set_str(properties, "kind", json_str(json_get_nocase(sent, "kind")));
    json_set(properties, "virtualNetwork", reference);
    rc = shapes_check(sent, e);
    if (rc == RC_OK)
        rc = evidence_set(sent, properties, e);
    if (rc == RC_OK)
        rc = network_get(w, id, &network, &network_body, e);
    if (rc != RC_OK)
        return rc;
    json_set_str(reference, "id", network.id);
    services_set(sent, properties);
    copy_member(sent, properties, "outboundPublicIPAddress");
    json_set(properties, "trustedService",
             json_new_bool(json_bool(json_get_nocase(sent, "trustedService"), false)));
    rc = endpoints_set(w, sent, properties, e);
    if (rc == RC_OK)
        rc = subnet_set(w, sent, &network, network_body, properties, e);
    return rc == RC_OK ? interfaces_set(w, sent, &network, network_body, properties, e) : rc;
}

static enum rc attachment_patch(struct arm_write *w, const struct json *sent, struct json *body,
                                struct err *e)
{
    (void)w;
    (void)sent;
    (void)body;
    return err_set(e, RC_UNSUPPORTED, "Attachments are replaced as a whole, by PUT.");
}

static void attachment_touch(struct snapshot_change *change, const struct meta_resource *r)
{
    (void)r;
    snapshot_touch_networks(change);
}

/* --- rendering --- */

const char *arm_attachment_state_name(enum arm_attachment_state s)
{
    static const char *const names[] = {
        [ARM_ATTACHMENT_WAITING] = "Waiting",
        [ARM_ATTACHMENT_LISTENING] = "Listening",
        [ARM_ATTACHMENT_FAILED] = "Failed",
    };

    return names[s];
}

static struct json *attachment_render(const struct arm_view *v, const struct meta_resource *r,
                                      const struct json *body)
{
    struct json *out = json_new_object(), *properties = json_clone(json_get(body, "properties"));
    enum arm_attachment_state state = ARM_ATTACHMENT_WAITING;
    char reason[256] = "";

    if (v->services->attachment_state)
        state = v->services->attachment_state(v->services->attachment_ctx, &r->uuid, reason,
                                              sizeof(reason));
    json_set_text(properties, "state", arm_attachment_state_name(state));
    json_set_text(properties, "stateReason", reason);
    json_set_text(properties, "provisioningState", "Succeeded");
    json_set_str(out, "id", r->id);
    json_set_str(out, "name", arm_name_of(r->id));
    json_set_str(out, "type", r->type);
    json_set_str(out, "etag", r->etag);
    json_set(out, "properties", properties);
    return out;
}

const struct arm_type arm_attachment = {
    .name = "Kidoban.Network/attachments",
    .scope = ARM_SCOPE_SERVER,
    .check_name = attachment_check_name,
    .put = attachment_put,
    .patch = attachment_patch,
    .touch = attachment_touch,
    .render = attachment_render,
};
