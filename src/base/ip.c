#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static struct ip_addr from_v4(const void *bytes)
{
    struct ip_addr a = {.family = 4};

    memcpy(a.bytes, bytes, 4);
    return a;
}

static struct ip_addr from_v6(const uint8_t bytes[16])
{
    struct ip_addr a = {.family = 6};

    if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
        return from_v4(bytes + 12);
    memcpy(a.bytes, bytes, 16);
    return a;
}

enum rc ip_parse(struct str s, struct ip_addr *ret, struct err *e)
{
    char text[IP_TEXT_MAX];
    uint8_t bytes[16];

    if (str_find(s, '%') < s.len)
        return err_set(e, RC_INVALID, "an address with a zone id is not accepted");
    if (str_copy(s, text, sizeof(text)) != RC_OK)
        return err_set(e, RC_INVALID, "not an IP address");
    if (inet_pton(AF_INET, text, bytes) == 1)
        *ret = from_v4(bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *ret = from_v6(bytes);
    else
        return err_set(e, RC_INVALID, "'%s' is not an IP address", text);
    return RC_OK;
}

static unsigned family_bits(const struct ip_addr *a)
{
    return a->family == 4 ? 32 : 128;
}

static void mask_host_bits(struct ip_addr *a, unsigned prefix)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = prefix > 8 * i ? prefix - 8 * i : 0;

        if (keep < 8)
            a->bytes[i] &= (uint8_t)(0xff00u >> keep);
    }
}

/* "0".."128", no leading zeros. */
static enum rc parse_prefix(struct str s, uint64_t max, uint64_t *ret, struct err *e)
{
    bool leading_zero = s.len > 1 && s.ptr[0] == '0';

    if (leading_zero || s.len > 3 || str_to_u64(s, ret) != RC_OK)
        return err_set(e, RC_INVALID, "the prefix length is not a number");
    if (*ret > max)
        return err_set(e, RC_INVALID, "the prefix length is more than %u", (unsigned)max);
    return RC_OK;
}

/* With its host bits cleared; *ret_bits: there were some. */
static enum rc cidr_read(struct str s, struct cidr *ret, bool *ret_bits, struct err *e)
{
    struct str rest = s;
    struct str address = str_split(&rest, '/');
    struct cidr c = {0};
    enum rc rc = ip_parse(address, &c.addr, e);

    if (rc != RC_OK)
        return rc;
    bool mapped = c.addr.family == 4 && str_find(address, ':') < address.len;
    unsigned outside = mapped ? 96 : 0; /* prefix bits that the IPv4 form does not have */
    uint64_t prefix = family_bits(&c.addr) + outside;

    if (rest.ptr)
        rc = parse_prefix(rest, prefix, &prefix, e);
    if (rc == RC_OK && prefix < outside)
        rc = err_set(e, RC_INVALID, "'%.*s' has host bits set", STR_ARG(s));
    if (rc != RC_OK)
        return rc;
    struct ip_addr typed = c.addr;

    mask_host_bits(&c.addr, (unsigned)prefix - outside);
    c.prefix = (uint8_t)(prefix - outside);
    *ret_bits = !ip_eq(&typed, &c.addr);
    *ret = c;
    return RC_OK;
}

enum rc cidr_parse(struct str s, struct cidr *ret, struct err *e)
{
    struct cidr c;
    bool bits;
    enum rc rc = cidr_read(s, &c, &bits, e);

    if (rc == RC_OK && bits)
        rc = err_set(e, RC_INVALID, "'%.*s' has host bits set", STR_ARG(s));
    if (rc == RC_OK)
        *ret = c;
    return rc;
}

enum rc cidr_parse_masked(struct str s, struct cidr *ret, struct err *e)
{
    bool bits;

    return cidr_read(s, ret, &bits, e);
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952, section 4.2). */
static void longest_zeros(const unsigned groups[8], unsigned *ret_at, unsigned *ret_n)
{
    *ret_at = 8;
    *ret_n = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;

        while (i + n < 8 && groups[i + n] == 0)
            n++;
        if (n > *ret_n) {
            *ret_at = i;
            *ret_n = n;
        }
    }
}

static struct str format_v6(const uint8_t bytes[16], char out[IP_TEXT_MAX])
{
    unsigned groups[8], zeros, n_zeros;
    size_t len = 0;

    for (unsigned i = 0; i < 8; i++)
        groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    longest_zeros(groups, &zeros, &n_zeros);
    for (unsigned i = 0; i < 8; i++) {
        const char *colon = i > 0 && i != zeros + n_zeros ? ":" : "";

        if (i == zeros) {
            len += (size_t)snprintf(out + len, IP_TEXT_MAX - len, "::");
            i += n_zeros - 1;
        } else {
            len += (size_t)snprintf(out + len, IP_TEXT_MAX - len, "%s%x", colon, groups[i]);
        }
    }
    return (struct str){out, len};
}

struct str ip_format(const struct ip_addr *a, char out[IP_TEXT_MAX])
{
    const uint8_t *b = a->bytes;

    if (a->family == 6)
        return format_v6(b, out);
    int n = a->family == 4 ? snprintf(out, IP_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3])
                           : snprintf(out, IP_TEXT_MAX, "unset");

    return (struct str){out, (size_t)n};
}

struct str cidr_format(const struct cidr *c, char out[CIDR_TEXT_MAX])
{
    char text[IP_TEXT_MAX];
    struct str addr = ip_format(&c->addr, text);
    int n = snprintf(out, CIDR_TEXT_MAX, "%.*s/%u", STR_ARG(addr), c->prefix);

    return (struct str){out, (size_t)n};
}

bool ip_eq(const struct ip_addr *a, const struct ip_addr *b)
{
    return ip_cmp(a, b) == 0;
}

int ip_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_is_loopback(const struct ip_addr *a)
{
    static const uint8_t v6[16] = {[15] = 1};

    return a->family == 4 ? a->bytes[0] == 127
                          : a->family == 6 && memcmp(a->bytes, v6, sizeof(v6)) == 0;
}

bool cidr_contains(const struct cidr *c, const struct ip_addr *a)
{
    unsigned whole = c->prefix / 8, rest = c->prefix % 8;

    if (c->addr.family != a->family || a->family == 0 ||
        memcmp(c->addr.bytes, a->bytes, whole) != 0)
        return false;
    return rest == 0 || (c->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

bool cidr_covers(const struct cidr *outer, const struct cidr *inner)
{
    return outer->prefix <= inner->prefix && cidr_contains(outer, &inner->addr);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
    return cidr_covers(a, b) || cidr_covers(b, a);
}

bool cidr_is_multicast(const struct cidr *c)
{
    if (c->addr.family == 4)
        return c->prefix >= 4 && (c->addr.bytes[0] & 0xf0) == 0xe0;
    return c->prefix >= 8 && c->addr.bytes[0] == 0xff;
}

struct ip_addr ip_from_sockaddr(const struct sockaddr *sa, uint16_t *ret_port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof(v4));
        *ret_port = ntohs(v4.sin_port);
        return from_v4(&v4.sin_addr);
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(&v6, sa, sizeof(v6));
        *ret_port = ntohs(v6.sin6_port);
        return from_v6(v6.sin6_addr.s6_addr);
    }
    *ret_port = 0;
    return (struct ip_addr){0};
}
