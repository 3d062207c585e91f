#include "snapshot/installation.h"

void must(enum rc rc, const struct err *e)
{
    if (rc != RC_OK)
        fail_msg("%s: %s", rc_name(rc), e->text);
}

struct uuid uuid_of(const char *text)
{
    struct uuid u;

    assert_int_equal(uuid_parse(str_from(text), &u, NULL), RC_OK);
    return u;
}

/* --- what the first start writes --- */

static enum rc installation_seal(struct meta_tx *tx, const struct crypto_key *seal,
                                 const char *name, struct str plain, struct err *e)
{
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    enum rc rc = crypto_seal(seal, str_from(name), plain, &sealed, e);

    base64url_encode(&text, buf_str(&sealed));
    return rc == RC_OK ? meta_setting_put(tx, name, buf_str(&text), e) : rc;
}

static enum rc installation_person(struct meta_tx *tx, const char *object, const char *app,
                                   bool administrator, struct err *e)
{
    const struct meta_principal p = {.object_id = uuid_of(object),
                                     .app_id = uuid_of(app),
                                     .name = administrator ? STR("admin") : STR("plain"),
                                     .generation = 1,
                                     .enabled = true,
                                     .administrator = administrator};
    const struct meta_secret secret = {
        .id = p.object_id, .principal = p.object_id, .hash = crypto_secret_hash(STR("secret"))};
    enum rc rc = meta_principal_put(tx, &p, e);

    return rc == RC_OK ? meta_secret_add(tx, &secret, e) : rc;
}

static enum rc installation_first(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct crypto_key *seal = arg;
    struct crypto_key token;
    enum rc rc = snapshot_identity_key_new(tx, seal, 1, e);

    crypto_random(&token, sizeof(token));
    if (rc == RC_OK)
        rc = installation_seal(tx, seal, "token-key",
                               (struct str){(const char *)token.bytes, sizeof(token.bytes)}, e);
    if (rc == RC_OK)
        rc = meta_setting_put(tx, "tenant", STR(TENANT), e);
    if (rc == RC_OK)
        rc = meta_setting_put(tx, "subscription", STR(SUBSCRIPTION), e);
    if (rc == RC_OK)
        rc = installation_person(tx, ADMIN_OBJECT, ADMIN_APP, true, e);
    return rc == RC_OK ? installation_person(tx, PLAIN_OBJECT, PLAIN_APP, false, e) : rc;
}

void installation_new(struct installation *i, unsigned n_loops)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(4096);
    struct err e = {0};
    struct uuid key = {{1}};

    *i = (struct installation){.n_loops = n_loops};
    temp_folder_make(&i->folder);
    crypto_random(&i->seal, sizeof(i->seal));
    must(meta_open(arena_printf(&a, "sqlite:%s/kidoban.db", i->folder.path).ptr, &i->meta, &e), &e);
    must(meta_write(i->meta, &key, installation_first, &i->seal, &e), &e);
}

/* --- hub and loops --- */

static void *installation_turn(void *loop)
{
    loop_run(loop);
    return NULL;
}

enum rc installation_try_hub(struct installation *i, struct err *e)
{
    const struct snapshot_config config = {.meta = i->meta,
                                           .seal = i->seal,
                                           .suffix = STR("registry.test"),
                                           .default_registry = i->default_registry,
                                           .loops = i->loops,
                                           .n_loops = i->n_loops};

    for (unsigned n = 0; n < i->n_loops; n++)
        must(loop_new(n, &i->loops[n], e), e);
    return snapshot_hub_new(&config, &i->hub, e);
}

void installation_hub(struct installation *i)
{
    struct err e = {0};

    must(installation_try_hub(i, &e), &e);
}

void installation_run(struct installation *i)
{
    struct err e = {0};

    for (unsigned n = 0; n < i->n_loops; n++)
        must(thread_start(&i->threads[n], "loop", installation_turn, i->loops[n], &e), &e);
    i->running = true;
}

void installation_free(struct installation *i)
{
    for (unsigned n = 0; n < i->n_loops && i->running; n++) {
        loop_stop(i->loops[n]);
        pthread_join(i->threads[n], NULL);
    }
    snapshot_hub_free(i->hub);
    for (unsigned n = 0; n < i->n_loops; n++)
        if (i->loops[n])
            loop_free(i->loops[n]);
    meta_close(i->meta);
    temp_folder_remove(&i->folder);
}

struct installation_visit {
    struct loop_task task;
    void (*fn)(void *arg, struct loop *l);
    void *arg;
    struct loop *loop;
    sem_t done;
};

static void installation_visited(struct loop_task *t)
{
    struct installation_visit *v = CONTAINER_OF(t, struct installation_visit, task);

    v->fn(v->arg, v->loop);
    sem_post(&v->done);
}

void on_loop(struct loop *l, void (*fn)(void *arg, struct loop *l), void *arg)
{
    struct installation_visit v = {
        .task.run = installation_visited, .fn = fn, .arg = arg, .loop = l};

    sem_init(&v.done, 0, 0);
    loop_post(l, &v.task);
    sem_wait(&v.done);
    sem_destroy(&v.done);
}

/* --- resources --- */

static struct str installation_id(struct arena *a, const struct installation_put *p)
{
    return arena_printf(a, "%s%s/%s",
                        strcmp(p->type, ATTACHMENT_TYPE) == 0 ? "/providers/" : GROUP_ID, p->type,
                        p->name);
}

enum rc installation_write(struct meta_tx *tx, const struct installation_put *p, struct err *e)
{
    CLEANUP(arena_done) struct arena a = ARENA_INIT(1 << 20);
    struct meta_resource r = {
        .id = installation_id(&a, p), .type = str_from(p->type), .uuid = uuid_of(p->uuid)};

    if (!p->properties)
        return meta_resource_delete(tx, r.id, e);
    r.body = arena_printf(&a, "{\"location\":\"local\",\"properties\":%s}", p->properties);
    r.created_us = 1;
    return meta_resource_put(tx, &a, &r, e);
}

enum rc installation_change(struct meta_tx *tx, struct snapshot_change *c, void *arg, struct err *e)
{
    const struct installation_put *p = arg;
    struct uuid u = uuid_of(p->uuid);
    enum rc rc = installation_write(tx, p, e);

    if (rc != RC_OK)
        return rc;
    if (strcmp(p->type, REGISTRY_TYPE) == 0)
        snapshot_touch_registry(c, &u);
    else
        snapshot_touch_networks(c);
    return p->answer == RC_OK ? RC_OK : err_set(e, p->answer, "as the test wants it");
}

enum rc try_put(struct installation *i, const char *type, const char *name, const char *uuid,
                const char *properties)
{
    struct installation_put p = {
        .type = type, .name = name, .uuid = uuid, .properties = properties};

    return snapshot_change(i->hub, installation_change, &p, NULL);
}

void put(struct installation *i, const char *type, const char *name, const char *uuid,
         const char *properties)
{
    assert_int_equal(try_put(i, type, name, uuid, properties), RC_OK);
}

static enum rc installation_store(struct meta_tx *tx, void *arg, struct err *e)
{
    return installation_write(tx, arg, e);
}

void store(struct installation *i, const char *type, const char *name, const char *uuid,
           const char *properties)
{
    struct installation_put p = {
        .type = type, .name = name, .uuid = uuid, .properties = properties};
    struct uuid key = {{1}};
    struct err e = {0};

    must(meta_write(i->meta, &key, installation_store, &p, &e), &e);
}
