/* Evidence becomes the origin that the configuration says, and never a better one. */
#include "world.h"

#define NETNS(name, network, more)                                                                 \
    "{\"kind\":\"netns\",\"netns\":{\"name\":\"" name                                              \
    "\"},\"virtualNetwork\":{\"id\":\"" NETWORK_ID(network) "\"}" more "}"
#define BLUE     UUID_TEXT("b1")
#define RED      UUID_TEXT("b2")
#define OUT      UUID_TEXT("b3")
#define GONE     UUID_TEXT("b4")
#define IFACE    UUID_TEXT("b5")
#define LOCAL    "10.0.0.1"
#define AT_BLUE  BLUE, "blue"
#define AT_RED   RED, "red"
#define AT_OUT   OUT, "out"
#define AT_GONE  GONE, "gone"
#define AT_IFACE IFACE, "iface"

static struct origin_table *world(void)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();

    assert_int_equal(
        world_attachment(
            b, "blue", BLUE,
            NETNS("blue", "blue",
                  ",\"trustedService\":true,\"privateEndpoints\":[{\"localAddress\":"
                  "\"10.0.0.9\",\"privateEndpoint\":{\"id\":\"/pe\",\"uuid\":\"" UUID_TEXT(
                      "99") "\"}}]")),
        RC_OK);
    assert_int_equal(world_attachment(b, "red", RED, NETNS("red", "RED", "")), RC_OK);
    assert_int_equal(
        world_attachment(b, "out", OUT,
                         NETNS("out", "blue", ",\"outboundPublicIPAddress\":\"203.0.113.7\"")),
        RC_OK);
    assert_int_equal(world_attachment(b, "gone", GONE, NETNS("gone", "none", "")), RC_OK);
    assert_int_equal(
        world_attachment(
            b, "iface", IFACE,
            NETNS("iface", "blue",
                  ",\"interfaces\":[{\"name\":\"eth1\",\"subnet\":{\"id\":\"" NETWORK_ID(
                      "blue") "/subnets/corner\"}},{\"name\":\"eth2\",\"subnet\":{"
                              "\"id\":\"/gone\"}}]")),
        RC_OK);
    return origin_table_build(b);
}

static struct origin resolve(const struct origin_table *t, const struct evidence *ev)
{
    struct origin o;

    origin_resolve(t, ev, &o);
    return o;
}

static struct origin from(const struct origin_table *t, const char *attachment, const char *place,
                          const char *peer)
{
    struct evidence ev = world_evidence(attachment, place, peer, LOCAL);

    return resolve(t, &ev);
}

static void expect_subnet(const struct origin *o, const char *uuid)
{
    struct uuid want = world_uuid(uuid);

    assert_string_equal(origin_kind_name(o->kind), "subnet");
    assert_true(uuid_eq(&o->subnet, &want));
}

static void expect_ip(const struct origin *o, const char *ip)
{
    char text[IP_TEXT_MAX];

    assert_str(ip_format(&o->ip, text), ip);
}

static void one_address_in_two_networks_is_two_origins(void **state)
{
    struct origin_table *t = world();
    struct origin blue = from(t, AT_BLUE, "10.0.0.4"), red = from(t, AT_RED, "10.0.0.4");

    (void)state;
    expect_subnet(&blue, UUID_TEXT("01"));
    expect_subnet(&red, UUID_TEXT("11"));
    expect_ip(&blue, "10.0.0.4");
    assert_true(blue.trusted_service);
    assert_false(red.trusted_service);
    assert_int_equal(blue.attachment.bytes[15], 0xb1);
    origin_table_unref(t);
}

static void the_longest_prefix_names_the_subnet(void **state)
{
    struct origin_table *t = world();
    struct origin o = from(t, AT_BLUE, "10.0.0.127");

    (void)state;
    expect_subnet(&o, UUID_TEXT("01"));
    o = from(t, AT_BLUE, "10.0.0.128");
    expect_subnet(&o, UUID_TEXT("03"));
    origin_table_unref(t);
}

static void a_source_outside_every_prefix_is_unidentified_and_not_trusted(void **state)
{
    struct origin_table *t = world();
    struct origin o = from(t, AT_BLUE, "192.0.2.4");

    (void)state;
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    assert_false(o.trusted_service);
    expect_ip(&o, "192.0.2.4");
    o = from(t, AT_OUT, "192.0.2.4");
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED); /* the outbound address is for subnets */
    origin_table_unref(t);
}

static void without_the_service_endpoint_only_the_outbound_address_counts(void **state)
{
    struct origin_table *t = world();
    struct origin o = from(t, AT_BLUE, "10.0.1.4");

    (void)state;
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    o = from(t, AT_BLUE, "fd00::4");
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    o = from(t, AT_OUT, "10.0.1.4");
    assert_int_equal(o.kind, ORIGIN_PUBLIC);
    expect_ip(&o, "203.0.113.7");
    o = from(t, AT_OUT, "10.0.0.4");
    expect_subnet(&o, UUID_TEXT("01"));
    origin_table_unref(t);
}

