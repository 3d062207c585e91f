/* The control plane without its sockets: requests go through the real routes, handlers, database and snapshots. */
#ifndef UNIT_ARM_FIXTURE_H
#define UNIT_ARM_FIXTURE_H

#include "temp_folder.h"
#include "test.h"

#include "admit/admit.h"
#include "arm/arm.h"
#include "json/json.h"
#include "meta/account.h"

#define ADMINISTRATOR "01000000-0000-0000-0000-000000000000" /* object ids */
#define STRANGER      "02000000-0000-0000-0000-000000000000"
#define SUBSCRIPTION "6f1a0d9e-0000-4000-8000-000000000001"
#define S            "/subscriptions/" SUBSCRIPTION
#define G            S "/resourceGroups/lab"
#define REGISTRY     G "/providers/Microsoft.ContainerRegistry/registries/myRegistry"
#define VNET         G "/providers/Microsoft.Network/virtualNetworks/V"
#define NSG          G "/providers/Microsoft.Network/networkSecurityGroups/N"
#define PUBLIC_IP    G "/providers/Microsoft.Network/publicIPAddresses/P"
#define NIC          G "/providers/Microsoft.Network/networkInterfaces/I"

struct control {
    struct temp_folder folder;
    struct meta *meta;
    struct snapshot_hub *hub;
    struct auth_limiter *limiter;
    struct admit *admit;
    struct arm_services services;
    struct http_request req; /* the last one, with its answer */
    struct http_field fields[4];
    size_t n_fields;
    struct json *answer;
    void (*meanwhile)(struct control *c); /* NULL, or what happens once, between admission and handler */
    bool stranger; /* the next requests are somebody's, who is no administrator */
};

int control_setup(void **state);
int control_teardown(void **state);
/* A header of the next request. */
void control_field(struct control *c, const char *name, struct str value);
/* One request; returns its status, its JSON is in c->answer. `target` with its query. */
unsigned control(struct control *c, const char *method, const char *target, const char *body);

/* All that goes on after the answers. */
void control_operations(struct control *c);

static inline struct str answer_text(struct control *c, const char *path)
{
    return json_str(json_path(c->answer, path));
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, control_setup, control_teardown)

#endif
