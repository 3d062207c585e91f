/* What `kidoban serve` was told, by options and by environment variables (KIDOBAN_LISTEN for --listen, and so on; an option
 * wins over its variable). Texts are borrowed from argv and the environment. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "base/ip.h"
#include "base/log.h"

enum { OPTIONS_LISTEN_MAX = 16, OPTIONS_TRUSTED_MAX = 64 };

struct listen_option {
    struct ip_addr addr;
    uint16_t port;
    bool plain;
    bool proxy; /* speaks PROXY protocol v2, with trusted proxies only */
};
struct trusted_option { /* addresses of proxies or forwarders */
    struct cidr list[OPTIONS_TRUSTED_MAX];
    size_t n;
};
struct serve_options {
    const char *data;
    struct listen_option listen[OPTIONS_LISTEN_MAX];
    size_t n_listen;
    struct listen_option control, metrics;
    uint16_t login_port; /* 0: that of the first --listen */
    const char *suffix;
    const char *tls_cert, *tls_key; /* NULL: our own authority's */
    const char *default_registry;   /* or NULL */
    const char *user;               /* or NULL */
    const char *control_name;       /* or NULL */
    struct trusted_option proxies, forwarders;
    bool denial_detail_full;
    enum log_level log_level;
};

/* Parses what follows `serve`. RC_INVALID with what to type instead. --help is RC_CANCELED: the caller prints
 * serve_options_help. */
NODISCARD enum rc serve_options_parse(int argc, char **argv, struct serve_options *ret, struct err *e);
/* "ADDR:PORT[,plain][,proxy]"; an IPv6 address in brackets. */
NODISCARD enum rc listen_option_parse(struct str s, struct listen_option *ret, struct err *e);
uint16_t serve_login_port(const struct serve_options *o);
extern const char serve_options_help[];

#endif
