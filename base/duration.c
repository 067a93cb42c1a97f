#include <inttypes.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/limits.h"

struct unit {
    const char *name;
    int64_t us;
};

/* The largest first: a duration names its units in this order, each once. */
static const struct unit units[] = {
    {"w", 7 * US_PER_DAY},
    {"d", US_PER_DAY},
    {"h", US_PER_HOUR},
    {"m", US_PER_MINUTE},
    {"s", US_PER_SECOND},
    {"ms", US_PER_MS},
};

#define DURATION_MAX_US (DURATION_DAYS_MAX * US_PER_DAY)

static enum status not_a_duration(struct slice text, struct error *err)
{
    error_set(err, ERR_INVALID, "'%.*s' is not a duration", SLICE_ARG(text));
    int64_t number;
    if (parse_int64(text, &number) && number >= 0)
        error_hint(err, "a number alone has no unit: write %" PRId64 "s for seconds", number);
    else if (text.size && text.p[0] == '-')
        error_hint(err, "a duration cannot be negative");
    else
        error_hint(err, "write it like 90s, 5m, 1h30m, 2d or 1w, the largest unit first");
    return ERR_INVALID;
}

static size_t span(struct slice s, size_t at, char first, char last)
{
    while (at < s.size && s.p[at] >= first && s.p[at] <= last)
        at++;
    return at;
}

/* The unit of that name from `*next` on; *next goes behind it. */
static const struct unit *find_unit(struct slice name, size_t *next)
{
    for (size_t i = *next; i < ARRAY_SIZE(units); i++)
        if (slice_equal_str(name, units[i].name)) {
            *next = i + 1;
            return &units[i];
        }
    return NULL;
}

enum status duration_parse(struct slice text, int64_t *ret_us, struct error *err)
{
    int64_t total = 0;
    size_t next_unit = 0, at = 0;
    if (text.size == 0)
        return not_a_duration(text, err);
    while (at < text.size) {
        size_t number_end = span(text, at, '0', '9'), unit_end = span(text, number_end, 'a', 'z');
        struct slice number = slice_make(text.p + at, number_end - at);
        struct slice name = slice_make(text.p + number_end, unit_end - number_end);
        const struct unit *unit = find_unit(name, &next_unit);
        if (number.size == 0 || !unit)
            return not_a_duration(text, err);
        int64_t count, part;
        if (!parse_int64(number, &count) || __builtin_mul_overflow(count, unit->us, &part) ||
            __builtin_add_overflow(total, part, &total) || total > DURATION_MAX_US)
            return error_set(err, ERR_INVALID, "'%.*s' is too long: the longest duration is %dd",
                SLICE_ARG(text), DURATION_DAYS_MAX);
        at = unit_end;
    }
    *ret_us = total;
    return OK;
}

/* The units that are shown: weeks are read but told in days. */
static const struct unit *const shown = &units[1];
enum { SHOWN_COUNT = ARRAY_SIZE(units) - 1 };

void duration_format(int64_t us, char ret[32])
{
    const char *sign = us < 0 ? "-" : "";
    uint64_t rest = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    size_t i = 0;
    while (i + 1 < SHOWN_COUNT && rest < (uint64_t)shown[i].us)
        i++;
    /* Days are the largest unit, so that the counts are small. */
    unsigned count = (unsigned)(rest / (uint64_t)shown[i].us), minor = 0;
    /* Milliseconds are of interest below a second only. */
    if (i + 2 < SHOWN_COUNT)
        minor = (unsigned)(rest % (uint64_t)shown[i].us / (uint64_t)shown[i + 1].us);
    if (minor)
        snprintf(ret, 32, "%s%u%s %u%s", sign, count, shown[i].name, minor, shown[i + 1].name);
    else
        snprintf(ret, 32, "%s%u%s", sign, count, shown[i].name);
}
