#include "app/server.h"
#include "app/heard.h"
#include "app/listeners.h"
#include "app/metrics_routes.h"
#include "arm/arm.h"
#include "arm/operation.h"
#include "blob/blob.h"
#include "oci/oci.h"
#include "sts/sts.h"
#include "sys/thread.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOOPS_MAX = 64 };

/* DETAILS "Lanes". The two of the database are meta's own. */
static const struct lane_limits disk_limits = {8, 4096, 256};
static const struct lane_limits password_limits = {1, 64, 8};

void server_control_url(const struct serve_options *o, char *out, size_t cap)
{
    char ip[IP_TEXT_MAX];

    if (!ip_is_loopback(&o->control.addr))
        snprintf(out, cap, "https://arm.%s:%u", o->suffix, o->control.port);
    else if (o->control.addr.family == 6)
        snprintf(out, cap, "https://[%s]:%u", ip_format(&o->control.addr, ip).ptr, o->control.port);
    else
        snprintf(out, cap, "https://%s:%u", ip_format(&o->control.addr, ip).ptr, o->control.port);
}

static enum rc open_database(struct server *s, struct err *e)
{
    CLEANUP(buf_done) struct buf url = BUF_INIT(8192);
    char control_url[512];
    enum rc rc = data_folder_database(&s->folder, &url, e);

    if (rc == RC_OK)
        rc = meta_open(buf_cstr(&url), &s->meta, e);
    if (rc != RC_OK)
        return rc;
    s->lanes.write = meta_lane_write(s->meta);
    s->lanes.read = meta_lane_read(s->meta);
    server_control_url(s->options, control_url, sizeof(control_url));
    return data_folder_install(&s->folder, s->meta, control_url, e);
}

static enum rc open_lanes(struct server *s, struct err *e)
{
    enum rc rc = lane_new("disk", &disk_limits, NULL, &s->lanes.disk, e);

    if (rc == RC_OK)
        rc = lane_new("password", &password_limits, NULL, &s->lanes.password, e);
    return rc;
}

static enum rc open_store(struct server *s, struct err *e)
{
    enum rc rc = blob_fs_open(s->folder.path, &s->blobs, e);

    if (rc != RC_OK)
        return rc;
    s->store = registry_store_new(s->meta, s->blobs);
    return registry_store_sweep(s->store, e);
}

static enum rc open_loops(struct server *s, struct err *e)
{
    unsigned n = cpu_count();
    enum rc rc = RC_OK;

    n = n > LOOPS_MAX ? LOOPS_MAX : n;
    s->loops = calloc(n, sizeof(struct loop *));
    if (!s->loops)
        abort();
    for (; rc == RC_OK && s->n_loops < n; s->n_loops += rc == RC_OK)
        rc = loop_new(s->n_loops, &s->loops[s->n_loops], e);
    return rc;
}

static enum rc open_hub(struct server *s, struct err *e)
{
    const struct snapshot_config config = {
        .meta = s->meta,
        .seal = s->folder.seal,
        .suffix = str_from(s->options->suffix),
        .default_registry = str_from(s->options->default_registry),
        .loops = s->loops,
        .n_loops = s->n_loops,
    };

    return snapshot_hub_new(&config, &s->hub, e);
}

/* The control plane's table: the identity endpoints' routes, then ARM's, whose last ones take what
 * is left. */
static struct http_routes join_routes(struct server *s)
{
    size_t n = arm_routes.n + sts_routes.n;

    s->control_routes = calloc(n, sizeof(struct http_route));
    if (!s->control_routes)
        abort();
    for (size_t i = 0; i < sts_routes.n; i++)
        s->control_routes[i] = sts_routes.list[i];
    for (size_t i = 0; i < arm_routes.n; i++)
        s->control_routes[sts_routes.n + i] = arm_routes.list[i];
    return (struct http_routes){s->control_routes, n, true};
}

struct kind_question {
    const struct uuid *attachment;
    enum origin_attachment_kind kind;
};

static enum rc kind_of(const struct snapshot *s, void *arg, struct err *e)
{
    const struct origin_attachment *list = NULL;
    size_t n = origin_attachments(s->origins, &list);
    struct kind_question *q = arg;

    for (size_t i = 0; i < n; i++)
        if (uuid_eq(&list[i].uuid, q->attachment)) {
            q->kind = list[i].kind;
            return RC_OK;
        }
    return err_set(e, RC_NOT_FOUND, "no such attachment");
}

