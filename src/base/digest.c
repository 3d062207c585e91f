#include "base/digest.h"

#include "base/encode.h"

static const struct {
    const char *name;
    size_t size;
} algorithms[] = {
    [DIGEST_NONE] = {"none", 0},
    [DIGEST_SHA256] = {"sha256", 32},
    [DIGEST_SHA512] = {"sha512", 64},
};

size_t digest_size(enum digest_algorithm a)
{
    return (size_t)a < ARRAY_LEN(algorithms) ? algorithms[a].size : 0;
}

const char *digest_algorithm_name(enum digest_algorithm a)
{
    return algorithms[(size_t)a < ARRAY_LEN(algorithms) ? a : DIGEST_NONE].name;
}

enum digest_algorithm digest_algorithm_from(struct str name)
{
    for (enum digest_algorithm a = DIGEST_SHA256; a <= DIGEST_SHA512; a++)
        if (str_is(name, algorithms[a].name))
            return a;
    return DIGEST_NONE;
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* algorithm ::= component ([+._-] component)*, of lower case letters and digits. */
static bool algorithm_well_formed(struct str s)
{
    bool in_component = false;

    for (size_t i = 0; i < s.len; i++) {
        if (is_lower_or_digit(s.ptr[i]))
            in_component = true;
        else if (in_component && memchr("+._-", s.ptr[i], 4))
            in_component = false;
        else
            return false;
    }
    return in_component;
}

static bool encoded_well_formed(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.ptr[i]);

        if (!is_lower_or_digit(c) && c != '=' && c != '_' && c != '-')
            return false;
    }
    return s.len > 0;
}

static enum rc digest_refuse(struct str algorithm, struct str encoded, struct err *e)
{
    if (algorithm_well_formed(algorithm) && encoded_well_formed(encoded) && algorithm.len <= 32)
        return err_set(e, RC_UNSUPPORTED, "digest algorithm %.*s is not supported",
                       STR_ARG(algorithm));
    return err_set(e, RC_INVALID, "a digest is algorithm:hex");
}

enum rc digest_parse(struct str s, struct digest *ret, struct err *e)
{
    struct digest d = {0};
    struct str encoded = s;
    struct str name = str_split(&encoded, ':');

    d.algorithm = (uint8_t)digest_algorithm_from(name);
    if (d.algorithm == DIGEST_NONE)
        return digest_refuse(name, encoded, e);
    for (size_t i = 0; i < encoded.len; i++)
        if (encoded.ptr[i] >= 'A' && encoded.ptr[i] <= 'F')
            return err_set(e, RC_INVALID, "a digest is written in lower case");
    size_t size = digest_size((enum digest_algorithm)d.algorithm);

    if (hex_decode(encoded, d.bytes, size) != RC_OK)
        return err_set(e, RC_INVALID, "a %.*s digest has %zu hexadecimal digits", STR_ARG(name),
                       2 * size);
    *ret = d;
    return RC_OK;
}

struct str digest_format(const struct digest *d, char out[DIGEST_TEXT_MAX])
{
    enum digest_algorithm a = (enum digest_algorithm)d->algorithm;
    struct str name = str_from(digest_algorithm_name(a));

    memcpy(out, name.ptr, name.len);
    out[name.len] = ':';
    hex_encode(d->bytes, digest_size(a), out + name.len + 1);
    return (struct str){out, name.len + 1 + 2 * digest_size(a)};
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
    return a->algorithm == b->algorithm &&
           memcmp(a->bytes, b->bytes, digest_size((enum digest_algorithm)a->algorithm)) == 0;
}

bool digest_is_set(const struct digest *d)
{
    return d->algorithm != DIGEST_NONE;
}
