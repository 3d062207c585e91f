/* The server as the helper's child. */
#ifndef APP_HELPER_PROCESS_H
#define APP_HELPER_PROCESS_H

#include "app/helper.h"

#include <signal.h>

/* Starts /proc/self/exe as the server, as the configured user, with one end of a new socket in KIDOBAN_HELPER_FD; `mask` is
 * the signal mask that it gets. It is told SIGTERM when the helper dies. */
NODISCARD enum rc helper_process_start(const struct helper_config *c, const sigset_t *mask, pid_t *ret_pid, int *ret_sock,
                                       struct err *e);

#endif
