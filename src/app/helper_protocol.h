/* What the server and its privileged helper say to each other: one fixed-size message at a time over SOCK_SEQPACKET, with
 * at most one descriptor. Both are the same program on the same machine; numbers are in its own byte order. */
#ifndef APP_HELPER_PROTOCOL_H
#define APP_HELPER_PROTOCOL_H

#include "base/uuid.h"

enum { HELPER_VERSION = 1, HELPER_NAME_MAX = 64, HELPER_LISTENERS_MAX = 16384 };

enum helper_type {
    /* from the server */
    HELPER_HELLO = 1, /* send every listener that there is, then READY */
    HELPER_OPEN,      /* key, kind, service, family, name: open a listener there and keep it */
    HELPER_CLOSE,     /* key: close all its listeners and forget them */
    HELPER_PING,      /* say that you are there */
    /* from the helper */
    HELPER_MAIN,  /* service, index, port; with the descriptor */
    HELPER_STATE, /* key, kind, service, family, name, port, state: LISTENING comes with the descriptor */
    HELPER_READY, /* everything that HELLO asked for was sent */
    HELPER_PONG,
};
enum helper_kind { HELPER_NETNS = 1, HELPER_DEVICE };
enum helper_service { HELPER_DATA, HELPER_CONTROL, HELPER_METRICS }; /* as enum net_class */
enum helper_state {
    HELPER_WAITING = 1, /* the namespace or device is not there */
    HELPER_LISTENING,
    HELPER_FAILED, /* error says why */
};

struct helper_message {
    uint32_t version, type;
    struct uuid key; /* the attachment */
    uint8_t kind, service, family /* 4, 6 */, state;
    uint16_t port, index;
    char name[HELPER_NAME_MAX];
    uint64_t ns_dev, ns_ino; /* which namespace, of LISTENING */
    uint32_t ifindex;        /* which device, of LISTENING */
    int32_t error;           /* errno, of FAILED */
};
_Static_assert(sizeof(struct helper_message) == 120, "there is no padding that could carry secrets");

/* A message of the server, before the helper believes any of it: RC_INVALID unless version, type and every field that the
 * type uses are in range, the name is one that a namespace or device can have, and all that it does not use is zero. */
NODISCARD enum rc helper_request_check(const struct helper_message *m, struct err *e);

#endif
