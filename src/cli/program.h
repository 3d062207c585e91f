/* Starting another program: docker, podman, a shell. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "base/str.h"

/* Runs argv[0] (by PATH) with `input` as its standard input, where no list of processes shows it, and waits. `quiet`: what
 * it prints goes to standard error. RC_NOT_FOUND: there is no such program. RC_DENIED: it failed. */
NODISCARD enum rc cli_program_run(const char *const *argv, struct str input, bool quiet, struct err *e);

#endif
