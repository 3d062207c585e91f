/* Connections as byte streams: listeners, the chain of filters (tcp, PROXY v2, TLS), evidence.
 * Knows nothing of HTTP. A stream lives on one loop and is used on its thread only. The only user of libssl. */
#ifndef NET_NET_H
#define NET_NET_H

#include "loop/loop.h"
#include "net/evidence.h"
#include <sys/uio.h>

/* --- TLS configuration: shared by all loops, replaced whole on reload ------------------------------------------------ */
struct net_tls;
/* PEM files' contents. TLS 1.2 and 1.3, no early data, session tickets on, ALPN as listed (NULL-terminated). */
NODISCARD enum rc net_tls_new(struct str cert_chain, struct str key, const char *const *alpn, struct net_tls **ret,
                              struct err *e);
/* From now on handshakes use the new certificate; open connections keep theirs. Any thread. */
NODISCARD enum rc net_tls_reload(struct net_tls *t, struct str cert_chain, struct str key, struct err *e);
void net_tls_free(struct net_tls *t);

/* --- streams ------------------------------------------------------------------------------------------------------ */
struct net_stream;
enum net_io { NET_IO_OK, NET_IO_AGAIN, NET_IO_END, NET_IO_ERROR };

const struct evidence *net_stream_evidence(const struct net_stream *s);
struct loop *net_stream_loop(const struct net_stream *s);
struct str net_stream_alpn(const struct net_stream *s); /* STR_NONE without */
/* Who is told when the wanted events (LOOP_READ, LOOP_WRITE) are there. Also called when bytes that were decrypted
 * already can be read, and with both events after an error, so that the next read or write reports it. */
void net_stream_handler(struct net_stream *s, void (*ready)(void *ctx, unsigned events), void *ctx);
void net_stream_want(struct net_stream *s, unsigned events);
/* Reads up to cap bytes. NET_IO_END: the peer has finished (TLS: close_notify or, counted apart, a bare end). */
enum net_io net_stream_read(struct net_stream *s, char *bytes, size_t cap, size_t *ret_n);
/* Takes as much as fits (*ret_n may be short); NET_IO_AGAIN: nothing fits, want LOOP_WRITE. TLS collects records and
 * hands them to the kernel together: when its buffer is full, on flush, or at the end of the loop's turn. */
enum net_io net_stream_write(struct net_stream *s, const struct iovec *iov, int n, size_t *ret_n);
bool net_stream_can_sendfile(const struct net_stream *s); /* plain ones */
enum net_io net_stream_sendfile(struct net_stream *s, int fd, uint64_t offset, size_t len, size_t *ret_n);
/* NET_IO_OK: the kernel has it all. NET_IO_AGAIN: LOOP_WRITE, if wanted, will be told when it has, and not before. */
enum net_io net_stream_flush(struct net_stream *s);
size_t net_stream_unflushed(const struct net_stream *s); /* bytes that the kernel has not taken yet */
/* No more will be written: flush, close_notify, shutdown(SHUT_WR). What still arrives can be read and thrown away. */
void net_stream_finish(struct net_stream *s);
void net_stream_close(struct net_stream *s); /* frees it; unflushed output is tried once */
void net_stream_reset(struct net_stream *s); /* frees it; collected bytes are dropped, SO_LINGER 0 */

/* A namespace or device went: its streams on this loop, those of which `gone` says so, are cut and let go of their sockets,
 * which would keep it alive. Their owners are told as of an error. Asked are those of attachments and those whose interface
 * is known. */
void net_streams_cut(struct loop *l, bool (*gone)(const struct evidence *ev, const void *arg), const void *arg);
/* The attachment is no more: its streams are cut after `ms`, so that who is being refused can be told so. */
void net_streams_end(struct loop *l, const struct uuid *attachment, unsigned ms);
/* From now on nobody on this loop is told of a new stream: connections that are still opening are closed, and so are those
 * that come. */
void net_streams_refuse(struct loop *l);

/* --- listeners ------------------------------------------------------------------------------------------------------ */
struct net_listener;
struct net_listener_config {
    enum net_class class;
    enum net_arrival arrival;
    struct uuid attachment;
    char place[EVIDENCE_PLACE_MAX]; /* of an attachment: the name of where it listens */
    const struct cidr *trusted; /* NET_PROXY: who may connect, others are closed at once; not owned, must outlive the listener */
    size_t n_trusted;
    struct net_tls *tls; /* NULL: plain; not owned, must outlive the listener */
    struct loop *const *loops; /* accepted connections go to these in turn; with one, they stay there */
    size_t n_loops;
    unsigned max_connections; /* of the whole process; those over it (data: 15/16 of it) are surplus */
    /* On the connection's loop, once its chain is open (handshake done). The callee owns the stream. */
    void (*accepted)(void *ctx, struct net_stream *s);
    /* Or that of a surplus one, to be told so: at most max_connections / 16 at a time, and no more than 256. What comes
     * besides is closed at once; so is all where this is NULL. */
    void (*surplus)(void *ctx, struct net_stream *s);
    void *ctx;
};
/* Takes the listening fd over, accepts on `home`. */
NODISCARD enum rc net_listener_new(struct loop *home, int fd, const struct net_listener_config *config,
                                   struct net_listener **ret, struct err *e);
void net_listener_stop(struct net_listener *l); /* any thread: accepts no more; what waits in the kernel stays there */
void net_listener_free(struct net_listener *l); /* on its home loop; streams under way stay */

#endif
