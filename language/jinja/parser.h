/*
 * The parser's state, shared by its files: tokens (parser_token.c), bodies (parser.c), tags
 * (parser_tags.c), expressions (parser_expression.c, parser_postfix.c).  Private to the module.
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

/* Statements. */
struct jinja_tag {
    const char *tag;
    enum status (*parse)(struct jinja_parser *p, struct jinja_statement **ret);
};
extern const struct jinja_tag jinja_tags[];
extern const size_t jinja_tag_count;
/* One that begins at the current token. */
struct jinja_statement *jinja_new_statement(struct jinja_parser *p, enum jinja_statement_kind kind);
/* From the rest of the begin tag to one of the end tags (NULL-terminated), which becomes the
   current token; with `drop`, to behind its name. */
enum status jinja_parse_until(
    struct jinja_parser *p, const char *const *ends, bool drop, struct jinja_body *ret) MUST_CHECK;

/* Expressions. */
struct jinja_tuple_options {
    bool simplified;   /* names and literals only: a target */
    bool no_condition; /* without `x if y else z` */
    bool parenthesized;
    bool with_namespace;
};
enum status jinja_parse_expression(
    struct jinja_parser *p, struct jinja_expression **ret) MUST_CHECK;
enum status jinja_parse_tuple(struct jinja_parser *p, struct jinja_tuple_options options,
    struct jinja_expression **ret) MUST_CHECK;
/* `target` of set, for and with: checked to be assignable. */
enum status jinja_parse_target(
    struct jinja_parser *p, bool with_namespace, struct jinja_expression **ret) MUST_CHECK;
/* `|name(…)|name…` behind `operand`; with `start`, the first one without its bar. */
enum status jinja_parse_filters(struct jinja_parser *p, struct jinja_expression *operand,
    bool start, struct jinja_expression **ret) MUST_CHECK;
/* A name, literal or bracketed expression; with `with_namespace`, `name.name` as a target. */
enum status jinja_parse_primary(
    struct jinja_parser *p, bool with_namespace, struct jinja_expression **ret) MUST_CHECK;
/* Calls, attributes and items behind *e; then filters, tests and calls of their results. */
enum status jinja_parse_postfix(struct jinja_parser *p, struct jinja_expression **e) MUST_CHECK;
enum status jinja_parse_filter_chain(
    struct jinja_parser *p, struct jinja_expression **e) MUST_CHECK;

/* Growing lists of expressions while their number is unknown; kept in the arena. */
typedef VEC(struct jinja_expression *) jinja_expression_vec;
struct jinja_expression **jinja_keep_items(struct jinja_parser *p, jinja_expression_vec *items);
/* Notes a child's depth in its parent; too deep a tree is an error. */
enum status jinja_deepen(struct jinja_parser *p, struct jinja_expression *e,
    const struct jinja_expression *child) MUST_CHECK;
enum status jinja_make_pair(struct jinja_parser *p, enum jinja_expression_kind kind, uint32_t line,
    uint32_t offset, struct jinja_expression *left, struct jinja_expression *right,
    struct jinja_expression **ret) MUST_CHECK;
struct jinja_expression *jinja_new_expression(
    struct jinja_parser *p, enum jinja_expression_kind kind, uint32_t line, uint32_t offset);

#endif
