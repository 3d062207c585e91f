#include "http/file_send.h"
#include <assert.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PAGE = 4096 };

void file_send_init(struct file_send *f, int fd, uint64_t offset, uint64_t length)
{
    *f = (struct file_send){.fd = fd, .offset = offset, .left = length};
}

void file_send_done(struct file_send *f, struct http_home *h)
{
    http_block_give(h, f->window);
    f->window = NULL;
    if (f->map)
        munmap(f->map, f->map_size);
    f->map = NULL;
}

static size_t window_length(const struct file_send *f)
{
    return f->left < HTTP_BLOCK_LARGE ? (size_t)f->left : HTTP_BLOCK_LARGE;
}

static void window_filled(struct file_send *f, size_t n)
{
    f->window->start = 0;
    f->window->end = n;
    f->offset += n;
    f->left -= n;
}

void file_send_read(struct file_send *f)
{
    size_t want = window_length(f), got = 0;

    while (got < want) {
        ssize_t n = pread(f->fd, f->window->bytes + got, want - got, (off_t)(f->offset + got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    if (got == 0) {
        f->failed = true; /* an error, or a file that is shorter than was said */
        return;
    }
    window_filled(f, got);
}

/* --- is it in memory? --- */

static void find_kind(struct file_send *f)
{
    struct statfs s;

    f->warmth = fstatfs(f->fd, &s) == 0 && s.f_type == TMPFS_MAGIC ? FILE_IN_MEMORY : FILE_BY_LANE;
}

/* Reads what is warm; false where nothing is. */
static bool read_warm(struct file_send *f)
{
    struct iovec iov = {f->window->bytes, window_length(f)};
    ssize_t n = preadv2(f->fd, &iov, 1, (off_t)f->offset, RWF_NOWAIT);

    if (n > 0) {
        f->warmth = FILE_PROBED;
        window_filled(f, (size_t)n);
        return true;
    }
    if (n == 0)
        f->failed = true;
    else if (errno == EOPNOTSUPP)
        find_kind(f);
    return false;
}

static enum file_next next_window(struct file_send *f, struct http_home *h)
{
    if (!f->window)
        f->window = http_block_take(h, HTTP_BLOCK_LARGE);
    if (f->window->start < f->window->end)
        return FILE_WINDOW;
    if (f->warmth <= FILE_PROBED && read_warm(f))
        return FILE_WINDOW;
    if (f->warmth == FILE_IN_MEMORY)
        file_send_read(f);
    if (f->failed)
        return FILE_FAILED;
    return f->window->start < f->window->end ? FILE_WINDOW : FILE_COLD;
}

/* A probe that copies nothing. (Where we may not write the file, mincore calls everything
 * resident.) */
static bool map_for_probe(struct file_send *f)
{
    if (f->map)
        return true;
    f->map_offset = f->offset / PAGE * PAGE;
    f->map_size = (size_t)(f->offset + f->left - f->map_offset);
    void *map = mmap(NULL, f->map_size, PROT_READ, MAP_SHARED, f->fd, (off_t)f->map_offset);

    if (map == MAP_FAILED)
        return false;
    f->map = map;
    return true;
}

static bool resident(struct file_send *f, size_t length)
{
    unsigned char pages[HTTP_BLOCK_LARGE / PAGE + 1];
    size_t first = (size_t)(f->offset - f->map_offset) / PAGE * PAGE;
    size_t size = (size_t)(f->offset - f->map_offset) + length - first;
    size_t n = (size + PAGE - 1) / PAGE;

    assert(n <= sizeof(pages));
    if (mincore((char *)f->map + first, size, pages) != 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(pages[i] & 1))
            return false;
    return true;
}

enum file_next file_send_next(struct file_send *f, struct http_home *h, bool sendfile,
                              size_t *ret_length)
{
    bool read_already = f->window && f->window->start < f->window->end;

    assert(read_already || f->left > 0);
    if (!sendfile || read_already)
        return next_window(f, h);
    size_t length = window_length(f);

    if (!map_for_probe(f) || !resident(f, length))
        return next_window(f, h);
    *ret_length = length;
    return FILE_SENDFILE;
}

void file_send_sent(struct file_send *f, size_t n)
{
    f->offset += n;
    f->left -= n;
}
