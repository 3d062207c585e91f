/* Alone in using SHA256_CTX and SHA512_CTX: they are plain data, so a state can be copied, stored
 * and taken up again, which EVP_MD_CTX does not offer. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <assert.h>
#include <openssl/sha.h>

enum { STATE_VERSION = 1 };

/* The one place that looks into the bytes of a struct hash_state. */
union sha {
    SHA256_CTX s256;
    SHA512_CTX s512;
};
_Static_assert(sizeof(union sha) <= sizeof(((struct hash_state *)0)->u.bytes), "does not fit");
_Static_assert(_Alignof(union sha) <= _Alignof(uint64_t), "not aligned");

static union sha *sha_of(struct hash_state *h)
{
    return (union sha *)(void *)h->u.bytes;
}

void hash_init(struct hash_state *h, enum digest_algorithm algorithm)
{
    int ok;

    *h = (struct hash_state){.algorithm = algorithm};
    assert(algorithm == DIGEST_SHA256 || algorithm == DIGEST_SHA512);
    if (algorithm == DIGEST_SHA256)
        ok = SHA256_Init(&sha_of(h)->s256);
    else
        ok = SHA512_Init(&sha_of(h)->s512);
    assert(ok);
}

void hash_update(struct hash_state *h, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    if (h->algorithm == DIGEST_SHA256)
        SHA256_Update(&sha_of(h)->s256, bytes, n);
    else
        SHA512_Update(&sha_of(h)->s512, bytes, n);
}

void hash_final(const struct hash_state *h, struct digest *ret)
{
    struct hash_state copy = *h;

    *ret = (struct digest){.algorithm = (uint8_t)h->algorithm};
    if (h->algorithm == DIGEST_SHA256)
        SHA256_Final(ret->bytes, &sha_of(&copy)->s256);
    else
        SHA512_Final(ret->bytes, &sha_of(&copy)->s512);
}

void hash_bytes(enum digest_algorithm algorithm, struct str bytes, struct digest *ret)
{
    struct hash_state h;

    hash_init(&h, algorithm);
    hash_update(&h, bytes.ptr, bytes.len);
    hash_final(&h, ret);
}

/* --- stored form: algorithm, version, h[8], Nl, Nh, num, tail[num]; words little-endian --- */

struct sha_shape {
    size_t word, block;
};

static struct sha_shape shape_of(enum digest_algorithm algorithm)
{
    if (algorithm == DIGEST_SHA256)
        return (struct sha_shape){4, SHA256_CBLOCK};
    return (struct sha_shape){8, SHA512_CBLOCK};
}

static uint8_t *put_word(uint8_t *p, uint64_t v, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *p++ = (uint8_t)(v >> (8 * i));
    return p;
}

static const uint8_t *get_word(const uint8_t *p, uint64_t *ret, size_t size)
{
    *ret = 0;
    for (size_t i = 0; i < size; i++)
        *ret |= (uint64_t)*p++ << (8 * i);
    return p;
}

/* The words of a state in the order of the stored form: h[8], Nl, Nh. */
enum { WORDS = 10 };

static unsigned words_get(struct hash_state *h, uint64_t words[WORDS], const uint8_t **ret_tail)
{
    union sha *s = sha_of(h);

    if (h->algorithm == DIGEST_SHA256) {
        for (int i = 0; i < 8; i++)
            words[i] = s->s256.h[i];
        words[8] = s->s256.Nl;
        words[9] = s->s256.Nh;
        *ret_tail = (const uint8_t *)s->s256.data;
        return s->s256.num;
    }
    for (int i = 0; i < 8; i++)
        words[i] = s->s512.h[i];
    words[8] = s->s512.Nl;
    words[9] = s->s512.Nh;
    *ret_tail = s->s512.u.p;
    return s->s512.num;
}

static void words_set(struct hash_state *h, const uint64_t words[WORDS], const uint8_t *tail,
                      unsigned num)
{
    union sha *s = sha_of(h);

    if (h->algorithm == DIGEST_SHA256) {
        for (int i = 0; i < 8; i++)
            s->s256.h[i] = (SHA_LONG)words[i];
        s->s256.Nl = (SHA_LONG)words[8];
        s->s256.Nh = (SHA_LONG)words[9];
        memcpy(s->s256.data, tail, num);
        s->s256.num = num;
        return;
    }
    for (int i = 0; i < 8; i++)
        s->s512.h[i] = words[i];
    s->s512.Nl = words[8];
    s->s512.Nh = words[9];
    memcpy(s->s512.u.p, tail, num);
    s->s512.num = num;
}

size_t hash_export(const struct hash_state *h, uint8_t out[HASH_STATE_MAX])
{
    struct hash_state copy = *h;
    struct sha_shape shape = shape_of(h->algorithm);
    uint64_t words[WORDS];
    const uint8_t *tail;
    unsigned num = words_get(&copy, words, &tail);
    uint8_t *p = out;

    *p++ = (uint8_t)h->algorithm;
    *p++ = STATE_VERSION;
    for (int i = 0; i < WORDS; i++)
        p = put_word(p, words[i], shape.word);
    *p++ = (uint8_t)num;
    memcpy(p, tail, num);
    return (size_t)(p - out) + num;
}

enum rc hash_import(struct str stored, struct hash_state *ret, struct err *e)
{
    const uint8_t *p = (const uint8_t *)stored.ptr;
    struct hash_state h;
    uint64_t words[WORDS];

    if (stored.len < 2 || (p[0] != DIGEST_SHA256 && p[0] != DIGEST_SHA512) || p[1] != STATE_VERSION)
        return err_set(e, RC_INVALID, "a stored hash state of another kind");
    hash_init(&h, (enum digest_algorithm)p[0]);
    struct sha_shape shape = shape_of(h.algorithm);
    size_t head = 2 + WORDS * shape.word + 1;

    if (stored.len < head)
        return err_set(e, RC_INVALID, "a stored hash state is cut short");
    p += 2;
    for (int i = 0; i < WORDS; i++)
        p = get_word(p, &words[i], shape.word);
    unsigned num = *p++;

    /* Nl counts bits: what is left of the last block is known twice. */
    if (num >= shape.block || stored.len != head + num || words[8] / 8 % shape.block != num ||
        words[8] % 8 != 0)
        return err_set(e, RC_INVALID, "a stored hash state does not fit together");
    words_set(&h, words, p, num);
    *ret = h;
    return RC_OK;
}
