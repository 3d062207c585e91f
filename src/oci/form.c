/* Forms and queries of the token endpoints. */
#include "oci/private.h"

#include "base/encode.h"

enum rc oci_form_scopes(struct arena *a, struct str form, struct auth_scopes *ret, struct err *e)
{
    struct auth_scopes scopes = {0};

    while (form.len > 0) {
        struct str value = str_split(&form, '&'), key = str_split(&value, '='), text;

        if (!str_is(key, "scope"))
            continue;
        enum rc rc = percent_decode(a, value, true, &text, e);

        if (rc == RC_OK)
            rc = auth_scopes_parse(text, &scopes, e);
        if (rc != RC_OK)
            return rc;
    }
    *ret = scopes;
    return RC_OK;
}
