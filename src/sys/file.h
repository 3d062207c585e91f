/* Files and folders that survive a crash. Calls may block. Descriptors are O_CLOEXEC. */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include "base/buf.h"
#include <sys/types.h>

NODISCARD enum rc dir_open(const char *path, int *ret_fd, struct err *e);
/* RC_OK also where it is a folder already. */
NODISCARD enum rc dir_make(int at, const char *name, mode_t mode, struct err *e);
NODISCARD enum rc dir_sync(int fd, struct err *e);
/* Appends to `out`. RC_NOT_FOUND, RC_TOO_LARGE. */
NODISCARD enum rc file_read(int at, const char *name, size_t max, struct buf *out, struct err *e);
/* Whole and durable or not at all: temporary name, write, fsync, rename, fsync of the folder. */
NODISCARD enum rc file_write_atomic(int at, const char *name, struct str bytes, mode_t mode,
                                    struct err *e);
NODISCARD enum rc file_write_all(int fd, const void *bytes, size_t n, struct err *e);
/* Takes an exclusive lock (flock) on a file made where missing; RC_CONFLICT when another holds it.
 * Closing the descriptor lets it go. */
NODISCARD enum rc file_lock(int at, const char *name, int *ret_fd, struct err *e);
/* RC_DENIED, naming the first folder on the way to `path` (absolute) that uid cannot search. What
 * does not exist yet does not stand in the way. */
NODISCARD enum rc path_searchable_by(const char *path, uid_t uid, gid_t gid, struct err *e);

#endif
