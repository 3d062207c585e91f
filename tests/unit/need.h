/* What a test needs of the machine. Where that is missing the test is left out; under CI, where
 * everything must have been tested, it fails. */
#ifndef UNIT_NEED_H
#define UNIT_NEED_H

#include "test.h"

#include <stdlib.h>
#include <unistd.h>

static inline void need(bool met, const char *what)
{
    const char *ci = getenv("CI");

    if (met)
        return;
    if (ci && *ci)
        fail_msg("CI must have what this needs: %s", what);
    skip();
}

static inline void need_root(void)
{
    need(geteuid() == 0, "root");
}

#endif
