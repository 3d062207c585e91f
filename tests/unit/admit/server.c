#include "server.h"
#include "base/clock.h"
#include "sys/sock.h"
#include <signal.h>
#include <stdlib.h>

#define NETWORK(uuid)                                                                              \
    "{\"subnets\":[{\"name\":\"n\",\"uuid\":\"" uuid "\",\"properties\":{\"addressPrefix\":"       \
    "\"127.0.0.0/8\",\"serviceEndpoints\":[{\"service\":\"Microsoft.ContainerRegistry\"}]}}]}"
#define ATTACHMENT(name)                                                                           \
    "{\"kind\":\"netns\",\"netns\":{\"name\":\"" name                                              \
    "\"},\"virtualNetwork\":{\"id\":\"" GROUP_ID NETWORK_TYPE "/" name "\"}}"
#define BLUE "00000000-0000-4000-8000-0000000000b1"
#define RED  "00000000-0000-4000-8000-0000000000b2"

static struct admit_server *self; /* handlers have no other way to a test's own state */

/* --- routes --- */

static enum http_verdict hello(struct http_request *req)
{
    const struct admission *a = admission_of(req);

    http_answer(req, 200, "text/plain", arena_printf(&req->arena, "hello %s", a->principal.name));
    return HTTP_ANSWERED;
}

static enum rc commit(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct registry_guard *g = arg;
    enum rc rc = g->judge(g->ctx, e);

    return rc == RC_OK ? meta_setting_put(tx, "pushed", STR("yes"), e) : rc;
}

static enum http_verdict push(struct http_request *req)
{
    struct registry_guard g = admit_guard(req);
    struct uuid key = {{1}};
    struct err e = {0};

    atomic_fetch_add(&self->entered, 1);
    pthread_mutex_lock(&self->lock);
    while (self->hold)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    enum rc rc = meta_write(self->i.meta, &key, commit, &g, &e);

    http_answer(req, rc == RC_OK ? 201 : 418, "text/plain",
                arena_copy(&req->arena, str_from(e.text)));
    return HTTP_ANSWERED;
}

static enum http_pull endless_next(struct http_request *req, struct str *ret)
{
    (void)req;
    *ret = STR("bytes that never end\n");
    return HTTP_PULL_BYTES;
}

static void endless_abort(struct http_request *req)
{
    (void)req;
}

static enum http_verdict endless(struct http_request *req)
{
    static const struct http_source source = {endless_next, endless_abort};

    http_answer_source(req, 200, "text/plain", &source, HTTP_LENGTH_UNKNOWN);
    return HTTP_ANSWERED;
}

static enum http_flow upload_data(struct http_request *req, struct str bytes)
{
    (void)req;
    atomic_fetch_add(&self->entered, (int)bytes.len);
    return HTTP_FLOW_ON;
}

static void upload_end(struct http_request *req)
{
    http_answer(req, 202, NULL, STR(""));
    http_respond(req);
}

static void upload_abort(struct http_request *req, enum rc reason)
{
    (void)reason;
    http_respond(req);
}

static enum http_verdict upload(struct http_request *req)
{
    static const struct http_sink sink = {upload_data, upload_end, upload_abort};

    http_body_take(req, &sink);
    return HTTP_DECLINED;
}

