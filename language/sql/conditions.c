#include "language/sql/conditions.h"

#include "base/clock.h"
#include "base/vec.h"
#include "language/sql/lex.h"

struct reader {
    struct sql_tokens tokens;
    struct arena *arena;
    VEC(struct sql_condition) found;
};

static struct sql_conditions finish(struct reader *r)
{
    struct sql_conditions found = {.count = r->found.count};
    if (found.count)
        found.at = arena_memdup(r->arena, r->found.at, found.count * sizeof(*found.at));
    vec_done(&r->found);
    return found;
}

static bool is(const struct reader *r, size_t i, const char *word)
{
    return sql_is_word(&r->tokens, i, word);
}

static bool is_char(const struct reader *r, size_t i, char c)
{
    return sql_is_char(&r->tokens, i, c);
}

static bool is_kind(const struct reader *r, size_t i, enum sql_token_kind kind)
{
    return sql_is_kind(&r->tokens, i, kind);
}

static bool is_name(const struct reader *r, size_t i)
{
    return is_kind(r, i, SQL_WORD) || is_kind(r, i, SQL_QUOTED);
}

/* Words that stand before a constant and say its type. */
static bool is_type(const struct reader *r, size_t i)
{
    return is(r, i, "date") || is(r, i, "timestamp") || is(r, i, "timestamptz") || is(r, i, "text");
}

/* The constant at i; gives the token behind it and its cast, i when there is none. */
static size_t constant(const struct reader *r, size_t i, struct sql_condition *ret)
{
    size_t at = is_type(r, i) ? i + 1 : i;
    bool string = is_kind(r, at, SQL_STRING) && r->tokens.text.p[r->tokens.at[at].offset] == '\'';
    if (!string && !is_kind(r, at, SQL_NUMBER))
        return i;
    struct slice text = sql_token_text(&r->tokens, at);
    ret->offset = r->tokens.at[at].offset;
    ret->value = string ? slice_make(text.p + 1, text.size - 2) : text;
    if (is_char(r, at + 1, ':') && is_char(r, at + 2, ':') && is_kind(r, at + 3, SQL_WORD))
        return at + 4;
    return at + 1;
}

/* The relation whose sign is at i; gives the token behind it, i when there is none. */
static size_t relation(const struct reader *r, size_t i, enum sql_relation *ret)
{
    bool equal = is_char(r, i + 1, '=');
    if (is_char(r, i, '=')) {
        *ret = SQL_EQUAL;
        return i + 1;
    }
    if ((!is_char(r, i, '<') && !is_char(r, i, '>')) ||
        (is_char(r, i, '<') && is_char(r, i + 1, '>')))
        return i;
    *ret = is_char(r, i, '<') ? SQL_AT_MOST : SQL_AT_LEAST;
    return i + 1 + equal;
}

/* The condition whose column ends at i; gives the token behind it. */
static size_t condition(struct reader *r, size_t i, struct sql_condition found)
{
    size_t value = relation(r, i + 1, &found.relation), behind;
    found.column = sql_token_text(&r->tokens, i);
    if (value > i + 1) {
        behind = constant(r, value, &found);
        if (behind == value)
            return i + 1;
        vec_push(&r->found, found);
        return behind;
    }
    if (!is(r, i + 1, "between") || (behind = constant(r, i + 2, &found)) == i + 2)
        return i + 1;
    found.relation = SQL_AT_LEAST;
    vec_push(&r->found, found);
    if (!is(r, behind, "and"))
        return behind;
    found.relation = SQL_AT_MOST;
    size_t end = constant(r, behind + 1, &found);
    if (end > behind + 1)
        vec_push(&r->found, found);
    return end;
}

struct sql_conditions sql_conditions_find(const struct sql_tokens *statement, struct arena *arena)
{
    struct reader r = {.tokens = *statement, .arena = arena};
    size_t depth = 0;
    bool seen = false;
    for (size_t i = 0; i < r.tokens.count;) {
        depth += is_char(&r, i, '(');
        depth -= is_char(&r, i, ')') && depth;
        seen |= is(&r, i, "where") || is(&r, i, "on");
        i = seen && is_name(&r, i) ? condition(&r, i, (struct sql_condition){.inner = depth > 0})
                                   : i + 1;
    }
    return finish(&r);
}

