/* Two virtual networks with the same private range, for the tests of origin/. */
#ifndef UNIT_ORIGIN_WORLD_H
#define UNIT_ORIGIN_WORLD_H

#include "test.h"

#include "origin/origin.h"

#define NETWORK_ID(name)                                                                           \
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/" name
#define UUID_TEXT(last) "00000000-0000-4000-8000-0000000000" last

static const char network_blue[] =
    "{\"properties\":{\"subnets\":["
    "{\"name\":\"app\",\"uuid\":\"" UUID_TEXT(
        "01") "\",\"properties\":{\"addressPrefix\":\"10.0.0.0/24\","
              "\"serviceEndpoints\":[{\"service\":\"Microsoft.Storage\"},{\"service\":\"microsoft."
              "containerregistry\"}]}},"
              "{\"name\":\"db\",\"uuid\":\"" UUID_TEXT(
                  "02") "\",\"properties\":{\"addressPrefixes\":[\"10.0.1.0/24\",\"fd00::/64\"]}},"
                        "{\"name\":\"corner\",\"uuid\":\"" UUID_TEXT(
                            "03") "\",\"properties\":{\"addressPrefix\":\"10.0.0.128/25\","
                                  "\"serviceEndpoints\":[{\"service\":\"Microsoft."
                                  "ContainerRegistry\"}]}}]}}";
static const char network_red[] =
    "{\"properties\":{\"subnets\":[{\"name\":\"app\",\"uuid\":\"" UUID_TEXT(
        "11") "\",\"properties\":"
              "{\"addressPrefix\":\"10.0.0.0/"
              "24\",\"serviceEndpoints\":[{\"service\":\"Microsoft.ContainerRegistry\"}]}}]}}";

static inline struct uuid world_uuid(const char *text)
{
    struct uuid u;

    assert_int_equal(uuid_parse(str_from(text), &u, NULL), RC_OK);
    return u;
}

static inline enum rc world_network(struct origin_builder *b, const char *id, const char *uuid,
                                    const char *body)
{
    CLEANUP(json_freep) struct json *j = NULL;
    struct uuid u = world_uuid(uuid);

    assert_int_equal(json_parse(str_from(body), NULL, &j, NULL), RC_OK);
    return origin_builder_network(b, str_from(id), &u, j, NULL);
}

static inline enum rc world_attachment(struct origin_builder *b, const char *name, const char *uuid,
                                       const char *properties)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct json *j = NULL;
    struct uuid u = world_uuid(uuid);

    assert_int_equal(json_parse(str_from(properties), NULL, &j, NULL), RC_OK);
    json_set(body, "properties", j);
    return origin_builder_attachment(
        b, arena_printf(&a, "/providers/Kidoban.Network/attachments/%s", name), &u, body, NULL);
}

static inline struct origin_builder *world_networks(void)
{
    struct origin_builder *b = origin_builder_new();

    assert_int_equal(world_network(b, NETWORK_ID("Blue"), UUID_TEXT("a1"), network_blue), RC_OK);
    assert_int_equal(world_network(b, NETWORK_ID("red"), UUID_TEXT("a2"), network_red), RC_OK);
    return b;
}

/* `place`: of the attachment's listener. */
static inline struct evidence world_evidence(const char *attachment, const char *place,
                                             const char *peer, const char *local)
{
    struct evidence ev = {.arrival = NET_NETNS, .attachment = world_uuid(attachment)};

    assert_int_equal(str_copy(str_from(place), ev.place, sizeof(ev.place)), RC_OK);
    assert_int_equal(ip_parse(str_from(peer), &ev.peer, NULL), RC_OK);
    assert_int_equal(ip_parse(str_from(local), &ev.local, NULL), RC_OK);
    return ev;
}

#endif
