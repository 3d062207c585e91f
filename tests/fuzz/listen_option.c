/* ADDR:PORT[,plain][,proxy]: what is read is written back as the same, and a listener speaks PROXY
 * protocol or lacks TLS only where that was said. */
#include "fuzz.h"

#include "app/options.h"
#include "base/buf.h"
#include <stdlib.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

static bool said(struct str s, struct str word)
{
    for (size_t i = 0; i + word.len <= s.len; i++)
        if (str_eq(str_take(str_skip(s, i), word.len), word))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = {(const char *)data, size};
    struct listen_option l = {.port = 7}, again;
    CLEANUP(buf_done) struct buf b = BUF_INIT(256);
    char ip[IP_TEXT_MAX];
    struct err e = {0};

    if (listen_option_parse(s, &l, &e) != RC_OK) {
        must(l.port == 7 && e.text[0]);
        return 0;
    }
    must(!l.plain || said(s, STR(",plain")));
    must(!l.proxy || said(s, STR(",proxy")));
    bool six = l.addr.family == 6;

    ip_format(&l.addr, ip);
    buf_addf(&b, "%s%s%s:%u%s%s", six ? "[" : "", ip, six ? "]" : "", l.port,
             l.plain ? ",plain" : "", l.proxy ? ",proxy" : "");
    must(listen_option_parse(buf_str(&b), &again, NULL) == RC_OK);
    must(ip_eq(&again.addr, &l.addr) && again.port == l.port && again.plain == l.plain &&
         again.proxy == l.proxy);
    return 0;
}
