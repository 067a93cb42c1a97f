/* How the server is asked about one statement of a task. */
#include <strings.h>

#include "base/vec.h"
#include "executor/target/connect.h"
#include "executor/target/sql_error.h"
#include "language/sql/name.h"
#include "language/sql/parameters.h"
#include "testing/prepare_internal.h"

/* A part of the text that the server is to say something of, with words around it that make it a
   statement. */
struct probe {
    const char *before; /* ASCII */
    struct slice part;
    const char *after;
    size_t offset;    /* of the part in the task's text; as sql_examined.offset */
    bool carried_out; /* else it is prepared */
    bool inner;       /* it stands in a DO block */
    bool bound;       /* it has variables whose types are not known */
};

/* ---- findings -------------------------------------------------------------------------------- */

static void place(const struct preparing *p, size_t offset, struct error *error)
{
    struct jinja_origin origin;
    if (!jinja_map_find(p->sql->map, offset, &origin)) {
        error_place(error, p->dag->file, p->task->line, 1, NULL);
        return;
    }
    char excerpt[ERROR_EXCERPT_SIZE];
    snprintf(excerpt, sizeof(excerpt), "%.*s", SLICE_ARG(origin.source_line));
    error_place(error, origin.file, origin.line, origin.column, excerpt);
}

static void add(
    const struct preparing *p, const char *severity, const char *code, const struct error *error)
{
    struct diagnostic *d = diagnostics_add(p->findings, severity, error);
    if (d)
        d->code = code;
}

/* Whether the message names a table that a task of the DAG makes. */
static bool is_made_unseen(const struct preparing *p, const char *message)
{
    for (uint32_t i = 0; i < p->dag->task_count; i++)
        for (size_t k = 0; k < p->lineages[i].use_count; k++) {
            const struct lineage_use *use = &p->lineages[i].uses[k];
            const char *dot = strrchr(use->table, '.');
            if ((use->use & SQL_CREATES) && strstr(message, dot ? dot + 1 : use->table))
                return true;
        }
    return false;
}

static const char undefined_column[] = "42703";

/* Errors that say nothing of the statement: no rows (22, 23), not in a transaction (25), time (57),
   what its own functions say (P0, 38, XX), rights.  A block may look itself whether a table is
   there, and of its variables' types nothing is known. */
static bool is_about_statement(
    const struct preparing *p, const struct probe *probe, const struct sql_error *e)
{
    if (!e->sqlstate || !e->message)
        return false;
    bool missing = str_equal(e->sqlstate, "42P01"), schema = str_starts(e->sqlstate, "3F");
    if (((missing || schema) && probe->inner) ||
        (probe->bound && !str_equal(e->sqlstate, undefined_column)))
        return false;
    return (str_starts(e->sqlstate, "42") || str_starts(e->sqlstate, "0A") || schema) &&
           !str_equal(e->sqlstate, "42501") && !(missing && is_made_unseen(p, e->message));
}

/* The byte of the task's text that the error is about. */
static size_t offset_of(
    const struct preparing *p, const struct probe *probe, const struct sql_error *e)
{
    size_t before = strlen(probe->before), at = 0;
    if (!e->position)
        return probe->inner ? probe->offset : sql_error_offset(e, p->sql->text, probe->part);
    for (int64_t i = (int64_t)before + 1; i < e->position && at < probe->part.size; i++) {
        uint32_t ignored;
        size_t size = utf8_decode(probe->part.p + at, probe->part.size - at, &ignored);
        at += size ? size : 1;
    }
    return probe->offset + (at < probe->part.size ? at : 0);
}

static void report(const struct preparing *p, const struct probe *probe, const PGresult *result)
{
    struct sql_error e = sql_error_read(result, p->conn, p->arena);
    struct error error;
    if (!is_about_statement(p, probe, &e))
        return;
    error_set(&error, ERR_LINT, "`%s`: %s", p->task->task_id, e.message);
    error_hint(&error,
        "%s%sthe server says so of the tables that the migrations make (SQLSTATE %s)",
        e.hint ? e.hint : "", e.hint ? "; " : "", e.sqlstate);
    place(p, offset_of(p, probe, &e), &error);
    add(p, "error", "database", &error);
}

