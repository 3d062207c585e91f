#include "base/uuid.h"

#include "base/encode.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

struct uuid uuid_random(void)
{
    struct uuid u;
    ssize_t n;

    do
        n = getrandom(u.bytes, sizeof(u.bytes), 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(u.bytes))
        abort();
    u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0f) | 0x40);
    u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3f) | 0x80);
    return u;
}

static const struct {
    uint8_t text, byte, n;
} groups[] = {{0, 0, 4}, {9, 4, 2}, {14, 6, 2}, {19, 8, 2}, {24, 10, 6}};

enum rc uuid_parse(struct str s, struct uuid *ret, struct err *e)
{
    struct uuid u;

    if (s.len != UUID_TEXT_MAX - 1)
        return err_set(e, RC_INVALID, "a UUID has 36 characters");
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct str digits = {s.ptr + groups[i].text, 2u * groups[i].n};

        if (i > 0 && s.ptr[groups[i].text - 1] != '-')
            return err_set(e, RC_INVALID, "a UUID is written 8-4-4-4-12");
        if (hex_decode(digits, u.bytes + groups[i].byte, groups[i].n) != RC_OK)
            return err_set(e, RC_INVALID, "a UUID is written in hexadecimal digits");
    }
    *ret = u;
    return RC_OK;
}

struct str uuid_format(const struct uuid *u, char out[UUID_TEXT_MAX])
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        hex_encode(u->bytes + groups[i].byte, groups[i].n, out + groups[i].text);
        if (i + 1 < ARRAY_LEN(groups))
            out[groups[i].text + 2 * groups[i].n] = '-';
    }
    return (struct str){out, UUID_TEXT_MAX - 1};
}

bool uuid_eq(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool uuid_is_nil(const struct uuid *u)
{
    return uuid_eq(u, &(struct uuid){{0}});
}
