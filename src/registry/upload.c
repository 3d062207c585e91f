/* Uploads. The order is: bytes durable, then the row that stands for them; so a row never promises
 * bytes that a crash could take, and what no row stands for is cut back or swept. */
#include "base/log.h"
#include "base/mem.h"
#include "registry/store.h"

enum { HASH_AGAIN_CHUNK = 256 * 1024, UPLOAD_ROW_MEMORY = 16 * 1024 };

struct registry_upload {
    struct registry_store *store;
    struct uuid id;
    char id_text[UUID_TEXT_MAX];
    struct registry_where where; /* repository points to `repository` */
    char repository[REGISTRY_NAME_MAX + 1];
    struct blob_stage *stage;
    struct hash_state hash;
    uint64_t offset; /* written */
    uint64_t saved;  /* acknowledged */
};

/* --- one request at a time --- */

/* Of an upload whose stage is closed, committed or discarded. */
static void upload_free(struct registry_upload *u)
{
    store_unclaim(u->store, str_from(u->id_text));
    free(u);
}

/* Claimed; its stage is not open yet. */
static enum rc upload_new(struct registry_store *s, const struct registry_where *w,
                          const struct uuid *id, struct registry_upload **ret, struct err *e)
{
    struct registry_upload *u = MEM_NEW(struct registry_upload);
    enum rc rc = str_copy(w->repository, u->repository, sizeof(u->repository));

    u->store = s;
    u->id = *id;
    u->where = *w;
    u->where.repository = str_from(u->repository);
    if (rc == RC_OK)
        rc = store_claim(s, uuid_format(id, u->id_text), e);
    else
        rc = err_code(e, RC_INVALID, "NAME_INVALID", "the repository's name is too long");
    if (rc != RC_OK) {
        free(u);
        return rc;
    }
    *ret = u;
    return RC_OK;
}

static enum rc upload_unknown(struct err *e)
{
    return err_code(e, RC_NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "no such upload in this repository");
}

/* --- begin --- */

static enum rc add_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct registry_upload *u = arg;
    uint8_t state[HASH_STATE_MAX];
    size_t n = hash_export(&u->hash, state);
    const struct meta_upload row = {
        .id = u->id,
        .registry = u->where.registry,
        .repository = u->where.repository,
        .hash_state = {(const char *)state, n},
    };
    enum rc rc = where_judge(&u->where, e);

    return rc == RC_OK ? meta_upload_add(tx, &row, e) : rc;
}

enum rc registry_upload_start(struct registry_store *s, const struct registry_where *w,
                              enum digest_algorithm algorithm, struct registry_upload **ret,
                              struct err *e)
{
    struct uuid id = uuid_random();
    struct registry_upload *u = NULL;
    enum rc rc = upload_new(s, w, &id, &u, e);

    if (rc != RC_OK)
        return rc;
    hash_init(&u->hash, algorithm);
    rc = blob_stage_new(s->blobs, str_from(u->id_text), &u->stage, e);
    if (rc == RC_OK)
        rc = meta_write(s->meta, &w->registry, add_fn, u, e);
    if (rc != RC_OK) {
        blob_stage_discard(u->stage);
        upload_free(u);
        return rc;
    }
    *ret = u;
    return RC_OK;
}

/* --- take up again --- */

struct found_upload {
    struct registry_upload *upload;
    struct arena arena;
};

static enum rc find_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    struct found_upload *f = arg;
    struct registry_upload *u = f->upload;
    struct meta_upload row;
    enum rc rc = meta_upload_find(tx, &f->arena, &u->id, &row, e);

    /* That it exists elsewhere is nobody's business here. */
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (!uuid_eq(&row.registry, &u->where.registry) ||
                                               !str_eq(row.repository, u->where.repository))))
        return upload_unknown(e);
    if (rc == RC_OK)
        u->offset = u->saved = row.size;
    if (rc == RC_OK && hash_import(row.hash_state, &u->hash, e) != RC_OK)
        return err_prefix(e, RC_CORRUPT, "a stored hash state");
    return rc;
}

