/*
 * The syntax tree of a template, and how it is made: lexer → parser → resolver.  Private to the
 * module.
 *
 * All of a tree lives in its template's arena and is read-only once the template is parsed.
 * `line` of a node is the line that Jinja2 gives it, which decides the line of error messages;
 * `offset` is where the node's own text stands, which decides the column.
 */
#ifndef LANGUAGE_JINJA_SYNTAX_H
#define LANGUAGE_JINJA_SYNTAX_H

#include "base/map.h"
#include "base/vec.h"
#include "language/jinja/jinja.h"

/* A name as it occurs in a template, once each. */
struct jinja_symbol {
    struct slice text;
    uint64_t hash; /* jinja_hash_text */
};

/* What a function of the environment is: a filter, a test. */
struct jinja_row {
    const char *name;
    jinja_function *function;
    unsigned flags; /* enum jinja_row_flag */
    void *user;
};
enum jinja_row_flag {
    JINJA_ROW_CLEARS = 1,       /* its result is fit for SQL: not UNTRUSTED any more */
    JINJA_ROW_LENIENT = 2,      /* takes undefined values as they are */
    JINJA_ROW_OWN_MARKS = 4,    /* gives its result the marks itself */
    JINJA_ROW_WHEN_RENDERED = 8 /* is not computed beforehand, even of constants */
};

/* What an undefined value is about; decides the message when it is used. */
enum jinja_missing_kind { MISSING_NAME, MISSING_ATTRIBUTE, MISSING_ELEMENT, MISSING_HINT };
struct jinja_missing {
    enum jinja_missing_kind kind;
    bool lenient;      /* even in strict environments */
    struct slice name; /* or the element, as repr() says it */
    const char *type;  /* of the object that lacks it: "dict object" */
    const char *hint;  /* the message itself */
};

enum jinja_token_kind {
    TOKEN_END,
    TOKEN_DATA,
    TOKEN_VARIABLE_BEGIN,
    TOKEN_VARIABLE_END,
    TOKEN_BLOCK_BEGIN,
    TOKEN_BLOCK_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    TOKEN_OPERATOR,
};

enum jinja_sign {
    SIGN_NONE,
    SIGN_ADD,
    SIGN_ASSIGN,
    SIGN_COLON,
    SIGN_COMMA,
    SIGN_DIVIDE,
    SIGN_DOT,
    SIGN_EQUAL,
    SIGN_FLOOR_DIVIDE,
    SIGN_GREATER,
    SIGN_GREATER_EQUAL,
    SIGN_BRACE_OPEN,
    SIGN_BRACKET_OPEN,
    SIGN_PAREN_OPEN,
    SIGN_LESS,
    SIGN_LESS_EQUAL,
    SIGN_MODULO,
    SIGN_MULTIPLY,
    SIGN_NOT_EQUAL,
    SIGN_PIPE,
    SIGN_POWER,
    SIGN_BRACE_CLOSE,
    SIGN_BRACKET_CLOSE,
    SIGN_PAREN_CLOSE,
    SIGN_SEMICOLON,
    SIGN_SUBTRACT,
    SIGN_TILDE,
};

struct jinja_token {
    enum jinja_token_kind kind;
    enum jinja_sign sign; /* of an operator */
    struct slice text;    /* as it stands; of a string literal: its value */
    int64_t integer;
    double real;
    uint32_t offset, line;
};

enum jinja_lexer_state {
    LEXER_ROOT,
    LEXER_VARIABLE,
    LEXER_BLOCK,
};

struct jinja_lexer {
    struct arena *arena;
    const struct jinja_template *template;
    bool trim_blocks, lstrip_blocks;
    struct slice text;
    size_t at;
    size_t counted; /* newlines are counted up to here … */
    uint32_t line;  /* … which is on this line, from 1 */
    enum jinja_lexer_state state;
    bool pending; /* a tag's begin token waits behind the data just given */
    struct jinja_token pending_token;
    bool line_starting;
    VEC(char) balance; /* the closing brackets that are due */
};

