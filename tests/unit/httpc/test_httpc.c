/* What must not happen; that requests arrive is for the system tests, which have servers. */
#include "httpc/httpc.h"
#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A port of this machine on which nobody listens: bound, and that is all. */
static int closed_port(uint16_t *ret)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *ret = ntohs(sa.sin_port);
    return fd;
}

static enum rc get(const char *url, enum httpc_trouble trouble, struct err *e)
{
    CLEANUP(httpc_freep) struct httpc *c = NULL;
    CLEANUP(buf_done) struct buf body = BUF_INIT(1024);
    const struct httpc_request request = {.method = "GET", .url = url};
    unsigned status = 7;
    enum rc rc;

    assert_int_equal(httpc_new(STR_NONE, "test", &c, NULL), RC_OK);
    rc = httpc_perform(c, &request, &status, &body, e);
    assert_true(rc == RC_OK || (status == 7 && body.len == 0));
    assert_int_equal(httpc_trouble(c), trouble);
    return rc;
}

static void plain_http_is_not_spoken(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(get("http://127.0.0.1:1/", HTTPC_URL, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.text, "rotocol"));
    assert_int_equal(get("file:///etc/passwd", HTTPC_URL, NULL), RC_UNAVAILABLE);
}

static void nobody_there_is_unavailable_and_named(void **state)
{
    char url[64];
    uint16_t port;
    int fd = closed_port(&port);
    struct err e = {0};

    (void)state;
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
    setenv("https_proxy", "http://127.0.0.1:1", 1); /* and no proxy is asked */
    assert_int_equal(get(url, HTTPC_CONNECTION, &e), RC_UNAVAILABLE);
    assert_true(str_starts(str_from(e.text), str_from(url)));
    assert_null(strstr(e.text, "proxy"));
    unsetenv("https_proxy");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_http_is_not_spoken),
        cmocka_unit_test(nobody_there_is_unavailable_and_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
