#include "test.h"

#include "admit/denial_log.h"
#include "json/json.h"
#include <stdio.h>

static struct denial denial(const char *registry, const char *ip)
{
    struct denial d = {.registry = str_from(registry), .reason = GATE_DEFAULT_ACTION};

    assert_int_equal(ip_parse(str_from(ip), &d.address, NULL), RC_OK);
    return d;
}

static struct json *recent(struct denial_log *l, const char *registry, uint64_t after)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT(1 << 20);
    struct json *list = NULL;

    denial_log_recent(l, str_from(registry), after, &out);
    assert_int_equal(json_parse(buf_str(&out), NULL, &list, NULL), RC_OK);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_refusals_of_a_registry_are_shown_oldest_first),
        cmocka_unit_test(a_flood_keeps_its_first_ten_of_each_second),
        cmocka_unit_test(all_sources_together_have_a_hundred_lines_a_second),
        cmocka_unit_test(every_refusal_is_counted_however_little_is_logged),
        cmocka_unit_test(another_network_or_registry_has_a_ration_of_its_own),
        cmocka_unit_test(only_the_newest_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
