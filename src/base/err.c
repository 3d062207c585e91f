#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void
err_fill(struct err *e, enum rc rc, const char *code, const char *fmt, va_list ap)
{
    e->rc = rc;
    e->sys = 0;
    e->code = code;
    if (vsnprintf(e->text, sizeof(e->text), fmt, ap) < 0)
        e->text[0] = '\0';
}

enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return rc;
    va_start(ap, fmt);
    err_fill(e, rc, NULL, fmt, ap);
    va_end(ap);
    return rc;
}

enum rc err_code(struct err *e, enum rc rc, const char *code, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return rc;
    va_start(ap, fmt);
    err_fill(e, rc, code, fmt, ap);
    va_end(ap);
    return rc;
}

static const struct {
    int sys;
    enum rc rc;
} errno_table[] = {
    {ENOENT, RC_NOT_FOUND},
    {ENOTDIR, RC_NOT_FOUND},
    {ENODEV, RC_NOT_FOUND},
    {ENXIO, RC_NOT_FOUND},
    {EACCES, RC_DENIED},
    {EPERM, RC_DENIED},
    {EROFS, RC_DENIED},
    {EEXIST, RC_EXISTS},
    {EADDRINUSE, RC_EXISTS},
    {EDQUOT, RC_QUOTA},
    {EFBIG, RC_TOO_LARGE},
    {ENAMETOOLONG, RC_INVALID},
    {ENOSPC, RC_UNAVAILABLE},
    {EAGAIN, RC_UNAVAILABLE},
    {EMFILE, RC_UNAVAILABLE},
    {ENFILE, RC_UNAVAILABLE},
    {ENOMEM, RC_UNAVAILABLE},
    {ENOBUFS, RC_UNAVAILABLE},
    {ECONNREFUSED, RC_UNAVAILABLE},
    {ENETUNREACH, RC_UNAVAILABLE},
    {EHOSTUNREACH, RC_UNAVAILABLE},
    {EADDRNOTAVAIL, RC_UNAVAILABLE},
    {ETIMEDOUT, RC_TIMEOUT},
    {ECONNRESET, RC_CANCELED},
    {EPIPE, RC_CANCELED},
    {ECANCELED, RC_CANCELED},
    {EOPNOTSUPP, RC_UNSUPPORTED},
    {ENOSYS, RC_UNSUPPORTED},
    {EAFNOSUPPORT, RC_UNSUPPORTED},
    {EPROTONOSUPPORT, RC_UNSUPPORTED},
};

static enum rc rc_from_errno(int sys)
{
    for (size_t i = 0; i < ARRAY_LEN(errno_table); i++)
        if (errno_table[i].sys == sys)
            return errno_table[i].rc;
    return RC_INTERNAL;
}

enum rc err_sys(struct err *e, const char *fmt, ...)
{
    int sys = errno;
    enum rc rc = rc_from_errno(sys);
    va_list ap;
    char reason[128];

    if (!e)
        return rc;
    va_start(ap, fmt);
    err_fill(e, rc, NULL, fmt, ap);
    va_end(ap);
    e->sys = sys;

    const char *words = strerror_r(sys, reason, sizeof(reason));
    size_t len = strlen(e->text);

    snprintf(e->text + len, sizeof(e->text) - len, ": %s", words);
    return rc;
}

enum rc err_prefix(struct err *e, enum rc rc, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX], old[ERR_TEXT_MAX];
    va_list ap;

    if (!e)
        return rc;
    va_start(ap, fmt);
    int n = vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    if (e->rc == RC_OK)
        e->rc = rc;
    if (n < 0)
        return e->rc;
    memcpy(old, e->text, sizeof(old));
    old[sizeof(old) - 1] = '\0';
    /* What does not fit is cut at the end. */
    size_t used = (size_t)n < sizeof(words) ? (size_t)n : sizeof(words) - 1;
    size_t room = sizeof(e->text) - used, len = strlen(old);

    memcpy(e->text, words, used + 1);
    if (room > 3) {
        len = len < room - 3 ? len : room - 3;
        memcpy(e->text + used, ": ", 2);
        memcpy(e->text + used + 2, old, len);
        e->text[used + 2 + len] = '\0';
    }
    return e->rc;
}

enum rc err_advise(struct err *e, enum rc rc, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return rc;
    size_t len = strlen(e->text);

    if (len + 1 == sizeof(e->text))
        return rc;
    e->text[len++] = '\n';
    va_start(ap, fmt);
    if (vsnprintf(e->text + len, sizeof(e->text) - len, fmt, ap) < 0)
        e->text[len] = '\0';
    va_end(ap);
    return rc;
}

const char *rc_name(enum rc rc)
{
    static const char *const names[] = {
        [RC_OK] = "ok",
        [RC_INVALID] = "invalid",
        [RC_UNAUTHENTICATED] = "unauthenticated",
        [RC_DENIED] = "denied",
        [RC_NOT_FOUND] = "not-found",
        [RC_EXISTS] = "exists",
        [RC_CONFLICT] = "conflict",
        [RC_PRECONDITION] = "precondition",
        [RC_TOO_LARGE] = "too-large",
        [RC_RANGE] = "range",
        [RC_QUOTA] = "quota",
        [RC_UNSUPPORTED] = "unsupported",
        [RC_UNAVAILABLE] = "unavailable",
        [RC_TIMEOUT] = "timeout",
        [RC_CANCELED] = "canceled",
        [RC_CORRUPT] = "corrupt",
        [RC_INTERNAL] = "internal",
    };

    return (size_t)rc < ARRAY_LEN(names) ? names[rc] : "unknown";
}
