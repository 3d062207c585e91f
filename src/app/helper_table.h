/* The helper's listeners for attachments: opens them where the namespace or device is, closes them when it goes. */
#ifndef APP_HELPER_TABLE_H
#define APP_HELPER_TABLE_H

#include "app/helper_protocol.h"

struct helper_entry {
    struct helper_message state; /* as the server is told it */
    int fd;                      /* -1: not listening */
    bool told;
    struct helper_entry *next;
};
struct helper_table {
    /* Main sockets of IPv6, borrowed. Of sockets that share a port the kernel takes the first that matches, and one of
     * IPv6 that came later stands behind: as long as a device's listens, these do not share, so that the device, which
     * matches better, comes first. Connections through other interfaces then all go to the first of them. */
    int *mains6;
    size_t n_mains6;
    struct helper_entry *first;
    size_t n;
    uint16_t ports[2]; /* by service: what the helper's own command line says */
};

/* A request that helper_request_check has passed. RC_QUOTA: there are too many. */
NODISCARD enum rc helper_table_open(struct helper_table *t, const struct helper_message *request, struct err *e);
void helper_table_close(struct helper_table *t, const struct uuid *key);
/* Looks at every namespace and device again. True: some listener failed and may be tried again later. */
bool helper_table_check(struct helper_table *t);
void helper_table_untold(struct helper_table *t); /* another server: it knows of none */
struct helper_entry *helper_table_next_untold(struct helper_table *t);
void helper_table_done(struct helper_table *t);

#endif
