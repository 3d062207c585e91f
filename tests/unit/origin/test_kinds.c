/* Devices, marks and ranges: what each may say, what two may not share, and what evidence on a main
 * listener names. */
#include "world.h"

#define BLUE                  "\"virtualNetwork\":{\"id\":\"" NETWORK_ID("blue") "\"}"
#define RED                   "\"virtualNetwork\":{\"id\":\"" NETWORK_ID("red") "\"}"
#define ONE                   UUID_TEXT("b1")
#define TWO                   UUID_TEXT("b2")
#define DEVICE(name, network) "{\"kind\":\"device\",\"device\":{\"name\":\"" name "\"}," network "}"
#define MARK(value, mask, network)                                                                 \
    "{\"kind\":\"mark\",\"mark\":{\"value\":" value ",\"mask\":" mask "}," network "}"
#define RANGE(list, network)                                                                       \
    "{\"kind\":\"range\",\"range\":{\"addressPrefixes\":[" list "]}," network "}"

static enum rc try_two(const char *one, const char *two)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();
    enum rc rc = world_attachment(b, "one", ONE, one);

    return rc == RC_OK && two ? world_attachment(b, "two", TWO, two) : rc;
}

static struct origin_table *table_of(const char *one, const char *two)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();

    assert_int_equal(world_attachment(b, "one", ONE, one), RC_OK);
    if (two)
        assert_int_equal(world_attachment(b, "two", TWO, two), RC_OK);
    return origin_table_build(b);
}

static struct evidence on_main(const char *peer)
{
    struct evidence ev = world_evidence(ONE, "", peer, "10.0.0.1");

    ev.arrival = NET_MAIN;
    ev.attachment = (struct uuid){{0}};
    return ev;
}

/* What the origin is, in a word: "subnet 01", "public", "unidentified". */
static const char *word(const struct origin_table *t, const struct evidence *ev)
{
    static const char *const words[] = {
        [ORIGIN_UNIDENTIFIED] = "unidentified",
        [ORIGIN_PUBLIC] = "public",
        [ORIGIN_PRIVATE_ENDPOINT] = "private-endpoint",
    };
    struct origin o;

    origin_resolve(t, ev, &o);
    if (o.kind != ORIGIN_SUBNET)
        return words[o.kind];
    return o.subnet.bytes[15] == 0x01   ? "blue app"
           : o.subnet.bytes[15] == 0x11 ? "red app"
                                        : "other";
}

