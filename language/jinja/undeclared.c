/*
 * Whether a body reads one of the names that tags provide (`loop`, `caller`, `self` …): decides
 * whether they are made.  The order of the walk is Jinja2's: an assignment met first means that
 * the name is the template's own.
 */
#include "language/jinja/resolver.h"

enum finding { UNSEEN, READ, ASSIGNED };

static enum finding look_expression(const struct jinja_expression *e, const char *name);
static enum finding look_body(const struct jinja_body *body, const char *name);

static enum finding look_list(struct jinja_expression *const *items, size_t count, const char *name)
{
    enum finding finding = UNSEEN;
    for (size_t i = 0; !finding && i < count; i++)
        finding = look_expression(items[i], name);
    return finding;
}

static enum finding look_call(const struct jinja_expression *e, const char *name)
{
    const struct jinja_arguments_node *a = &e->call.arguments;
    enum finding finding = look_expression(e->call.callee, name);
    if (!finding)
        finding = look_list(a->items, a->count, name);
    for (size_t i = 0; !finding && i < a->keyword_count; i++)
        finding = look_expression(a->keywords[i].value, name);
    if (!finding)
        finding = look_expression(a->rest, name);
    return finding ? finding : look_expression(a->keyword_rest, name);
}

static enum finding look_three(const struct jinja_expression *a, const struct jinja_expression *b,
    const struct jinja_expression *c, const char *name)
{
    enum finding finding = look_expression(a, name);
    if (!finding)
        finding = look_expression(b, name);
    return finding ? finding : look_expression(c, name);
}

static enum finding look_expression(const struct jinja_expression *e, const char *name)
{
    enum finding finding = UNSEEN;
    if (!e)
        return finding;
    switch ((enum jinja_expression_kind)e->kind) {
    case E_CONSTANT:
    case E_CONSTANT_COPY:
    case E_NAMESPACE_REF: return UNSEEN;
    case E_NAME: return slice_equal_str(e->variable.name->text, name) ? READ : UNSEEN;
    case E_LIST:
    case E_TUPLE:
    case E_DICT:
    case E_CONCAT: return look_list(e->list.items, e->list.count, name);
    case E_NEGATE:
    case E_POSITIVE:
    case E_NOT:
    case E_BINARY:
    case E_AND:
    case E_OR: return look_three(e->pair.left, e->pair.right, NULL, name);
    case E_COMPARE:
        finding = look_expression(e->compare.first, name);
        for (size_t i = 0; !finding && i < e->compare.count; i++)
            finding = look_expression(e->compare.operands[i].value, name);
        return finding;
    case E_CONDITION:
        return look_three(e->condition.test, e->condition.then, e->condition.otherwise, name);
    case E_ATTRIBUTE: return look_expression(e->attribute.object, name);
    case E_ITEM: return look_three(e->item.object, e->item.key, NULL, name);
    case E_SLICE: return look_three(e->slice.start, e->slice.stop, e->slice.step, name);
    case E_CALL:
    case E_FILTER:
    case E_TEST: return look_call(e, name);
    }
    return UNSEEN;
}

static enum finding look_target(const struct jinja_expression *e, const char *name)
{
    enum finding finding = UNSEEN;
    if (e->kind == E_NAME)
        return slice_equal_str(e->variable.name->text, name) ? ASSIGNED : UNSEEN;
    if (e->kind == E_TUPLE)
        for (size_t i = 0; !finding && i < e->list.count; i++)
            finding = look_target(e->list.items[i], name);
    return finding;
}

static enum finding look_macro(const struct jinja_macro_node *macro, const char *name)
{
    enum finding finding = UNSEEN;
    for (size_t i = 0; !finding && i < macro->parameter_count; i++)
        finding = look_target(macro->parameters[i], name);
    if (!finding)
        finding = look_list(macro->defaults, macro->default_count, name);
    return finding ? finding : look_body(&macro->code.body, name);
}

static enum finding look_if(const struct jinja_statement *s, const char *name)
{
    enum finding finding = UNSEEN;
    for (size_t i = 0; !finding && i < s->branch.count; i++) {
        finding = look_expression(s->branch.branches[i].test, name);
        if (!finding)
            finding = look_body(&s->branch.branches[i].body, name);
    }
    return finding;
}

