/* Property: an attachment's body is refused, or its evidence resolves to a subnet of its own
 * network that has the service endpoint, to its outbound address, to one of its endpoints, or to
 * nothing. */
#include "origin/origin.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NETWORK "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
static const char network[] =
    "{\"properties\":{\"subnets\":["
    "{\"name\":\"n\",\"uuid\":\"01020304-0506-4708-890a-0b0c0d0e0f10\",\"properties\":"
    "{\"addressPrefix\":\"10.0.0.0/24\",\"serviceEndpoints\":[{\"service\":"
    "\"Microsoft.ContainerRegistry\"}]}},{\"name\":\"m\",\"uuid\":"
    "\"02020304-0506-4708-890a-0b0c0d0e0f10\",\"properties\":{\"addressPrefix\":\"10.0.1.0/"
    "24\"}}]}}";

static void network_add(struct origin_builder *b, const struct uuid *u)
{
    CLEANUP(json_freep) struct json *j = NULL;

    if (json_parse(str_from(network), NULL, &j, NULL) != RC_OK ||
        origin_builder_network(b, STR(NETWORK), u, j, NULL) != RC_OK)
        abort();
}

static void try_peer(const struct origin_table *t, const struct uuid *u,
                     const struct origin_attachment *face, uint8_t third)
{
    static const enum net_arrival arrivals[] = {
        [ATTACH_NETNS] = NET_NETNS, [ATTACH_DEVICE] = NET_DEVICE, [ATTACH_RANGE] = NET_MAIN};
    enum origin_attachment_kind kind = face->kind;
    struct evidence ev = {
        .arrival = arrivals[kind], .ifindex = 7, .interface = "eth0", .mark = third};
    struct origin o;

    if (ev.arrival != NET_MAIN)
        ev.attachment = *u;
    if (face->place.len > 0 && str_copy(face->place, ev.place, sizeof(ev.place)) != RC_OK)
        abort();
    if (kind == ATTACH_PROXY) {
        ev.arrival = NET_PROXY;
        ev.via = (struct ip_addr){4, {10, 0, 0, 1}};
        ev.n_tlvs = 1;
        ev.tlvs[0] = (struct evidence_tlv){.type = TLV_NAMESPACE, .text = "vnet1"};
    }

    ev.peer = ev.local = (struct ip_addr){.family = 4, .bytes = {10, 0, third, 4}};
    origin_resolve(t, &ev, &o);
    assert(uuid_eq(&o.attachment, u) ||
           ((ev.arrival == NET_MAIN || ev.arrival == NET_PROXY) && uuid_is_nil(&o.attachment)));
    if (o.kind == ORIGIN_SUBNET)
        assert(str_is(origin_subnet_id(t, &o.subnet), NETWORK "/subnets/n"));
    if (o.kind == ORIGIN_PUBLIC)
        assert(o.ip.family != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) struct json *j = NULL;
    CLEANUP(origin_builder_freep) struct origin_builder *b = NULL;
    const struct origin_attachment *list;
    struct uuid u = {{7}};

    if (json_parse((struct str){(const char *)data, size}, NULL, &j, NULL) != RC_OK)
        return 0;
    b = origin_builder_new();
    network_add(b, &u);
    if (origin_builder_attachment(b, STR("/providers/Kidoban.Network/attachments/a"), &u, j,
                                  NULL) != RC_OK)
        return 0;
    struct origin_table *t = origin_table_build(b);

    assert(origin_attachments(t, &list) == 1);
    assert((list[0].place.len > 0) == (list[0].kind <= ATTACH_DEVICE));
    for (unsigned third = 0; third < 3; third++)
        try_peer(t, &u, &list[0], (uint8_t)third);
    origin_table_unref(t);
    return 0;
}
