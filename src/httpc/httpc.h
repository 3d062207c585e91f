/* Outgoing HTTP, one request at a time. The only user of libcurl.
 * https only; no redirects; no proxies, netrc or other habits of the environment.
 * Threads: a client belongs to one thread at a time; every call blocks: work threads and commands only. */
#ifndef HTTPC_HTTPC_H
#define HTTPC_HTTPC_H

#include "base/buf.h"

struct httpc; /* keeps connections open between requests to the same host */

struct httpc_request {
    const char *method, *url;
    const char *const *fields; /* "Name: value", NULL-terminated; NULL: none */
    struct str body;           /* ptr NULL: none */
};

/* `ca`: PEM, the only authority that is believed; empty: those of the machine. */
NODISCARD enum rc httpc_new(struct str ca, const char *agent, struct httpc **ret, struct err *e);
void httpc_free(struct httpc *c);
/* Why the last request had no answer: what to advise depends on it. */
enum httpc_trouble { HTTPC_NO_TROUBLE, HTTPC_URL, HTTPC_NAME, HTTPC_CONNECTION, HTTPC_CERTIFICATE, HTTPC_OTHER };
enum httpc_trouble httpc_trouble(const struct httpc *c);
CLEANUP_POINTER(struct httpc, httpc_free)
/* The answer whatever its status; its body is appended, RC_TOO_LARGE past the buffer's maximum. RC_UNAVAILABLE, with the
 * URL and the reason: no answer (name, connection, certificate, time). */
NODISCARD enum rc httpc_perform(struct httpc *c, const struct httpc_request *request, unsigned *ret_status,
                                struct buf *ret_body, struct err *e);
/* A field of the last answer, until the next request; STR_NONE. */
struct str httpc_field(const struct httpc *c, const char *name);

#endif
