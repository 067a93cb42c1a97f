#include "testing/rows.h"
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include "base/file.h"
#include "testing/limits.h"

/* pg_type's numbers of the types of numbers. */
enum {
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_NUMERIC = 1700,
};
static const double float_tolerance = 1e-9;

enum number_kind rows_number_kind(unsigned type)
{
    switch (type) {
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_NUMERIC: return NUMBER_EXACT;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8: return NUMBER_FLOAT;
    default: return NUMBER_NONE;
    }
}

bool rows_is_condition(const struct yaml_node *cell)
{
    return cell->kind == YAML_MAPPING && cell->count == 1 &&
           (yaml_get(cell, "matches") || yaml_get(cell, "not"));
}

/* ---- cells ----------------------------------------------------------------------------------- */

struct comparing {
    const struct rows_comparison *how;
    const struct rows *expected, *actual;
    const struct yaml_node **conditions; /* as expected->cells; NULL = a value */
    regex_t *patterns;                   /* of those that match */
    bool *matched_expected, *matched_actual;
    struct rows_pairing pairing;
    struct arena *arena;
};

static const char *cell_of(const struct rows *rows, size_t row, size_t column)
{
    return rows->cells[row * rows->column_count + column];
}

static bool numbers_equal(const char *a, const char *b, double tolerance)
{
    char *end_a, *end_b;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);
    if (*end_a || *end_b)
        return false;
    if (isnan(x) || isnan(y) || isinf(x) || isinf(y))
        return (isnan(x) && isnan(y)) || x == y;
    double scale = fabs(x) > 1 ? fabs(x) : 1;
    return fabs(x - y) <= tolerance * scale;
}

static bool values_equal(
    const struct comparing *c, size_t column, const char *expected, const char *actual)
{
    if (!expected || !actual)
        return !expected && !actual;
    if (str_equal(expected, actual))
        return true;
    enum number_kind kind = c->expected->columns[column].number;
    double tolerance = c->how->tolerance >= 0 ? c->how->tolerance
                       : kind == NUMBER_FLOAT ? float_tolerance
                                              : 0;
    return kind != NUMBER_NONE && numbers_equal(expected, actual, tolerance);
}

static bool cells_equal(const struct comparing *c, size_t row, size_t other, size_t column)
{
    size_t at = row * c->expected->column_count + column;
    const char *actual = cell_of(c->actual, other, column);
    if (!c->conditions[at])
        return values_equal(c, column, c->expected->cells[at], actual);
    if (yaml_get(c->conditions[at], "not"))
        return actual != NULL;
    return actual && regexec(&c->patterns[at], actual, 0, NULL, 0) == 0;
}

