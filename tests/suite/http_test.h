/* What the tests of HTTP say in short. */
#ifndef HTTP_TEST_H
#define HTTP_TEST_H

#include "test.h"

#include "http_fixture.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define CLIENT     CLEANUP(client_close) struct client
#define ANSWER     CLEANUP(answer_done) struct answer

/* An answer comes; its body is of no interest where NULL. */
static inline void take_answer(struct client *c, unsigned status, const char *body)
{
    ANSWER a;

    client_answer(c, &a, false);
    assert_int_equal(a.status, status);
    if (body)
        assert_str(buf_str(&a.body), body);
}

static inline int setup_plain(void **state)
{
    return fix_setup(state, false);
}

static inline int setup_tls(void **state)
{
    return fix_setup(state, true);
}

/* clang-format off */
/* A test over a plain connection, and over TLS. */
#define BOTH(t) BOTH_WITH(t, NULL)
/* The same with a server that waits only so long: a struct fix_limits. */
#define BOTH_WITH(t, limits)                                                                                           \
    {#t " (plain)", t, setup_plain, fix_teardown, limits}, {#t " (TLS)", t, setup_tls, fix_teardown, limits}
/* clang-format on */

#endif