static void a_local_address_is_a_private_endpoint_and_no_other_is(void **state)
{
    struct origin_table *t = world();
    struct evidence ev = world_evidence(AT_BLUE, "10.0.1.4", "10.0.0.9");
    struct origin o = resolve(t, &ev);
    struct uuid want = world_uuid(UUID_TEXT("99"));

    (void)state;
    assert_int_equal(o.kind, ORIGIN_PRIVATE_ENDPOINT);
    assert_true(uuid_eq(&o.private_endpoint, &want));
    o = from(t, AT_BLUE, "10.0.1.4");
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    ev = world_evidence(AT_RED, "10.0.0.4", "10.0.0.9");
    o = resolve(t, &ev);
    expect_subnet(&o, UUID_TEXT("11"));
    origin_table_unref(t);
}

static void the_interface_names_the_subnet_whatever_the_source_says(void **state)
{
    struct origin_table *t = world();
    struct evidence ev = world_evidence(AT_IFACE, "10.0.1.4", LOCAL);
    struct origin o = resolve(t, &ev);

    (void)state;
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED); /* interface not known */
    memcpy(ev.interface, "eth1", 5);
    o = resolve(t, &ev);
    expect_subnet(&o, UUID_TEXT("03"));
    memcpy(ev.interface, "eth2", 5); /* its subnet is gone */
    o = resolve(t, &ev);
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    ev = world_evidence(AT_IFACE, "10.0.0.4", LOCAL);
    memcpy(ev.interface, "eth3", 5); /* not named: by source */
    o = resolve(t, &ev);
    expect_subnet(&o, UUID_TEXT("01"));
    origin_table_unref(t);
}

static void unknown_attachments_and_gone_networks_are_unidentified(void **state)
{
    struct origin_table *t = world();
    struct origin o = from(t, UUID_TEXT("ff"), "blue", "10.0.0.4");

    (void)state;
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    o = from(t, AT_GONE, "10.0.0.4");
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    origin_table_unref(t);
}

static void a_connection_of_where_an_attachment_stood_before_is_unidentified(void **state)
{
    struct origin_table *t = world();
    struct evidence ev = world_evidence(AT_BLUE, "10.0.0.4", LOCAL);
    struct origin o = resolve(t, &ev);

    (void)state;
    expect_subnet(&o, UUID_TEXT("01"));
    for (const char *other = "blu\0bluer\0Blue\0red\0"; *other; other += strlen(other) + 1) {
        o = from(t, BLUE, other, "10.0.0.4");
        assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
        o = from(t, BLUE, other, "10.0.0.9"); /* not its private endpoint's either */
        assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
        assert_false(o.trusted_service);
    }
    ev.arrival = NET_DEVICE; /* the same name, of another kind */
    o = resolve(t, &ev);
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    memset(ev.place, 'x', sizeof(ev.place)); /* without an end */
    o = resolve(t, &ev);
    assert_int_equal(o.kind, ORIGIN_UNIDENTIFIED);
    origin_table_unref(t);
}

static void a_main_listener_sees_the_public_address(void **state)
{
    struct origin_table *t = world();
    struct evidence ev = world_evidence(AT_BLUE, "10.0.0.4", LOCAL);
    struct origin o;

    (void)state;
    ev.arrival = NET_MAIN;
    ev.attachment = (struct uuid){{0}};
    o = resolve(t, &ev);
    assert_int_equal(o.kind, ORIGIN_PUBLIC);
    expect_ip(&o, "10.0.0.4");
    assert_true(uuid_is_nil(&o.attachment));
    ev.arrival = NET_PROXY;
    o = resolve(t, &ev);
    assert_int_equal(o.kind, ORIGIN_PUBLIC);
    origin_table_unref(t);
}

static void a_subnet_is_explained_by_its_id_in_any_case(void **state)
{
    struct origin_table *t = world();
    struct origin o;

    (void)state;
    assert_int_equal(origin_of_subnet(t, STR(NETWORK_ID("bLUE") "/SUBNETS/app"), &o, NULL), RC_OK);
    expect_subnet(&o, UUID_TEXT("01"));
    assert_str(origin_subnet_id(t, &o.subnet), NETWORK_ID("Blue") "/subnets/app");
    assert_int_equal(origin_of_subnet(t, STR(NETWORK_ID("blue") "/subnets/db"), &o, NULL), RC_OK);
    assert_int_equal(o.kind, ORIGIN_PUBLIC);
    expect_ip(&o, "203.0.113.7");
    assert_int_equal(origin_of_subnet(t, STR("/x"), &o, NULL), RC_NOT_FOUND);
    origin_table_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_in_two_networks_is_two_origins),
        cmocka_unit_test(the_longest_prefix_names_the_subnet),
        cmocka_unit_test(a_source_outside_every_prefix_is_unidentified_and_not_trusted),
        cmocka_unit_test(without_the_service_endpoint_only_the_outbound_address_counts),
        cmocka_unit_test(a_local_address_is_a_private_endpoint_and_no_other_is),
        cmocka_unit_test(the_interface_names_the_subnet_whatever_the_source_says),
        cmocka_unit_test(unknown_attachments_and_gone_networks_are_unidentified),
        cmocka_unit_test(a_connection_of_where_an_attachment_stood_before_is_unidentified),
        cmocka_unit_test(a_main_listener_sees_the_public_address),
        cmocka_unit_test(a_subnet_is_explained_by_its_id_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
