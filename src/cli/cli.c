#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "sys/file.h"
#include <stdio.h>
#include <unistd.h>

enum { OUTPUT_MAX = 128 * 1024 * 1024, HELP_MAX = 64 * 1024 };
enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND };

static const struct cli_command *const tables[] = {
    cli_account_commands, cli_provider_commands,  cli_ad_commands,   cli_az_commands,
    cli_group_commands,   cli_registry_commands,  cli_role_commands, cli_rule_commands,
    cli_vnet_commands,    cli_attachment_commands};

static const char head[] =
    "usage: kidoban serve [options]          the server (kidoban serve --help)\n"
    "       kidoban COMMAND [options]        a client of its control plane\n"
    "       kidoban admin reset --data DIR   a new secret for the administrator\n"
    "       kidoban ca renew --data DIR      new certificates\n"
    "\n";
static const char tail[] = "KIDOBAN_DATA, KIDOBAN_CREDENTIALS and KIDOBAN_CONTROL_URL say the same "
                           "as --data, --credentials\n"
                           "and --control. Without any: ./data, else /var/lib/kidoban.\n";

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
static void print_commands(FILE *out, const struct cli_args *a)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct cli_command *c = tables[t]; c->words; c++)
            if (matches(a, c->words, false))
                fprintf(out, "  %-34s %s\n", c->words, c->help);
}

static bool begin_some(const struct cli_args *a)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct cli_command *c = tables[t]; c->words; c++)
            if (matches(a, c->words, false))
                return true;
    return false;
}

static int print_help(const struct cli_args *a, const struct cli_command *c)
{
    CLEANUP(buf_done) struct buf options = BUF_INIT(HELP_MAX);

    cli_args_describe(c ? c->takes : "", &options);
    if (c) {
        printf("kidoban %s: %s\n\n%s%s", c->words, c->help, buf_cstr(&options), tail);
        return EXIT_OK;
    }
    printf("%sCommands:\n", head);
    print_commands(stdout, a);
    printf("\nOptions of every command (kidoban COMMAND --help shows the others):%s%s",
           buf_cstr(&options), tail);
    return EXIT_OK;
}

/* --- what may have been meant --- */
enum { NEAR_MAX = 64, NEAR_ENOUGH = 4 };

/* How many letters must change, at most, to make one of the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[NEAR_MAX + 1], n = strlen(b);

    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            size_t change = diagonal + (a[i - 1] != b[k - 1]);
            size_t step = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;

            diagonal = row[k];
            row[k] = change < step ? change : step;
        }
    }
    return row[n];
}

/* How far what was typed is from a command's name; nothing, where it is the beginning of it. */
static size_t farness(const char *typed, const char *words)
{
    if (strncmp(words, typed, strlen(typed)) == 0)
        return 0;
    return strlen(words) <= NEAR_MAX ? distance(typed, words) : NEAR_ENOUGH + 1;
}

/* The command whose name is nearest to what was typed; NULL: none is near. */
static const struct cli_command *nearest(const char *typed)
{
    const struct cli_command *best = NULL;
    size_t least = NEAR_ENOUGH + 1;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct cli_command *c = tables[t]; c->words; c++) {
            size_t d = farness(typed, c->words);

            if (d < least) {
                least = d;
                best = c;
            }
        }
    return best;
}

static void suggest(const struct cli_args *a)
{
    CLEANUP(buf_done) struct buf typed = BUF_INIT(NEAR_MAX);
    const struct cli_command *near;

    for (size_t i = 0; i < a->n_words; i++)
        buf_addf(&typed, "%s%s", i > 0 ? " " : "", a->word[i]);
    near = typed.failed ? NULL : nearest(buf_cstr(&typed));
    if (near)
        fprintf(stderr, "The most similar command is: kidoban %s\n", near->words);
    else
        fprintf(stderr, "kidoban --help lists the commands.\n");
}

static int usage(const struct cli_args *a, const struct err *e)
{
    fprintf(stderr, "ERROR: %s\n", e->text);
    if (!find(a))
        suggest(a);
    return EXIT_USAGE;
}

/* The words are none of the commands: too few of one, too many, or other ones. */
static int no_command(const struct cli_args *a)
{
    struct cli_args fewer = *a;
    struct err e = {0};

    if (begin_some(a)) {
        fprintf(stderr, "ERROR: that is the beginning of several commands:\n");
        print_commands(stderr, a);
        return EXIT_USAGE;
    }
    while (fewer.n_words > 1) {
        fewer.n_words--;
        if (!find(&fewer))
            continue;
        err_set(&e, RC_INVALID, "unrecognized arguments: %s", a->word[fewer.n_words]);
        return usage(&fewer, &e);
    }
    err_set(&e, RC_INVALID, "there is no such command");
    return usage(a, &e);
}

/* What an administrator does about what the control plane says; NULL: it says it itself. */
static const char *advice_for(const char *code)
{
    static const struct {
        const char *code, *advice;
    } known[] = {
        {"UnAuthorizedForCredentialOperations",
         "`kidoban acr update --name NAME --admin-enabled true` enables it."},
        {"ResourceGroupNotFound",
         "`kidoban group list` shows the groups, `kidoban group create` makes one."},
        {"MissingSubscriptionRegistration",
         "`kidoban provider register --namespace NAMESPACE` lets the subscription use it."},
        {"SubscriptionNotFound",
         "`kidoban account list` shows the subscriptions, `kidoban account set` chooses one."},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(code, known[i].code) == 0)
            return known[i].advice;
    return NULL;
}

/* As az prints what the control plane refused. */
static int failure(enum rc rc, const struct err *e)
{
    const char *advice = e->code ? advice_for(e->code) : NULL;

    if (e->code)
        fprintf(stderr, "ERROR: (%s) %s\nCode: %s\nMessage: %s\n", e->code, e->text, e->code,
                e->text);
    else
        fprintf(stderr, "ERROR: %s\n", e->text);
    if (advice)
        fprintf(stderr, "%s\n", advice);
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

/* As az: a question, and without a terminal an error rather than a deed. */
static enum rc confirm(struct err *e)
{
    char answer[16] = "";

    if (!isatty(STDIN_FILENO))
        return err_set(e, RC_INVALID,
                       "Unable to prompt for confirmation as no tty available. Use --yes.");
    fprintf(stderr, "Are you sure you want to perform this operation? (y/n): ");
    if (fgets(answer, sizeof(answer), stdin) && ascii_lower(answer[0]) == 'y')
        return RC_OK;
    return err_set(e, RC_CANCELED, "Operation cancelled.");
}

static int run(const struct cli_args *a, const struct cli_command *c)
{
    CLEANUP(cli_session_done) struct cli_session s;
    CLEANUP(json_freep) struct json *answer = NULL;
    struct err e = {0};
    enum rc rc = cli_session_open(a, &s, &e);

    if (rc == RC_OK && c->asks && !cli_given(a, CLI_YES))
        rc = confirm(&e);
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
    if (!c)
        return no_command(&a);
    rc = cli_args_check(&a, c->takes, &e);
    if (rc == RC_OK && cli_given(&a, CLI_OUTPUT))
        rc = cli_format_check(cli_value(&a, CLI_OUTPUT), &e);
    return rc == RC_OK ? run(&a, c) : usage(&a, &e);
}
