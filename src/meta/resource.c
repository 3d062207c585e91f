#include "base/buf.h"
#include "base/clock.h"
#include "meta/tx.h"

enum { ID_MAX = 4096 };

static void add_lower(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        buf_addc(b, ascii_lower(s.ptr[i]));
}

/* ARM compares ids and types without case. */
static enum rc lower(struct str s, struct buf *ret, struct err *e)
{
    add_lower(ret, s);
    return buf_status(ret, e);
}

static enum rc resource_borrow(const struct db_rows *row, struct meta_resource *ret, struct err *e)
{
    struct meta_resource r = {
        .id = db_text(row, 0),
        .type = db_text(row, 1),
        .etag = db_text(row, 3),
        .body = db_text(row, 4),
        .created_us = db_int(row, 5),
        .changed_us = db_int(row, 6),
    };
    enum rc rc = tx_uuid(row, 2, &r.uuid, e);

    if (rc == RC_OK)
        *ret = r;
    return rc;
}

static enum rc resource_copy(const struct db_rows *row, struct arena *a, struct meta_resource *ret,
                             struct err *e)
{
    struct meta_resource r;
    enum rc rc = resource_borrow(row, &r, e);

    if (rc == RC_OK)
        rc = tx_copy(a, row, 0, &r.id, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 1, &r.type, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 3, &r.etag, e);
    if (rc == RC_OK)
        rc = tx_copy(a, row, 4, &r.body, e);
    if (rc == RC_OK)
        *ret = r;
    return rc;
}

static enum rc resource_one(struct meta_tx *tx, enum meta_statement id, struct db_value key,
                            struct arena *a, struct meta_resource *ret, struct err *e)
{
    CLEANUP(db_rows_freep) struct db_rows *row = NULL;
    enum rc rc = tx_query_row(tx, id, &key, 1, &row, e);

    return rc == RC_OK ? resource_copy(row, a, ret, e) : rc;
}

enum rc meta_resource_get(struct meta_tx *tx, struct arena *a, struct str id,
                          struct meta_resource *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf key = BUF_INIT(ID_MAX);
    enum rc rc = lower(id, &key, e);

    if (rc == RC_OK)
        rc = resource_one(tx, META_RESOURCE_GET, DB_T(buf_str(&key)), a, ret, e);
    if (rc == RC_NOT_FOUND)
        return err_set(e, rc, "no resource %.*s", STR_ARG(str_take(id, 512)));
    return rc;
}

enum rc meta_resource_by_uuid(struct meta_tx *tx, struct arena *a, const struct uuid *u,
                              struct meta_resource *ret, struct err *e)
{
    char text[UUID_TEXT_MAX];
    enum rc rc = resource_one(tx, META_RESOURCE_BY_UUID, DB_UUID(u), a, ret, e);

    if (rc == RC_NOT_FOUND)
        return err_set(e, rc, "no resource with uuid %s", uuid_format(u, text).ptr);
    return rc;
}

/* What the row of r will hold beside what the caller set. */
static enum rc resource_complete(struct arena *a, const struct meta_resource *r,
                                 struct meta_resource *ret, struct err *e)
{
    struct uuid version = uuid_random();
    char text[UUID_TEXT_MAX];

    *ret = *r;
    ret->changed_us = clock_wall_us();
    if (ret->created_us == 0)
        ret->created_us = ret->changed_us;
    if (uuid_is_nil(&ret->uuid))
        ret->uuid = uuid_random();
    ret->etag = arena_printf(a, "W/\"%s\"", uuid_format(&version, text).ptr);
    if (!ret->etag.ptr)
        return err_set(e, RC_TOO_LARGE, "the etag does not fit into the request's memory");
    return RC_OK;
}

enum rc meta_resource_put(struct meta_tx *tx, struct arena *a, struct meta_resource *r,
                          struct err *e)
{
    CLEANUP(buf_done) struct buf id_key = BUF_INIT(ID_MAX);
    CLEANUP(buf_done) struct buf type_key = BUF_INIT(ID_MAX);
    struct meta_resource row;
    enum rc rc = resource_complete(a, r, &row, e);

