#include "app/helper_protocol.h"

enum { DEVICE_NAME_MAX = 16 }; /* IFNAMSIZ */

static bool is_zero(const void *p, size_t n)
{
    const uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

/* Terminated, nothing behind it, and no character that could mean anything in a path. */
static bool name_ok(const struct helper_message *m)
{
    size_t max = m->kind == HELPER_DEVICE ? (size_t)DEVICE_NAME_MAX : sizeof(m->name);
    size_t len = strnlen(m->name, sizeof(m->name));

    if (len == 0 || len >= max || !is_zero(m->name + len, sizeof(m->name) - len))
        return false;
    for (size_t i = 0; i < len; i++)
        if (m->name[i] <= ' ' || m->name[i] > '~' || m->name[i] == '/')
            return false;
    return strcmp(m->name, ".") != 0 && strcmp(m->name, "..") != 0;
}

/* Ports, identities and errors are the helper's to say. */
static bool nothing_claimed(const struct helper_message *m)
{
    return m->state == 0 && m->port == 0 && m->index == 0 && m->ns_dev == 0 && m->ns_ino == 0 &&
           m->ifindex == 0 && m->error == 0;
}

static bool place_empty(const struct helper_message *m)
{
    return m->kind == 0 && m->service == 0 && m->family == 0 && is_zero(m->name, sizeof(m->name));
}

static bool place_ok(const struct helper_message *m)
{
    return (m->kind == HELPER_NETNS || m->kind == HELPER_DEVICE) &&
           (m->service == HELPER_DATA || m->service == HELPER_CONTROL) &&
           (m->family == 4 || m->family == 6) && name_ok(m);
}

enum rc helper_request_check(const struct helper_message *m, struct err *e)
{
    bool ok = false;

    if (m->version != HELPER_VERSION)
        return err_set(e, RC_INVALID, "message of version %u", m->version);
    switch (m->type) {
    case HELPER_HELLO:
    case HELPER_PING:
        ok = uuid_is_nil(&m->key) && place_empty(m);
        break;
    case HELPER_OPEN:
        ok = !uuid_is_nil(&m->key) && place_ok(m);
        break;
    case HELPER_CLOSE:
        ok = !uuid_is_nil(&m->key) && place_empty(m);
        break;
    default:
        break;
    }
    if (!ok || !nothing_claimed(m))
        return err_set(e, RC_INVALID, "malformed message of type %u", m->type);
    return RC_OK;
}
