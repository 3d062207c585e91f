/* Descriptors: always O_CLOEXEC. Passing them to another process. */
#ifndef SYS_FD_H
#define SYS_FD_H

#include "base/str.h"

/* Accepts -1. An error of close(2) is a bug, or lost data that fsync told of already. */
void fd_close(int fd);
void fd_closep(int *fd); /* for CLEANUP; leaves -1 */
/* This process may open as many as the system lets it. */
NODISCARD enum rc fd_limit_raise(struct err *e);
NODISCARD enum rc fd_nonblocking(int fd, struct err *e);
/* Passing over SOCK_SEQPACKET: one fixed-size message and at most one descriptor (fd -1: none).
 * recv: RC_NOT_FOUND when the other end is gone; RC_INVALID for another size; RC_UNAVAILABLE when
 * a non-blocking socket has nothing. */
NODISCARD enum rc fd_send(int sock, const void *msg, size_t n, int fd, struct err *e);
NODISCARD enum rc fd_recv(int sock, void *msg, size_t n, int *ret_fd, struct err *e);

#endif