static enum finding look_for(const struct jinja_statement *s, const char *name)
{
    enum finding finding = look_target(s->loop.target, name);
    if (!finding)
        finding = look_expression(s->loop.iterable, name);
    if (!finding)
        finding = look_body(&s->loop.body, name);
    if (!finding)
        finding = look_body(&s->loop.otherwise, name);
    return finding ? finding : look_expression(s->loop.test, name);
}

static enum finding look_with(const struct jinja_statement *s, const char *name)
{
    enum finding finding = UNSEEN;
    for (size_t i = 0; !finding && i < s->with.count; i++)
        finding = look_target(s->with.targets[i], name);
    if (!finding)
        finding = look_list(s->with.values, s->with.count, name);
    return finding ? finding : look_body(&s->with.body, name);
}

static enum finding look_set(const struct jinja_statement *s, const char *name)
{
    enum finding finding = look_target(s->set.target, name);
    if (!finding)
        finding = look_expression(s->set.value, name);
    if (!finding)
        finding = look_expression(s->set.filter, name);
    return finding ? finding : look_body(&s->set.body, name);
}

static enum finding look_output(const struct jinja_statement *s, const char *name)
{
    enum finding finding = UNSEEN;
    for (size_t i = 0; !finding && i < s->output.count; i++)
        finding = look_expression(s->output.parts[i].expression, name);
    return finding;
}

static enum finding look_statement(const struct jinja_statement *s, const char *name)
{
    enum finding finding = UNSEEN;
    switch (s->kind) {
    case S_OUTPUT: return look_output(s, name);
    case S_IF: return look_if(s, name);
    case S_FOR: return look_for(s, name);
    case S_SET:
    case S_SET_BLOCK: return look_set(s, name);
    case S_WITH: return look_with(s, name);
    case S_CALL:
        finding = look_expression(s->macro.call, name);
        return finding ? finding : look_macro(s->macro.macro, name);
    case S_MACRO: return look_macro(s->macro.macro, name);
    case S_FILTER:
        finding = look_body(&s->filter.body, name);
        return finding ? finding : look_expression(s->filter.filter, name);
    case S_INCLUDE:
    case S_IMPORT:
    case S_FROM: return look_expression(s->import.template, name);
    case S_EXTENDS:
    case S_DO: return look_expression(s->expression.value, name);
    case S_AUTOESCAPE:
        finding = look_expression(s->expression.value, name);
        return finding ? finding : look_body(&s->expression.body, name);
    case S_BLOCK:
    case S_BREAK:
    case S_CONTINUE: break;
    }
    return UNSEEN;
}

static enum finding look_body(const struct jinja_body *body, const char *name)
{
    enum finding finding = UNSEEN;
    for (const struct jinja_statement *s = body->first; !finding && s; s = s->next)
        finding = look_statement(s, name);
    return finding;
}

bool jinja_reads_name(const struct jinja_body *body, const char *name)
{
    return look_body(body, name) == READ;
}

bool jinja_assigns_name(const struct jinja_body *body, const char *name)
{
    return look_body(body, name) == ASSIGNED;
}

bool jinja_has_scoped_block(const struct jinja_body *body)
{
    for (const struct jinja_statement *s = body->first; s; s = s->next) {
        const struct jinja_body *inner = NULL, *other = NULL;
        switch (s->kind) {
        case S_BLOCK:
            if (s->block.scoped)
                return true;
            inner = &s->block.block->code.body;
            break;
        case S_IF:
            for (size_t i = 0; i < s->branch.count; i++)
                if (jinja_has_scoped_block(&s->branch.branches[i].body))
                    return true;
            break;
        case S_FOR:
            inner = &s->loop.body;
            other = &s->loop.otherwise;
            break;
        case S_SET_BLOCK: inner = &s->set.body; break;
        case S_WITH: inner = &s->with.body; break;
        case S_MACRO:
        case S_CALL: inner = &s->macro.macro->code.body; break;
        case S_FILTER: inner = &s->filter.body; break;
        case S_AUTOESCAPE: inner = &s->expression.body; break;
        default: break;
        }
        if ((inner && jinja_has_scoped_block(inner)) || (other && jinja_has_scoped_block(other)))
            return true;
    }
    return false;
}
