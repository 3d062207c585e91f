/* Refusals, counted by registry, origin and reason, and rationed for the log: in full up to 10 a second for each (attachment,
 * address, registry) and 100 a second in all; what is past that comes in summaries, so that a flood fills no disk.
 * Any thread. */
#ifndef ADMIT_DENIAL_LOG_H
#define ADMIT_DENIAL_LOG_H

#include "base/buf.h"
#include "gate/gate.h"
#include "origin/origin.h"

struct denial {
    struct str registry; /* its name; STR_NONE: a Host that is nobody's */
    enum origin_kind origin;
    enum gate_reason reason;
    bool reported; /* let in, because the rule set is in report-only mode */
    struct uuid attachment, subnet; /* as of the origin; nil: none */
    struct ip_addr address;
};

struct denial_log;
struct denial_log *denial_log_new(void);
void denial_log_free(struct denial_log *l); /* writes the last summary */
/* True: log it in full. */
bool denial_log_add(struct denial_log *l, const struct denial *d, int64_t mono_us);
void denial_log_tick(struct denial_log *l, int64_t mono_us); /* writes the summary of a second that is over */
void denial_log_render(struct denial_log *l, struct buf *out);
/* The last refusals of a registry that were logged in full, oldest first, as a JSON array of objects; only those whose
 * `serial` is above `after`. Attachments and subnets have the names that they have in `names`; null: none, or gone. */
void denial_log_recent(struct denial_log *l, struct str registry, uint64_t after, const struct origin_table *names,
                       struct buf *out);
int64_t denial_log_began(const struct denial_log *l); /* wall clock: serials before it were another log's */

#endif
