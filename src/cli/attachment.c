/* kidoban network attachment: how a virtual network reaches the server. They belong to the server,
 * not to a group. */
#include "cli/command.h"
#include <limits.h>

enum { EVIDENCE_MAX = 64 * 1024 };

static struct str path_of(struct cli_session *s)
{
    return arena_printf(&s->arena, "/providers/" ATTACHMENTS "/%s",
                        cli_escape(s, str_from(cli_value(s->args, CLI_NAME))).ptr);
}

static struct json *reference(struct str id)
{
    struct json *object = json_new_object();

    json_set_str(object, "id", id);
    return object;
}

static struct json *with_text(const char *member, const char *value)
{
    struct json *object = json_new_object();

    json_set_text(object, member, value);
    return object;
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : UINT_MAX;
}

/* Decimal, or hexadecimal with 0x; a zero before it makes nothing octal. */
static enum rc number(struct str text, struct json *to, const char *member, struct err *e)
{
    bool hex = str_starts_nocase(text, STR("0x"));
    struct str digits = str_skip(text, hex ? 2 : 0);
    unsigned base = hex ? 16 : 10;
    uint64_t value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = digit_of(digits.ptr[i]);

        if (digit >= base)
            return err_set(e, RC_INVALID, "%.*s is no number", STR_ARG(text));
        value = value * base + digit;
        if (value > UINT32_MAX)
            return err_set(e, RC_INVALID, "%.*s is no number of 32 bits", STR_ARG(text));
    }
    if (digits.len == 0)
        return err_set(e, RC_INVALID, "'%.*s' is no number", STR_ARG(text));
    json_set(to, member, json_new_int((int64_t)value));
    return RC_OK;
}

/* --mark V/M */
static enum rc set_mark(const struct cli_args *a, struct json *properties, struct err *e)
{
    struct str rest = str_from(cli_value(a, CLI_MARK)), value = str_split(&rest, '/');
    struct json *mark = json_new_object();
    enum rc rc;

    json_set(properties, "mark", mark);
    rc = number(value, mark, "value", e);
    if (rc == RC_OK)
        rc = number(rest.ptr ? rest : STR("0xffffffff"), mark, "mask", e);
    return rc == RC_OK ? rc : err_prefix(e, rc, "argument --mark");
}

/* --proxy CIDR... --tlv TYPE=VALUE */
static enum rc set_proxy(const struct cli_args *a, struct json *properties, struct err *e)
{
    struct json *proxy = json_new_object(), *tlv = json_new_object();
    struct str value, type;
    enum rc rc;

    json_set(properties, "proxy", proxy);
    json_set(proxy, "peers", cli_strings(a, CLI_PROXY));
    json_set(proxy, "tlv", tlv);
    if (!cli_given(a, CLI_TLV))
        return err_set(e, RC_INVALID, "--proxy needs --tlv TYPE=VALUE");
    value = str_from(cli_value(a, CLI_TLV));
    type = str_split(&value, '=');
    rc = number(type, tlv, "type", e);
    if (rc != RC_OK)
        return err_prefix(e, rc, "argument --tlv");
    json_set_str(tlv, "value", value.ptr ? value : STR(""));
    return RC_OK;
}

static enum rc set_evidence(const struct cli_args *a, struct json *properties, struct err *e)
{
    const char *kind = cli_value(a, CLI_KIND);
    struct str k = str_from(kind);

    json_set_text(properties, "kind", kind);
    if (str_is(k, "netns") && cli_given(a, CLI_NETNS))
        json_set(properties, "netns", with_text("name", cli_value(a, CLI_NETNS)));
    else if (str_is(k, "device") && cli_given(a, CLI_DEVICE))
        json_set(properties, "device", with_text("name", cli_value(a, CLI_DEVICE)));
    else if (str_is(k, "mark") && cli_given(a, CLI_MARK))
        return set_mark(a, properties, e);
    else if (str_is(k, "proxy") && cli_given(a, CLI_PROXY))
        return set_proxy(a, properties, e);
    else if (str_is(k, "range") && cli_given(a, CLI_RANGE)) {
        struct json *range = json_new_object();

        json_set(range, "addressPrefixes", cli_strings(a, CLI_RANGE));
        json_set(properties, "range", range);
    } else {
        return err_set(e, RC_INVALID,
                       "--kind is netns, device, mark, proxy or range, and needs the option of the "
                       "same name");
    }
    return RC_OK;
}

/* "NAME=ID": an object with the name under one member and a reference under another. */
static struct json *pair(const char *text, const char *name_member, const char *id_member)
{
    struct str id = str_from(text), name = str_split(&id, '=');
    struct json *object = json_new_object();

    if (text[0] == '/') /* an id alone */
        id = str_from(text);
    else
        json_set_str(object, name_member, name);
    json_set(object, id_member, reference(id.ptr ? id : STR("")));
    return object;
}

static void set_pairs(const struct cli_args *a, struct json *properties)
{
    struct json *list;

    if (cli_given(a, CLI_INTERFACE_SUBNET)) {
        list = json_new_array();
        for (size_t i = 0; i < a->option[CLI_INTERFACE_SUBNET].n; i++)
            json_append(list, pair(a->option[CLI_INTERFACE_SUBNET].value[i], "name", "subnet"));
        json_set(properties, "interfaces", list);
    }
    if (cli_given(a, CLI_PRIVATE_ENDPOINT)) {
        list = json_new_array();
        for (size_t i = 0; i < a->option[CLI_PRIVATE_ENDPOINT].n; i++)
            json_append(list, pair(a->option[CLI_PRIVATE_ENDPOINT].value[i], "localAddress",
                                   "privateEndpoint"));
        json_set(properties, "privateEndpoints", list);
    }
}

