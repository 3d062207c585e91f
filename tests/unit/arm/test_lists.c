/* Lists over all types, and tags as things of their own. */
#include "fixture.h"

#include "arm/resource.h"

#define LOCAL  "{\"location\":\"westus\"}"
#define BASIC  "{\"location\":\"westus\",\"sku\":{\"name\":\"Basic\"}"
#define TAGGED "{\"location\":\"westus\",\"tags\":{\"Team\":\"blue\"},"
#define SPACE  "\"properties\":{\"addressSpace\":{\"addressPrefixes\":[\"10.0.0.0/16\"]}}}"
#define TAGS   "/providers/Microsoft.Resources/tags/default"
#define FIND   S "/resources?$filter="
#define TWIN   S "/resourceGroups/twin"

/* Two groups; the registry in one, a network of the same team in each. */
static struct control *lab(void **state)
{
    struct control *c = *state;

    assert_int_equal(control(c, "PUT", G, LOCAL), 201);
    assert_int_equal(
        control(c, "PUT", TWIN, "{\"location\":\"westus\",\"tags\":{\"team\":\"blue\"}}"), 201);
    assert_int_equal(control(c, "PUT", REGISTRY, BASIC "}"), 201);
    assert_int_equal(control(c, "PUT", VNET, TAGGED SPACE), 201);
    assert_int_equal(
        control(c, "PUT", TWIN "/providers/Microsoft.Network/virtualNetworks/V", TAGGED SPACE),
        201);
    control_operations(c);
    return c;
}

static size_t found(struct control *c, const char *target)
{
    assert_int_equal(control(c, "GET", target, NULL), 200);
    return json_len(json_get(c->answer, "value"));
}

static void a_filter_leaves_what_was_asked_for(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(found(c, S "/resources"), 3);
    assert_int_equal(found(c, FIND "resourceGroup%20eq%20%27LAB%27"), 2);
    assert_int_equal(found(c, FIND "name%20eq%20%27v%27"), 2);
    assert_int_equal(found(c, FIND "tagname%20eq%20%27TEAM%27"), 2);
    assert_int_equal(found(c, FIND "tagName%20eq%20%27team%27%20and%20tagValue%20eq%20%27Blue%27"),
                     0);
    assert_int_equal(found(c, FIND
                           "resourceType%20eq%20%27microsoft.network/virtualnetworks%27%20and%20"
                           "resourceGroup%20eq%20%27twin%27"),
                     1);
    assert_int_equal(found(c, FIND "location%20eq%20%27westus%27"), 3);
    assert_int_equal(found(c, G "/resources"), 2);
    assert_int_equal(found(c, S "/resourceGroups?$filter=tagName%20eq%20%27team%27"), 1);
    assert_int_equal(control(c, "GET", S "/resourceGroups/none/resources", NULL), 404);
}

static void what_a_list_shows_can_be_expanded(void **state)
{
    struct control *c = lab(state);
    const struct json *one;

    assert_int_equal(found(c, S "/resources"), 3);
    assert_null(json_get(json_at(json_get(c->answer, "value"), 0), "createdTime"));
    assert_int_equal(found(c, S "/resources?$expand=createdTime,changedTime,provisioningState"), 3);
    one = json_at(json_get(c->answer, "value"), 0);
    assert_str(json_str(json_get(one, "provisioningState")), "Succeeded");
    assert_true(json_str(json_get(one, "createdTime")).len > 20);
}

/* The rest of a list, page by page as it leads. */
static size_t pages(struct control *c, const char *target, size_t page)
{
    char next[4096];
    size_t n = 0, got;

    snprintf(next, sizeof(next), "%s", target);
    for (;;) {
        got = found(c, next);
        assert_true(got > 0 && got <= page);
        n += got;
        if (!json_get(c->answer, "nextLink"))
            return n;
        assert_int_equal(got, page);
        struct str link = str_skip(answer_text(c, "nextLink"), strlen("https://localhost:8443"));

        assert_int_equal(str_copy(link, next, sizeof(next)), RC_OK);
    }
}

