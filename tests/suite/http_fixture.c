#include "http_fixture.h"
#include "base/clock.h"
#include "sys/file.h"
#include "sys/sock.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static struct fix *fix_of(const struct http_request *req)
{
    return req->admission;
}

char fix_byte(uint64_t at)
{
    return (char)(at * 31 + at / 251);
}

/* --- routes --- */

static enum http_verdict hot(struct http_request *req)
{
    http_add_field(req, "X-Hot", STR("yes"));
    http_answer(req, 200, "text/plain", STR("hello"));
    return HTTP_ANSWERED;
}

static enum http_verdict refuse(struct http_request *req)
{
    http_answer(req, 403, "application/json", STR("{\"errors\":[]}"));
    return HTTP_ANSWERED;
}

static enum http_verdict decline(struct http_request *req)
{
    (void)req;
    return HTTP_DECLINED;
}

static enum http_verdict echo(struct http_request *req)
{
    http_answer(req, 200, "text/plain", req->body);
    return HTTP_ANSWERED;
}

static void pass_gate(struct fix *f)
{
    atomic_fetch_add(&f->entered, 1);
    pthread_mutex_lock(&f->lock);
    while (f->hold)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static enum http_verdict wait_at_gate(struct http_request *req)
{
    pass_gate(fix_of(req));
    http_answer(req, 200, "text/plain", STR("waited"));
    return HTTP_ANSWERED;
}

static enum http_verdict send_file(struct http_request *req)
{
    int fd = open(fix_of(req)->path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    http_add_field(req, "ETag", STR("\"tag\""));
    http_answer_file(req, "application/octet-stream", fd, FIX_FILE_SIZE);
    return HTTP_ANSWERED;
}

/* A file that has become shorter than was promised. */
static enum http_verdict send_short_file(struct http_request *req)
{
    (void)send_file(req);
    req->response.length += 100;
    return HTTP_ANSWERED;
}

/* --- /upload: every piece is summed up on the disk lane while the loop waits with the next one */

struct upload {
    struct lane_job job;
    struct http_request *req;
    struct str bytes;
    bool gone, working;
};

static void upload_run(struct lane_job *job)
{
    struct upload *u = CONTAINER_OF(job, struct upload, job);
    struct fix *f = fix_of(u->req);
    unsigned long long sum = 0;

    for (size_t i = 0; i < u->bytes.len; i++)
        sum += (unsigned char)u->bytes.ptr[i];
    atomic_fetch_add(&f->sum, sum);
    atomic_fetch_add(&f->uploaded, u->bytes.len);
}

static void upload_done(struct lane_job *job, enum rc rc)
{
    struct upload *u = CONTAINER_OF(job, struct upload, job);

    CHECK(rc == RC_OK);
    u->working = false;
    if (u->gone)
        http_respond(u->req);
    else
        http_body_resume(u->req);
}

static enum http_flow upload_data(struct http_request *req, struct str bytes)
{
    struct upload *u = req->state;

    CHECK(!u->working && bytes.len > 0);
    u->bytes = bytes;
    u->working = true;
    u->job = (struct lane_job){.run = upload_run, .done = upload_done, .home = req->loop};
    CHECK(lane_submit(fix_of(req)->disk, &u->job, NULL) == RC_OK);
    return HTTP_FLOW_PAUSE;
}

static void upload_end(struct http_request *req)
{
    http_answer(req, 201, NULL, STR(""));
    http_respond(req);
}

static void upload_abort(struct http_request *req, enum rc reason)
{
    struct upload *u = req->state;
    struct fix *f = fix_of(req);

    atomic_store(&f->abort_reason, (int)reason);
    atomic_fetch_add(&f->aborted, 1);
    u->gone = true;
    if (!u->working)
        http_respond(req);
}

static const struct http_sink upload_sink = {upload_data, upload_end, upload_abort};

static enum http_verdict upload(struct http_request *req)
{
    struct upload *u = ARENA_NEW(&req->arena, struct upload);

    u->req = req;
    req->state = u;
    http_body_take(req, &upload_sink);
    return HTTP_DECLINED;
}

/* --- /late: the same, but the body is not wanted before the gate is open */

static void late_run(struct lane_job *job)
{
    pass_gate(fix_of(CONTAINER_OF(job, struct upload, job)->req));
}

static void late_done(struct lane_job *job, enum rc rc)
{
    struct upload *u = CONTAINER_OF(job, struct upload, job);

    CHECK(rc == RC_OK);
    http_body_take(u->req, &upload_sink);
}

static enum http_verdict late(struct http_request *req)
{
    struct upload *u = ARENA_NEW(&req->arena, struct upload);

    u->req = req;
    req->state = u;
    u->job = (struct lane_job){.run = late_run, .done = late_done, .home = req->loop};
    CHECK(lane_submit(fix_of(req)->disk, &u->job, NULL) == RC_OK);
    return HTTP_DECLINED;
}

/* --- /chunks: pieces of unknown number, every other one of which is not there at once */

struct pieces {
    struct loop_task task;
    struct http_request *req;
    int n;
    bool waited;
};

static void pieces_ready(struct loop_task *t)
{
    struct pieces *p = CONTAINER_OF(t, struct pieces, task);

    http_source_ready(p->req);
}

static enum http_pull pieces_next(struct http_request *req, struct str *ret)
{
    struct pieces *p = req->state;

    if (p->n == 6)
        return HTTP_PULL_END;
    if (p->n % 2 == 1 && !p->waited) {
        p->waited = true;
        p->task.run = pieces_ready;
        loop_post(req->loop, &p->task);
        return HTTP_PULL_LATER;
    }
    p->waited = false;
    *ret = arena_printf(&req->arena, "piece %d;", p->n++);
    return HTTP_PULL_BYTES;
}

static void pieces_abort(struct http_request *req)
{
    atomic_fetch_add(&fix_of(req)->aborted, 1);
}

static const struct http_source pieces_source = {pieces_next, pieces_abort};

static enum http_verdict chunks(struct http_request *req)
{
    struct pieces *p = ARENA_NEW(&req->arena, struct pieces);

    p->req = req;
    req->state = p;
    http_answer_source(req, 200, "text/plain", &pieces_source, HTTP_LENGTH_UNKNOWN);
    return HTTP_ANSWERED;
}

static const struct http_route list[] = {
    {HTTP_GET, "/hot", "", ROUTE_HOT, hot, NULL},
    {HTTP_GET, "/cold", "", ROUTE_HOT, decline, echo},
    {HTTP_POST, "/refuse", "", ROUTE_HOT, refuse, NULL},
    {HTTP_POST, "/echo", "", ROUTE_CALL, echo, NULL},
    {HTTP_POST, "/slow-echo", "", ROUTE_CALL, decline, echo},
    {HTTP_GET, "/wait", "", ROUTE_CALL, wait_at_gate, NULL},
    {HTTP_GET, "/file", "", ROUTE_CALL, send_file, NULL},
    {HTTP_GET, "/short", "", ROUTE_CALL, send_short_file, NULL},
    {HTTP_PUT, "/upload", "", ROUTE_STREAM, upload, NULL},
    {HTTP_PUT, "/late", "", ROUTE_STREAM, late, NULL},
    {HTTP_GET, "/chunks", "", ROUTE_STREAM, chunks, NULL},
};

/* --- the service --- */

static void on_request(void *ctx, struct http_request *req)
{
    static const struct http_routes routes = {list, ARRAY_LEN(list), false};
    struct fix *f = ctx;
    struct str allow;

    atomic_fetch_add(&f->given, 1);
    req->admission = f;
    if (http_target_parse(req, NULL) == RC_OK && http_route_find(&routes, req, &allow) == RC_OK) {
        http_dispatch(req);
        return;
    }
    http_answer(req, 404, "text/plain", STR("none"));
    http_respond(req);
}

static void on_finished(void *ctx, struct http_request *req)
{
    struct fix *f = ctx;

    CHECK(req->admission == f);
    atomic_fetch_add(&f->finished, 1);
}

static void on_answering(void *ctx, struct http_request *req)
{
    struct fix *f = ctx;

    (void)req;
    atomic_fetch_add(&f->answering, 1);
}

static void on_error(void *ctx, struct http_request *req, unsigned status, const char *text)
{
    (void)ctx;
    http_answer(req, status, "text/x-error", arena_printf(&req->arena, "E%u %s", status, text));
}

/* --- setting up --- */

enum { PATIENCE_MS = 300 * 1000, CLIENT_PATIENCE_S = 100 };

static void *loop_thread(void *arg)
{
    loop_run(arg);
    return NULL;
}

struct on_loop {
    struct loop_task task;
    struct fix *f;
    void (*fn)(struct fix *f, void *arg);
    void *arg;
    atomic_bool done;
};

static void run_on_loop(struct loop_task *t)
{
    struct on_loop *o = CONTAINER_OF(t, struct on_loop, task);

    o->fn(o->f, o->arg);
    atomic_store(&o->done, true);
}

static void nap(void)
{
    struct timespec t = {0, 500 * 1000};

    nanosleep(&t, NULL);
}

void fix_on_loop(struct fix *f, void (*fn)(struct fix *f, void *arg), void *arg)
{
    struct on_loop o = {.task.run = run_on_loop, .f = f, .fn = fn, .arg = arg};

    loop_post(f->loop, &o.task);
    while (!atomic_load(&o.done))
        nap();
}

void fix_wait_for(const atomic_int *counter, int at_least)
{
    int64_t start = clock_mono_us();

    while (atomic_load(counter) < at_least) {
        CHECK(clock_mono_us() - start < CLIENT_PATIENCE_S * (int64_t)CLOCK_US_PER_S);
        nap();
    }
}

void fix_uploaded(const struct fix *f, unsigned long long at_least)
{
    int64_t start = clock_mono_us();

    while (atomic_load(&f->uploaded) < at_least) {
        CHECK(clock_mono_us() - start < CLIENT_PATIENCE_S * (int64_t)CLOCK_US_PER_S);
        nap();
    }
}

void fix_settled(struct fix *f)
{
    fix_wait_for(&f->finished, atomic_load(&f->given));
    CHECK(atomic_load(&f->finished) == atomic_load(&f->given));
}

void fix_hold(struct fix *f, bool hold)
{
    pthread_mutex_lock(&f->lock);
    f->hold = hold;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static struct str bio_text(BIO *b)
{
    char *text;
    long n = BIO_get_mem_data(b, &text);

    return (struct str){text, (size_t)n};
}

static void make_tls(struct fix *f)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *cert_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem());
    static const char *const alpn[] = {"http/1.1", NULL};

    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
    CHECK(PEM_write_bio_X509(cert_pem, cert) &&
          PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL));
    CHECK(net_tls_new(bio_text(cert_pem), bio_text(key_pem), alpn, &f->context, NULL) == RC_OK);
    BIO_free(cert_pem);
    BIO_free(key_pem);
    X509_free(cert);
    EVP_PKEY_free(key);
    f->client = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_options(f->client, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static void start_listening(struct fix *f, void *arg)
{
    const unsigned *max = arg;
    struct sock_listen where = {.addr = {.family = 4, .bytes = {127, 0, 0, 1}}};
    struct net_listener_config config = {
        .tls = f->context,
        .loops = &f->loop,
        .n_loops = 1,
        .max_connections = *max,
        .accepted = http_server_accepted,
        .surplus = http_server_surplus,
        .ctx = f->server,
    };
    struct ip_addr local;
    int fd;

    net_listener_free(f->listener);
    CHECK(sock_listen(&where, &fd, NULL) == RC_OK);
    CHECK(sock_local(fd, &local, &f->port, NULL) == RC_OK);
    CHECK(net_listener_new(f->loop, fd, &config, &f->listener, NULL) == RC_OK);
}

void fix_limit(struct fix *f, unsigned max_connections)
{
    fix_on_loop(f, start_listening, &max_connections);
}

static void make_file(struct fix *f)
{
    snprintf(f->path, sizeof(f->path), "/var/tmp/kidoban-http-XXXXXX");
    int fd = mkstemp(f->path);
    char *bytes = malloc(FIX_FILE_SIZE);

    CHECK(fd >= 0 && bytes);
    for (uint64_t i = 0; i < FIX_FILE_SIZE; i++)
        bytes[i] = fix_byte(i);
    CHECK(file_write_all(fd, bytes, FIX_FILE_SIZE, NULL) == RC_OK);
    free(bytes);
    close(fd);
}

void fix_make_cold(struct fix *f)
{
    int fd = open(f->path, O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0 && fsync(fd) == 0);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
    close(fd);
}

static unsigned limit(unsigned ms)
{
    return ms > 0 ? ms : (unsigned)PATIENCE_MS;
}

int fix_setup(void **state, bool tls)
{
    const struct fix_limits none = {0}, *l = *state ? *state : &none;
    struct fix *f = calloc(1, sizeof(*f));
    struct lane_limits limits = {2, 4, 4, PATIENCE_MS};

    CHECK(f);
    signal(SIGPIPE, SIG_IGN);
    f->tls = tls;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    make_file(f);
    CHECK(lane_new("test-read", &limits, NULL, &f->read, NULL) == RC_OK);
    CHECK(lane_new("test-disk", &limits, NULL, &f->disk, NULL) == RC_OK);
    CHECK(loop_new(0, &f->loop, NULL) == RC_OK);
    if (tls)
        make_tls(f);
    struct http_server_config config = {
        .service = {f, on_request, on_finished, on_answering, on_error},
        .lanes = {.read = f->read, .disk = f->disk, .password = f->disk},
        .call_body_budget = 6 * 1024 * 1024,
        .server_field = "kidoban",
        .limits = {.head_ms = limit(l->head_ms),
                   .keep_alive_ms = limit(l->keep_alive_ms),
                   .body_idle_ms = limit(l->body_idle_ms),
                   .slow_window_ms = limit(l->slow_window_ms),
                   .slow_bytes_per_s = 1024,
                   .gentle_close_ms = PATIENCE_MS},
    };

    CHECK(http_server_new(&config, &f->server, NULL) == RC_OK);
    CHECK(pthread_create(&f->thread, NULL, loop_thread, f->loop) == 0);
    fix_limit(f, 1000);
    *state = f;
    return 0;
}

static void shut(struct fix *f, void *arg)
{
    (void)arg;
    net_listener_free(f->listener);
    http_server_close_all(f->server, f->loop);
}

static void count_left(struct fix *f, void *arg)
{
    *(size_t *)arg = http_server_drain(f->server, f->loop);
}

int fix_teardown(void **state)
{
    struct fix *f = *state;
    size_t left = 1;

    fix_hold(f, false);
    fix_on_loop(f, shut, NULL);
    while (left > 0) {
        fix_on_loop(f, count_left, &left);
        nap();
    }
    fix_settled(f);
    loop_stop(f->loop);
    pthread_join(f->thread, NULL);
    lane_free(f->read);
    lane_free(f->disk);
    loop_free(f->loop);
    http_server_free(f->server);
    net_tls_free(f->context);
    SSL_CTX_free(f->client);
    unlink(f->path);
    free(f);
    return 0;
}

/* --- the client --- */

void client_open(struct client *c, struct fix *f)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(0x7f000001)};
    struct timeval patience = {CLIENT_PATIENCE_S, 0};
    int on = 1;

    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0), .in = BUF_INIT(256 << 20)};
    CHECK(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!f->tls)
        return;
    c->ssl = SSL_new(f->client);
    SSL_set_fd(c->ssl, c->fd);
    CHECK(SSL_connect(c->ssl) == 1);
}

