/* The server's certificates: read at start, again on SIGHUP, and renewed while it runs. */
#include "app/server.h"
#include "base/log.h"
#include "net/net.h"
#include "sys/file.h"
#include <fcntl.h>

enum { PEM_MAX = 256 * 1024 };

static enum rc read_certificates(const struct server *s, struct buf *chain, struct buf *key,
                                 struct err *e)
{
    const struct serve_options *o = s->options;

    if (!o->tls_cert)
        return data_folder_certificates(&s->folder, o->suffix, chain, key, e);
    enum rc rc = file_read(AT_FDCWD, o->tls_cert, PEM_MAX, chain, e);

    if (rc == RC_OK)
        rc = file_read(AT_FDCWD, o->tls_key, PEM_MAX, key, e);
    return rc == RC_OK ? rc : err_prefix(e, rc, "--tls-cert, --tls-key");
}

enum rc server_tls_new(struct server *s, struct err *e)
{
    static const char *const alpn[] = {"http/1.1", NULL};
    CLEANUP(buf_done) struct buf chain = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX);
    enum rc rc = read_certificates(s, &chain, &key, e);

    if (rc != RC_OK)
        return rc;
    rc = net_tls_new(buf_str(&chain), buf_str(&key), alpn, &s->tls, e);
    if (rc != RC_OK && s->options->tls_cert)
        return err_prefix(e, rc, "%s, %s", s->options->tls_cert, s->options->tls_key);
    return rc;
}

void server_tls_reload(struct server *s)
{
    CLEANUP(buf_done) struct buf chain = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX);
    struct err e;
    enum rc rc = read_certificates(s, &chain, &key, &e);

    if (rc == RC_OK)
        rc = net_tls_reload(s->tls, buf_str(&chain), buf_str(&key), &e);
    if (rc == RC_OK)
        log_info("tls.reloaded", F_U64("chain_bytes", chain.len));
    else
        log_error("tls.reload_failed", F_TEXT("error", e.text));
}
