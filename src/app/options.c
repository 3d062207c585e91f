#include "app/options.h"
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

const char serve_options_help[] =
    "usage: kidoban serve [options]\n"
    "\n"
    "  --data DIR                 data folder (default ./data)\n"
    "  --listen ADDR:PORT[,plain][,proxy]\n"
    "                             data plane; may be repeated (default 0.0.0.0:5443)\n"
    "  --trusted-proxy CIDR       who may connect to listeners with ',proxy', which speak PROXY\n"
    "                             protocol v2 and nothing else; may be repeated\n"
    "  --trusted-forwarder CIDR   whose X-Forwarded-For and -Proto are believed on the other "
    "ones;\n"
    "                             may be repeated\n"
    "  --control ADDR:PORT        control plane (default 127.0.0.1:8443)\n"
    "  --metrics ADDR:PORT        metrics and health, plain (default 127.0.0.1:9464)\n"
    "  --login-port N             port in login server names (default: that of the first "
    "--listen)\n"
    "  --suffix DNS-SUFFIX        login servers are NAME.SUFFIX (default azurecr.localhost)\n"
    "  --tls-cert F --tls-key F   PEM files to use instead of certificates of our own authority\n"
    "  --default-registry NAME    registry that answers for localhost and bare addresses\n"
    "  --user USER                serve as this user when started as root\n"
    "  --control-name HOST        one more name under which the control plane answers\n"
    "  --denial-detail full       tell refused clients the id of their own subnet\n"
    "  --log-level L              debug, info, warn or error (default info)\n"
    "  --help                     this text\n"
    "\n"
    "Every option can be an environment variable: KIDOBAN_LISTEN, KIDOBAN_DENIAL_DETAIL, ...\n"
    "(several values of --listen, --trusted-proxy or --trusted-forwarder: separated by blanks).\n";

enum option_id {
    OPT_DATA = 256,
    OPT_LISTEN,
    OPT_TRUSTED_PROXY,
    OPT_TRUSTED_FORWARDER,
    OPT_CONTROL,
    OPT_METRICS,
    OPT_LOGIN_PORT,
    OPT_SUFFIX,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_DEFAULT_REGISTRY,
    OPT_USER,
    OPT_CONTROL_NAME,
    OPT_DENIAL_DETAIL,
    OPT_LOG_LEVEL,
    OPT_HELP,
};

static const struct option option_table[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"trusted-proxy", required_argument, NULL, OPT_TRUSTED_PROXY},
    {"trusted-forwarder", required_argument, NULL, OPT_TRUSTED_FORWARDER},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"metrics", required_argument, NULL, OPT_METRICS},
    {"login-port", required_argument, NULL, OPT_LOGIN_PORT},
    {"suffix", required_argument, NULL, OPT_SUFFIX},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"default-registry", required_argument, NULL, OPT_DEFAULT_REGISTRY},
    {"user", required_argument, NULL, OPT_USER},
    {"control-name", required_argument, NULL, OPT_CONTROL_NAME},
    {"denial-detail", required_argument, NULL, OPT_DENIAL_DETAIL},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* "ADDR:PORT" with an IPv6 address in brackets: which part is which. */
static enum rc split_endpoint(struct str s, struct str *ret_addr, struct str *ret_port,
                              struct err *e)
{
    size_t colon = str_find_last(s, ':');

    if (colon == s.len)
        return err_set(e, RC_INVALID,
                       "'%.*s' has no port: write ADDR:PORT, for example 0.0.0.0:5443", STR_ARG(s));
    struct str addr = str_take(s, colon);

    if (str_starts(addr, STR("[")) && str_ends(addr, STR("]")))
        addr = str_take(str_skip(addr, 1), addr.len - 2);
    else if (str_find(addr, ':') != addr.len)
        return err_set(e, RC_INVALID, "'%.*s': an IPv6 address goes in brackets, [::]:5443",
                       STR_ARG(s));
    *ret_addr = addr;
    *ret_port = str_skip(s, colon + 1);
    return RC_OK;
}

static enum rc parse_port(struct str s, uint16_t *ret, struct err *e)
{
    uint64_t port = 0;

    if (str_to_u64(s, &port) != RC_OK || port > UINT16_MAX)
        return err_set(e, RC_INVALID, "'%.*s' is not a port (0 to 65535)", STR_ARG(s));
    *ret = (uint16_t)port;
    return RC_OK;
}

static enum rc parse_listen_flag(struct str flag, struct listen_option *l, struct err *e)
{
    if (str_is(flag, "plain")) {
        l->plain = true;
        return RC_OK;
    }
    if (str_is(flag, "proxy")) {
        l->proxy = true;
        return RC_OK;
    }
    return err_set(e, RC_INVALID, "'%.*s' is not a flag of a listener: 'plain' and 'proxy' are",
                   STR_ARG(flag));
}

