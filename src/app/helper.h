/* The privileged helper: opens listening sockets, keeps and watches them, hands them to the server, restarts the server.
 * It runs as root in the process that was started; the server is its child, re-executed through /proc/self/exe as another
 * user with the socket's descriptor in KIDOBAN_HELPER_FD. Believes nothing that the server says beyond what its own command
 * line allows. */
#ifndef APP_HELPER_H
#define APP_HELPER_H

#include "app/options.h"
#include "sys/user.h"

struct helper_config {
    const struct serve_options *options;
    const struct sys_user *user;
    const char *data;  /* absolute: given to the server as --data */
    int argc;          /* of serve, to be passed on */
    char **argv;
};
/* Returns the exit code when the server has ended for good. */
int helper_run(const struct helper_config *config);
int helper_fd_from_environment(void); /* in the server: the socket, or -1 */

#endif
