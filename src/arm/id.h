/* Resource ids: /subscriptions/S[/resourceGroups/G[/providers/NS/type/name[/type/name]]] or /providers/NS/type/name.
 * Everything compares without case; repeated slashes count once. */
#ifndef ARM_ID_H
#define ARM_ID_H

#include "base/arena.h"
#include "base/buf.h"

enum { ARM_ID_DEPTH = 3, ARM_ID_MAX = 1024 };
struct arm_id {
    struct str subscription, group, provider; /* STR_NONE where the id has none */
    struct {
        struct str type, name;
    } parts[ARM_ID_DEPTH];
    size_t n;
};

/* Texts are borrowed. RC_INVALID. */
NODISCARD enum rc arm_id_parse(struct str text, struct arm_id *ret, struct err *e);
/* Is it of that type ("Microsoft.Network/virtualNetworks/subnets")? */
bool arm_id_is(const struct arm_id *id, const char *type);
/* With ARM's spelling of the fixed segments and single slashes; names as they came. In the arena. */
struct str arm_id_format(const struct arm_id *id, struct arena *a);
bool arm_id_same(const struct arm_id *a, const struct arm_id *b);
/* The id of what this one is inside of (a subnet's virtual network): without its last part. */
struct arm_id arm_id_parent(const struct arm_id *id);

#endif
