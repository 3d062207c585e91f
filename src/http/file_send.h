/* A response's bytes from a file, window by window, without ever blocking the loop: what is not in the page cache is
 * read on the disk lane first. */
#ifndef HTTP_FILE_SEND_H
#define HTTP_FILE_SEND_H

#include "http/exchange.h"

enum file_warmth { FILE_UNKNOWN, FILE_PROBED, FILE_IN_MEMORY, FILE_BY_LANE };
struct file_send {
    int fd; /* the response's */
    uint64_t offset, left; /* not read yet */
    enum file_warmth warmth;
    struct http_block *window; /* bytes read and not written yet */
    void *map;                 /* for mincore: [map_offset, end) of the file, never read through */
    uint64_t map_offset;
    size_t map_size;
    struct lane_job job;
    bool failed;
};
enum file_next { FILE_WINDOW, FILE_SENDFILE, FILE_COLD, FILE_FAILED };

void file_send_init(struct file_send *f, int fd, uint64_t offset, uint64_t length);
void file_send_done(struct file_send *f, struct http_home *h);
/* What is next of a file with bytes left: a window (to write), a length that sendfile will not block for (where
 * `sendfile` says so), or cold bytes, which file_send_job brings into the window. */
enum file_next file_send_next(struct file_send *f, struct http_home *h, bool sendfile, size_t *ret_length);
void file_send_sent(struct file_send *f, size_t n); /* by sendfile */
void file_send_read(struct file_send *f);           /* blocking: on the disk lane; fills the window or fails */

#endif
