/* The state of attachments that have no listener of their own: what they are known by comes with the connections of main
 * listeners and of those that speak PROXY protocol. Any thread; may read a file of /proc. */
#ifndef APP_HEARD_H
#define APP_HEARD_H

#include "app/listeners.h"

/* RC_NOT_FOUND for the other kinds. Appends the reason (Failed). */
NODISCARD enum rc heard_state(const struct serve_options *o, enum origin_attachment_kind kind,
                              enum listener_state *ret, struct buf *ret_reason);

#endif
