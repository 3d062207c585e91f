#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "sys/file.h"
#include <stdio.h>
#include <unistd.h>

enum { OUTPUT_MAX = 128 * 1024 * 1024 };
enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND };

static const struct cli_command *const tables[] = {cli_group_commands, cli_registry_commands,
                                                   cli_rule_commands, cli_vnet_commands,
                                                   cli_attachment_commands};

static const char head[] =
    "usage: kidoban serve [options]          the server (kidoban serve --help)\n"
    "       kidoban COMMAND [options]        a client of its control plane\n"
    "       kidoban admin reset --data DIR   a new secret for the administrator\n"
    "       kidoban ca renew --data DIR      new certificates\n"
    "\n";
static const char tail[] =
    "\n"
    "Options of every command:\n"
    "  --output -o json|table|tsv|none  --data DIR | --credentials FILE  --control URL  --help -h\n"
    "KIDOBAN_DATA, KIDOBAN_CREDENTIALS and KIDOBAN_CONTROL_URL say the same as the options.\n"
    "Options that must be given are marked with !.\n";

/* Do the words that were typed begin the command's name, or are they all of it? */
static bool matches(const struct cli_args *a, const char *words, bool whole)
{
    struct str rest = str_from(words);

    for (size_t i = 0; i < a->n_words; i++)
        if (!rest.ptr || !str_is(str_split(&rest, ' '), a->word[i]))
            return false;
    return !whole || !rest.ptr;
}

static const struct cli_command *find(const struct cli_args *a)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct cli_command *c = tables[t]; c->words; c++)
            if (matches(a, c->words, true))
                return c;
    return NULL;
}

/* The commands that begin with what was typed. */
static size_t print_commands(FILE *out, const struct cli_args *a)
{
    size_t n = 0;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct cli_command *c = tables[t]; c->words; c++)
            if (matches(a, c->words, false)) {
                fprintf(out, "  %-34s %s\n", c->words, c->help);
                n++;
            }
    return n;
}

static int print_help(const struct cli_args *a, const struct cli_command *c)
{
    if (c) {
        printf("kidoban %s: %s\n\n  ", c->words, c->help);
        for (struct str list = str_from(c->takes); list.ptr && list.len > 0;) {
            struct str option = str_split(&list, ' ');

            printf("--%.*s ", STR_ARG(option));
        }
        printf("\n%s", tail);
        return EXIT_OK;
    }
    printf("%sCommands:\n", head);
    print_commands(stdout, a);
    printf("%s", tail);
    return EXIT_OK;
}

static int usage(const struct cli_args *a, const struct err *e)
{
    fprintf(stderr, "ERROR: %s\n", e->text);
    if (!find(a)) {
        fprintf(stderr, "Commands:\n");
        if (print_commands(stderr, a) == 0)
            fprintf(stderr, "  kidoban --help lists them\n");
    }
    return EXIT_USAGE;
}

/* As az prints what the control plane refused. */
static int failure(enum rc rc, const struct err *e)
{
    if (e->code)
        fprintf(stderr, "ERROR: (%s) %s\nCode: %s\nMessage: %s\n", e->code, e->text, e->code,
                e->text);
    else
        fprintf(stderr, "ERROR: %s\n", e->text);
    return rc == RC_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILED;
}

static enum rc print_answer(const struct cli_args *a, const struct json *answer, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(OUTPUT_MAX);
    CLEANUP(json_freep) struct json *flat = cli_flatten(answer);
    const char *format = cli_value(a, CLI_OUTPUT);
    enum rc rc = cli_render(flat, format ? format : "json", &text, e);

    return rc == RC_OK ? file_write_all(STDOUT_FILENO, text.ptr, text.len, e) : rc;
}

static int run(const struct cli_args *a, const struct cli_command *c)
{
    CLEANUP(cli_session_done) struct cli_session s;
    CLEANUP(json_freep) struct json *answer = NULL;
    struct err e = {0};
    enum rc rc = cli_session_open(a, &s, &e);

    if (rc == RC_OK)
        rc = c->run(&s, &answer, &e);
    if (rc == RC_OK && answer)
        rc = print_answer(a, answer, &e);
    return rc == RC_OK ? EXIT_OK : failure(rc, &e);
}

int cli_main(int argc, char **argv)
{
    const struct cli_command *c;
    struct cli_args a;
    struct err e = {0};
    enum rc rc = cli_args_parse(argc - 1, argv + 1, &a, &e);

    if (rc != RC_OK)
        return usage(&a, &e);
    c = find(&a);
    if (cli_given(&a, CLI_HELP) || argc == 1)
        return print_help(&a, c);
    if (!c) {
        err_set(&e, RC_INVALID, "this is no command of kidoban");
        return usage(&a, &e);
    }
    rc = cli_args_check(&a, c->takes, &e);
    return rc == RC_OK ? run(&a, c) : usage(&a, &e);
}
