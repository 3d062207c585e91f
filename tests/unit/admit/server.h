/* A server with all that admission needs, on loopback: a database, a hub, listeners of each class,
 * two of them as if they stood inside the network namespaces of two virtual networks; routes that
 * do what the tests want. */
#ifndef UNIT_ADMIT_SERVER_H
#define UNIT_ADMIT_SERVER_H

#include "snapshot/installation.h"

#include "admit/admit.h"
#include "http_fixture.h"

#define ONE         "00000000-0000-4000-8000-000000000001"
#define TWO         "00000000-0000-4000-8000-000000000002"
#define BLUE_SUBNET "00000000-0000-4000-8000-0000000000c1"
#define RED_SUBNET  "00000000-0000-4000-8000-0000000000c2"
#define GROUP       "/subscriptions/s/resourceGroups/g"
#define HOST_ONE    "one.registry.test:5443"

enum door { DOOR_MAIN, DOOR_BLUE, DOOR_RED, DOOR_CONTROL, DOOR_METRICS, DOORS };
struct admit_server {
    struct installation i;
    struct fix ports[DOORS]; /* only their ports: what the client of http_fixture.h wants */
    struct net_listener *listeners[DOORS];
    struct lane *read, *disk;
    struct auth_limiter *limiter;
    struct admit *admit;
    struct http_server *http;
    pthread_mutex_t lock; /* handlers of a push wait while `hold` */
    pthread_cond_t changed;
    bool hold;
    atomic_int entered;
};

int server_setup(void **state);
int server_setup_full_detail(void **state);
int server_setup_forwarder(void **state); /* loopback and 192.0.2.0/24 are trusted forwarders */
int server_teardown(void **state);
void server_hold(struct admit_server *s, bool hold);

/* A rule set of registry "one". */
void server_rules(struct admit_server *s, const char *rule_set);
/* One request on a connection of its own. `fields` end in CRLF, or are "". */
struct answer ask(struct admit_server *s, enum door door, const char *line, const char *host,
                  const char *fields);
/* The same on an open connection. */
struct answer ask_on(struct client *c, const char *line, const char *host, const char *fields);
/* A push on a connection of its own waits in its handler ... */
void push_begin(struct admit_server *s, struct client *c, enum door door, const char *fields);
/* ... until here, where the connection ends, too. */
struct answer push_end(struct admit_server *s, struct client *c);
/* The same; its route must have been told not to commit, and why. */
void push_is_refused(struct admit_server *s, struct client *c, const char *why);

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)

#endif
