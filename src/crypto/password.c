#include "crypto/password.h"

#include "base/encode.h"
#include "crypto/seal.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>

enum { SALT = 16, HASH = 32 };
/* 16 MiB and five passes: as much work as 128 MiB and one, for an eighth of the memory. */
enum { COST = 1 << 14, BLOCK = 8, PASSES = 5 };
/* What a record may ask for; more is somebody else's record. */
enum { COST_MAX = 1 << 17, BLOCK_MAX = 16, PASSES_MAX = 16 };

struct record {
    uint64_t cost, block, passes;
    uint8_t salt[SALT], hash[HASH];
};

static enum rc derive(struct str password, const struct record *r, uint8_t out[HASH], struct err *e)
{
    uint64_t memory = 128 * r->block * (r->cost + r->passes + 2) + 4096;

    if (EVP_PBE_scrypt(password.ptr ? password.ptr : "", password.len, r->salt, SALT, r->cost,
                       r->block, r->passes, memory, out, HASH) != 1)
        return err_set(e, RC_INTERNAL, "the password could not be hashed");
    return RC_OK;
}

enum rc password_hash(struct str password, char out[PASSWORD_RECORD_MAX], struct err *e)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(PASSWORD_RECORD_MAX - 1);
    struct record r = {.cost = COST, .block = BLOCK, .passes = PASSES};

    if (password.len < PASSWORD_MIN || password.len > PASSWORD_MAX)
        return err_set(e, RC_INVALID, "a password has %d to %d characters", PASSWORD_MIN,
                       PASSWORD_MAX);
    crypto_random(r.salt, SALT);
    enum rc rc = derive(password, &r, r.hash, e);

    if (rc != RC_OK)
        return rc;
    buf_addf(&text, "scrypt$%d$%d$%d$", COST, BLOCK, PASSES);
    base64url_encode(&text, (struct str){(const char *)r.salt, SALT});
    buf_addc(&text, '$');
    base64url_encode(&text, (struct str){(const char *)r.hash, HASH});
    crypto_wipe(r.hash, HASH);
    rc = buf_status(&text, e);
    if (rc == RC_OK)
        memcpy(out, buf_cstr(&text), text.len + 1);
    return rc;
}

static bool read_number(struct str *rest, uint64_t most, uint64_t *ret)
{
    return str_to_u64(str_split(rest, '$'), ret) == RC_OK && *ret > 0 && *ret <= most;
}

static bool read_bytes(struct str text, uint8_t *out, size_t n)
{
    CLEANUP(buf_done) struct buf bytes = BUF_INIT(HASH);

    if (base64url_decode(text, &bytes, NULL) != RC_OK || bytes.len != n)
        return false;
    memcpy(out, bytes.ptr, n);
    return true;
}

static bool record_parse(struct str text, struct record *r)
{
    return str_is(str_split(&text, '$'), "scrypt") && read_number(&text, COST_MAX, &r->cost) &&
           read_number(&text, BLOCK_MAX, &r->block) && read_number(&text, PASSES_MAX, &r->passes) &&
           read_bytes(str_split(&text, '$'), r->salt, SALT) && read_bytes(text, r->hash, HASH);
}

enum rc password_verify(struct str password, struct str record, struct err *e)
{
    struct record r = {.cost = COST, .block = BLOCK, .passes = PASSES};
    uint8_t given[HASH];

    if (record.len > 0 && !record_parse(record, &r))
        return err_set(e, RC_CORRUPT, "a stored password is not a record of one");
    enum rc rc = derive(str_take(password, PASSWORD_MAX + 1), &r, given, e);

    if (rc != RC_OK)
        return rc;
    bool same = crypto_equal((struct str){(const char *)given, HASH},
                             (struct str){(const char *)r.hash, HASH});

    crypto_wipe(given, HASH);
    return same && record.len > 0 ? RC_OK
                                  : err_set(e, RC_UNAUTHENTICATED, "the password is another");
}
