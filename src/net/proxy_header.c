#include "net/proxy_header.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    VERSION = 0x20,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    FAMILY_UNSPEC = 0x00,
    FAMILY_TCP4 = 0x11,
    FAMILY_TCP6 = 0x21,
    TLV_CRC32C = 0x03,
    TLV_FRAME = 3,
    CRC32C_BYTES = 4,
};
#define CRC32C_POLYNOMIAL 0x82F63B78u /* lowest bit first */

const char proxy_signature[PROXY_SIGNATURE] = "\r\n\r\n\0\r\nQUIT\n";

static uint8_t byte_at(struct str s, size_t i)
{
    return (uint8_t)s.ptr[i];
}

static uint16_t u16_at(struct str s, size_t i)
{
    return (uint16_t)(byte_at(s, i) << 8 | byte_at(s, i + 1));
}

/* --- the fixed part --- */

static enum rc command_check(uint8_t version_command, struct err *e)
{
    if (version_command == (VERSION | COMMAND_LOCAL) ||
        version_command == (VERSION | COMMAND_PROXY))
        return RC_OK;
    return err_set(e, RC_INVALID, "a PROXY header of version and command 0x%02x", version_command);
}

/* How many bytes of addresses it has. */
static enum rc family_check(uint8_t command, uint8_t family, size_t *ret_addresses, struct err *e)
{
    switch (family) {
    case FAMILY_TCP4:
        *ret_addresses = 2 * 4 + 2 * 2;
        return RC_OK;
    case FAMILY_TCP6:
        *ret_addresses = 2 * 16 + 2 * 2;
        return RC_OK;
    case FAMILY_UNSPEC:
        if (command == (VERSION | COMMAND_LOCAL)) {
            *ret_addresses = 0;
            return RC_OK;
        }
        break;
    }
    return err_set(e, RC_INVALID, "a PROXY header of family 0x%02x, which is no TCP", family);
}

enum rc proxy_header_length(struct str first, size_t *ret_length, struct err *e)
{
    size_t n = first.len < PROXY_SIGNATURE ? first.len : PROXY_SIGNATURE, addresses = 0;
    enum rc rc = RC_OK;

    if (n > 0 && memcmp(first.ptr, proxy_signature, n) != 0)
        return err_set(e, RC_INVALID, "no PROXY header of version 2");
    if (first.len > PROXY_SIGNATURE)
        rc = command_check(byte_at(first, 12), e);
    if (rc == RC_OK && first.len > PROXY_SIGNATURE + 1)
        rc = family_check(byte_at(first, 12), byte_at(first, 13), &addresses, e);
    if (rc != RC_OK)
        return rc;
    if (first.len < PROXY_FIXED)
        return err_set(e, RC_UNAVAILABLE, "more of the PROXY header is needed");
    size_t length = PROXY_FIXED + (size_t)u16_at(first, 14);

    if (length < PROXY_FIXED + addresses || length > PROXY_HEADER_MAX)
        return err_set(e, RC_INVALID, "a PROXY header of %zu bytes", length);
    *ret_length = length;
    return RC_OK;
}

/* --- addresses --- */

static struct ip_addr address_at(struct str s, size_t i, uint8_t family)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    uint16_t port;

    if (family == FAMILY_TCP4) {
        memcpy(&four.sin_addr, s.ptr + i, sizeof(four.sin_addr));
        return ip_from_sockaddr((const struct sockaddr *)&four, &port);
    }
    memcpy(&six.sin6_addr, s.ptr + i, sizeof(six.sin6_addr));
    return ip_from_sockaddr((const struct sockaddr *)&six, &port);
}

static void addresses_read(struct str bytes, uint8_t family, struct proxy_header *h)
{
    size_t each = family == FAMILY_TCP4 ? 4 : 16, at = PROXY_FIXED;

    h->source = address_at(bytes, at, family);
    h->destination = address_at(bytes, at + each, family);
    h->source_port = u16_at(bytes, at + 2 * each);
    h->destination_port = u16_at(bytes, at + 2 * each + 2);
}

/* --- values that tell a network --- */

/* Text that no attachment can have becomes "": it is there, and is nobody's. */
static void text_read(struct str value, struct evidence_tlv *t)
{
    bool good = value.len < sizeof(t->text);

    for (size_t i = 0; good && i < value.len; i++)
        good = byte_at(value, i) > ' ' && byte_at(value, i) < 0x7F;
    if (good)
        memcpy(t->text, value.ptr, value.len);
}

static enum rc google_read(struct str value, struct evidence_tlv *t, struct err *e)
{
    uint64_t id = 0;

    if (value.len != sizeof(id))
        return err_set(e, RC_INVALID, "a connection id of %zu bytes", value.len);
    for (size_t i = 0; i < sizeof(id); i++)
        id = id << 8 | byte_at(value, i);
    snprintf(t->text, sizeof(t->text), "%" PRIu64, id);
    return RC_OK;
}

static enum rc azure_read(struct str value, struct evidence_tlv *t, struct err *e)
{
    uint32_t id = 0;

