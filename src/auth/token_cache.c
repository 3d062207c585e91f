#include "auth/token_cache.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 4, SETS = 256, LOCKS = 16, TOKEN_MAX = 2048 };

struct entry {
    uint64_t hash, used;
    struct auth_token token; /* its texts are in `data` */
    size_t key_len, text_len;
    char data[]; /* key id, token as it came, texts of the scopes */
};
struct auth_token_cache {
    pthread_mutex_t locks[LOCKS];
    uint64_t clock[LOCKS];
    struct entry *sets[SETS][WAYS];
};

struct auth_token_cache *auth_token_cache_new(void)
{
    struct auth_token_cache *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&c->locks[i], NULL);
    return c;
}

void auth_token_cache_free(struct auth_token_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < SETS * WAYS; i++)
        free(c->sets[i / WAYS][i % WAYS]);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&c->locks[i]);
    free(c);
}

/* --- finding --- */

static bool is_it(const struct entry *x, uint64_t hash, struct str key, struct str token)
{
    return x && x->hash == hash && x->key_len == key.len && x->text_len == token.len &&
           memcmp(x->data, key.ptr, key.len) == 0 &&
           memcmp(x->data + key.len, token.ptr, token.len) == 0;
}

/* The entry may be gone once the lock is: texts go into the arena. */
static bool copy_out(const struct entry *x, const struct auth_token_wanted *wanted, struct arena *a,
                     struct auth_token *ret)
{
    struct auth_token t = x->token;

    if (t.kind != wanted->kind || !uuid_eq(&t.registry, &wanted->registry) ||
        t.expires_us <= wanted->now_us)
        return false;
    for (size_t i = 0; i < t.scopes.n; i++) {
        struct auth_scope *s = &t.scopes.list[i];

        s->type = arena_copy(a, s->type);
        s->name = arena_copy(a, s->name);
        if (!s->type.ptr || !s->name.ptr)
            return false;
    }
    *ret = t;
    return true;
}

static bool find(struct auth_token_cache *c, uint64_t hash, struct str key, struct str token,
                 const struct auth_token_wanted *wanted, struct arena *a, struct auth_token *ret)
{
    size_t set = hash % SETS, lock = set % LOCKS;
    bool found = false;

    pthread_mutex_lock(&c->locks[lock]);
    for (size_t i = 0; i < WAYS && !found; i++) {
        struct entry *x = c->sets[set][i];

        if (!is_it(x, hash, key, token))
            continue;
        x->used = ++c->clock[lock];
        found = copy_out(x, wanted, a, ret);
    }
    pthread_mutex_unlock(&c->locks[lock]);
    return found;
}

/* --- remembering --- */

static size_t texts_len(const struct auth_scopes *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += s->list[i].type.len + s->list[i].name.len;
    return n;
}

static char *add(char *at, struct str text)
{
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static struct entry *entry_new(uint64_t hash, struct str key, struct str token,
                               const struct auth_token *t)
{
    struct entry *x = malloc(sizeof(*x) + key.len + token.len + texts_len(&t->scopes));

    if (!x)
        abort();
    *x = (struct entry){.hash = hash, .token = *t, .key_len = key.len, .text_len = token.len};
    char *at = add(add(x->data, key), token);

    for (size_t i = 0; i < t->scopes.n; i++) {
        struct auth_scope *s = &x->token.scopes.list[i];
        char *type = at, *name = add(at, s->type);

        at = add(name, s->name);
        s->type.ptr = type;
        s->name.ptr = name;
    }
    return x;
}

static void remember(struct auth_token_cache *c, struct entry *x, struct str key, struct str token)
{
    size_t set = x->hash % SETS, lock = set % LOCKS;
    struct entry **place = &c->sets[set][0];

    pthread_mutex_lock(&c->locks[lock]);
    for (size_t i = 0; i < WAYS; i++) {
        struct entry **at = &c->sets[set][i];

        if (!*at || is_it(*at, x->hash, key, token)) {
            place = at;
            break;
        }
        if ((*at)->used < (*place)->used)
            place = at;
    }
    free(*place);
    x->used = ++c->clock[lock];
    *place = x;
    pthread_mutex_unlock(&c->locks[lock]);
}

enum rc auth_token_cache_verify(struct auth_token_cache *c, struct jws_key *key,
                                const struct auth_token_wanted *wanted, struct str token,
                                struct arena *a, struct auth_token *ret, struct err *e)
{
    struct str id = str_from(jws_key_id(key));
    uint64_t hash = str_hash(token);

    if (token.len <= TOKEN_MAX && find(c, hash, id, token, wanted, a, ret))
        return RC_OK;
    enum rc rc = auth_token_verify(key, wanted, token, a, ret, e);

    if (rc == RC_OK && token.len <= TOKEN_MAX)
        remember(c, entry_new(hash, id, token, ret), id, token);
    return rc;
}