/* Of one that has no listener. */
static enum rc state_without_listener(struct server *s, const struct uuid *attachment,
                                      enum listener_state *ret, struct buf *why)
{
    struct kind_question q = {.attachment = attachment};
    enum rc rc = snapshot_with_newest(s->hub, kind_of, &q, NULL);

    return rc == RC_OK ? heard_state(s->options, q.kind, ret, why) : rc;
}

/* Any thread. Attachments that have no listener yet wait for one. */
static enum arm_attachment_state attachment_state(void *ctx, const struct uuid *attachment,
                                                  char *reason, size_t cap)
{
    static const enum arm_attachment_state states[] = {
        [LISTENER_WAITING] = ARM_ATTACHMENT_WAITING,
        [LISTENER_LISTENING] = ARM_ATTACHMENT_LISTENING,
        [LISTENER_FAILED] = ARM_ATTACHMENT_FAILED,
    };
    CLEANUP(buf_done) struct buf why = BUF_INIT(cap - 1);
    enum listener_state state = LISTENER_WAITING;
    struct server *s = ctx;

    if (!s->listeners || (listeners_state(s->listeners, attachment, &state, &why) != RC_OK &&
                          state_without_listener(s, attachment, &state, &why) != RC_OK))
        return ARM_ATTACHMENT_WAITING;
    snprintf(reason, cap, "%s", buf_cstr(&why));
    return states[state];
}

static void open_control(struct server *s)
{
    s->control = (struct arm_services){
        .hub = s->hub,
        .meta = s->meta,
        .seal = s->folder.seal,
        .suffix = str_from(s->options->suffix),
        .attachment_state = attachment_state,
        .attachment_ctx = s,
    };
    s->control.operations = arm_operations_new(&s->control);
}

static enum rc open_admit(struct server *s, struct err *e)
{
    const struct serve_options *o = s->options;
    struct admit_config config = {
        .hub = s->hub,
        .limiter = s->limiter,
        .store = s->store,
        .lanes = s->lanes,
        .data = {oci_routes, oci_error},
        .control = {join_routes(s), arm_error},
        .metrics = {metrics_routes, metrics_error},
        .suffix = str_from(o->suffix),
        .control_name = str_from(o->control_name),
        .forwarders = {o->forwarders.list, o->forwarders.n},
        .denial_detail_full = o->denial_detail_full,
        .login_port = serve_login_port(o),
        .services = &s->control,
    };

    open_control(s);
    return admit_new(&config, &s->admit, e);
}

static enum rc open_http(struct server *s, struct err *e)
{
    struct http_server_config config = {
        .service = admit_service(s->admit),
        .lanes = s->lanes,
        .server_field = "kidoban",
    };

    return http_server_new(&config, &s->http, e);
}

static enum rc assemble(struct server *s, struct err *e)
{
    enum rc rc = data_folder_open(s->options->data, &s->folder, e);

    if (rc == RC_OK)
        rc = server_tls_new(s, e);
    if (rc == RC_OK)
        rc = open_lanes(s, e);
    if (rc == RC_OK)
        rc = open_database(s, e);
    if (rc == RC_OK)
        rc = open_store(s, e);
    if (rc == RC_OK)
        rc = open_loops(s, e);
    if (rc == RC_OK)
        rc = open_hub(s, e);
    s->limiter = auth_limiter_new();
    if (rc == RC_OK)
        rc = open_admit(s, e);
    if (rc == RC_OK)
        rc = open_http(s, e);
    return rc;
}

enum rc server_new(const struct serve_options *o, struct server **ret, struct err *e)
{
    struct server *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->options = o;
    s->folder = DATA_FOLDER_NONE;
    enum rc rc = assemble(s, e);

    if (rc == RC_OK)
        *ret = s;
    else
        server_free(s);
    return rc;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    http_server_free(s->http);
    arm_operations_free(s->control.operations);
    admit_free(s->admit);
    free(s->control_routes);
    auth_limiter_free(s->limiter);
    snapshot_hub_free(s->hub);
    lane_free(s->lanes.password);
    lane_free(s->lanes.disk); /* before what its jobs work on */
    registry_store_free(s->store);
    blob_store_free(s->blobs);
    meta_close(s->meta);
    for (unsigned i = 0; i < s->n_loops; i++)
        loop_free(s->loops[i]);
    free(s->loops);
    net_tls_free(s->tls);
    data_folder_done(&s->folder);
    free(s);
}