    if (t->subtype != 1)
        return RC_OK;
    if (value.len != sizeof(id))
        return err_set(e, RC_INVALID, "a LINKID of %zu bytes", value.len);
    for (size_t i = sizeof(id); i > 0; i--)
        id = id << 8 | byte_at(value, i - 1);
    snprintf(t->text, sizeof(t->text), "%" PRIu32, id);
    return RC_OK;
}

static enum rc value_read(struct str value, struct evidence_tlv *t, struct err *e)
{
    bool has_subtype = t->type == TLV_ALIBABA || t->type == TLV_AWS || t->type == TLV_AZURE;

    if (value.len == 0 || (has_subtype && value.len == 1))
        return err_set(e, RC_INVALID, "an empty TLV of type 0x%02x", t->type);
    if (has_subtype) {
        t->subtype = byte_at(value, 0);
        value = str_skip(value, 1);
    }
    if (t->type == TLV_GOOGLE)
        return google_read(value, t, e);
    if (t->type == TLV_AZURE)
        return azure_read(value, t, e);
    if (t->type == TLV_NAMESPACE || t->subtype == 1 ||
        (t->type == TLV_ALIBABA && (t->subtype == 2 || t->subtype == 3)))
        text_read(value, t);
    return RC_OK;
}

static bool tells_a_network(uint8_t type)
{
    return type == TLV_NAMESPACE || type == TLV_GOOGLE || type == TLV_ALIBABA || type == TLV_AWS ||
           type == TLV_AZURE;
}

static enum rc network_take(uint8_t type, struct str value, struct proxy_header *h, struct err *e)
{
    struct evidence_tlv t = {.type = type};
    enum rc rc = value_read(value, &t, e);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < h->n_tlvs; i++)
        if (h->tlvs[i].type == t.type && h->tlvs[i].subtype == t.subtype)
            return err_set(e, RC_INVALID, "two TLVs of type 0x%02x", type);
    if (h->n_tlvs == EVIDENCE_TLVS)
        return err_set(e, RC_INVALID, "more than %d TLVs that tell a network", EVIDENCE_TLVS);
    h->tlvs[h->n_tlvs++] = t;
    return RC_OK;
}

/* --- the checksum --- */

static uint32_t crc32c_add(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
    return crc;
}

/* Over the whole header, with zeros where the sum itself stands. */
static enum rc checksum_check(struct str bytes, size_t at, struct err *e)
{
    uint32_t crc = UINT32_MAX, sent = 0;

    for (size_t i = 0; i < bytes.len; i++)
        crc = crc32c_add(crc, i >= at && i < at + CRC32C_BYTES ? 0 : byte_at(bytes, i));
    for (size_t i = 0; i < CRC32C_BYTES; i++)
        sent = sent << 8 | byte_at(bytes, at + i);
    return sent == ~crc ? RC_OK : err_set(e, RC_INVALID, "a PROXY header with a wrong checksum");
}

/* --- all of it --- */

static enum rc tlvs_read(struct str bytes, size_t at, struct proxy_header *h, struct err *e)
{
    size_t checksum = 0;
    enum rc rc = RC_OK;

    while (rc == RC_OK && at < bytes.len) {
        size_t left = bytes.len - at, length = left < TLV_FRAME ? 0 : u16_at(bytes, at + 1);

        if (left < TLV_FRAME + length)
            return err_set(e, RC_INVALID, "a TLV that is longer than its PROXY header");
        uint8_t type = byte_at(bytes, at);
        struct str value = {bytes.ptr + at + TLV_FRAME, length};

        if (type == TLV_CRC32C && (checksum > 0 || length != CRC32C_BYTES))
            return err_set(e, RC_INVALID, "a PROXY header with a malformed checksum");
        if (type == TLV_CRC32C)
            checksum = at + TLV_FRAME;
        else if (tells_a_network(type))
            rc = network_take(type, value, h, e);
        at += TLV_FRAME + length;
    }
    return rc == RC_OK && checksum > 0 ? checksum_check(bytes, checksum, e) : rc;
}

enum rc proxy_header_parse(struct str bytes, struct proxy_header *ret, struct err *e)
{
    struct proxy_header h = {0};
    size_t length = 0, addresses = 0;
    enum rc rc = proxy_header_length(bytes, &length, e);

    if (rc == RC_OK && length != bytes.len)
        rc = err_set(e, RC_INVALID, "%zu bytes for a PROXY header of %zu", bytes.len, length);
    if (rc == RC_OK)
        rc = family_check(byte_at(bytes, 12), byte_at(bytes, 13), &addresses, e);
    if (rc == RC_OK)
        rc = tlvs_read(bytes, PROXY_FIXED + addresses, &h, e);
    if (rc != RC_OK)
        return rc;
    if (byte_at(bytes, 12) == (VERSION | COMMAND_LOCAL))
        h = (struct proxy_header){.local = true};
    else
        addresses_read(bytes, byte_at(bytes, 13), &h);
    *ret = h;
    return RC_OK;
}