void jinja_lexer_init(struct jinja_lexer *lexer, const struct jinja_template *template,
    const struct jinja_options *options);
void jinja_lexer_done(struct jinja_lexer *lexer);
enum status jinja_lexer_next(
    struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err) MUST_CHECK;
/* Sets an error's place unless it has one already; returns its status. */
enum status jinja_lexer_fail(
    const struct jinja_lexer *lexer, uint32_t line, size_t offset, struct error *err);
/* The value of a string literal's inside, with Python's escapes; false with *ret_message. */
bool jinja_unescape(
    struct arena *arena, struct slice raw, struct slice *ret, const char **ret_message);

enum jinja_expression_kind {
    E_CONSTANT,
    E_CONSTANT_COPY, /* a list or mapping: each use gets one of its own */
    E_NAME,
    E_LIST,
    E_TUPLE,
    E_DICT,
    E_NEGATE,
    E_POSITIVE,
    E_NOT,
    E_BINARY,
    E_AND,
    E_OR,
    E_CONCAT,
    E_COMPARE,
    E_CONDITION,
    E_ATTRIBUTE,
    E_ITEM,
    E_SLICE,
    E_CALL,
    E_FILTER,
    E_TEST,
    E_NAMESPACE_REF,
};

enum jinja_comparison {
    COMPARE_EQUAL,
    COMPARE_NOT_EQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL,
    COMPARE_IN,
    COMPARE_NOT_IN,
};

struct jinja_expression;

/* Where a variable lives: so many functions outwards, then the slot. */
struct jinja_place {
    uint32_t hops, slot;
};

struct jinja_operand {
    enum jinja_comparison op;
    struct jinja_expression *value;
};

struct jinja_keyword_argument {
    const struct jinja_symbol *name;
    struct jinja_expression *value;
};

struct jinja_arguments_node {
    struct jinja_expression **items;
    size_t count;
    struct jinja_keyword_argument *keywords;
    size_t keyword_count;
    struct jinja_expression *rest;         /* *args */
    struct jinja_expression *keyword_rest; /* **kwargs */
};

struct jinja_expression {
    uint8_t kind;   /* enum jinja_expression_kind */
    uint8_t op;     /* of E_BINARY: enum jinja_operator; of E_CONCAT: enum jinja_escape */
    bool flag;      /* E_ATTRIBUTE: a method name of dicts; E_NAME as target: to be exported */
    uint16_t depth; /* nesting of the tree below */
    uint32_t line, offset;
    union {
        struct jinja_value constant;
        struct {
            const struct jinja_symbol *name;
            const struct jinja_symbol *attribute; /* of E_NAMESPACE_REF */
            struct jinja_missing *missing;
            struct jinja_place place;
        } variable;
        struct {
            struct jinja_expression **items; /* E_DICT: key, value, key, value … */
            size_t count;
        } list;
        struct {
            struct jinja_expression *left, *right; /* unary: left */
        } pair;
        struct {
            struct jinja_expression *first;
            struct jinja_operand *operands;
            size_t count;
        } compare;
        struct {
            struct jinja_expression *test, *then, *otherwise; /* otherwise may be NULL */
            struct jinja_missing *missing;
        } condition;
        struct {
            struct jinja_expression *object;
            const struct jinja_symbol *name;
        } attribute;
        struct {
            struct jinja_expression *object, *key;
        } item;
        struct {
            struct jinja_expression *start, *stop, *step; /* may be NULL */
        } slice;
        struct {
            struct jinja_expression *callee; /* of filters and tests the operand; NULL: captured */
            const struct jinja_symbol *name; /* of filters and tests */
            const struct jinja_row *row;     /* NULL: there is none of that name */
            struct jinja_arguments_node arguments;
        } call;
    };
};

