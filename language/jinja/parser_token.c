/*
 * The parser's view of the tokens: the current one, what it must be, and what to say when it is
 * not.
 */
#include "language/jinja/parser.h"

enum status jinja_parser_fail_at(
    struct jinja_parser *p, uint32_t line, uint32_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(p->err, ERR_TEMPLATE_SYNTAX, format, args);
    va_end(args);
    return jinja_lexer_fail(&p->lexer, line, offset, p->err);
}

enum status jinja_parser_fail(struct jinja_parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(p->err, ERR_TEMPLATE_SYNTAX, format, args);
    va_end(args);
    return jinja_lexer_fail(&p->lexer, p->current.line, p->current.offset, p->err);
}

enum status jinja_parser_enter(struct jinja_parser *p)
{
    if (++p->nesting <= JINJA_NESTING_MAX)
        return OK;
    jinja_parser_fail(p, "the template is nested more than %d levels deep", JINJA_NESTING_MAX);
    if (p->err)
        p->err->status = ERR_TEMPLATE_DEPTH_LIMIT;
    return ERR_TEMPLATE_DEPTH_LIMIT;
}

enum status jinja_parser_advance(struct jinja_parser *p)
{
    if (p->has_ahead) {
        p->current = p->ahead;
        p->has_ahead = false;
        return OK;
    }
    uint32_t line = p->current.line;
    enum status status = jinja_lexer_next(&p->lexer, &p->current, p->err);
    /* The end stands on the line of the last token. */
    if (!status && p->current.kind == TOKEN_END && line)
        p->current.line = line;
    return status;
}

enum status jinja_parser_look(struct jinja_parser *p, struct jinja_token *ret)
{
    if (!p->has_ahead) {
        enum status status = jinja_lexer_next(&p->lexer, &p->ahead, p->err);
        if (status)
            return status;
        if (p->ahead.kind == TOKEN_END)
            p->ahead.line = p->current.line;
        p->has_ahead = true;
    }
    *ret = p->ahead;
    return OK;
}

bool jinja_at_name(const struct jinja_parser *p, const char *name)
{
    return p->current.kind == TOKEN_NAME && slice_equal_str(p->current.text, name);
}

bool jinja_at_sign(const struct jinja_parser *p, enum jinja_sign sign)
{
    return p->current.kind == TOKEN_OPERATOR && p->current.sign == sign;
}

enum status jinja_skip_name(struct jinja_parser *p, const char *name, bool *ret_skipped)
{
    *ret_skipped = jinja_at_name(p, name);
    return *ret_skipped ? jinja_parser_advance(p) : OK;
}

enum status jinja_skip_sign(struct jinja_parser *p, enum jinja_sign sign, bool *ret_skipped)
{
    *ret_skipped = jinja_at_sign(p, sign);
    return *ret_skipped ? jinja_parser_advance(p) : OK;
}

static const char *const kind_words[] = {[TOKEN_END] = "end of template",
    [TOKEN_DATA] = "template text",
    [TOKEN_VARIABLE_BEGIN] = "`{{`",
    [TOKEN_VARIABLE_END] = "`}}`",
    [TOKEN_BLOCK_BEGIN] = "`{%`",
    [TOKEN_BLOCK_END] = "`%}`",
    [TOKEN_NAME] = "a name",
    [TOKEN_STRING] = "a string",
    [TOKEN_INTEGER] = "an integer",
    [TOKEN_FLOAT] = "a number"};

const char *jinja_describe_token(struct jinja_parser *p, const struct jinja_token *token)
{
    if (token->kind == TOKEN_NAME || token->kind == TOKEN_OPERATOR)
        return arena_printf(p->arena, "`%.*s`",
            (int)(token->text.size < 60 ? token->text.size : 60), token->text.p);
    return kind_words[token->kind];
}

static enum status fail_expected(struct jinja_parser *p, const char *what)
{
    if (p->current.kind == TOKEN_END)
        return jinja_parser_fail(p, "unexpected end of template, expected %s", what);
    return jinja_parser_fail(p, "expected %s, got %s", what, jinja_describe_token(p, &p->current));
}

enum status jinja_expect_sign(struct jinja_parser *p, enum jinja_sign sign)
{
    static const char *const words[] = {[SIGN_COMMA] = "`,`",
        [SIGN_COLON] = "`:`",
        [SIGN_ASSIGN] = "`=`",
        [SIGN_PAREN_OPEN] = "`(`",
        [SIGN_PAREN_CLOSE] = "`)`",
        [SIGN_BRACKET_CLOSE] = "`]`",
        [SIGN_BRACE_CLOSE] = "`}`"};
    if (jinja_at_sign(p, sign))
        return jinja_parser_advance(p);
    return fail_expected(p, words[sign]);
}

enum status jinja_expect_name(struct jinja_parser *p, const char *name)
{
    if (jinja_at_name(p, name))
        return jinja_parser_advance(p);
    return fail_expected(p, arena_printf(p->arena, "`%s`", name));
}

enum status jinja_expect_kind(struct jinja_parser *p, enum jinja_token_kind kind)
{
    if (p->current.kind == kind)
        return jinja_parser_advance(p);
    return fail_expected(p, kind_words[kind]);
}

const struct jinja_symbol *jinja_parser_symbol(struct jinja_parser *p, struct slice text)
{
    struct jinja_symbol *symbol = map_get_slice(p->symbols, text);
    if (!symbol) {
        symbol = arena_new_of(p->arena, struct jinja_symbol);
        symbol->text = text;
        symbol->hash = jinja_hash_text(text);
        map_set_slice(p->symbols, text, symbol);
    }
    return symbol;
}

enum status jinja_expect_symbol(struct jinja_parser *p, const struct jinja_symbol **ret)
{
    if (p->current.kind != TOKEN_NAME)
        return fail_expected(p, "a name");
    *ret = jinja_parser_symbol(p, p->current.text);
    return jinja_parser_advance(p);
}
