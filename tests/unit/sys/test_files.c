/* Descriptors, files, paths. */
#include "need.h"
#include "test.h"

#include "sys/fd.h"
#include "sys/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64];
    int fd;
};

static int folder_make(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    snprintf(f->path, sizeof(f->path), "/tmp/kidoban-files-XXXXXX");
    if (!mkdtemp(f->path) || dir_open(f->path, &f->fd, NULL) != RC_OK)
        return -1;
    *state = f;
    return 0;
}

static int remove_entries(int fd)
{
    DIR *d = fdopendir(dup(fd));

    if (!d)
        return -1;
    rewinddir(d);
    for (struct dirent *entry; (entry = readdir(d));)
        if (unlinkat(fd, entry->d_name, 0) != 0)
            unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    return closedir(d);
}

static int folder_remove(void **state)
{
    struct folder *f = *state;
    int failed = remove_entries(f->fd) || rmdir(f->path);

    fd_close(f->fd);
    free(f);
    return failed;
}

static size_t count_entries(int fd)
{
    DIR *d = fdopendir(dup(fd));
    size_t n = 0;

    assert_non_null(d);
    rewinddir(d);
    for (struct dirent *entry; (entry = readdir(d));)
        n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(d);
    return n;
}

static void a_file_is_replaced_whole_with_its_mode(void **state)
{
    struct folder *f = *state;
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);
    struct stat st;
    mode_t before = umask(077);

    assert_int_equal(file_write_atomic(f->fd, "a", STR("first"), 0600, NULL), RC_OK);
    assert_int_equal(file_write_atomic(f->fd, "a", STR("second"), 0644, NULL), RC_OK);
    umask(before);
    assert_int_equal(file_read(f->fd, "a", 100, &b, NULL), RC_OK);
    assert_str(buf_str(&b), "second");
    assert_int_equal(fstatat(f->fd, "a", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(count_entries(f->fd), 1);
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
    struct folder *f = *state;
    struct err e;

    assert_int_equal(mkdirat(f->fd, "taken", 0700), 0);
    assert_int_not_equal(file_write_atomic(f->fd, "taken", STR("x"), 0600, &e), RC_OK);
    assert_non_null(strstr(e.text, "taken"));
    assert_int_equal(count_entries(f->fd), 1);
    assert_int_equal(file_write_atomic(f->fd, "none/x", STR("x"), 0600, NULL), RC_NOT_FOUND);
}

static void a_path_with_folders_is_written_in_the_last_of_them(void **state)
{
    struct folder *f = *state;
    char path[128];
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);

    snprintf(path, sizeof(path), "%s/x", f->path);
    assert_int_equal(file_write_atomic(AT_FDCWD, path, STR("y"), 0600, NULL), RC_OK);
    assert_int_equal(file_read(AT_FDCWD, path, 1, &b, NULL), RC_OK);
    assert_str(buf_str(&b), "y");
}

static void reading_refuses_what_is_longer_than_asked(void **state)
{
    struct folder *f = *state;
    CLEANUP(buf_done) struct buf b = BUF_INIT(100), small = BUF_INIT(3);

    assert_int_equal(file_write_atomic(f->fd, "a", STR("12345"), 0600, NULL), RC_OK);
    buf_add(&b, STR("kept"));
    assert_int_equal(file_read(f->fd, "a", 4, &b, NULL), RC_TOO_LARGE);
    assert_str(buf_str(&b), "kept");
    assert_int_equal(file_read(f->fd, "a", 5, &b, NULL), RC_OK);
    assert_str(buf_str(&b), "kept12345");
    assert_int_equal(file_read(f->fd, "a", 100, &small, NULL), RC_TOO_LARGE);
    assert_int_equal(file_read(f->fd, "none", 5, &b, NULL), RC_NOT_FOUND);
}

static void a_lock_is_held_once_until_it_is_closed(void **state)
{
    struct folder *f = *state;
    int fd = -1, second = -1;
    struct err e;

    assert_int_equal(file_lock(f->fd, "lock", &fd, NULL), RC_OK);
    assert_int_equal(file_lock(f->fd, "lock", &second, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "another process"));
    assert_int_equal(second, -1);
    fd_close(fd);
    assert_int_equal(file_lock(f->fd, "lock", &fd, NULL), RC_OK);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    fd_close(fd);
}

static void making_a_folder_twice_is_fine_but_not_over_a_file(void **state)
{
    struct folder *f = *state;

    assert_int_equal(dir_make(f->fd, "d", 0700, NULL), RC_OK);
    assert_int_equal(dir_make(f->fd, "d", 0700, NULL), RC_OK);
    assert_int_equal(file_write_atomic(f->fd, "file", STR(""), 0600, NULL), RC_OK);
    assert_int_equal(dir_make(f->fd, "file", 0700, NULL), RC_EXISTS);
    assert_int_equal(dir_make(f->fd, "none/d", 0700, NULL), RC_NOT_FOUND);
    assert_int_equal(dir_sync(f->fd, NULL), RC_OK);
}