enum jinja_statement_kind {
    S_OUTPUT,
    S_IF,
    S_FOR,
    S_SET,
    S_SET_BLOCK,
    S_WITH,
    S_MACRO,
    S_CALL,
    S_FILTER,
    S_INCLUDE,
    S_IMPORT,
    S_FROM,
    S_EXTENDS,
    S_BLOCK,
    S_DO,
    S_BREAK,
    S_CONTINUE,
    S_AUTOESCAPE,
};

struct jinja_body {
    struct jinja_statement *first, **last;
};

/* A piece of an output statement: text as it stands (expression NULL), or an expression. */
struct jinja_part {
    struct slice text;
    uint32_t offset, line; /* of text: its own; of an expression: of its tag's content */
    struct jinja_expression *expression;
};

/* Variables to set when a frame of names is entered, in order. */
enum jinja_load_kind { LOAD_PARAMETER, LOAD_RESOLVE, LOAD_ALIAS, LOAD_MISSING };
struct jinja_load {
    enum jinja_load_kind kind;
    uint32_t slot;
    const struct jinja_symbol *name; /* to resolve */
    struct jinja_place source;       /* to alias */
};
struct jinja_loads {
    const struct jinja_load *at;
    size_t count;
};

/* The names and places of all variables assigned so far, for included templates. */
struct jinja_visible {
    const struct jinja_symbol *name;
    struct jinja_place place;
};
struct jinja_visibles {
    const struct jinja_visible *at;
    size_t count;
};

/* What has slots of its own when it runs: a template's root, a block, a macro, a recursive loop. */
struct jinja_code {
    const struct jinja_template *template;
    const char *name; /* of a macro or block, for traces; NULL of a root */
    uint32_t slot_count;
    bool captured;      /* something made in it may outlive its run: slots go to the arena */
    bool is_generator;  /* of a macro or loop: it includes without context */
    uint32_t last_line; /* which Jinja2 reports for its end */
    struct jinja_loads loads;
    struct jinja_body body;
};

/* A macro or the body of a call block. */
struct jinja_macro_node {
    struct jinja_code code;
    uint32_t line, offset;
    const struct jinja_symbol *name;      /* NULL of a call block */
    struct jinja_expression **parameters; /* E_NAME */
    struct jinja_expression **defaults;   /* of the last ones */
    size_t parameter_count, default_count;
    struct jinja_missing **missing; /* one per parameter: "parameter 'x' was not provided" */
    bool explicit_caller;
    bool uses_caller, uses_keywords, uses_varargs;
    uint32_t caller_slot, keywords_slot, varargs_slot;
};

struct jinja_block_node {
    struct jinja_code code;
    struct slice name;
    uint32_t line, offset;
    bool required;
    bool uses_self, uses_super;
    uint32_t self_slot, super_slot;
};

/* Whether HTML is escaped: as the tags around say, or (within an `autoescape` whose value is no
   constant) as the context says. */
enum jinja_escape { ESCAPE_NO, ESCAPE_YES, ESCAPE_ASK };

enum jinja_output_check { CHECK_NONE, CHECK_PARENT, CHECK_NEVER };

struct jinja_branch {
    struct jinja_expression *test; /* NULL: else */
    uint32_t line;
    struct jinja_body body;
};

struct jinja_import_name {
    const struct jinja_symbol *name, *alias;
    struct jinja_place place;
    struct jinja_missing *missing;
};

