/* Forms of the token endpoints: scopes are bounded, and whatever the identity endpoint takes is one
 * of its audiences. */
#include "base/encode.h"
#include "oci/private.h"
#include "sts/private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct str form = {(const char *)data, size}, audience;
    struct auth_scopes scopes;
    struct sts_asked asked = {0};

    if (oci_form_scopes(&a, form, &scopes, NULL) == RC_OK && scopes.n > AUTH_SCOPES_MAX)
        abort();
    if (form_text(&a, form, "scope", &asked.scope, NULL) != RC_OK ||
        form_text(&a, form, "resource", &asked.resource, NULL) != RC_OK)
        return 0;
    if (sts_audience(&a, &asked, STR("https://arm.test"), &audience, NULL) == RC_OK &&
        !str_starts(audience, STR("https://arm.test")) &&
        !str_starts(audience, STR("https://containerregistry.azure.net")))
        abort();
    return 0;
}
