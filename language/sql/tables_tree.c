/* Tables in the tree that the parser makes of a statement. */
#include "language/sql/tables_internal.h"

struct walking {
    struct finder *f;
    const struct tree *tree;
};

/* Names of WITH that hide tables. */
struct scope {
    const struct scope *outer;
    uint32_t ctes; /* the list */
    size_t count;  /* of its items that are seen here */
};

static size_t place_of(const struct walking *w, uint32_t node)
{
    int64_t location = tree_number(w->tree, node, "location");
    return location > 0 && (size_t)location < w->f->tokens.text.size ? (size_t)location : 0;
}

static bool is_hidden(const struct walking *w, const struct scope *scope, struct slice name)
{
    for (; scope; scope = scope->outer) {
        uint32_t item = scope->ctes ? tree_first(w->tree, scope->ctes) : TREE_NONE;
        for (size_t i = 0; item && i < scope->count; i++) {
            uint32_t cte = tree_member(w->tree, item, "CommonTableExpr");
            if (slice_equal(tree_text(w->tree, cte, "ctename"), name))
                return true;
            item = tree_sibling(w->tree, scope->ctes, item);
        }
    }
    return false;
}

/* A RangeVar. */
static void add_range(
    const struct walking *w, uint32_t range, struct use use, const struct scope *scope)
{
    struct slice schema = tree_text(w->tree, range, "schemaname");
    struct slice name = tree_text(w->tree, range, "relname");
    struct slice persistence = tree_text(w->tree, range, "relpersistence");
    if (!name.size || (use.use == SQL_READS && !schema.size && is_hidden(w, scope, name)))
        return;
    use.temporary = (use.use & SQL_CREATES) && slice_equal_str(persistence, "t");
    finder_add(w->f, schema.size ? tree_unescaped(schema, w->f->arena) : NULL,
        tree_unescaped(name, w->f->arena), use, place_of(w, range));
}

/* Members of nodes that are tables, alone or in a list; any other RangeVar is read. */
static const struct {
    const char *node, *member;
    unsigned use;
    enum sql_manner manner;
} members[] = {
    {"InsertStmt", "relation", SQL_WRITES, SQL_INSERTED},
    {"UpdateStmt", "relation", SQL_WRITES, SQL_PLAINLY},
    {"DeleteStmt", "relation", SQL_WRITES, SQL_REPLACED},
    {"MergeStmt", "relation", SQL_WRITES, SQL_OPTIONALLY},
    {"TruncateStmt", "relations", SQL_WRITES, SQL_REPLACED},
    {"RefreshMatViewStmt", "relation", SQL_WRITES, SQL_REPLACED},
    {"CreateStmt", "relation", SQL_CREATES, SQL_PLAINLY},
    {"CreateStmt", "inhRelations", SQL_ALTERS, SQL_REPLACED}, /* a partition's parent */
    {"base", "relation", SQL_CREATES, SQL_PLAINLY},           /* of CreateForeignTableStmt */
    {"TableLikeClause", "relation", SQL_READS, SQL_PLAINLY},
    {"ViewStmt", "view", SQL_CREATES, SQL_PLAINLY},
    {"CreateTableAsStmt", "into", SQL_CREATES | SQL_WRITES, SQL_PLAINLY}, /* its `rel` */
    {"intoClause", "rel", SQL_CREATES | SQL_WRITES, SQL_PLAINLY},
    {"AlterTableStmt", "relation", SQL_ALTERS, SQL_REPLACED},
    {"AlterObjectSchemaStmt", "relation", SQL_ALTERS, SQL_PLAINLY},
    {"RenameStmt", "relation", SQL_ALTERS, SQL_PLAINLY},
    {"PartitionCmd", "name", SQL_ALTERS, SQL_REPLACED},
    {"IndexStmt", "relation", SQL_ALTERS, SQL_PLAINLY},
    {"CreateTrigStmt", "relation", SQL_ALTERS, SQL_PLAINLY},
    {"RuleStmt", "relation", SQL_ALTERS, SQL_PLAINLY},
    /* neither read nor written */
    {"VacuumRelation", "relation", 0, SQL_PLAINLY},
    {"LockStmt", "relations", 0, SQL_PLAINLY},
    {"GrantStmt", "objects", 0, SQL_PLAINLY},
};

/* A node with one of these members takes what is there already. */
static enum sql_manner manner_of(const struct walking *w, uint32_t node, enum sql_manner manner)
{
    static const char *const softly[] = {"if_not_exists", "replace", "onConflictClause"};
    for (size_t i = 0; i < ARRAY_SIZE(softly); i++)
        if (tree_member(w->tree, node, softly[i]))
            return SQL_OPTIONALLY;
    return manner;
}

