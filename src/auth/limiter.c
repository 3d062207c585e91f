/* Failed sign-ins: for each key a bucket of 10, one back every 6 s. A bucket is kept as the moment
 * at which it will be full again. Memory is fixed: sets of 8 entries under locks of their own; in a
 * full set the entry goes whose bucket is fullest, so a flood of new keys displaces those that
 * failed once and not those that are shut out. */
#include "auth/auth.h"

#include <pthread.h>
#include <stdlib.h>

enum { ENTRIES = 65536, WAYS = 8, SETS = ENTRIES / WAYS, LOCKS = 64, BUCKET = 10 };
enum { KEY_SIZE = 16 + 1 + 16 + 8 };
#define REFILL_US ((int64_t)6000000)

struct entry {
    int64_t full_at_us; /* 0: never used */
    char key[KEY_SIZE];
};
struct auth_limiter {
    pthread_mutex_t locks[LOCKS];
    struct entry sets[SETS][WAYS];
};

struct auth_limiter *auth_limiter_new(void)
{
    struct auth_limiter *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&l->locks[i], NULL);
    return l;
}

void auth_limiter_free(struct auth_limiter *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&l->locks[i]);
    free(l);
}

/* Account names are compared without case, as sign-in does. What is past the cut is left out, which
 * can only make two accounts share a bucket. */
static uint64_t account_hash(struct str account)
{
    char lower[256];
    size_t n = account.len < sizeof(lower) ? account.len : sizeof(lower);

    for (size_t i = 0; i < n; i++)
        lower[i] = ascii_lower(account.ptr[i]);
    return str_hash((struct str){lower, n});
}

static void key_bytes(const struct auth_limiter_key *k, char out[KEY_SIZE])
{
    size_t address = k->address.family == 6 ? 8 : 16; /* one IPv6 client has a whole /64 */
    uint64_t account = account_hash(k->account);

    memset(out, 0, KEY_SIZE);
    memcpy(out, k->attachment.bytes, 16);
    out[16] = (char)k->address.family;
    memcpy(out + 17, k->address.bytes, address);
    memcpy(out + 33, &account, sizeof(account));
}

static size_t set_of(const char key[KEY_SIZE])
{
    return (size_t)(str_hash((struct str){key, KEY_SIZE}) % SETS);
}

static struct entry *find(struct entry set[WAYS], const char key[KEY_SIZE])
{
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].full_at_us != 0 && memcmp(set[i].key, key, KEY_SIZE) == 0)
            return &set[i];
    return NULL;
}

static struct entry *replace_fullest(struct entry set[WAYS], const char key[KEY_SIZE])
{
    struct entry *fullest = &set[0];

    for (size_t i = 1; i < WAYS; i++)
        if (set[i].full_at_us < fullest->full_at_us)
            fullest = &set[i];
    fullest->full_at_us = 0;
    memcpy(fullest->key, key, KEY_SIZE);
    return fullest;
}

bool auth_limiter_allows(struct auth_limiter *l, const struct auth_limiter_key *k, int64_t mono_us)
{
    char key[KEY_SIZE];

    key_bytes(k, key);
    size_t set = set_of(key);

    pthread_mutex_lock(&l->locks[set % LOCKS]);
    const struct entry *found = find(l->sets[set], key);
    bool allowed = !found || found->full_at_us - mono_us <= (BUCKET - 1) * REFILL_US;

    pthread_mutex_unlock(&l->locks[set % LOCKS]);
    return allowed;
}

void auth_limiter_failed(struct auth_limiter *l, const struct auth_limiter_key *k, int64_t mono_us)
{
    char key[KEY_SIZE];

    key_bytes(k, key);
    size_t set = set_of(key);

    pthread_mutex_lock(&l->locks[set % LOCKS]);
    struct entry *found = find(l->sets[set], key);

    if (!found)
        found = replace_fullest(l->sets[set], key);
    if (found->full_at_us < mono_us)
        found->full_at_us = mono_us;
    if (found->full_at_us - mono_us <= (BUCKET - 1) * REFILL_US)
        found->full_at_us += REFILL_US;
    pthread_mutex_unlock(&l->locks[set % LOCKS]);
}
