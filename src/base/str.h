/* Borrowed text: a pointer and a length, not terminated, never owned. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/err.h"
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_ARG(s)   (int)(s).len, (s).ptr /* for "%.*s"; names its argument twice */
#define STR_NONE     ((struct str){NULL, 0})

struct str str_from(const char *terminated); /* NULL gives STR_NONE */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *terminated);
bool str_eq_nocase(struct str a, struct str b); /* ASCII */
bool str_is_nocase(struct str a, const char *terminated);
int str_cmp(struct str a, struct str b); /* bytes, as memcmp; a prefix sorts first */
int str_cmp_nocase(struct str a, struct str b); /* the same, ASCII letters as if they were small */
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Index of the first/last `c`, or s.len. */
size_t str_find(struct str s, char c);
size_t str_find_last(struct str s, char c);
struct str str_skip(struct str s, size_t n); /* without the first n bytes (all, if shorter) */
struct str str_take(struct str s, size_t n); /* the first n bytes at most */
struct str str_trim(struct str s);           /* without blanks and tabs at both ends */
/* Cuts *s at the first `c`: returns what stands before it and leaves the rest in *s (STR_NONE when
 * there was no `c`). */
struct str str_split(struct str *s, char c);
/* Decimal digits only, no sign, no blanks; RC_INVALID otherwise or on overflow. */
NODISCARD enum rc str_to_u64(struct str s, uint64_t *ret);
/* Copies as a terminated string; RC_TOO_LARGE when it does not fit, RC_INVALID for a NUL in it. */
NODISCARD enum rc str_copy(struct str s, char *dst, size_t cap);
/* Copies, not terminated, to where *at points, and moves that on; there is room. */
struct str str_put(char **at, struct str s);
uint64_t str_hash(struct str s); /* SipHash-like with a per-process key; not stable over restarts */
char ascii_lower(char c);

#endif
