#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>
#include "base/clock.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    int failed = clock_gettime(clock, &t);
    assert(failed == 0);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

struct instant clock_now(void)
{
    return (struct instant){read_clock(CLOCK_REALTIME), read_clock(CLOCK_BOOTTIME)};
}

void random_bytes(void *ret, size_t size)
{
    int failed = sodium_init() < 0;
    assert(!failed);
    randombytes_buf(ret, size);
}

uint64_t random_u64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof value);
    return value;
}

void uuid_make(char ret[UUID_TEXT_SIZE])
{
    unsigned char b[16];
    random_bytes(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40); /* version 4 */
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80); /* variant of RFC 9562 */
    for (size_t i = 0, at = 0; i < sizeof b; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        at += (size_t)snprintf(ret + at, UUID_TEXT_SIZE - at, "%s%02x", dash ? "-" : "", b[i]);
    }
}

bool uuid_valid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return true;
}
