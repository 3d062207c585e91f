/* The client commands: everything that `kidoban` does but serve and maintenance. A client of the control plane, shaped
 * like az: the same options, the same JSON (properties flattened), the same exit codes. Speaks HTTP to the server like
 * any other client; knows nothing of its insides. One thread, one command, then the process ends. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

int cli_main(int argc, char **argv); /* the exit code: 0, 1 refused or failed, 2 usage, 3 not found */

#endif
