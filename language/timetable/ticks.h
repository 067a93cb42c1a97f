/*
 * Private to timetables: the instants ("ticks") at which a cron expression runs in a zone.
 *
 * Between two changes of the zone's clock a tick is an instant at which the clock shows a minute
 * that the expression allows.  The policy (timetable.h) says what a change itself does.  Ticks are
 * a set, whatever instant one asks from.
 *
 * Elapsed time, as Airflow has it: the first tick after a change comes as long after the last
 * allowed minute before it as their readings of the clock are apart; allowed minutes in between do
 * not count. So "0 * * * *" goes on hour by hour through any change, and is back at full hours one
 * tick later.
 */
#ifndef LANGUAGE_TIMETABLE_TICKS_H
#define LANGUAGE_TIMETABLE_TICKS_H

#include "language/timetable/cron.h"
#include "language/timetable/zone.h"

enum tick_overlap { TICK_SECOND, TICK_FIRST, TICK_BOTH };
struct tick_policy {
    bool elapsed;   /* else: */
    bool shift_gap; /* what a gap leaves out runs later, else not */
    enum tick_overlap overlap;
};
struct ticker {
    struct cron cron;
    const struct zone *zone;
    struct tick_policy policy;
    /* With elapsed time the first tick from start_date on is reached from start_date in the same
       manner: [origin_s, first_s) has no ticks, and changes before origin_s have no effect.
       INT64_MIN: there is no origin. */
    int64_t origin_s, first_s;
};

/* Sets the ticker's origin, or none. */
void ticker_start(struct ticker *ticker, int64_t origin_s);

/* The first tick at or after an instant, in seconds since 1970 (UTC); false when there is none
   until the end of year 9999. */
bool ticker_next(const struct ticker *ticker, int64_t utc_s, int64_t *ret_s);
/* The last tick at or before an instant; false when there is none since year 1. */
bool ticker_previous(const struct ticker *ticker, int64_t utc_s, int64_t *ret_s);

#endif
