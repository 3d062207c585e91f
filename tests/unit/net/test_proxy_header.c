#include "test.h"

#include "net/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR      "\xc0\0\x02\x07\xc0\0\x02\x01\x12\x67\x01\xbb" /* 192.0.2.7:4711 to 192.0.2.1:443 */
#define SIX_TEXT  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"
#define SIX       SIX_TEXT "\x07" SIX_TEXT "\x01\x12\x67\x01\xbb"

/* Lengths are the compiler's: a header is written as its parts. */
struct made {
    char bytes[PROXY_HEADER_MAX + 64];
    size_t n;
};

static struct made made(uint8_t command, uint8_t family, struct str addresses, struct str tlvs)
{
    struct made m = {.n = PROXY_FIXED + addresses.len + tlvs.len};
    size_t rest = addresses.len + tlvs.len;

    memcpy(m.bytes, SIGNATURE, 12);
    m.bytes[12] = (char)command;
    m.bytes[13] = (char)family;
    m.bytes[14] = (char)(rest >> 8);
    m.bytes[15] = (char)rest;
    memcpy(m.bytes + PROXY_FIXED, addresses.ptr, addresses.len);
    if (tlvs.len > 0)
        memcpy(m.bytes + PROXY_FIXED + addresses.len, tlvs.ptr, tlvs.len);
    return m;
}

static enum rc parse(const struct made *m, struct proxy_header *ret)
{
    *ret = (struct proxy_header){0};
    return proxy_header_parse((struct str){m->bytes, m->n}, ret, NULL);
}

static enum rc with_tlvs(struct str tlvs, struct proxy_header *ret)
{
    struct made m = made(0x21, 0x11, STR(FOUR), tlvs);

    return parse(&m, ret);
}

static void address_is(const struct ip_addr *a, const char *text)
{
    char out[IP_TEXT_MAX];

    assert_str(ip_format(a, out), text);
}

static void an_ipv4_header_says_who_speaks_to_whom(void **state)
{
    struct proxy_header h;

    (void)state;
    assert_int_equal(with_tlvs(STR(""), &h), RC_OK);
    assert_false(h.local);
    address_is(&h.source, "192.0.2.7");
    address_is(&h.destination, "192.0.2.1");
    assert_int_equal(h.source_port, 4711);
    assert_int_equal(h.destination_port, 443);
    assert_int_equal(h.n_tlvs, 0);
}

static void an_ipv6_header_does_too(void **state)
{
    struct made m = made(0x21, 0x21, STR(SIX), STR("\xea\0\x03\x01vp"));
    struct proxy_header h;

    (void)state;
    assert_int_equal(parse(&m, &h), RC_OK);
    address_is(&h.source, "2001:db8::7");
    address_is(&h.destination, "2001:db8::1");
    assert_int_equal(h.source_port, 4711);
    assert_string_equal(h.tlvs[0].text, "vp");
}

static void an_ipv4_mapped_address_is_the_ipv4_address(void **state)
{
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x07"
    struct made m = made(0x21, 0x21, STR(MAPPED MAPPED "\0\x01\0\x02"), STR(""));
    struct proxy_header h;

    (void)state;
    assert_int_equal(parse(&m, &h), RC_OK);
    address_is(&h.source, "192.0.2.7");
}

static void values_of_clouds_are_read_as_text(void **state)
{
    static const struct {
        struct str bytes;
        uint8_t type, subtype;
        const char *text;
    } values[] = {
        {{"\xea\0\x17\x01vpce-08d2bf15fac5001c9", 26}, TLV_AWS, 1, "vpce-08d2bf15fac5001c9"},
        {{"\xee\0\x05\x01\x01\0\0\x1b", 8}, TLV_AZURE, 1, "452984833"},
        {{"\xe0\0\x08\x80\0\0\0\0\0\0\x05", 11}, TLV_GOOGLE, 0, "9223372036854775813"},
        {{"\xe1\0\x07\x02"
          "ep-123",
          10},
         TLV_ALIBABA,
         2,
         "ep-123"},
        {{"\x30\0\x05vnet1", 8}, TLV_NAMESPACE, 0, "vnet1"},
    };
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        assert_int_equal(with_tlvs(values[i].bytes, &h), RC_OK);
        assert_int_equal(h.n_tlvs, 1);
        assert_int_equal(h.tlvs[0].type, values[i].type);
        assert_int_equal(h.tlvs[0].subtype, values[i].subtype);
        assert_string_equal(h.tlvs[0].text, values[i].text);
    }
}

