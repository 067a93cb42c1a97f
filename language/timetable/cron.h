/*
 * Private to timetables: one cron expression, as sets of wall clock minutes.
 *
 * A wall clock minute is a count of minutes since 1970-01-01 00:00 of some wall clock; what instant
 * it is, ticks.h knows.
 */
#ifndef LANGUAGE_TIMETABLE_CRON_H
#define LANGUAGE_TIMETABLE_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/memory.h"

/* Days of a holiday calendar, as days since 1970, ascending. */
struct day_list {
    const int32_t *at;
    size_t count;
};

/* Bit n stands for the value n. */
struct cron {
    uint64_t minutes;        /* 0–59 */
    uint32_t hours;          /* 0–23 */
    uint32_t months;         /* 1–12 */
    uint32_t days;           /* of the month, 1–31 */
    uint32_t near_days;      /* `15W`: the weekday (Monday to Friday) nearest to that day */
    bool last_day;           /* `L` */
    bool near_last_day;      /* `LW`: the month's last weekday */
    uint32_t weekdays;       /* 0–6, Sunday is 0 */
    uint32_t weekday_nth[7]; /* `1#2`: bits 1–5; `L1`: bit WEEKDAY_LAST */
    bool days_restricted;    /* when both day fields are, a day of either runs */
    bool weekdays_restricted;
    /* the calendar: days left out, and days on which it runs besides (moved there from holidays) */
    struct day_list holidays, moved_days;
};
enum { WEEKDAY_LAST = 6 };

/* Whether every hour runs: such a schedule follows elapsed time by default. */
bool cron_is_hourly(const struct cron *cron);
/* Whether it has any day at all, its calendar aside. */
bool cron_has_days(const struct cron *cron);
/* The days of a month on which it runs, bit n for day n; the calendar applied. */
uint32_t cron_days_of_month(const struct cron *cron, int year, int month);

/* The first minute at or after `minute` on which it runs; false when there is none until the end of
   year 9999.  Searches by month, day, hour, minute. */
bool cron_next(const struct cron *cron, int64_t minute, int64_t *ret);
/* The last one at or before `minute`; false when there is none since year 1. */
bool cron_previous(const struct cron *cron, int64_t minute, int64_t *ret);

/* Reads five fields in the syntax of docs/schedules.md, without a calendar.  Errors are
   ERR_SCHEDULE_INVALID, or ERR_SCHEDULE_NEVER for days that no month has; both with their place. */
enum status cron_parse(struct slice text, struct cron *ret, struct error *err) MUST_CHECK;

#endif
