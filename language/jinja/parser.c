/*
 * Bodies: text, expressions and tags, up to the tag that ends them; and the way in.
 */
#include "language/jinja/parser.h"

static enum status parse_body(
    struct jinja_parser *p, const char *const *ends, struct jinja_body *ret);

struct jinja_statement *jinja_new_statement(struct jinja_parser *p, enum jinja_statement_kind kind)
{
    struct jinja_statement *s = arena_new_of(p->arena, struct jinja_statement);
    s->kind = kind;
    s->line = p->current.line;
    s->offset = p->current.offset;
    return s;
}

static void add_statement(struct jinja_body *body, struct jinja_statement *s)
{
    if (!body->last)
        body->last = &body->first;
    *body->last = s;
    body->last = &s->next;
}

static bool at_any_name(const struct jinja_parser *p, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (jinja_at_name(p, names[i]))
            return true;
    return false;
}

static void describe_ends(const char *const *ends, struct strbuf *out)
{
    for (size_t i = 0; ends[i]; i++) {
        strbuf_add_str(out, i ? " or `" : "`");
        strbuf_add_str(out, ends[i]);
        strbuf_add_char(out, '`');
    }
}

/* "unknown tag" and "unexpected end": says what is open and what would close it. */
static enum status fail_open(struct jinja_parser *p, const struct jinja_token *unknown)
{
    struct strbuf message = {0};
    if (unknown)
        strbuf_printf(&message, "encountered unknown tag `%.*s`",
            (int)(unknown->text.size < 60 ? unknown->text.size : 60), unknown->text.p);
    else
        strbuf_add_str(&message, "unexpected end of template");
    if (p->end_tags.count) {
        strbuf_add_str(&message, unknown ? "; looking for " : "; it lacks ");
        describe_ends(p->end_tags.at[p->end_tags.count - 1], &message);
    }
    if (p->open_tags.count)
        strbuf_printf(&message, "; the innermost block that needs to be closed is `%s`",
            p->open_tags.at[p->open_tags.count - 1]);
    uint32_t line = unknown ? unknown->line : p->current.line;
    uint32_t offset = unknown ? unknown->offset : p->current.offset;
    jinja_parser_fail_at(p, line, offset, "%s", strbuf_text(&message));
    strbuf_done(&message);
    return ERR_TEMPLATE_SYNTAX;
}

/* From the rest of the begin tag to one of the end tags, which becomes the current token; with
   `drop`, to behind its name. */
enum status jinja_parse_until(
    struct jinja_parser *p, const char *const *ends, bool drop, struct jinja_body *ret)
{
    bool colon;
    enum status status = jinja_skip_sign(p, SIGN_COLON, &colon);
    if (!status)
        status = jinja_expect_kind(p, TOKEN_BLOCK_END);
    if (!status)
        status = parse_body(p, ends, ret);
    if (!status && p->current.kind == TOKEN_END) {
        vec_push(&p->end_tags, ends);
        status = fail_open(p, NULL);
    }
    return status || !drop ? status : jinja_parser_advance(p);
}

static enum status parse_statement(struct jinja_parser *p, struct jinja_statement **ret)
{
    if (p->current.kind != TOKEN_NAME)
        return jinja_parser_fail(p, "tag name expected");
    for (size_t i = 0; i < jinja_tag_count; i++) {
        if (!jinja_at_name(p, jinja_tags[i].tag))
            continue;
        vec_push(&p->open_tags, jinja_tags[i].tag);
        enum status status = jinja_parser_enter(p);
        if (!status)
            status = jinja_tags[i].parse(p, ret);
        p->nesting--;
        p->open_tags.count--;
        return status;
    }
    struct jinja_token unknown = p->current;
    return fail_open(p, &unknown);
}

typedef VEC(struct jinja_part) part_vec;

/* Text and expressions between two tags are one output statement. */
static void flush_parts(struct jinja_parser *p, part_vec *parts, struct jinja_body *body)
{
    if (parts->count == 0)
        return;
    struct jinja_statement *s = arena_new_of(p->arena, struct jinja_statement);
    s->kind = S_OUTPUT;
    s->offset = parts->at[0].offset;
    s->line = parts->at[0].line;
    s->output.count = parts->count;
    s->output.parts = arena_memdup(p->arena, parts->at, parts->count * sizeof *parts->at);
    add_statement(body, s);
    vec_clear(parts);
}

static enum status parse_variable(struct jinja_parser *p, part_vec *parts)
{
    struct jinja_part part = {0};
    enum status status = jinja_parser_advance(p);
    part.offset = p->current.offset;
    part.line = p->current.line;
    if (!status)
        status = jinja_parse_tuple(p, (struct jinja_tuple_options){0}, &part.expression);
    if (!status)
        vec_push(parts, part);
    return status ? status : jinja_expect_kind(p, TOKEN_VARIABLE_END);
}

static enum status parse_parts(
    struct jinja_parser *p, const char *const *ends, part_vec *parts, struct jinja_body *ret)
{
    enum status status = OK;
    while (!status && p->current.kind != TOKEN_END) {
        if (p->current.kind == TOKEN_DATA) {
            struct jinja_part part = {
                .text = p->current.text, .offset = p->current.offset, .line = p->current.line};
            vec_push(parts, part);
            status = jinja_parser_advance(p);
        } else if (p->current.kind == TOKEN_VARIABLE_BEGIN) {
            status = parse_variable(p, parts);
        } else {
            struct jinja_statement *s;
            flush_parts(p, parts, ret);
            status = jinja_parser_advance(p);
            if (status || (ends && at_any_name(p, ends)))
                return status;
            status = parse_statement(p, &s);
            if (!status)
                add_statement(ret, s);
            if (!status)
                status = jinja_expect_kind(p, TOKEN_BLOCK_END);
        }
    }
    flush_parts(p, parts, ret);
    return status;
}

static enum status parse_body(
    struct jinja_parser *p, const char *const *ends, struct jinja_body *ret)
{
    part_vec parts = {0};
    if (ends)
        vec_push(&p->end_tags, ends);
    enum status status = parse_parts(p, ends, &parts, ret);
    /* After a failure the list is left as it is: the message has been made. */
    if (ends && !status)
        p->end_tags.count--;
    vec_done(&parts);
    return status;
}

static enum status parse_bare(struct jinja_parser *p)
{
    p->lexer.state = LEXER_VARIABLE;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &p->template->expression);
    if (!status && p->current.kind != TOKEN_END)
        status = jinja_parser_fail(p, "chunk after expression");
    return status;
}

enum status jinja_parse(struct jinja_template *template, bool bare, struct error *err)
{
    struct jinja_options options = jinja_environment_options(template->env);
    struct jinja_parser parser = {.template = template, .arena = template->arena, .err = err};
    struct jinja_parser *p = &parser;
    p->symbols = map_new();
    jinja_lexer_init(&p->lexer, template, &options);
    enum status status;
    if (bare) {
        status = parse_bare(p);
    } else {
        status = jinja_parser_advance(p);
        if (!status)
            status = parse_body(p, NULL, &template->root.body);
    }
    if (!status)
        status = jinja_resolve(template, p, err);
    if (!status && p->references.count)
        template->needs.references = arena_memdup(
            p->arena, p->references.at, p->references.count * sizeof *p->references.at);
    template->needs.reference_count = p->references.count;
    jinja_lexer_done(&p->lexer);
    vec_done(&p->open_tags);
    vec_done(&p->end_tags);
    vec_done(&p->blocks);
    vec_done(&p->references);
    map_free(p->symbols);
    return status;
}
