/* What was typed: the words of a command and its options. One table of options for every command; each command says which
 * of them it takes. Nothing here is copied: values point into argv. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/str.h"

enum { CLI_WORDS_MAX = 6, CLI_VALUES_MAX = 128 };

/* Name, letter (0: none), second name (NULL: none), how many values. */
#define CLI_OPTIONS(X)                                                                             \
    X(NAME, "name", 'n', NULL, ONE)                                                                \
    X(GROUP, "resource-group", 'g', NULL, ONE)                                                     \
    X(OUTPUT, "output", 'o', NULL, ONE)                                                            \
    X(DATA, "data", 0, NULL, ONE)                                                                  \
    X(CREDENTIALS, "credentials", 0, NULL, ONE)                                                    \
    X(CONTROL, "control", 0, NULL, ONE)                                                            \
    X(HELP, "help", 'h', NULL, NONE)                                                               \
    X(YES, "yes", 'y', NULL, NONE)                                                                 \
    X(LOCATION, "location", 'l', NULL, ONE)                                                        \
    X(TAGS, "tags", 0, NULL, MANY)                                                                 \
    X(SKU, "sku", 0, NULL, ONE)                                                                    \
    X(ADMIN_ENABLED, "admin-enabled", 0, NULL, SWITCH)                                             \
    X(ANONYMOUS_PULL, "anonymous-pull-enabled", 0, NULL, SWITCH)                                   \
    X(DEFAULT_ACTION, "default-action", 0, NULL, ONE)                                              \
    X(PUBLIC_NETWORK, "public-network-enabled", 0, NULL, SWITCH)                                   \
    X(TRUSTED_SERVICES, "allow-trusted-services", 0, NULL, SWITCH)                                 \
    X(ENFORCEMENT, "enforcement", 0, NULL, ONE)                                                    \
    X(PASSWORD_NAME, "password-name", 0, NULL, ONE)                                                \
    X(USERNAME, "username", 'u', NULL, ONE)                                                        \
    X(PASSWORD, "password", 'p', NULL, ONE)                                                        \
    X(EXPOSE_TOKEN, "expose-token", 't', NULL, NONE)                                               \
    X(SUBNET, "subnet", 0, NULL, ONE)                                                              \
    X(VNET_NAME, "vnet-name", 0, NULL, ONE)                                                        \
    X(IP_ADDRESS, "ip-address", 0, NULL, ONE)                                                      \
    X(PRIVATE_ENDPOINT, "private-endpoint", 0, NULL, MANY)                                         \
    X(FOLLOW, "follow", 'f', NULL, NONE)                                                           \
    X(PROPOSED, "proposed", 0, NULL, ONE)                                                          \
    X(ADDRESS_PREFIXES, "address-prefixes", 0, "address-prefix", MANY)                             \
    X(SUBNET_NAME, "subnet-name", 0, NULL, ONE)                                                    \
    X(SUBNET_PREFIXES, "subnet-prefixes", 0, "subnet-prefix", MANY)                                \
    X(SERVICE_ENDPOINTS, "service-endpoints", 0, NULL, MANY)                                       \
    X(REMOVE, "remove", 0, NULL, MANY)                                                             \
    X(KIND, "kind", 0, NULL, ONE)                                                                  \
    X(VNET, "vnet", 0, NULL, ONE)                                                                  \
    X(NETNS, "netns", 0, NULL, ONE)                                                                \
    X(DEVICE, "device", 0, NULL, ONE)                                                              \
    X(MARK, "mark", 0, NULL, ONE)                                                                  \
    X(PROXY, "proxy", 0, NULL, MANY)                                                               \
    X(TLV, "tlv", 0, NULL, ONE)                                                                    \
    X(RANGE, "range", 0, NULL, MANY)                                                               \
    X(INTERFACE_SUBNET, "interface-subnet", 0, NULL, MANY)                                         \
    X(SERVICES, "services", 0, NULL, ONE)                                                          \
    X(OUTBOUND_IP, "outbound-ip", 0, NULL, ONE)                                                    \
    X(TRUSTED_SERVICE, "trusted-service", 0, NULL, NONE)

#define CLI_OPTION_ENUM(id, name, letter, other, arity) CLI_##id,
enum cli_option { CLI_OPTIONS(CLI_OPTION_ENUM) CLI_OPTION_COUNT };

struct cli_values {
    const char *value[CLI_VALUES_MAX];
    size_t n;
    bool given; /* true also where there is no value */
};
struct cli_args {
    const char *word[CLI_WORDS_MAX];
    size_t n_words;
    struct cli_values option[CLI_OPTION_COUNT];
};

/* RC_INVALID: unknown option, missing or surplus value, too many of them. */
NODISCARD enum rc cli_args_parse(int argc, char **argv, struct cli_args *ret, struct err *e);
/* Every option given is one that `takes` names, and every one that it names with `!` is given:
 * "name! resource-group! location". What every command takes is always taken. */
NODISCARD enum rc cli_args_check(const struct cli_args *a, const char *takes, struct err *e);

const char *cli_option_name(enum cli_option o);
bool cli_given(const struct cli_args *a, enum cli_option o);
const char *cli_value(const struct cli_args *a, enum cli_option o); /* the last; NULL: not given */
/* SWITCH: "true" unless told; RC_INVALID for anything but true and false. */
NODISCARD enum rc cli_switch(const struct cli_args *a, enum cli_option o, bool *ret, struct err *e);

#endif
