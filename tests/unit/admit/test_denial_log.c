#include "test.h"

#include "admit/denial_log.h"
#include "json/json.h"
#include <stdio.h>

static struct json *recent_named(struct denial_log *l, const char *registry, uint64_t after,
                                 const struct origin_table *names)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(1 << 20);
    struct json *list = NULL;

    denial_log_recent(l, str_from(registry), after, names, &out);
    assert_int_equal(json_parse(buf_str(&out), NULL, &list, NULL), RC_OK);
    return list;
}

static struct denial denial(const char *registry, const char *ip)
{
    struct denial d = {.registry = str_from(registry), .reason = GATE_DEFAULT_ACTION};

    assert_int_equal(ip_parse(str_from(ip), &d.address, NULL), RC_OK);
    return d;
}

static struct json *recent(struct denial_log *l, const char *registry, uint64_t after)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = origin_builder_new();
    struct origin_table *nothing = origin_table_build(b);
    struct json *list = recent_named(l, registry, after, nothing);

    origin_table_unref(nothing);
    return list;
}

static void the_newest_refusals_of_a_registry_are_shown_oldest_first(void **state)
{
    struct denial_log *l = denial_log_new();
    struct denial one = denial("One", "192.0.2.1"), other = denial("other", "192.0.2.2");

    (void)state;
    assert_true(denial_log_add(l, &one, 0));
    assert_true(denial_log_add(l, &other, 0));
    one = denial("one", "192.0.2.3");
    assert_true(denial_log_add(l, &one, 0));

    CLEANUP(json_freep) struct json *list = recent(l, "ONE", 0);
    assert_int_equal(json_len(list), 2);
    assert_true(str_is(json_str(json_get(json_at(list, 0), "ip")), "192.0.2.1"));
    assert_true(str_is(json_str(json_get(json_at(list, 1), "ip")), "192.0.2.3"));
    assert_true(json_bool(json_get(json_at(list, 0), "refused"), false));

    CLEANUP(json_freep) struct json *newer = recent(l, "one", 1);
    assert_int_equal(json_len(newer), 1);
    assert_int_equal(json_int(json_get(json_at(newer, 0), "serial"), 0), 3);
    denial_log_free(l);
}

static void a_flood_keeps_its_first_ten_of_each_second(void **state)
{
    struct denial_log *l = denial_log_new();
    struct denial d = denial("flooded", "192.0.2.1");
    unsigned in_full = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        in_full += denial_log_add(l, &d, 0);
    assert_int_equal(in_full, 10);
    CLEANUP(json_freep) struct json *list = recent(l, "flooded", 0);
    assert_int_equal(json_len(list), 10);
    denial_log_free(l);
}

static void all_sources_together_have_a_hundred_lines_a_second(void **state)
{
    struct denial_log *l = denial_log_new();
    unsigned in_full = 0;
    char ip[32];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(ip, sizeof(ip), "10.0.%d.%d", i / 250, i % 250);
        struct denial d = denial("flooded", ip);

        in_full += denial_log_add(l, &d, 5 * 1000000 + i);
    }
    assert_int_equal(in_full, 100);
    struct denial d = denial("flooded", "10.0.0.1");

    assert_true(denial_log_add(l, &d, 6 * 1000000)); /* a new second */
    denial_log_free(l);
}

/* Each loop has a clock of its own, which may be behind by a turn. */
static void a_loop_whose_clock_is_behind_brings_no_new_ration(void **state)
{
    struct denial_log *l = denial_log_new();
    struct denial d = denial("flooded", "192.0.2.1");
    unsigned in_full = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        in_full += denial_log_add(l, &d, 8 * 1000000);
        in_full += denial_log_add(l, &d, 8 * 1000000 - 1);
        denial_log_tick(l, 8 * 1000000 - 1);
    }
    assert_int_equal(in_full, 10);
    assert_true(denial_log_add(l, &d, 9 * 1000000));
    denial_log_free(l);
}

static void every_refusal_is_counted_however_little_is_logged(void **state)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
    struct denial_log *l = denial_log_new();
    struct denial d = denial("Flooded", "192.0.2.1"), host = denial("x", "192.0.2.1");

    (void)state;
    host.registry = STR_NONE; /* a Host that is nobody's: rationed, not counted */
    for (int i = 0; i < 1000; i++) {
        (void)denial_log_add(l, &d, 0);
        (void)denial_log_add(l, &host, 0);
    }
    denial_log_render(l, &out);
    assert_non_null(strstr(buf_cstr(&out),
                           "kidoban_gate_denied_by_registry_total{registry=\"flooded\","
                           "origin=\"unidentified\",reason=\"default-action\"} 1000\n"));
    denial_log_free(l);
}

