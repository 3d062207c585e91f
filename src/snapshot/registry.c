/* A registry's stored resource → its entry: the gate compiled, the few settings that the data plane
 * reads. */
#include "base/mem.h"
#include "snapshot/private.h"

enum { ARENA_MAX = 16 << 20 };

static void lower(struct str s)
{
    for (char *p = (char *)(uintptr_t)s.ptr; p < s.ptr + s.len; p++)
        *p = ascii_lower(*p);
}

static struct registry_entry *entry_new(struct str id, struct str login_server, struct str suffix)
{
    struct str name = str_skip(id, str_find_last(id, '/') + 1);
    struct str host = login_server.len > 0 ? login_server : name;
    size_t room = id.len + name.len + host.len + 1 + suffix.len;
    struct registry_entry *r = mem_new(1, sizeof(*r) + room);
    char *at = r->texts;

    r->face.id = str_put(&at, id);
    r->face.name = str_put(&at, name);
    r->face.login_host = str_put(&at, host);
    if (login_server.len == 0) {
        str_put(&at, STR("."));
        str_put(&at, suffix);
        r->face.login_host.len += 1 + suffix.len;
    }
    lower(r->face.login_host);
    return r;
}

static enum rc gate_from(const struct json *properties, struct gate **ret, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
    struct gate_rule_set set;
    enum rc rc = gate_rule_set_read(properties, &a, &set, e);

    return rc == RC_OK ? gate_compile(&set, ret, e) : rc;
}

static void settings_read(const struct json *properties, struct snapshot_registry *r)
{
    struct str arm =
        json_str(json_path(properties, "policies.azureADAuthenticationAsArmPolicy.status"));

    r->admin_user = json_bool(json_get(properties, "adminUserEnabled"), false);
    r->anonymous_pull = json_bool(json_get(properties, "anonymousPullEnabled"), false);
    r->arm_audience = !str_is_nocase(arm, "disabled");
}

enum rc registry_compile(const struct meta_resource *r, struct str suffix,
                         struct registry_entry **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct gate *gate = NULL;
    enum rc rc = json_parse(r->body, NULL, &body, e);
    const struct json *properties = json_get(body, "properties");

    if (rc == RC_OK)
        rc = gate_from(properties, &gate, e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "registry %.*s", STR_ARG(r->id));
    struct registry_entry *entry =
        entry_new(r->id, json_str(json_get(properties, "loginServer")), suffix);

    entry->face.uuid = r->uuid;
    entry->face.gate = gate;
    settings_read(properties, &entry->face);
    entry->face.creating = str_is(json_str(json_get(body, "provisioningState")), "Creating");
    index_hash(entry);
    *ret = entry;
    return RC_OK;
}

void registry_entry_free(struct registry_entry *r)
{
    if (!r)
        return;
    gate_free(r->face.gate);
    free(r);
}

void registry_set_secret(struct registry_entry *r, const struct meta_registry_secret *s)
{
    if (s->slot >= ARRAY_LEN(r->face.admin_password))
        return;
    r->face.admin_password[s->slot] = s->hash;
    r->face.admin_generation[s->slot] = s->generation;
}
