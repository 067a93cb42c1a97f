/* Functions whose text arguments name tables. */
#include <ctype.h>

#include "language/sql/tables_internal.h"

enum {
    /* Digits of an argument's number: PostgreSQL's functions have at most 100. */
    NUMBER_DIGITS_MAX = 3,
};

/* Of MADlib, as sql_function has them.  `flag`: the argument that must be true for `makes`;
   without it, and when it is not true, `otherwise` alone is made. */
static const struct {
    const char *function;
    const char *reads[2], *makes[3];
    unsigned flag;
    const char *otherwise;
} madlib[] = {
    {"train_test_split", {"$1"}, {"$2_train", "$2_test"}, 8, "$2"},
    {"forest_train", {"$1"}, {"$2", "$2_group", "$2_summary"}, 0, NULL},
    {"tree_train", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"forest_predict", {"$1", "$2"}, {"$3"}, 0, NULL},
    {"tree_predict", {"$1", "$2"}, {"$3"}, 0, NULL},
    {"get_var_importance", {"$1"}, {"$2"}, 0, NULL},
    {"pivot", {"$1"}, {"$2"}, 0, NULL},
    {"area_under_roc", {"$1"}, {"$2"}, 0, NULL},
    {"confusion_matrix", {"$1"}, {"$2"}, 0, NULL},
    {"binary_classifier", {"$1"}, {"$2"}, 0, NULL},
    {"encode_categorical_variables", {"$1"}, {"$2"}, 0, NULL},
    {"linregr_train", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"logregr_train", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"elastic_net_train", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"svm_classification", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"svm_regression", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"svm_predict", {"$1", "$2"}, {"$4"}, 0, NULL},
    {"pca_train", {"$1"}, {"$2", "$2_mean"}, 0, NULL},
    {"correlation", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"covariance", {"$1"}, {"$2", "$2_summary"}, 0, NULL},
    {"summary", {"$1"}, {"$2"}, 0, NULL},
    {"sessionize", {"$1"}, {"$2"}, 0, NULL},
    {"path", {"$1"}, {"$2"}, 0, NULL},
    {"stratified_sample", {"$1"}, {"$2"}, 0, NULL},
    {"balance_sample", {"$1"}, {"$2"}, 0, NULL},
};

struct call {
    struct finder *f;
    const struct tree *tree;
    uint32_t node;
};

/* ---- arguments ------------------------------------------------------------------------------- */

/* The constant that is an argument, from 1, also with a type behind it (`'a.b'::regclass`);
   TREE_NONE when it is none. */
static uint32_t constant_of(const struct call *c, unsigned number)
{
    uint32_t args = number ? tree_member(c->tree, c->node, "args") : TREE_NONE;
    uint32_t item = args ? tree_first(c->tree, args) : TREE_NONE;
    while (item && --number)
        item = tree_sibling(c->tree, args, item);
    uint32_t cast = item ? tree_member(c->tree, item, "TypeCast") : TREE_NONE;
    if (cast)
        item = tree_member(c->tree, cast, "arg");
    return item ? tree_member(c->tree, item, "A_Const") : TREE_NONE;
}

static bool is_true(const struct call *c, unsigned number)
{
    uint32_t constant = constant_of(c, number);
    uint32_t value = constant ? tree_member(c->tree, constant, "boolval") : TREE_NONE;
    return value && tree_flag(c->tree, value, "boolval");
}

/* The text that is an argument, NULL when it is none; *ret_offset is in the statement. */
static char *argument(const struct call *c, unsigned number, size_t *ret_offset)
{
    uint32_t constant = constant_of(c, number);
    uint32_t text = constant ? tree_member(c->tree, constant, "sval") : TREE_NONE;
    int64_t location = constant ? tree_number(c->tree, constant, "location") : -1;
    *ret_offset = location > 0 ? (size_t)location : 0;
    return text ? tree_unescaped(tree_text(c->tree, text, "sval"), c->f->arena) : NULL;
}

/* ---- names with arguments in them ------------------------------------------------------------ */

/* The number behind a `$`, 0 when there is none; *p moves behind it. */
static unsigned take_number(const char **p)
{
    unsigned number = 0;
    const char *digits = *p;
    for (; isdigit((unsigned char)**p) && *p - digits < NUMBER_DIGITS_MAX; (*p)++)
        number = number * 10 + (unsigned)(**p - '0');
    return number;
}

