#include "app/heard.h"
#include "sys/file.h"

#include <fcntl.h>

#define FWMARK_ACCEPT "/proc/sys/net/ipv4/tcp_fwmark_accept"

/* Without it the kernel keeps the firewall's marks to itself; for IPv6 too, in spite of its name.
 */
static bool marks_are_handed_on(void)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(64);

    return file_read(AT_FDCWD, FWMARK_ACCEPT, 16, &text, NULL) == RC_OK &&
           str_starts(buf_str(&text), STR("1"));
}

static bool somebody_speaks_proxy(const struct serve_options *o)
{
    for (size_t i = 0; i < o->n_listen; i++)
        if (o->listen[i].proxy)
            return true;
    return false;
}

enum rc heard_state(const struct serve_options *o, enum origin_attachment_kind kind,
                    enum listener_state *ret, struct buf *ret_reason)
{
    const char *why = NULL;

    switch (kind) {
    case ATTACH_MARK:
        if (!marks_are_handed_on())
            why = "the sysctl net.ipv4.tcp_fwmark_accept of the server's network is not 1";
        break;
    case ATTACH_PROXY:
        if (!somebody_speaks_proxy(o))
            why = "no listener speaks PROXY protocol: serve needs --listen ADDR:PORT,proxy";
        break;
    case ATTACH_RANGE:
        break;
    case ATTACH_NETNS:
    case ATTACH_DEVICE:
        return RC_NOT_FOUND;
    }
    if (why)
        buf_addf(ret_reason, "%s", why);
    *ret = why ? LISTENER_FAILED : LISTENER_LISTENING;
    return RC_OK;
}