enum rc listen_option_parse(struct str s, struct listen_option *ret, struct err *e)
{
    struct listen_option l = {0};
    struct str rest = s, addr, port;
    struct str endpoint = str_split(&rest, ',');
    enum rc rc = split_endpoint(endpoint, &addr, &port, e);

    if (rc == RC_OK)
        rc = ip_parse(addr, &l.addr, e);
    if (rc == RC_OK)
        rc = parse_port(port, &l.port, e);
    while (rc == RC_OK && rest.ptr)
        rc = parse_listen_flag(str_split(&rest, ','), &l, e);
    if (rc == RC_OK)
        *ret = l;
    return rc;
}

static enum rc add_listen(struct serve_options *o, struct str s, struct err *e)
{
    if (o->n_listen == OPTIONS_LISTEN_MAX)
        return err_set(e, RC_INVALID, "more than %d --listen", OPTIONS_LISTEN_MAX);
    enum rc rc = listen_option_parse(s, &o->listen[o->n_listen], e);

    if (rc == RC_OK)
        o->n_listen++;
    return rc;
}

static enum rc add_trusted(struct trusted_option *t, struct str s, struct err *e)
{
    if (t->n == OPTIONS_TRUSTED_MAX)
        return err_set(e, RC_INVALID, "more than %d of them", OPTIONS_TRUSTED_MAX);
    enum rc rc = cidr_parse(s, &t->list[t->n], e);

    if (rc == RC_OK)
        t->n++;
    return rc;
}

static enum rc add_value(struct serve_options *o, int id, struct str s, struct err *e)
{
    if (id == OPT_LISTEN)
        return add_listen(o, s, e);
    return add_trusted(id == OPT_TRUSTED_PROXY ? &o->proxies : &o->forwarders, s, e);
}

static bool is_repeatable(int id)
{
    return id == OPT_LISTEN || id == OPT_TRUSTED_PROXY || id == OPT_TRUSTED_FORWARDER;
}

static void forget_values(struct serve_options *o, int id)
{
    if (id == OPT_LISTEN)
        o->n_listen = 0;
    else if (id == OPT_TRUSTED_PROXY)
        o->proxies.n = 0;
    else
        o->forwarders.n = 0;
}

/* Several values in one variable, separated by blanks. One that says nothing changes nothing. */
static enum rc set_words(struct serve_options *o, int id, struct str words, struct err *e)
{
    bool first = true;
    enum rc rc = RC_OK;

    while (rc == RC_OK && words.ptr) {
        struct str word = str_split(&words, ' ');

        if (word.len == 0)
            continue;
        if (first)
            forget_values(o, id);
        first = false;
        rc = add_value(o, id, word, e);
    }
    return rc;
}

static bool is_dns_name(const char *s)
{
    size_t label = 0;

    for (const char *p = s; *p; p++) {
        if (*p == '.') {
            if (label == 0 || p[-1] == '-')
                return false;
            label = 0;
            continue;
        }
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');

        if (!letter && (*p != '-' || label == 0))
            return false;
        if (++label > 63)
            return false;
    }
    return label > 0 && strlen(s) <= 190;
}

static enum rc set_suffix(struct serve_options *o, const char *value, struct err *e)
{
    if (!is_dns_name(value))
        return err_set(e, RC_INVALID,
                       "'%s' is not a DNS suffix in lower case, such as azurecr.localhost", value);
    o->suffix = value;
    return RC_OK;
}

static enum rc set_denial_detail(struct serve_options *o, const char *value, struct err *e)
{
    if (strcmp(value, "full") != 0)
        return err_set(e, RC_INVALID, "'%s' is not 'full', the only thing that it takes", value);
    o->denial_detail_full = true;
    return RC_OK;
}

static enum rc set_log_level(struct serve_options *o, const char *value, struct err *e)
{
    if (log_level_parse(str_from(value), &o->log_level) != RC_OK)
        return err_set(e, RC_INVALID, "'%s' is not debug, info, warn or error", value);
    return RC_OK;
}

