/* A million pieces of evidence under random configurations, judged twice: by the table, and by a
 * reading of the rules that is as slow and plain as they are written. */
#include "world.h"

#include <stdio.h>

enum { TABLES = 4000, EVIDENCES = 300, ATTACHMENTS = 8 };

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static unsigned pick(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 33) % n);
}

/* --- the configuration, as a person would note it --- */

struct plain {
    enum origin_attachment_kind kind;
    bool blue, outbound, pinned, endpoint; /* pinned: interface "d0" is blue's corner */
    unsigned place;                        /* of "d0".."d3" */
    uint32_t value, mask;
    unsigned third, bits;       /* range: 10.0.third.0/bits; bits 0 stands for fd00::/64 */
    unsigned peers, type, text; /* proxy: which of the lists below */
    bool named;                 /* proxy: blue's corner */
    struct uuid uuid;
};
static const char *const peer_lists[] = {"10.200.0.0/16", "10.200.1.0/24", "192.0.2.0/24"};
static const uint8_t tlv_types[] = {TLV_AWS, TLV_ALIBABA, TLV_NAMESPACE};
struct config {
    struct plain list[ATTACHMENTS];
    size_t n;
};

static bool cidr_of(const struct plain *p, struct cidr *ret)
{
    char text[32];

    snprintf(text, sizeof(text), p->bits ? "10.0.%u.0/%u" : "fd00::/64", p->third, p->bits);
    return cidr_parse(str_from(text), ret, NULL) == RC_OK;
}

static bool clash(const struct plain *a, const struct plain *b)
{
    struct cidr x, y;

    if (a->kind != b->kind)
        return false;
    if (a->kind == ATTACH_MARK) { /* is there a mark that both match? */
        for (uint32_t m = 0; m < 16; m++)
            if ((m & a->mask) == a->value && (m & b->mask) == b->value)
                return true;
        return false;
    }
    if (a->kind == ATTACH_PROXY)
        return a->type == b->type && a->text == b->text &&
               (a->peers == b->peers || a->peers + b->peers == 1);
    if (a->kind == ATTACH_RANGE)
        return cidr_of(a, &x) && cidr_of(b, &y) && cidr_overlaps(&x, &y);
    return a->place == b->place;
}

static struct plain random_plain(unsigned serial)
{
    static const enum origin_attachment_kind kinds[] = {ATTACH_NETNS, ATTACH_DEVICE, ATTACH_MARK,
                                                        ATTACH_RANGE, ATTACH_PROXY};
    struct plain p = {.kind = kinds[pick(ARRAY_LEN(kinds))]};

    p.blue = pick(2);
    p.outbound = pick(2);
    p.place = pick(4);
    p.mask = 1 + pick(15);
    do
        p.value = pick(16) & p.mask;
    while (p.value == 0);
    p.third = pick(4);
    p.bits = pick(5) == 0 ? 0 : p.third % 2 ? 24 : 23 + pick(2);
    p.peers = pick(ARRAY_LEN(peer_lists));
    p.type = pick(ARRAY_LEN(tlv_types));
    p.text = pick(2);
    p.named = p.kind == ATTACH_PROXY && p.blue && pick(3) == 0;
    p.pinned = p.kind <= ATTACH_DEVICE && p.blue && pick(3) == 0;
    p.endpoint = (p.kind <= ATTACH_DEVICE || p.kind == ATTACH_PROXY) && !p.named && pick(3) == 0;
    p.uuid = (struct uuid){{[0] = 7, [15] = (uint8_t)(serial + 1)}};
    return p;
}

/* --- the same, as the table reads it --- */

static void write_own(const struct plain *p, struct buf *b)
{
    struct cidr c;
    char text[CIDR_TEXT_MAX];

    if (p->kind == ATTACH_MARK) {
        buf_addf(b, "\"kind\":\"mark\",\"mark\":{\"value\":%u,\"mask\":%u}", p->value, p->mask);
    } else if (p->kind == ATTACH_PROXY) {
        buf_addf(b,
                 "\"kind\":\"proxy\",\"proxy\":{\"peers\":[\"%s\"],\"tlv\":{\"type\":%u,"
                 "\"value\":\"v%u\"}}",
                 peer_lists[p->peers], tlv_types[p->type], p->text);
    } else if (p->kind == ATTACH_RANGE) {
        assert_true(cidr_of(p, &c));
        cidr_format(&c, text);
        buf_addf(b, "\"kind\":\"range\",\"range\":{\"addressPrefixes\":[\"%s\"]}", text);
    } else {
        const char *kind = p->kind == ATTACH_NETNS ? "netns" : "device";

        buf_addf(b, "\"kind\":\"%s\",\"%s\":{\"name\":\"d%u\"}", kind, kind, p->place);
    }
}

