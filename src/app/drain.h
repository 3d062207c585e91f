/* Graceful end: no new connections, requests under way are finished, idle connections closed; after the time limit what is
 * left is reset. */
#ifndef APP_DRAIN_H
#define APP_DRAIN_H

#include "http/server.h"

enum { DRAIN_SECONDS = 30 };

struct drain;
/* One timer on each loop; made before the loops run. */
struct drain *drain_new(struct http_server *http, struct loop *const *loops, size_t n_loops);
/* Who else needs the loops to run; `busy` is asked on the main loop until it says no. Before drain_begin. */
void drain_wait_for(struct drain *d, bool (*busy)(void *ctx), void *ctx);
void drain_begin(struct drain *d); /* main loop; stops every loop when nothing is left. A second call is ignored */
void drain_free(struct drain *d);  /* after the loops ended */

#endif
