/*
 * Tables in DO blocks: PL/pgSQL's own words are taken away, and each statement or expression that
 * is left is looked at as a statement of its own.
 */
#include "language/sql/split.h"
#include "language/sql/tables_internal.h"

struct block {
    struct finder *f;
    struct sql_tokens tokens; /* of one piece: what a semicolon ends */
    size_t base;              /* where it stands */
    bool declaring;
};

static bool is(const struct block *b, size_t i, const char *word)
{
    return sql_is_word(&b->tokens, i, word);
}

static bool is_any(const struct block *b, size_t i, const char *const *words)
{
    return sql_is_any(&b->tokens, i, words);
}

static bool is_char(const struct block *b, size_t i, char c)
{
    return sql_is_char(&b->tokens, i, c);
}

static bool is_name(const struct block *b, size_t i)
{
    return sql_is_kind(&b->tokens, i, SQL_WORD) || sql_is_kind(&b->tokens, i, SQL_QUOTED);
}

static size_t last(const struct block *b)
{
    return b->tokens.count;
}

/* The first token from i on, outside of brackets and CASE, that is one of the words; the end's
   without. */
static size_t find(const struct block *b, size_t i, const char *const *words)
{
    size_t depth = 0, cases = 0;
    for (; i < last(b); i++) {
        depth += b->tokens.at[i].kind == SQL_OPEN;
        depth -= b->tokens.at[i].kind == SQL_CLOSE && depth;
        if (depth == 0 && cases == 0 && is_any(b, i, words))
            break;
        cases += is(b, i, "case");
        cases -= is(b, i, "end") && cases;
    }
    return i;
}

/* ---- what is looked at ----------------------------------------------------------------------- */

/* Tokens from i to before `end` as a statement, behind a word that makes them one. */
static void examine(struct block *b, const char *before, size_t i, size_t end)
{
    if (i >= end)
        return;
    struct finder *f = b->f;
    size_t begin = b->tokens.at[i].offset, size = b->tokens.at[end].offset - begin;
    char *text = arena_printf(f->arena, "%s%.*s", before, (int)size, b->tokens.text.p + begin);
    f->tokens = sql_tokens_read(slice_of(text), f->arena);
    f->base = b->base + begin - strlen(before);
    finder_examine(f, true);
}

static void examine_expression(struct block *b, size_t i, size_t end)
{
    examine(b, "select ", i, end);
}

/* Behind `into strict a.b, c`. */
static size_t behind_targets(const struct block *b, size_t i)
{
    i += is(b, i + 1, "strict") ? 2 : 1;
    while (i < last(b)) {
        bool name = is_name(b, i);
        bool goes_on = is_char(b, i + 1, '.') || is_char(b, i + 1, ',');
        if (!name || !goes_on)
            return name ? i + 1 : i;
        i += 2;
    }
    return i;
}

/* PL/pgSQL's INTO names variables; SQL's would make a table. */
static void blank_into(struct block *b, char *copy, size_t i, size_t end)
{
    static const char *const of_sql[] = {"insert", "merge", NULL};
    size_t begin = b->tokens.at[i].offset;
    for (size_t k = i + 1; k < end; k++) {
        if (!is(b, k, "into") || is_any(b, k - 1, of_sql))
            continue;
        size_t behind = behind_targets(b, k);
        size_t from = b->tokens.at[k].offset, to = b->tokens.at[behind < end ? behind : end].offset;
        memset(copy + (from - begin), ' ', to - from);
        k = behind - 1;
    }
}

static void examine_statement(struct block *b, const char *before, size_t i, size_t end)
{
    if (i >= end)
        return;
    const char *piece = b->tokens.text.p;
    size_t begin = b->tokens.at[i].offset;
    char *copy = arena_strndup(b->f->arena, piece, b->tokens.text.size);
    blank_into(b, copy + begin, i, end);
    b->tokens.text.p = copy;
    examine(b, before, i, end);
    b->tokens.text.p = piece;
}

/* ---- EXECUTE --------------------------------------------------------------------------------- */

/* The content of a literal into a copy of blanks, in the same places; what formats and doubled
   quotes stand for as something of their size. */
static void copy_literal(const struct block *b, struct sql_token token, bool format, char *out)
{
    bool dollar = token.kind == SQL_DOLLAR;
    size_t i = dollar ? token.body_offset : token.offset + 1;
    size_t end = dollar ? i + token.body_size : token.offset + token.size - 1;
    memcpy(out + i, b->tokens.text.p + i, end - i);
    for (; i + 1 < end; i++) {
        const char *two = b->tokens.text.p + i;
        bool doubled = !dollar && two[0] == '\'' && two[1] == '\'';
        if (!doubled && !(format && two[0] == '%' && strchr("IsL", two[1])))
            continue;
        memcpy(out + i, doubled ? " '" : two[1] == 'L' ? "''" : SQL_UNKNOWN, 2);
        i++;
    }
}

