#include "net/local.h"

#include <stdlib.h>

enum { SPARE_MAX = 16 }; /* 1 MiB for each loop; what a burst needed beyond it goes back */

static const char local_key;

static void local_free(void *value)
{
    struct net_local *local = value;

    while (local->spare) {
        struct net_block *b = local->spare;

        local->spare = b->next;
        free(b);
    }
    free(local);
}

struct net_local *net_local_of(struct loop *l)
{
    struct net_local *local = loop_attached(l, &local_key);

    if (local)
        return local;
    local = calloc(1, sizeof(*local));
    if (!local)
        abort();
    loop_attach(l, &local_key, local, local_free);
    return local;
}

struct net_block *net_block_get(struct net_local *local)
{
    struct net_block *b = local->spare;

    if (b) {
        local->spare = b->next;
        local->n_spare--;
        return b;
    }
    b = malloc(sizeof(*b));
    if (!b)
        abort();
    return b;
}

void net_block_put(struct net_local *local, struct net_block *b)
{
    if (!b)
        return;
    if (local->n_spare >= SPARE_MAX) {
        free(b);
        return;
    }
    b->next = local->spare;
    local->spare = b;
    local->n_spare++;
}
