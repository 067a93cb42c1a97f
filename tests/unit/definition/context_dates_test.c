/* Dates in templates do what Python's and pendulum's do. */
#include "tests/unit/definition/context_dag.h"
#include "language/timetable/zone.h"
#include "tests/unit/test.h"

static const struct row {
    bool is_dates;
    const char *first, *second;
} rows[] = {
#define DATES(logical_date, data_interval_end) {true, logical_date, data_interval_end},
#define VALUE(expression, text) {false, expression, text},
#include "tests/unit/definition/context_dates.def"
};

static void begin(
    struct context_dag *d, struct arena *arena, const char *logical_date, const char *end)
{
    struct error err;
    context_dag_init(d, arena, NULL, "UTC", logical_date);
    REQUIRE_OK(
        zone_parse_time(zone_utc(), slice_of(end), &d->run.interval_end_us, NULL, &err), &err);
}

static const char *value_of(struct context_dag *d, struct arena *arena, const char *expression)
{
    return context_dag_render(d, arena, arena_printf(arena, "{{ %s }}", expression));
}

TEST(an_expression_with_dates_gives_what_python_and_pendulum_give)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct context_dag d;
    REQUIRE(rows[0].is_dates);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].is_dates && i > 0)
            context_dag_done(&d);
        if (rows[i].is_dates)
            begin(&d, arena, rows[i].first, rows[i].second);
        else
            test_check_str(value_of(&d, arena, rows[i].first), rows[i].second, "context_dates.def",
                (int)i, rows[i].first);
    }
    context_dag_done(&d);
}

TEST(what_cannot_be_done_with_a_date_is_an_error_that_says_so)
{
    static const struct {
        const char *expression, *message;
    } cases[] = {
        {"logical_date.start_of('fortnight')",
            "ERROR: sql: Invalid unit \"fortnight\" for start_of() (second, minute, hour, day, "
            "week, month, year, decade or century)"},
        {"logical_date.replace(month=13)", "ERROR: sql: month must be in 1..12, not 13"},
        {"macros.datetime(2024, 2, 30)", "ERROR: sql: day is out of range for month"},
        {"macros.datetime(2024, 1)",
            "ERROR: sql: datetime() missing 1 required positional argument: 'day'"},
        {"macros.datetime(2024, 1, 2) < logical_date",
            "ERROR: sql: can't compare offset-naive and offset-aware datetimes (one of the two has "
            "no time zone: write `.replace(tzinfo=…)` behind it)"},
        {"macros.datetime(2024, 1, 2) - logical_date",
            "ERROR: sql: can't subtract offset-naive and offset-aware datetimes"},
        {"macros.datetime.strptime('2024-05-06', '%Y/%m/%d')",
            "ERROR: sql: time data '2024-05-06' does not match format '%Y/%m/%d'"},
        {"macros.datetime.strptime('2024-05-06x', '%Y-%m-%d')",
            "ERROR: sql: unconverted data remains: x"},
        {"macros.ds_add('tomorrow', 1)",
            "ERROR: sql: time data 'tomorrow' does not match format '%Y-%m-%d'"},
        {"logical_date + 1", "ERROR: sql: unsupported operand type(s) for +: 'DateTime' and 'int'"},
        {"logical_date > 1",
            "ERROR: sql: '>' not supported between instances of 'DateTime' and 'int'"},
        {"logical_date.in_timezone('Mars/Olympus')",
            "ERROR: sql: there is no time zone 'Mars/Olympus' (write a name of the IANA database, "
            "such as Europe/Berlin, or UTC)"},
        {"logical_date.add(parsecs=1)",
            "ERROR: sql: add() got an unexpected keyword argument 'parsecs'"},
        {"logical_date.add(years=9000)", "ERROR: sql: date value out of range"},
        {"logical_date.replace(year=9999, day=1).end_of('century')",
            "ERROR: sql: date value out of range"},
        {"logical_date.add(days=1e14)", "ERROR: sql: date value out of range"},
        {"logical_date - macros.timedelta(weeks=999999)", "ERROR: sql: date value out of range"},
        {"macros.timedelta(days=1) / 0", "ERROR: sql: division by zero"},
        {"macros.timedelta(days=1e18)", "ERROR: sql: the timedelta is out of range"},
        {"logical_date.nothing", "ERROR: sql: 'DateTime' has no attribute 'nothing'"},
        {"ds | ts", "ERROR: sql: the filter `ts` takes a date, not a string (for texts there is "
                    "`macros.ds_format(text, from, to)`)"},
        {"macros.dateutil.parser.parse('next week')",
            "ERROR: sql: parse() cannot read 'next week' (dates are read as ISO 8601; for other "
            "forms use `macros.datetime.strptime(text, format)`)"},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct context_dag d;
    begin(&d, arena, "2024-02-29T12:30:45", "2024-03-01");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_STR(value_of(&d, arena, cases[i].expression), cases[i].message);
    context_dag_done(&d);
}

TEST(nothing_that_has_no_date_is_formatted)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct context_dag d;
    begin(&d, arena, "2024-02-29", "2024-03-01");
    CHECK_STR(value_of(&d, arena, "prev_data_interval_start_success | ds"), "None");
    CHECK_STR(value_of(&d, arena, "prev_start_date_success"), "None");
    context_dag_done(&d);
}

TEST(dates_are_json_as_iso_8601)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct context_dag d;
    begin(&d, arena, "2024-02-29T10:00", "2024-03-01");
    CHECK_STR(value_of(&d, arena, "macros.json.dumps({'at': logical_date})"),
        "{\"at\": \"2024-02-29T10:00:00+00:00\"}");
    CHECK_STR(value_of(&d, arena, "[logical_date.date()] | tojson"), "[\"2024-02-29\"]");
    context_dag_done(&d);
}
