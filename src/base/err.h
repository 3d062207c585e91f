/* Errors: a canonical code for programs, words for people.
 * `enum rc` is what code branches on; `struct err` carries the explanation. Every fallible function
 * takes `struct err *` last, accepts NULL for it, and leaves its outputs untouched when it fails.
 * Threads: a struct err belongs to one thread at a time. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/macro.h"

enum rc {
    RC_OK = 0,
    RC_INVALID,         /* the caller's input breaks a rule */
    RC_UNAUTHENTICATED, /* who is asking is not known */
    RC_DENIED,          /* who is asking may not */
    RC_NOT_FOUND,       /* what was asked for is not there */
    RC_EXISTS,          /* it is there already */
    RC_CONFLICT,        /* its present state forbids the change */
    RC_PRECONDITION,    /* If-Match and the like did not hold */
    RC_TOO_LARGE,       /* past a size limit */
    RC_RANGE,           /* an offset outside what is there */
    RC_QUOTA,           /* past a quota */
    RC_UNSUPPORTED,     /* known, and not offered */
    RC_UNAVAILABLE,     /* full, draining or unreachable: try again later */
    RC_TIMEOUT,
    RC_CANCELED, /* the client went, or the server stops */
    RC_CORRUPT,  /* bytes do not match their digest or checksum */
    RC_INTERNAL, /* our fault, or the machine's */
};

enum { ERR_TEXT_MAX = 1024 };

struct err {
    enum rc rc;
    int sys;          /* errno of the failed system call, or 0 */
    const char *code; /* a protocol's own error code (static text); NULL: the edge takes rc's */
    char text[ERR_TEXT_MAX];
};

/* Each returns the rc that it stores: `return err_set(e, RC_INVALID, "...")` is one line. */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...) PRINTF(3, 4);
/* The same with a protocol's error code, for example "NetworkRuleValidationError". */
enum rc err_code(struct err *e, enum rc rc, const char *code, const char *fmt, ...) PRINTF(4, 5);
/* From errno: ENOENT, EACCES, EPERM, EEXIST, ENOSPC, EDQUOT, ETIMEDOUT, ... become their code; the
 * rest RC_INTERNAL. */
enum rc err_sys(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* Puts "<words>: " before the text of an error that is being forwarded; returns e's rc (rc when e
 * is NULL). */
enum rc err_prefix(struct err *e, enum rc rc, const char *fmt, ...) PRINTF(3, 4);
/* Puts what to do about it on a line of its own behind the text, as far as there is room; returns
 * rc. */
enum rc err_advise(struct err *e, enum rc rc, const char *fmt, ...) PRINTF(3, 4);
const char *rc_name(enum rc rc); /* "not-found"; never NULL */

#endif
