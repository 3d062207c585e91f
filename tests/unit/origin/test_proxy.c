/* Attachments of kind proxy: what they may say, and what a proxy's header makes of a connection. */
#include "world.h"

#include <stdio.h>

#define ONE  UUID_TEXT("b1")
#define TWO  UUID_TEXT("b2")
#define BLUE ",\"virtualNetwork\":{\"id\":\"" NETWORK_ID("blue") "\"}"
#define RED  ",\"virtualNetwork\":{\"id\":\"" NETWORK_ID("red") "\"}"
#define PROXY(peers, type, value, more)                                                            \
    "{\"kind\":\"proxy\",\"proxy\":{\"peers\":[" peers "],\"tlv\":{\"type\":" type                 \
    ",\"value\":\"" value "\"}}" more "}"
#define LB     "\"192.0.2.1\""
#define SUBNET ",\"subnet\":{\"id\":\"" NETWORK_ID("blue") "/subnets/corner\"}"
#define ENDPOINT                                                                                   \
    ",\"privateEndpoints\":[{\"privateEndpoint\":{\"id\":\"/pe\",\"uuid\":\"" UUID_TEXT(           \
        "99") "\"}}]"

static enum rc try_two(const char *one, const char *two)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();
    enum rc rc = world_attachment(b, "one", ONE, one);

    return rc == RC_OK && two ? world_attachment(b, "two", TWO, two) : rc;
}

static struct origin_table *table_of(const char *one, const char *two)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();

    if (one)
        assert_int_equal(world_attachment(b, "one", ONE, one), RC_OK);
    if (two)
        assert_int_equal(world_attachment(b, "two", TWO, two), RC_OK);
    return origin_table_build(b);
}

/* "192.0.2.1 says that `peer` speaks." */
static struct evidence said(const char *peer)
{
    struct evidence ev = world_evidence(ONE, "", peer, "10.0.0.1");

    ev.arrival = NET_PROXY;
    ev.attachment = (struct uuid){{0}};
    assert_int_equal(ip_parse(STR("192.0.2.1"), &ev.via, NULL), RC_OK);
    return ev;
}

static void add(struct evidence *ev, uint8_t type, uint8_t subtype, const char *text)
{
    struct evidence_tlv *t = &ev->tlvs[ev->n_tlvs++];

    *t = (struct evidence_tlv){.type = type, .subtype = subtype};
    snprintf(t->text, sizeof(t->text), "%s", text);
}

static struct evidence said_with(const char *peer, uint8_t type, const char *text)
{
    struct evidence ev = said(peer);

    add(&ev, type, 1, text);
    return ev;
}

static void expect(const struct origin_table *t, const struct evidence *ev, enum origin_kind kind,
                   unsigned subnet)
{
    struct origin o;

    origin_resolve(t, ev, &o);
    if (o.kind != kind || o.subnet.bytes[15] != subnet)
        fail_msg("%s %02x, not %s %02x", origin_kind_name(o.kind), o.subnet.bytes[15],
                 origin_kind_name(kind), subnet);
    if (kind == ORIGIN_SUBNET)
        assert_true(ip_eq(&o.ip, &ev->peer));
}

static void a_value_tells_the_network_and_the_headers_address_the_subnet(void **state)
{
    struct origin_table *t =
        table_of(PROXY(LB, "234", "vpce-1", BLUE), PROXY(LB, "234", "vpce-2", RED));
    struct evidence ev = said_with("10.0.0.4", TLV_AWS, "vpce-1");

    (void)state;
    expect(t, &ev, ORIGIN_SUBNET, 0x01);
    ev = said_with("10.0.0.200", TLV_AWS, "vpce-1");
    expect(t, &ev, ORIGIN_SUBNET, 0x03);
    ev = said_with("10.0.0.4", TLV_AWS, "vpce-2");
    expect(t, &ev, ORIGIN_SUBNET, 0x11);
    ev = said_with("10.0.1.4", TLV_AWS, "vpce-1"); /* no service endpoint */
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    ev = said_with("203.0.113.9", TLV_AWS, "vpce-1");
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    origin_table_unref(t);
}

