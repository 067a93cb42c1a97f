/*
 * Private to the time zone files: what a zone is made of, and the reading of TZif and POSIX text.
 */
#ifndef LANGUAGE_TIMETABLE_ZONE_DATA_H
#define LANGUAGE_TIMETABLE_ZONE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/memory.h"
#include "language/timetable/limits.h"

/* The first second of year 1 and of year 10000. */
#define ZONE_SECONDS_MIN INT64_C(-62135596800)
#define ZONE_SECONDS_MAX INT64_C(253402300800)

/* A kind of local time. */
struct zone_type {
    int32_t offset_s;
    bool is_dst;
    const char *abbreviation;
};

/* A day of the year and a time on it, of a POSIX TZ string. */
struct rule_date {
    enum { RULE_DAY_FROM_ONE, RULE_DAY_FROM_ZERO, RULE_WEEKDAY } kind;
    int day; /* of the year: 1–365 without 29 February, or 0–365 with it; or 0 = Sunday … 6 */
    int month, week; /* RULE_WEEKDAY: 1–12; 1–5, where 5 is the last */
    int32_t time_s;  /* seconds after midnight of that day, may be negative or over a day */
};

/* How a zone goes on after its last listed change, for ever. */
struct zone_rule {
    bool present;
    struct zone_type standard, daylight;
    bool has_daylight;
    struct rule_date start, end; /* of daylight time, each in the wall clock before it */
};

struct zone {
    struct arena *arena; /* its own, which all pointers here lead to; NULL for UTC */
    const char *name;
    size_t change_count;
    const int64_t *change_at;      /* seconds, ascending */
    const uint8_t *change_type;    /* the type from that change on */
    const struct zone_type *types; /* the first holds before the first change */
    struct zone_rule rule;         /* after the last change; everywhere when there is none */
};

/* Fills a zone from the bytes of a TZif file; what it points to is in its arena.  The name is left
   alone.  Bytes that are no TZif file at all, or one that counts leap seconds: ERR_ZONE_UNKNOWN;
   a TZif file that breaks RFC 8536: ERR_ZONE_BROKEN. */
enum status zone_read_tzif(struct slice bytes, struct zone *zone, struct error *err) MUST_CHECK;

/* Reads a POSIX TZ string with the extensions of RFC 8536, section 3.3.1; false when it is none. */
bool zone_rule_parse(struct arena *arena, struct slice text, struct zone_rule *ret);
/* The rule's stretch that holds a second within the years 1 to 9999.  Beginning and end may lie a
   year beyond.  Without daylight time: *ret_start is INT64_MIN and *ret_end INT64_MAX. */
const struct zone_type *zone_rule_at(
    const struct zone_rule *rule, int64_t utc_s, int64_t *ret_start, int64_t *ret_end);

#endif
