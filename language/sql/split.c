#include "language/sql/split.h"

#include "base/vec.h"

enum { HEAD_WORDS = 4 }; /* CREATE OR REPLACE FUNCTION: what tells a routine */

struct splitter {
    struct slice text;
    VEC(struct sql_statement) found;
    struct sql_statement current;
    bool open;                         /* a statement has begun */
    struct sql_token head[HEAD_WORDS]; /* its first tokens */
    size_t head_count;
    size_t parentheses;
    size_t blocks; /* BEGIN ATOMIC and CASE in it */
    bool after_begin;
    struct arena *keep;           /* where its tokens are kept; NULL: they are not wanted */
    VEC(struct sql_token) tokens; /* its own; their offsets are in it */
};

/* ROW(first word, second word or NULL, what it is, how it is called).  The first row that fits
   wins; ROLLBACK TO is looked at apart because WORK or TRANSACTION may stand between. */
static const struct {
    const char *first, *second;
    enum sql_control control;
    const char *name;
} controls[] = {
    {"begin", NULL, SQL_CONTROL_TRANSACTION, "BEGIN"},
    {"start", "transaction", SQL_CONTROL_TRANSACTION, "START TRANSACTION"},
    {"commit", "prepared", SQL_CONTROL_TRANSACTION, "COMMIT PREPARED"},
    {"commit", NULL, SQL_CONTROL_TRANSACTION, "COMMIT"},
    {"end", NULL, SQL_CONTROL_TRANSACTION, "END"},
    {"abort", NULL, SQL_CONTROL_TRANSACTION, "ABORT"},
    {"rollback", "prepared", SQL_CONTROL_TRANSACTION, "ROLLBACK PREPARED"},
    {"rollback", NULL, SQL_CONTROL_TRANSACTION, "ROLLBACK"},
    {"prepare", "transaction", SQL_CONTROL_TRANSACTION, "PREPARE TRANSACTION"},
    {"savepoint", NULL, SQL_CONTROL_SAVEPOINT, "SAVEPOINT"},
    {"release", NULL, SQL_CONTROL_SAVEPOINT, "RELEASE"},
};

static bool head_is(const struct splitter *s, size_t i, const char *word)
{
    return i < s->head_count && sql_token_is(s->text, s->head[i], word);
}

static bool rolls_back_to(const struct splitter *s)
{
    size_t next = head_is(s, 1, "work") || head_is(s, 1, "transaction") ? 2 : 1;
    return head_is(s, 0, "rollback") && head_is(s, next, "to");
}

static void classify(struct splitter *s)
{
    if (rolls_back_to(s)) {
        s->current.control = SQL_CONTROL_SAVEPOINT;
        s->current.word = "ROLLBACK TO";
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
        if (head_is(s, 0, controls[i].first) &&
            (!controls[i].second || head_is(s, 1, controls[i].second))) {
            s->current.control = controls[i].control;
            s->current.word = controls[i].name;
            return;
        }
    }
}

static bool creates_routine(const struct splitter *s)
{
    size_t next = head_is(s, 1, "or") && head_is(s, 2, "replace") ? 3 : 1;
    return head_is(s, 0, "create") &&
           (head_is(s, next, "function") || head_is(s, next, "procedure"));
}

/* Counts the blocks of a routine written as BEGIN ATOMIC … END: only there do words decide. */
static void track_blocks(struct splitter *s, struct sql_token token)
{
    if (!creates_routine(s) || s->parentheses)
        return;
    if (s->after_begin && sql_token_is(s->text, token, "atomic"))
        s->blocks++;
    else if (s->blocks && sql_token_is(s->text, token, "case"))
        s->blocks++;
    else if (s->blocks && sql_token_is(s->text, token, "end"))
        s->blocks--;
    s->after_begin = sql_token_is(s->text, token, "begin");
}

static void keep_token(struct splitter *s, struct sql_token token)
{
    token.offset -= s->current.offset;
    token.body_offset -= token.kind == SQL_DOLLAR ? s->current.offset : 0;
    vec_push(&s->tokens, token);
}

static void keep_tokens(struct splitter *s)
{
    struct sql_statement *own = &s->current;
    struct sql_token end = {.kind = SQL_END, .offset = own->size};
    own->tokens.text = slice_make(s->text.p + own->offset, own->size);
    own->tokens.count = s->tokens.count;
    vec_push(&s->tokens, end);
    own->tokens.at = arena_memdup(s->keep, s->tokens.at, s->tokens.count * sizeof(*s->tokens.at));
    vec_clear(&s->tokens);
}

static void finish(struct splitter *s)
{
    if (s->open) {
        classify(s);
        if (s->keep)
            keep_tokens(s);
        vec_push(&s->found, s->current);
    }
    s->open = s->after_begin = false;
    s->head_count = s->parentheses = s->blocks = 0;
}

static void take_token(struct splitter *s, struct sql_token token)
{
    if (token.kind == SQL_SEMICOLON && !s->parentheses && !s->blocks) {
        finish(s);
        return;
    }
    if (!s->open)
        s->current = (struct sql_statement){.offset = token.offset};
    s->open = true;
    if (s->keep)
        keep_token(s, token);
    s->current.size = token.offset + token.size - s->current.offset;
    if (s->head_count < HEAD_WORDS)
        s->head[s->head_count++] = token;
    if (token.kind == SQL_OPEN)
        s->parentheses++;
    else if (token.kind == SQL_CLOSE && s->parentheses)
        s->parentheses--;
    track_blocks(s, token);
}

static const char *unterminated_name(struct slice text, struct sql_token token)
{
    switch (text.p[token.offset]) {
    case '/': return "a comment";
    case '$': return "a dollar quote";
    case '"': return "a quoted name";
    default: return "a quoted text";
    }
}

static void splitter_done(struct splitter *s)
{
    vec_done(&s->found);
    vec_done(&s->tokens);
}

static enum status split(struct slice text, struct arena *arena, struct arena *keep,
    struct sql_statements *ret, size_t *ret_offset, struct error *err)
{
    const char *nul = text.size ? memchr(text.p, 0, text.size) : NULL;
    if (nul) {
        *ret_offset = (size_t)(nul - text.p);
        return error_set(err, ERR_INVALID, "the SQL contains a NUL byte");
    }
    struct splitter s = {.text = text, .keep = keep};
    size_t position = 0;
    struct sql_token token;
    while ((token = sql_lex(text, &position)).kind != SQL_END) {
        if (token.kind == SQL_UNTERMINATED) {
            splitter_done(&s);
            *ret_offset = token.offset;
            return error_set(err, ERR_INVALID, "%s is not ended", unterminated_name(text, token));
        }
        take_token(&s, token);
    }
    finish(&s);
    ret->count = s.found.count;
    ret->at =
        s.found.count ? arena_memdup(arena, s.found.at, s.found.count * sizeof(*s.found.at)) : NULL;
    splitter_done(&s);
    return OK;
}

enum status sql_split(struct slice text, struct arena *arena, struct sql_statements *ret,
    size_t *ret_offset, struct error *err)
{
    return split(text, arena, NULL, ret, ret_offset, err);
}

enum status sql_split_tokens(struct slice text, struct arena *arena, struct sql_statements *ret,
    size_t *ret_offset, struct error *err)
{
    return split(text, arena, arena, ret, ret_offset, err);
}
