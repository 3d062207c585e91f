/* kidoban: `serve` is the server; every other command is a client of the control plane, or
 * maintenance. */
#include "app/commands.h"
#include "cli/cli.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* writes to a peer that went report EPIPE */
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return serve_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "admin") == 0)
        return admin_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "ca") == 0)
        return ca_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("kidoban " KIDOBAN_VERSION);
        return 0;
    }
    return cli_main(argc, argv);
}
