/* Threads and processors. */
#ifndef SYS_THREAD_H
#define SYS_THREAD_H

#include "base/str.h"
#include <pthread.h>

/* Starts with all signals blocked. Names are cut at 15 characters. */
NODISCARD enum rc thread_start(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg,
                               struct err *e);
unsigned cpu_count(void); /* those this process may run on */

#endif
