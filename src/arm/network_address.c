/* Addresses inside a subnet: which are free, and asking for one. As in Azure, the first four of a
 * prefix and an IPv4 prefix's last are nobody's. */
#include "arm/network.h"
#include "base/mem.h"

enum { RESERVED = 4, SUGGESTED = 5 };

/* --- arithmetic --- */
static size_t width_of(const struct ip_addr *a)
{
    return a->family == 4 ? 4 : 16;
}

static void ip_add(struct ip_addr *a, unsigned n)
{
    for (size_t i = width_of(a); i-- > 0 && n > 0;) {
        n += a->bytes[i];
        a->bytes[i] = (uint8_t)n;
        n >>= 8;
    }
}

static struct ip_addr last_of(const struct cidr *c)
{
    struct ip_addr a = c->addr;

    for (size_t bit = c->prefix; bit < 8 * width_of(&a); bit++)
        a.bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    return a;
}

static bool reserved_in(const struct cidr *c, const struct ip_addr *a)
{
    struct ip_addr first = c->addr, last = last_of(c);

    ip_add(&first, RESERVED);
    return ip_cmp(a, &first) < 0 || (a->family == 4 && ip_eq(a, &last));
}

/* --- prefixes of a subnet --- */
/* The i-th prefix; false past the last. */
static bool prefix_at(const struct json *subnet, size_t i, struct cidr *ret)
{
    const struct json *one = json_path(subnet, "properties.addressPrefix");
    const struct json *list = json_path(subnet, "properties.addressPrefixes");
    struct str text = one && i == 0 ? json_str(one) : json_str(json_at(list, one ? i - 1 : i));

    return text.ptr && cidr_parse(text, ret, NULL) == RC_OK;
}

static struct str user_of(const struct json *subnet, const struct ip_addr *a)
{
    const struct json *users = network_users(subnet);
    char text[IP_TEXT_MAX];
    struct str want = ip_format(a, text);

    for (size_t i = 0; i < json_len(users); i++)
        if (str_eq(json_str(json_get(json_at(users, i), "address")), want))
            return json_str(json_get(json_at(users, i), "id"));
    return STR_NONE;
}

enum network_address_state network_address_state(const struct json *subnet, const struct ip_addr *a,
                                                 struct str *ret_user)
{
    struct cidr c;

    for (size_t i = 0; prefix_at(subnet, i, &c); i++) {
        if (!cidr_contains(&c, a))
            continue;
        if (reserved_in(&c, a))
            return NETWORK_ADDRESS_RESERVED;
        *ret_user = user_of(subnet, a);
        return ret_user->ptr ? NETWORK_ADDRESS_USED : NETWORK_ADDRESS_FREE;
    }
    return NETWORK_ADDRESS_OUTSIDE;
}

static int by_address(const void *left, const void *right)
{
    return ip_cmp(left, right);
}

/* Those in this prefix that somebody has, from `first` on, sorted; `ret` has room for all users. */
static size_t used_from(const struct json *subnet, const struct cidr *c,
                        const struct ip_addr *first, struct ip_addr *ret)
{
    const struct json *users = network_users(subnet);
    size_t n = 0;

    for (size_t i = 0; i < json_len(users); i++) {
        struct ip_addr a;

        if (ip_parse(json_str(json_get(json_at(users, i), "address")), &a, NULL) == RC_OK &&
            cidr_contains(c, &a) && ip_cmp(&a, first) >= 0)
            ret[n++] = a;
    }
    qsort(ret, n, sizeof(*ret), by_address);
    return n;
}

/* The first free address of one prefix that is greater than *a. */
static bool next_in(const struct json *subnet, const struct cidr *c, struct ip_addr *a)
{
    struct ip_addr *used = MEM_ARRAY(struct ip_addr, json_len(network_users(subnet)));
    struct ip_addr at = c->addr;

    ip_add(&at, RESERVED);
    if (a->family && ip_cmp(a, &at) >= 0) { /* it is in this prefix */
        at = *a;
        ip_add(&at, 1);
    }
    size_t n = used_from(subnet, c, &at, used);

    for (size_t i = 0; i < n && ip_cmp(&used[i], &at) <= 0; i++)
        if (ip_eq(&used[i], &at))
            ip_add(&at, 1);
    free(used);
    if (!cidr_contains(c, &at) || reserved_in(c, &at))
        return false;
    *a = at;
    return true;
}

enum rc network_address_next(const struct json *subnet, unsigned family, struct ip_addr *a)
{
    struct cidr c;
    size_t i = 0;

    while (a->family && prefix_at(subnet, i, &c) && !cidr_contains(&c, a))
        i++;
    for (; prefix_at(subnet, i, &c); i++) {
        if (c.addr.family != family)
            continue;
        if (next_in(subnet, &c, a))
            return RC_OK;
        a->family = 0; /* the next prefix from its beginning */
    }
    return RC_NOT_FOUND;
}

/* --- checkIPAddressAvailability --- */
static struct json *suggestions(const struct json *subnet, unsigned family)
{
    struct json *out = json_new_array();
    struct ip_addr at = {0};
    char text[IP_TEXT_MAX];

    for (int i = 0; i < SUGGESTED && network_address_next(subnet, family, &at) == RC_OK; i++)
        json_append(out, json_new_str(ip_format(&at, text)));
    return out;
}

static enum rc check_answer(struct arm_call *c, const struct json *body, const struct ip_addr *a,
                            struct err *e)
{
    const struct json *subnets = json_path(body, "properties.subnets");

    for (size_t i = 0; i < json_len(subnets); i++) {
        const struct json *subnet = json_at(subnets, i);
        struct str user = STR_NONE;
        enum network_address_state state = network_address_state(subnet, a, &user);

        if (state == NETWORK_ADDRESS_OUTSIDE)
            continue;
        arm_set_answer(c, json_new_object());
        json_set(c->answer, "available", json_new_bool(state == NETWORK_ADDRESS_FREE));
        if (state != NETWORK_ADDRESS_FREE)
            json_set(c->answer, "availableIPAddresses", suggestions(subnet, a->family));
        json_set(c->answer, "isPlatformReserved", json_new_bool(state == NETWORK_ADDRESS_RESERVED));
        return RC_OK;
    }
    return err_code(e, RC_INVALID, "PrivateIPAddressNotInAnySubnet",
                    "The IP address does not belong to any subnet of the virtual network '%.*s'.",
                    STR_ARG(c->name));
}

static enum rc check_read(struct arm_call *c, struct meta_tx *tx, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct meta_resource r;
    struct ip_addr a;
    struct str text;
    enum rc rc = http_query(c->req, "ipAddress", &text, NULL);

    if (rc != RC_OK || ip_parse(text, &a, NULL) != RC_OK)
        return err_code(e, RC_INVALID, "InvalidIPAddressFormat",
                        "The parameter ipAddress must be an IP address.");
    rc = arm_resource_get(c, tx, &r, &body, e);
    return rc == RC_OK ? check_answer(c, body, &a, e) : rc;
}

enum http_verdict arm_vnet_check_address(struct http_request *req)
{
    CLEANUP(arm_call_done) struct arm_call c;
    struct err e = {0};

    if (arm_call_begin(&c, req) && !arm_failed(&c, arm_read(&c, check_read, &e), &e))
        arm_answer_json(&c, 200, c.answer);
    return HTTP_ANSWERED;
}
