/*
 * Statements that the parser does not take.  Its grammar is PostgreSQL's alone, so that what it
 * says is believed only where a look at the words around the place explains it: no server's grammar
 * has these.  All else is told as not checked.
 */
#include <strings.h>

#include "definition/lint_internal.h"
#include "definition/lineage.h"
#include "language/sql/lex.h"

/* The tokens around the place that the parser names. */
struct place_in {
    const struct sql_tokens *tokens;
    struct slice text;
    struct sql_token before2, before, at, after; /* SQL_END: none */
};

static bool is(const struct place_in *p, struct sql_token token, const char *word)
{
    return token.kind == SQL_WORD && sql_token_is(p->text, token, word);
}

static bool is_char(const struct place_in *p, struct sql_token token, char c)
{
    return token.kind != SQL_END && token.size == 1 && p->text.p[token.offset] == c;
}

static bool is_any(const struct place_in *p, struct sql_token token, const char *const *words)
{
    for (; *words; words++)
        if (is(p, token, *words))
            return true;
    return false;
}

static struct sql_token token_at(const struct sql_tokens *tokens, size_t i)
{
    return i < tokens->count ? tokens->at[i] : (struct sql_token){.kind = SQL_END};
}

static struct place_in look_at(const struct sql_tokens *tokens, size_t offset)
{
    size_t i = 0;
    while (i < tokens->count && tokens->at[i].offset + tokens->at[i].size <= offset)
        i++;
    return (struct place_in){.tokens = tokens,
        .text = tokens->text,
        .before2 = token_at(tokens, i - 2),
        .before = token_at(tokens, i - 1),
        .at = token_at(tokens, i),
        .after = token_at(tokens, i + 1)};
}

/* ---- explanations ---------------------------------------------------------------------------- */

/* Words that begin a part of a query. */
static const char *const clauses[] = {"from", "where", "group", "having", "order", "limit", "union",
    "returning", "values", "select", NULL};
/* Words and signs that something must follow. */
static const char *const open_words[] = {"where", "and", "or", "not", "from", "join", "on", "by",
    "having", "between", "like", "set", "into", "case", "when", "then", "union", "in", "select",
    NULL};
static const char operators[] = "=<>+-*/|";

static bool ends_here(const struct place_in *p)
{
    return p->at.kind == SQL_END || is_char(p, p->at, ')') || is_char(p, p->at, ',') ||
           is_any(p, p->at, clauses);
}

static const char *lone_comma(const struct place_in *p)
{
    bool comma = is_char(p, p->before, ',');
    bool opens = is_char(p, p->at, ',') && (p->before.kind == SQL_OPEN || comma);
    return opens || (comma && ends_here(p)) ? "there is a comma with nothing behind it, or before"
                                            : NULL;
}

static const char *nothing_follows(const struct place_in *p)
{
    bool sign = p->before.size == 1 && strchr(operators, p->text.p[p->before.offset]) &&
                p->before.kind == SQL_OTHER;
    if (is_char(p, p->before, '*'))
        return NULL;
    return ends_here(p) && (sign || is_any(p, p->before, open_words))
               ? "something is missing behind the word or sign before it"
               : NULL;
}

static const char *open_bracket(const struct place_in *p)
{
    long depth = 0;
    for (size_t i = 0; i < p->tokens->count; i++) {
        depth += p->tokens->at[i].kind == SQL_OPEN;
        depth -= p->tokens->at[i].kind == SQL_CLOSE;
        if (depth < 0)
            return is_char(p, p->at, ')') ? "a bracket is closed that was not opened" : NULL;
    }
    return depth > 0 ? "a bracket is not closed" : NULL;
}

/* The words that statements begin with, Greenplum's included. */
static const char *const verbs[] = {"select", "insert", "update", "delete", "with", "values",
    "create", "alter", "drop", "truncate", "merge", "copy", "grant", "revoke", "analyze", "vacuum",
    "set", "reset", "show", "explain", "do", "call", "comment", "lock", "refresh", "reindex",
    "cluster", "declare", "fetch", "close", "move", "begin", "commit", "rollback", "savepoint",
    "release", "prepare", "execute", "deallocate", "discard", "listen", "notify", "unlisten",
    "load", "checkpoint", "import", "security", "reassign", "table", "start", "end", "abort",
    "retrieve"};

/* Words that come in a statement, of which a near one was written before the place. */
static const char *const inner[] = {"from", "where", "group", "order", "having", "limit", "join",
    "into", "values", "union", "select", "distributed", "partition", "returning"};

