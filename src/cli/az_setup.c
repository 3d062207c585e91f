/* kidoban az-setup: what makes the stock az use this server, as text for a shell, which can be
 * evaluated or (--run) is given to one here. Works with every az since 2.45: `cloud register` with
 * all endpoints, and an authority that ends in /adfs. */
#include "cli/command.h"
#include "cli/program.h"
#include "sys/file.h"
#include <unistd.h>

enum { SCRIPT_MAX = 256 * 1024, METADATA_MAX = 256 * 1024 };

#define CLOUD  "Kidoban"
#define FOLDER "\"${AZURE_CONFIG_DIR:-$HOME/.azure}\""
#define BUNDLE "\"${AZURE_CONFIG_DIR:-$HOME/.azure}/kidoban-ca.pem\""

/* --- shell text --- */

static void add_quoted(struct buf *b, struct str s)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\'')
            buf_add(b, STR("'\\''"));
        else
            buf_addc(b, s.ptr[i]);
    buf_addc(b, '\'');
}

/* Only where the server has an authority of its own; else the machine's will do. */
static void add_trust(const struct cli_session *s, struct buf *b)
{
    if (s->ca.len == 0)
        return;
    buf_add(b, STR("  mkdir -p -m 700 " FOLDER " &&\n"
                   "  { for f in /etc/ssl/certs/ca-certificates.crt "
                   "/etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do\n"
                   "      if [ -r \"$f\" ]; then cat \"$f\"; break; fi\n"
                   "    done; cat; } > " BUNDLE " <<'KIDOBAN_CA' &&\n"));
    buf_add(b, s->ca);
    buf_add(b, STR("\nKIDOBAN_CA\n  export REQUESTS_CA_BUNDLE=" BUNDLE " &&\n"));
}

static struct json *cloud_config(const struct cli_session *s, const struct json *metadata)
{
    static const struct {
        const char *member, *path;
    } endpoints[] = {
        {"resourceManager", ""},
        {"management", ""},
        {"activeDirectory", "/adfs"},
        {"activeDirectoryResourceId", ""},
        {"activeDirectoryGraphResourceId", ""},
        {"microsoftGraphResourceId", "/"},
    };
    struct json *j = json_new_object(), *urls = json_new_object(), *suffixes = json_new_object();
    CLEANUP(buf_done) struct buf text = BUF_INIT(METADATA_MAX);

    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        buf_clear(&text);
        buf_addf(&text, "%.*s%s", STR_ARG(s->control), endpoints[i].path);
        json_set_str(urls, endpoints[i].member, buf_str(&text));
    }
    buf_clear(&text);
    buf_addf(&text, ".%.*s", STR_ARG(json_str(json_path(metadata, "suffixes.acrLoginServer"))));
    json_set_str(suffixes, "acrLoginServerEndpoint", buf_str(&text));
    json_set(suffixes, "storageEndpoint", json_clone(json_path(metadata, "suffixes.storage")));
    json_set(j, "endpoints", urls);
    json_set(j, "suffixes", suffixes);
    return j;
}

static void add_cloud(const struct cli_session *s, const struct json *metadata, struct buf *b)
{
    CLEANUP(json_freep) struct json *config = cloud_config(s, metadata);
    CLEANUP(buf_done) struct buf text = BUF_INIT(METADATA_MAX);

    json_write(config, &text);
    buf_add(b, STR("  if az cloud show -n " CLOUD " >/dev/null 2>&1; then verb=update; "
                   "else verb=register; fi &&\n"
                   "  az cloud \"$verb\" -n " CLOUD " --cloud-config "));
    add_quoted(b, buf_str(&text));
    buf_add(b, STR(" &&\n  az cloud set -n " CLOUD " &&\n"));
}

/* The secret goes through a pipe, so that no list of processes shows it. */
static void add_login(const struct cli_session *s, struct buf *b)
{
    buf_add(b, STR("  printf '%s' "));
    add_quoted(b, json_str(json_get(s->admin, "clientSecret")));
    buf_add(b, STR(" | az login --service-principal -u "));
    add_quoted(b, json_str(json_get(s->admin, "clientId")));
    buf_add(b, STR(" -p @- --tenant "));
    add_quoted(b, json_str(json_get(s->admin, "tenantId")));
    buf_add(b, STR(" -o none\n"));
}

/* A function, so that the whole is read before any of it runs, and the first failure ends it. */
static void add_script(const struct cli_session *s, const struct json *metadata, struct buf *b)
{
    buf_add(b,
            STR("kidoban_az_setup() {\n"
                "  command -v az >/dev/null || { echo 'az is not installed' >&2; return 1; }\n"));
    add_trust(s, b);
    add_cloud(s, metadata, b);
    add_login(s, b);
    buf_add(b, STR("}\nkidoban_az_setup\n"));
}

/* --- the command --- */

static enum rc read_metadata(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(METADATA_MAX);
    struct str url = arena_printf(&s->arena, "%.*s/metadata/endpoints?api-version=2022-09-01",
                                  STR_ARG(s->control));
    unsigned status = 0;
    enum rc rc = cli_fetch(s, url.ptr, NULL, &status, &text, e);

    if (rc != RC_OK)
        return err_prefix(e, rc, "%s (--control says where the server is)", url.ptr);
    if (status != 200)
        return err_set(e, RC_INTERNAL, "%s answered with status %u", url.ptr, status);
    return json_parse(buf_str(&text), NULL, ret, e);
}

static enum rc print(const struct buf *text, struct err *e)
{
    return file_write_all(STDOUT_FILENO, text->ptr, text->len, e);
}

/* What a shell has to know afterwards, too. */
static enum rc run_here(const struct cli_session *s, const struct buf *script, struct err *e)
{
    static const char *const shell[] = {"sh", "-s", NULL};
    CLEANUP(buf_done) struct buf after = BUF_INIT(4096);
    enum rc rc = cli_program_run(shell, buf_str(script), true, e);

    if (rc == RC_DENIED)
        return err_set(e, rc, "az was not set up: what it said stands above.");
    if (s->ca.len > 0)
        buf_add(&after, STR("export REQUESTS_CA_BUNDLE=" BUNDLE "\n"));
    return rc == RC_OK ? print(&after, e) : rc;
}

static enum rc az_setup(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(buf_done) struct buf script = BUF_INIT(SCRIPT_MAX);
    CLEANUP(json_freep) struct json *metadata = NULL;
    enum rc rc = read_metadata(s, &metadata, e);

    (void)ret;
    if (rc != RC_OK)
        return rc;
    add_script(s, metadata, &script);
    rc = buf_status(&script, e);
    if (rc != RC_OK)
        return rc;
    return cli_given(s->args, CLI_RUN) ? run_here(s, &script, e) : print(&script, e);
}

const struct cli_command cli_az_commands[] = {
    {"az-setup", "run", "print what makes az use this server: eval \"$(kidoban az-setup)\"",
     az_setup},
    {0},
};
