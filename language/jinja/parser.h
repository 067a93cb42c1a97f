/*
 * The parser's state, shared by its two files: statements (parser.c) and expressions
 * (parser_expression.c).  Private to the module.
 */
#ifndef LANGUAGE_JINJA_PARSER_H
#define LANGUAGE_JINJA_PARSER_H

#include "language/jinja/syntax.h"

struct jinja_parser {
    struct jinja_template *template;
    struct arena *arena;
    struct jinja_lexer lexer;
    struct jinja_token current, ahead;
    bool has_ahead;
    struct map *symbols; /* text → struct jinja_symbol */
    unsigned nesting;
    VEC(const char *) open_tags;       /* for "the innermost block … is `for`" */
    VEC(const char *const *) end_tags; /* what the enclosing bodies wait for */
    VEC(struct jinja_block_node *) blocks;
    VEC(struct jinja_reference) references;
    struct error *err;
};

/* Tokens. */
enum status jinja_parser_advance(struct jinja_parser *p) MUST_CHECK;
enum status jinja_parser_look(struct jinja_parser *p, struct jinja_token *ret) MUST_CHECK;
bool jinja_at_name(const struct jinja_parser *p, const char *name);
bool jinja_at_sign(const struct jinja_parser *p, enum jinja_sign sign);
/* Moves on when the current token is that one. */
enum status jinja_skip_name(struct jinja_parser *p, const char *name, bool *ret_skipped) MUST_CHECK;
enum status jinja_skip_sign(
    struct jinja_parser *p, enum jinja_sign sign, bool *ret_skipped) MUST_CHECK;
enum status jinja_expect_sign(struct jinja_parser *p, enum jinja_sign sign) MUST_CHECK;
enum status jinja_expect_name(struct jinja_parser *p, const char *name) MUST_CHECK;
enum status jinja_expect_kind(struct jinja_parser *p, enum jinja_token_kind kind) MUST_CHECK;
/* A name token; gives its symbol. */
enum status jinja_expect_symbol(struct jinja_parser *p, const struct jinja_symbol **ret) MUST_CHECK;
const struct jinja_symbol *jinja_parser_symbol(struct jinja_parser *p, struct slice text);

/* Errors at the current token, or at a line and offset. */
enum status jinja_parser_fail(struct jinja_parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum status jinja_parser_fail_at(struct jinja_parser *p, uint32_t line, uint32_t offset,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Counts nesting; pair with p->nesting--. */
enum status jinja_parser_enter(struct jinja_parser *p) MUST_CHECK;
/* The token as messages name it. */
const char *jinja_describe_token(struct jinja_parser *p, const struct jinja_token *token);

/* Expressions. */
enum jinja_tuple_end { TUPLE_END_NONE, TUPLE_END_IN, TUPLE_END_RECURSIVE };
struct jinja_tuple_options {
    bool simplified;   /* names and literals only: a target */
    bool no_condition; /* without `x if y else z` */
    bool parenthesized;
    bool with_namespace;
    enum jinja_tuple_end end;
};
enum status jinja_parse_expression(
    struct jinja_parser *p, struct jinja_expression **ret) MUST_CHECK;
enum status jinja_parse_tuple(struct jinja_parser *p, struct jinja_tuple_options options,
    struct jinja_expression **ret) MUST_CHECK;
/* `target` of set, for and with: checked to be assignable. */
enum status jinja_parse_target(struct jinja_parser *p, bool with_namespace,
    enum jinja_tuple_end end, struct jinja_expression **ret) MUST_CHECK;
/* `|name(…)|name…` behind `operand`; with `start`, the first one without its bar. */
enum status jinja_parse_filters(struct jinja_parser *p, struct jinja_expression *operand,
    bool start, struct jinja_expression **ret) MUST_CHECK;
struct jinja_expression *jinja_new_expression(
    struct jinja_parser *p, enum jinja_expression_kind kind, uint32_t line, uint32_t offset);

#endif