static enum rc add(struct origin_builder *b, const struct plain *p)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    char uuid[UUID_TEXT_MAX];

    buf_addf(&text, "{\"virtualNetwork\":{\"id\":\"%s\"},",
             p->blue ? NETWORK_ID("blue") : NETWORK_ID("red"));
    write_own(p, &text);
    if (p->outbound)
        buf_addf(&text, ",\"outboundPublicIPAddress\":\"203.0.113.7\"");
    if (p->pinned)
        buf_addf(&text, ",\"interfaces\":[{\"name\":\"d0\",\"subnet\":{\"id\":\"%s\"}}]",
                 NETWORK_ID("blue") "/subnets/corner");
    if (p->named)
        buf_addf(&text, ",\"subnet\":{\"id\":\"%s\"}", NETWORK_ID("blue") "/subnets/corner");
    if (p->endpoint && p->kind == ATTACH_PROXY)
        buf_addf(&text, ",\"privateEndpoints\":[{\"privateEndpoint\":{\"id\":\"/pe\",\"uuid\":"
                        "\"" UUID_TEXT("99") "\"}}]");
    else if (p->endpoint)
        buf_addf(&text, ",\"privateEndpoints\":[{\"localAddress\":\"10.0.0.9\",\"privateEndpoint\":"
                        "{\"id\":\"/pe\",\"uuid\":\"" UUID_TEXT("99") "\"}}]");
    buf_addf(&text, "}");
    uuid_format(&p->uuid, uuid);
    return world_attachment(b, "x", uuid, buf_cstr(&text));
}

/* Attachments that clash are refused; the builder is then of no use, so each is tried on its own.
 */
static enum rc try_all(const struct config *c, const struct plain *more, struct origin_table **ret)
{
    CLEANUP(origin_builder_freep) struct origin_builder *b = world_networks();

    for (size_t i = 0; i < c->n; i++)
        assert_int_equal(add(b, &c->list[i]), RC_OK);
    if (more)
        return add(b, more);
    *ret = origin_table_build(b);
    return RC_OK;
}

static void random_config(struct config *c)
{
    unsigned tries = pick(ATTACHMENTS + 1);

    *c = (struct config){.n = 0};
    for (unsigned t = 0; t < tries; t++) {
        struct plain p = random_plain(t);
        bool clashes = false;

        for (size_t i = 0; i < c->n; i++)
            clashes |= clash(&c->list[i], &p);
        assert_int_equal(try_all(c, &p, NULL), clashes ? RC_CONFLICT : RC_OK);
        if (!clashes)
            c->list[c->n++] = p;
    }
}

/* --- evidence --- */

/* What a proxy said: nothing of itself, or an address and up to three values. */
static void random_header(struct evidence *ev)
{
    static const struct ip_addr proxies[] = {
        {4, {10, 200, 0, 1}}, {4, {10, 200, 1, 1}}, {4, {192, 0, 2, 1}}};

    ev->arrival = NET_PROXY;
    ev->mark = 0;
    if (pick(5) == 0)
        return;
    ev->via = proxies[pick(ARRAY_LEN(proxies))];
    ev->n_tlvs = (uint8_t)(pick(3) ? pick(2) : pick(4));
    for (unsigned i = 0; i < ev->n_tlvs; i++) {
        ev->tlvs[i].type = tlv_types[pick(ARRAY_LEN(tlv_types))];
        ev->tlvs[i].subtype = (uint8_t)i;
        snprintf(ev->tlvs[i].text, sizeof(ev->tlvs[i].text), "v%u", pick(3));
    }
}

static unsigned place_of(const struct config *c, const struct uuid *attachment)
{
    for (size_t i = 0; i < c->n; i++)
        if (uuid_eq(&c->list[i].uuid, attachment))
            return c->list[i].place;
    return 0;
}

static struct evidence random_evidence(const struct config *c)
{
    static const enum net_arrival arrivals[] = {NET_MAIN, NET_MAIN, NET_MAIN, NET_NETNS,
                                                NET_DEVICE};
    struct evidence ev = {.arrival = arrivals[pick(ARRAY_LEN(arrivals))], .mark = pick(32)};
    bool six = pick(4) == 0;