static void an_attachment_may_name_the_subnet_or_the_private_endpoint(void **state)
{
    struct origin_table *t = table_of(PROXY(LB, "238", "452984833", BLUE SUBNET),
                                      PROXY(LB, "224", "18446744073709551615", RED ENDPOINT));
    struct evidence ev = said_with("203.0.113.9", TLV_AZURE, "452984833");
    struct uuid endpoint = world_uuid(UUID_TEXT("99"));
    struct origin o;

    (void)state;
    expect(t, &ev, ORIGIN_SUBNET, 0x03);
    ev = said_with("10.0.0.4", TLV_GOOGLE, "18446744073709551615");
    origin_resolve(t, &ev, &o);
    assert_int_equal(o.kind, ORIGIN_PRIVATE_ENDPOINT);
    assert_true(uuid_eq(&o.private_endpoint, &endpoint));
    origin_table_unref(t);
}

static void a_value_that_is_nobodys_is_unidentified_and_never_public(void **state)
{
    struct origin_table *t = table_of(PROXY(LB, "234", "vpce-1", BLUE), NULL),
                        *none = table_of(NULL, NULL);
    struct evidence ev = said_with("203.0.113.9", TLV_AWS, "vpce-9");

    (void)state;
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    expect(none, &ev, ORIGIN_UNIDENTIFIED, 0);
    ev = said_with("203.0.113.9", TLV_AWS, "");
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    ev = said_with("203.0.113.9", TLV_AZURE, "1");
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    ev = said_with("10.0.0.4", TLV_NAMESPACE, "vpce-1"); /* the text of another type */
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    ev = said("203.0.113.9");
    expect(t, &ev, ORIGIN_PUBLIC, 0);
    origin_table_unref(t);
    origin_table_unref(none);
}

static void only_the_proxies_that_an_attachment_names_speak_for_it(void **state)
{
    struct origin_table *t = table_of(PROXY("\"192.0.2.0/30\",\"fd00::1\"", "48", "vnet1", BLUE),
                                      PROXY("\"192.0.2.4/30\"", "48", "vnet1", RED));
    struct evidence ev = said_with("10.0.0.4", TLV_NAMESPACE, "vnet1");

    (void)state;
    expect(t, &ev, ORIGIN_SUBNET, 0x01);
    ev.via.bytes[3] = 5;
    expect(t, &ev, ORIGIN_SUBNET, 0x11);
    ev.via.bytes[3] = 9;
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    origin_table_unref(t);
}

static void every_type_must_tell_the_same_attachment(void **state)
{
    struct origin_table *t =
        table_of(PROXY(LB, "225", "ep-1", BLUE), PROXY(LB, "48", "vnet1", RED));
    struct evidence alibaba = said_with("10.0.0.4", TLV_ALIBABA, "vpc-1"), both;

    (void)state;
    expect(t, &alibaba, ORIGIN_UNIDENTIFIED, 0);
    add(&alibaba, TLV_ALIBABA, 2, "ep-1"); /* one of the values of its type is known */
    expect(t, &alibaba, ORIGIN_SUBNET, 0x01);
    both = alibaba;
    add(&both, TLV_NAMESPACE, 0, "vnet1");
    expect(t, &both, ORIGIN_UNIDENTIFIED, 0);
    both = alibaba;
    add(&both, TLV_NAMESPACE, 0, "vnet9");
    expect(t, &both, ORIGIN_UNIDENTIFIED, 0);
    origin_table_unref(t);
}

static void a_header_that_came_through_a_device_is_not_believed(void **state)
{
    struct origin_table *t = table_of(PROXY(LB, "234", "vpce-1", BLUE),
                                      "{\"kind\":\"device\",\"device\":{\"name\":\"br0\"}" RED "}");
    struct evidence ev = said_with("10.0.0.4", TLV_AWS, "vpce-1");

    (void)state;
    ev.ifindex = 7;
    snprintf(ev.interface, sizeof(ev.interface), "br0");
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    ev.n_tlvs = 0;
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    ev.arrival = NET_MAIN; /* a forwarder's header, then */
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    snprintf(ev.interface, sizeof(ev.interface), "eth0");
    expect(t, &ev, ORIGIN_PUBLIC, 0);
    origin_table_unref(t);
}

static void a_value_wins_over_a_range_and_a_range_over_public(void **state)
{
    struct origin_table *t =
        table_of(PROXY(LB, "234", "vpce-1", BLUE),
                 "{\"kind\":\"range\",\"range\":{\"addressPrefixes\":[\"10.0.0.0/24\"]}" RED "}");
    struct evidence ev = said_with("10.0.0.4", TLV_AWS, "vpce-1");

    (void)state;
    expect(t, &ev, ORIGIN_SUBNET, 0x01);
    ev.n_tlvs = 0;
    expect(t, &ev, ORIGIN_SUBNET, 0x11);
    origin_table_unref(t);
}

