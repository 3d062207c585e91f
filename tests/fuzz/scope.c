/* Scopes: whatever comes, what was granted is never more than what was asked for. */
#include "auth/auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_scopes asked = {0}, got;
    enum rc rc = auth_scopes_parse((struct str){(const char *)data, size}, &asked, NULL);

    if (rc != RC_OK && asked.n != 0)
        abort();
    got = asked;
    auth_scopes_limit(&got, AUTH_PULL);
    for (size_t i = 0; i < got.n; i++)
        if (got.list[i].actions & ~(asked.list[i].actions & AUTH_PULL))
            abort();
    return 0;
}