static void a_page_holds_as_many_as_were_asked_for(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(pages(c, S "/resources?$top=1&api-version=2021-04-01", 1), 3);
    assert_int_equal(pages(c, S "/resources?$top=2", 2), 3);
    assert_int_equal(pages(c, S "/resources?$top=3", 3), 3);
    assert_int_equal(pages(c, FIND "name%20eq%20%27v%27&$top=1", 1), 2);
    assert_int_equal(pages(c, S "/resourceGroups?$top=1", 1), 2);
    assert_int_equal(control(c, "GET", S "/resources?$top=0", NULL), 400);
    assert_int_equal(control(c, "GET", S "/resources?$top=x", NULL), 400);
    assert_int_equal(control(c, "GET", S "/resources?$skiptoken=x", NULL), 400);
    assert_str(answer_text(c, "error.code"), "InvalidSkipToken");
}

static void tags_are_read_and_replaced_at_every_scope(void **state)
{
    static const char *const scopes[] = {S TAGS, G TAGS, REGISTRY TAGS, VNET TAGS};
    struct control *c = lab(state);

    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        assert_int_equal(control(c, "PUT", scopes[i], "{\"properties\":{\"tags\":{\"a\":\"1\"}}}"),
                         200);
        assert_str(answer_text(c, "id"), scopes[i]);
        assert_str(answer_text(c, "properties.tags.a"), "1");
        assert_int_equal(control(c, "GET", scopes[i], NULL), 200);
        assert_str(answer_text(c, "properties.tags.a"), "1");
        assert_int_equal(control(c, "DELETE", scopes[i], NULL), 200);
        assert_int_equal(control(c, "GET", scopes[i], NULL), 200);
        assert_int_equal(json_len(json_path(c->answer, "properties.tags")), 0);
    }
    assert_int_equal(control(c, "GET", VNET "x" TAGS, NULL), 404);
    assert_str(answer_text(c, "error.code"), "ResourceNotFound");
    assert_int_equal(control(c, "GET", S "/resourceGroups/none" TAGS, NULL), 404);
    assert_str(answer_text(c, "error.code"), "ResourceGroupNotFound");
}

static void
more_tags_than_a_resource_can_have_are_refused_before_they_are_all_compared(void **state)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    struct control *c = lab(state);

    buf_add(&body, STR("{\"operation\":\"Merge\",\"properties\":{\"tags\":{\"x\":\"1\""));
    for (int i = 0; i < 60000; i++)
        buf_addf(&body, ",\"%05d\":\"\"", i);
    buf_add(&body, STR("}}}"));
    buf_addc(&body, '\0');
    assert_int_equal(control(c, "PATCH", VNET TAGS, body.ptr), 400);
    assert_str(answer_text(c, "error.code"), "InvalidTags");
    assert_non_null(strstr(answer_text(c, "error.message").ptr, " 51 tags"));
}

static void a_tag_is_a_text_whatever_is_sent_and_counted_in_characters(void **state)
{
    static const char two[] = "\xc3\xbc"; /* one character of two bytes */
    CLEANUP(buf_done) struct buf body = BUF_INIT(4096);
    struct control *c = lab(state);

    assert_int_equal(
        control(c, "PUT", VNET TAGS, "{\"properties\":{\"tags\":{\"n\":1,\"b\":true,\"r\":1.5}}}"),
        200);
    assert_str(answer_text(c, "properties.tags.n"), "1");
    assert_str(answer_text(c, "properties.tags.b"), "true");
    assert_str(answer_text(c, "properties.tags.r"), "1.5");
    assert_int_equal(control(c, "PUT", VNET TAGS, "{\"properties\":{\"tags\":{\"n\":[]}}}"), 400);
    assert_str(answer_text(c, "error.code"), "InvalidTagValueContent");
    for (int n = 256; n <= 257; n++) {
        buf_clear(&body);
        buf_add(&body, STR("{\"properties\":{\"tags\":{\"n\":\""));
        for (int i = 0; i < n; i++)
            buf_add(&body, str_from(two));
        buf_add(&body, STR("\"}}}"));
        buf_addc(&body, '\0');
        assert_int_equal(control(c, "PUT", VNET TAGS, body.ptr), n == 256 ? 200 : 400);
    }
}

