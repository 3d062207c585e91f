/* What a client polls: an operation's id in one of its three forms. What is read can be written,
 * and read again. */
#include "arm/operation.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uuid u, again;
    char text[UUID_TEXT_MAX];

    if (arm_operation_id_parse((struct str){(const char *)data, size}, &u, NULL) != RC_OK)
        return 0;
    if (arm_operation_id_parse(uuid_format(&u, text), &again, NULL) != RC_OK ||
        !uuid_eq(&u, &again))
        abort();
    return 0;
}