static void a_device_has_a_name_that_an_interface_can_have(void **state)
{
    (void)state;
    assert_int_equal(try_two(DEVICE("br0", BLUE), NULL), RC_OK);
    assert_int_equal(try_two(DEVICE("br-0123456789ab", BLUE), NULL), RC_OK);
    assert_int_equal(try_two(DEVICE("br-0123456789abc", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(DEVICE("", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(DEVICE("a/b", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(DEVICE("a b", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(DEVICE("..", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two("{\"kind\":\"device\"," BLUE "}", NULL), RC_INVALID);
    assert_int_equal(
        try_two(
            "{\"kind\":\"device\",\"device\":{\"name\":\"br0\"},\"subnet\":{\"id\":\"/x\"}," BLUE
            "}",
            NULL),
        RC_INVALID);
}

static void a_mark_can_match_something_and_not_everything(void **state)
{
    (void)state;
    assert_int_equal(try_two(MARK("260", "4294967295", BLUE), NULL), RC_OK);
    assert_int_equal(try_two(MARK("0", "255", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(MARK("256", "255", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(MARK("1", "0", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(MARK("-1", "1", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(MARK("1", "4294967296", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(MARK("\"1\"", "255", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two("{\"kind\":\"mark\",\"mark\":{\"value\":1}," BLUE "}", NULL),
                     RC_INVALID);
}

static void a_range_is_a_list_of_blocks_that_are_apart(void **state)
{
    (void)state;
    assert_int_equal(try_two(RANGE("\"10.0.0.0/8\",\"fd00::/8\"", BLUE), NULL), RC_OK);
    assert_int_equal(try_two(RANGE("", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(RANGE("\"10.0.0.1/8\"", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(RANGE("\"fe80::1%eth0\"", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(RANGE("7", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two(RANGE("\"10.0.0.0/8\",\"10.1.0.0/16\"", BLUE), NULL), RC_INVALID);
    assert_int_equal(try_two("{\"kind\":\"range\"," BLUE "}", NULL), RC_INVALID);
}

static void what_belongs_to_listeners_is_refused_for_marks_and_ranges(void **state)
{
    static const char *const members[] = {
        "\"services\":[\"data\",\"control\"]",
        "\"subnet\":{\"id\":\"/x\"}",
        "\"interfaces\":[{\"name\":\"eth0\",\"subnet\":{\"id\":\"/x\"}}]",
        "\"privateEndpoints\":[{\"localAddress\":\"::1\",\"privateEndpoint\":{\"id\":\"/\"}}]",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
        struct str mark = arena_printf(
            &a, "{\"kind\":\"mark\",\"mark\":{\"value\":1,\"mask\":1}," BLUE ",%s}", members[i]);
        struct str range = arena_printf(
            &a, "{\"kind\":\"range\",\"range\":{\"addressPrefixes\":[\"10.0.0.0/8\"]}," BLUE ",%s}",
            members[i]);

        assert_int_equal(try_two(mark.ptr, NULL), RC_INVALID);
        assert_int_equal(try_two(range.ptr, NULL), RC_INVALID);
    }
}

static void two_attachments_never_claim_the_same_evidence(void **state)
{
    (void)state;
    assert_int_equal(try_two(DEVICE("br0", BLUE), DEVICE("br0", RED)), RC_CONFLICT);
    assert_int_equal(try_two(DEVICE("br0", BLUE), DEVICE("br1", RED)), RC_OK);
    assert_int_equal(try_two(MARK("1", "255", BLUE), MARK("1", "255", RED)), RC_CONFLICT);
    assert_int_equal(try_two(MARK("1", "255", BLUE), MARK("2", "255", RED)), RC_OK);
    assert_int_equal(try_two(MARK("1", "255", BLUE), MARK("257", "65535", RED)), RC_CONFLICT);
    assert_int_equal(try_two(MARK("1", "255", BLUE), MARK("258", "65535", RED)), RC_OK);
    assert_int_equal(try_two(MARK("1", "255", BLUE), MARK("256", "65280", RED)), RC_CONFLICT);
    assert_int_equal(try_two(RANGE("\"10.1.0.0/16\"", BLUE), RANGE("\"10.0.0.0/8\"", RED)),
                     RC_CONFLICT);
    assert_int_equal(try_two(RANGE("\"10.0.0.0/8\"", BLUE), RANGE("\"10.1.0.0/16\"", RED)),
                     RC_CONFLICT);
    assert_int_equal(try_two(RANGE("\"10.0.0.0/9\"", BLUE), RANGE("\"10.128.0.0/9\"", RED)), RC_OK);
    assert_int_equal(try_two(RANGE("\"0.0.0.0/0\"", BLUE), RANGE("\"::/0\"", RED)), RC_OK);
}

static void an_interface_of_a_device_is_that_device_s_on_a_main_listener_too(void **state)
{
    struct origin_table *t = table_of(DEVICE("br0", BLUE), RANGE("\"10.0.0.0/8\"", RED));
    struct evidence ev = on_main("10.0.0.4");

    (void)state;
    ev.ifindex = 5;
    memcpy(ev.interface, "br0", 4);
    assert_string_equal(word(t, &ev), "blue app");
    ev.peer.bytes[0] = 203; /* outside the network: never public */
    assert_string_equal(word(t, &ev), "unidentified");
    memcpy(ev.interface, "br1", 4);
    assert_string_equal(word(t, &ev), "public");
    ev.peer.bytes[0] = 10;
    assert_string_equal(word(t, &ev), "red app");
    memset(ev.interface, 0, sizeof(ev.interface)); /* gone since: it may have been br0 */
    assert_string_equal(word(t, &ev), "unidentified");
    memset(ev.interface, 'b', sizeof(ev.interface)); /* without an end */
    assert_string_equal(word(t, &ev), "red app");
    origin_table_unref(t);
}

static void who_speaks_for_others_from_inside_a_network_is_nobody(void **state)
{
    struct origin_table *t = table_of(DEVICE("br0", BLUE), MARK("1", "255", RED));
    struct evidence ev = on_main("203.0.113.7");
    struct origin o;

    (void)state;
    ev.ifindex = 5;
    memcpy(ev.interface, "br0", 4);
    ev.via = (struct ip_addr){4, {10, 0, 0, 4}};
    assert_string_equal(word(t, &ev), "unidentified");
    origin_resolve(t, &ev, &o);
    assert_true(ip_eq(&o.ip, &ev.via)); /* who it is, not who he says that he is */
    memcpy(ev.interface, "eth0", 5);
    assert_string_equal(word(t, &ev), "public");
    ev.mark = 1; /* a machine of that network with a forwarder's address */
    assert_string_equal(word(t, &ev), "unidentified");
    ev.mark = 0x101;
    ev.n_tlvs = 1; /* whatever its header tells */
    ev.tlvs[0] = (struct evidence_tlv){.type = TLV_AWS, .subtype = 1, .text = "vpce-1"};
    origin_resolve(t, &ev, &o);
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    assert_true(ip_eq(&o.ip, &ev.via));
    origin_table_unref(t);
}

static void without_devices_an_interface_that_is_gone_means_nothing(void **state)
{
    struct origin_table *t = table_of(RANGE("\"10.0.0.0/8\"", RED), NULL);
    struct evidence ev = on_main("10.0.0.4");

    (void)state;
    ev.ifindex = 5;
    assert_string_equal(word(t, &ev), "red app");
    origin_table_unref(t);
}

static void a_mark_counts_under_its_mask_and_an_unknown_one_is_nobody_s(void **state)
{
    struct origin_table *t = table_of(MARK("260", "4095", BLUE), RANGE("\"10.0.0.0/8\"", RED));
    struct evidence ev = on_main("10.0.0.4");

    (void)state;
    ev.mark = 260;
    assert_string_equal(word(t, &ev), "blue app");
    ev.mark = 0x5000 | 260; /* bits of other programs */
    assert_string_equal(word(t, &ev), "blue app");
    ev.mark = 261;
    assert_string_equal(word(t, &ev), "unidentified");
    ev.mark = 0x5000;
    assert_string_equal(word(t, &ev), "red app");
    ev.mark = 0;
    assert_string_equal(word(t, &ev), "red app");
    ev.mark = 260;
    ev.arrival = NET_NETNS; /* a listener of its own says more than any mark */
    assert_string_equal(word(t, &ev), "unidentified");
    origin_table_unref(t);
}

static void a_range_is_the_source_address_and_keeps_to_its_network_s_subnets(void **state)
{
    struct origin_table *t =
        table_of(RANGE("\"10.0.0.0/23\",\"fd00::/48\"", BLUE), RANGE("\"10.0.9.0/24\"", RED));
    struct evidence ev = on_main("10.0.0.4");

    (void)state;
    assert_string_equal(word(t, &ev), "blue app");
    ev = on_main("10.0.1.4"); /* without the service endpoint */
    assert_string_equal(word(t, &ev), "unidentified");
    ev = on_main("10.0.9.4"); /* outside every subnet */
    assert_string_equal(word(t, &ev), "unidentified");
    ev = on_main("10.0.2.4");
    assert_string_equal(word(t, &ev), "public");
    ev = on_main("9.255.255.255");
    assert_string_equal(word(t, &ev), "public");
    ev = on_main("fd00::4");
    assert_string_equal(word(t, &ev), "unidentified");
    ev = on_main("fd01::4");
    assert_string_equal(word(t, &ev), "public");
    origin_table_unref(t);
}

static void a_device_maps_local_addresses_and_interfaces_as_a_namespace_does(void **state)
{
    struct origin_table *t = table_of(
        "{\"kind\":\"device\",\"device\":{\"name\":\"br0\"}," BLUE
        ",\"interfaces\":[{\"name\":\"br0\",\"subnet\":{\"id\":\"" NETWORK_ID(
            "blue") "/subnets/app\"}}],\"privateEndpoints\":[{\"localAddress\":\"10.0.0.9\","
                    "\"privateEndpoint\":{\"id\":\"/pe\",\"uuid\":\"" UUID_TEXT("99") "\"}}]}",
        NULL);
    struct evidence ev = world_evidence(ONE, "br0", "192.0.2.1", "10.0.0.9");

    (void)state;
    ev.arrival = NET_DEVICE;
    ev.ifindex = 5;
    memcpy(ev.interface, "br0", 4);
    assert_string_equal(word(t, &ev), "private-endpoint");
    ev.local.bytes[3] = 1;
    assert_string_equal(word(t, &ev), "blue app");
    ev.arrival = NET_MAIN;
    ev.attachment = (struct uuid){{0}};
    assert_string_equal(word(t, &ev), "blue app");
    origin_table_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_has_a_name_that_an_interface_can_have),
        cmocka_unit_test(a_mark_can_match_something_and_not_everything),
        cmocka_unit_test(a_range_is_a_list_of_blocks_that_are_apart),
        cmocka_unit_test(what_belongs_to_listeners_is_refused_for_marks_and_ranges),
        cmocka_unit_test(two_attachments_never_claim_the_same_evidence),
        cmocka_unit_test(an_interface_of_a_device_is_that_device_s_on_a_main_listener_too),
        cmocka_unit_test(who_speaks_for_others_from_inside_a_network_is_nobody),
        cmocka_unit_test(without_devices_an_interface_that_is_gone_means_nothing),
        cmocka_unit_test(a_mark_counts_under_its_mask_and_an_unknown_one_is_nobody_s),
        cmocka_unit_test(a_range_is_the_source_address_and_keeps_to_its_network_s_subnets),
        cmocka_unit_test(a_device_maps_local_addresses_and_interfaces_as_a_namespace_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
