/*
 * Sealing secrets for storage: XChaCha20-Poly1305 (libsodium's crypto_aead_xchacha20poly1305_ietf).
 *
 * A sealed text is "<key id>:<base64 of nonce and ciphertext>".  The name it is stored under is the
 * associated data, so that a sealed text does not open under another name.  Of several keys the
 * first one seals and all of them open, which is how a key is changed.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/error.h"
#include "base/memory.h"
#include "base/string.h"

enum {
    SEAL_KEY_BYTES = 32,
    SEAL_KEYS_MAX = 8,       /* a key that is being replaced, and those before it */
    SEAL_KEY_TEXT_SIZE = 45, /* base64 with its NUL */
    SEAL_ID_SIZE = 17,
};

struct seal_key {
    unsigned char bytes[SEAL_KEY_BYTES];
    char id[SEAL_ID_SIZE]; /* of its hash: tells keys apart, and tells nothing of the key */
};
struct seal_keys {
    struct seal_key at[SEAL_KEYS_MAX];
    size_t count;
};

/* Reads keys: base64 (either alphabet) of 32 bytes or 64 hexadecimal digits each, separated by
   commas, spaces or line ends.  `where` is for the message.  ERR_KEY. */
enum status seal_keys_parse(
    struct slice text, const char *where, struct seal_keys *ret, struct error *err) MUST_CHECK;
struct seal_key seal_key_new(void);
/* As seal_keys_parse reads it. */
void seal_key_format(const struct seal_key *key, char ret[SEAL_KEY_TEXT_SIZE]);

/* `keys` has at least one. */
char *seal_text(
    const struct seal_keys *keys, const char *name, struct slice text, struct arena *arena);
/* ERR_KEY: sealed by a key that is not among `keys`, changed, or sealed under another name. */
enum status seal_open(const struct seal_keys *keys, const char *name, const char *sealed,
    struct arena *arena, const char **ret, struct error *err) MUST_CHECK;
/* Whether the first key sealed it. */
bool seal_is_newest(const struct seal_keys *keys, const char *sealed);

#endif