    ev.peer =
        six ? (struct ip_addr){6, {0xfd, 0, [7] = (uint8_t)pick(2), [15] = 4}}
            : (struct ip_addr){
                  4, {(uint8_t)(pick(6) ? 10 : 203), 0, (uint8_t)pick(5), (uint8_t)pick(256)}};
    ev.local = (struct ip_addr){4, {10, 0, 0, pick(3) ? 1 : 9}};
    ev.ifindex = pick(8);
    if (ev.ifindex > 0 && pick(6) > 0)
        snprintf(ev.interface, sizeof(ev.interface), "d%u", pick(6));
    if (pick(3) == 0)
        ev.mark = 0;
    if (ev.arrival == NET_MAIN && pick(2))
        random_header(&ev);
    if (ev.arrival == NET_MAIN && pick(5) == 0) /* forwarded */
        ev.via = (struct ip_addr){4, {192, 0, 2, 7}};
    if (ev.arrival == NET_MAIN || ev.arrival == NET_PROXY)
        return ev;
    enum origin_attachment_kind kind = ev.arrival == NET_NETNS ? ATTACH_NETNS : ATTACH_DEVICE;

    ev.attachment = (struct uuid){{9}}; /* nobody's, unless there is one */
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].kind == kind && pick(2))
            ev.attachment = c->list[i].uuid;
    snprintf(ev.place, sizeof(ev.place), "d%u", pick(5) ? place_of(c, &ev.attachment) : pick(5));
    return ev;
}

/* --- the plain reading --- */

static struct origin inside(const struct plain *p, const struct evidence *ev, struct origin o)
{
    bool place = p->kind <= ATTACH_DEVICE, four = ev->peer.family == 4;
    unsigned third = ev->peer.bytes[2], fourth = ev->peer.bytes[3];
    bool ten = four && ev->peer.bytes[0] == 10;
    int subnet = -1;

    o.attachment = p->uuid;
    if ((p->kind == ATTACH_DEVICE || p->kind == ATTACH_MARK) && ev->via.family != 0) {
        o.ip = ev->via; /* somebody there claims to speak for others */
        return o;
    }
    if (p->endpoint && (!place || ev->local.bytes[3] == 9)) {
        o.kind = ORIGIN_PRIVATE_ENDPOINT;
        o.private_endpoint = world_uuid(UUID_TEXT("99"));
        return o;
    }
    if (p->blue && ten && third == 0)
        subnet = fourth >= 128 ? 0x03 : 0x01;
    else if (p->blue && ((ten && third == 1) || (!four && ev->peer.bytes[7] == 0)))
        subnet = 0x02;
    else if (!p->blue && ten && third == 0)
        subnet = 0x11;
    if (p->pinned && ev->interface[0] == '\0')
        subnet = -1;
    else if (p->pinned && strcmp(ev->interface, "d0") == 0)
        subnet = 0x03;
    if (p->named)
        subnet = 0x03;
    if (subnet == 0x02 && p->outbound) { /* no service endpoint */
        o.kind = ORIGIN_PUBLIC;
        o.ip = (struct ip_addr){4, {203, 0, 113, 7}};
    } else if (subnet >= 0 && subnet != 0x02) {
        o.kind = ORIGIN_SUBNET;
        o.subnet = world_uuid(UUID_TEXT("01"));
        o.subnet.bytes[15] = (uint8_t)subnet;
    }
    return o;
}

static const struct plain *of_listener(const struct config *c, const struct evidence *ev)
{
    for (size_t i = 0; i < c->n; i++)
        if (uuid_eq(&c->list[i].uuid, &ev->attachment))
            return &c->list[i];
    return NULL;
}

/* Whose value it is, from this proxy. */
static const struct plain *of_value(const struct config *c, const struct evidence *ev, unsigned k)
{
    struct cidr peers;
    char text[8];

    for (size_t i = 0; i < c->n; i++) {
        const struct plain *p = &c->list[i];

        snprintf(text, sizeof(text), "v%u", p->text);
        if (p->kind == ATTACH_PROXY && tlv_types[p->type] == ev->tlvs[k].type &&
            strcmp(text, ev->tlvs[k].text) == 0 &&
            cidr_parse(str_from(peer_lists[p->peers]), &peers, NULL) == RC_OK &&
            cidr_contains(&peers, &ev->via))
            return p;
    }
    return NULL;
}

/* Each type has a value that is somebody's, and all of those are the same one's. */
static const struct plain *of_header(const struct config *c, const struct evidence *ev)
{
    const struct plain *only = NULL;

    for (unsigned i = 0; i < ev->n_tlvs; i++) {
        const struct plain *p = of_value(c, ev, i);
        bool some = false;

        for (unsigned k = 0; k < ev->n_tlvs; k++)
            some |= ev->tlvs[k].type == ev->tlvs[i].type && of_value(c, ev, k);
        if (!some || (p && only && p != only))
            return NULL;
        only = p ? p : only;
    }
    return only;
}

