#include "sys/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

enum rc thread_start(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg,
                     struct err *e)
{
    sigset_t all, before;
    pthread_t thread;
    char cut[16];

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&thread, NULL, fn, arg);
    int failed = errno;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    if (failed != 0)
        return err_sys(e, "start the thread %s", name);
    if (str_copy(str_take(str_from(name), sizeof(cut) - 1), cut, sizeof(cut)) == RC_OK)
        pthread_setname_np(thread, cut);
    *ret = thread;
    return RC_OK;
}

unsigned cpu_count(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a cpu_set_t holds */

    return online > 0 ? (unsigned)online : 1;
}
