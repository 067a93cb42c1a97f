#include "language/sql/tables.h"

#include <pg_query.h>

#include "base/json.h"
#include "language/sql/name.h"
#include "language/sql/split.h"
#include "language/sql/tables_internal.h"

/* ---- what was found -------------------------------------------------------------------------- */

void finder_add(struct finder *f, const char *schema, const char *name, unsigned use, size_t offset,
    bool temporary)
{
    char *key = arena_printf(f->arena, "%s.%s", schema ? schema : "", name);
    size_t found = (size_t)(uintptr_t)map_get(f->known, key);
    if (!found && f->tables.count == SQL_TABLES_MAX)
        return;
    if (!found) {
        struct sql_table table = {.schema = schema ? arena_strdup(f->arena, schema) : NULL,
            .name = arena_strdup(f->arena, name),
            .offset = offset};
        vec_push(&f->tables, table);
        found = f->tables.count;
        map_set(f->known, key, (void *)(uintptr_t)found);
    }
    struct sql_table *table = &f->tables.at[found - 1];
    table->uses |= use;
    table->temporary |= temporary;
    table->gone = use == SQL_DROPS || (table->gone && use == SQL_READS);
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

void finder_add_named(struct finder *f, struct slice name, unsigned use, size_t offset)
{
    struct sql_table table;
    if (sql_table_read(name, f->arena, &table))
        finder_add(f, table.schema, table.name, use, offset, false);
}

/* ---- the parser's tree ----------------------------------------------------------------------- */

/* Names of WITH that hide tables. */
struct scope {
    const struct scope *outer;
    const json_t *ctes;
    size_t count; /* of them that are seen here */
};

static const char *text_of(const json_t *node, const char *key)
{
    return json_string_value(json_object_get(node, key));
}

static size_t place_of(const struct finder *f, const json_t *node)
{
    json_int_t location = json_integer_value(json_object_get(node, "location"));
    bool inside = location > 0 && (size_t)location < f->statement.size;
    return f->base + (inside ? (size_t)location : 0);
}

static const json_t *cte_at(const json_t *ctes, size_t i)
{
    return json_object_get(json_array_get(ctes, i), "CommonTableExpr");
}

static bool is_hidden(const struct scope *scope, const char *name)
{
    for (; scope; scope = scope->outer)
        for (size_t i = 0; i < scope->count; i++)
            if (str_equal(text_of(cte_at(scope->ctes, i), "ctename"), name))
                return true;
    return false;
}

/* A RangeVar. */
static void add_range(
    struct finder *f, const json_t *range, unsigned use, const struct scope *scope)
{
    const char *schema = text_of(range, "schemaname"), *name = text_of(range, "relname");
    const char *persistence = text_of(range, "relpersistence");
    if (!name || (use == SQL_READS && !schema && is_hidden(scope, name)))
        return;
    bool temporary = (use & SQL_CREATES) && persistence && *persistence == 't';
    finder_add(f, schema, name, use, place_of(f, range), temporary);
}

/* Members of nodes that are tables, alone or in a list; any other RangeVar is read. */
static const struct {
    const char *node, *member;
    unsigned use;
} members[] = {
    {"InsertStmt", "relation", SQL_WRITES},
    {"UpdateStmt", "relation", SQL_WRITES},
    {"DeleteStmt", "relation", SQL_WRITES},
    {"MergeStmt", "relation", SQL_WRITES},
    {"TruncateStmt", "relations", SQL_WRITES},
    {"RefreshMatViewStmt", "relation", SQL_WRITES},
    {"CreateStmt", "relation", SQL_CREATES},
    {"CreateStmt", "inhRelations", SQL_ALTERS}, /* a partition's parent */
    {"base", "relation", SQL_CREATES},          /* of CreateForeignTableStmt */
    {"TableLikeClause", "relation", SQL_READS},
    {"ViewStmt", "view", SQL_CREATES},
    {"into", "rel", SQL_CREATES | SQL_WRITES},
    {"intoClause", "rel", SQL_CREATES | SQL_WRITES},
    {"AlterTableStmt", "relation", SQL_ALTERS},
    {"AlterObjectSchemaStmt", "relation", SQL_ALTERS},
    {"RenameStmt", "relation", SQL_ALTERS},
    {"PartitionCmd", "name", SQL_ALTERS},
    {"IndexStmt", "relation", SQL_ALTERS},
    {"CreateTrigStmt", "relation", SQL_ALTERS},
    {"RuleStmt", "relation", SQL_ALTERS},
    /* neither read nor written */
    {"VacuumRelation", "relation", 0},
    {"LockStmt", "relations", 0},
    {"GrantStmt", "objects", 0},
};

static bool add_member(struct finder *f, const char *node, const char *member, const json_t *value,
    const struct scope *scope)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (!str_equal(members[i].node, node) || !str_equal(members[i].member, member))
            continue;
        if (!members[i].use)
            return true;
        if (json_is_object(value))
            add_range(f, value, members[i].use, scope);
        for (size_t k = 0; k < json_array_size(value); k++)
            add_range(
                f, json_object_get(json_array_get(value, k), "RangeVar"), members[i].use, scope);
        return true;
    }
    return false;
}