static enum rc set_option(struct serve_options *o, int id, const char *value, struct err *e)
{
    switch (id) {
    case OPT_DATA:
        o->data = value;
        return RC_OK;
    case OPT_LISTEN:
    case OPT_TRUSTED_PROXY:
    case OPT_TRUSTED_FORWARDER:
        return add_value(o, id, str_from(value), e);
    case OPT_CONTROL:
        return listen_option_parse(str_from(value), &o->control, e);
    case OPT_METRICS:
        return listen_option_parse(str_from(value), &o->metrics, e);
    case OPT_LOGIN_PORT:
        return parse_port(str_from(value), &o->login_port, e);
    case OPT_SUFFIX:
        return set_suffix(o, value, e);
    case OPT_TLS_CERT:
        o->tls_cert = value;
        return RC_OK;
    case OPT_TLS_KEY:
        o->tls_key = value;
        return RC_OK;
    case OPT_DEFAULT_REGISTRY:
        o->default_registry = value;
        return RC_OK;
    case OPT_USER:
        o->user = value;
        return RC_OK;
    case OPT_CONTROL_NAME:
        o->control_name = value;
        return RC_OK;
    case OPT_DENIAL_DETAIL:
        return set_denial_detail(o, value, e);
    case OPT_LOG_LEVEL:
        return set_log_level(o, value, e);
    case OPT_HELP:
        return err_set(e, RC_CANCELED, "help");
    default:
        return err_set(e, RC_INVALID, "unknown option: see kidoban serve --help");
    }
}

/* --login-port is KIDOBAN_LOGIN_PORT. */
static void variable_name(const char *option, char *out, size_t cap)
{
    snprintf(out, cap, "KIDOBAN_%s", option);
    for (char *p = out; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

static enum rc read_environment(struct serve_options *o, struct err *e)
{
    enum rc rc = RC_OK;

    for (const struct option *t = option_table; rc == RC_OK && t->name; t++) {
        char variable[64];

        if (t->has_arg == no_argument)
            continue;
        variable_name(t->name, variable, sizeof(variable));
        const char *value = getenv(variable);

        if (!value)
            continue;
        rc = is_repeatable(t->val) ? set_words(o, t->val, str_from(value), e)
                                   : set_option(o, t->val, value, e);
        if (rc != RC_OK)
            return err_prefix(e, rc, "%s", variable);
    }
    return rc;
}

/* The first of them on the command line replaces what the environment said. */
static enum rc read_arguments(int argc, char **argv, struct serve_options *o, struct err *e)
{
    bool seen[OPT_HELP + 1 - OPT_DATA] = {false};

    optind = 1;
    for (;;) {
        int index = 0;
        int id = getopt_long(argc, argv, "h", option_table, &index);

        if (id == -1)
            break;
        if (id == '?')
            return err_set(e, RC_INVALID, "see kidoban serve --help");
        if (is_repeatable(id) && !seen[id - OPT_DATA]) {
            forget_values(o, id);
            seen[id - OPT_DATA] = true;
        }
        enum rc rc = set_option(o, id == 'h' ? OPT_HELP : id, optarg, e);

        if (rc != RC_OK)
            return id == OPT_HELP || id == 'h'
                       ? rc
                       : err_prefix(e, rc, "--%s", option_table[index].name);
    }
    if (optind < argc)
        return err_set(e, RC_INVALID, "serve takes options only, not '%s'", argv[optind]);
    return RC_OK;
}

static const struct serve_options defaults = {
    .data = "./data",
    .listen = {{.addr = {.family = 4}, .port = 5443}},
    .n_listen = 1,
    .control = {.addr = {.family = 4, .bytes = {127, 0, 0, 1}}, .port = 8443},
    .metrics = {.addr = {.family = 4, .bytes = {127, 0, 0, 1}}, .port = 9464, .plain = true},
    .suffix = "azurecr.localhost",
    .log_level = LOG_INFO,
};

static enum rc options_check(const struct serve_options *o, struct err *e)
{
    bool proxy = false;

    for (size_t i = 0; i < o->n_listen; i++)
        proxy |= o->listen[i].proxy;
    if (!o->tls_cert != !o->tls_key)
        return err_set(e, RC_INVALID, "--tls-cert and --tls-key go together");
    if (o->control.plain)
        return err_set(e, RC_INVALID, "--control is always TLS");
    if (o->control.proxy || o->metrics.proxy)
        return err_set(e, RC_INVALID, "only --listen takes 'proxy'");
    if (proxy && o->proxies.n == 0)
        return err_set(
            e, RC_INVALID,
            "--listen with 'proxy' needs --trusted-proxy: nobody else may connect there");
    return RC_OK;
}

enum rc serve_options_parse(int argc, char **argv, struct serve_options *ret, struct err *e)
{
    struct serve_options o = defaults;
    enum rc rc = read_environment(&o, e);

    if (rc == RC_OK)
        rc = read_arguments(argc, argv, &o, e);
    if (rc == RC_OK)
        rc = options_check(&o, e);
    if (rc != RC_OK)
        return rc;
    o.metrics.plain = true;
    *ret = o;
    return RC_OK;
}

uint16_t serve_login_port(const struct serve_options *o)
{
    return o->login_port ? o->login_port : o->listen[0].port;
}
