/*
 * Schedules: from what a DAG file says to the data intervals its runs cover.
 *
 * A schedule is turned into a `struct timetable` once, when a DAG is loaded.  It lives in the arena
 * it was made in, is never changed, and may be read by any thread.  All questions to it are pure
 * functions that end after a bounded search, whatever they are asked.
 *
 * Ticks.  A cron schedule (one expression or several together) is a set of instants, the ticks.
 * They are taken from the zone's wall clock, and a change of that clock is met by a policy.  A time
 * that is skipped ("gap"):
 * - shift: is read with the offset before the gap, so 02:30 is 03:30 on that day (default);
 * - skip: is left out.
 *
 * A time that occurs twice ("overlap"):
 * - second: means the second one (default);
 * - first: the first one;
 * - both: both.
 *
 * With an hour field that allows every hour, and no policy chosen, ticks follow elapsed time
 * instead, as in Airflow: through a change of the clock the next tick comes as long after the last
 * one as their readings of the clock are apart, and from there the clock counts again.  The first
 * tick is reached from start_date in the same manner.
 *
 * Times that come to fall on the same instant are one tick.
 *
 * An interval schedule (`90m`) ticks every so long from start_date (from 1970-01-01T00:00Z if there
 * is none) in elapsed time, whatever the zone.
 *
 * Data intervals.  The interval of two neighbouring ticks is [tick, next tick): its logical date is
 * its start, and its run may start at its end (as Airflow's CronDataIntervalTimetable and
 * DeltaDataIntervalTimetable).  So intervals tile time in every zone.  With `interval` false, with
 * a list of dates and with @once, the interval is empty, and logical date and run time are the tick
 * itself (as Airflow's CronTriggerTimetable).
 *
 * `start_date` and `end_date` bound logical dates, both inclusive.  They bind what is asked about
 * scheduled runs (next, latest, previous, count), not timetable_interval_of.
 */
#ifndef LANGUAGE_TIMETABLE_TIMETABLE_H
#define LANGUAGE_TIMETABLE_TIMETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/memory.h"
#include "language/timetable/zone.h"

/* No bound: before, or after, every instant. */
#define TIME_MIN_US INT64_MIN
#define TIME_MAX_US INT64_MAX

/* ---- what a DAG file says ---- */

enum schedule_form {
    SCHEDULE_NONE,  /* only by hand, or by assets */
    SCHEDULE_TEXT,  /* `texts`: a preset, a duration, or one or more cron expressions */
    SCHEDULE_DATES, /* `texts`: dates or times, in any order */
};
/* The DEFAULT of both depends on the hour field, see above. */
enum schedule_gap { SCHEDULE_GAP_DEFAULT, SCHEDULE_GAP_SHIFT, SCHEDULE_GAP_SKIP };
enum schedule_overlap {
    SCHEDULE_OVERLAP_DEFAULT,
    SCHEDULE_OVERLAP_SECOND,
    SCHEDULE_OVERLAP_FIRST,
    SCHEDULE_OVERLAP_BOTH,
};
/* What becomes of a tick whose local day is in the calendar: it is left out, or moved to the next
   or the previous day that is not in it, at the same wall clock time. */
enum schedule_holiday { SCHEDULE_HOLIDAY_SKIP, SCHEDULE_HOLIDAY_NEXT, SCHEDULE_HOLIDAY_PREVIOUS };

/* Which part of a schedule an error is about; `index` counts from 0 in texts or calendar. */
enum schedule_part {
    SCHEDULE_PART_TEXT,
    SCHEDULE_PART_CALENDAR,
    SCHEDULE_PART_START,
    SCHEDULE_PART_END
};
struct schedule_place {
    enum schedule_part part;
    size_t index;
};

/* All zero is "only by hand".  Nothing in it is kept by the timetable. */
struct schedule_spec {
    enum schedule_form form;
    const char *const *texts;
    size_t text_count;
    bool trigger;          /* `interval: false`: cron ticks with empty intervals */
    enum schedule_gap gap; /* `dst:`; with cron only, like trigger and the calendar */
    enum schedule_overlap overlap;
    const char *const *calendar; /* local days without runs, as dates */
    size_t calendar_count;
    enum schedule_holiday on_holiday;
    const char *start_date;       /* a date or time, read in the zone; NULL: none */
    const char *end_date;         /* the last logical date; a bare date includes that local day */
    struct schedule_place *place; /* where to say what an error is about; may be NULL */
};

