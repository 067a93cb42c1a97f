/*
 * What stands in a task's rendered SQL: values from outside that no filter has quoted, and what the
 * filters `bind` and `literal` made where it does not mean what it seems to.
 */
#include "definition/context/context.h"
#include "definition/lint_internal.h"
#include "language/sql/parameters.h"
#include "language/sql/tables.h"

/* The expression that begins at a byte of a template, for the message; "" when it is none. */
static struct slice expression_at(struct slice text, size_t at)
{
    enum { SHOWN_MAX = 60 };
    struct slice rest = slice_make(text.p + at, text.size - at);
    size_t size = 0;
    while (size < rest.size && size < SHOWN_MAX && rest.p[size] != '\n' &&
           !(rest.p[size] == '}' && size + 1 < rest.size && rest.p[size + 1] == '}'))
        size++;
    if (size == rest.size || rest.p[size] != '}')
        return (struct slice){0};
    struct slice shown = slice_trim(slice_make(rest.p, size));
    if (shown.size && shown.p[shown.size - 1] == '-')
        shown = slice_trim(slice_make(shown.p, shown.size - 1));
    return shown;
}

static struct slice expression_of(
    const struct jinja_result *map, const struct jinja_segment *segment)
{
    return expression_at(map->sources[segment->template].text, segment->source);
}

/* "`params.day | bind`", or what else it is called. */
static const char *shown_or(struct linting *l, const struct jinja_result *map,
    const struct jinja_segment *segment, const char *otherwise)
{
    struct slice shown = expression_of(map, segment);
    return shown.size ? arena_printf(l->arena, "`%.*s`", SLICE_ARG(shown)) : otherwise;
}

static void place_offset(const struct jinja_result *map, size_t offset, struct error *error)
{
    struct jinja_origin origin;
    if (!jinja_map_find(map, offset, &origin))
        return;
    char excerpt[ERROR_EXCERPT_SIZE];
    snprintf(excerpt, sizeof(excerpt), "%.*s", SLICE_ARG(origin.source_line));
    error_place(error, origin.file, origin.line, origin.column, excerpt);
}

static void place_at(
    const struct jinja_result *map, const struct jinja_segment *segment, struct error *error)
{
    place_offset(map, segment->offset, error);
}

/* ---- values from outside --------------------------------------------------------------------- */

static void report_untrusted(
    struct linting *l, const struct jinja_result *map, const struct jinja_segment *segment)
{
    struct error error;
    error_set(&error, ERR_LINT, "%s is pasted into SQL as it is",
        shown_or(l, map, segment, "a value from outside"));
    error_hint(&error, "a parameter, a run's conf or an XCom may hold anything: write `| literal` "
                       "or `| bind` for a value, `| identifier` for a name");
    place_at(map, segment, &error);
    lint_add(l, "warning", "untrusted-value", &error);
}

static void check_untrusted(struct linting *l, const struct jinja_result *map)
{
    for (size_t i = 0; i < map->segment_count; i++)
        if (map->segments[i].length && (map->segments[i].marks & JINJA_UNTRUSTED))
            report_untrusted(l, map, &map->segments[i]);
}

/* ---- what `bind` and `literal` made ---------------------------------------------------------- */

/* A statement at hand. */
struct checking {
    const struct jinja_result *map;
    const struct sql_examined *statement;
};

static void report_in_quotes(
    struct linting *l, const struct checking *c, const struct jinja_segment *segment)
{
    struct error error;
    error_set(&error, ERR_LINT,
        "%s stands inside of quotes, and the quotes that it brings end them",
        shown_or(l, c->map, segment, "a literal"));
    error_hint(&error, "take the quotes around it away; join texts in the template, "
                       "`{{ ('day ' ~ x) | literal }}`, or with `||`");
    place_at(c->map, segment, &error);
    lint_add(l, "warning", "literal-in-quotes", &error);
}

static void report_stays(struct linting *l, const struct checking *c,
    const struct jinja_segment *segment, const char *why, const char *instead)
{
    struct error error;
    error_set(&error, ERR_LINT, "%s stays a literal: %s",
        shown_or(l, c->map, segment, "what `bind` made"), why);
    error_hint(&error, "%s", instead);
    place_at(c->map, segment, &error);
    lint_add(l, "info", "bind-literal", &error);
}