static enum rc find_row(struct registry_upload *u, struct err *e)
{
    struct found_upload f = {.upload = u, .arena = ARENA_INIT(UPLOAD_ROW_MEMORY)};
    enum rc rc = meta_read(u->store->meta, find_fn, &f, e);

    arena_done(&f.arena);
    return rc;
}

/* Bytes beyond the acknowledged ones are of a request that did not end well: nothing is believed of
 * them. */
static enum rc open_stage(struct registry_upload *u, struct err *e)
{
    uint64_t size = 0;
    enum rc rc = blob_stage_open(u->store->blobs, str_from(u->id_text), &u->stage, &size, e);

    if (rc == RC_NOT_FOUND)
        return upload_unknown(e);
    if (rc == RC_OK && size < u->saved)
        return err_set(e, RC_CORRUPT, "a staging file is shorter than was acknowledged");
    if (rc == RC_OK && size > u->saved)
        rc = blob_stage_truncate(u->stage, u->saved, e);
    return rc;
}

enum rc registry_upload_open(struct registry_store *s, const struct registry_where *w,
                             struct str id, struct registry_upload **ret, struct err *e)
{
    struct registry_upload *u = NULL;
    struct uuid uuid;

    if (uuid_parse(id, &uuid, NULL) != RC_OK)
        return upload_unknown(e);
    enum rc rc = upload_new(s, w, &uuid, &u, e);

    if (rc != RC_OK)
        return rc;
    rc = find_row(u, e);
    if (rc == RC_OK)
        rc = open_stage(u, e);
    if (rc != RC_OK) {
        blob_stage_close(u->stage);
        upload_free(u);
        return rc;
    }
    *ret = u;
    return RC_OK;
}

enum rc registry_upload_stat(struct registry_store *s, const struct registry_where *w,
                             struct str id, uint64_t *ret_saved, struct err *e)
{
    struct registry_upload u = {.store = s, .where = *w};

    if (uuid_parse(id, &u.id, NULL) != RC_OK)
        return upload_unknown(e);
    enum rc rc = find_row(&u, e);

    if (rc == RC_OK)
        *ret_saved = u.saved;
    return rc;
}

struct str registry_upload_id(const struct registry_upload *u)
{
    return str_from(u->id_text);
}

uint64_t registry_upload_offset(const struct registry_upload *u)
{
    return u->offset;
}

/* --- go on --- */

enum rc registry_upload_append(struct registry_upload *u, struct str bytes, struct err *e)
{
    enum rc rc = blob_stage_write(u->stage, u->offset, bytes, e);

    if (rc != RC_OK)
        return rc; /* what was written of it will be written over or cut back */
    hash_update(&u->hash, bytes.ptr, bytes.len);
    u->offset += bytes.len;
    return RC_OK;
}

static enum rc save_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct registry_upload *u = arg;
    uint8_t state[HASH_STATE_MAX];
    size_t n = hash_export(&u->hash, state);
    enum rc rc = where_judge(&u->where, e);

    if (rc == RC_OK)
        rc = meta_upload_save(tx, &u->id, u->offset, (struct str){(const char *)state, n}, e);
    return rc == RC_NOT_FOUND ? upload_unknown(e) : rc;
}

enum rc registry_upload_save(struct registry_upload *u, struct err *e)
{
    enum rc rc = blob_stage_sync(u->stage, e);

    if (rc == RC_OK)
        rc = meta_write(u->store->meta, &u->where.registry, save_fn, u, e);
    if (rc == RC_OK)
        u->saved = u->offset;
    return rc;
}

void registry_upload_close(struct registry_upload *u)
{
    if (!u)
        return;
    /* Gives the space back early; whoever opens it again cuts in any case. */
    if (u->offset > u->saved && blob_stage_truncate(u->stage, u->saved, NULL) != RC_OK)
        log_warn("upload.not_cut_back", F_TEXT("id", u->id_text));
    blob_stage_close(u->stage);
    upload_free(u);
}

/* --- end --- */

static enum rc forget_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct registry_upload *u = arg;
    enum rc rc = meta_upload_delete(tx, &u->id, e);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Its bytes are gone, or are a blob now. Frees u. */