static void values_that_no_attachment_can_name_are_there_and_nobodys(void **state)
{
    static const struct str values[] = {
        {"\xea\0\x03\x02vp", 6},    /* a subtype that is not known */
        {"\xee\0\x02\x09\x01", 5},  /* of Azure, too */
        {"\xea\0\x03\x01v\0", 6},   /* a NUL */
        {"\x30\0\x03v\xc3\xa9", 6}, /* no ASCII */
        {"\x30\0\x40"
         "0123456789012345678901234567890123456789012345678901234567890123",
         67},
    };
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        assert_int_equal(with_tlvs(values[i], &h), RC_OK);
        assert_int_equal(h.n_tlvs, 1);
        assert_string_equal(h.tlvs[0].text, "");
    }
}

static void one_type_may_have_several_subtypes(void **state)
{
    struct proxy_header h;

    (void)state;
    assert_int_equal(with_tlvs(STR("\xe1\0\x04\x01vpc\xe1\0\x03\x02"
                                   "ep\xe1\0\x03\x03"
                                   "es"),
                               &h),
                     RC_OK);
    assert_int_equal(h.n_tlvs, 3);
    assert_string_equal(h.tlvs[2].text, "es");
}

static void other_types_are_passed_over(void **state)
{
    struct proxy_header h;

    (void)state;
    assert_int_equal(with_tlvs(STR("\x01\0\x02h2\x04\0\0\x05\0\x01u\x30\0\x01n\xef\0\0"), &h),
                     RC_OK);
    assert_int_equal(h.n_tlvs, 1);
    assert_string_equal(h.tlvs[0].text, "n");
}

static void malformed_tlvs_are_refused(void **state)
{
    static const struct str bad[] = {
        {"\xea", 1},
        {"\xea\0", 2},
        {"\xea\0\x03\x01v", 5},   /* longer than the header */
        {"\xea\0\x02\x01v\0", 6}, /* a byte too many */
        {"\xea\xff\xff\x01v", 5},
        {"\xea\0\0", 3},       /* empty */
        {"\xea\0\x01\x01", 4}, /* a subtype alone */
        {"\x30\0\0", 3},
        {"\xee\0\x04\x01\x01\0\0", 7}, /* a number of the wrong length */
        {"\xee\0\x06\x01\x01\0\0\x1b\0", 9},
        {"\xe0\0\x07\0\0\0\0\0\0\x05", 10},
        {"\xe0\0\x09\0\0\0\0\0\0\0\0\x05", 12},
        {"\xea\0\x02\x01v\xea\0\x02\x01v", 10}, /* twice */
        {"\xea\0\x02\x01v\xea\0\x02\x01w", 10},
        {"\x30\0\x01"
         "a\x30\0\x01"
         "b",
         8},
        {"\xea\0\x02\x01v\xe1\0\x02\x01v\xe1\0\x02\x02v\xe1\0\x02\x03v\x30\0\x01n", 24}, /* five */
        {"\x03\0\x03\0\0\0", 6},   /* no checksum */
        {"\x03\0\x04\0\0\0\0", 7}, /* a wrong one */
        {"\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0", 14},
    };
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (with_tlvs(bad[i], &h) != RC_INVALID)
            fail_msg("number %zu passes", i);
}

static void a_right_checksum_passes_and_a_changed_byte_does_not(void **state)
{
    struct made m = made(0x21, 0x11, STR(FOUR), STR("\x03\0\x04\x9c\xe9\xa4\x0a"));
    struct proxy_header h;

    (void)state;
    assert_int_equal(parse(&m, &h), RC_OK);
    for (size_t i = PROXY_FIXED; i < m.n; i++) {
        if (i == m.n - 7) /* the checksum's type: it would be something else */
            continue;
        m.bytes[i] ^= 1;
        assert_int_equal(parse(&m, &h), RC_INVALID);
        m.bytes[i] ^= 1;
    }
}

