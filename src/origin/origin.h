/* Attachments: evidence → origin. Compiled from networks and attachments, immutable, shared by all threads.
 * DESIGN 4.1: precedence netns/device, proxy, mark, range, public; the subnet by longest prefix of the source address, or by
 * interface; `subnet` only with the service endpoint Microsoft.ContainerRegistry; otherwise the network's outbound public
 * address, otherwise unidentified. Kinds are a table of functions. */
#ifndef ORIGIN_ORIGIN_H
#define ORIGIN_ORIGIN_H

#include "gate/gate.h"
#include "net/evidence.h"

#define ORIGIN_SERVICE_ENDPOINT "Microsoft.ContainerRegistry"
enum origin_attachment_kind { ATTACH_NETNS, ATTACH_DEVICE, ATTACH_MARK, ATTACH_PROXY, ATTACH_RANGE };
const char *origin_attachment_kind_name(enum origin_attachment_kind k); /* "netns" */
enum { ORIGIN_SERVICE_DATA = 1, ORIGIN_SERVICE_CONTROL = 2 };

/* What listeners an attachment needs: for app/. */
struct origin_attachment {
    struct uuid uuid;
    struct str name, id;
    enum origin_attachment_kind kind;
    struct str place; /* namespace or device name; STR_NONE for kinds that need no listener of their own */
    unsigned services; /* ORIGIN_SERVICE_... */
};

struct origin_builder;
struct origin_builder *origin_builder_new(void);
void origin_builder_free(struct origin_builder *b);
CLEANUP_POINTER(struct origin_builder, origin_builder_free)
/* `body`: a virtual network's stored body (properties.subnets[] with name, the private member `uuid`,
 * properties.addressPrefix or addressPrefixes, properties.serviceEndpoints[].service). Texts are copied. */
NODISCARD enum rc origin_builder_network(struct origin_builder *b, struct str id, const struct uuid *uuid,
                                         const struct json *body, struct err *e);
/* `body`: an attachment's stored body (DETAILS "Attachments"; a private endpoint's uuid is the private member
 * privateEndpoints[].privateEndpoint.uuid); networks first. RC_INVALID malformed, RC_UNSUPPORTED kind, RC_CONFLICT when it
 * claims evidence that another one claims. An attachment whose network is gone maps to nothing. After a failure of either
 * the builder is good for nothing but being freed. */
NODISCARD enum rc origin_builder_attachment(struct origin_builder *b, struct str id, const struct uuid *uuid,
                                            const struct json *body, struct err *e);

struct origin_table;
struct origin_table *origin_table_build(struct origin_builder *b); /* takes what is in b, which is left empty; one reference */
struct origin_table *origin_table_ref(struct origin_table *t); /* counted by the configuration thread only */
void origin_table_unref(struct origin_table *t);
/* No I/O, no allocation. Evidence of an attachment that the table does not know is unidentified. */
void origin_resolve(const struct origin_table *t, const struct evidence *ev, struct origin *ret);
/* Where its clients come from, by what was typed, for explaining; address unset unless public. RC_NOT_FOUND. */
NODISCARD enum rc origin_of_subnet(const struct origin_table *t, struct str subnet_id, struct origin *ret, struct err *e);
struct str origin_subnet_id(const struct origin_table *t, const struct uuid *subnet); /* STR_NONE unknown */
struct str origin_attachment_name(const struct origin_table *t, const struct uuid *attachment);
size_t origin_attachments(const struct origin_table *t, const struct origin_attachment **ret_list);

#endif
