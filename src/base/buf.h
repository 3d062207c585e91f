/* Owned, growing bytes with a maximum. A buffer that would pass its maximum fails once and stays
 * failed, so that a chain of additions needs one check at its end. Memory exhaustion aborts. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
    char *ptr;
    size_t len, cap, max;
    bool failed; /* an addition did not fit; content is what fitted before it */
};

#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})

void buf_done(struct buf *b);
void buf_clear(struct buf *b); /* keeps memory and maximum; forgets the failure */
NODISCARD enum rc buf_status(const struct buf *b, struct err *e); /* RC_TOO_LARGE when it failed */
void buf_add(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t n); /* decimal */
void buf_add_i64(struct buf *b, int64_t n);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Quoted and escaped as a JSON string; invalid UTF-8 becomes U+FFFD. */
void buf_add_json(struct buf *b, struct str s);
/* Room for n more bytes after len, or NULL past the maximum (a failure like any other). The caller
 * writes there and adds to len. */
char *buf_reserve(struct buf *b, size_t n);
void buf_drop(struct buf *b, size_t n); /* removes n bytes from the front */
struct str buf_str(const struct buf *b);
const char *buf_cstr(struct buf *b); /* terminated (the NUL is not counted in len) */

#endif
