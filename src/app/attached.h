/* The server's side of attachments' listeners: asks the helper for them, accepts on what it sends, knows their state.
 * Private to listeners.c. Threads: the main loop's, except attached_state. */
#ifndef APP_ATTACHED_H
#define APP_ATTACHED_H

#include "app/helper_protocol.h"
#include "app/listeners.h"

struct attached;
struct attached *attached_new(const struct listeners_config *c, unsigned max_connections);
/* HELPER_STATE, with its descriptor or -1; takes the descriptor over. */
void attached_take(struct attached *a, const struct helper_message *m, int fd);
void attached_want(struct attached *a, const struct origin_table *origins);
/* Whether something waits that the helper could not be told yet: then the next, when its socket has room. */
bool attached_waits(const struct attached *a);
void attached_go_on(struct attached *a);
void attached_helper_gone(struct attached *a);
void attached_helper_silent(struct attached *a, bool silent); /* does not answer; does again */
void attached_ping(struct attached *a);                       /* asks the helper for a word */
NODISCARD enum rc attached_state(struct attached *a, const struct uuid *attachment, enum listener_state *ret,
                                 struct buf *ret_reason);
void attached_close(struct attached *a); /* accepts no more; nothing is asked of the helper */
void attached_free(struct attached *a);

#endif
