/* Whatever is accepted as a resource id has one canonical text, which reads back as the same id. */
#include "arm/id.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    struct arm_id id, again;
    struct str text;

    if (arm_id_parse((struct str){(const char *)data, size}, &id, NULL) != RC_OK)
        return 0;
    text = arm_id_format(&id, &a);
    if (arm_id_parse(text, &again, NULL) != RC_OK || !arm_id_same(&id, &again) ||
        !str_eq(text, arm_id_format(&again, &a)))
        abort();
    return 0;
}
