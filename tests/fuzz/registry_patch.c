/* A PATCH of a registry is refused, or leaves a body that compiles to a gate; and sent back as
 * shown it changes nothing. */
#include "arm/registry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc find(void *ctx, const struct arm_id *subnet, struct registry_subnet *ret,
                    struct err *e)
{
    struct str name = subnet->parts[1].name;

    (void)ctx;
    if (name.len % 3 == 0)
        return err_set(e, RC_NOT_FOUND, "no such subnet");
    *ret = (struct registry_subnet){{{(uint8_t)name.len}}, name.len % 2 == 0};
    return RC_OK;
}
static const struct registry_subnets subnets = {find, NULL};

static void must_compile(const struct json *body)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 22);
    CLEANUP(gate_freep) struct gate *gate = NULL;
    struct gate_rule_set rules;

    if (gate_rule_set_read(json_get(body, "properties"), &a, &rules, NULL) != RC_OK ||
        gate_compile(&rules, &gate, NULL) != RC_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 24);
    CLEANUP(json_freep) struct json *sent = NULL, *body = NULL, *before = NULL;

    if (json_parse((struct str){(const char *)data, size}, NULL, &sent, NULL) != RC_OK ||
        json_type(sent) != JSON_OBJECT)
        return 0;
    if (json_parse(STR("{\"sku\":{\"name\":\"Premium\",\"tier\":\"Premium\"},\"properties\":{}}"),
                   NULL, &body, NULL) != RC_OK)
        abort();
    if (registry_body_merge(sent, false, &subnets, &a, body, NULL) != RC_OK)
        return 0;
    must_compile(body);
    before = json_clone(body);
    if (registry_body_merge(before, false, &subnets, &a, body, NULL) != RC_OK ||
        !json_same(before, body))
        abort();
    return 0;
}
