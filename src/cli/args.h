/* What was typed: the words of a command and its options. One table of options for every command; each command says which
 * of them it takes. Nothing here is copied: values point into argv. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/buf.h"

enum { CLI_WORDS_MAX = 6, CLI_VALUES_MAX = 128 };

/* Name, letter (0: none), second name (NULL: none), how many values, what a value is called, what it is for. */
#define CLI_OPTIONS(X)                                                                             \
    X(NAME, "name", 'n', NULL, ONE, "NAME", "what it is called") \
    X(NAMESPACE, "namespace", 0, NULL, ONE, "NAMESPACE", "Microsoft.ContainerRegistry, Microsoft.Network") \
    X(GROUP, "resource-group", 'g', NULL, ONE, "GROUP", "its resource group") \
    X(OUTPUT, "output", 'o', NULL, ONE, "FORMAT", "json, table, tsv or none") \
    X(DATA, "data", 0, NULL, ONE, "DIR", "the server's data folder, for its admin.json") \
    X(CREDENTIALS, "credentials", 0, NULL, ONE, "FILE", "a copy of admin.json") \
    X(CONTROL, "control", 0, NULL, ONE, "URL", "another address of the control plane") \
    X(HELP, "help", 'h', NULL, NONE, "", "this help") \
    X(SUBSCRIPTION, "subscription", 's', NULL, ONE, "NAME|ID", "another subscription than the default one") \
    X(NO_WAIT, "no-wait", 0, NULL, NONE, "", "do not wait until it is done") \
    X(YES, "yes", 'y', NULL, NONE, "", "do not ask") \
    X(LOCATION, "location", 'l', NULL, ONE, "LOCATION", "where it is said to be; default: local") \
    X(TAGS, "tags", 0, NULL, MANY, "KEY=VALUE...", "all of its tags; none: no tags") \
    X(SKU, "sku", 0, NULL, ONE, "SKU", "Basic, Standard or Premium (which network rules need)") \
    X(ADMIN_ENABLED, "admin-enabled", 0, NULL, SWITCH, "true|false", "may the admin user sign in?") \
    X(ANONYMOUS_PULL, "anonymous-pull-enabled", 0, NULL, SWITCH, "true|false", "may anybody pull who gets past the gate?") \
    X(DEFAULT_ACTION, "default-action", 0, NULL, ONE, "ACTION", "Allow or Deny those whom no rule names") \
    X(PUBLIC_NETWORK, "public-network-enabled", 0, NULL, SWITCH, "true|false", "false: only private endpoints get in") \
    X(TRUSTED_SERVICES, "allow-trusted-services", 0, NULL, SWITCH, "true|false", "may trusted services pass the rules?") \
    X(ENFORCEMENT, "enforcement", 0, NULL, ONE, "MODE", "Enforced, or ReportOnly: decide and log, refuse nobody") \
    X(PASSWORD_NAME, "password-name", 0, NULL, ONE, "WHICH", "password or password2") \
    X(USERNAME, "username", 'u', NULL, ONE, "USER", "sign in as this user") \
    X(PASSWORD, "password", 'p', NULL, ONE, "PASSWORD", "its password") \
    X(ID, "id", 0, NULL, ONE, "ID", "its object id; a service principal's application id, a user's name") \
    X(UPN, "user-principal-name", 0, NULL, ONE, "NAME@DOMAIN", "the name to sign in with") \
    X(DISPLAY_NAME, "display-name", 0, NULL, ONE, "NAME", "what it is called") \
    X(ACCOUNT_ENABLED, "account-enabled", 0, NULL, SWITCH, "true|false", "may it sign in?") \
    X(ROLE, "role", 0, NULL, ONE, "ROLE", "a role by its name") \
    X(SCOPE, "scope", 0, NULL, ONE, "ID", "where: a resource's id, or / for everywhere") \
    X(ASSIGNEE, "assignee", 0, NULL, ONE, "WHO", "a user's name, an application id or an object id") \
    X(ALL, "all", 0, NULL, NONE, "", "everywhere in the subscription") \
    X(INCLUDE_INHERITED, "include-inherited", 0, NULL, NONE, "", "also what counts here and was given further up") \
    X(IDS, "ids", 0, NULL, MANY, "ID...", "their ids") \
    X(DESCRIPTION, "description", 0, NULL, ONE, "TEXT", "what it is for") \
    X(SCOPES, "scopes", 0, NULL, MANY, "ID...", "where the role counts") \
    X(YEARS, "years", 0, NULL, ONE, "N", "how long the secret is good; without: until it is deleted") \
    X(APPEND, "append", 0, NULL, NONE, "", "keep the other secrets") \
    X(KEY_ID, "key-id", 0, NULL, ONE, "ID", "which secret") \
    X(RUN, "run", 0, NULL, NONE, "", "do it instead of printing it") \
    X(EXPOSE_TOKEN, "expose-token", 't', NULL, NONE, "", "print the token, start no docker") \
    X(SUBNET, "subnet", 0, NULL, ONE, "SUBNET", "a subnet's id, or its name with --vnet-name") \
    X(VNET_NAME, "vnet-name", 0, NULL, ONE, "VNET", "the virtual network of the subnet") \
    X(IP_ADDRESS, "ip-address", 0, NULL, ONE, "ADDRESS", "an address or a CIDR block") \
    X(PRIVATE_ENDPOINT, "private-endpoint", 0, NULL, MANY, "ENDPOINT", "a private endpoint's id (ADDRESS=ID for an attachment)") \
    X(FOLLOW, "follow", 'f', NULL, NONE, "", "go on until interrupted") \
    X(PROPOSED, "proposed", 0, NULL, ONE, "JSON", "what would another rule set decide?") \
    X(ADDRESS_PREFIXES, "address-prefixes", 0, "address-prefix", MANY, "CIDR...", "its address prefixes") \
    X(SUBNET_NAME, "subnet-name", 0, NULL, ONE, "NAME", "make a subnet of this name as well") \
    X(SUBNET_PREFIXES, "subnet-prefixes", 0, "subnet-prefix", MANY, "CIDR...", "the address prefixes of that subnet") \
    X(SERVICE_ENDPOINTS, "service-endpoints", 0, NULL, MANY, "SERVICE...", "Microsoft.ContainerRegistry lets network rules name it") \
    X(REMOVE, "remove", 0, NULL, MANY, "MEMBER", "serviceEndpoints: has none any more") \
    X(KIND, "kind", 0, NULL, ONE, "KIND", "netns, device, mark, proxy or range") \
    X(VNET, "vnet", 0, NULL, ONE, "VNET", "the virtual network's id, or its name with --resource-group") \
    X(NETNS, "netns", 0, NULL, ONE, "NAME", "a network namespace, as in /run/netns") \
    X(DEVICE, "device", 0, NULL, ONE, "NAME", "a network interface") \
    X(MARK, "mark", 0, NULL, ONE, "VALUE/MASK", "the mark that the firewall gives its connections") \
    X(PROXY, "proxy", 0, NULL, MANY, "CIDR...", "the proxies that speak for it") \
    X(TLV, "tlv", 0, NULL, ONE, "TYPE=VALUE", "what they say of it") \
    X(RANGE, "range", 0, NULL, MANY, "CIDR...", "its source addresses") \
    X(INTERFACE_SUBNET, "interface-subnet", 0, NULL, MANY, "DEV=ID...", "whoever comes by this interface is in this subnet") \
    X(SERVICES, "services", 0, NULL, ONE, "LIST", "data, or data,control") \
    X(OUTBOUND_IP, "outbound-ip", 0, NULL, ONE, "ADDRESS", "its public address, for subnets without the service endpoint") \
    X(TRUSTED_SERVICE, "trusted-service", 0, NULL, NONE, "", "a trusted service: may pass where these are allowed")

#define CLI_OPTION_ENUM(id, name, letter, other, arity, value, help) CLI_##id,
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

/* One line for each option that `takes` names, then for those that every command takes. */
void cli_args_describe(const char *takes, struct buf *out);
const char *cli_option_name(enum cli_option o);
bool cli_given(const struct cli_args *a, enum cli_option o);
const char *cli_value(const struct cli_args *a, enum cli_option o); /* the last; NULL: not given */
/* SWITCH: "true" unless told; RC_INVALID for anything but true and false. */
NODISCARD enum rc cli_switch(const struct cli_args *a, enum cli_option o, bool *ret, struct err *e);

#endif
