/* Microsoft.Network/applicationSecurityGroups: names that interfaces' configurations belong to;
 * kept and shown. */
#include "arm/network.h"
#include "arm/operation.h"

static enum rc asg_put(struct arm_write *w, const struct json *sent, struct json *body,
                       struct err *e)
{
    const struct json *given = NULL;
    struct json *properties = NULL;

    (void)w;
    return network_put_begin(sent, body, &given, &properties, e);
}

static enum rc asg_deletable(struct arm_write *w, const struct meta_resource *r,
                             const struct json *body, struct err *e)
{
    const struct json *users = network_users(body);

    (void)w;
    if (json_len(users) == 0)
        return RC_OK;
    return err_code(e, RC_INVALID, "InUseApplicationSecurityGroupCannotBeDeleted",
                    "Application security group %.*s cannot be deleted because it is in use by the "
                    "following resources: %.*s.",
                    STR_ARG(r->id), STR_ARG(json_str(json_get(json_at(users, 0), "id"))));
}

static struct json *asg_render(const struct arm_view *v, const struct meta_resource *r,
                               const struct json *body)
{
    struct json *out = network_head(r, body), *p = json_new_object();

    (void)v;
    json_set_text(p, "provisioningState", arm_state(body));
    json_set(out, "properties", p);
    return out;
}

const struct arm_type arm_asg = {
    .name = "Microsoft.Network/applicationSecurityGroups",
    .scope = ARM_SCOPE_GROUP,
    .check_name = network_name_plain,
    .put = asg_put,
    .patch = arm_tags_patch,
    .deletable = asg_deletable,
    .style = network_style,
    .render = asg_render,
};