static const struct http_route data_list[] = {
    {HTTP_GET, "/v2/", "signed-in", ROUTE_HOT, hello, NULL},
    {HTTP_GET, "/v2/_catalog", "catalog", ROUTE_HOT, hello, NULL},
    {HTTP_GET, "/v2/{name+}/manifests/{reference}", "pull", ROUTE_HOT, hello, NULL},
    {HTTP_GET, "/v2/{name+}/tags/list", "list", ROUTE_HOT, hello, NULL},
    {HTTP_PUT, "/v2/{name+}/manifests/{reference}", "push", ROUTE_CALL, push, NULL},
    {HTTP_GET, "/v2/{name+}/blobs/{digest}", "pull", ROUTE_STREAM, endless, NULL},
    {HTTP_POST, "/v2/{name+}/blobs/uploads/", "push", ROUTE_STREAM, upload, NULL},
    {HTTP_PATCH, "/v2/{name+}/blobs/uploads/{id}", "push", ROUTE_STREAM, upload, NULL},
    {HTTP_GET, "/oauth2/token", "public", ROUTE_HOT, hello, NULL},
};
#define S          "/subscriptions/{subscription}"
#define G          S "/resourceGroups/{group}"
#define R          G "/providers/Microsoft.ContainerRegistry/registries"
#define A_GROUP    "Microsoft.Resources/subscriptions/resourceGroups"
#define A_REGISTRY "Microsoft.ContainerRegistry/registries"
static const struct http_route control_list[] = {
    {HTTP_GET, "/discovery", "public", ROUTE_HOT, hello, NULL},
    {HTTP_GET, "/subscriptions", "Microsoft.Resources/subscriptions/read", ROUTE_HOT, hello, NULL},
    {HTTP_GET, S, "Microsoft.Resources/subscriptions/read", ROUTE_HOT, hello, NULL},
    {HTTP_GET, G, A_GROUP "/read", ROUTE_HOT, hello, NULL},
    {HTTP_PUT, G, A_GROUP "/write", ROUTE_HOT, hello, NULL},
    {HTTP_GET, R, A_REGISTRY "/read", ROUTE_HOT, hello, NULL},
    {HTTP_POST, R "/{name}/listCredentials", A_REGISTRY "/listCredentials/action", ROUTE_HOT, hello,
     NULL},
    {HTTP_GET, R "/{name}/parts", A_REGISTRY "/parts/read", ROUTE_HOT, hello, NULL},
    {HTTP_PUT, "/providers/Kidoban.Network/attachments/{name}", "Kidoban.Network/attachments/write",
     ROUTE_HOT, hello, NULL},
};
static const struct http_route metrics_list[] = {
    {HTTP_GET, "/healthz", "public", ROUTE_HOT, hello, NULL},
};

static void plain_error(struct http_request *req, unsigned status, const char *code,
                        const char *message)
{
    http_answer(req, status, "text/x-error",
                arena_printf(&req->arena, "%s: %s", code ? code : "-", message));
}

/* --- starting --- */

static void open_door(struct admit_server *s, enum door door)
{
    static const char *const attachments[DOORS] = {[DOOR_BLUE] = BLUE, [DOOR_RED] = RED};
    static const char places[DOORS][8] = {[DOOR_BLUE] = "blue", [DOOR_RED] = "red"};
    struct sock_listen where = {.addr = {.family = 4, .bytes = {127, 0, 0, 1}}};
    struct net_listener_config config = {
        .class = door == DOOR_CONTROL   ? NET_CONTROL
                 : door == DOOR_METRICS ? NET_METRICS
                                        : NET_DATA,
        .arrival = attachments[door] ? NET_NETNS : NET_MAIN,
        .loops = s->i.loops,
        .n_loops = 1,
        .max_connections = 1000,
        .accepted = http_server_accepted,
        .ctx = s->http,
    };
    struct ip_addr local;
    struct err e = {0};
    int fd;

    if (attachments[door])
        config.attachment = uuid_of(attachments[door]);
    memcpy(config.place, places[door], sizeof(places[door]));
    must(sock_listen(&where, &fd, &e), &e);
    must(sock_local(fd, &local, &s->ports[door].port, &e), &e);
    must(net_listener_new(s->i.loops[0], fd, &config, &s->listeners[door], &e), &e);
}

static void open_doors(void *arg, struct loop *l)
{
    (void)l;
    for (int door = 0; door < DOORS; door++)
        open_door(arg, (enum door)door);
}

static void on_adopt(void *ctx, struct loop *l, const struct snapshot *s)
{
    const struct admit_server *server = ctx;

    admit_judge_again(server->http, l, s);
}

static void configuration(struct installation *i)
{
    installation_new(i, 1);
    i->default_registry = STR("two");
    store(i, REGISTRY_TYPE, "one", ONE, CLOSED);
    store(i, REGISTRY_TYPE, "two", TWO, OPEN);
    store(i, NETWORK_TYPE, "blue", "00000000-0000-4000-8000-0000000000a1", NETWORK(BLUE_SUBNET));
    store(i, NETWORK_TYPE, "red", "00000000-0000-4000-8000-0000000000a2", NETWORK(RED_SUBNET));
    store(i, ATTACHMENT_TYPE, "blue", BLUE, ATTACHMENT("blue"));
    store(i, ATTACHMENT_TYPE, "red", RED, ATTACHMENT("red"));
    installation_hub(i);
}

