/*
 * Bound parameters: `$1` of a list, `%(name)s` of a mapping (as Airflow's users write it), and what
 * the filter `bind` made.
 *
 * Of the latter only text is bound, which as a literal has no type either; numbers, NULL and arrays
 * have one that a parameter would lose.  It stays a literal where the server takes no parameter:
 * outside of queries (DDL, DO, SET, COPY), inside of quotes, behind the name of a type
 * (`date '2007-04-12'`).
 *
 * A statement gets only those that it names, numbered anew, because the server refuses values that
 * it does not need.  The new placeholder takes the old one's place with blanks behind it, so that
 * the positions of the server's errors stay right.
 */
#include <stdio.h>

#include "executor/operators/sql_attempt.h"
#include "language/sql/parameters.h"

/* A placeholder in the text: what it names, and how long it is. */
struct placeholder {
    size_t offset, size;
    const char *name; /* "1" or "day" */
};

static bool read_placeholder(struct slice text, struct sql_token token, bool by_name,
    struct arena *arena, struct placeholder *ret)
{
    if (by_name) {
        struct slice name;
        ret->size = token.kind == SQL_OTHER && text.p[token.offset] == '%'
                        ? sql_named_parameter(text, token.offset, &name)
                        : 0;
        ret->offset = token.offset;
        ret->name = ret->size ? arena_strndup(arena, name.p, name.size) : NULL;
        return ret->size > 0;
    }
    if (token.kind != SQL_PARAMETER)
        return false;
    ret->offset = token.offset;
    ret->size = token.size;
    ret->name = arena_strndup(arena, text.p + token.offset + 1, token.size - 1);
    return true;
}

/* The value of that name as rendered, NULL for null; false when there is none. */
static bool find_value(const struct sql_attempt *s, const char *name, const char **ret)
{
    struct arena *arena = s->attempt->arena;
    const json_t *all = s->task->parameters;
    int64_t number = 0;
    bool by_name = json_is_object(all);
    if (by_name ? !json_object_get(all, name)
                : !parse_int64(slice_of(name), &number) || number < 1 ||
                      (size_t)number > json_array_size(all))
        return false;
    const char *field_name = by_name
                                 ? arena_printf(arena, "parameters.%s", name)
                                 : arena_printf(arena, "parameters[%lld]", (long long)number - 1);
    const struct rendered *field = rendered_find(&s->attempt->rendered, field_name);
    *ret = field ? arena_strndup(arena, field->text.p, field->text.size) : NULL;
    return true;
}

/* Its number in this statement, from 1; added when it is new.  0: there is no such parameter. */
static size_t number_of(struct sql_attempt *s, struct sql_bound *bound, const char *name)
{
    const char *value;
    for (size_t i = 0; i < bound->count; i++) {
        if (str_equal(bound->names[i], name))
            return i + 1;
    }
    if (bound->count == SQL_PARAMETERS_MAX || !find_value(s, name, &value))
        return 0;
    bound->names[bound->count] = name;
    bound->values[bound->count++] = value;
    return bound->count;
}

/* ---- what the filter `bind` made ------------------------------------------------------------- */

static bool is_made_by_bind(const struct rendered *sql, size_t offset, size_t size)
{
    for (size_t i = 0; i < sql->map->segment_count; i++) {
        const struct jinja_segment *segment = &sql->map->segments[i];
        if (segment->offset == offset && segment->length == size)
            return segment->marks & JINJA_BOUND;
    }
    return false;
}

/* What a literal of the filters says: '…' with quotes doubled, E'…' with backslashes too. */
static char *literal_value(struct slice literal, struct arena *arena)
{
    bool escapes = literal.p[0] == 'E';
    char *value = arena_strndup(arena, literal.p, literal.size), *out = value;
    for (size_t i = escapes ? 2 : 1; i + 1 < literal.size; i++) {
        if (literal.p[i] == '\'' || (escapes && literal.p[i] == '\\'))
            i++;
        *out++ = literal.p[i];
    }
    *out = '\0';
    return value;
}

/* Adds the literal's text as a parameter; 0: it stays a literal. */
static size_t number_of_literal(struct sql_attempt *s, struct slice statement,
    struct sql_token before, struct sql_token token, struct sql_bound *bound)
{
    enum { TWO_DIGITS = 10 };
    size_t offset = (size_t)(statement.p - s->sql->text.p) + token.offset;
    size_t number = bound->count + 1, needs = number < TWO_DIGITS ? 2 : 3;
    if (token.kind != SQL_STRING || number >= SQL_PARAMETERS_MAX || token.size < needs ||
        !sql_begins_expression(statement, before) || !is_made_by_bind(s->sql, offset, token.size))
        return 0;
    struct slice literal = slice_make(statement.p + token.offset, token.size);
    bound->names[bound->count] = ""; /* like no name in the text */
    bound->values[bound->count++] = literal_value(literal, s->attempt->arena);
    return number;
}

/* ---- a statement ----------------------------------------------------------------------------- */

static void put(char *text, const struct placeholder *at, size_t number)
{
    char name[16];
    int size = snprintf(name, sizeof(name), "$%zu", number);
    memset(text + at->offset, ' ', at->size);
    memcpy(text + at->offset, name, (size_t)size);
}

/* The parameter that stands at the token.  *ret_number: 0 when none does.  False: the task has no
   such parameter. */
static bool bind_token(struct sql_attempt *s, struct slice statement, struct sql_token token,
    struct sql_bound *bound, struct placeholder *ret_at, size_t *ret_number)
{
    bool by_name = json_is_object(s->task->parameters);
    *ret_number = 0;
    if (!s->task->parameters ||
        !read_placeholder(statement, token, by_name, s->attempt->arena, ret_at))
        return true;
    *ret_number = number_of(s, bound, ret_at->name);
    return *ret_number > 0;
}

bool sql_bind(
    struct sql_attempt *s, struct slice statement, struct sql_bound *ret, size_t *ret_offset)
{
    bool binds = sql_takes_parameters(statement);
    ret->text = arena_strndup(s->attempt->arena, statement.p, statement.size);
    ret->count = 0;
    size_t position = 0, number;
    struct sql_token token, before = {.kind = SQL_END}, other = {.kind = SQL_END};
    for (; (token = sql_lex(statement, &position)).kind != SQL_END; before = token) {
        struct placeholder at = {.offset = token.offset, .size = token.size};
        if (token.kind == SQL_PARAMETER && !other.size)
            other = token;
        if (!bind_token(s, statement, token, ret, &at, &number)) {
            *ret_offset = at.offset;
            return false;
        }
        if (!number && binds)
            number = number_of_literal(s, statement, before, token, ret);
        if (!number)
            continue;
        put(ret->text, &at, number);
        position = at.offset + at.size;
    }
    /* A number of the text's own would mean the value of another. */
    *ret_offset = other.offset;
    return !(ret->count && other.size && !json_is_array(s->task->parameters));
}
