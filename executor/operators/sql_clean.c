/* Whether a session is as it was before, judged from the text that it ran. */
#include "executor/operators/sql_attempt.h"
#include "language/sql/lex.h"

/* First words of statements that leave nothing in a session which DISCARD ALL would not take away.
 */
static const char *const plain_commands[] = {"select", "with", "values", "insert", "update",
    "delete", "truncate", "create", "drop", "alter", "analyze", "comment", "grant", "revoke",
    "table", "savepoint", "release", "rollback", "explain", "lock", "set", "show"};

/* Second words that make of CREATE or ALTER something else. */
static const char *const foreign_objects[] = {"function", "procedure", "language", "extension",
    "trigger", "operator", "aggregate", "cast", "type", "rule", "or", "event", "transform",
    "domain", "trusted", "view", "materialized"};

/* What stands before a parenthesis without being a function. */
static const char *const words_before_parentheses[] = {"in", "values", "and", "or", "not", "as",
    "exists", "any", "all", "some", "on", "using", "when", "then", "else", "case", "where", "from",
    "by", "select", "over", "filter", "within", "with", "key", "check", "into", "union", "except",
    "intersect", "having", "limit", "offset", "returning", "is", "between", "like", "ilike",
    "table", "unique", "references", "char", "varchar", "character", "numeric", "decimal", "time",
    "timestamp", "interval", "bit", "varying", "precision", "array", "row", "sets", "cube",
    "rollup", "grouping", "distinct", "include", "partition", "range", "list", "hash", "explain",
    "set", "default", "float", "lateral", "only", "if"};

/* Functions of pg_catalog that are called every day.  One that a user made under such a name in a
   schema of the search path does not matter: pg_catalog is searched first. */
static const char *const known_functions[] = {"abs", "age", "array_agg", "array_length",
    "array_to_string", "array_upper", "array_lower", "avg", "btrim", "bool_and", "bool_or", "cast",
    "ceil", "ceiling", "char_length", "clock_timestamp", "coalesce", "concat", "concat_ws", "count",
    "cume_dist", "current_date", "current_setting", "date_part", "date_trunc", "dense_rank", "exp",
    "every", "extract", "first_value", "floor", "format", "generate_series", "greatest", "initcap",
    "json_build_object", "jsonb_build_object", "json_agg", "jsonb_agg", "lag", "last_value", "lead",
    "least", "left", "length", "ln", "log", "lower", "lpad", "ltrim", "make_date", "make_interval",
    "make_timestamp", "max", "md5", "min", "mod", "now", "nth_value", "ntile", "nullif",
    "octet_length", "overlay", "percent_rank", "percentile_cont", "percentile_disc", "pg_sleep",
    "position", "power", "quote_ident", "quote_literal", "random", "rank", "regexp_matches",
    "regexp_replace", "regexp_split_to_array", "regexp_split_to_table", "repeat", "replace",
    "reverse", "right", "round", "row_number", "rpad", "rtrim", "sign", "split_part", "sqrt",
    "stddev", "stddev_pop", "stddev_samp", "string_agg", "strpos", "substr", "substring", "sum",
    "to_char", "to_date", "to_json", "to_jsonb", "to_number", "to_regclass", "to_timestamp",
    "translate", "treat", "trim", "trunc", "txid_current", "unnest", "upper", "variance", "var_pop",
    "var_samp", "version", "width_bucket"};

/* Words behind which tables stand. */
static const char *const table_words[] = {
    "from", "join", "into", "update", "table", "truncate", "using", "index"};

static bool is_one_of(
    struct slice text, struct sql_token token, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sql_token_is(text, token, words[i]))
            return true;
    }
    return false;
}

#define IS_ONE_OF(text, token, words) is_one_of(text, token, words, ARRAY_SIZE(words))

struct look {
    struct slice text;
    bool keeps_state;
    struct sql_token before, before_that;
    size_t words;     /* of the statement so far */
    bool defines;     /* its first word is CREATE or ALTER */
    bool names_table; /* a table's name goes on, behind which its columns may stand */
};

/* `name (`: a function that is not known to be built in. */
static bool calls_unknown(const struct look *look)
{
    struct slice text = look->text;
    if (look->names_table || (look->before.kind != SQL_WORD && look->before.kind != SQL_QUOTED))
        return false;
    if (look->before.kind == SQL_QUOTED)
        return true;
    bool qualified = look->before_that.kind == SQL_OTHER && text.p[look->before_that.offset] == '.';
    return qualified || !(IS_ONE_OF(text, look->before, words_before_parentheses) ||
                            IS_ONE_OF(text, look->before, known_functions));
}

static bool is_harmless(struct look *look, struct sql_token token)
{
    struct slice text = look->text;
    if (token.kind == SQL_OPEN && text.p[token.offset] == '(')
        return !calls_unknown(look);
    if (token.kind == SQL_DOLLAR || token.kind == SQL_UNTERMINATED)
        return false;
    if (token.kind != SQL_WORD)
        return true;
    look->words++;
    if (look->words == 1) {
        look->defines = sql_token_is(text, token, "create") || sql_token_is(text, token, "alter");
        if (!IS_ONE_OF(text, token, plain_commands))
            return false;
    }
    if (look->words == 2 && look->defines && IS_ONE_OF(text, token, foreign_objects))
        return false;
    return !(look->keeps_state && IS_ONE_OF(text, token, table_words));
}

/* `into s.t (`, `table if not exists t (` */
static void follow_name(struct look *look, struct sql_token token)
{
    bool dot = token.kind == SQL_OTHER && look->text.p[token.offset] == '.';
    if (sql_token_is(look->text, token, "into") || sql_token_is(look->text, token, "table") ||
        sql_token_is(look->text, token, "references"))
        look->names_table = true;
    else if (token.kind != SQL_WORD && token.kind != SQL_QUOTED && !dot)
        look->names_table = false;
    else if (sql_token_is(look->text, token, "select") || sql_token_is(look->text, token, "as"))
        look->names_table = false;
}

bool sql_text_is_clean(struct slice text, bool keeps_state)
{
    struct look look = {.text = text, .keeps_state = keeps_state};
    size_t position = 0;
    struct sql_token token;
    while ((token = sql_lex(text, &position)).kind != SQL_END) {
        if (!is_harmless(&look, token))
            return false;
        if (token.kind == SQL_SEMICOLON)
            look.words = 0;
        follow_name(&look, token);
        look.before_that = look.before;
        look.before = token;
    }
    return true;
}