static void forget(struct registry_upload *u)
{
    if (meta_write(u->store->meta, &u->where.registry, forget_fn, u, NULL) != RC_OK)
        log_warn("upload.row_left", F_TEXT("id", u->id_text)); /* until the next start */
    upload_free(u);
}

static enum rc cancel_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct registry_upload *u = arg;
    enum rc rc = where_judge(&u->where, e);

    return rc == RC_OK ? forget_fn(tx, arg, e) : rc;
}

enum rc registry_upload_cancel(struct registry_upload *u, struct err *e)
{
    enum rc rc = meta_write(u->store->meta, &u->where.registry, cancel_fn, u, e);

    if (rc != RC_OK) {
        registry_upload_close(u);
        return rc;
    }
    blob_stage_discard(u->stage);
    upload_free(u);
    return RC_OK;
}

void registry_upload_drop(struct registry_upload *u)
{
    blob_stage_discard(u->stage);
    forget(u);
}

/* With another algorithm than the one that went along. */
static enum rc hash_again(struct registry_upload *u, enum digest_algorithm algorithm,
                          struct digest *ret, struct err *e)
{
    char *chunk = MEM_ARRAY(char, HASH_AGAIN_CHUNK);
    struct hash_state hash;
    enum rc rc = RC_OK;
    uint64_t at = 0;

    hash_init(&hash, algorithm);
    while (rc == RC_OK && at < u->offset) {
        size_t n = 0;

        rc = blob_stage_read(u->stage, at, chunk, HASH_AGAIN_CHUNK, &n, e);
        if (rc == RC_OK && n == 0)
            rc = err_set(e, RC_CORRUPT, "a staging file is shorter than what was written");
        if (rc == RC_OK)
            hash_update(&hash, chunk, n);
        at += n;
    }
    free(chunk);
    if (rc == RC_OK)
        hash_final(&hash, ret);
    return rc;
}

static enum rc verify(struct registry_upload *u, const struct digest *d, struct err *e)
{
    struct digest have;
    enum rc rc = RC_OK;

    if (u->hash.algorithm == d->algorithm)
        hash_final(&u->hash, &have);
    else
        rc = hash_again(u, d->algorithm, &have, e);
    if (rc == RC_OK && !digest_eq(&have, d))
        return err_code(e, RC_INVALID, "DIGEST_INVALID",
                        "what was uploaded does not have the digest that was given");
    return rc;
}

struct finish {
    const struct registry_upload *upload;
    const struct registry_where *where;
    const struct digest *digest;
};

static enum rc finish_fn(struct meta_tx *tx, void *arg, struct err *e)
{
    const struct finish *f = arg;
    struct uuid repository;
    enum rc rc = where_judge(f->where, e);

    if (rc == RC_OK)
        rc = meta_upload_delete(tx, &f->upload->id, e);
    if (rc == RC_NOT_FOUND)
        return upload_unknown(e);
    if (rc == RC_OK)
        rc = meta_repository_make(tx, &f->where->registry, f->where->repository, &repository, e);
    if (rc == RC_OK)
        rc = meta_link_put(tx, &repository, f->digest, f->upload->offset, e);
    return rc;
}

/* Frees u->stage, whatever happens. */
static enum rc verify_and_commit(struct registry_upload *u, const struct digest *d, struct err *e)
{
    enum rc rc = verify(u, d, e);

    if (rc == RC_OK)
        return blob_stage_commit(u->stage, d, e);
    blob_stage_discard(u->stage);
    return rc;
}

enum rc registry_upload_finish(struct registry_upload *u, const struct registry_where *w,
                               const struct digest *d, struct err *e)
{
    struct finish f = {u, w, d};
    enum rc rc = verify_and_commit(u, d, e);

    /* The bytes are durable under their digest; now they become visible. Without a link they harm
     * nobody. */
    if (rc == RC_OK)
        rc = meta_write(u->store->meta, &w->registry, finish_fn, &f, e);
    if (rc == RC_OK)
        upload_free(u);
    else
        forget(u);
    return rc;
}
