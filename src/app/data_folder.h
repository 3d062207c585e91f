/* The data folder (DETAILS "Data folder"): made, locked, and filled at the first start with a certificate authority,
 * certificates, a sealing key, a tenant, a subscription, signing keys and an administrator.
 * Threads: used before the loops run, and by commands that need the server stopped. */
#ifndef APP_DATA_FOLDER_H
#define APP_DATA_FOLDER_H

#include "crypto/seal.h"
#include "meta/meta.h"

struct data_folder {
    char path[4096]; /* absolute */
    int fd, lock;
    struct crypto_key seal;
};

#define DATA_FOLDER_NONE ((struct data_folder){.fd = -1, .lock = -1})

/* Makes the folder (0700) where missing, locks it (RC_CONFLICT while a server holds it), reads or makes seal.key. */
NODISCARD enum rc data_folder_open(const char *path, struct data_folder *ret, struct err *e);
void data_folder_done(struct data_folder *d);
/* "sqlite:/absolute/path/kidoban.db" */
NODISCARD enum rc data_folder_database(const struct data_folder *d, struct buf *out, struct err *e);

/* tls/{ca,server}.{crt,key}: made where missing, the leaf also 30 days before its end and where it does not belong to its key
 * or its authority. RC_CONFLICT when they are for another suffix, or a leaf is needed and ca.key is kept elsewhere (the text
 * says `kidoban ca renew`). Appends the PEM texts of the leaf (with its authority) and its key. */
NODISCARD enum rc data_folder_certificates(const struct data_folder *d, const char *suffix, struct buf *ret_chain,
                                           struct buf *ret_key, struct err *e);
/* New authority and leaf, whatever is there. */
NODISCARD enum rc data_folder_renew_certificates(const struct data_folder *d, const char *suffix, struct err *e);

/* Makes tenant, subscription, keys and the administrator where missing, and admin.json with them. */
NODISCARD enum rc data_folder_install(const struct data_folder *d, struct meta *m, const char *control_url,
                                      struct err *e);
/* A new secret for the administrator; admin.json is written anew. RC_NOT_FOUND before the first start. */
NODISCARD enum rc data_folder_reset_administrator(const struct data_folder *d, struct meta *m, const char *control_url,
                                                  struct err *e);

#endif
