/* `kidoban admin reset` and `kidoban ca renew`: work on the data folder of a stopped server. */
#include "app/commands.h"
#include "app/serve_user.h"
#include "app/server.h"
#include "sys/fd.h"
#include "sys/file.h"
#include <stdio.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char admin_usage[] =
    "usage: kidoban admin reset --data DIR [the other options that serve is started with]\n";
static const char ca_usage[] = "usage: kidoban ca renew --data DIR [--suffix DNS-SUFFIX]\n";

static int usage(const char *text)
{
    fputs(text, stderr);
    return EXIT_USAGE;
}

static int ended(enum rc rc, const char *usage_text, const struct err *e)
{
    if (rc == RC_CANCELED) /* --help */
        fputs(usage_text, stdout);
    else if (rc != RC_OK)
        fprintf(stderr, "ERROR: %s\n", e->text);
    return rc == RC_OK || rc == RC_CANCELED ? EXIT_OK : EXIT_FAILED;
}

/* What root writes here, the server's user could not read. */
static enum rc become_owner(const struct serve_options *o, struct err *e)
{
    struct sys_user user;

    if (geteuid() != 0)
        return RC_OK;
    enum rc rc = serve_user_choose(o, &user, e);

    return rc == RC_OK ? user_become(&user, e) : rc;
}

/* The options that `serve` was started with say where things are. */
static enum rc open_stopped(int argc, char **argv, struct serve_options *o, struct data_folder *d,
                            struct err *e)
{
    CLEANUP(fd_closep) int there = -1;
    enum rc rc = serve_options_parse(argc, argv, o, e);

    if (rc == RC_OK) /* opening it below would make one */
        rc = dir_open(o->data, &there, e);
    if (rc == RC_OK)
        rc = become_owner(o, e);
    return rc == RC_OK ? data_folder_open(o->data, d, e) : rc;
}

static enum rc reset_administrator(const struct serve_options *o, const struct data_folder *d,
                                   struct err *e)
{
    CLEANUP(buf_done) struct buf url = BUF_INIT(8192);
    char control_url[512];
    struct meta *m = NULL;
    enum rc rc = data_folder_database(d, &url, e);

    server_control_url(o, control_url, sizeof(control_url));
    if (rc == RC_OK)
        rc = meta_open(buf_cstr(&url), &m, e);
    if (rc == RC_OK)
        rc = data_folder_reset_administrator(d, m, control_url, e);
    meta_close(m);
    return rc;
}

int admin_main(int argc, char **argv)
{
    CLEANUP(data_folder_done) struct data_folder d = DATA_FOLDER_NONE;
    struct serve_options o;
    struct err e = {0};

    if (argc < 2 || strcmp(argv[1], "reset") != 0)
        return usage(admin_usage);
    enum rc rc = open_stopped(argc - 1, argv + 1, &o, &d, &e);

    if (rc == RC_OK)
        rc = reset_administrator(&o, &d, &e);
    if (rc == RC_OK)
        printf("a new secret is in %s/admin.json; the old one is void\n", d.path);
    return ended(rc, admin_usage, &e);
}

int ca_main(int argc, char **argv)
{
    CLEANUP(data_folder_done) struct data_folder d = DATA_FOLDER_NONE;
    struct serve_options o;
    struct err e = {0};

    if (argc < 2 || strcmp(argv[1], "renew") != 0)
        return usage(ca_usage);
    enum rc rc = open_stopped(argc - 1, argv + 1, &o, &d, &e);

    if (rc == RC_OK)
        rc = data_folder_renew_certificates(&d, o.suffix, &e);
    if (rc == RC_OK)
        printf("new certificates for *.%s are in %s/tls; clients must be given the new ca.crt\n",
               o.suffix, d.path);
    return ended(rc, ca_usage, &e);
}