static void what_a_forwarder_said_and_nobody_can_read_is_unidentified(void **state)
{
    struct origin_table *t = table_of(NULL, NULL);
    struct evidence ev = said("203.0.113.9");

    (void)state;
    ev.arrival = NET_MAIN;
    expect(t, &ev, ORIGIN_PUBLIC, 0);
    ev.unreadable = true;
    expect(t, &ev, ORIGIN_UNIDENTIFIED, 0);
    origin_table_unref(t);
}

static void bodies_are_checked(void **state)
{
    static const char *const bad[] = {
        "{\"kind\":\"proxy\"" BLUE "}",
        "{\"kind\":\"proxy\",\"proxy\":{\"peers\":[" LB "]}" BLUE "}",
        "{\"kind\":\"proxy\",\"proxy\":{\"tlv\":{\"type\":234,\"value\":\"v\"}}" BLUE "}",
        PROXY("", "234", "v", BLUE),
        PROXY("\"192.0.2.1/24\"", "234", "v", BLUE),
        PROXY("\"lb\"", "234", "v", BLUE),
        PROXY(LB, "233", "v", BLUE),
        PROXY(LB, "\"234\"", "v", BLUE),
        PROXY(LB, "490", "v", BLUE), /* 234 + 256 */
        PROXY(LB, "234", "", BLUE),
        PROXY(LB, "234", "a b", BLUE),
        PROXY(LB, "234", "0123456789012345678901234567890123456789012345678901234567890123", BLUE),
        PROXY(LB, "238", "4294967296", BLUE),
        PROXY(LB, "238", "0x1", BLUE),
        PROXY(LB, "238", "007", BLUE),
        PROXY(LB, "224", "18446744073709551616", BLUE),
        PROXY(LB, "224", "-1", BLUE),
        PROXY(LB, "234", "v", RED SUBNET), /* of another network */
        PROXY(LB, "234", "v", BLUE SUBNET ENDPOINT),
        PROXY(LB, "234", "v", BLUE ",\"services\":[\"data\",\"control\"]"),
        PROXY(LB, "234", "v",
              BLUE ",\"privateEndpoints\":[{\"localAddress\":\"10.0.0.9\",\"privateEndpoint\":{"
                   "\"id\":\"/pe\"}}]"),
        PROXY(LB, "234", "v",
              BLUE ",\"privateEndpoints\":[{\"privateEndpoint\":{\"id\":\"/a\"}},{"
                   "\"privateEndpoint\":{\"id\":\"/b\"}}]"),
        PROXY(LB, "234", "v",
              BLUE ",\"interfaces\":[{\"name\":\"eth0\",\"subnet\":{\"id\":\"/x\"}}]"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (try_two(bad[i], NULL) != RC_INVALID)
            fail_msg("%s passes", bad[i]);
    assert_int_equal(try_two(PROXY(LB, "238", "0", BLUE), NULL), RC_OK);
}

static void two_may_share_a_value_but_not_from_the_same_proxy(void **state)
{
    (void)state;
    assert_int_equal(try_two(PROXY(LB, "234", "v", BLUE), PROXY(LB, "234", "v", RED)), RC_CONFLICT);
    assert_int_equal(try_two(PROXY("\"10.0.0.0/8\"," LB, "234", "v", BLUE),
                             PROXY("\"10.9.9.9\"", "234", "v", RED)),
                     RC_CONFLICT);
    assert_int_equal(try_two(PROXY("\"10.0.0.0/8\"", "234", "v", BLUE), PROXY(LB, "234", "v", RED)),
                     RC_OK);
    assert_int_equal(try_two(PROXY(LB, "234", "v", BLUE), PROXY(LB, "234", "w", RED)), RC_OK);
    assert_int_equal(try_two(PROXY(LB, "234", "v", BLUE), PROXY(LB, "225", "v", RED)), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_tells_the_network_and_the_headers_address_the_subnet),
        cmocka_unit_test(an_attachment_may_name_the_subnet_or_the_private_endpoint),
        cmocka_unit_test(a_value_that_is_nobodys_is_unidentified_and_never_public),
        cmocka_unit_test(only_the_proxies_that_an_attachment_names_speak_for_it),
        cmocka_unit_test(every_type_must_tell_the_same_attachment),
        cmocka_unit_test(a_header_that_came_through_a_device_is_not_believed),
        cmocka_unit_test(a_value_wins_over_a_range_and_a_range_over_public),
        cmocka_unit_test(what_a_forwarder_said_and_nobody_can_read_is_unidentified),
        cmocka_unit_test(bodies_are_checked),
        cmocka_unit_test(two_may_share_a_value_but_not_from_the_same_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