/* ---- the timetable ---- */

enum timetable_kind {
    TIMETABLE_MANUAL,     /* no schedule */
    TIMETABLE_ONCE,       /* one run, at start_date */
    TIMETABLE_CONTINUOUS, /* the next run as soon as the last has ended */
    TIMETABLE_CRON,
    TIMETABLE_EVERY, /* an interval schedule */
    TIMETABLE_DATES,
};
struct timetable;

/* Makes a timetable in `arena`.  Mistakes are ERR_SCHEDULE_INVALID, a schedule without any tick (30
   February) is ERR_SCHEDULE_NEVER; both have the text at fault as the excerpt and the column in it,
   and a hint that says what to write.  Above a ceiling (limits.h): ERR_LIMIT. */
enum status timetable_parse(struct arena *arena, const struct schedule_spec *spec,
    const struct zone *zone, struct timetable **ret, struct error *err) MUST_CHECK;
/* The same for one schedule text alone, as on a command line: `dag next "@daily"`. */
enum status timetable_parse_text(struct arena *arena, const char *text, const struct zone *zone,
    struct timetable **ret, struct error *err) MUST_CHECK;

/* The lines of a calendar or date file: one date a line, blank lines and what follows a # left out.
   The strings are in the arena; an item's line is in *ret_lines (from 1). */
enum status timetable_read_dates(struct arena *arena, struct slice text,
    const char *const **ret_dates, const uint32_t **ret_lines, size_t *ret_count,
    struct error *err) MUST_CHECK;

enum timetable_kind timetable_kind(const struct timetable *timetable);
const struct zone *timetable_zone(const struct timetable *timetable);
/* True when runs cover intervals that tile time (cron without trigger, and EVERY). */
bool timetable_has_intervals(const struct timetable *timetable);
int64_t timetable_start_us(const struct timetable *timetable); /* TIME_MIN_US: none */
int64_t timetable_end_us(const struct timetable *timetable);   /* TIME_MAX_US: none */

/* ---- questions ---- */

/* [start_us, end_us); empty when both are the same. */
struct data_interval {
    int64_t start_us, end_us;
};
struct timetable_run {
    struct data_interval interval;
    int64_t logical_us;   /* the run's logical date */
    int64_t run_after_us; /* the earliest time at which it may start */
};

enum timetable_answer {
    TIMETABLE_NO_MORE = 0,
    TIMETABLE_RUN,       /* *ret is the run */
    TIMETABLE_WHEN_IDLE, /* CONTINUOUS: a run, with an empty interval at the time it is made, once
                            no run is left unfinished and not before ret->run_after_us */
};

/*
 * The run after `last`, the interval last covered (NULL: none was).
 *  - Without `last`: the first tick at or after both start_date and `from_us`.
 *  - With it: the interval that starts where `last` ended, to the next tick: so after an edit of
 * the schedule nothing is left out or covered twice.  When start_date or `from_us` is later than
 * that, from the first tick at or after them.  Schedules without intervals: the first tick after
 * last's start. `from_us` is TIME_MIN_US when it does not bind; ONCE without start_date runs at
 * `from_us`. To walk a backfill: timetable_next(t, NULL, from, &r), then timetable_next(t,
 * &r.interval, TIME_MIN_US, &r) while r.logical_us <= to.
 */
enum timetable_answer timetable_next(const struct timetable *timetable,
    const struct data_interval *last, int64_t from_us, struct timetable_run *ret);

/* The newest run that could have started by `now_us` (the newest complete interval); false when
   there is none, and for MANUAL and CONTINUOUS. */
bool timetable_latest(const struct timetable *timetable, int64_t now_us, struct timetable_run *ret);

/* The newest run whose logical date is before `logical_us`; false when there is none. */
bool timetable_previous(
    const struct timetable *timetable, int64_t logical_us, struct timetable_run *ret);

/* The interval that a run of this logical date covers, however the run came about: the one that
   starts there when it is a tick, else the last complete one before it; empty at the date itself
   for MANUAL, ONCE, CONTINUOUS and before the first of a list of dates. */
struct data_interval timetable_interval_of(const struct timetable *timetable, int64_t logical_us);

/* How many runs have a logical date in [from_us, to_us], both inclusive; stops counting at
   `count_max`. Constant time for EVERY and DATES, else a step a run. */
size_t timetable_count(
    const struct timetable *timetable, int64_t from_us, int64_t to_us, size_t count_max);

#endif