    if (rc == RC_OK)
        rc = lower(r->id, &id_key, e);
    if (rc == RC_OK)
        rc = lower(r->type, &type_key, e);
    if (rc != RC_OK)
        return rc;
    const struct db_value v[] = {
        DB_T(buf_str(&id_key)), DB_T(buf_str(&type_key)), DB_T(row.id),
        DB_T(row.type),         DB_UUID(&row.uuid),       DB_T(row.etag),
        DB_T(row.body),         DB_I(row.created_us),     DB_I(row.changed_us)};

    rc = tx_exec(tx, META_RESOURCE_PUT, v, ARRAY_LEN(v), NULL, e);
    if (rc == RC_OK)
        *r = row;
    return rc;
}

/* For a statement that touches the row of `id`, whose key is its first value. */
static enum rc resource_touch(struct meta_tx *tx, enum meta_statement statement, struct str id,
                              struct str more, struct err *e)
{
    CLEANUP(buf_done) struct buf key = BUF_INIT(ID_MAX);
    enum rc rc = lower(id, &key, e);

    if (rc != RC_OK)
        return rc;
    const struct db_value v[] = {DB_T(buf_str(&key)), DB_T(more)};

    rc = tx_exec_found(tx, statement, v, more.ptr ? 2 : 1, e);
    if (rc == RC_NOT_FOUND)
        return err_set(e, rc, "no resource %.*s", STR_ARG(str_take(id, 512)));
    return rc;
}

enum rc meta_resource_rebody(struct meta_tx *tx, struct str id, struct str body, struct err *e)
{
    return resource_touch(tx, META_RESOURCE_REBODY, id, body, e);
}

enum rc meta_resource_delete(struct meta_tx *tx, struct str id, struct err *e)
{
    return resource_touch(tx, META_RESOURCE_DELETE, id, STR_NONE, e);
}

struct resource_each {
    meta_resource_fn *fn;
    void *arg;
};

static enum rc resource_row(const struct db_rows *row, void *arg, struct err *e)
{
    const struct resource_each *each = arg;
    struct meta_resource r;
    enum rc rc = resource_borrow(row, &r, e);

    return rc == RC_OK ? each->fn(&r, each->arg, e) : rc;
}

enum rc meta_resource_each_from(struct meta_tx *tx, struct str prefix, struct str from,
                                struct str type, meta_resource_fn *fn, void *arg, struct err *e)
{
    CLEANUP(buf_done) struct buf low = BUF_INIT(ID_MAX);
    CLEANUP(buf_done) struct buf high = BUF_INIT(ID_MAX);
    CLEANUP(buf_done) struct buf type_key = BUF_INIT(ID_MAX);
    struct resource_each each = {fn, arg};
    enum rc rc = lower(str_cmp_nocase(from, prefix) > 0 ? from : prefix, &low, e);

    /* The last code point: every text that begins with the prefix sorts before this one. */
    add_lower(&high, prefix);
    buf_add(&high, STR("\xf4\x8f\xbf\xbf"));
    if (rc == RC_OK)
        rc = buf_status(&high, e);
    if (rc == RC_OK)
        rc = lower(type, &type_key, e);
    if (rc != RC_OK)
        return rc;
    const struct db_value v[] = {DB_T(buf_str(&low)), DB_T(buf_str(&high)),
                                 DB_T(buf_str(&type_key))};

    if (type.len == 0)
        return tx_each(tx, META_RESOURCE_EACH, v, 2, resource_row, &each, e);
    return tx_each(tx, META_RESOURCE_EACH_OF_TYPE, v, 3, resource_row, &each, e);
}

enum rc meta_resource_each(struct meta_tx *tx, struct str prefix, struct str type,
                           meta_resource_fn *fn, void *arg, struct err *e)
{
    return meta_resource_each_from(tx, prefix, STR_NONE, type, fn, arg, e);
}