static size_t equal_cells(const struct comparing *c, size_t row, size_t other)
{
    size_t equal = 0;
    for (size_t k = 0; k < c->expected->column_count; k++)
        equal += cells_equal(c, row, other, k);
    return equal;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static enum status read_condition(
    struct comparing *c, const struct yaml_node *cell, size_t at, struct error *err)
{
    const struct yaml_node *pattern = yaml_get(cell, "matches"), *not = yaml_get(cell, "not");
    if (not &&not ->type != YAML_NULL)
        error_set(err, ERR_TEST, "the only `not` there is, is {not: null}");
    else if (pattern && (pattern->kind != YAML_SCALAR ||
                            regcomp(&c->patterns[at], pattern->value.p, REG_EXTENDED | REG_NOSUB)))
        error_set(err, ERR_TEST, "`matches` is no regular expression");
    else {
        c->conditions[at] = cell;
        return OK;
    }
    error_at(err, cell->source->file, cell->source->text.p, cell->source->text.size, cell->offset);
    return ERR_TEST;
}

static enum status read_conditions(struct comparing *c, struct error *err)
{
    const struct yaml_node *rows = c->how->conditions;
    size_t cells = c->expected->count * c->expected->column_count;
    c->conditions = arena_array(c->arena, const struct yaml_node *, cells + 1);
    c->patterns = arena_array(c->arena, regex_t, cells + 1);
    for (size_t i = 0; rows && i < rows->count && i < c->expected->count; i++)
        for (size_t k = 0; k < c->expected->column_count; k++) {
            const struct yaml_node *cell = yaml_get(rows->items[i], c->expected->columns[k].name);
            if (!cell || !rows_is_condition(cell))
                continue;
            enum status status = read_condition(c, cell, i * c->expected->column_count + k, err);
            if (status != OK)
                return status;
        }
    return OK;
}

static void free_patterns(struct comparing *c)
{
    for (size_t i = 0; c->conditions && i < c->expected->count * c->expected->column_count; i++)
        if (c->conditions[i] && yaml_get(c->conditions[i], "matches"))
            regfree(&c->patterns[i]);
}

/* ---- which row goes with which --------------------------------------------------------------- */

static void match_rows(struct comparing *c)
{
    size_t columns = c->expected->column_count;
    for (size_t i = 0; i < c->expected->count; i++)
        for (size_t k = 0; k < c->actual->count; k++) {
            if (c->matched_actual[k] || (c->how->ordered && !c->how->subset && i != k) ||
                equal_cells(c, i, k) != columns)
                continue;
            c->matched_expected[i] = c->matched_actual[k] = true;
            break;
        }
}

/* The row that is left of the actual ones and most alike; actual->count when none shares half of
   the cells.  Of a single column any that is left. */
static size_t nearest(const struct comparing *c, size_t row)
{
    size_t best = c->actual->count, most = 0;
    if (c->how->ordered && !c->how->subset)
        return row < c->actual->count && !c->matched_actual[row] ? row : best;
    for (size_t k = 0; k < c->actual->count; k++) {
        size_t equal = c->matched_actual[k] ? 0 : equal_cells(c, row, k);
        if (equal > most ||
            (c->expected->column_count == 1 && !c->matched_actual[k] && best == c->actual->count)) {
            most = equal;
            best = k;
        }
    }
    return most * 2 + 1 >= c->expected->column_count ? best : c->actual->count;
}

/* ---- showing --------------------------------------------------------------------------------- */

struct shown {
    const char **cells; /* rows of columns + 1 cells; the first is the mark */
    size_t rows, columns, capacity;
    size_t differ, missing, unexpected;
};

static const char *show_value(const char *value, struct arena *arena)
{
    if (!value)
        return "NULL";
    size_t size = strlen(value);
    char *text = arena_strndup(arena, value, size);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    if (utf8_length(text, size) <= TEST_CELL_SHOWN)
        return text;
    size_t end = 0;
    for (size_t i = 0; i < TEST_CELL_SHOWN - 1; i++)
        for (end++; (text[end] & 0xc0) == 0x80;)
            end++;
    return arena_printf(arena, "%.*s…", (int)end, text);
}

static const char *show_expected(const struct comparing *c, size_t row, size_t column)
{
    const struct yaml_node *condition = c->conditions[row * c->expected->column_count + column];
    if (!condition)
        return show_value(cell_of(c->expected, row, column), c->arena);
    const struct yaml_node *pattern = yaml_get(condition, "matches");
    return pattern ? arena_printf(c->arena, "/%.*s/", SLICE_ARG(pattern->value)) : "not NULL";
}

static const char **add_row(struct shown *shown, const char *mark)
{
    if (shown->rows == TEST_ROWS_SHOWN + 1)
        return NULL;
    const char **row = &shown->cells[shown->rows++ * shown->columns];
    row[0] = mark;
    return row + 1;
}

static void show_difference(struct comparing *c, struct shown *shown, size_t row, size_t other)
{
    const char **cells = add_row(shown, "≠");
    shown->differ++;
    c->pairing.actual[row] = other;
    for (size_t k = 0; k < c->expected->column_count; k++)
        c->pairing.holds[row * c->expected->column_count + k] = cells_equal(c, row, other, k);
    for (size_t k = 0; cells && k < c->expected->column_count; k++) {
        cells[k] = show_expected(c, row, k);
        if (!cells_equal(c, row, other, k))
            cells[k] = arena_printf(
                c->arena, "%s → %s", cells[k], show_value(cell_of(c->actual, other, k), c->arena));
        else
            cells[k] = show_value(cell_of(c->actual, other, k), c->arena);
    }
}

static void collect(struct comparing *c, struct shown *shown)
{
    const char **heading = add_row(shown, "");
    for (size_t k = 0; k < c->expected->column_count; k++)
        heading[k] = c->expected->columns[k].name;
    for (size_t i = 0; i < c->expected->count; i++) {
        if (c->matched_expected[i])
            continue;
        size_t other = nearest(c, i);
        if (other < c->actual->count) {
            c->matched_actual[other] = true;
            show_difference(c, shown, i, other);
            continue;
        }
        const char **cells = add_row(shown, "-");
        shown->missing++;
        for (size_t k = 0; cells && k < c->expected->column_count; k++)
            cells[k] = show_expected(c, i, k);
    }
    for (size_t i = 0; !c->how->subset && i < c->actual->count; i++) {
        if (c->matched_actual[i])
            continue;
        const char **cells = add_row(shown, "+");
        shown->unexpected++;
        c->pairing.unexpected[c->pairing.unexpected_count++] = i;
        for (size_t k = 0; cells && k < c->expected->column_count; k++)
            cells[k] = show_value(cell_of(c->actual, i, k), c->arena);
    }
}

static size_t width_of(const char *cell)
{
    return utf8_width(cell, strlen(cell));
}

static void print_table(const struct shown *shown, struct arena *arena, struct strbuf *out)
{
    size_t *widths = arena_array(arena, size_t, shown->columns);
    for (size_t i = 0; i < shown->rows; i++)
        for (size_t k = 0; k < shown->columns; k++) {
            size_t width = width_of(shown->cells[i * shown->columns + k]);
            widths[k] = width > widths[k] ? width : widths[k];
        }
    for (size_t i = 0; i < shown->rows; i++) {
        strbuf_add_str(out, "  ");
        for (size_t k = 0; k < shown->columns; k++) {
            const char *cell = shown->cells[i * shown->columns + k];
            strbuf_add_str(out, cell);
            if (k + 1 < shown->columns) {
                strbuf_add_repeat(out, ' ', widths[k] - width_of(cell));
                strbuf_add_str(out, k ? " | " : " ");
            }
        }
        strbuf_add_char(out, '\n');
    }
}

static void add_count(struct strbuf *out, size_t count, const char *what, bool *any)
{
    if (count)
        strbuf_printf(out, "%s%zu %s", *any ? ", " : "rows: ", count, what);
    *any |= count > 0;
}

static void show(struct comparing *c, struct strbuf *out)
{
    struct shown shown = {.columns = c->expected->column_count + 1};
    shown.cells = arena_array(
        c->arena, const char *, (TEST_ROWS_SHOWN + 1) * (c->expected->column_count + 1));
    collect(c, &shown);
    size_t total = shown.differ + shown.missing + shown.unexpected;
    if (!total)
        return;
    bool any = false;
    strbuf_printf(out, "%s: ", c->how->label);
    add_count(out, shown.differ, "different (≠ expected → got)", &any);
    add_count(out, shown.missing, "missing (-)", &any);
    add_count(out, shown.unexpected, "not expected (+)", &any);
    strbuf_add_char(out, '\n');
    print_table(&shown, c->arena, out);
    if (total > shown.rows - 1)
        strbuf_printf(out, "  … and %zu more\n", total - (shown.rows - 1));
}

enum status rows_compare(const struct rows_comparison *how, const struct rows *expected,
    const struct rows *actual, struct arena *arena, struct strbuf *out,
    struct rows_pairing *ret_pairing, struct error *err)
{
    struct comparing c = {.how = how, .expected = expected, .actual = actual, .arena = arena};
    enum status status = read_conditions(&c, err);
    if (status == OK) {
        c.matched_expected = arena_array(arena, bool, expected->count + 1);
        c.matched_actual = arena_array(arena, bool, actual->count + 1);
        c.pairing.equal = c.matched_expected;
        c.pairing.actual = arena_array(arena, size_t, expected->count + 1);
        memset(c.pairing.actual, 0xff, expected->count * sizeof(size_t)); /* SIZE_MAX */
        c.pairing.holds = arena_array(arena, bool, expected->count * expected->column_count + 1);
        c.pairing.unexpected = arena_array(arena, size_t, actual->count + 1);
        match_rows(&c);
        show(&c, out);
        *ret_pairing = c.pairing;
    }
    free_patterns(&c);
    return status;
}
