/*
 * Private to timetables: what one is made of.
 */
#ifndef LANGUAGE_TIMETABLE_TIMETABLE_DATA_H
#define LANGUAGE_TIMETABLE_TIMETABLE_DATA_H

#include "language/timetable/ticks.h"
#include "language/timetable/timetable.h"

struct timetable {
    enum timetable_kind kind;
    const struct zone *zone;
    int64_t start_us, end_us;
    bool trigger;                 /* CRON: intervals are empty */
    const struct ticker *tickers; /* CRON: runs at a tick of any of them */
    size_t ticker_count;
    int64_t every_us;     /* EVERY */
    int64_t anchor_us;    /* EVERY: a tick */
    const int64_t *dates; /* DATES: ascending, each once */
    size_t date_count;
};

#endif