static void local_is_the_proxy_itself_whatever_else_it_says(void **state)
{
    struct made health = made(0x20, 0, STR(""), STR("")),
                claims = made(0x20, 0x11, STR(FOUR), STR("\xea\0\x02\x01v"));
    struct proxy_header h;

    (void)state;
    assert_int_equal(parse(&health, &h), RC_OK);
    assert_true(h.local);
    assert_int_equal(parse(&claims, &h), RC_OK);
    assert_true(h.local);
    assert_int_equal(h.n_tlvs, 0);
    assert_int_equal(h.source.family, 0);
}

static void other_versions_commands_and_families_are_refused(void **state)
{
    static const uint8_t commands[] = {0x00, 0x01, 0x11, 0x22, 0x2f, 0x31, 0xff};
    static const uint8_t families[] = {0x00, 0x01, 0x10, 0x12, 0x20, 0x22, 0x31, 0x32, 0xff};
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct made m = made(commands[i], 0x11, STR(FOUR), STR(""));

        assert_int_equal(parse(&m, &h), RC_INVALID);
    }
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct made m = made(0x21, families[i], STR(SIX), STR(""));

        assert_int_equal(parse(&m, &h), RC_INVALID);
    }
}

static void what_is_no_header_is_known_at_its_first_wrong_byte(void **state)
{
    struct made m = made(0x21, 0x11, STR(FOUR), STR(""));
    size_t length = 7;

    (void)state;
    assert_int_equal(proxy_header_length(STR("PROXY TCP4"), &length, NULL), RC_INVALID);
    assert_int_equal(proxy_header_length(STR("\x16\x03\x01"), &length, NULL), RC_INVALID);
    assert_int_equal(proxy_header_length(STR("\r\n\r\n\0\r\nQUIT\r"), &length, NULL), RC_INVALID);
    for (size_t n = 0; n < PROXY_FIXED; n++)
        assert_int_equal(proxy_header_length((struct str){m.bytes, n}, &length, NULL),
                         RC_UNAVAILABLE);
    assert_int_equal(length, 7);
    assert_int_equal(proxy_header_length((struct str){m.bytes, PROXY_FIXED}, &length, NULL), RC_OK);
    assert_int_equal(length, 28);
}

static void lengths_out_of_bounds_are_refused(void **state)
{
    static const char padding[PROXY_HEADER_MAX] = {4};
    struct made m = made(0x21, 0x11, STR(FOUR), STR(""));
    struct proxy_header h;
    size_t length;

    (void)state;
    m.bytes[15] = 11; /* less than its addresses */
    assert_int_equal(proxy_header_length((struct str){m.bytes, m.n}, &length, NULL), RC_INVALID);
    m.bytes[14] = 0x0f; /* 4096 in all */
    m.bytes[15] = (char)0xf0;
    assert_int_equal(proxy_header_length((struct str){m.bytes, m.n}, &length, NULL), RC_OK);
    m.bytes[15] = (char)0xf1;
    assert_int_equal(proxy_header_length((struct str){m.bytes, m.n}, &length, NULL), RC_INVALID);
    m = made(0x21, 0x11, STR(FOUR), (struct str){padding, 3});
    assert_int_equal(parse(&m, &h), RC_OK);
    m.n--; /* truncated */
    assert_int_equal(parse(&m, &h), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_header_says_who_speaks_to_whom),
        cmocka_unit_test(an_ipv6_header_does_too),
        cmocka_unit_test(an_ipv4_mapped_address_is_the_ipv4_address),
        cmocka_unit_test(values_of_clouds_are_read_as_text),
        cmocka_unit_test(values_that_no_attachment_can_name_are_there_and_nobodys),
        cmocka_unit_test(one_type_may_have_several_subtypes),
        cmocka_unit_test(other_types_are_passed_over),
        cmocka_unit_test(malformed_tlvs_are_refused),
        cmocka_unit_test(a_right_checksum_passes_and_a_changed_byte_does_not),
        cmocka_unit_test(local_is_the_proxy_itself_whatever_else_it_says),
        cmocka_unit_test(other_versions_commands_and_families_are_refused),
        cmocka_unit_test(what_is_no_header_is_known_at_its_first_wrong_byte),
        cmocka_unit_test(lengths_out_of_bounds_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
