/* When a sensor's `time` is. */
#ifndef DEFINITION_WAIT_H
#define DEFINITION_WAIT_H

#include "base/error.h"
#include "base/string.h"
#include "language/timetable/zone.h"

/*
 * The point of time that a text means for a run whose interval ends at `end_us`:
 *  - a date or time as zone_parse_time reads it: that one;
 *  - "06:30" or "06:30:15": the first time at or after `end_us` when the zone's clock shows it;
 *  - a duration ("90m"): that long after `end_us`.
 * ERR_VALUE_RANGE for anything else, with a hint.
 */
enum status wait_time_read(const struct zone *zone, int64_t end_us, struct slice text,
    int64_t *ret_us, struct error *err) MUST_CHECK;

#endif