static char *word_of(const struct place_in *p, struct sql_token token, struct arena *arena)
{
    return token.kind == SQL_WORD ? arena_strndup(arena, p->text.p + token.offset, token.size)
                                  : NULL;
}

/* One letter more, less, other or two changed round; a plural is another word. */
static bool is_slip(const char *word, const char *meant)
{
    size_t size = strlen(word), other = strlen(meant), i = 0;
    while (word[i] && word[i] == meant[i])
        i++;
    const char *w = word + i, *m = meant + i;
    if (size == other)
        return str_equal(w + 1, m + 1) ||
               (*w && w[0] == m[1] && w[1] == m[0] && str_equal(w + 2, m + 2));
    bool plural = (size > other ? w : m)[0] == 's' && !(size > other ? w : m)[1];
    return !plural && ((size == other + 1 && str_equal(w + 1, m)) ||
                          (size + 1 == other && str_equal(w, m + 1)));
}

static const char *misspelt(char *word, const char *const *words, size_t count, struct arena *arena)
{
    for (char *c = word; c && *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    const char *near = NULL;
    for (size_t i = 0; word && i < count; i++) {
        if (str_equal(words[i], word))
            return NULL;
        if (is_slip(word, words[i]))
            near = words[i];
    }
    return near ? arena_printf(arena, "`%s` is no word of SQL: did you mean `%s`?", word, near)
                : NULL;
}

/* Where a name stands, what is near a word of SQL may be one. */
static bool is_name_place(const struct place_in *p, struct sql_token before)
{
    static const char *const words[] = {"table", "into", "from", "join", "update", "on", "only",
        "exists", "view", "as", "select", "by", "add", "column", "using", "with", NULL};
    return before.kind != SQL_WORD ? before.kind == SQL_OTHER || before.kind == SQL_OPEN
                                   : is_any(p, before, words);
}

static const char *misspelt_near(const struct place_in *p, struct arena *arena)
{
    if (p->before.kind == SQL_END)
        return misspelt(word_of(p, p->at, arena), verbs, ARRAY_SIZE(verbs), arena);
    const char *why = NULL;
    if (!is_name_place(p, p->before))
        why = misspelt(word_of(p, p->at, arena), inner, ARRAY_SIZE(inner), arena);
    if (!why && !is_name_place(p, p->before2) && p->before2.kind != SQL_END)
        why = misspelt(word_of(p, p->before, arena), inner, ARRAY_SIZE(inner), arena);
    return why;
}

static const char *out_of_place(const struct place_in *p)
{
    bool twice =
        p->at.kind == SQL_WORD && is_any(p, p->at, clauses) && p->before.kind == SQL_WORD &&
        p->before.size == p->at.size &&
        strncasecmp(p->text.p + p->at.offset, p->text.p + p->before.offset, p->at.size) == 0;
    return twice ? "the word stands there twice" : NULL;
}

static const char *explain(const struct place_in *p, struct arena *arena)
{
    static const char *(*const checks[])(const struct place_in *) = {
        out_of_place, lone_comma, open_bracket, nothing_follows};
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        const char *why = checks[i](p);
        if (why)
            return why;
    }
    return misspelt_near(p, arena);
}

static void report(
    struct linting *l, const struct lineage_task *lineage, const struct sql_examined *statement)
{
    size_t inside = statement->problem_offset - statement->offset;
    struct place_in place = look_at(&statement->tokens, inside);
    const char *why = statement->inner ? NULL : explain(&place, l->arena);
    struct error error;
    if (why) {
        error_set(&error, ERR_LINT, "%s", statement->problem);
        error_hint(&error, "%s", why);
    } else {
        error_set(&error, ERR_LINT, "not checked: %s", statement->problem);
        error_hint(&error, "PostgreSQL 15's grammar does not have it; the server may");
    }
    struct jinja_origin origin;
    size_t at = statement->problem_offset;
    size_t end = lineage->map->text.size;
    if (!end || !jinja_map_find(lineage->map, at < end ? at : end - 1, &origin))
        return;
    char excerpt[ERROR_EXCERPT_SIZE];
    snprintf(excerpt, sizeof(excerpt), "%.*s", SLICE_ARG(origin.source_line));
    error_place(&error, origin.file, origin.line, origin.column, excerpt);
    if (!lint_is_said(l, &error))
        lint_add(l, why ? "error" : "info", why ? "sql-syntax" : "sql-not-checked", &error);
}

void lint_syntax(struct linting *l, const struct lineage_task *lineage)
{
    for (size_t i = 0; i < lineage->tables.statement_count; i++)
        if (lineage->tables.statements[i].problem)
            report(l, lineage, &lineage->tables.statements[i]);
}
