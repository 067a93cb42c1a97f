/*
 * What stands in a task's rendered SQL: values from outside that no filter has quoted, and what the
 * filters `bind` and `literal` made where it does not mean what it seems to.
 */
#include "definition/context/context.h"
#include "definition/lint_internal.h"
#include "language/sql/parameters.h"
#include "language/sql/split.h"

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

/* A statement at hand, and how far its segments were looked at. */
struct checking {
    const struct jinja_result *map;
    struct slice statement;
    size_t offset; /* of the statement in the rendered text */
    size_t segment;
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

/* A segment that begins in the token, or before it. */
static void check_literal(struct linting *l, const struct checking *c,
    const struct jinja_segment *segment, struct sql_token before, struct sql_token token)
{
    size_t offset = c->offset + token.offset;
    bool alone = segment->offset == offset && segment->length == token.size;
    if (token.kind == SQL_STRING && offset < segment->offset && is_literal(c, segment))
        report_in_quotes(l, c, segment);
    else if (!(segment->marks & JINJA_BOUND))
        return;
    else if (!sql_takes_parameters(c->statement)) {
        struct sql_token word = sql_first_word(c->statement);
        report_stays(l, c, segment,
            arena_printf(l->arena, "`%.*s` is no query and takes no bound parameters",
                (int)word.size, c->statement.p + word.offset),
            "write `| literal` here, which says so");
    } else if (!alone)
        report_stays(l, c, segment, "other text or a quote stands around it",
            "write `| literal` here, which says so");
    else if (!sql_begins_expression(c->statement, before))
        report_stays(l, c, segment, "a parameter cannot stand behind a name",
            "write `{{ … | bind }}::date` in place of `date {{ … | bind }}`, or `| literal`");
}

static void check_token(
    struct linting *l, struct checking *c, struct sql_token before, struct sql_token token)
{
    size_t begin = c->offset + token.offset, end = begin + token.size;
    for (; c->segment < c->map->segment_count; c->segment++) {
        const struct jinja_segment *segment = &c->map->segments[c->segment];
        if (segment->offset >= end)
            return;
        if (segment->offset + segment->length > begin && !segment->verbatim &&
            is_quoted(c, segment))
            check_literal(l, c, segment, before, token);
    }
}

static void check_control(
    struct linting *l, const struct jinja_result *map, const struct sql_statement *statement)
{
    struct error error;
    if (statement->control != SQL_CONTROL_TRANSACTION || l->task->kind != KIND_SQL)
        return;
    lint_control_error(l, statement->word, &error);
    place_offset(map, statement->offset, &error);
    lint_add(l, "error", "transaction-control", &error);
}

/* A text that cannot be split fails on the server, and another check may have said so. */
static void check_literals(struct linting *l, const struct jinja_result *map)
{
    struct sql_statements statements;
    struct error error;
    size_t offset;
    struct checking c = {.map = map};
    if (sql_split(map->text, l->arena, &statements, &offset, &error) != OK)
        return;
    for (size_t i = 0; i < statements.count; i++) {
        size_t position = 0;
        struct sql_token token, before = {.kind = SQL_END};
        c.offset = statements.at[i].offset;
        c.statement = slice_make(map->text.p + c.offset, statements.at[i].size);
        check_control(l, map, &statements.at[i]);
        for (; (token = sql_lex(c.statement, &position)).kind != SQL_END; before = token)
            check_token(l, &c, before, token);
    }
}

void lint_sql_part(struct linting *l, const struct jinja_result *map)
{
    check_untrusted(l, map);
}

void lint_sql(struct linting *l, const struct jinja_result *map)
{
    check_untrusted(l, map);
    check_literals(l, map);
}
