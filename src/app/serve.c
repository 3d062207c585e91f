/* `kidoban serve`: as root, the privileged helper with the server as its child; otherwise the
 * server itself. */
#include "app/commands.h"
#include "app/helper.h"
#include "app/serve_user.h"
#include "app/server.h"
#include "base/log.h"
#include "sys/fd.h"
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static int fail(const struct err *e)
{
    fprintf(stderr, "ERROR: %s\n", e->text);
    return EXIT_FAILED;
}

static int serve_with_helper(const struct serve_options *o, int argc, char **argv)
{
    CLEANUP(buf_done) struct buf path = BUF_INIT(PATH_MAX);
    struct sys_user user;
    struct err e = {0};
    enum rc rc = serve_user_choose(o, &user, &e);

    if (rc == RC_OK)
        rc = serve_user_prepare(o, &user, &path, &e);
    if (rc != RC_OK)
        return fail(&e);
    if (user.uid == 0)
        log_warn("serve.as_root",
                 F_STR("advice", STR("a compromised server is root: give --user NAME")));
    rc = log_start(STDERR_FILENO, &e); /* who does not read it must not stop the helper */
    if (rc != RC_OK)
        return fail(&e);
    int code = helper_run(&(struct helper_config){o, &user, buf_cstr(&path), argc, argv});

    log_stop();
    return code;
}

static int serve(const struct serve_options *o, int helper_fd)
{
    struct server *server = NULL;
    struct err e = {0};
    enum rc rc;

    umask(077);
    if (fd_limit_raise(&e) != RC_OK) /* a connection is a descriptor */
        log_warn("serve.descriptor_limit", F_TEXT("reason", e.text));
    rc = log_start(STDERR_FILENO, &e);
    if (rc == RC_OK)
        rc = server_new(o, &server, &e);
    if (rc == RC_OK)
        rc = server_run(server, helper_fd, &e);
    server_free(server);
    log_stop();
    return rc == RC_OK ? EXIT_OK : fail(&e);
}

int serve_main(int argc, char **argv)
{
    struct serve_options o;
    struct err e = {0};
    enum rc rc = serve_options_parse(argc, argv, &o, &e);
    int helper_fd = helper_fd_from_environment();

    if (rc == RC_CANCELED) {
        fputs(serve_options_help, stdout);
        return EXIT_OK;
    }
    if (rc != RC_OK) {
        fprintf(stderr, "ERROR: %s\n", e.text);
        return EXIT_USAGE;
    }
    log_set_level(o.log_level);
    if (geteuid() == 0 && helper_fd < 0)
        return serve_with_helper(&o, argc, argv);
    return serve(&o, helper_fd);
}
