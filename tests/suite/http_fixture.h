/* A server of HTTP on a loop of its own thread, listening on loopback (plain or TLS), with routes that do what the tests
 * want; and a client that reads bytes as they are. */
#ifndef SUITE_HTTP_FIXTURE_H
#define SUITE_HTTP_FIXTURE_H

#include "base/buf.h"
#include "http/route.h"
#include "http/server.h"
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { FIX_FILE_SIZE = 24 * 1024 * 1024 };

/* How long the server waits for a client; 0: for longer than a slow machine keeps one waiting. Given to fix_setup() in
 * *state; NULL there: all are 0. */
struct fix_limits {
    unsigned head_ms, keep_alive_ms, body_idle_ms, slow_window_ms;
};

struct fix {
    bool tls;
    struct loop *loop;
    pthread_t thread;
    struct lane *read, *disk;
    struct net_tls *context;
    struct net_listener *listener;
    struct http_server *server;
    SSL_CTX *client;
    uint16_t port;
    char path[64]; /* of the file, on a disk */
    /* what handlers and the service saw */
    atomic_int given, finished, aborted, abort_reason, answering, entered;
    atomic_ullong uploaded, sum; /* bytes, and their sum */
    pthread_mutex_t lock;        /* the gate of /wait: closed while `hold` */
    pthread_cond_t changed;
    bool hold;
};

int fix_setup(void **state, bool tls);
int fix_teardown(void **state);
void fix_on_loop(struct fix *f, void (*fn)(struct fix *f, void *arg), void *arg); /* and waits for it */
void fix_limit(struct fix *f, unsigned max_connections); /* of a new listener in the place of the one there was */
void fix_hold(struct fix *f, bool hold); /* handlers of /wait wait while it is true */
void fix_wait_for(const atomic_int *counter, int at_least);
void fix_uploaded(const struct fix *f, unsigned long long at_least);
char fix_byte(uint64_t at); /* of the file */
void fix_make_cold(struct fix *f); /* the file leaves the page cache, where there is one */
void fix_settled(struct fix *f);   /* waits until all that was given to the service is finished */

struct client {
    int fd;
    SSL *ssl;
    struct buf in; /* read and not taken yet */
    bool ended, reset;
};
struct answer {
    unsigned status;
    struct buf head, body;
};

void client_open(struct client *c, struct fix *f);
void client_close(struct client *c);
void client_abandon(struct client *c); /* with a reset */
void client_send(struct client *c, struct str bytes);
bool client_try_send(struct client *c, struct str bytes); /* false: the server takes no more */
bool client_take(struct client *c, const char *text);    /* exactly this comes next */
bool client_at_end(struct client *c);                    /* the server finishes, and says nothing before */
/* One answer; `head`: to a HEAD request. */
void client_answer(struct client *c, struct answer *a, bool head);
struct str answer_field(const struct answer *a, const char *name); /* STR_NONE */
void answer_done(struct answer *a);

#endif