/* ---- INSERT ---------------------------------------------------------------------------------- */

/* The token of the next comma, closing bracket or FROM that ends an item of a list at i. */
static size_t item_end(const struct reader *r, size_t i)
{
    size_t depth = 0;
    for (; i < r->tokens.count; i++) {
        if (depth == 0 && (is_char(r, i, ',') || is_char(r, i, ')') || is(r, i, "from")))
            return i;
        depth += is_kind(r, i, SQL_OPEN);
        depth -= is_kind(r, i, SQL_CLOSE) && depth;
    }
    return i;
}

/* Columns from `columns` on, beside values from `values` on. */
static void pair(struct reader *r, size_t columns, size_t values)
{
    while (is_name(r, columns)) {
        struct sql_condition found = {.column = sql_token_text(&r->tokens, columns)};
        size_t end = item_end(r, values), behind = constant(r, values, &found);
        if (behind > values && (behind == end || is(r, behind, "as")))
            vec_push(&r->found, found);
        if (!is_char(r, columns + 1, ',') || !is_char(r, end, ','))
            return;
        columns += 2;
        values = end + 1;
    }
}

struct sql_conditions sql_constants_inserted(
    const struct sql_tokens *statement, struct arena *arena)
{
    struct reader r = {.tokens = *statement, .arena = arena};
    size_t i = 0;
    while (i < r.tokens.count && !is(&r, i, "into"))
        i++;
    while (
        i < r.tokens.count && !is_char(&r, i, '(') && !is(&r, i, "select") && !is(&r, i, "values"))
        i++;
    size_t columns = i + 1;
    while (i < r.tokens.count && !is_char(&r, i, ')'))
        i++;
    i++;
    if (is(&r, i, "values") && is_char(&r, i + 1, '('))
        pair(&r, columns, i + 2);
    else if (is(&r, i, "select"))
        pair(&r, columns, is(&r, i + 1, "distinct") ? i + 2 : i + 1);
    return finish(&r);
}

bool sql_guards_itself(const struct sql_tokens *statement)
{
    static const char *const absent[] = {"exists", "in", NULL}, *const joins[] = {
                                                                    "left", "full", NULL};
    bool outer = false;
    for (size_t i = 0; i < statement->count; i++) {
        bool behind = i > 0;
        if (sql_is_word(statement, i, "except") ||
            (behind && sql_is_word(statement, i - 1, "not") && sql_is_any(statement, i, absent)) ||
            (outer && sql_is_word(statement, i - 1, "is") && sql_is_word(statement, i, "null")))
            return true;
        outer |= sql_is_any(statement, i, joins);
    }
    return false;
}

/* ---- days ------------------------------------------------------------------------------------ */

static bool digits(struct slice text, size_t from, size_t count, int *ret)
{
    *ret = 0;
    for (size_t i = from; i < from + count; i++) {
        if (i >= text.size || text.p[i] < '0' || text.p[i] > '9')
            return false;
        *ret = *ret * 10 + (text.p[i] - '0');
    }
    return true;
}

static bool day_from(struct slice text, size_t month, size_t day, int64_t *ret_day)
{
    struct civil civil = {0};
    if (!digits(text, 0, 4, &civil.year) || !digits(text, month, 2, &civil.month) ||
        !digits(text, day, 2, &civil.day))
        return false;
    if (civil.year < 1900 || civil.year > 2199 || civil.month < 1 || civil.month > 12 ||
        civil.day < 1 || civil.day > days_in_month(civil.year, civil.month))
        return false;
    *ret_day = days_from_civil(civil.year, civil.month, civil.day);
    return true;
}

bool sql_day_read(struct slice text, int64_t *ret_day)
{
    bool dashes = text.size >= 10 && text.p[4] == '-' && text.p[7] == '-';
    if (dashes)
        return day_from(text, 5, 8, ret_day);
    return text.size == 8 && day_from(text, 4, 6, ret_day);
}

bool sql_day_of_name(const char *name, int64_t *ret_day)
{
    for (const char *p = name; *p;) {
        size_t size = strspn(p, "0123456789");
        if (size == 8 && day_from(slice_make(p, size), 4, 6, ret_day))
            return true;
        p += size ? size : 1;
    }
    return false;
}
