/* The server, assembled: the only place that names concrete drivers and knows every module. */
#ifndef APP_SERVER_H
#define APP_SERVER_H

#include "admit/admit.h"
#include "app/data_folder.h"
#include "app/options.h"
#include "arm/arm.h"
#include <stdatomic.h>

struct listeners;

struct server {
    const struct serve_options *options;
    struct data_folder folder;
    struct meta *meta;
    struct lanes lanes;
    struct blob_store *blobs;
    struct registry_store *store;
    struct loop **loops; /* [0] is the main thread's */
    unsigned n_loops;
    struct snapshot_hub *hub;
    struct auth_limiter *limiter;
    struct http_route *control_routes; /* arm/'s and sts/'s */
    struct arm_services control; /* what the control plane works on */
    struct admit *admit;
    struct http_server *http;
    struct net_tls *tls;
    struct listeners *listeners;
    struct lane_job expiry; /* of uploads, keys, sign-ins; on the disk lane, one at a time */
    atomic_bool expiring;
};

/* Builds everything up to, but without, listeners. `helper_fd` is the privileged helper's socket, or -1. */
NODISCARD enum rc server_new(const struct serve_options *o, struct server **ret, struct err *e);
/* Opens listeners, says `ready`, serves until SIGTERM or SIGINT, drains. */
NODISCARD enum rc server_run(struct server *s, int helper_fd, struct err *e);
void server_free(struct server *s);

/* Where clients of the control plane reach it: "https://127.0.0.1:8443". */
void server_control_url(const struct serve_options *o, char *out, size_t cap);

/* tls_reload.c: certificates from the options' files or the data folder; renewed ones too. */
NODISCARD enum rc server_tls_new(struct server *s, struct err *e);
void server_tls_reload(struct server *s); /* logs what went wrong; the old ones stay in use then */

#endif