static void another_network_or_registry_has_a_ration_of_its_own(void **state)
{
    struct denial_log *l = denial_log_new();
    struct denial d = denial("one", "192.0.2.1");

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(denial_log_add(l, &d, 0));
    assert_false(denial_log_add(l, &d, 0));
    d.attachment.bytes[0] = 1;
    assert_true(denial_log_add(l, &d, 0));
    d.registry = STR("two");
    assert_true(denial_log_add(l, &d, 0));
    denial_log_free(l);
}

static void only_the_newest_are_kept(void **state)
{
    struct denial_log *l = denial_log_new();
    struct denial d = denial("busy", "192.0.2.1");

    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_true(denial_log_add(l, &d, (int64_t)i * 1000000));
    CLEANUP(json_freep) struct json *list = recent(l, "busy", 0);
    assert_int_equal(json_len(list), 2048);
    assert_int_equal(json_int(json_get(json_at(list, 0), "serial"), 0), 953);
    denial_log_free(l);
}

#define VNET   "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/blue"
#define SUBNET "00000000-0000-0000-0000-000000000002"

static struct origin_table *one_network(const struct uuid *attachment)
{
    static const char network[] =
        "{\"properties\":{\"subnets\":[{\"name\":\"apps\",\"uuid\":\"" SUBNET "\",\"properties\":{"
        "\"addressPrefix\":\"10.0.0.0/"
        "24\",\"serviceEndpoints\":[{\"service\":\"" ORIGIN_SERVICE_ENDPOINT "\"}]}}]}}";
    static const char range[] =
        "{\"properties\":{\"kind\":\"range\",\"virtualNetwork\":{\"id\":\"" VNET
        "\"},\"range\":{\"addressPrefixes\":[\"10.0.0.0/16\"]}}}";
    CLEANUP(origin_builder_freep) struct origin_builder *b = origin_builder_new();
    CLEANUP(json_freep) struct json *n = NULL, *r = NULL;
    struct uuid uuid = {{1}};

    assert_int_equal(json_parse(STR(network), NULL, &n, NULL), RC_OK);
    assert_int_equal(json_parse(STR(range), NULL, &r, NULL), RC_OK);
    assert_int_equal(origin_builder_network(b, STR(VNET), &uuid, n, NULL), RC_OK);
    assert_int_equal(
        origin_builder_attachment(b, STR("/providers/Kidoban.Network/attachments/at-blue"),
                                  attachment, r, NULL),
        RC_OK);
    return origin_table_build(b);
}

static void a_refusal_is_told_with_the_names_of_its_attachment_and_subnet(void **state)
{
    struct denial_log *l = denial_log_new();
    struct denial d = denial("one", "10.0.0.4"), gone = denial("one", "10.0.0.5");

    (void)state;
    d.attachment.bytes[0] = 7;
    d.origin = gone.origin = ORIGIN_SUBNET;
    assert_int_equal(uuid_parse(STR(SUBNET), &d.subnet, NULL), RC_OK);
    gone.attachment.bytes[0] = gone.subnet.bytes[0] = 9;
    assert_true(denial_log_add(l, &d, 0));
    assert_true(denial_log_add(l, &gone, 0));

    struct origin_table *names = one_network(&d.attachment);
    CLEANUP(json_freep) struct json *list = recent_named(l, "one", 0, names);

    assert_true(str_is(json_str(json_get(json_at(list, 0), "attachment")), "at-blue"));
    assert_true(str_is(json_str(json_get(json_at(list, 0), "subnet")), VNET "/subnets/apps"));
    assert_int_equal(json_type(json_get(json_at(list, 1), "attachment")), JSON_NULL);
    assert_int_equal(json_type(json_get(json_at(list, 1), "subnet")), JSON_NULL);
    origin_table_unref(names);
    denial_log_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_refusals_of_a_registry_are_shown_oldest_first),
        cmocka_unit_test(a_flood_keeps_its_first_ten_of_each_second),
        cmocka_unit_test(all_sources_together_have_a_hundred_lines_a_second),
        cmocka_unit_test(a_loop_whose_clock_is_behind_brings_no_new_ration),
        cmocka_unit_test(every_refusal_is_counted_however_little_is_logged),
        cmocka_unit_test(another_network_or_registry_has_a_ration_of_its_own),
        cmocka_unit_test(only_the_newest_are_kept),
        cmocka_unit_test(a_refusal_is_told_with_the_names_of_its_attachment_and_subnet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
