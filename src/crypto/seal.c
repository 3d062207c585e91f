#include "crypto/seal.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

enum { SEAL_VERSION = 1, NONCE = 12, TAG = 16, SEAL_EXTRA = 1 + NONCE + TAG };

void crypto_random(void *out, size_t n)
{
    unsigned char *p = out;

    while (n > 0) {
        int part = n < 4096 ? (int)n : 4096;

        if (RAND_bytes(p, part) != 1)
            abort();
        p += part;
        n -= (size_t)part;
    }
}

bool crypto_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

void crypto_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

static bool is_letter_or_digit(char c)
{
    char lower = ascii_lower(c);

    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
}

/* One that began with a dash would be taken for an option where it is typed; it is drawn again. */
struct str crypto_secret(char out[CRYPTO_SECRET_TEXT_MAX])
{
    uint8_t bytes[32];
    CLEANUP(buf_done) struct buf text = BUF_INIT(CRYPTO_SECRET_TEXT_MAX);

    do {
        crypto_random(bytes, sizeof(bytes));
        buf_clear(&text);
        base64url_encode(&text, (struct str){(char *)bytes, sizeof(bytes)});
    } while (!is_letter_or_digit(text.ptr[0]));
    assert(text.len == CRYPTO_SECRET_TEXT_MAX - 1);
    memcpy(out, buf_cstr(&text), CRYPTO_SECRET_TEXT_MAX);
    crypto_wipe(text.ptr, text.len);
    crypto_wipe(bytes, sizeof(bytes));
    return (struct str){out, CRYPTO_SECRET_TEXT_MAX - 1};
}

struct digest crypto_secret_hash(struct str secret)
{
    struct digest d;

    hash_bytes(DIGEST_SHA256, secret, &d);
    return d;
}

/* --- sealing --- */

static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *cipher; /* written once: fetching takes a lock of the whole process */

static void cipher_fetch(void)
{
    cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (!cipher)
        abort();
}

static void cipher_ctx_freep(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

static const uint8_t *octets(struct str s)
{
    return (const uint8_t *)(s.ptr ? s.ptr : "");
}

/* The version is authenticated too, before `bound`. */
static bool crypt_begin(EVP_CIPHER_CTX *c, const struct crypto_key *k, const uint8_t *head,
                        struct str bound, bool encrypt)
{
    int n;

    return EVP_CipherInit_ex2(c, cipher, k->bytes, head + 1, encrypt, NULL) == 1 &&
           EVP_CipherUpdate(c, NULL, &n, head, 1) == 1 &&
           EVP_CipherUpdate(c, NULL, &n, octets(bound), (int)bound.len) == 1;
}

static EVP_CIPHER_CTX *crypt_new(void)
{
    pthread_once(&cipher_once, cipher_fetch);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

    if (!c)
        abort();
    return c;
}

enum rc crypto_seal(const struct crypto_key *k, struct str bound, struct str plain, struct buf *out,
                    struct err *e)
{
    CLEANUP(cipher_ctx_freep) EVP_CIPHER_CTX *c = crypt_new();
    bool small = bound.len < INT32_MAX && plain.len < INT32_MAX - SEAL_EXTRA;
    uint8_t *p = small ? (uint8_t *)buf_reserve(out, SEAL_EXTRA + plain.len) : NULL;
    int n = 0, rest = 0;

    if (!p)
        return err_set(e, RC_TOO_LARGE, "too long to be sealed");
    p[0] = SEAL_VERSION;
    crypto_random(p + 1, NONCE);
    uint8_t *text = p + 1 + NONCE;

    if (!crypt_begin(c, k, p, bound, true) ||
        EVP_CipherUpdate(c, text, &n, octets(plain), (int)plain.len) != 1 ||
        EVP_CipherFinal_ex(c, text + n, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, text + plain.len) != 1)
        return err_set(e, RC_INTERNAL, "sealing failed");
    out->len += SEAL_EXTRA + plain.len;
    return RC_OK;
}

enum rc crypto_unseal(const struct crypto_key *k, struct str bound, struct str sealed,
                      struct buf *out, struct err *e)
{
    CLEANUP(cipher_ctx_freep) EVP_CIPHER_CTX *c = crypt_new();
    const uint8_t *head = octets(sealed), *text = head + 1 + NONCE;
    uint8_t tag[TAG], *p;
    int n = 0, rest = 0;

    if (sealed.len < SEAL_EXTRA || sealed.len >= INT32_MAX || bound.len >= INT32_MAX ||
        head[0] != SEAL_VERSION)
        return err_set(e, RC_CORRUPT, "a sealed value is malformed");
    size_t len = sealed.len - SEAL_EXTRA;

    memcpy(tag, text + len, TAG);
    p = (uint8_t *)buf_reserve(out, len);
    if (!p)
        return buf_status(out, e);
    if (!crypt_begin(c, k, head, bound, false) || EVP_CipherUpdate(c, p, &n, text, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) != 1 ||
        EVP_CipherFinal_ex(c, p + n, &rest) != 1) {
        crypto_wipe(p, len);
        ERR_clear_error();
        return err_set(e, RC_CORRUPT, "a sealed value does not open with this key");
    }
    out->len += len;
    return RC_OK;
}
