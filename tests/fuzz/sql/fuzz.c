/* SQL text, cut into tokens and statements: each lies in the text, behind the one before. */
#include <assert.h>
#include "language/sql/parameters.h"
#include "language/sql/split.h"
#include "language/sql/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tokens(struct slice text)
{
    size_t position = 0, end = 0;
    struct sql_token token, before = {.kind = SQL_END};
    while ((token = sql_lex(text, &position)).kind != SQL_END) {
        assert(token.size && token.offset >= end && token.offset + token.size <= text.size);
        end = token.offset + token.size;
        assert(position == end);
        if (token.kind == SQL_DOLLAR)
            assert(token.body_offset > token.offset && token.body_offset + token.body_size < end);
        sql_begins_expression(text, before);
        before = token;
        if (token.kind == SQL_UNTERMINATED)
            break;
    }
}

/* A statement alone is the same statement. */
static void check_statement(struct slice text, const struct sql_statement *statement)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice alone = slice_make(text.p + statement->offset, statement->size);
    struct sql_statements statements;
    struct error err;
    size_t offset;
    enum status status = sql_split(alone, arena, &statements, &offset, &err);
    assert(status == OK && statements.count == 1);
    assert(statements.at[0].offset == 0 && statements.at[0].size == statement->size);
    assert(statements.at[0].control == statement->control);
    assert(sql_first_word(alone).offset <= alone.size);
    if (sql_takes_parameters(alone))
        assert(statement->control == SQL_CONTROL_NONE);
}

/* Tables have names, and stand in the text. */
static void check_tables(struct slice text)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char *const names[] = {"$1", "$2_x", "a.b"};
    static const struct sql_function own = {NULL, "f", names, 1, names, ARRAY_SIZE(names)};
    static const struct sql_functions functions = {&own, 1};
    struct sql_tables tables = sql_tables_find(text, &functions, arena);
    for (size_t i = 0; i < tables.count; i++) {
        const struct sql_table *table = &tables.at[i];
        struct sql_table again;
        assert(*table->name && table->uses && table->offset < text.size);
        char *shown = sql_table_shown(table, arena);
        assert(sql_table_read(slice_of(shown), arena, &again));
        assert(str_equal(again.name, table->name) && str_equal(again.schema, table->schema));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct sql_statements statements;
    struct error err;
    size_t offset = 0, end = 0;
    check_tokens(text);
    check_tables(text);
    if (sql_split(text, arena, &statements, &offset, &err) != OK) {
        assert(err.message[0] && offset <= size);
        return 0;
    }
    for (size_t i = 0; i < statements.count; i++) {
        const struct sql_statement *statement = &statements.at[i];
        assert(statement->size && statement->offset >= end);
        end = statement->offset + statement->size;
        assert(end <= size);
        check_statement(text, statement);
    }
    return 0;
}
