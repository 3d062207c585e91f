/* Long operations: a write is stored and in force when it is answered; what remains is done by a worker, a
 * step at a time, each in a transaction, and goes on after a restart. A resource type says per verb how it answers
 * (arm_type.style); resource.c does the rest. A type that writes by itself calls the three functions below.
 *
 * The stored body of a resource in transition has "provisioningState" and "operation"; arm_state reads it for renderings. */
#ifndef ARM_OPERATION_H
#define ARM_OPERATION_H

#include "arm/call.h"

/* In a write, before arm_store: stores the operation; `body` (NULL: it is deleted) shows style->state until it has ended.
 * r's uuid is set. At once: nothing is stored. */
NODISCARD enum rc arm_operation_begin(struct arm_write *w, const struct arm_style *style, const struct meta_resource *r,
                                      struct json *body, struct err *e);
/* The headers that lead the client to the call's operation, if it has one. */
void arm_operation_fields(struct arm_call *c);
/* What properties.provisioningState shows. */
const char *arm_state(const struct json *body);

/* "GUID", "registries-GUID", or the base64url of {"jobId":"...GUID"}. RC_INVALID. */
NODISCARD enum rc arm_operation_id_parse(struct str text, struct uuid *ret, struct err *e);

/* Polls. Whoever started an operation may ask, whatever its roles. */
enum http_verdict arm_operation_status(struct http_request *req);
enum http_verdict arm_operation_result(struct http_request *req);

/* --- between operation.c and operation_run.c --- */
struct meta_operation;
#define ARM_OPERATION_SETTLE  "settle"  /* what was written is in force once this has ended */
#define ARM_OPERATION_DELETED "deleted" /* it went with the answer */
#define ARM_OPERATION_DELETE  "delete"  /* with all that is inside */
/* Did this operation set the state that `body` shows? (A later write's operation may have.) */
bool arm_operation_owns(const struct meta_operation *o, const struct json *body);
void arm_operation_settle(struct json *body);

/* --- the worker: one thread --- */
struct arm_operations;
struct arm_operations *arm_operations_new(const struct arm_services *services);
NODISCARD enum rc arm_operations_start(struct arm_operations *o, struct err *e); /* once the loops run */
void arm_operations_wake(struct arm_operations *o); /* any thread; NULL: nobody works */
/* How many steps it has gone so far; NULL: none. Another one within that time (monotonic)? False at once where nobody works, or
 * where enough threads wait already. */
uint64_t arm_operations_steps(struct arm_operations *o);
bool arm_operations_await(struct arm_operations *o, uint64_t steps, int64_t until_us);
/* It finishes the step that it is at, and ends. Loops must run until it has. */
void arm_operations_stop(struct arm_operations *o);
bool arm_operations_ended(const struct arm_operations *o);
void arm_operations_free(struct arm_operations *o);
/* One step of each that runs, on the calling thread; true: there may be more to do now. */
bool arm_operations_step(const struct arm_services *services);

#endif
