/*
 * Time zones: the wall clock of an IANA zone, read from TZif files (RFC 8536, versions 1 to 4, with
 * the POSIX footer that says how it goes on after the last listed change).
 *
 * The files are those of $TZDIR, or /usr/share/zoneinfo when it is not set; "UTC" needs none.  A
 * zone is read once, then shared by all threads and never changed or freed: pointers stay valid
 * until the process ends, and a newer tz database counts from the next start.  Everything but
 * zone_load is a pure function of its arguments.
 *
 * Instants are microseconds since 1970-01-01T00:00:00Z.  They are taken as they are within the
 * years 1 to 9999 and brought to the nearer end of that range beyond it.
 */
#ifndef LANGUAGE_TIMETABLE_ZONE_H
#define LANGUAGE_TIMETABLE_ZONE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/error.h"

struct zone;

/* The zone called `name` ("Europe/Berlin").  A name that leaves its directory, is not in the tz
   database or counts leap seconds ("right/…") is ERR_ZONE_UNKNOWN with the nearest name as the
   hint; a file that breaks RFC 8536 is ERR_ZONE_BROKEN. */
enum status zone_load(const char *name, const struct zone **ret, struct error *err) MUST_CHECK;
/* UTC: never fails and reads nothing. */
const struct zone *zone_utc(void);
const char *zone_name(const struct zone *zone);

/* A stretch of time with one offset: [start_s, end_s) in seconds since 1970 (UTC).  The first of a
   zone starts at INT64_MIN, the last ends at INT64_MAX. */
struct zone_span {
    int64_t start_s, end_s;
    int32_t offset_s; /* local time minus UTC */
    bool is_dst;
    const char *abbreviation; /* the zone's: "CEST", "+0545" */
};
struct zone_span zone_span_at(const struct zone *zone, int64_t utc_s);

/* The wall clock at an instant; *ret_span (may be NULL) tells offset and abbreviation. */
struct civil zone_to_civil(const struct zone *zone, int64_t us, struct zone_span *ret_span);

/*
 * The instants that a wall clock time means.
 * - ZONE_ONCE: first_us = second_us.
 * - ZONE_TWICE, the clock was set back: first_us < second_us.
 * - ZONE_GAP, the clock was set forward over it: second_us reads it with the offset before the gap
 *   (02:30 becomes 03:30), first_us with the offset after it (01:30).
 *
 * `second_us` is what schedules and parsed dates take, as Airflow does.
 */
enum zone_match { ZONE_ONCE, ZONE_TWICE, ZONE_GAP };
struct zone_instants {
    enum zone_match match;
    int64_t first_us, second_us;
};
struct zone_instants zone_from_civil(const struct zone *zone, const struct civil *civil);

/* A date or time as time_parse_iso reads it; without an offset it is the zone's wall clock (a time
   in a gap is shifted, one that occurs twice means the second).  *ret_date_only may be NULL. */
enum status zone_parse_time(const struct zone *zone, struct slice text, int64_t *ret_us,
    bool *ret_date_only, struct error *err) MUST_CHECK;
/* The same for an inclusive end: a bare date means the last microsecond of that local day. */
enum status zone_parse_end(
    const struct zone *zone, struct slice text, int64_t *ret_us, struct error *err) MUST_CHECK;

/* "2007-04-12T08:00:00+08:00"; microseconds only when there are some; the offset of a zone's early
   local mean time keeps its seconds ("+00:53:28"). */
void zone_format_iso(const struct zone *zone, int64_t us, char ret[TIME_TEXT_SIZE]);
/* "2007-04-12", the local day: the template variable `local_ds`. */
void zone_format_date(const struct zone *zone, int64_t us, char ret[TIME_TEXT_SIZE]);

#endif
