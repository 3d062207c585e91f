/* What an attachment may say, and what it may not. */
#include "world.h"

#define BLUE_NETWORK "\"virtualNetwork\":{\"id\":\"" NETWORK_ID("blue") "\"}"
#define ONE          UUID_TEXT("b1")
#define TWO          UUID_TEXT("b2")

static enum rc try_one(const char *properties)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();

    return world_attachment(b, "one", ONE, properties);
}

static enum rc try_netns(const char *more)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);
    struct str text = arena_printf(
        &a, "{\"kind\":\"netns\",\"netns\":{\"name\":\"blue\"}," BLUE_NETWORK "%s}", more);

    return try_one(text.ptr);
}

static void a_listed_attachment_tells_its_place_and_services(void **state)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();
    const struct origin_attachment *list = NULL;
    struct uuid one = world_uuid(ONE);

    (void)state;
    assert_int_equal(world_attachment(b, "one", ONE,
                                      "{\"kind\":\"NetNS\",\"services\":[\"data\",\"control\"],"
                                      "\"netns\":{\"name\":\"blue\"}," BLUE_NETWORK "}"),
                     RC_OK);
    struct origin_table *t = origin_table_build(b);

    assert_int_equal(origin_attachments(t, &list), 1);
    assert_str(list[0].place, "blue");
    assert_str(list[0].name, "one");
    assert_str(list[0].id, "/providers/Kidoban.Network/attachments/one");
    assert_int_equal(list[0].kind, ATTACH_NETNS);
    assert_int_equal(list[0].services, ORIGIN_SERVICE_DATA | ORIGIN_SERVICE_CONTROL);
    assert_str(origin_attachment_name(t, &one), "one");
    assert_null(origin_attachment_name(t, &(struct uuid){{1}}).ptr);
    origin_table_unref(t);
}

static void two_attachments_cannot_claim_one_namespace(void **state)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();
    static const char text[] =
        "{\"kind\":\"netns\",\"netns\":{\"name\":\"blue\"}," BLUE_NETWORK "}";

    (void)state;
    assert_int_equal(world_attachment(b, "one", ONE, text), RC_OK);
    assert_int_equal(world_attachment(b, "two", TWO, text), RC_CONFLICT);
}

static void kinds_that_nobody_knows_are_refused(void **state)
{
    (void)state;
    assert_int_equal(try_one("{\"kind\":\"magic\"}"), RC_INVALID);
    assert_int_equal(try_one("{}"), RC_INVALID);
}

static void a_namespace_name_is_one_file_name(void **state)
{
    (void)state;
    assert_int_equal(try_one("{\"kind\":\"netns\"," BLUE_NETWORK "}"), RC_INVALID);
    assert_int_equal(try_one("{\"kind\":\"netns\",\"netns\":{\"name\":\"..\"}," BLUE_NETWORK "}"),
                     RC_INVALID);
    assert_int_equal(try_one("{\"kind\":\"netns\",\"netns\":{\"name\":\"a/b\"}," BLUE_NETWORK "}"),
                     RC_INVALID);
    assert_int_equal(try_one("{\"kind\":\"netns\",\"netns\":{\"name\":\"\"}," BLUE_NETWORK "}"),
                     RC_INVALID);
    assert_int_equal(try_one("{\"kind\":\"netns\",\"netns\":{\"name\":\"blue\"}}"), RC_INVALID);
}

static void members_are_checked(void **state)
{
    (void)state;
    assert_int_equal(try_netns(""), RC_OK);
    assert_int_equal(try_netns(",\"services\":[]"), RC_INVALID);
    assert_int_equal(try_netns(",\"services\":[\"control\"]"), RC_INVALID);
    assert_int_equal(try_netns(",\"services\":[\"data\",\"metrics\"]"), RC_INVALID);
    assert_int_equal(try_netns(",\"outboundPublicIPAddress\":\"10.0.0.0/8\""), RC_INVALID);
    assert_int_equal(try_netns(",\"subnet\":{\"id\":\"/x\"}"), RC_INVALID);
    assert_int_equal(try_netns(",\"interfaces\":[{\"name\":\"eth0\"}]"), RC_INVALID);
    assert_int_equal(
        try_netns(",\"interfaces\":[{\"name\":\"eth0\",\"subnet\":{\"id\":\"" NETWORK_ID(
            "red") "/subnets/app\"}}]"),
        RC_INVALID);
    assert_int_equal(try_netns(",\"interfaces\":[{\"name\":\"eth0\",\"subnet\":{\"id\":\"/x\"}},"
                               "{\"name\":\"eth0\",\"subnet\":{\"id\":\"/x\"}}]"),
                     RC_INVALID);
    assert_int_equal(try_netns(",\"privateEndpoints\":[{\"privateEndpoint\":{\"id\":\"/p\"}}]"),
                     RC_INVALID);
    assert_int_equal(try_netns(",\"privateEndpoints\":[{\"localAddress\":\"10.0.0.9\","
                               "\"privateEndpoint\":{\"id\":\"/p\",\"uuid\":\"1\"}}]"),
                     RC_INVALID);
}

static void a_network_whose_subnets_are_not_understood_is_refused(void **state)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = origin_builder_new();

    (void)state;
    assert_int_equal(
        world_network(b, NETWORK_ID("x"), ONE, "{\"properties\":{\"subnets\":[{\"name\":\"n\"}]}}"),
        RC_INVALID);
    assert_int_equal(world_network(b, NETWORK_ID("x"), ONE,
                                   "{\"properties\":{\"subnets\":[{\"name\":\"n\",\"uuid\":\"" ONE
                                   "\",\"properties\":{\"addressPrefix\":\"10.0.0.1/8\"}}]}}"),
                     RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listed_attachment_tells_its_place_and_services),
        cmocka_unit_test(two_attachments_cannot_claim_one_namespace),
        cmocka_unit_test(kinds_that_nobody_knows_are_refused),
        cmocka_unit_test(a_namespace_name_is_one_file_name),
        cmocka_unit_test(members_are_checked),
        cmocka_unit_test(a_network_whose_subnets_are_not_understood_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
