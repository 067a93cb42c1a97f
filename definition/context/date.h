/*
 * Dates in templates: what Python's datetime and pendulum give to those who write templates for
 * Airflow.  Private to definition/context.
 *
 * All objects are immutable and live in the arena of the rendering.  A `DateTime` (pendulum) and a
 * `datetime` (Python) are one struct with two classes: the first has more methods, and adds time
 * across a change of the clock as pendulum does.
 */
#ifndef DEFINITION_CONTEXT_DATE_H
#define DEFINITION_CONTEXT_DATE_H

#include "base/clock.h"
#include "base/file.h"
#include "language/jinja/jinja.h"
#include "language/timetable/zone.h"

/* A point in time with its wall clock.  Naive ones have a wall clock only: `us` reads it as UTC. */
struct moment {
    int64_t us;              /* since 1970 (UTC) */
    const struct zone *zone; /* NULL: naive, or a fixed offset */
    int32_t offset_s;        /* of the wall clock at `us` */
    bool aware;
};

struct date_time {
    struct jinja_object object;
    struct moment at;
};
struct day { /* Date */
    struct jinja_object object;
    int64_t days; /* since 1970-01-01 */
};
struct day_time { /* Time */
    struct jinja_object object;
    int64_t us; /* since midnight */
};
struct delta { /* timedelta */
    struct jinja_object object;
    int64_t us;
};
struct interval { /* what lies between two moments: pendulum's Interval */
    struct delta delta;
    struct moment start, end;
    bool of_days; /* between two Dates */
};
struct tz {
    struct jinja_object object;
    const struct zone *zone; /* NULL: the fixed offset */
    int32_t offset_s;
};

extern const struct jinja_class pendulum_class, datetime_class, day_class, day_time_class,
    delta_class, interval_class, tz_class;

/* --- making --------------------------------------------------------------------------------- */

struct jinja_value date_new(struct arena *arena, const struct jinja_class *class, struct moment at);
/* A DateTime in UTC; none for INT64_MIN. */
struct jinja_value date_new_utc(struct arena *arena, int64_t us);
struct jinja_value day_new(struct arena *arena, int64_t days);
struct jinja_value day_time_new(struct arena *arena, int64_t us);
struct jinja_value delta_new(struct arena *arena, int64_t us);
struct jinja_value interval_new(struct arena *arena, struct moment start, struct moment end);
/* Between two Dates, in days since 1970. */
struct jinja_value interval_new_days(struct arena *arena, int64_t start, int64_t end);
struct jinja_value tz_new(struct arena *arena, const struct zone *zone, int32_t offset_s);

/* --- reading -------------------------------------------------------------------------------- */

/* The moment of a DateTime or datetime, or NULL. */
const struct moment *date_of(struct jinja_value v);
/* The moment of these and of a Date (its midnight, naive); ERR_TEMPLATE_TYPE for the rest. */
enum status date_argument(const struct jinja_call *call, const char *name, struct jinja_value v,
    struct moment *ret, struct error *err) MUST_CHECK;
/* The length of a timedelta or Interval in microseconds. */
bool delta_of(struct jinja_value v, int64_t *ret_us);
/* A zone's name, or a tz object. */
enum status tz_argument(const struct jinja_call *call, struct jinja_value v, struct tz *ret,
    struct error *err) MUST_CHECK;

/* --- moments -------------------------------------------------------------------------------- */

struct civil moment_civil(const struct moment *at); /* the wall clock */
int64_t moment_seconds(const struct moment *at);    /* since 1970, rounded down */
/* Whether it is the second of two moments with the same wall clock: Python's `fold`. */
bool moment_fold(const struct moment *at);
/* The moment of a wall clock in the zone (or offset, or naively) of `like`.  Of two such moments
   `fold` means the second one; of a time that does not exist the one after the gap. */
struct moment moment_at_civil(const struct moment *like, const struct civil *civil, bool fold);
struct moment moment_in(int64_t us, const struct tz *tz);
/* OverflowError outside of the years 1 to 9999. */
enum status moment_check(const struct moment *at, struct error *err) MUST_CHECK;
/* What to add to a moment. */
struct units {
    int64_t years, months, weeks, days;
    int64_t us; /* hours and less */
};
/* As pendulum's add: with units from days up the wall clock moves, else elapsed time. */
enum status moment_add(const struct moment *at, const struct units *units, struct moment *ret,
    struct error *err) MUST_CHECK;
/* The difference in units as people count: 31 January to 1 March is one month and a day. */
struct difference {
    int sign;
    int years, months, days, hours, minutes, seconds, microseconds;
    int64_t total_days; /* of the calendar: midnights between the two */
};
struct difference moment_difference(const struct moment *from, const struct moment *to);

/* --- text ----------------------------------------------------------------------------------- */

/* `separator`: 'T' or ' '. */
void date_add_iso(struct strbuf *out, const struct moment *at, char separator);
/* `timespec`: "auto" as above, or what Python's isoformat takes; false when it does not. */
bool date_add_iso_spec(
    struct strbuf *out, const struct moment *at, struct slice separator, struct slice timespec);
void delta_add_text(struct strbuf *out, int64_t us);
/* Python's strftime and strptime (the C locale), and pendulum's format (English). */
void date_add_strftime(struct strbuf *out, const struct moment *at, struct slice format);
enum status date_parse_strptime(
    struct slice text, struct slice format, struct moment *ret, struct error *err) MUST_CHECK;
/* ISO 8601; without an offset it is naive. */
enum status date_parse_iso(struct slice text, struct moment *ret, struct error *err) MUST_CHECK;
void date_add_tokens(struct strbuf *out, const struct moment *at, struct slice format);
/* The zone's abbreviation ("CEST"), "UTC+02:00" for offsets, "" for naive ones. */
void date_add_zone_name(struct strbuf *out, const struct moment *at);
/* "+0200", with `colon` "+02:00"; seconds only when there are some. */
void date_add_offset(struct strbuf *out, int32_t offset_s, bool colon);

extern const char *const month_names[12], *const weekday_names[7]; /* from January, Monday */
int weekday_of(int64_t days);                                      /* Monday = 0 */
/* ISO 8601 week: the year it belongs to, its number, the day from 1 = Monday. */
void iso_week_of(int64_t days, int *ret_year, int *ret_week, int *ret_day);

/* A string made in a strbuf; the buffer is done. */
struct jinja_value text_value(struct arena *arena, struct strbuf *out);

int64_t days_of(struct jinja_value self); /* of a date's wall clock, since 1970-01-01 */
extern const struct jinja_method python_methods[], pendulum_methods[];

#endif