static void note_unchecked(struct preparing *p, struct slice word, size_t offset)
{
    struct unchecked *u = &p->unchecked;
    char *lower = arena_strndup(p->arena, word.p, word.size);
    for (char *c = lower; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    if (!u->count++)
        u->offset = offset;
    if (!strstr(strbuf_text(&u->words), lower))
        strbuf_printf(&u->words, "%s%s", u->words.size ? ", " : "", lower);
}

void prepare_tell_unchecked(struct preparing *p)
{
    struct error error;
    if (!p->unchecked.count)
        return;
    error_set(&error, ERR_LINT, "`%s`: not checked by the server: %zu statement%s (%s)",
        p->task->task_id, p->unchecked.count, p->unchecked.count == 1 ? "" : "s",
        strbuf_text(&p->unchecked.words));
    error_hint(&error,
        "it is asked about queries, COPY, CALL, DO blocks, and what can be carried out "
        "and taken back; not about what EXECUTE puts together");
    place(p, p->unchecked.offset, &error);
    add(p, "info", "sql-not-checked", &error);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void run(PGconn *conn, const char *statement)
{
    PQclear(PQexec(conn, statement));
}

enum answer {
    TAKEN,
    REFUSED, /* a finding, if it is one */
    UNKNOWN, /* the server did not look: it is of no transaction, or nothing for this role */
};

static enum answer ask(const struct preparing *p, const struct probe *probe)
{
    const char *text =
        arena_printf(p->arena, "%s%.*s%s", probe->before, SLICE_ARG(probe->part), probe->after);
    run(p->conn, "SAVEPOINT statement");
    CLEANUP(pq_clearp)
    PGresult *result =
        probe->carried_out ? PQexec(p->conn, text) : PQprepare(p->conn, "", text, 0, NULL);
    if (PQresultStatus(result) != PGRES_FATAL_ERROR)
        return TAKEN;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    report(p, probe, result);
    run(p->conn, "ROLLBACK TO statement");
    bool unknown = !state || str_equal(state, "25001") || str_equal(state, "42501") ||
                   (probe->bound && !str_equal(state, undefined_column));
    return unknown ? UNKNOWN : REFUSED;
}

/* Tokens from `from` to before `to` of a statement. */
static struct probe probe_of(const struct sql_examined *statement, size_t from, size_t to)
{
    const struct sql_tokens *t = &statement->tokens;
    size_t begin = t->at[from].offset, end = t->at[to - 1].offset + t->at[to - 1].size;
    return (struct probe){.before = "",
        .part = slice_make(t->text.p + begin, end - begin),
        .after = "",
        .offset = statement->offset + begin};
}

/* ---- COPY ------------------------------------------------------------------------------------ */

/* Its query, or its table and columns; false when it has none of these. */
static bool ask_copy(const struct preparing *p, const struct sql_examined *statement)
{
    static const char *const ends[] = {"from", "to", NULL};
    const struct sql_tokens *t = &statement->tokens;
    if (sql_is_kind(t, 1, SQL_OPEN)) {
        size_t end = sql_behind_brackets(t, 1);
        struct probe query = probe_of(statement, 2, end - 1);
        return end > 3 && ask(p, &query) != UNKNOWN;
    }
    size_t name = sql_is_word(t, 1, "binary") ? 2 : 1, end = name;
    while (end < t->count && !sql_is_kind(t, end, SQL_OPEN) && !sql_is_any(t, end, ends))
        end++;
    if (end == name || end == t->count)
        return false;
    struct probe table = probe_of(statement, name, end);
    const char *from = arena_printf(p->arena, " from %.*s", SLICE_ARG(table.part));
    size_t behind = sql_is_kind(t, end, SQL_OPEN) ? sql_behind_brackets(t, end) : 0;
    table.before = "select from ";
    enum answer answer = ask(p, &table);
    if (answer != TAKEN || behind < end + 3)
        return answer != UNKNOWN;
    struct probe columns = probe_of(statement, end + 1, behind - 1);
    columns.before = "select ";
    columns.after = from;
    return ask(p, &columns) != UNKNOWN;
}

/* ---- DO -------------------------------------------------------------------------------------- */

static bool has_language(const struct preparing *p, const char *language)
{
    CLEANUP(pq_clearp)
    PGresult *found = PQexec(
        p->conn, arena_printf(p->arena, "SELECT FROM pg_catalog.pg_language WHERE lanname = %s",
                     sql_literal(p->arena, language)));
    return PQntuples(found) > 0;
}

/* Whether the i-th token begins a declaration, behind DECLARE or another one. */
static bool is_declared(const struct sql_tokens *t, size_t i)
{
    return i > 0 && (t->at[i - 1].kind == SQL_SEMICOLON || sql_is_word(t, i - 1, "declare"));
}

/* Names that PL/pgSQL has: those of declarations and loops, and its own. */
static struct names variables_of(struct slice body, struct arena *arena)
{
    static const char *const own[] = {"found", "sqlstate", "sqlerrm"};
    static const char *const ends[] = {"in", "loop", NULL}, *const loops[] = {
                                                                "for", "foreach", NULL};
    struct sql_tokens t = sql_tokens_read(body, arena);
    const char **names = arena_array(arena, const char *, t.count + ARRAY_SIZE(own));
    size_t count = 0;
    bool declaring = false, looping = false;
    while (count < ARRAY_SIZE(own)) {
        names[count] = own[count];
        count++;
    }
    for (size_t i = 0; i < t.count; i++) {
        struct slice text = sql_token_text(&t, i);
        declaring = (declaring || sql_is_word(&t, i, "declare")) && !sql_is_word(&t, i, "begin");
        looping = looping && !sql_is_any(&t, i, ends) && t.at[i].kind != SQL_SEMICOLON;
        if ((declaring && is_declared(&t, i)) || (looping && t.at[i].kind == SQL_WORD))
            names[count++] = arena_strndup(arena, text.p, text.size);
        looping |= sql_is_any(&t, i, loops);
    }
    return (struct names){names, count};
}

/* Its language looks through the body as that of a function, which is taken back.  What stands in
   it comes behind, statement by statement. */
static bool ask_block(struct preparing *p, const struct sql_examined *statement)
{
    const struct sql_tokens *t = &statement->tokens;
    const char *language = "plpgsql";
    size_t body = 0;
    for (size_t i = 1; i < t->count; i++)
        if (sql_is_word(t, i - 1, "language"))
            language = arena_strndup(p->arena, t->text.p + t->at[i].offset, t->at[i].size);
        else if (sql_is_kind(t, i, SQL_DOLLAR) || sql_is_kind(t, i, SQL_STRING))
            body = i;
    p->variables = (struct names){0};
    if (!body || !has_language(p, language))
        return false;
    if (t->at[body].kind == SQL_DOLLAR)
        p->variables = variables_of(
            slice_make(t->text.p + t->at[body].body_offset, t->at[body].body_size), p->arena);
    struct probe probe = probe_of(statement, body, body + 1);
    probe.before = arena_printf(p->arena,
        "create function pg_temp.dag_lint_block() returns void language %s as ", language);
    probe.carried_out = true;
    run(p->conn, "SAVEPOINT block");
    enum answer answer = ask(p, &probe);
    run(p->conn, "ROLLBACK TO block");
    return answer != UNKNOWN;
}

/* Whether the server can say something of a statement in a block by itself: it is known as a whole,
   and its tables are as the migrations make them. */
static bool stands_alone(const struct sql_tables *tables, size_t index)
{
    struct slice text = tables->statements[index].tokens.text;
    if (memmem(text.p, text.size, "\u00a4", 2) || !sql_takes_parameters(text))
        return false;
    for (size_t i = 0; i < tables->mention_count; i++) {
        const struct sql_mention *mention = &tables->mentions[i];
        if (mention->statement == index &&
            (tables->at[mention->table].uses & (SQL_CREATES | SQL_ALTERS)))
            return false;
    }
    return true;
}

static bool is_variable(const struct preparing *p, const struct sql_tokens *t, size_t i)
{
    struct slice word = sql_token_text(t, i);
    bool member = i > 0 && sql_is_char(t, i - 1, '.');
    for (size_t k = 0; !member && t->at[i].kind == SQL_WORD && k < p->variables.count; k++)
        if (strlen(p->variables.at[k]) == word.size &&
            strncasecmp(p->variables.at[k], word.p, word.size) == 0)
            return true;
    return false;
}

/* A copy of a statement in which `$1`, `$2` … stand for variables and their members, as PL/pgSQL
   itself gives them to the server; *ret_bound: there are some.  Every offset stays; empty when a
   name is too short for that. */
static struct slice bind_variables(
    const struct preparing *p, const struct sql_tokens *t, bool *ret_bound)
{
    char *copy = arena_strndup(p->arena, t->text.p, t->text.size);
    unsigned number = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!is_variable(p, t, i))
            continue;
        size_t begin = t->at[i].offset;
        while (sql_is_char(t, i + 1, '.') &&
               (sql_is_kind(t, i + 2, SQL_WORD) || sql_is_kind(t, i + 2, SQL_QUOTED)))
            i += 2;
        size_t room = t->at[i].offset + t->at[i].size - begin;
        const char *parameter = arena_printf(p->arena, "$%u", ++number);
        if (strlen(parameter) > room)
            return (struct slice){0};
        memset(copy + begin, ' ', room);
        memcpy(copy + begin, parameter, strlen(parameter));
    }
    *ret_bound = number > 0;
    return slice_make(copy, t->text.size);
}

