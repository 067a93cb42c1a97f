/*
 * The ceilings of schedules and time zones, each with its unit and its reason.
 */
#ifndef LANGUAGE_TIMETABLE_LIMITS_H
#define LANGUAGE_TIMETABLE_LIMITS_H

enum {
    /* bytes of one schedule text; a cron expression that lists each of its values has some 400 */
    SCHEDULE_TEXT_MAX = 512,
    /* cron expressions in one schedule: each costs a search per tick */
    SCHEDULE_CRONS_MAX = 64,
    /* dates in one list: a date a minute for two months; they are kept in memory */
    SCHEDULE_DATES_MAX = 100000,
    /* days in one calendar: a century of weekends */
    SCHEDULE_CALENDAR_MAX = 20000,
    /* shortest interval schedule, seconds: below it a daemon would only make runs */
    SCHEDULE_EVERY_MIN_S = 1,
    /* bytes of a zone's name; the longest in the tz database has 32 */
    ZONE_NAME_SIZE_MAX = 128,
    /* bytes of a TZif file; the largest has 4 KB */
    ZONE_FILE_SIZE_MAX = 1024 * 1024,
    /* changes of the clock in one file; the most is some 240 */
    ZONE_TRANSITIONS_MAX = 20000,
    /* seconds that local time may be off UTC; the real extremes are some 16 hours */
    ZONE_OFFSET_MAX_S = 26 * 3600,
};

#endif
