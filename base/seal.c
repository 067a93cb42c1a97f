#include "base/seal.h"

#include <sodium.h>

#include "base/clock.h"

enum {
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    VARIANT = sodium_base64_VARIANT_ORIGINAL,
};
_Static_assert(SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key's size");

static void name_key(struct seal_key *key)
{
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof(hash), key->bytes, sizeof(key->bytes), NULL, 0);
    sodium_bin2hex(key->id, sizeof(key->id), hash, (SEAL_ID_SIZE - 1) / 2);
}

struct seal_key seal_key_new(void)
{
    struct seal_key key;
    random_bytes(key.bytes, sizeof(key.bytes));
    name_key(&key);
    return key;
}

void seal_key_format(const struct seal_key *key, char ret[SEAL_KEY_TEXT_SIZE])
{
    sodium_bin2base64(ret, SEAL_KEY_TEXT_SIZE, key->bytes, sizeof(key->bytes), VARIANT);
}

static bool parse_key(struct slice word, struct seal_key *ret)
{
    size_t size = 0;
    bool hex =
        word.size == 2 * SEAL_KEY_BYTES &&
        sodium_hex2bin(ret->bytes, sizeof(ret->bytes), word.p, word.size, NULL, &size, NULL) == 0 &&
        size == SEAL_KEY_BYTES;
    static const int variants[] = {VARIANT, sodium_base64_VARIANT_URLSAFE};
    bool ok = hex;
    for (size_t i = 0; !ok && i < ARRAY_SIZE(variants); i++)
        ok = sodium_base642bin(ret->bytes, sizeof(ret->bytes), word.p, word.size, NULL, &size, NULL,
                 variants[i]) == 0 &&
             size == SEAL_KEY_BYTES;
    if (ok)
        name_key(ret);
    return ok;
}

enum status seal_keys_parse(
    struct slice text, const char *where, struct seal_keys *ret, struct error *err)
{
    struct seal_keys keys = {0};
    for (size_t at = 0; at < text.size;) {
        size_t size = 0;
        while (at + size < text.size && !memchr(", \t\r\n", text.p[at + size], 5))
            size++;
        bool ok = !size || (keys.count < SEAL_KEYS_MAX &&
                               parse_key(slice_make(text.p + at, size), &keys.at[keys.count]));
        if (!ok) {
            error_set(err, ERR_KEY, "%s does not hold a key", where);
            error_hint(err, "a key is 32 random bytes in base64, as `openssl rand -base64 32` "
                            "makes one; to change keys write the new one first, then the old one");
            return ERR_KEY;
        }
        keys.count += size > 0;
        at += size + 1;
    }
    *ret = keys;
    return OK;
}

char *seal_text(
    const struct seal_keys *keys, const char *name, struct slice text, struct arena *arena)
{
    const struct seal_key *key = &keys->at[0];
    size_t size = NONCE + text.size + TAG;
    unsigned char *bytes = arena_alloc(arena, size);
    unsigned long long sealed = 0;
    random_bytes(bytes, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + NONCE, &sealed,
        (const unsigned char *)text.p, text.size, (const unsigned char *)name, strlen(name), NULL,
        bytes, key->bytes);
    size_t head = SEAL_ID_SIZE; /* the id and a colon */
    size_t room = sodium_base64_encoded_len(size, VARIANT);
    char *result = arena_alloc(arena, head + room);
    memcpy(result, key->id, SEAL_ID_SIZE - 1);
    result[SEAL_ID_SIZE - 1] = ':';
    sodium_bin2base64(result + head, room, bytes, size, VARIANT);
    return result;
}

static bool sealed_by(const struct seal_key *key, const char *sealed)
{
    return strncmp(sealed, key->id, SEAL_ID_SIZE - 1) == 0 && sealed[SEAL_ID_SIZE - 1] == ':';
}

bool seal_is_newest(const struct seal_keys *keys, const char *sealed)
{
    return keys->count && sealed_by(&keys->at[0], sealed);
}

static bool open_with(const struct seal_key *key, const char *name, const char *sealed,
    struct arena *arena, const char **ret)
{
    const char *text = sealed + SEAL_ID_SIZE;
    size_t room = strlen(text), size = 0;
    unsigned char *bytes = arena_alloc(arena, room + 1);
    unsigned char *plain = arena_alloc(arena, room + 1);
    unsigned long long plain_size = 0;
    if (sodium_base642bin(bytes, room, text, room, NULL, &size, NULL, VARIANT) != 0 ||
        size < NONCE + TAG ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &plain_size, NULL, bytes + NONCE,
            size - NONCE, (const unsigned char *)name, strlen(name), bytes, key->bytes) != 0)
        return false;
    plain[plain_size] = '\0';
    *ret = (const char *)plain;
    return true;
}

enum status seal_open(const struct seal_keys *keys, const char *name, const char *sealed,
    struct arena *arena, const char **ret, struct error *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (!sealed_by(&keys->at[i], sealed))
            continue;
        if (open_with(&keys->at[i], name, sealed, arena, ret))
            return OK;
        return error_set(err, ERR_KEY, "what is stored of `%s` was changed outside dag", name);
    }
    return error_set(err, ERR_KEY, "`%s` was sealed with another key (%.*s)", name,
        (int)strcspn(sealed, ":"), sealed);
}
