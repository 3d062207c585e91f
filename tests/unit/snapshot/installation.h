/* An installation of a test's own: a database with keys and an administrator, loops that run, a
 * hub. */
#ifndef UNIT_SNAPSHOT_INSTALLATION_H
#define UNIT_SNAPSHOT_INSTALLATION_H

#include "temp_folder.h"
#include "test.h"

#include "base/encode.h"
#include "crypto/seal.h"
#include "meta/account.h"
#include "snapshot/snapshot.h"
#include "sys/thread.h"
#include "json/json.h"
#include <semaphore.h>

#define REGISTRY_TYPE   "Microsoft.ContainerRegistry/registries"
#define NETWORK_TYPE    "Microsoft.Network/virtualNetworks"
#define ATTACHMENT_TYPE "Kidoban.Network/attachments"
#define GROUP_ID        "/subscriptions/s/resourceGroups/g/providers/"
#define SUBNET_UUID     "00000000-0000-4000-8000-0000000000c1"
#define ADMIN_APP       "00000000-0000-4000-8000-0000000000d1"
#define ADMIN_OBJECT    "00000000-0000-4000-8000-0000000000d2"
#define PLAIN_APP       "00000000-0000-4000-8000-0000000000d3"
#define PLAIN_OBJECT    "00000000-0000-4000-8000-0000000000d4"
#define TENANT          "00000000-0000-4000-8000-0000000000e1"
#define SUBSCRIPTION    "00000000-0000-4000-8000-0000000000e2"

/* What tokens say of the one secret that each of them has, which is "secret". */
#define CREDENTIAL(generation) ((int64_t)(generation) << 32)

enum { LOOPS_MAX = 8 };
struct installation {
    struct temp_folder folder;
    struct meta *meta;
    struct crypto_key seal;
    struct loop *loops[LOOPS_MAX];
    pthread_t threads[LOOPS_MAX];
    unsigned n_loops;
    bool running;
    struct snapshot_hub *hub;
    struct str default_registry;
};

struct installation_put {
    const char *type, *name, *uuid, *properties; /* properties NULL: delete */
    enum rc answer;                              /* what the write function says in the end */
};

void must(enum rc rc, const struct err *e);
struct uuid uuid_of(const char *text);
/* What the first start writes. */
void installation_new(struct installation *i, unsigned n_loops);
NODISCARD enum rc installation_try_hub(struct installation *i, struct err *e);
void installation_hub(struct installation *i);
void installation_run(struct installation *i);
void installation_free(struct installation *i);
/* fn on the loop's thread; returns when it has run. */
void on_loop(struct loop *l, void (*fn)(void *arg, struct loop *l), void *arg);

NODISCARD enum rc installation_write(struct meta_tx *tx, const struct installation_put *p,
                                     struct err *e);
/* snapshot_change_fn; arg: struct installation_put. */
enum rc installation_change(struct meta_tx *tx, struct snapshot_change *c, void *arg,
                            struct err *e);
NODISCARD enum rc try_put(struct installation *i, const char *type, const char *name,
                          const char *uuid, const char *properties);
void put(struct installation *i, const char *type, const char *name, const char *uuid,
         const char *properties);
/* Before there is a hub. */
void store(struct installation *i, const char *type, const char *name, const char *uuid,
           const char *properties);

#define OPEN   "{\"networkRuleSet\":{\"defaultAction\":\"Allow\"}}"
#define CLOSED "{\"networkRuleSet\":{\"defaultAction\":\"Deny\"}}"

#endif
