/*
 * The only doors to the clocks and to random numbers.  Elsewhere both are banned (base/ban.h), so
 * that everything above can be simulated: the scheduler gets `now` as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* A point in time.  `wall_us`: microseconds since 1970-01-01T00:00:00Z; `mono_us`: microseconds of
   the machine's monotonic clock (CLOCK_BOOTTIME).  Durations and timeouts use the latter. */
struct instant {
    int64_t wall_us;
    int64_t mono_us;
};
struct instant clock_now(void);

#define US_PER_MS INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

/* Cryptographically strong random bytes. */
void random_bytes(void *ret, size_t size);
uint64_t random_u64(void);

enum { UUID_TEXT_SIZE = 37 };
/* A random UUID (version 4, RFC 9562) in its 36 character form. */
void uuid_make(char ret[UUID_TEXT_SIZE]);
bool uuid_valid(const char *text);

/* Civil time in the proleptic Gregorian calendar, years 1 … 9999. */
struct civil {
    int year, month, day; /* month 1–12, day 1–31 */
    int hour, minute, second, microsecond;
};
int64_t days_from_civil(int year, int month, int day); /* days since 1970-01-01 */
struct civil civil_from_us(int64_t us);                /* of UTC microseconds */
int64_t civil_to_us(const struct civil *civil);        /* read as UTC */
int days_in_month(int year, int month);
int weekday_of_days(int64_t days); /* 0 = Sunday */

enum { TIME_TEXT_SIZE = 40 };
/* "2007-04-12T00:00:00+00:00"; with ".123456" only when there are microseconds. */
void time_format_iso(int64_t wall_us, char ret[TIME_TEXT_SIZE]);
/* "2007-04-12" of the UTC day. */
void time_format_date(int64_t wall_us, char ret[TIME_TEXT_SIZE]);

/* ISO 8601 / RFC 3339: DATE, or DATE[T ]HH:MM[:SS[.ffffff]] with an optional Z or ±HH[:MM].
   *ret_has_offset tells whether the text named an offset, *ret_date_only whether it is a bare date;
   without an offset ret_us is the civil time read as UTC, for the caller to place in a zone. */
enum status time_parse_iso(struct slice text, int64_t *ret_us, bool *ret_has_offset,
    bool *ret_date_only, struct error *err) MUST_CHECK;

/* "90s" "5m" "1h30m" "2d" "1w" "250ms" to microseconds.  A bare number is an error whose hint says
   how to write it.  Negative durations are errors. */
enum status duration_parse(struct slice text, int64_t *ret_us, struct error *err) MUST_CHECK;
/* "3m 12s", "1h 30m", "2d", "450ms": at most two units. */
void duration_format(int64_t us, char ret[32]);

#endif
