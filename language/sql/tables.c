#include "language/sql/tables.h"

#include <pg_query.h>

#include "language/sql/name.h"
#include "language/sql/tables_internal.h"

/* ---- what was found -------------------------------------------------------------------------- */

/* 1 + the table's index; 0 above the ceiling. */
static size_t table_of(struct finder *f, const char *schema, const char *name, size_t offset)
{
    char *key = arena_printf(f->arena, "%s.%s", schema ? schema : "", name);
    size_t found = (size_t)(uintptr_t)map_get(f->known, key);
    if (found || f->tables.count == SQL_TABLES_MAX)
        return found;
    struct sql_table table = {.schema = schema ? arena_strdup(f->arena, schema) : NULL,
        .name = arena_strdup(f->arena, name),
        .offset = offset};
    vec_push(&f->tables, table);
    map_set(f->known, key, (void *)(uintptr_t)f->tables.count);
    return f->tables.count;
}

void finder_add(
    struct finder *f, const char *schema, const char *name, struct use use, size_t offset)
{
    if (strstr(name, SQL_UNKNOWN) || (schema && strstr(schema, SQL_UNKNOWN))) {
        f->calls = true;
        return;
    }
    size_t found = table_of(f, schema, name, f->base + offset);
    if (!found)
        return;
    struct sql_table *table = &f->tables.at[found - 1];
    table->uses |= use.use;
    table->temporary |= use.temporary;
    table->gone = use.use == SQL_DROPS || (table->gone && use.use == SQL_READS);
    struct sql_mention mention = {.table = found - 1,
        .use = use.use,
        .manner = use.manner,
        .offset = f->base + offset,
        .statement = f->statements.count - 1};
    vec_push(&f->mentions, mention);
}

bool sql_table_read(struct slice name, struct arena *arena, struct sql_table *ret)
{
    const char *parts[SQL_NAME_PARTS_MAX];
    size_t count = sql_name_parts(name, arena, parts);
    if (count)
        *ret = (struct sql_table){
            .schema = count > 1 ? parts[count - 2] : NULL, .name = parts[count - 1]};
    return count > 0;
}

void finder_add_named(struct finder *f, struct slice name, struct use use, size_t offset)
{
    struct sql_table table;
    if (sql_table_read(name, f->arena, &table))
        finder_add(f, table.schema, table.name, use, offset);
}

/* ---- statements ------------------------------------------------------------------------------ */

/* The byte of a character, both from 0. */
static size_t byte_of(struct slice text, size_t character)
{
    size_t at = 0;
    while (at < text.size && character > 0) {
        at++;
        while (at < text.size && ((unsigned char)text.p[at] & 0xc0) == 0x80)
            at++;
        character--;
    }
    return at;
}

static void note_problem(struct finder *f, const PgQueryError *error)
{
    struct sql_examined *statement = &f->statements.at[f->statements.count - 1];
    size_t character = error->cursorpos > 0 ? (size_t)error->cursorpos - 1 : 0;
    statement->problem = arena_strdup(f->arena, error->message);
    statement->problem_offset = f->base + byte_of(f->tokens.text, character);
}

static bool take_tree(struct finder *f, const char *text)
{
    PgQueryParseResult result = pg_query_parse(text);
    struct tree tree;
    bool ok = false;
    if (result.error)
        note_problem(f, result.error);
    else
        ok = tree_read(&tree, result.parse_tree);
    if (ok) {
        sql_walk_tree(f, &tree);
        tree_done(&tree);
    }
    pg_query_free_parse_result(result);
    return ok;
}

void finder_examine(struct finder *f, bool inner)
{
    size_t index = f->statements.count;
    struct sql_examined *statement = vec_add(&f->statements);
    *statement = (struct sql_examined){
        .tokens = f->tokens, .offset = f->base, .parsed = true, .inner = inner};
    const char *text = sql_blank_greenplum(&f->tokens, f->arena);
    if (text && take_tree(f, text))
        return;
    f->guessed = true;
    f->statements.at[index].parsed = false;
    sql_guess_tables(f);
}

static struct sql_tables finish(struct finder *f)
{
    struct sql_tables found = {.count = f->tables.count,
        .mention_count = f->mentions.count,
        .statement_count = f->statements.count,
        .guessed = f->guessed,
        .calls = f->calls};
    if (found.count)
        found.at = arena_memdup(f->arena, f->tables.at, found.count * sizeof(*found.at));
    if (found.mention_count)
        found.mentions =
            arena_memdup(f->arena, f->mentions.at, found.mention_count * sizeof(*found.mentions));
    if (found.statement_count)
        found.statements = arena_memdup(
            f->arena, f->statements.at, found.statement_count * sizeof(*found.statements));
    map_free(f->known);
    vec_done(&f->tables);
    vec_done(&f->mentions);
    vec_done(&f->statements);
    return found;
}

struct sql_tables sql_tables_find(
    struct slice text, const struct sql_functions *functions, struct arena *arena)
{
    struct finder f = {.arena = arena, .known = map_new(), .functions = functions};
    struct sql_statements statements;
    size_t offset;
    if (sql_split_tokens(text, arena, &statements, &offset, NULL) != OK) {
        struct sql_tables none = finish(&f);
        none.guessed = none.unended = true;
        return none;
    }
    for (size_t i = 0; i < statements.count; i++) {
        size_t index = f.statements.count;
        f.base = statements.at[i].offset;
        f.tokens = statements.at[i].tokens;
        finder_examine(&f, false);
        f.statements.at[index].control = statements.at[i].control;
        f.statements.at[index].word = statements.at[i].word;
    }
    return finish(&f);
}

char *sql_table_shown(const struct sql_table *table, struct arena *arena)
{
    const char *parts[] = {table->schema, table->name};
    struct strbuf out = {.arena = arena};
    for (size_t i = table->schema ? 0 : 1; i < 2; i++) {
        if (out.size)
            strbuf_add_char(&out, '.');
        strbuf_add_str(
            &out, sql_name_is_plain(parts[i]) ? parts[i] : sql_identifier(arena, parts[i]));
    }
    return (char *)strbuf_finish(&out, arena).p;
}
