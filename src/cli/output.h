/* What a command prints: ARM objects as az shows them, as JSON, as a table, as tab-separated values. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/buf.h"
#include "json/json.h"

/* A new tree: members of `properties` stand beside the others, everywhere; a rule's `value` is its
 * `ipAddressOrRange`; a resource has its `resourceGroup`. */
struct json *cli_flatten(const struct json *j);

/* Is it one of those that cli_render knows? */
NODISCARD enum rc cli_format_check(const char *format, struct err *e);
/* format: json, jsonc, table, tsv or none (az's names). RC_INVALID for another. */
NODISCARD enum rc cli_render(const struct json *j, const char *format, struct buf *out,
                             struct err *e);

#endif
