/* The commands: one row each in a table, one function each. A command reads its options, makes
 * requests, and leaves the answer (already as az prints it, or raw ARM that is flattened
 * afterwards) for the caller to print. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/session.h"

struct cli_command {
    const char *words; /* "acr network-rule add" */
    const char *takes; /* see cli_args_check */
    const char *help;  /* one line */
    /* *ret: what is printed, owned by the caller; NULL: nothing. */
    enum rc (*run)(struct cli_session *s, struct json **ret, struct err *e);
    bool asks; /* before it runs, unless --yes is given */
};

#define REGISTRIES  "Microsoft.ContainerRegistry/registries"
#define VNETS       "Microsoft.Network/virtualNetworks"
#define ATTACHMENTS "Kidoban.Network/attachments"

/* Tables that end with an empty row. */
extern const struct cli_command cli_account_commands[];
extern const struct cli_command cli_ad_commands[];
extern const struct cli_command cli_az_commands[];
extern const struct cli_command cli_provider_commands[];
extern const struct cli_command cli_group_commands[];
extern const struct cli_command cli_registry_commands[];
extern const struct cli_command cli_role_commands[];
extern const struct cli_command cli_rule_commands[];
extern const struct cli_command cli_vnet_commands[];
extern const struct cli_command cli_attachment_commands[];

/* Where a command's registry is: by its group, or found by its name in the subscription. */
NODISCARD enum rc cli_registry_path(struct cli_session *s, struct str *ret, struct err *e);
/* The id of the subnet that --subnet (an id, or a name with --vnet-name) means. */
NODISCARD enum rc cli_subnet_id(struct cli_session *s, struct str registry, struct str *ret,
                                struct err *e);
/* acr login, in a file of its own: it talks to the data plane and starts docker. */
NODISCARD enum rc cli_acr_login(struct cli_session *s, struct json **ret, struct err *e);

/* What the options of an attachment say, as what is sent for it. */
NODISCARD enum rc cli_attachment_body(const struct cli_args *a, struct str vnet, struct json **ret,
                                      struct err *e);
/* --tags a=b c, as an object. */
struct json *cli_tags(const struct cli_args *a);
struct json *cli_strings(const struct cli_args *a, enum cli_option o);
/* Where a list has one page or several: all values, in one array. */
NODISCARD enum rc cli_list(struct cli_session *s, struct str path, struct json **ret,
                           struct err *e);
/* table or tsv: what is nested is not shown. */
bool cli_prints_rows(const struct cli_args *a);
const char *cli_location(const struct cli_args *a);

#endif
