#include "registry/manifest_cache.h"
#include "base/mem.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    SHARDS = 16,
    BUCKETS = 256,   /* of one shard */
    VERSIONS = 4096, /* repositories share one where their hashes do: some misses too many, never a
                        wrong hit */
    MANIFEST_MAX = 64 * 1024,
    KEY_MAX = 16 + REGISTRY_NAME_MAX + 1 + 256,
};

struct entry {
    struct entry *chain, *newer, *older;
    uint64_t hash, version;
    struct digest digest;
    size_t key_len, type_len, bytes_len;
    char data[]; /* key, media type, bytes */
};
struct shard {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS], *newest, *oldest;
    size_t used;
};
struct manifest_cache {
    size_t shard_max;
    _Atomic uint64_t versions[VERSIONS];
    struct shard shards[SHARDS];
};
struct key {
    char text[KEY_MAX];
    size_t len;
    uint64_t hash;
};

/* --- keys --- */

/* Registry, repository, 0, reference; false: longer than any that could be found. */
static bool key_make(const struct registry_where *w, struct str reference, struct key *k)
{
    size_t name = w->repository.len;

    if (name > REGISTRY_NAME_MAX || reference.len > 256 || name == 0)
        return false;
    memcpy(k->text, w->registry.bytes, 16);
    memcpy(k->text + 16, w->repository.ptr, name);
    k->text[16 + name] = '\0';
    if (reference.len > 0)
        memcpy(k->text + 17 + name, reference.ptr, reference.len);
    k->len = 17 + name + reference.len;
    k->hash = str_hash((struct str){k->text, k->len});
    return true;
}

static _Atomic uint64_t *version_of(struct manifest_cache *c, const struct registry_where *w)
{
    struct key repository;

    if (!key_make(w, STR(""), &repository))
        return &c->versions[0];
    return &c->versions[repository.hash % VERSIONS];
}

/* --- a shard; its lock is held --- */

static size_t entry_size(const struct entry *x)
{
    return sizeof(*x) + x->key_len + x->type_len + x->bytes_len;
}

static struct entry **bucket_of(struct shard *s, uint64_t hash)
{
    return &s->buckets[(hash >> 32) % BUCKETS];
}

static struct entry *find(struct shard *s, const struct key *k)
{
    for (struct entry *x = *bucket_of(s, k->hash); x; x = x->chain)
        if (x->hash == k->hash && x->key_len == k->len && memcmp(x->data, k->text, k->len) == 0)
            return x;
    return NULL;
}

static void unlink_age(struct shard *s, struct entry *x)
{
    *(x->newer ? &x->newer->older : &s->newest) = x->older;
    *(x->older ? &x->older->newer : &s->oldest) = x->newer;
}

static void link_newest(struct shard *s, struct entry *x)
{
    x->newer = NULL;
    x->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = x;
    s->newest = x;
}

static void drop(struct shard *s, struct entry *x)
{
    struct entry **at = bucket_of(s, x->hash);

    while (*at != x)
        at = &(*at)->chain;
    *at = x->chain;
    unlink_age(s, x);
    s->used -= entry_size(x);
    free(x);
}

static void insert(struct shard *s, struct entry *x, size_t max)
{
    struct entry **bucket = bucket_of(s, x->hash);

    while (s->oldest && s->used + entry_size(x) > max)
        drop(s, s->oldest);
    x->chain = *bucket;
    *bucket = x;
    link_newest(s, x);
    s->used += entry_size(x);
}

/* --- the cache --- */

struct manifest_cache *manifest_cache_new(size_t bytes_max)
{
    struct manifest_cache *c = MEM_NEW(struct manifest_cache);

    c->shard_max = bytes_max / SHARDS;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&c->shards[i].lock, NULL);
    return c;
}

void manifest_cache_free(struct manifest_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        while (c->shards[i].oldest)
            drop(&c->shards[i], c->shards[i].oldest);
        pthread_mutex_destroy(&c->shards[i].lock);
    }
    free(c);
}

static bool copy_out(const struct entry *x, struct arena *a, struct registry_manifest *ret)
{
    const char *type = x->data + x->key_len, *bytes = type + x->type_len;
    struct registry_manifest m = {
        .digest = x->digest,
        .media_type = arena_copy(a, (struct str){type, x->type_len}),
        .bytes = arena_copy(a, (struct str){bytes, x->bytes_len}),
        .size = x->bytes_len,
    };

    if (!m.media_type.ptr || !m.bytes.ptr)
        return false;
    *ret = m;
    return true;
}

bool manifest_cache_get(struct manifest_cache *c, const struct registry_where *w,
                        struct str reference, struct arena *a, struct registry_manifest *ret)
{
    struct key k;
    bool found = false;

    if (!key_make(w, reference, &k))
        return false;
    struct shard *s = &c->shards[k.hash % SHARDS];
    uint64_t version = manifest_cache_version(c, w);

    pthread_mutex_lock(&s->lock);
    struct entry *x = find(s, &k);

    if (x && x->version != version) {
        drop(s, x);
    } else if (x) {
        unlink_age(s, x);
        link_newest(s, x);
        found = copy_out(x, a, ret);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

uint64_t manifest_cache_version(struct manifest_cache *c, const struct registry_where *w)
{
    return atomic_load(version_of(c, w));
}

void manifest_cache_changes(struct manifest_cache *c, const struct registry_where *w)
{
    atomic_fetch_add(version_of(c, w), 1);
}

static struct entry *entry_new(const struct key *k, uint64_t version,
                               const struct registry_manifest *m)
{
    struct entry *x = malloc(sizeof(*x) + k->len + m->media_type.len + m->bytes.len);

    if (!x)
        abort();
    *x = (struct entry){.hash = k->hash,
                        .version = version,
                        .digest = m->digest,
                        .key_len = k->len,
                        .type_len = m->media_type.len,
                        .bytes_len = m->bytes.len};
    memcpy(x->data, k->text, k->len);
    memcpy(x->data + k->len, m->media_type.ptr, m->media_type.len);
    memcpy(x->data + k->len + m->media_type.len, m->bytes.ptr, m->bytes.len);
    return x;
}

void manifest_cache_put(struct manifest_cache *c, const struct registry_where *w,
                        struct str reference, uint64_t version, const struct registry_manifest *m)
{
    struct key k;

    if (m->bytes.len > MANIFEST_MAX || m->media_type.len > 1024 || m->media_type.len == 0 ||
        m->bytes.len == 0 || !key_make(w, reference, &k))
        return;
    struct entry *x = entry_new(&k, version, m);
    struct shard *s = &c->shards[k.hash % SHARDS];

    if (entry_size(x) > c->shard_max) {
        free(x);
        return;
    }
    pthread_mutex_lock(&s->lock);
    struct entry *old = find(s, &k);

    if (old)
        drop(s, old);
    insert(s, x, c->shard_max);
    pthread_mutex_unlock(&s->lock);
}
