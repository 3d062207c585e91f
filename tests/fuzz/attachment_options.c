/* The options of `kidoban network attachment create`, each ended by NUL, and what the server makes
 * of what is sent for them. Property: both refuse with words, or the attachment is there; a mark
 * that was typed in decimal is that number. */
#include "fuzz.h"

#include "cli/command.h"
#include "origin/origin.h"
#include <stdlib.h>

enum { WORDS_MAX = 40, BYTES_MAX = 2048 };
#define NETWORK "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* Cuts `bytes`, which ends with NUL, into words. */
static int cut(char *bytes, size_t size, char *argv[WORDS_MAX])
{
    int n = 0;

    for (size_t at = 0; at < size && n < WORDS_MAX; at += strlen(bytes + at) + 1)
        argv[n++] = bytes + at;
    return n;
}

static void mark_is_as_typed(const struct cli_args *a, const struct json *body)
{
    struct str rest = str_from(cli_value(a, CLI_MARK)), value = str_split(&rest, '/');
    uint64_t typed = 0;

    if (str_to_u64(value, &typed) == RC_OK)
        must(json_int(json_path(body, "properties.mark.value"), -1) == (int64_t)typed);
}

static void serve(const struct json *body)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = origin_builder_new();
    const struct origin_attachment *list;
    struct err e = {0};

    if (origin_builder_attachment(b, STR("/providers/Kidoban.Network/attachments/a"),
                                  &(struct uuid){{1}}, body, &e) != RC_OK) {
        must(e.text[0]);
        return;
    }
    struct origin_table *t = origin_table_build(b);

    must(origin_attachments(t, &list) == 1);
    origin_table_unref(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) struct json *body = NULL;
    char bytes[BYTES_MAX + 1] = {0};
    char *argv[WORDS_MAX];
    struct cli_args a;
    struct err e = {0};

    if (size > BYTES_MAX)
        return 0;
    if (size > 0)
        memcpy(bytes, data, size);
    if (cli_args_parse(cut(bytes, size, argv), argv, &a, &e) != RC_OK) {
        must(e.text[0]);
        return 0;
    }
    if (cli_args_check(&a, cli_attachment_commands[0].takes, &e) != RC_OK)
        return 0;
    if (cli_attachment_body(&a, STR(NETWORK), &body, &e) != RC_OK) {
        must(!body && e.text[0]);
        return 0;
    }
    if (str_is(str_from(cli_value(&a, CLI_KIND)), "mark"))
        mark_is_as_typed(&a, body);
    serve(body);
    return 0;
}
