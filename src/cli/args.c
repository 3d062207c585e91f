#include "cli/args.h"

enum arity { NONE, ONE, SWITCH, MANY };

struct option {
    const char *name, *other;
    char letter;
    enum arity arity;
    const char *value, *help;
};

#define OPTION_ROW(id, name_, letter_, other_, arity_, value_, help_)                              \
    [CLI_##id] = {.name = (name_),                                                                 \
                  .letter = (letter_),                                                             \
                  .other = (other_),                                                               \
                  .arity = (arity_),                                                               \
                  .value = (value_),                                                               \
                  .help = (help_)},

static const struct option options[CLI_OPTION_COUNT] = {CLI_OPTIONS(OPTION_ROW)};

const char *cli_option_name(enum cli_option o)
{
    return options[o].name;
}

bool cli_given(const struct cli_args *a, enum cli_option o)
{
    return a->option[o].given;
}

const char *cli_value(const struct cli_args *a, enum cli_option o)
{
    const struct cli_values *v = &a->option[o];

    return v->n > 0 ? v->value[v->n - 1] : NULL;
}

enum rc cli_switch(const struct cli_args *a, enum cli_option o, bool *ret, struct err *e)
{
    const char *value = cli_value(a, o);

    if (value && !str_is_nocase(str_from(value), "true") &&
        !str_is_nocase(str_from(value), "false"))
        return err_set(e, RC_INVALID, "argument --%s: %s is neither true nor false",
                       options[o].name, value);
    *ret = !value || str_is_nocase(str_from(value), "true");
    return RC_OK;
}

static int find_long(struct str name)
{
    for (int i = 0; i < CLI_OPTION_COUNT; i++)
        if (str_is(name, options[i].name) || (options[i].other && str_is(name, options[i].other)))
            return i;
    return -1;
}

static int find_letter(char letter)
{
    for (int i = 0; i < CLI_OPTION_COUNT; i++)
        if (options[i].letter == letter)
            return i;
    return -1;
}

/* Walks over argv. */
struct reader {
    char **argv;
    int argc, at;
    struct cli_args *args;
};

static bool more_values(const struct reader *r)
{
    return r->at < r->argc && r->argv[r->at][0] != '-';
}

static enum rc add_value(struct reader *r, int o, const char *value, struct err *e)
{
    struct cli_values *v = &r->args->option[o];

    if (v->n == CLI_VALUES_MAX)
        return err_set(e, RC_INVALID, "argument --%s: more than %d values", options[o].name,
                       CLI_VALUES_MAX);
    v->value[v->n++] = value;
    return RC_OK;
}

static bool is_long_option(const char *text)
{
    struct str rest = str_from(text);

    return str_starts(rest, STR("--")) &&
           find_long(str_take(str_skip(rest, 2), strcspn(text + 2, "="))) >= 0;
}

/* `value` stands behind `=` or a letter; NULL: in the words that follow. */
static enum rc read_values(struct reader *r, int o, const char *value, struct err *e)
{
    enum arity arity = options[o].arity;
    enum rc rc = RC_OK;

    r->args->option[o].given = true;
    if (arity == NONE)
        return value ? err_set(e, RC_INVALID, "argument --%s takes no value", options[o].name)
                     : RC_OK;
    if (value)
        return add_value(r, o, value, e);
    /* A single value may begin with a dash, as passwords do; an option's name is no value. */
    if (arity == ONE && r->at < r->argc && !is_long_option(r->argv[r->at]))
        return add_value(r, o, r->argv[r->at++], e);
    if (arity == SWITCH && more_values(r))
        return add_value(r, o, r->argv[r->at++], e);
    while (arity == MANY && rc == RC_OK && more_values(r))
        rc = add_value(r, o, r->argv[r->at++], e);
    if (rc == RC_OK && arity == ONE)
        return err_set(e, RC_INVALID, "argument --%s: expected one argument", options[o].name);
    return rc;
}

static enum rc read_option(struct reader *r, const char *text, struct err *e)
{
    struct str rest = str_from(text), name;
    const char *value = NULL;
    int o;

    if (text[1] == '-') {
        rest = str_skip(rest, 2);
        name = str_split(&rest, '=');
        value = rest.ptr;
        o = find_long(name);
    } else {
        o = find_letter(text[1]);
        if (text[1] && text[2])
            value = text + 2;
    }
    if (o < 0)
        return err_set(e, RC_INVALID, "unrecognized arguments: %s", text);
    return read_values(r, o, value, e);
}

enum rc cli_args_parse(int argc, char **argv, struct cli_args *ret, struct err *e)
{
    struct reader r = {.argv = argv, .argc = argc, .args = ret};
    enum rc rc = RC_OK;

    *ret = (struct cli_args){0};
    while (rc == RC_OK && r.at < argc) {
        const char *text = argv[r.at++];

        if (text[0] == '-' && text[1])
            rc = read_option(&r, text, e);
        else if (ret->n_words == CLI_WORDS_MAX)
            rc = err_set(e, RC_INVALID, "unrecognized arguments: %s", text);
        else
            ret->word[ret->n_words++] = text;
    }
    return rc;
}

static bool always_taken(enum cli_option o)
{
    return o == CLI_OUTPUT || o == CLI_DATA || o == CLI_CREDENTIALS || o == CLI_CONTROL ||
           o == CLI_HELP || o == CLI_SUBSCRIPTION;
}

/* Does the list name it, and with a `!`? */
static bool named(const char *takes, const char *name, bool *ret_required)
{
    struct str list = str_from(takes);

    while (list.ptr && list.len > 0) {
        struct str item = str_split(&list, ' ');
        bool required = str_ends(item, STR("!"));

        if (str_is(str_take(item, item.len - required), name)) {
            *ret_required = required;
            return true;
        }
    }
    return false;
}

enum rc cli_args_check(const struct cli_args *a, const char *takes, struct err *e)
{
    for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++) {
        bool required = false, known = named(takes, options[o].name, &required);

        if (a->option[o].given && !known && !always_taken(o))
            return err_set(e, RC_INVALID, "unrecognized arguments: --%s", options[o].name);
        if (required && !a->option[o].given)
            return err_set(e, RC_INVALID, "the following arguments are required: --%s",
                           options[o].name);
    }
    return RC_OK;
}

static void describe(const struct option *o, bool required, struct buf *out)
{
    CLEANUP(buf_done) struct buf left = BUF_INIT(128);

    buf_addf(&left, "  --%s", o->name);
    if (o->letter)
        buf_addf(&left, " -%c", o->letter);
    if (*o->value)
        buf_addf(&left, " %s", o->value);
    buf_addf(out, "%-38s %s%s\n", buf_cstr(&left), o->help, required ? " (required)" : "");
}

void cli_args_describe(const char *takes, struct buf *out)
{
    bool required;

    for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++)
        if (named(takes, options[o].name, &required))
            describe(&options[o], required, out);
    buf_addc(out, '\n');
    for (enum cli_option o = 0; o < CLI_OPTION_COUNT; o++)
        if (always_taken(o))
            describe(&options[o], false, out);
}
