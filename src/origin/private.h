/* What the files of origin/ share. A builder becomes the table when it is spent; until then nothing reads it. */
#ifndef ORIGIN_PRIVATE_H
#define ORIGIN_PRIVATE_H

#include "base/arena.h"
#include "base/map.h"
#include "gate/ranges.h"
#include "origin/origin.h"

struct origin_subnet {
    struct uuid uuid;
    struct str id;
    size_t network;
    bool has_endpoint; /* the service endpoint Microsoft.ContainerRegistry */
};
struct origin_prefix {
    struct cidr cidr;
    size_t subnet;
};
struct origin_network {
    struct str id;
    struct uuid uuid;
    struct origin_prefix *prefixes; /* longest first, so that the first that holds an address is the one */
    size_t n_prefixes;
    struct ranges ranges; /* over `prefixes` */
};

/* --- attachments --- */
struct attachment_interface {
    struct str name;
    const struct origin_subnet *subnet; /* NULL: gone */
};
struct attachment_endpoint {
    struct ip_addr local;
    struct uuid endpoint;
};
struct attachment {
    struct origin_attachment face; /* first: the list that origin_attachments hands out */
    const struct attachment_kind *kind;
    const struct origin_network *network; /* NULL: gone */
    struct ip_addr outbound;              /* unset without */
    bool trusted_service;
    struct attachment_interface *interfaces;
    size_t n_interfaces;
    struct attachment_endpoint *endpoints;
    size_t n_endpoints;
    bool names_subnet; /* one for all its connections: */
    const struct origin_subnet *subnet; /* NULL: gone */
    const void *own; /* what only its kind has; the arena's */
};

/* One kind of attachment: how it is written down, and what its evidence means. */
struct attachment_kind {
    const char *name;
    enum origin_attachment_kind kind;
    /* Who comes this way is in its network for certain: if he claims to speak for others he is nobody, and refused with his
     * own address. Such kinds are asked before all others then. */
    bool hears_no_others;
    /* Reads what only this kind has, and puts in *ret_claim (the arena's) the evidence that it claims for itself. */
    enum rc (*read)(struct attachment *at, const struct json *properties, struct arena *a,
                    struct str *ret_claim, struct err *e);
    /* Optional: claims, for what two attachments can overlap in without being equal; all that was claimed is in
     * t->index[kind], which it makes. RC_CONFLICT names the other. */
    enum rc (*claim)(struct origin_table *t, const struct attachment *at, struct err *e);
    void (*index_free)(void *index); /* optional; accepts NULL */
    /* Optional: whether evidence of a connection that came by no attachment's listener names one of this kind, and which:
     * NULL when it is one that nobody knows. */
    bool (*find)(const struct origin_table *t, const struct evidence *ev, const struct attachment **ret);
    /* Makes the origin of evidence that named `at`, whose network is there. `ret` holds the defaults: unidentified, peer's
     * address, the attachment. */
    void (*resolve)(const struct origin_table *t, const struct attachment *at,
                    const struct evidence *ev, struct origin *ret);
};
enum { ATTACHMENT_KINDS = ATTACH_RANGE + 1 };
extern const struct attachment_kind attachment_netns, attachment_device, attachment_proxy, attachment_mark,
    attachment_range;
/* The first kind in the order of precedence that the evidence names one of; NULL: of none. *ret_at as for find. */
const struct attachment_kind *attachment_find(const struct origin_table *t, const struct evidence *ev,
                                              const struct attachment **ret_at);
void attachment_indexes_free(struct origin_table *t);
/* RC_INVALID when `properties` has one of the members (NULL-terminated), which `kind` has no use for. */
NODISCARD enum rc attachment_refuse(const struct json *properties, const char *kind, const char *const *members,
                                    struct err *e);
/* place.c: read and resolve of what listens in a place, a namespace or a device. The name's maximum is without its end. */
NODISCARD enum rc place_read(struct attachment *at, const struct json *properties, size_t name_max, struct arena *a,
                             struct str *ret_claim, struct err *e);
void place_resolve(const struct origin_table *t, const struct attachment *at, const struct evidence *ev,
                   struct origin *ret);
/* Resolve of what tells the network alone: the subnet follows from the source address. */
void source_resolve(const struct origin_table *t, const struct attachment *at, const struct evidence *ev,
                    struct origin *ret);

struct origin_table {
    struct arena arena;
    struct origin_network **networks;
    size_t n_networks;
    struct origin_subnet **subnets;
    size_t n_subnets;
    struct attachment **attachments;
    size_t n_attachments;
    struct origin_attachment *faces; /* of the attachments, for origin_attachments */
    struct map network_by_id;        /* lower-cased id → struct origin_network */
    struct map subnet_by_id;         /* lower-cased id → struct origin_subnet */
    struct map subnet_by_uuid, attachment_by_uuid; /* 16 bytes → struct */
    struct map claims;               /* evidence → struct attachment */
    void *index[ATTACHMENT_KINDS];   /* each kind's own */
    size_t n_of[ATTACHMENT_KINDS];
    unsigned refs;
};

/* The value under an id, in any case; NULL without. */
void *origin_by_id(const struct map *m, struct str id);
void origin_put_id(struct map *m, struct str id, void *value);
struct str origin_uuid_key(const struct uuid *u);
/* RC_INVALID unless `member` of `object` is a string that is not empty. */
NODISCARD enum rc origin_text_read(const struct json *object, const char *member, struct str *ret, struct err *e);

/* The subnet of the network that holds the address; NULL outside every prefix. */
const struct origin_subnet *origin_network_find(const struct origin_table *t, const struct origin_network *n,
                                                const struct ip_addr *a);
/* What standing in `subnet` (NULL: in none) of the attachment's network makes of *ret. */
void origin_in_subnet(const struct attachment *at, const struct origin_subnet *subnet, struct origin *ret);

#endif