void client_close(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    buf_done(&c->in);
}

void client_abandon(struct client *c)
{
    struct linger hard = {1, 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    client_close(c);
}

/* A call on a socket that has a time limit is interrupted where a process is stopped and goes on.
 */
static ssize_t some_sent(struct client *c, struct str bytes)
{
    ssize_t n;

    do {
        errno = 0;
        n = c->ssl ? SSL_write(c->ssl, bytes.ptr, (int)bytes.len)
                   : send(c->fd, bytes.ptr, bytes.len, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t some_received(struct client *c, char *room, int size)
{
    ssize_t n;

    do {
        errno = 0;
        n = c->ssl ? SSL_read(c->ssl, room, size) : recv(c->fd, room, (size_t)size, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

bool client_try_send(struct client *c, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = some_sent(c, bytes);

        if (n <= 0)
            return false;
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

void client_send(struct client *c, struct str bytes)
{
    CHECK(client_try_send(c, bytes));
}

/* False at the end. */
static bool client_read(struct client *c)
{
    char *room = buf_reserve(&c->in, 65536);

    CHECK(room);
    ssize_t n = some_received(c, room, 65536);

    if (n > 0) {
        c->in.len += (size_t)n;
        return true;
    }
    CHECK(errno != EAGAIN);
    c->ended = true;
    c->reset = errno == ECONNRESET;
    return false;
}

bool client_take(struct client *c, const char *text)
{
    size_t n = strlen(text);

    while (c->in.len < n && client_read(c))
        continue;
    if (c->in.len < n || memcmp(c->in.ptr, text, n) != 0)
        return false;
    buf_drop(&c->in, n);
    return true;
}

bool client_at_end(struct client *c)
{
    while (c->in.len == 0 && client_read(c))
        continue;
    return c->in.len == 0 && !c->reset;
}

struct str answer_field(const struct answer *a, const char *name)
{
    struct str head = buf_str(&a->head);

    while (head.ptr) {
        struct str line = str_split(&head, '\n'), value = line, field = str_split(&value, ':');

        if (str_is_nocase(field, name) && value.ptr)
            return str_trim(str_take(value, value.len - 1));
    }
    return STR_NONE;
}

static void take_bytes(struct client *c, struct buf *to, size_t n)
{
    while (c->in.len < n && client_read(c))
        continue;
    size_t got = c->in.len < n ? c->in.len : n;

    buf_add(to, (struct str){c->in.ptr, got});
    buf_drop(&c->in, got);
}

static size_t chunk_size(struct client *c)
{
    const char *end;

    while (!(end = memmem(c->in.ptr, c->in.len, "\r\n", 2)))
        CHECK(client_read(c));
    size_t n = strtoul(buf_cstr(&c->in), NULL, 16);

    buf_drop(&c->in, (size_t)(end - c->in.ptr) + 2);
    return n;
}

static void take_chunks(struct client *c, struct buf *to)
{
    for (size_t n; (n = chunk_size(c)) > 0;) {
        take_bytes(c, to, n);
        CHECK(client_take(c, "\r\n"));
    }
    CHECK(client_take(c, "\r\n"));
}

void client_answer(struct client *c, struct answer *a, bool head)
{
    const char *end = NULL;

    *a = (struct answer){.head = BUF_INIT(1 << 20), .body = BUF_INIT(256 << 20)};
    while ((c->in.len == 0 || !(end = memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4))) &&
           client_read(c))
        continue;
    if (!end)
        return; /* status 0: none came */
    size_t n = (size_t)(end - c->in.ptr) + 2;

    buf_add(&a->head, (struct str){c->in.ptr, n});
    buf_drop(&c->in, n + 2);
    a->status = (unsigned)strtoul(buf_cstr(&a->head) + 9, NULL, 10);
    struct str length = answer_field(a, "Content-Length");
    uint64_t size = 0;

    if (head || a->status == 204)
        return;
    if (length.ptr) {
        CHECK(str_to_u64(length, &size) == RC_OK);
        take_bytes(c, &a->body, size);
    } else if (answer_field(a, "Transfer-Encoding").ptr) {
        take_chunks(c, &a->body);
    } else {
        take_bytes(c, &a->body, SIZE_MAX);
    }
}

void answer_done(struct answer *a)
{
    buf_done(&a->head);
    buf_done(&a->body);
}
