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

/* --- what it refers to
 * --------------------------------------------------------------------------------- */
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
        if (!network_has_subnet(network, network_body, id))
            return err_code(
                e, RC_INVALID, "InvalidResourceReference",
                "Subnet %.*s referenced by attachment %.*s was not found in its virtual network.",
                STR_ARG(str_take(id, 300)), STR_ARG(w->call->name));
    }
    return RC_OK;
}

static void services_set(const struct json *sent, struct json *properties)
{
    const struct json *list = json_get_nocase(sent, "services");
    struct json *data;

    if (json_type(list) != JSON_ABSENT && json_type(list) != JSON_NULL) {
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

    if (json_type(j) != JSON_ABSENT && json_type(j) != JSON_NULL)
        json_set(properties, member, json_clone(j));
}

static void netns_set(const struct json *sent, struct json *properties)
{
    struct str name = json_str(json_get_nocase(json_get_nocase(sent, "netns"), "name"));
    struct json *netns = json_new_object();

    json_set_str(netns, "name", name.ptr ? name : STR(""));
    json_set(properties, "netns", netns);
}

/* --- writing
 * -------------------------------------------------------------------------------------------- */
/* Members of kinds that are not offered, and private endpoints, of which there are none to refer
 * to. */
static enum rc members_check(const struct json *sent, struct err *e)
{
    static const char *const refused[] = {"device", "mark",   "proxy",
                                          "range",  "subnet", "privateEndpoints"};
    struct str kind = json_str(json_get_nocase(sent, "kind"));

    if (!kind.ptr)
        return err_set(e, RC_INVALID, "An attachment needs properties.kind.");
    if (!str_is_nocase(kind, "netns"))
        return RC_OK; /* origin/ knows which kinds there are, and says so */
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const struct json *j = json_get_nocase(sent, refused[i]);

        if (json_len(j) > 0)
            return err_set(e, RC_UNSUPPORTED,
                           "This server does not offer '%s' for attachments of kind netns.",
                           refused[i]);
    }
    if (json_str(json_get_nocase(json_get_nocase(sent, "netns"), "name")).len == 0)
        return err_set(e, RC_INVALID, "An attachment of kind netns needs properties.netns.name.");
    return RC_OK;
}

static enum rc attachment_put(struct arm_write *w, const struct json *sent_body, struct json *body,
                              struct err *e)
{
    CLEANUP(json_freep) struct json *network_body = NULL;
    const struct json *sent = json_get_nocase(sent_body, "properties");
    struct str id = json_str(json_get_nocase(json_get_nocase(sent, "virtualNetwork"), "id"));
    struct json *properties = json_new_object(), *reference = json_new_object();
    struct meta_resource network = {0};
    enum rc rc = members_check(sent, e);

    json_set(body, "properties", properties);
    json_set_str(properties, "kind", json_str(json_get_nocase(sent, "kind")));
    json_set(properties, "virtualNetwork", reference);
    if (rc == RC_OK)
        rc = network_get(w, id, &network, &network_body, e);
    if (rc != RC_OK)
        return rc;
    json_set_str(reference, "id", network.id);
    services_set(sent, properties);
    copy_member(sent, properties, "outboundPublicIPAddress");
    json_set(properties, "trustedService",
             json_new_bool(json_bool(json_get_nocase(sent, "trustedService"), false)));
    netns_set(sent, properties);
    return interfaces_set(w, sent, &network, network_body, properties, e);
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

/* --- rendering
 * ------------------------------------------------------------------------------------------- */
static struct json *attachment_render(const struct arm_view *v, const struct meta_resource *r,
                                      const struct json *body)
{
    static const char *const states[] = {
        [ARM_ATTACHMENT_WAITING] = "Waiting",
        [ARM_ATTACHMENT_LISTENING] = "Listening",
        [ARM_ATTACHMENT_FAILED] = "Failed",
    };
    struct json *out = json_new_object(), *properties = json_clone(json_get(body, "properties"));
    enum arm_attachment_state state = ARM_ATTACHMENT_WAITING;
    char reason[256] = "";

    if (v->services->attachment_state)
        state = v->services->attachment_state(v->services->attachment_ctx, &r->uuid, reason,
                                              sizeof(reason));
    json_set_text(properties, "state", states[state]);
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
