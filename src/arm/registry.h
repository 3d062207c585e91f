/* What the files of the type Microsoft.ContainerRegistry/registries share. */
#ifndef ARM_REGISTRY_H
#define ARM_REGISTRY_H

#include "arm/registry_rules.h"
#include "arm/resource.h"

/* A setting below properties that takes one of a few values. */
struct registry_setting {
    const char *path;    /* "policies.exportPolicy.status" */
    const char *values;  /* those that are offered, the default first; several: the setting is stored */
    const char *refused; /* known to ARM, and not offered here */
    bool flag;           /* JSON true and false instead of texts */
    bool stays;          /* absent in a PUT: keeps its value */
};
extern const struct registry_setting registry_settings[];
extern const size_t registry_settings_count;
/* Of a policy that is kept, but not offered. */
struct registry_days {
    const char *path, *policy, *member;
    int min, max;
};
extern const struct registry_days registry_days[];
extern const size_t registry_days_count;
struct json *registry_setting_default(const struct registry_setting *s);
const struct json *registry_path_get(const struct json *object, const char *dotted); /* names in any case */
void registry_path_set(struct json *object, const char *dotted, struct json *value); /* objects on the way are made */

/* registry_body.c: the client's properties into the stored ones. `fresh`: what is absent takes its default; else it stays.
 * The network's settings stay in both (nothing opens by omission). */
NODISCARD enum rc registry_body_merge(const struct json *sent, bool fresh, const struct registry_subnets *subnets,
                                      struct arena *a, struct json *body, struct err *e);
struct json *registry_render(const struct arm_view *v, const struct meta_resource *r, const struct json *body);
/* In lower case, with the port where clients need it. */
struct str registry_login_server(struct admit *admit, struct arena *a, struct str host);
struct json *registry_render_system_data(const struct meta_resource *r, const struct json *body);

/* registry_secret.c: the admin user's two passwords. */
NODISCARD enum rc registry_secrets_new(struct arm_write *w, const struct meta_resource *r, struct err *e);

/* registry_subnets.find: `ctx` is the arm_write that names the subnet; its principal needs to be allowed to. */
enum rc registry_subnet_find(void *ctx, const struct arm_id *subnet, struct registry_subnet *ret, struct err *e);
NODISCARD enum rc registry_name_available(struct arm_call *c, struct str name, struct err *e); /* RC_INVALID, RC_EXISTS */

enum http_verdict arm_registry_check_name(struct http_request *req);
enum http_verdict arm_registry_list_credentials(struct http_request *req);
enum http_verdict arm_registry_regenerate_credential(struct http_request *req);
enum http_verdict arm_registry_replications(struct http_request *req);
enum http_verdict arm_registry_list_usages(struct http_request *req);
enum http_verdict arm_registry_denials(struct http_request *req);
enum http_verdict arm_registry_check_network_access(struct http_request *req);
enum http_verdict arm_registry_add_rule(struct http_request *req);
enum http_verdict arm_registry_remove_rule(struct http_request *req);

#endif
