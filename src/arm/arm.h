/* Control plane (ARM): what the routes of control listeners answer for groups, registries, virtual networks, subnets and
 * attachments. One file per resource type (resource_type.h); one error table (error.c).
 * Not its business: who may (admit/), tokens (sts/), what rules mean (gate/, origin/).
 * Threads: every handler is ROUTE_CALL: it blocks, on a work thread. */
#ifndef ARM_ARM_H
#define ARM_ARM_H

#include "crypto/seal.h"
#include "http/route.h"
#include "snapshot/snapshot.h"

extern const struct http_routes arm_routes;

/* admit_api.error of control listeners: ARM's envelope. `code` NULL: from the status. */
void arm_error(struct http_request *req, unsigned status, const char *code, const char *message);

enum arm_attachment_state { ARM_ATTACHMENT_WAITING, ARM_ATTACHMENT_LISTENING, ARM_ATTACHMENT_FAILED };
const char *arm_attachment_state_name(enum arm_attachment_state s); /* "Waiting", "Listening", "Failed" */

/* What handlers work on: admit_config.services. Lives longer than the server. */
struct arm_operations;
struct arm_services {
    struct snapshot_hub *hub;
    struct meta *meta;
    struct crypto_key seal; /* the registries' admin passwords */
    struct str suffix;      /* login servers: <name>.<suffix> */
    /* Any thread. Writes why (terminated, "" for nothing) to `reason`. NULL: nothing listens, every attachment waits. */
    enum arm_attachment_state (*attachment_state)(void *ctx, const struct uuid *attachment, char *reason, size_t cap);
    void *attachment_ctx;
    struct arm_operations *operations; /* who finishes what goes on after the answer; NULL: the next start */
};

#endif