static void tags_are_merged_replaced_and_taken_away(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(
        control(
            c, "PATCH", VNET TAGS,
            "{\"operation\":\"Merge\",\"properties\":{\"tags\":{\"team\":\"red\",\"b\":\"2\"}}}"),
        200);
    assert_str(answer_text(c, "properties.tags.Team"), "red");
    assert_str(answer_text(c, "properties.tags.b"), "2");
    assert_int_equal(
        control(
            c, "PATCH", VNET TAGS,
            "{\"operation\":\"delete\",\"properties\":{\"tags\":{\"TEAM\":\"blue\",\"b\":\"\"}}}"),
        200);
    assert_str(answer_text(c, "properties.tags.Team"), "red");
    assert_null(json_path(c->answer, "properties.tags.b"));
    assert_int_equal(control(c, "PATCH", VNET TAGS,
                             "{\"operation\":\"Replace\",\"properties\":{\"tags\":{\"c\":\"3\"}}}"),
                     200);
    assert_int_equal(json_len(json_path(c->answer, "properties.tags")), 1);
    assert_int_equal(control(c, "GET", VNET, NULL), 200);
    assert_str(answer_text(c, "tags.c"), "3");
    assert_int_equal(
        control(c, "PATCH", VNET TAGS, "{\"operation\":\"x\",\"properties\":{\"tags\":{}}}"), 400);
    assert_int_equal(control(c, "PUT", VNET TAGS, "{}"), 400);
}

static void tag_names_are_those_in_use_and_those_predefined(void **state)
{
    struct control *c = lab(state);
    const struct json *one;

    assert_int_equal(found(c, S "/tagNames"), 1); /* Team and team are one */
    one = json_at(json_get(c->answer, "value"), 0);
    assert_int_equal(json_int(json_path(one, "count.value"), 0), 3);
    assert_int_equal(control(c, "PUT", S "/tagNames/dept?api-version=1", NULL), 201);
    assert_str(answer_text(c, "tagName"), "dept");
    assert_int_equal(control(c, "PUT", S "/tagNames/Dept", NULL), 200);
    assert_int_equal(control(c, "PUT", S "/tagNames/dept/tagValues/north", NULL), 201);
    assert_str(answer_text(c, "tagValue"), "north");
    assert_int_equal(control(c, "PUT", S "/tagNames/dept/tagValues/north", NULL), 200);
    assert_int_equal(found(c, S "/tagNames"), 2);
    assert_int_equal(control(c, "DELETE", S "/tagNames/dept/tagValues/north", NULL), 200);
    assert_int_equal(control(c, "DELETE", S "/tagNames/dept/tagValues/north", NULL), 204);
    assert_int_equal(control(c, "DELETE", S "/tagNames/DEPT", NULL), 200);
    assert_int_equal(control(c, "DELETE", S "/tagNames/dept", NULL), 204);
    assert_int_equal(found(c, S "/tagNames"), 1);
}

static void what_a_group_cannot_do_is_not_supported(void **state)
{
    struct control *c = lab(state);

    assert_int_equal(control(c, "POST", G "/exportTemplate", "{}"), 400);
    assert_str(answer_text(c, "error.code"), "NotSupported");
    assert_int_equal(control(c, "GET", G "/providers/Microsoft.Compute/virtualMachines", NULL),
                     400);
    assert_str(answer_text(c, "error.code"), "NotSupported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(a_filter_leaves_what_was_asked_for),
        CONTROL_TEST(what_a_list_shows_can_be_expanded),
        CONTROL_TEST(a_page_holds_as_many_as_were_asked_for),
        CONTROL_TEST(tags_are_read_and_replaced_at_every_scope),
        CONTROL_TEST(tag_names_are_those_in_use_and_those_predefined),
        CONTROL_TEST(what_a_group_cannot_do_is_not_supported),
        CONTROL_TEST(more_tags_than_a_resource_can_have_are_refused_before_they_are_all_compared),
        CONTROL_TEST(a_tag_is_a_text_whatever_is_sent_and_counted_in_characters),
        CONTROL_TEST(tags_are_merged_replaced_and_taken_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