struct jinja_statement {
    enum jinja_statement_kind kind;
    enum jinja_escape escape;
    uint32_t line, offset;
    struct jinja_statement *next;
    union {
        struct {
            struct jinja_part *parts;
            size_t count;
            enum jinja_output_check check;
        } output;
        struct {
            struct jinja_branch *branches;
            size_t count;
        } branch;
        struct {
            struct jinja_expression *target, *iterable, *test;
            struct jinja_expression *test_target; /* the target in the test's frame */
            bool recursive, has_loop;
            uint32_t loop_slot;
            struct jinja_code *code; /* of a recursive loop */
            struct jinja_loads loads, test_loads, else_loads;
            struct jinja_body body, otherwise;
        } loop;
        struct {
            struct jinja_expression *target, *value;
            struct jinja_expression *filter; /* of a set block, or NULL */
            uint32_t check_line;             /* where a target that is no namespace is reported */
            struct jinja_loads loads;
            struct jinja_body body;
        } set;
        struct {
            struct jinja_expression **targets, **values;
            size_t count;
            uint32_t value_line;
            struct jinja_loads loads;
            struct jinja_body body;
        } with;
        struct {
            struct jinja_macro_node *macro;
            struct jinja_place place;
            bool exported;
            struct jinja_expression *call; /* of a call block */
        } macro;
        struct {
            struct jinja_expression *filter;
            struct jinja_loads loads;
            struct jinja_body body;
        } filter;
        struct {
            struct jinja_expression *template;
            bool with_context, ignore_missing, exported;
            const struct jinja_symbol *target; /* of import */
            struct jinja_place place;
            struct jinja_import_name *names; /* of from */
            size_t name_count;
            struct jinja_visibles visibles;
        } import;
        struct {
            struct jinja_block_node *block;
            bool scoped;
            enum jinja_output_check check;
            struct jinja_visibles visibles;
        } block;
        struct {
            struct jinja_expression *value;
            uint32_t value_line;
            struct jinja_loads loads;
            struct jinja_body body;
        } expression; /* do, extends, autoescape */
    };
    bool extended_twice;  /* of extends: another one came before, for certain */
    bool extended_before; /* of extends: another one may have come before */
};

struct jinja_template {
    struct arena *arena;
    struct jinja_environment *env;
    const char *name; /* as loaded, or the file */
    const char *file;
    uint32_t first_line;
    struct slice text;     /* normalized */
    const uint32_t *lines; /* where each line starts */
    size_t line_count;
    struct jinja_code root;
    bool uses_self;
    uint32_t self_slot;
    bool extends; /* has an extends tag somewhere */
    struct jinja_block_node **blocks;
    size_t block_count;
    struct jinja_needs needs;
    struct jinja_expression *expression; /* of a bare expression */
};

struct jinja_parser;

/* Parses template->text into template->root.body (or, with `bare`, into template->expression) and
   resolves names. */
enum status jinja_parse(struct jinja_template *template, bool bare, struct error *err) MUST_CHECK;
/* The second half of jinja_parse: gives every name its slot, finds filters and tests, and makes
   the checks that Jinja2 makes when it compiles. */
enum status jinja_resolve(
    struct jinja_template *template, struct jinja_parser *parser, struct error *err) MUST_CHECK;

struct jinja_options jinja_environment_options(const struct jinja_environment *env);
const struct jinja_options *jinja_options_of(const struct jinja_environment *env);
const struct jinja_row *jinja_find_filter(
    const struct jinja_environment *env, const struct jinja_symbol *name);
const struct jinja_row *jinja_find_test(
    const struct jinja_environment *env, const struct jinja_symbol *name);

/* Adds "did you mean `x`?" to an error about an unknown filter or test. */
void jinja_suggest_row(
    const struct jinja_environment *env, bool is_filter, struct slice name, struct error *err);
/* Whether dicts have a method of that name: it hides an item of the same name. */
bool jinja_is_dict_method(struct slice name);
/* The place of an offset in the template's text. */
struct jinja_origin jinja_locate(const struct jinja_template *template, size_t offset);
/* Sets an error's place to a line (as Jinja2 counts them, from 1 in the text) and, when `offset`
   is on that line, to its column. */
void jinja_set_place(
    const struct jinja_template *template, uint32_t line, size_t offset, struct error *err);

uint64_t jinja_hash_text(struct slice s);

#endif