/* The name that `$1_summary` is in a call, NULL when an argument is no text; *ret_offset is its
   first argument's, else the function's own. */
static const char *name_in_call(const struct call *c, const char *pattern, size_t *ret_offset)
{
    struct strbuf out = {.arena = c->f->arena};
    int64_t location = tree_number(c->tree, c->node, "location");
    bool placed = false;
    *ret_offset = location > 0 ? (size_t)location : 0;
    for (const char *p = pattern; *p;) {
        size_t offset;
        if (*p != '$') {
            strbuf_add_char(&out, *p++);
            continue;
        }
        p++;
        const char *text = argument(c, take_number(&p), &offset);
        if (!text)
            return NULL;
        strbuf_add_str(&out, text);
        *ret_offset = placed ? *ret_offset : offset;
        placed = true;
    }
    return strbuf_text(&out);
}

bool sql_function_table_is_name(const char *pattern, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    struct sql_table table;
    for (const char *p = pattern; *p;) {
        if (*p != '$') {
            strbuf_add_char(&out, *p++);
            continue;
        }
        p++;
        if (!take_number(&p))
            return false;
        strbuf_add_char(&out, 'x');
    }
    return sql_table_read(slice_of(strbuf_text(&out)), arena, &table);
}

static void add_pattern(const struct call *c, const char *pattern, struct use use)
{
    size_t offset;
    const char *name = name_in_call(c, pattern, &offset);
    if (name)
        finder_add_named(c->f, slice_of(name), use, offset);
    else
        c->f->calls = true;
}

/* ---- functions ------------------------------------------------------------------------------- */

static void add_madlib(const struct call *c, struct slice function)
{
    static const struct use read = {.use = SQL_READS}, made = {.use = SQL_CREATES | SQL_WRITES};
    for (size_t i = 0; i < ARRAY_SIZE(madlib); i++) {
        if (!slice_equal_str(function, madlib[i].function))
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(madlib[i].reads) && madlib[i].reads[k]; k++)
            add_pattern(c, madlib[i].reads[k], read);
        bool alone = madlib[i].flag && !is_true(c, madlib[i].flag);
        if (alone)
            add_pattern(c, madlib[i].otherwise, made);
        for (size_t k = 0; !alone && k < ARRAY_SIZE(madlib[i].makes) && madlib[i].makes[k]; k++)
            add_pattern(c, madlib[i].makes[k], made);
        return;
    }
    c->f->calls = true;
}

/* The project's own entry.  Without a schema a call means the only entry of that name. */
static const struct sql_function *find_own(
    const struct sql_functions *functions, struct slice schema, struct slice name)
{
    const struct sql_function *found = NULL;
    size_t count = 0;
    for (size_t i = 0; functions && i < functions->count; i++) {
        const struct sql_function *own = &functions->at[i];
        if (!slice_equal_str(name, own->name) ||
            (schema.size && (!own->schema || !slice_equal_str(schema, own->schema))))
            continue;
        found = own;
        count++;
    }
    return count == 1 ? found : NULL;
}

static void add_own(const struct call *c, const struct sql_function *function)
{
    static const struct use read = {.use = SQL_READS};
    static const struct use written = {.use = SQL_WRITES, .manner = SQL_OPTIONALLY};
    for (size_t i = 0; i < function->read_count; i++)
        add_pattern(c, function->reads[i], read);
    for (size_t i = 0; i < function->write_count; i++)
        add_pattern(c, function->writes[i], written);
}

void sql_walk_call(struct finder *f, const struct tree *tree, uint32_t node)
{
    struct call c = {f, tree, node};
    uint32_t name = tree_member(tree, node, "funcname");
    uint32_t first = name ? tree_first(tree, name) : TREE_NONE;
    uint32_t second = first ? tree_sibling(tree, name, first) : TREE_NONE;
    if (!first)
        return;
    struct slice schema = {0};
    struct slice function =
        tree_text(tree, tree_member(tree, second ? second : first, "String"), "sval");
    if (second)
        schema = tree_text(tree, tree_member(tree, first, "String"), "sval");
    const struct sql_function *own = find_own(f->functions, schema, function);
    if (own)
        add_own(&c, own);
    else if (slice_equal_str(schema, "madlib"))
        add_madlib(&c, function);
    else if (second && !slice_equal_str(schema, "pg_catalog"))
        f->calls = true; /* without a schema it is one of the server's, as a rule */
}