static void open_http(struct admit_server *s, bool full_detail, bool forwarders_trusted)
{
    struct lane_limits limits = {2, 16, 16, 0};
    static const struct cidr forwarders[] = {{{4, {127, 0, 0, 1}}, 32}, {{4, {192, 0, 2, 0}}, 24}};
    struct err e = {0};
    struct admit_config config = {
        .hub = s->i.hub,
        .limiter = s->limiter,
        .data = {{data_list, ARRAY_LEN(data_list), false}, plain_error},
        .control = {{control_list, ARRAY_LEN(control_list), true}, plain_error},
        .metrics = {{metrics_list, ARRAY_LEN(metrics_list), false}, plain_error},
        .suffix = STR("registry.test"),
        .control_name = STR("control.test"),
        .forwarders = {forwarders, forwarders_trusted ? ARRAY_LEN(forwarders) : 0},
        .denial_detail_full = full_detail,
        .login_port = 5443,
    };

    must(admit_new(&config, &s->admit, &e), &e);
    must(lane_new("read", &limits, NULL, &s->read, &e), &e);
    must(lane_new("disk", &limits, NULL, &s->disk, &e), &e);
    struct http_server_config http = {.service = admit_service(s->admit),
                                      .lanes = {.read = s->read, .disk = s->disk}};

    must(http_server_new(&http, &s->http, &e), &e);
}

static int set_up(void **state, bool full_detail, bool forwarders_trusted)
{
    struct admit_server *s = calloc(1, sizeof(*s));

    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    configuration(&s->i);
    s->limiter = auth_limiter_new();
    open_http(s, full_detail, forwarders_trusted);
    snapshot_on_adopt(s->i.hub, on_adopt, s);
    installation_run(&s->i);
    on_loop(s->i.loops[0], open_doors, s);
    *state = self = s;
    return 0;
}

int server_setup(void **state)
{
    return set_up(state, false, false);
}

int server_setup_full_detail(void **state)
{
    return set_up(state, true, false);
}

int server_setup_forwarder(void **state)
{
    return set_up(state, false, true);
}

void server_hold(struct admit_server *s, bool hold)
{
    pthread_mutex_lock(&s->lock);
    s->hold = hold;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void shut(void *arg, struct loop *l)
{
    struct admit_server *s = arg;

    for (int door = 0; door < DOORS; door++)
        net_listener_free(s->listeners[door]);
    http_server_close_all(s->http, l);
}

struct draining {
    struct http_server *http;
    size_t left;
};

static void drain(void *arg, struct loop *l)
{
    struct draining *d = arg;

    d->left = http_server_drain(d->http, l);
}

int server_teardown(void **state)
{
    struct admit_server *s = *state;
    struct draining d = {.http = s->http, .left = 1};

    server_hold(s, false);
    on_loop(s->i.loops[0], shut, s);
    while (d.left > 0)
        on_loop(s->i.loops[0], drain, &d);
    lane_free(s->read);
    lane_free(s->disk);
    loop_stop(s->i.loops[0]);
    pthread_join(s->i.threads[0], NULL);
    s->i.running = false;
    http_server_free(s->http);
    admit_free(s->admit);
    auth_limiter_free(s->limiter);
    installation_free(&s->i);
    free(s);
    return 0;
}

/* --- asking --- */

void server_rules(struct admit_server *s, const char *rule_set)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 16);

    put(&s->i, REGISTRY_TYPE, "one", ONE,
        arena_printf(&a, "{\"networkRuleSet\":%s}", rule_set).ptr);
}

struct answer ask_on(struct client *c, const char *line, const char *host, const char *fields)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct answer answer;

    client_send(c, arena_printf(&a, "%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", line, host, fields));
    client_answer(c, &answer, strncmp(line, "HEAD ", 5) == 0);
    return answer;
}

struct answer ask(struct admit_server *s, enum door door, const char *line, const char *host,
                  const char *fields)
{
    struct client c;

    client_open(&c, &s->ports[door]);
    struct answer answer = ask_on(&c, line, host, fields);

    client_close(&c);
    return answer;
}

void push_begin(struct admit_server *s, struct client *c, enum door door, const char *fields)
{
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: " HOST_ONE
                     "\r\n%sContent-Length: 2\r\n\r\n{}",
                     fields);

    assert_true(n > 0 && (size_t)n < sizeof(head));
    server_hold(s, true);
    client_open(c, &s->ports[door]);
    client_send(c, str_from(head));
    fix_wait_for(&s->entered, 1);
}

struct answer push_end(struct admit_server *s, struct client *c)
{
    struct answer a;

    server_hold(s, false);
    client_answer(c, &a, false);
    client_close(c);
    return a;
}

void push_is_refused(struct admit_server *s, struct client *c, const char *why)
{
    struct answer a = push_end(s, c);

    assert_int_equal(a.status, 418); /* the route's own word for a refused commit */
    assert_str(buf_str(&a.body), why);
    answer_done(&a);
}