/* Of MADlib: which arguments, from 1, name tables; 0 = none. */
static const struct {
    const char *function;
    unsigned reads[2], creates;
} madlib[] = {
    {"train_test_split", {1}, 2},
    {"forest_train", {1}, 2},
    {"tree_train", {1}, 2},
    {"forest_predict", {1, 2}, 3},
    {"tree_predict", {1, 2}, 3},
    {"get_var_importance", {1}, 2},
    {"pivot", {1}, 2},
    {"area_under_roc", {1}, 2},
    {"confusion_matrix", {1}, 2},
    {"encode_categorical_variables", {1}, 2},
    {"linregr_train", {1}, 2},
    {"logregr_train", {1}, 2},
    {"summary", {1}, 2},
};

static void add_argument(struct finder *f, const json_t *call, unsigned number, unsigned use)
{
    const json_t *argument =
        number ? json_array_get(json_object_get(call, "args"), number - 1) : NULL;
    const json_t *constant = json_object_get(argument, "A_Const");
    const char *name = text_of(json_object_get(constant, "sval"), "sval");
    if (name)
        finder_add_named(f, slice_of(name), use, place_of(f, constant));
}

static void add_call(struct finder *f, const json_t *call)
{
    const json_t *name = json_object_get(call, "funcname");
    size_t parts = json_array_size(name);
    const json_t *last = json_array_get(name, parts - 1);
    const char *function = text_of(json_object_get(last, "String"), "sval");
    const char *schema = text_of(json_object_get(json_array_get(name, 0), "String"), "sval");
    if (parts != 2 || !str_equal(schema, "madlib"))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(madlib); i++)
        if (str_equal(madlib[i].function, function)) {
            add_argument(f, call, madlib[i].reads[0], SQL_READS);
            add_argument(f, call, madlib[i].reads[1], SQL_READS);
            add_argument(f, call, madlib[i].creates, SQL_CREATES | SQL_WRITES);
        }
}

static void add_dropped(struct finder *f, const json_t *drop)
{
    static const char *const kinds[] = {
        "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"};
    const char *kind = text_of(drop, "removeType");
    bool tables = false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        tables |= str_equal(kind, kinds[i]);
    const json_t *objects = json_object_get(drop, "objects");
    for (size_t i = 0; tables && i < json_array_size(objects); i++) {
        const json_t *list = json_object_get(json_array_get(objects, i), "List");
        const json_t *items = json_object_get(list, "items");
        size_t count = json_array_size(items);
        const char *parts[2] = {NULL, NULL};
        for (size_t k = 0; k < 2 && k < count; k++)
            parts[k] =
                text_of(json_object_get(json_array_get(items, count - 1 - k), "String"), "sval");
        if (parts[0])
            finder_add(f, parts[1], parts[0], SQL_DROPS, f->base, false);
    }
}

