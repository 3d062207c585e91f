/* RFC 9562 UUIDs. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/str.h"

enum { UUID_TEXT_MAX = 37 };
struct uuid {
    uint8_t bytes[16];
};

struct uuid uuid_random(void); /* version 4, from getrandom(2) */
/* 8-4-4-4-12, either case. */
NODISCARD enum rc uuid_parse(struct str s, struct uuid *ret, struct err *e);
struct str uuid_format(const struct uuid *u, char out[UUID_TEXT_MAX]); /* lower case */
bool uuid_eq(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *u);

#endif
