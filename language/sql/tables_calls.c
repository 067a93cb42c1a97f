/* Functions whose text arguments name tables. */
#include "language/sql/tables_internal.h"

/* Of MADlib: which arguments, from 1, name tables; 0 = none.  `more`: what is made, by what is put
   behind the output's name.  `flag`: the argument that must be true for `more`; without it, and
   when it is not true, the output alone is made. */
static const struct {
    const char *function;
    unsigned reads[2], creates, flag;
    const char *more[3];
} madlib[] = {
    {"train_test_split", {1}, 2, 8, {"_train", "_test"}},
    {"forest_train", {1}, 2, 0, {"", "_group", "_summary"}},
    {"tree_train", {1}, 2, 0, {"", "_summary"}},
    {"forest_predict", {1, 2}, 3, 0, {""}},
    {"tree_predict", {1, 2}, 3, 0, {""}},
    {"get_var_importance", {1}, 2, 0, {""}},
    {"pivot", {1}, 2, 0, {""}},
    {"area_under_roc", {1}, 2, 0, {""}},
    {"confusion_matrix", {1}, 2, 0, {""}},
    {"binary_classifier", {1}, 2, 0, {""}},
    {"encode_categorical_variables", {1}, 2, 0, {""}},
    {"linregr_train", {1}, 2, 0, {"", "_summary"}},
    {"logregr_train", {1}, 2, 0, {"", "_summary"}},
    {"elastic_net_train", {1}, 2, 0, {"", "_summary"}},
    {"svm_classification", {1}, 2, 0, {"", "_summary"}},
    {"svm_regression", {1}, 2, 0, {"", "_summary"}},
    {"svm_predict", {1, 2}, 4, 0, {""}},
    {"pca_train", {1}, 2, 0, {"", "_mean"}},
    {"correlation", {1}, 2, 0, {"", "_summary"}},
    {"covariance", {1}, 2, 0, {"", "_summary"}},
    {"summary", {1}, 2, 0, {""}},
    {"sessionize", {1}, 2, 0, {""}},
    {"path", {1}, 2, 0, {""}},
    {"stratified_sample", {1}, 2, 0, {""}},
    {"balance_sample", {1}, 2, 0, {""}},
};

struct call {
    struct finder *f;
    const struct tree *tree;
    uint32_t node;
};

/* The constant that is an argument, from 1; TREE_NONE when it is none. */
static uint32_t constant_of(const struct call *c, unsigned number)
{
    uint32_t args = number ? tree_member(c->tree, c->node, "args") : TREE_NONE;
    uint32_t item = args ? tree_first(c->tree, args) : TREE_NONE;
    while (item && --number)
        item = tree_sibling(c->tree, args, item);
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

static void add_argument(const struct call *c, unsigned number, const char *more, struct use use)
{
    size_t offset;
    char *name = argument(c, number, &offset);
    if (name)
        finder_add_named(
            c->f, slice_of(arena_printf(c->f->arena, "%s%s", name, more)), use, offset);
    else if (number)
        c->f->calls = true;
}

static void add_madlib(const struct call *c, struct slice function)
{
    for (size_t i = 0; i < ARRAY_SIZE(madlib); i++) {
        if (!slice_equal_str(function, madlib[i].function))
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(madlib[i].reads); k++)
            add_argument(c, madlib[i].reads[k], "", (struct use){.use = SQL_READS});
        struct use made = {.use = SQL_CREATES | SQL_WRITES};
        bool alone = madlib[i].flag && !is_true(c, madlib[i].flag);
        if (alone)
            add_argument(c, madlib[i].creates, "", made);
        for (size_t k = 0; !alone && k < ARRAY_SIZE(madlib[i].more) && madlib[i].more[k]; k++)
            add_argument(c, madlib[i].creates, madlib[i].more[k], made);
        return;
    }
    c->f->calls = true;
}

void sql_walk_call(struct finder *f, const struct tree *tree, uint32_t node)
{
    struct call c = {f, tree, node};
    uint32_t name = tree_member(tree, node, "funcname");
    uint32_t first = name ? tree_first(tree, name) : TREE_NONE;
    uint32_t second = first ? tree_sibling(tree, name, first) : TREE_NONE;
    if (!second) /* without a schema: a function of the server's, as a rule */
        return;
    struct slice schema = tree_text(tree, tree_member(tree, first, "String"), "sval");
    struct slice function = tree_text(tree, tree_member(tree, second, "String"), "sval");
    if (slice_equal_str(schema, "madlib"))
        add_madlib(&c, function);
    else if (!slice_equal_str(schema, "pg_catalog"))
        f->calls = true;
}