static void walk(struct finder *f, const char *name, const json_t *node, const struct scope *scope);

/* Each common table sees those before it, with RECURSIVE all. */
static void walk_ctes(struct finder *f, const json_t *with, const struct scope *outer)
{
    const json_t *ctes = json_object_get(with, "ctes");
    bool recursive = json_is_true(json_object_get(with, "recursive"));
    size_t count = json_array_size(ctes);
    for (size_t i = 0; i < count; i++) {
        struct scope scope = {outer, ctes, recursive ? count : i};
        walk(f, "CommonTableExpr", cte_at(ctes, i), &scope);
    }
}

/* What a node is by itself; true when there is nothing below it to look at. */
static bool take_node(
    struct finder *f, const char *name, const json_t *node, const struct scope *scope)
{
    if (str_equal(name, "RangeVar"))
        add_range(f, node, SQL_READS, scope);
    else if (str_equal(name, "DropStmt"))
        add_dropped(f, node);
    else if (str_equal(name, "DoStmt"))
        sql_guess_block(f);
    else if (str_equal(name, "CopyStmt"))
        add_range(f, json_object_get(node, "relation"),
            json_is_true(json_object_get(node, "is_from")) ? SQL_WRITES : SQL_READS, scope);
    else if (str_equal(name, "FuncCall"))
        add_call(f, node);
    return str_equal(name, "RangeVar") || str_equal(name, "DoStmt") ||
           str_equal(name, "CreateFunctionStmt");
}

static void walk(struct finder *f, const char *name, const json_t *node, const struct scope *scope)
{
    for (size_t i = 0; i < json_array_size(node); i++)
        walk(f, name, json_array_get(node, i), scope);
    if (!json_is_object(node) || take_node(f, name, node, scope))
        return;
    const json_t *with = json_object_get(node, "withClause");
    const json_t *ctes = json_object_get(with, "ctes");
    struct scope inner = {scope, ctes, json_array_size(ctes)};
    if (with) {
        walk_ctes(f, with, scope);
        scope = &inner;
    }
    for (void *at = json_object_iter((json_t *)node); at;
         at = json_object_iter_next((json_t *)node, at)) {
        const char *key = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        if (!str_equal(key, "withClause") && !add_member(f, name, key, value, scope))
            walk(f, key, value, scope);
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

static bool take_tree(struct finder *f, const char *text)
{
    PgQueryParseResult result = pg_query_parse(text);
    CLEANUP(json_decrefp) json_t *tree = NULL;
    bool ok = !result.error &&
              json_parse(result.parse_tree, strlen(result.parse_tree), NULL, &tree, NULL) == OK;
    if (ok)
        walk(f, "", tree, NULL);
    pg_query_free_parse_result(result);
    return ok;
}

static bool is_short(struct slice statement)
{
    size_t position = 0, count = 0;
    while (sql_lex(statement, &position).kind != SQL_END)
        if (++count > SQL_PARSE_TOKENS_MAX)
            return false;
    return true;
}

static void find_in_statement(struct finder *f)
{
    if (is_short(f->statement) && take_tree(f, sql_blank_greenplum(f->statement, f->arena)))
        return;
    f->guessed = true;
    sql_guess_tables(f);
}

struct sql_tables sql_tables_find(struct slice text, struct arena *arena)
{
    struct finder f = {.arena = arena, .known = map_new()};
    struct sql_statements statements;
    size_t offset;
    if (sql_split(text, arena, &statements, &offset, NULL) != OK) {
        statements.count = 0;
        f.guessed = true;
    }
    for (size_t i = 0; i < statements.count; i++) {
        f.base = statements.at[i].offset;
        f.statement = slice_make(text.p + f.base, statements.at[i].size);
        find_in_statement(&f);
    }
    struct sql_tables found = {.count = f.tables.count, .guessed = f.guessed};
    if (found.count)
        found.at = arena_memdup(arena, f.tables.at, found.count * sizeof(*found.at));
    map_free(f.known);
    vec_done(&f.tables);
    return found;
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
