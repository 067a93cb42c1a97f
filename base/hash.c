#include <sodium.h>
#include "base/file.h"

void hash_sha256(const void *p, size_t size, char ret[HASH_TEXT_SIZE])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, p, size);
    sodium_bin2hex(ret, HASH_TEXT_SIZE, digest, sizeof digest);
}

uint64_t hash_u64(const void *p, size_t size)
{
    const unsigned char *bytes = p;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    /* FNV-1a leaves the low bits weak for short texts; this spreads them (as in MurmurHash3). */
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}