static bool is_quoted(const struct checking *c, const struct jinja_segment *segment)
{
    const char *text = c->map->text.p + segment->offset;
    return segment->length > 1 && (text[0] == '\'' || (text[0] == 'E' && text[1] == '\''));
}

static bool is_literal(const struct checking *c, const struct jinja_segment *segment)
{
    static const struct slice filter = {"literal", 7};
    struct slice shown = expression_of(c->map, segment);
    return segment->marks & JINJA_BOUND ||
           (shown.size > filter.size &&
               memcmp(shown.p + shown.size - filter.size, filter.p, filter.size) == 0);
}

/* A segment that begins in the i-th token, or before it. */
static void check_literal(
    struct linting *l, const struct checking *c, const struct jinja_segment *segment, size_t i)
{
    const struct sql_tokens *tokens = &c->statement->tokens;
    struct sql_token token = tokens->at[i];
    struct sql_token before = i ? tokens->at[i - 1] : (struct sql_token){.kind = SQL_END};
    size_t offset = c->statement->offset + token.offset;
    bool alone = segment->offset == offset && segment->length == token.size;
    if (token.kind == SQL_STRING && offset < segment->offset && is_literal(c, segment))
        report_in_quotes(l, c, segment);
    else if (!(segment->marks & JINJA_BOUND))
        return;
    else if (!sql_takes_parameters(tokens->text)) {
        struct sql_token word = sql_first_word(tokens->text);
        report_stays(l, c, segment,
            arena_printf(l->arena, "`%.*s` is no query and takes no bound parameters",
                (int)word.size, tokens->text.p + word.offset),
            "write `| literal` here, which says so");
    } else if (!alone)
        report_stays(l, c, segment, "other text or a quote stands around it",
            "write `| literal` here, which says so");
    else if (!sql_begins_expression(tokens->text, before))
        report_stays(l, c, segment, "a parameter cannot stand behind a name",
            "write `{{ … | bind }}::date` in place of `date {{ … | bind }}`, or `| literal`");
}

static void check_control(
    struct linting *l, const struct jinja_result *map, const struct sql_examined *statement)
{
    struct error error;
    if (statement->control != SQL_CONTROL_TRANSACTION || l->task->kind != KIND_SQL)
        return;
    lint_control_error(l, statement->word, &error);
    place_offset(map, statement->offset, &error);
    lint_add(l, "error", "transaction-control", &error);
}

/* Segments from *segment on that begin before the statement's end; each is looked at with the first
   token that does not end before it. */
static void check_segments(struct linting *l, const struct checking *c, size_t *segment)
{
    const struct sql_examined *statement = c->statement;
    const struct sql_tokens *tokens = &statement->tokens;
    size_t i = 0, end = statement->offset + tokens->text.size;
    for (; *segment < c->map->segment_count; ++*segment) {
        const struct jinja_segment *at = &c->map->segments[*segment];
        if (at->offset >= end)
            return;
        if (at->verbatim || at->offset + at->length <= statement->offset || !is_quoted(c, at))
            continue;
        while (i < tokens->count &&
               statement->offset + tokens->at[i].offset + tokens->at[i].size <= at->offset)
            i++;
        if (i < tokens->count && at->offset + at->length > statement->offset + tokens->at[i].offset)
            check_literal(l, c, at, i);
    }
}

/* A text that cannot be split has no statements: it fails on the server, and another check may have
   said so. */
static void check_literals(
    struct linting *l, const struct jinja_result *map, const struct sql_tables *tables)
{
    size_t segment = 0;
    for (size_t i = 0; i < tables->statement_count; i++) {
        struct checking c = {map, &tables->statements[i]};
        if (c.statement->inner)
            continue;
        check_control(l, map, c.statement);
        check_segments(l, &c, &segment);
    }
}

void lint_sql_part(struct linting *l, const struct jinja_result *map)
{
    check_untrusted(l, map);
}

void lint_sql(struct linting *l, const struct jinja_result *map, const struct sql_tables *tables)
{
    check_untrusted(l, map);
    check_literals(l, map, tables);
}