static bool add_member(const struct walking *w, struct slice name, uint32_t node, uint32_t member,
    const struct scope *scope)
{
    struct slice key = tree_key(w->tree, member);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (*key.p != *members[i].member || !slice_equal_str(key, members[i].member) ||
            !slice_equal_str(name, members[i].node))
            continue;
        struct use use = {.use = members[i].use, .manner = manner_of(w, node, members[i].manner)};
        if (!use.use)
            return true;
        uint32_t range = tree_member(w->tree, member, "rel");
        if (w->tree->at[member].kind == TREE_OBJECT)
            add_range(w, range ? range : member, use, scope);
        for (uint32_t item = tree_first(w->tree, member); item;
             item = tree_sibling(w->tree, member, item))
            add_range(w, tree_member(w->tree, item, "RangeVar"), use, scope);
        return true;
    }
    return false;
}

static struct slice string_of(const struct walking *w, uint32_t item)
{
    return tree_text(w->tree, tree_member(w->tree, item, "String"), "sval");
}

/* One object of a DROP: a list of a name's parts. */
static void add_dropped_name(const struct walking *w, uint32_t object)
{
    uint32_t list = tree_member(w->tree, object, "List");
    uint32_t items = list ? tree_member(w->tree, list, "items") : TREE_NONE;
    struct slice schema = {0}, name = {0};
    for (uint32_t item = items ? tree_first(w->tree, items) : TREE_NONE; item;
         item = tree_sibling(w->tree, items, item)) {
        schema = name;
        name = string_of(w, item);
    }
    if (name.size)
        finder_add(w->f, schema.size ? tree_unescaped(schema, w->f->arena) : NULL,
            tree_unescaped(name, w->f->arena), (struct use){.use = SQL_DROPS}, 0);
}

static void add_dropped(const struct walking *w, uint32_t drop)
{
    static const char *const kinds[] = {
        "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"};
    struct slice kind = tree_text(w->tree, drop, "removeType");
    bool tables = false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        tables |= slice_equal_str(kind, kinds[i]);
    uint32_t objects = tree_member(w->tree, drop, "objects");
    for (uint32_t object = tables && objects ? tree_first(w->tree, objects) : TREE_NONE; object;
         object = tree_sibling(w->tree, objects, object))
        add_dropped_name(w, object);
}

static void walk(
    const struct walking *w, struct slice name, uint32_t node, const struct scope *scope);

/* Each common table sees those before it, with RECURSIVE all. */
static void walk_ctes(
    const struct walking *w, uint32_t with, uint32_t ctes, const struct scope *outer)
{
    bool recursive = tree_flag(w->tree, with, "recursive");
    size_t seen = 0;
    for (uint32_t item = tree_first(w->tree, ctes); item;
         item = tree_sibling(w->tree, ctes, item)) {
        struct scope scope = {outer, ctes, recursive ? SIZE_MAX : seen++};
        walk(w, slice_of("CommonTableExpr"), tree_member(w->tree, item, "CommonTableExpr"), &scope);
    }
}

static void add_copied(const struct walking *w, uint32_t copy, const struct scope *scope)
{
    bool from = tree_flag(w->tree, copy, "is_from");
    uint32_t relation = tree_member(w->tree, copy, "relation");
    struct use use = {
        .use = from ? SQL_WRITES : SQL_READS, .manner = from ? SQL_INSERTED : SQL_PLAINLY};
    if (relation)
        add_range(w, relation, use, scope);
}

/* What a node is by itself; true when there is nothing below it to look at. */
static bool take_node(
    const struct walking *w, struct slice name, uint32_t node, const struct scope *scope)
{
    if (slice_equal_str(name, "RangeVar")) {
        add_range(w, node, (struct use){.use = SQL_READS}, scope);
        return true;
    }
    if (slice_equal_str(name, "DropStmt"))
        add_dropped(w, node);
    else if (slice_equal_str(name, "CopyStmt"))
        add_copied(w, node, scope);
    else if (slice_equal_str(name, "FuncCall") || slice_equal_str(name, "funccall")) /* of CALL */
        sql_walk_call(w->f, w->tree, node);
    else if (slice_equal_str(name, "DoStmt"))
        sql_walk_block(w->f);
    return slice_equal_str(name, "DoStmt") || slice_equal_str(name, "CreateFunctionStmt");
}

static void walk(
    const struct walking *w, struct slice name, uint32_t node, const struct scope *scope)
{
    if (w->tree->at[node].kind == TREE_LIST) {
        for (uint32_t item = tree_first(w->tree, node); item;
             item = tree_sibling(w->tree, node, item))
            if (w->tree->at[item].marked)
                walk(w, name, item, scope);
        return;
    }
    if (take_node(w, name, node, scope))
        return;
    uint32_t with = tree_member(w->tree, node, "withClause");
    uint32_t ctes = with ? tree_member(w->tree, with, "ctes") : TREE_NONE;
    struct scope inner = {scope, ctes, SIZE_MAX};
    if (ctes) {
        walk_ctes(w, with, ctes, scope);
        scope = &inner;
    }
    for (uint32_t member = tree_first(w->tree, node); member;
         member = tree_sibling(w->tree, node, member)) {
        if (member != with && w->tree->at[member].marked &&
            !add_member(w, name, node, member, scope))
            walk(w, tree_key(w->tree, member), member, scope);
    }
}

void sql_walk_tree(struct finder *f, const struct tree *tree)
{
    struct walking w = {f, tree};
    walk(&w, slice_of(""), 0, NULL);
}