static void set_services(const char *text, struct json *properties)
{
    struct json *list = json_new_array();
    struct str rest = str_from(text);

    while (rest.ptr)
        json_append(list, json_new_str(str_trim(str_split(&rest, ','))));
    json_set(properties, "services", list);
}

/* --vnet: an id, or a name in the group that -g names. */
static enum rc vnet_id(struct cli_session *s, struct str *ret, struct err *e)
{
    const char *vnet = cli_value(s->args, CLI_VNET), *group = cli_value(s->args, CLI_GROUP);

    if (vnet[0] != '/' && !group)
        return err_set(e, RC_INVALID, "--vnet takes an id, or a name together with -g");
    *ret = vnet[0] == '/' ? str_from(vnet) : cli_path(s, group, VNETS, vnet);
    return RC_OK;
}

enum rc cli_attachment_body(const struct cli_args *a, struct str vnet, struct json **ret,
                            struct err *e)
{
    CLEANUP(json_freep) struct json *body = json_new_object();
    struct json *properties = json_new_object();

    json_set(body, "properties", properties);
    enum rc rc = set_evidence(a, properties, e);

    if (rc != RC_OK)
        return rc;
    json_set(properties, "virtualNetwork", reference(vnet));
    if (cli_given(a, CLI_SUBNET))
        json_set(properties, "subnet", reference(str_from(cli_value(a, CLI_SUBNET))));
    if (cli_given(a, CLI_SERVICES))
        set_services(cli_value(a, CLI_SERVICES), properties);
    if (cli_given(a, CLI_OUTBOUND_IP))
        json_set_text(properties, "outboundPublicIPAddress", cli_value(a, CLI_OUTBOUND_IP));
    if (cli_given(a, CLI_TRUSTED_SERVICE))
        json_set(properties, "trustedService", json_new_bool(true));
    set_pairs(a, properties);
    *ret = body;
    body = NULL;
    return RC_OK;
}

static enum rc create(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *body = NULL;
    struct str vnet = STR_NONE;
    enum rc rc = vnet_id(s, &vnet, e);

    if (rc == RC_OK)
        rc = cli_attachment_body(s->args, vnet, &body, e);
    return rc == RC_OK ? cli_request(s, "PUT", path_of(s), body, ret, e) : rc;
}

/* --- tables --- */

static void add_texts(const struct json *list, struct buf *out)
{
    for (size_t i = 0; i < json_len(list); i++) {
        buf_add(out, i > 0 ? STR(", ") : STR(""));
        buf_add(out, json_str(json_at(list, i)));
    }
}

/* The evidence by which it is known, as its options say it. */
static void add_evidence(const struct json *p, struct buf *out)
{
    buf_add(out, json_str(json_path(p, "netns.name")));
    buf_add(out, json_str(json_path(p, "device.name")));
    add_texts(json_path(p, "range.addressPrefixes"), out);
    if (json_get(p, "mark"))
        buf_addf(out, "0x%llx/0x%llx", (long long)json_int(json_path(p, "mark.value"), 0),
                 (long long)json_int(json_path(p, "mark.mask"), 0));
    if (!json_get(p, "proxy"))
        return;
    buf_addf(out, "0x%02llX=%.*s of ", (long long)json_int(json_path(p, "proxy.tlv.type"), 0),
             STR_ARG(json_str(json_path(p, "proxy.tlv.value"))));
    add_texts(json_path(p, "proxy.peers"), out);
}

static struct str last_part(struct str id)
{
    struct str part = id;

    while (id.ptr && id.len > 0)
        part = str_split(&id, '/');
    return part;
}

static struct json *row_of(const struct json *attachment)
{
    CLEANUP(buf_done) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
    const struct json *p = json_get(attachment, "properties");
    struct json *row = json_new_object();

    add_evidence(p, &evidence);
    json_set(row, "name", json_clone(json_get(attachment, "name")));
    json_set(row, "kind", json_clone(json_get(p, "kind")));
    json_set_str(row, "evidence", buf_str(&evidence));
    json_set_str(row, "virtualNetwork", last_part(json_str(json_path(p, "virtualNetwork.id"))));
    json_set(row, "state", json_clone(json_get(p, "state")));
    json_set(row, "stateReason", json_clone(json_get(p, "stateReason")));
    return row;
}

static enum rc show(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *answer = NULL;
    enum rc rc = cli_request(s, "GET", path_of(s), NULL, &answer, e);

    if (rc == RC_OK)
        *ret = cli_prints_rows(s->args) ? row_of(answer) : json_clone(answer);
    return rc;
}

static enum rc list(struct cli_session *s, struct json **ret, struct err *e)
{
    CLEANUP(json_freep) struct json *answer = NULL;
    enum rc rc = cli_list(s, STR("/providers/" ATTACHMENTS), &answer, e);

    if (rc != RC_OK)
        return rc;
    *ret = cli_prints_rows(s->args) ? json_new_array() : json_clone(answer);
    for (size_t i = 0; cli_prints_rows(s->args) && i < json_len(answer); i++)
        json_append(*ret, row_of(json_at(answer, i)));
    return RC_OK;
}

static enum rc delete_attachment(struct cli_session *s, struct json **ret, struct err *e)
{
    return cli_request(s, "DELETE", path_of(s), NULL, ret, e);
}

const struct cli_command cli_attachment_commands[] = {
    {"network attachment create",
     "name! kind! vnet! resource-group netns device mark proxy tlv range subnet interface-subnet "
     "private-endpoint services outbound-ip trusted-service",
     "say how a virtual network reaches this server", create},
    {"network attachment show", "name!", "show an attachment and its state", show},
    {"network attachment list", "", "list attachments", list},
    {"network attachment delete", "name! yes", "take an attachment away", delete_attachment},
    {0},
};
