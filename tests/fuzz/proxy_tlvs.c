/* The values in a PROXY header, from the bytes to the origin: the fuzzer writes the TLVs, all else
 * is right. Property: a header that carries a type which tells a network is nobody's, or the one's
 * whose very value it carries; without one it is public; a checksum is believed only if it is
 * right. */
#include "fuzz.h"

#include "net/proxy_header.h"
#include "origin/origin.h"
#include <stdlib.h>

#define NETWORK "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
enum { TLVS_AT = PROXY_FIXED + 12, TLVS_MAX = 1024, CHECKSUM = 7 };
static const char network[] =
    "{\"properties\":{\"subnets\":[{\"name\":\"n\",\"uuid\":\"01020304-0506-4708-890a-"
    "0b0c0d0e0f10\","
    "\"properties\":{\"addressPrefix\":\"10.0.0.0/24\",\"serviceEndpoints\":[{\"service\":"
    "\"Microsoft.ContainerRegistry\"}]}}]}}";
/* What tells each network, as an attachment says it and as it is sent. */
static const struct {
    const char *type, *value, *sent;
    size_t n;
} told[] = {
    {"234", "vpce-1", "\xEA\0\x07\x01vpce-1", 10},
    {"238", "7", "\xEE\0\x05\x01\x07\0\0\0", 8},
    {"224", "7", "\xE0\0\x08\0\0\0\0\0\0\0\x07", 11},
    {"225", "ep-1",
     "\xE1\0\x05\x02"
     "ep-1",
     8},
    {"48", "blue",
     "\x30\0\x04"
     "blue",
     7},
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void attach(struct origin_builder *b, uint8_t i)
{
    CLEANUP(json_freep) struct json *j = NULL;
    CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
    struct uuid u = {{(uint8_t)(i + 1)}};

    buf_addf(&text,
             "{\"properties\":{\"kind\":\"proxy\",\"virtualNetwork\":{\"id\":\"" NETWORK "\"},"
             "\"proxy\":{\"peers\":[\"192.0.2.1\"],\"tlv\":{\"type\":%s,\"value\":\"%s\"}}}}",
             told[i].type, told[i].value);
    must(json_parse(buf_str(&text), NULL, &j, NULL) == RC_OK);
    must(origin_builder_attachment(b, STR("/providers/Kidoban.Network/attachments/a"), &u, j,
                                   NULL) == RC_OK);
}

static struct origin_table *table(void)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = origin_builder_new();
    CLEANUP(json_freep) struct json *j = NULL;

    must(json_parse(str_from(network), NULL, &j, NULL) == RC_OK);
    must(origin_builder_network(b, STR(NETWORK), &(struct uuid){{99}}, j, NULL) == RC_OK);
    for (uint8_t i = 0; i < ARRAY_LEN(told); i++)
        attach(b, i);
    return origin_table_build(b);
}

/* Bit by bit, as RFC 3720 describes it: the highest bit of a mirrored message first. */
static uint32_t crc32c(const uint8_t *bytes, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < 8 * n; i++) {
        uint32_t bit = (uint32_t)(bytes[i / 8] >> i % 8) & 1;

        crc = (crc ^ bit) & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
    }
    return ~crc;
}

/* The header with these TLVs and, asked for, a checksum at the end; how long it is. */
static size_t header(const uint8_t *tlvs, size_t n, bool sum, uint8_t *out)
{
    static const uint8_t addresses[12] = {10, 0, 0, 4, 10, 0, 9, 9, 0xC3, 0x50, 1, 0xBB};
    size_t rest = sizeof(addresses) + n + (sum ? CHECKSUM : 0), length = PROXY_FIXED + rest;

    memcpy(out, proxy_signature, PROXY_SIGNATURE);
    out[12] = 0x21;
    out[13] = 0x11;
    out[14] = (uint8_t)(rest >> 8);
    out[15] = (uint8_t)rest;
    memcpy(out + PROXY_FIXED, addresses, sizeof(addresses));
    memcpy(out + TLVS_AT, tlvs, n);
    if (!sum)
        return length;
    memcpy(out + length - CHECKSUM, "\x03\0\x04\0\0\0", CHECKSUM);
    uint32_t crc = crc32c(out, length);

    for (size_t i = 1; i <= 4; i++, crc >>= 8)
        out[length - i] = (uint8_t)crc;
    return length;
}

/* Whether the TLVs end with their bytes; else the last one swallows what follows, a checksum too.
 */
static bool ends(const uint8_t *tlvs, size_t n)
{
    size_t at = 0;

    while (at + 3 <= n)
        at += 3 + (size_t)(tlvs[at + 1] << 8 | tlvs[at + 2]);
    return at == n;
}

static bool carries(const uint8_t *tlvs, size_t n, const char *sent, size_t len)
{
    for (size_t at = 0; at + len <= n; at++)
        if (memcmp(tlvs + at, sent, len) == 0)
            return true;
    return false;
}

/* Whether the bytes have what tells the network of this attachment. */
static bool tells(const uint8_t *tlvs, size_t n, size_t i)
{
    char sent[16];
    bool found = false;

    memcpy(sent, told[i].sent, told[i].n);
    if (sent[0] != '\xE1')
        return carries(tlvs, n, sent, told[i].n);
    for (char subtype = 1; subtype <= 3; subtype++) { /* an id of any of three kinds */
        sent[3] = subtype;
        found |= carries(tlvs, n, sent, told[i].n);
    }
    return found;
}

static void judge(const struct origin_table *t, const struct proxy_header *h, const uint8_t *tlvs,
                  size_t n)
{
    struct evidence ev = {.arrival = NET_PROXY,
                          .peer = h->source,
                          .local = h->destination,
                          .via = {4, {192, 0, 2, 1}},
                          .n_tlvs = h->n_tlvs};
    struct origin o;

    memcpy(ev.tlvs, h->tlvs, sizeof(ev.tlvs));
    origin_resolve(t, &ev, &o);
    must((o.kind == ORIGIN_PUBLIC) == (h->n_tlvs == 0));
    if (o.kind == ORIGIN_SUBNET) {
        size_t i = o.attachment.bytes[0] - 1u;

        must(i < ARRAY_LEN(told) && tells(tlvs, n, i));
    }
    ev.via.bytes[3] = 2; /* another proxy */
    origin_resolve(t, &ev, &o);
    must(o.kind == (h->n_tlvs == 0 ? ORIGIN_PUBLIC : ORIGIN_UNIDENTIFIED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct origin_table *t; /* for all runs of this process */
    uint8_t bytes[TLVS_AT + TLVS_MAX + CHECKSUM];
    struct proxy_header h;

    if (size == 0 || size > TLVS_MAX)
        return 0;
    if (!t)
        t = table();
    bool sum = data[0] & 1;
    size_t length = header(data + 1, size - 1, sum, bytes);
    struct str whole = {(const char *)bytes, length};

    if (proxy_header_parse(whole, &h, NULL) != RC_OK)
        return 0;
    judge(t, &h, data + 1, size - 1);
    if (sum && ends(data + 1, size - 1)) {
        bytes[length - 1 - data[0] % 4] ^= 0x10;
        must(proxy_header_parse(whole, &h, NULL) == RC_INVALID);
    }
    return 0;
}
