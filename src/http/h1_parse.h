/* HTTP/1.1 syntax (RFC 9112), strict; no I/O, no memory of its own.
 * The head parser refuses only what leaves the framing or the Host in doubt: what else is wrong with a request is found
 * behind the gate, so that a denied client cannot tell one path or method from another. */
#ifndef HTTP_H1_PARSE_H
#define HTTP_H1_PARSE_H

#include "http/http.h"

enum h1_result { H1_MORE, H1_DONE, H1_BAD };

/* --- heads --- */
struct h1_span {
    uint16_t off, len; /* in the head */
};
struct h1_head {
    size_t taken;   /* bytes of whole lines that have been read; the head's size when done */
    size_t looked;  /* no line ends before this one */
    bool blank;     /* an empty line stood before the request line */
    bool requested; /* the request line has been read */
    struct h1_span method, target;
    int version; /* 10, 11; 0: another one, with the rules of 11 */
    struct h1_span names[HTTP_FIELDS_MAX], values[HTTP_FIELDS_MAX];
    unsigned n_fields;
    bool has_host, has_length, has_coding;
    struct h1_span host;      /* the field's value */
    struct h1_span authority; /* what counts: of an absolute-form target, else the Host field */
    int64_t content_length;   /* -1: none */
    bool chunked;
    bool says_close, says_keep_alive, expects_continue;
    unsigned status; /* when bad: 400 or 431 */
    const char *why;
};

void h1_head_init(struct h1_head *h);
/* `bytes` begins with the head's first byte; each call brings the bytes of the call before and more. */
enum h1_result h1_head_feed(struct h1_head *h, const char *bytes, size_t n);
bool h1_head_persistent(const struct h1_head *h); /* the client wants to go on afterwards */

/* --- chunked bodies --- */
enum { H1_EXTENSION_MAX = 256, H1_TRAILERS_MAX = 8 * 1024 };
struct h1_chunks {
    int state;
    uint64_t left;      /* of the chunk */
    unsigned digits;    /* of its size */
    unsigned extension; /* bytes of this chunk's extensions */
    unsigned trailers;  /* bytes of trailer lines */
    const char *why;    /* when bad */
};

void h1_chunks_init(struct h1_chunks *c);
/* Goes on until some data, the end or the end of the input: *ret_used bytes were read, *ret_data (maybe none) are the
 * body's and lie in `bytes`. Extensions and trailers are checked and dropped. */
enum h1_result h1_chunks_feed(struct h1_chunks *c, const char *bytes, size_t n, size_t *ret_used, struct str *ret_data);

#endif