static bool is_literal(const struct block *b, size_t i)
{
    enum sql_token_kind kind = b->tokens.at[i].kind;
    return kind == SQL_DOLLAR ||
           (kind == SQL_STRING && b->tokens.text.p[b->tokens.at[i].offset] == '\'');
}

static bool joins_name(char c)
{
    return c == '_' || c == '.' || c == '"' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* Something unknown between two literals: one word, joined to the names that it is part of. */
static void put_unknown(char *out, size_t from, size_t to, bool joined)
{
    static const size_t size = sizeof(SQL_UNKNOWN) - 1;
    for (size_t at = from; at + size <= to && (joined || at == from); at += size)
        memcpy(out + at, SQL_UNKNOWN, size);
    if (joined && (to - from) % size)
        out[to - 1] = '_';
}

/* A part of `'a' || b || format('c %I', d) || quote_literal('e')`. */
struct part {
    enum { PART_JOIN, PART_LITERAL, PART_FORMAT, PART_QUOTED, PART_UNKNOWN } kind;
    struct sql_token literal;
    size_t begin, end; /* of what is known of it, in the text */
    size_t behind;     /* the next part's first token */
};

static struct part part_at(const struct block *b, size_t i)
{
    bool call = b->tokens.at[i].kind == SQL_WORD && is_char(b, i + 1, '(');
    bool format = call && is(b, i, "format") && is_literal(b, i + 2);
    bool quoted = call && is(b, i, "quote_literal") && is_literal(b, i + 2);
    struct part part = {
        .kind = PART_UNKNOWN, .behind = call ? sql_behind_brackets(&b->tokens, i + 1) : i + 1};
    if (is_char(b, i, '|'))
        part.kind = PART_JOIN;
    if (!format && !quoted && !is_literal(b, i))
        return part;
    part.kind = format ? PART_FORMAT : quoted ? PART_QUOTED : PART_LITERAL;
    part.literal = b->tokens.at[format || quoted ? i + 2 : i];
    bool dollar = part.literal.kind == SQL_DOLLAR;
    part.begin = dollar ? part.literal.body_offset : part.literal.offset + !quoted;
    part.end = dollar ? part.begin + part.literal.body_size
                      : part.literal.offset + part.literal.size - !quoted;
    return part;
}

/* The statement that parts make: each literal's content in its place, and a word for what is not
   known between them. */
static void put_parts(const struct block *b, char *out, size_t i, size_t end)
{
    size_t known = b->tokens.at[i].offset; /* behind what is known */
    bool unknown = false;
    for (struct part part; i < end; i = part.behind) {
        part = part_at(b, i);
        unknown |= part.kind == PART_UNKNOWN;
        if (part.kind == PART_UNKNOWN || part.kind == PART_JOIN)
            continue;
        if (part.kind == PART_QUOTED)
            memcpy(out + part.begin, b->tokens.text.p + part.begin, part.end - part.begin);
        else
            copy_literal(b, part.literal, part.kind == PART_FORMAT, out);
        if (unknown)
            put_unknown(out, known, part.begin,
                (known > 0 && joins_name(out[known - 1])) || joins_name(out[part.begin]));
        known = part.end;
        unknown = false;
    }
    if (unknown)
        put_unknown(out, known, b->tokens.at[end].offset, known > 0 && joins_name(out[known - 1]));
}

/* The statement that EXECUTE puts together, as far as its literals tell it. */
static void examine_execute(struct block *b, size_t i, size_t end)
{
    static const char *const ends[] = {"into", "using", NULL};
    size_t stop = find(b, i, ends);
    end = stop < end ? stop : end;
    bool literal = false;
    for (size_t k = i; k < end; k++)
        literal |= is_literal(b, k);
    if (!literal) {
        b->f->calls |= i < end;
        return;
    }
    const char *piece = b->tokens.text.p;
    size_t size = b->tokens.text.size;
    char *out = arena_alloc(b->f->arena, size + 1);
    memset(out, ' ', size);
    put_parts(b, out, i, end);
    b->tokens.text.p = out;
    examine(b, "", i, end);
    b->tokens.text.p = piece;
}

/* ---- PL/pgSQL -------------------------------------------------------------------------------- */

static size_t take_expression_to(struct block *b, size_t i, const char *word)
{
    const char *const words[] = {word, NULL};
    size_t end = find(b, i, words);
    examine_expression(b, i, end);
    return end + 1;
}

static size_t take_for(struct block *b, size_t i)
{
    static const char *const in[] = {"in", NULL}, *const loop[] = {"loop", NULL};
    static const char *const queries[] = {"select", "with", "values", NULL};
    size_t source = find(b, i, in) + 1, end = find(b, i, loop);
    if (is(b, source, "execute"))
        examine_execute(b, source + 1, end);
    else if (is_any(b, source, queries) || is_char(b, source, '('))
        examine_statement(b, "", source, end);
    return end + 1;
}

/* The `:=` of what stands at i, or the end: behind a name, in declarations also behind a type. */
static size_t find_assignment(const struct block *b, size_t i)
{
    for (; i < last(b); i++) {
        bool name = is_name(b, i) || is_char(b, i, '.');
        if (is_char(b, i, ':') && is_char(b, i + 1, '='))
            return i;
        if (!name && !b->declaring && b->tokens.text.p[b->tokens.at[i].offset] != '[')
            break;
        if (sql_is_kind(&b->tokens, i, SQL_OPEN))
            i = sql_behind_brackets(&b->tokens, i) - 1;
    }
    return last(b);
}

/* `name type := expression` of a declaration, or `name := expression`. */
static bool take_assignment(struct block *b, size_t i)
{
    static const char *const defaults[] = {"default", NULL};
    size_t at = find_assignment(b, i), value = b->declaring ? find(b, i, defaults) : last(b);
    if (at == last(b) && value == last(b))
        return b->declaring;
    examine_expression(b, at < last(b) ? at + 2 : value + 1, last(b));
    return true;
}

/* A statement that no other begins. */
static void take_rest(struct block *b, size_t i)
{
    static const char *const own[] = {"end", "null", "raise", "exit", "continue", "get", "open",
        "fetch", "move", "close", "assert", "exception", "set", "reset", "commit", "rollback",
        NULL};
    if (i >= last(b) || is_any(b, i, own))
        return;
    if (is(b, i, "return") && is(b, i + 1, "query"))
        i += 2;
    if (is(b, i, "return"))
        examine_expression(b, i + 1, last(b));
    else if (is(b, i, "perform"))
        examine_statement(b, "select ", i + 1, last(b));
    else if (is(b, i, "execute"))
        examine_execute(b, i + 1, last(b));
    else if (!take_assignment(b, i))
        examine_statement(b, "", i, last(b));
}

/* Passes over the words that stand before the statement of a piece. */
static size_t take_heads(struct block *b, size_t i)
{
    static const char *const plain[] = {"else", "loop", "exception", NULL};
    static const char *const conditions[] = {"if", "elsif", "elseif", "when", NULL};
    static const char *const then[] = {"then", NULL};
    while (i < last(b)) {
        if (is(b, i, "declare") || is(b, i, "begin"))
            b->declaring = is(b, i++, "declare");
        else if (is_any(b, i, plain))
            i++;
        else if (is_char(b, i, '<') && is_char(b, i + 1, '<'))
            i += 5;
        else if (is_any(b, i, conditions) && !b->declaring)
            i = take_expression_to(b, i + 1, "then");
        else if (is(b, i, "case") && !b->declaring)
            i = find(b, i + 1, then) + 1;
        else if (is(b, i, "while"))
            i = take_expression_to(b, i + 1, "loop");
        else if (is(b, i, "for") || is(b, i, "foreach"))
            i = take_for(b, i);
        else
            break;
    }
    return i;
}

/* The body: the last dollar quote.  False when there is none, or its language is another. */
static bool body_of(const struct sql_tokens *statement, struct slice *ret, size_t *ret_offset)
{
    bool found = false;
    for (size_t i = 0; i < statement->count; i++) {
        const struct sql_token *token = &statement->at[i];
        if (i > 0 && sql_is_word(statement, i - 1, "language") &&
            !sql_is_word(statement, i, "plpgsql"))
            return false;
        if (token->kind != SQL_DOLLAR)
            continue;
        *ret = slice_make(statement->text.p + token->body_offset, token->body_size);
        *ret_offset = token->body_offset;
        found = true;
    }
    return found;
}

void sql_walk_block(struct finder *f)
{
    struct sql_tokens outer = f->tokens;
    struct slice body;
    size_t base = f->base, offset, body_offset = 0;
    struct sql_statements pieces;
    if (!body_of(&outer, &body, &body_offset) ||
        sql_split_tokens(body, f->arena, &pieces, &offset, NULL) != OK) {
        f->guessed = true;
        return;
    }
    struct block b = {.f = f};
    for (size_t i = 0; i < pieces.count; i++) {
        b.tokens = pieces.at[i].tokens;
        b.base = base + body_offset + pieces.at[i].offset;
        take_rest(&b, take_heads(&b, 0));
    }
    f->tokens = outer;
    f->base = base;
}
