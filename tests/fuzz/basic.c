/* Basic credentials: no control characters come out, and the name has no colon. */
#include "auth/auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(64 * 1024);
    struct str user, password;

    if (auth_basic_parse((struct str){(const char *)data, size}, &a, &user, &password, NULL) !=
        RC_OK)
        return 0;
    if (memchr(user.ptr, ':', user.len) || memchr(password.ptr, '\0', password.len))
        abort();
    return 0;
}
