/* A subnet or a security rule is refused, or shown; and what is shown, sent back, makes the same
 * one. The first byte says which of the two. */
#include "arm/vnet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) struct json *sent = NULL, *made = NULL, *shown = NULL, *again = NULL;
    const struct meta_resource parent = {.id = STR("/subscriptions/s/x"), .etag = STR("W/\"e\"")};
    const struct arm_child *type;

    if (size == 0)
        return 0;
    type = data[0] == 's' ? &subnet_type : &nsg_rule_type;
    if (json_parse((struct str){(const char *)data + 1, size - 1}, NULL, &sent, NULL) != RC_OK ||
        type->make(STR("it"), sent, NULL, &made, NULL) != RC_OK)
        return 0;
    shown = type->render(&parent, "Succeeded", made);
    if (type->make(STR("IT"), shown, made, &again, NULL) != RC_OK || !json_same(made, again))
        abort();
    return 0;
}