/* *nobody: it has bits that mean something, and is none that anybody has. */
static const struct plain *of_mark(const struct config *c, const struct evidence *ev, bool *nobody)
{
    bool bits = false;

    for (size_t i = 0; i < c->n; i++) {
        const struct plain *p = &c->list[i];

        if (p->kind == ATTACH_MARK && (ev->mark & p->mask) == p->value) {
            *nobody = false;
            return p;
        }
        bits |= p->kind == ATTACH_MARK && (ev->mark & p->mask) != 0;
    }
    *nobody = bits;
    return NULL;
}

static bool through_what_is_gone(const struct config *c, const struct evidence *ev)
{
    bool devices = false;

    for (size_t i = 0; i < c->n; i++)
        devices |= c->list[i].kind == ATTACH_DEVICE;
    return devices && ev->ifindex > 0 && ev->interface[0] == '\0';
}

/* Interface, then the proxy's values, then mark, then source. *nobody: it names one that is not
 * known. */
static const struct plain *of_main(const struct config *c, const struct evidence *ev, bool *nobody)
{
    const struct plain *marked = of_mark(c, ev, nobody);
    bool unknown_mark = *nobody;
    char name[16];

    for (size_t i = 0; i < c->n; i++) {
        const struct plain *p = &c->list[i];

        snprintf(name, sizeof(name), "d%u", p->place);
        if (p->kind == ATTACH_DEVICE && ev->ifindex > 0 && strcmp(name, ev->interface) == 0) {
            return p;
        }
    }
    *nobody = through_what_is_gone(c, ev);
    if (!*nobody && ev->via.family != 0 && (marked || unknown_mark)) {
        *nobody = true;
        return marked;
    }
    if (!*nobody && ev->n_tlvs > 0) {
        const struct plain *p = of_header(c, ev);

        *nobody = !p;
        return p;
    }
    if (!*nobody && marked)
        return marked;
    *nobody |= unknown_mark;
    for (size_t i = 0; !*nobody && i < c->n; i++) {
        struct cidr block;

        if (c->list[i].kind == ATTACH_RANGE && cidr_of(&c->list[i], &block) &&
            cidr_contains(&block, &ev->peer))
            return &c->list[i];
    }
    return NULL;
}

static struct origin plainly(const struct config *c, const struct evidence *ev)
{
    struct origin o = {.kind = ORIGIN_UNIDENTIFIED, .ip = ev->peer, .attachment = ev->attachment};
    bool main = ev->arrival == NET_MAIN || ev->arrival == NET_PROXY, nobody = !main;
    const struct plain *p = main ? of_main(c, ev, &nobody) : of_listener(c, ev);
    bool moved = p && !main && (ev->place[0] != 'd' || ev->place[1] != (char)('0' + p->place));

    if (moved)
        return o;
    if (p)
        return inside(p, ev, o);
    if (!nobody)
        o.kind = ORIGIN_PUBLIC;
    else if (main && ev->via.family != 0 &&
             (through_what_is_gone(c, ev) || (!of_mark(c, ev, &nobody) && nobody)))
        o.ip = ev->via; /* it may have been somebody's network */
    return o;
}

static void the_table_and_the_plain_reading_agree_a_million_times(void **state)
{
    unsigned kinds[4] = {0};

    (void)state;
    for (int i = 0; i < TABLES; i++) {
        struct origin_table *t = NULL;
        struct config c;

        random_config(&c);
        assert_int_equal(try_all(&c, NULL, &t), RC_OK);
        for (int k = 0; k < EVIDENCES; k++) {
            struct evidence ev = random_evidence(&c);
            struct origin want = plainly(&c, &ev), got;

            origin_resolve(t, &ev, &got);
            if (want.kind != got.kind || !uuid_eq(&want.subnet, &got.subnet) ||
                !uuid_eq(&want.private_endpoint, &got.private_endpoint) ||
                !uuid_eq(&want.attachment, &got.attachment) || !ip_eq(&want.ip, &got.ip))
                fail_msg("table %d, evidence %d: %s, not %s", i, k, origin_kind_name(got.kind),
                         origin_kind_name(want.kind));
            kinds[got.kind]++;
        }
        origin_table_unref(t);
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_true(kinds[i] > TABLES); /* each was well tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_and_the_plain_reading_agree_a_million_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
