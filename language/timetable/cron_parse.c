#include <ctype.h>
#include <strings.h>
#include "base/string.h"
#include "language/timetable/cron.h"

/*
 * The fields, in their order.  How to add a form of a field: docs/schedules.md has the table of
 * forms, tests/unit/timetable/cron_parse_test.c an example and a mistake of each.
 */
enum field_kind { FIELD_MINUTE, FIELD_HOUR, FIELD_DAY, FIELD_MONTH, FIELD_WEEKDAY, FIELD_COUNT };

static const char *const month_names[] = {
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

static const struct field {
    const char *name;
    int min, max; /* what a number may be: 7 is Sunday, as 0 is */
    int last;     /* the largest value once read */
    const char *const *names;
    int name_count;
    const char *values; /* for people */
} fields[FIELD_COUNT] = {
    [FIELD_MINUTE] = {"minute", 0, 59, 59, NULL, 0, "minutes are 0 to 59"},
    [FIELD_HOUR] = {"hour", 0, 23, 23, NULL, 0, "hours are 0 to 23"},
    [FIELD_DAY] = {"day of the month", 1, 31, 31, NULL, 0,
        "days of the month are 1 to 31, L (the last), 15W (the weekday nearest to the 15th) or LW"},
    [FIELD_MONTH] = {"month", 1, 12, 12, month_names, 12, "months are 1 to 12 or JAN to DEC"},
    [FIELD_WEEKDAY] = {"day of the week", 0, 7, 6, weekday_names, 7,
        "days of the week are 0 to 7 (0 and 7 are Sunday) or SUN to SAT; the month's last Friday "
        "is L5, its second Monday 1#2"},
};

/* One field as it is read. */
struct field_value {
    struct slice text;
    uint64_t bits;
    bool star; /* a bare `*` or `?` among its items */
};

struct parser {
    struct slice text;
    size_t at, end; /* within the item that is read */
    enum field_kind kind;
    struct field_value values[FIELD_COUNT];
    struct cron cron;
    struct error *err;
};

static const struct field *field_of(const struct parser *p)
{
    return &fields[p->kind];
}

/* ---- errors ---- */

static enum status invalid_at(struct parser *p, size_t at, const char *hint)
{
    if (p->err)
        error_at(p->err, NULL, p->text.p, p->text.size, at);
    error_hint(p->err, "%s", hint);
    return ERR_SCHEDULE_INVALID;
}

/* The word that starts at an offset: up to what separates items. */
static struct slice word_at(const struct parser *p, size_t at)
{
    size_t end = at;
    while (end < p->text.size && !strchr(" \t\r\n,", p->text.p[end]))
        end++;
    return slice_make(p->text.p + at, end - at);
}

static enum status bad_value(struct parser *p, size_t at)
{
    struct slice word = word_at(p, at);
    if (word.size == 0)
        error_set(p->err, ERR_SCHEDULE_INVALID, "a %s is missing here", field_of(p)->name);
    else
        error_set(
            p->err, ERR_SCHEDULE_INVALID, "'%.*s' is no %s", SLICE_ARG(word), field_of(p)->name);
    return invalid_at(p, at, field_of(p)->values);
}

/* ---- words and numbers ---- */

static char peek(const struct parser *p)
{
    return p->at < p->end ? p->text.p[p->at] : '\0';
}

static bool accept(struct parser *p, char c)
{
    if (p->at == p->end || (toupper((unsigned char)peek(p)) != c))
        return false;
    p->at++;
    return true;
}

static size_t letters_at(const struct parser *p)
{
    size_t n = 0;
    while (p->at + n < p->end && isalpha((unsigned char)p->text.p[p->at + n]))
        n++;
    return n;
}

/* A name of the field at the place of reading, -1 when there is none. */
static int accept_name(struct parser *p)
{
    const struct field *field = field_of(p);
    if (letters_at(p) < 3)
        return -1;
    for (int i = 0; i < field->name_count; i++)
        if (strncasecmp(p->text.p + p->at, field->names[i], 3) == 0) {
            p->at += 3;
            return field->min + i;
        }
    return -1;
}

/* Digits; false when there are none or too many to be meant. */
static bool accept_number(struct parser *p, int *ret)
{
    enum { DIGITS_MAX = 4 };
    size_t start = p->at;
    int value = 0;
    while (p->at - start <= DIGITS_MAX && isdigit((unsigned char)peek(p)))
        value = value * 10 + (p->text.p[p->at++] - '0');
    *ret = value;
    return p->at > start && p->at - start <= DIGITS_MAX;
}

static enum status bad_name(struct parser *p, size_t at, int name)
{
    bad_value(p, at);
    const struct field *field = field_of(p);
    error_hint(p->err, "names have three letters: write %s", field->names[name - field->min]);
    return ERR_SCHEDULE_INVALID;
}

/* A number or a name within the field's bounds; Sunday is 0. */
static enum status read_value(struct parser *p, int *ret)
{
    const struct field *field = field_of(p);
    size_t start = p->at;
    int value = accept_name(p);
    if (value >= 0 && letters_at(p) > 0 && toupper((unsigned char)peek(p)) != 'L')
        return bad_name(p, start, value);
    if (value < 0 && !accept_number(p, &value))
        return bad_value(p, start);
    if (value < field->min || value > field->max)
        return bad_value(p, start);
    *ret = value > field->last ? field->min : value;
    return OK;
}

/* What follows a '/'. */
static enum status read_step(struct parser *p, int *ret)
{
    size_t start = p->at;
    if (accept_number(p, ret) && *ret > 0)
        return OK;
    error_set(p->err, ERR_SCHEDULE_INVALID, "a step is missing here");
    return invalid_at(p, start, "a step is a number from 1 up: */15, 8-18/2 or 5/15");
}

/* ---- items ---- */

static uint64_t bit(int n)
{
    return UINT64_C(1) << n;
}

static uint64_t steps(int first, int last, int step)
{
    uint64_t bits = 0;
    for (int value = first; value <= last; value += step)
        bits |= bit(value);
    return bits;
}

/* Values from first to last by step.  A range from a value to itself is the whole circle; one that
   ends before it starts goes on at the smallest value, as Airflow's croniter does: where the step
   reaches over the end of the circle it starts again one value later than counting on would. */
static uint64_t range_bits(const struct field *field, int first, int last, int step)
{
    if (first == last)
        return steps(field->min, field->last, step);
    if (first < last)
        return steps(first, last, step);
    int reached = first + (field->last - first) / step * step;
    int over = reached + step - field->last - 1;
    return steps(first, field->last, step) |
           steps(field->min + (over > 0 ? over + 1 : 0), last, step);
}

/* `L`, `LW` or `15W`; *ret_found is false when the item is something else. */
static enum status read_day_form(struct parser *p, bool *ret_found)
{
    size_t start = p->at;
    int day;
    *ret_found = true;
    if (accept(p, 'L')) {
        if (accept(p, 'W'))
            p->cron.near_last_day = true;
        else
            p->cron.last_day = true;
        return OK;
    }
    if (accept_number(p, &day) && accept(p, 'W')) {
        if (day < 1 || day > 31)
            return bad_value(p, start);
        p->cron.near_days |= (uint32_t)bit(day);
        return OK;
    }
    p->at = start;
    *ret_found = false;
    return OK;
}

/* Adds the weekdays in `bits`, all of them or the nth of the month. */
static void add_weekdays(struct parser *p, uint64_t bits, int nth)
{
    for (int weekday = 0; weekday < 7; weekday++)
        if (bits & bit(weekday))
            p->cron.weekday_nth[weekday] |= (uint32_t)bit(nth);
}

/* `L5` or `LFRI` */
static enum status read_last_weekday(struct parser *p)
{
    size_t start = p->at - 1;
    int weekday;
    if (p->at == p->end) {
        error_set(p->err, ERR_SCHEDULE_INVALID, "L needs a day of the week");
        return invalid_at(p, start, "write L5 for the last Friday of the month");
    }
    enum status status = read_value(p, &weekday);
    if (status == OK)
        add_weekdays(p, bit(weekday), WEEKDAY_LAST);
    return status;
}

/* `#2` behind weekdays */
static enum status read_nth(struct parser *p, uint64_t bits)
{
    size_t start = p->at;
    int nth;
    if (!accept_number(p, &nth) || nth < 1 || nth > 5) {
        error_set(p->err, ERR_SCHEDULE_INVALID, "a month has no such week");
        return invalid_at(p, start, "after # comes 1 to 5: 1#2 is the second Monday");
    }
    add_weekdays(p, bits, nth);
    return OK;
}

/* `*`, `5`, `1-5`, each perhaps with `/2`; as the values' bits.  `5/2` starts at 5 and goes on to
   the largest value. */
static enum status read_range(struct parser *p, uint64_t *ret_bits)
{
    const struct field *field = field_of(p);
    int first = field->min, last = field->last, step = 1;
    bool star = accept(p, '*'), range = star;
    enum status status = star ? OK : read_value(p, &first);
    if (status == OK && !star && accept(p, '-')) {
        range = true;
        status = read_value(p, &last);
    }
    bool stepped = status == OK && accept(p, '/');
    if (stepped)
        status = read_step(p, &step);
    if (status != OK)
        return status;
    if (range)
        *ret_bits = star ? steps(first, last, step) : range_bits(field, first, last, step);
    else
        *ret_bits = steps(first, stepped ? field->last : first, step);
    p->values[p->kind].star |= star && !stepped;
    return OK;
}

static enum status read_general(struct parser *p)
{
    uint64_t bits = 0;
    enum status status = read_range(p, &bits);
    if (status == OK && p->kind == FIELD_WEEKDAY && p->at < p->end) {
        if (accept(p, '#'))
            return read_nth(p, bits);
        if (accept(p, 'L')) {
            add_weekdays(p, bits, WEEKDAY_LAST);
            return OK;
        }
    }
    p->values[p->kind].bits |= bits;
    return status;
}

static enum status read_item(struct parser *p)
{
    enum status status = OK;
    size_t start = p->at;
    bool found = false;
    if (p->kind == FIELD_DAY)
        status = read_day_form(p, &found);
    else if (p->kind == FIELD_WEEKDAY && (found = accept(p, 'L')))
        status = read_last_weekday(p);
    if (status == OK && !found)
        status = read_general(p);
    if (status == OK && p->at != p->end)
        return bad_value(p, start);
    return status;
}

/* ---- fields ---- */

static enum status read_field(struct parser *p, size_t start, size_t end)
{
    struct field_value *value = &p->values[p->kind];
    value->text = slice_make(p->text.p + start, end - start);
    if (slice_equal_str(value->text, "?") && (p->kind == FIELD_DAY || p->kind == FIELD_WEEKDAY)) {
        value->star = true;
        value->bits = steps(field_of(p)->min, field_of(p)->last, 1);
        return OK;
    }
    for (size_t at = start; at <= end;) {
        const char *comma = memchr(p->text.p + at, ',', end - at);
        p->at = at;
        p->end = comma ? (size_t)(comma - p->text.p) : end;
        at = p->end + 1;
        enum status status = read_item(p);
        if (status != OK)
            return status;
    }
    return OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum status wrong_count(struct parser *p, size_t count, size_t at)
{
    error_set(p->err, ERR_SCHEDULE_INVALID, "a cron expression has five fields, this has %s%zu",
        count > FIELD_COUNT ? "at least " : "", count);
    return invalid_at(p, at,
        count > FIELD_COUNT
            ? "leave out seconds and years: the fields are minute, hour, day, month, weekday"
            : "the fields are minute, hour, day, month, weekday, as in \"30 2 * * MON-FRI\"");
}

static enum status read_fields(struct parser *p)
{
    size_t starts[FIELD_COUNT], ends[FIELD_COUNT], count = 0, at = 0;
    for (;;) {
        while (at < p->text.size && is_blank(p->text.p[at]))
            at++;
        if (at == p->text.size)
            break;
        if (count == FIELD_COUNT)
            return wrong_count(p, FIELD_COUNT + 1, at);
        starts[count] = at;
        while (at < p->text.size && !is_blank(p->text.p[at]))
            at++;
        ends[count++] = at;
    }
    if (count < FIELD_COUNT)
        return wrong_count(p, count, count ? ends[count - 1] : 0);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        p->kind = (enum field_kind)i;
        enum status status = read_field(p, starts[i], ends[i]);
        if (status != OK)
            return status;
    }
    return OK;
}

/* ---- the day fields together ---- */

/* A day field with every value restricts nothing, but for a quirk of cron that croniter keeps: it
   counts as a restriction when the other field has no `*` in it. */
static bool is_restricted(
    const struct field_value *value, const struct field *field, const struct field_value *other)
{
    bool full = value->bits == steps(field->min, field->last, 1);
    bool other_has_star = memchr(other->text.p, '*', other->text.size) != NULL;
    return !value->star && !(full && other_has_star);
}

static enum status finish(struct parser *p, struct cron *ret)
{
    const struct field_value *v = p->values;
    struct cron *cron = &p->cron;
    cron->minutes = v[FIELD_MINUTE].bits;
    cron->hours = (uint32_t)v[FIELD_HOUR].bits;
    cron->months = (uint32_t)v[FIELD_MONTH].bits;
    cron->days = (uint32_t)v[FIELD_DAY].bits;
    cron->weekdays = (uint32_t)v[FIELD_WEEKDAY].bits;
    cron->days_restricted = is_restricted(&v[FIELD_DAY], &fields[FIELD_DAY], &v[FIELD_WEEKDAY]);
    cron->weekdays_restricted =
        is_restricted(&v[FIELD_WEEKDAY], &fields[FIELD_WEEKDAY], &v[FIELD_DAY]);
    if (!cron_has_days(cron)) {
        error_set(p->err, ERR_SCHEDULE_NEVER, "no month it allows has such a day");
        invalid_at(p, (size_t)(v[FIELD_DAY].text.p - p->text.p),
            "change the day or the month; L is the last day of every month");
        return ERR_SCHEDULE_NEVER;
    }
    *ret = *cron;
    return OK;
}

enum status cron_parse(struct slice text, struct cron *ret, struct error *err)
{
    struct parser parser = {.text = text, .err = err};
    enum status status = read_fields(&parser);
    return status == OK ? finish(&parser, ret) : status;
}