/* Where a statement begins in the task's text: an expression has `select` before it, which is not
   there. */
static size_t begin_of(const struct preparing *p, const struct sql_examined *statement)
{
    static const struct slice made = {"select ", 7};
    struct slice text = p->sql->text;
    size_t offset = statement->offset;
    bool there = offset < text.size && text.size - offset >= made.size &&
                 slice_equal(slice_make(text.p + offset, made.size), made);
    bool begins = statement->tokens.text.size > made.size &&
                  slice_equal(slice_make(statement->tokens.text.p, made.size), made);
    return begins && !there ? offset + made.size : offset;
}

static bool ask_inner(const struct preparing *p, const struct sql_tables *tables, size_t index)
{
    const struct sql_examined *statement = &tables->statements[index];
    struct probe probe = {.before = "", .after = "", .offset = statement->offset, .inner = true};
    if (!stands_alone(tables, index))
        return false;
    probe.part = bind_variables(p, &statement->tokens, &probe.bound);
    return probe.part.size && ask(p, &probe) != UNKNOWN;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Statements that the server analyses when it prepares them, besides queries; and those that are
   carried out.  What needs to be outside of a transaction fails in it with a code of its own. */
static const char *const prepared[] = {"call", "explain", "declare", "table", NULL};
static const char *const carried_out[] = {"create", "alter", "drop", "truncate", "comment", "grant",
    "revoke", "set", "reset", "lock", "analyze", "refresh", "reindex", "cluster", NULL};

static bool ask_whole(const struct preparing *p, const struct sql_examined *statement, bool carries)
{
    struct probe probe = probe_of(statement, 0, statement->tokens.count);
    probe.carried_out = carries;
    return ask(p, &probe) != UNKNOWN;
}

void prepare_statement(struct preparing *p, const struct sql_tables *tables, size_t index)
{
    const struct sql_examined *statement = &tables->statements[index];
    const struct sql_tokens *t = &statement->tokens;
    bool asked = false;
    if (statement->control != SQL_CONTROL_NONE)
        return;
    if (statement->inner)
        asked = ask_inner(p, tables, index);
    else if (sql_is_word(t, 0, "copy"))
        asked = ask_copy(p, statement);
    else if (sql_is_word(t, 0, "do"))
        asked = ask_block(p, statement);
    else if (sql_takes_parameters(t->text) || sql_is_any(t, 0, prepared))
        asked = ask_whole(p, statement, false);
    else if (sql_is_any(t, 0, carried_out))
        asked = ask_whole(p, statement, true);
    if (!asked)
        note_unchecked(
            p, statement->inner ? slice_of("do") : sql_token_text(t, 0), begin_of(p, statement));
}
