/* What the methods of dates share.  Private to definition/context. */
#ifndef DEFINITION_CONTEXT_DATE_METHOD_H
#define DEFINITION_CONTEXT_DATE_METHOD_H

#include "definition/context/date.h"

/* The moment of `self`; of a Date its midnight. */
struct moment moment_of_self(const struct jinja_call *call);
/* For methods without parameters. */
enum status no_arguments(const struct jinja_call *call, struct error *err) MUST_CHECK;
/* Seven values (absent: `civil` keeps its own) over the fields of a wall clock. */
enum status read_civil(const struct jinja_call *call, const struct jinja_value *values,
    const char *const *names, struct civil *civil, struct error *err) MUST_CHECK;
/* years=, months= … microseconds= */
enum status read_units(
    const struct jinja_call *call, int sign, struct units *ret, struct error *err) MUST_CHECK;
/* A number of any kind. */
enum status read_number(const struct jinja_call *call, const char *name, struct jinja_value v,
    double *ret, struct error *err) MUST_CHECK;

jinja_function method_in_timezone;
bool calendar_attribute(struct slice name, int64_t days, struct jinja_value *ret);
enum status date_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err);
enum status day_attribute(struct jinja_render *render, struct jinja_object *self, struct slice name,
    struct jinja_value *ret, struct error *err);

/* Methods of DateTime that a Date has too. */
jinja_function method_add, method_subtract, method_start_of, method_end_of, method_diff,
    method_diff_for_humans, method_format, method_to_date_string, method_to_formatted_date_string,
    method_next, method_previous, method_first_of, method_last_of, method_is_leap_year,
    method_is_same_day;

/* Python's, of all kinds of dates. */
jinja_function method_strftime, method_isoformat, method_ctime, method_date, method_time,
    method_timestamp, method_weekday, method_isoweekday, method_isocalendar, method_toordinal,
    method_utcoffset, method_tzname, method_replace;

/* Rows of the classes' tables. */
#define PYTHON_DAY_METHODS                                                                         \
    {"strftime", method_strftime}, {"ctime", method_ctime}, {"weekday", method_weekday},           \
        {"isoweekday", method_isoweekday}, {"isocalendar", method_isocalendar},                    \
    {                                                                                              \
        "toordinal", method_toordinal                                                              \
    }
#define PYTHON_METHODS                                                                             \
    PYTHON_DAY_METHODS, {"isoformat", method_isoformat}, {"date", method_date},                    \
        {"time", method_time}, {"timestamp", method_timestamp}, {"utcoffset", method_utcoffset},   \
        {"tzname", method_tzname}, {"replace", method_replace},                                    \
    {                                                                                              \
        "astimezone", method_in_timezone                                                           \
    }

#endif
