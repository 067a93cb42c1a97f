/*
 * Bound parameters: `$1` of a list, `%(name)s` of a mapping (as Airflow's users write it).
 *
 * A statement gets only those that it names, numbered anew, because the server refuses values that
 * it does not need.  The new placeholder takes the old one's place with blanks behind it, so that
 * the positions of the server's errors stay right.
 */
#include <stdio.h>

#include "executor/operators/sql_attempt.h"
#include "language/sql/lex.h"

/* A placeholder in the text: what it names, and how long it is. */
struct placeholder {
    size_t offset, size;
    const char *name; /* "1" or "day" */
};

static bool follows(const struct sql_token *before, const struct sql_token *token)
{
    return token->offset == before->offset + before->size;
}

/* `%(name)s` at a percent sign: five tokens without blanks between. */
static bool read_named(
    struct slice text, size_t percent, struct arena *arena, struct placeholder *ret)
{
    static const enum sql_token_kind kinds[] = {SQL_OPEN, SQL_WORD, SQL_CLOSE, SQL_WORD};
    struct sql_token tokens[4], before = {.offset = percent, .size = 1};
    size_t position = percent + 1;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        tokens[i] = sql_lex(text, &position);
        if (tokens[i].kind != kinds[i] || !follows(&before, &tokens[i]))
            return false;
        before = tokens[i];
    }
    if (text.p[tokens[0].offset] != '(' || !sql_token_is(text, tokens[3], "s"))
        return false;
    ret->offset = percent;
    ret->size = position - percent;
    ret->name = arena_strndup(arena, text.p + tokens[1].offset, tokens[1].size);
    return true;
}

static bool read_placeholder(struct slice text, struct sql_token token, bool by_name,
    struct arena *arena, struct placeholder *ret)
{
    if (by_name)
        return token.kind == SQL_OTHER && text.p[token.offset] == '%' &&
               read_named(text, token.offset, arena, ret);
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

static void put(char *text, const struct placeholder *at, size_t number)
{
    char name[16];
    int size = snprintf(name, sizeof(name), "$%zu", number);
    memset(text + at->offset, ' ', at->size);
    memcpy(text + at->offset, name, (size_t)size);
}

bool sql_bind(
    struct sql_attempt *s, struct slice statement, struct sql_bound *ret, size_t *ret_offset)
{
    struct arena *arena = s->attempt->arena;
    bool by_name = json_is_object(s->task->parameters);
    ret->text = arena_strndup(arena, statement.p, statement.size);
    ret->count = 0;
    size_t position = 0;
    struct sql_token token;
    while (s->task->parameters && (token = sql_lex(statement, &position)).kind != SQL_END) {
        struct placeholder at;
        if (!read_placeholder(statement, token, by_name, arena, &at))
            continue;
        size_t number = number_of(s, ret, at.name);
        if (!number) {
            *ret_offset = at.offset;
            return false;
        }
        put(ret->text, &at, number);
        position = at.offset + at.size;
    }
    return true;
}