static void a_folder_that_a_user_cannot_search_is_named(void **state)
{
    struct folder *f = *state;
    char path[128], link[128];
    struct err e;
    enum { NOBODY = 65534 };

    need_root();
    snprintf(path, sizeof(path), "%s/data/kidoban.db", f->path);
    assert_int_equal(path_searchable_by(path, NOBODY, NOBODY, &e), RC_DENIED);
    assert_non_null(strstr(e.text, f->path));
    assert_int_equal(path_searchable_by(path, 0, 0, NULL), RC_OK);
    assert_int_equal(fchmod(f->fd, 0711), 0);
    assert_int_equal(path_searchable_by(path, NOBODY, NOBODY, NULL), RC_OK);
    assert_int_equal(fchown(f->fd, 0, NOBODY), 0);
    assert_int_equal(fchmod(f->fd, 0701), 0); /* the group's bit counts, not that of others */
    assert_int_equal(path_searchable_by(path, NOBODY, NOBODY, NULL), RC_DENIED);
    assert_int_equal(path_searchable_by("relative", 0, 0, NULL), RC_INVALID);

    assert_int_equal(fchmod(f->fd, 0700), 0);
    assert_int_equal(mkdirat(f->fd, "data", 0755), 0);
    snprintf(path, sizeof(path), "%s/data", f->path);
    snprintf(link, sizeof(link), "%s-link", f->path);
    assert_int_equal(symlink(path, link), 0);
    snprintf(path, sizeof(path), "%s-link/db", f->path);
    assert_int_equal(symlinkat(".", f->fd, "data/db"), 0); /* so that the path exists */
    enum rc rc = path_searchable_by(path, NOBODY, NOBODY, &e);

    unlink(link);
    assert_int_equal(unlinkat(f->fd, "data/db", 0), 0);
    assert_int_equal(rc, RC_DENIED);
    assert_non_null(strstr(e.text, f->path));
}

struct message {
    uint32_t type;
    char name[64];
};

static void a_message_and_a_descriptor_cross_together(void **state)
{
    int pair[2], ends[2], got = -1;
    struct message out = {7, "vnet1"}, in = {0};
    char byte = 0;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fd_send(pair[0], &out, sizeof(out), ends[1], NULL), RC_OK);
    assert_int_equal(fd_send(pair[0], &out, sizeof(out), -1, NULL), RC_OK);
    assert_int_equal(fd_recv(pair[1], &in, sizeof(in), &got, NULL), RC_OK);
    assert_int_equal(in.type, 7);
    assert_string_equal(in.name, "vnet1");
    assert_int_equal(fcntl(got, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(write(got, "!", 1), 1);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    fd_close(got);
    assert_int_equal(fd_recv(pair[1], &in, sizeof(in), &got, NULL), RC_OK);
    assert_int_equal(got, -1);
    fd_close(ends[0]);
    fd_close(ends[1]);
    fd_close(pair[0]);
    assert_int_equal(fd_recv(pair[1], &in, sizeof(in), &got, NULL), RC_NOT_FOUND);
    fd_close(pair[1]);
}

static size_t open_descriptors(void)
{
    size_t n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void send_two(int sock, const int fds[2], size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    char bytes[sizeof(struct message)] = {0};
    struct iovec iov = {bytes, n};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    *c = (struct cmsghdr){CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
    assert_int_equal(sendmsg(sock, &m, 0), n);
}

static void other_sizes_are_refused_and_leak_no_descriptor(void **state)
{
    int pair[2], got = -1;
    struct message in = {.type = 9};
    char longer[sizeof(struct message) + 1] = {0};

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    size_t before = open_descriptors();

    assert_int_equal(fd_recv(pair[1], &in, sizeof(in), &got, NULL), RC_UNAVAILABLE);
    assert_int_equal(fd_send(pair[0], "abc", 3, pair[0], NULL), RC_OK);
    assert_int_equal(fd_recv(pair[1], &in, sizeof(in), &got, NULL), RC_INVALID);
    assert_int_equal(fd_send(pair[0], longer, sizeof(longer), pair[0], NULL), RC_OK);
    assert_int_equal(fd_recv(pair[1], &in, sizeof(in), &got, NULL), RC_INVALID);
    send_two(pair[0], pair, sizeof(struct message));
    assert_int_equal(fd_recv(pair[1], &in, sizeof(in), &got, NULL), RC_INVALID);
    assert_int_equal(in.type, 9);
    assert_int_equal(got, -1);
    assert_int_equal(open_descriptors(), before);
    fd_close(pair[0]);
    fd_close(pair[1]);
}

static void closing_accepts_none_and_forgets(void **state)
{
    int fd = dup(0);

    (void)state;
    assert_true(fd >= 0);
    fd_close(-1);
    assert_int_equal(fd_nonblocking(fd, NULL), RC_OK);
    int copy = fd;

    fd_closep(&fd);
    assert_int_equal(fd, -1);
    fd_closep(&fd);
    assert_int_equal(fcntl(copy, F_GETFD), -1);
}

#define IN_FOLDER(t) cmocka_unit_test_setup_teardown(t, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_replaced_whole_with_its_mode),
        IN_FOLDER(a_failed_write_leaves_nothing_behind),
        IN_FOLDER(a_path_with_folders_is_written_in_the_last_of_them),
        IN_FOLDER(reading_refuses_what_is_longer_than_asked),
        IN_FOLDER(a_lock_is_held_once_until_it_is_closed),
        IN_FOLDER(making_a_folder_twice_is_fine_but_not_over_a_file),
        IN_FOLDER(a_folder_that_a_user_cannot_search_is_named),
        cmocka_unit_test(a_message_and_a_descriptor_cross_together),
        cmocka_unit_test(other_sizes_are_refused_and_leak_no_descriptor),
        cmocka_unit_test(closing_accepts_none_and_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
