/*
 * Clauses that only Greenplum has, in a statement's copy, as blanks: so that PostgreSQL's grammar
 * takes the rest, and every offset stays.
 *
 * `select … from t distributed by (a)` would otherwise take `distributed` for an alias.
 */
#include "language/sql/limits.h"
#include "language/sql/tables_internal.h"

struct blanking {
    const struct sql_tokens *tokens;
    char *out;
};

static bool is(const struct blanking *b, size_t i, const char *word)
{
    return sql_is_word(b->tokens, i, word);
}

static bool is_open(const struct blanking *b, size_t i)
{
    return sql_is_kind(b->tokens, i, SQL_OPEN);
}

static size_t behind_brackets(const struct blanking *b, size_t i)
{
    return sql_behind_brackets(b->tokens, i);
}

static void blank(struct blanking *b, size_t from, size_t to)
{
    size_t begin = b->tokens->at[from].offset, end = b->tokens->at[to - 1].offset;
    memset(b->out + begin, ' ', end + b->tokens->at[to - 1].size - begin);
}

/* Each gives the token behind the clause that begins at i, or i when there is none. */

static size_t distributed(const struct blanking *b, size_t i)
{
    if (!is(b, i, "distributed"))
        return i;
    if (is(b, i + 1, "randomly") || is(b, i + 1, "replicated"))
        return i + 2;
    return is(b, i + 1, "by") && is_open(b, i + 2) ? behind_brackets(b, i + 2) : i;
}

/* `PARTITION BY LIST (a) [SUBPARTITION BY … [SUBPARTITION TEMPLATE (…)]] ( PARTITION … )`.
   PostgreSQL's own ends behind the first brackets, and is left. */
static size_t partition_by(const struct blanking *b, size_t i)
{
    if (!is(b, 0, "create") || !is(b, i, "partition") || !is(b, i + 1, "by") || !is_open(b, i + 3))
        return i;
    size_t end = behind_brackets(b, i + 3);
    while (is(b, end, "subpartition")) {
        while (end < b->tokens->count && !is_open(b, end))
            end++;
        end = behind_brackets(b, end);
    }
    return is_open(b, end) ? behind_brackets(b, end) : i;
}

static size_t encoding(const struct blanking *b, size_t i)
{
    bool made = is(b, 0, "create") || is(b, 0, "alter");
    return made && is(b, i, "encoding") && is_open(b, i + 1) ? behind_brackets(b, i + 1) : i;
}

static size_t execute_on(const struct blanking *b, size_t i)
{
    if (!is(b, 0, "create") || !is(b, i, "execute") || !is(b, i + 1, "on"))
        return i;
    return is(b, i + 2, "all") ? i + 4 : i + 3;
}

/* The words of `CREATE READABLE EXTERNAL WEB TABLE`, `DROP EXTERNAL TABLE`, `CREATE ORDERED
   AGGREGATE`. */
static size_t external(const struct blanking *b, size_t i)
{
    bool begins = i >= 1 && i <= 3 && (is(b, 0, "create") || is(b, 0, "drop"));
    bool word =
        is(b, i, "readable") || is(b, i, "writable") || is(b, i, "external") || is(b, i, "web");
    bool ordered = i == 1 && is(b, i, "ordered") && is(b, i + 1, "aggregate");
    return begins && (word || ordered) ? i + 1 : i;
}

/* All that is behind the columns of an external table. */
static size_t location(const struct blanking *b, size_t i)
{
    bool made = is(b, 0, "create") && is(b, i, "location") && is_open(b, i + 1);
    bool program =
        is(b, 0, "create") && is(b, i, "execute") && sql_is_kind(b->tokens, i + 1, SQL_STRING);
    return made || program ? b->tokens->count : i;
}

/* `ALTER TABLE t ADD PARTITION …`, `… SET DISTRIBUTED BY …`, of one table. */
static size_t partition(const struct blanking *b, size_t i)
{
    static const char *const verbs[] = {"add", "drop", "truncate", "split", "rename", "alter"};
    bool alters = is(b, 0, "alter") && is(b, 1, "table") && i > 2;
    if (alters && is(b, i, "set") && (is(b, i + 1, "distributed") || is(b, i + 1, "with")))
        return b->tokens->count;
    for (size_t k = 0; alters && k < ARRAY_SIZE(verbs); k++)
        if (is(b, i, verbs[k]) && (is(b, i + 1, "partition") || is(b, i + 1, "default")) &&
            !is(b, i + 2, "from"))
            return b->tokens->count;
    return i;
}

static size_t segment_reject(const struct blanking *b, size_t i)
{
    if (is(b, i, "log") && is(b, i + 1, "errors"))
        return i + 2;
    if (!is(b, i, "segment") || !is(b, i + 1, "reject") || !is(b, i + 2, "limit"))
        return i;
    return i + 4 + (is(b, i + 4, "rows") || is(b, i + 4, "percent"));
}

static size_t on_segment(const struct blanking *b, size_t i)
{
    return is(b, 0, "copy") && is(b, i, "on") && is(b, i + 1, "segment") ? i + 2 : i;
}

static size_t (*const clauses[])(const struct blanking *b, size_t i) = {distributed, partition_by,
    encoding, execute_on, external, location, segment_reject, on_segment, partition};

/* The token behind the clause that begins at i, i when none does. */
static size_t blank_clause(struct blanking *b, size_t i)
{
    for (size_t k = 0; k < ARRAY_SIZE(clauses); k++) {
        size_t end = clauses[k](b, i);
        if (end == i)
            continue;
        end = end < b->tokens->count ? end : b->tokens->count;
        blank(b, i, end);
        if (clauses[k] == partition) /* the statement needs some action */
            memcpy(b->out + b->tokens->at[i].offset, "drop a", 6);
        return end;
    }
    return i;
}

char *sql_blank_greenplum(const struct sql_tokens *statement, struct arena *arena)
{
    struct blanking b = {.tokens = statement};
    if (statement->count > SQL_PARSE_TOKENS_MAX)
        return NULL;
    b.out = arena_strndup(arena, statement->text.p, statement->text.size);
    for (size_t i = 0; i < statement->count;) {
        size_t end = statement->at[i].kind == SQL_WORD ? blank_clause(&b, i) : i;
        i = end > i ? end : i + 1;
    }
    return b.out;
}
