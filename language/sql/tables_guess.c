/* Tables by words alone: of statements that the parser does not take. */
#include "language/sql/tables_internal.h"

static const struct use reads = {.use = SQL_READS}, inserts = {SQL_WRITES, SQL_INSERTED, false},
                        updates = {.use = SQL_WRITES}, replaces = {SQL_WRITES, SQL_REPLACED, false},
                        creates = {.use = SQL_CREATES}, alters = {SQL_ALTERS, SQL_REPLACED, false},
                        drops = {.use = SQL_DROPS};

struct words {
    struct finder *f;
    const struct sql_tokens *tokens;
};

static bool is(const struct words *w, size_t i, const char *word)
{
    return sql_is_word(w->tokens, i, word);
}

static bool is_char(const struct words *w, size_t i, char c)
{
    return sql_is_char(w->tokens, i, c);
}

static bool is_any(const struct words *w, size_t i, const char *const *words)
{
    return sql_is_any(w->tokens, i, words);
}

static bool is_name(const struct words *w, size_t i)
{
    return sql_is_kind(w->tokens, i, SQL_WORD) || sql_is_kind(w->tokens, i, SQL_QUOTED);
}

/* Behind words that may stand before a name. */
static size_t skip(const struct words *w, size_t i)
{
    static const char *const between[] = {"table", "if", "not", "exists", "only", "temp",
        "temporary", "unlogged", "external", "web", "readable", "writable", "foreign", "global",
        "local", "materialized", "view", "or", "replace", NULL};
    while (is_any(w, i, between))
        i++;
    return i;
}

/* The name at i, with its dots; gives the token behind it, i when there is none. */
static size_t add_name(const struct words *w, size_t i, struct use use)
{
    size_t end = i;
    while (is_name(w, end)) {
        end++;
        if (!is_char(w, end, '.'))
            break;
        end++;
    }
    if (end == i)
        return i;
    size_t begin = w->tokens->at[i].offset;
    const struct sql_token *last = &w->tokens->at[end - 1];
    struct slice name = slice_make(w->tokens->text.p + begin, last->offset + last->size - begin);
    if (use.use != SQL_READS || !is_char(w, end, '(')) /* a function */
        finder_add_named(w->f, name, use, begin);
    return end;
}

static void add_names(const struct words *w, size_t i, struct use use)
{
    size_t end = add_name(w, skip(w, i), use);
    while (end != i && is_char(w, end, ',')) {
        i = end + 1;
        end = add_name(w, skip(w, i), use);
    }
}

/* By the words that a statement begins with. */
static void add_target(const struct words *w, size_t first)
{
    static const char *const makes[] = {"table", "view", NULL};
    size_t name = skip(w, first + 1);
    bool tables = false;
    for (size_t i = first + 1; i < name; i++)
        tables |= is_any(w, i, makes);
    if (is(w, first, "truncate"))
        add_names(w, first + 1, replaces);
    else if (is(w, first, "create") && tables)
        add_name(w, name, creates);
    else if (is(w, first, "drop") && tables)
        add_names(w, first + 1, drops);
    else if (is(w, first, "alter") && tables)
        add_name(w, name, alters);
    for (size_t i = first; is(w, first, "copy") && i < w->tokens->count; i++)
        if (is(w, i, "from") || is(w, i, "to")) {
            add_name(w, first + 1, is(w, i, "from") ? inserts : reads);
            return;
        }
}

/* `name AS (` of a WITH. */
static bool is_common(const struct words *w, struct slice name)
{
    for (size_t i = 1; i + 2 < w->tokens->count; i++) {
        bool named = slice_equal(sql_token_text(w->tokens, i), name);
        if (named && is(w, i + 1, "as") && is_char(w, i + 2, '('))
            return true;
    }
    return false;
}

static void add_read(const struct words *w, size_t i)
{
    static const char *const inner[] = {"select", "lateral", "unnest", "values", NULL};
    if (is_any(w, i, inner) || i >= w->tokens->count || is_common(w, sql_token_text(w->tokens, i)))
        return;
    add_name(w, i, reads);
}

static void add_at(const struct words *w, size_t i)
{
    static const char *const no_update[] = {"for", "on", "do", "key", NULL};
    /* `extract(day from d)`, `is distinct from`, `trim(both from s)` */
    static const char *const no_from[] = {"distinct", "day", "month", "year", "hour", "minute",
        "second", "epoch", "dow", "doy", "week", "quarter", "both", "leading", "trailing", "delete",
        NULL};
    if (is(w, i, "into") && i > 0 && (is(w, i - 1, "insert") || is(w, i - 1, "merge")))
        add_name(w, i + 1, inserts);
    else if (is(w, i, "update") && (i == 0 || !is_any(w, i - 1, no_update)))
        add_name(w, skip(w, i + 1), updates);
    else if (is(w, i, "delete") && is(w, i + 1, "from"))
        add_name(w, skip(w, i + 2), replaces);
    else if (is(w, i, "join") || is(w, i, "using"))
        add_read(w, skip(w, i + 1));
    else if (is(w, i, "from") && i > 0 && !is_any(w, i - 1, no_from) && !is(w, 0, "copy"))
        add_read(w, skip(w, i + 1));
}

void sql_guess_tables(struct finder *f)
{
    const struct words w = {f, &f->tokens};
    add_target(&w, 0);
    for (size_t i = 0; i < w.tokens->count; i++)
        add_at(&w, i);
}
