/* `foreach`: one document for each item, with the expressions that name `item` replaced. */
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/report.h"
#include "language/jinja/jinja.h"

struct expansion {
    struct loading *l;
    struct jinja_environment *env;
    struct jinja_value context;
    const struct yaml_node *node; /* the scalar at hand */
    bool failed;
};

/* The end of an expression that begins at text[at], behind its `}}`; 0 when it has none. */
static size_t expression_end(struct slice text, size_t at)
{
    char quote = '\0';
    for (size_t i = at + 2; i + 1 < text.size; i++) {
        char c = text.p[i];
        if (quote && c == '\\')
            i++;
        else if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '\'' || c == '"')
            quote = c;
        else if (c == '}' && text.p[i + 1] == '}')
            return i + 2;
    }
    return 0;
}

static bool names_item(struct expansion *x, struct slice expression)
{
    struct jinja_template *template;
    if (jinja_template_parse(x->env, x->l->file, expression, &template, NULL) != OK)
        return false; /* not ours: it is checked when its task is */
    struct jinja_needs needs = jinja_template_needs(template, x->l->scratch);
    bool found = false;
    for (size_t i = 0; i < needs.name_count; i++)
        found |= slice_equal_str(needs.names[i].name, "item");
    jinja_template_free(template);
    return found;
}

static bool evaluate(struct expansion *x, struct slice expression, struct jinja_value *ret)
{
    struct error error;
    struct slice inner = slice_trim(slice_make(expression.p + 2, expression.size - 4));
    if (jinja_evaluate(x->env, x->l->file, inner, x->context, x->l->scratch, ret, &error) == OK)
        return true;
    struct diagnostic *d = report_from(x->l->diagnostics, x->node, &error, "foreach");
    report_hint(d, "an expression that names `item` can use nothing else, for it is replaced "
                   "when the file is loaded");
    x->failed = true;
    return false;
}

/* A text that is one expression takes its value, whatever its type. */
static struct yaml_node *expand_whole(struct expansion *x, struct slice expression)
{
    struct jinja_value value;
    json_t *json;
    if (!evaluate(x, expression, &value) || jinja_to_json(value, x->l->scratch, &json, NULL) != OK)
        return NULL;
    struct yaml_node *node = yaml_from_json(x->l->scratch, json, x->node);
    json_decref(json);
    return node;
}

static bool expand_part(struct expansion *x, struct slice expression, struct strbuf *out)
{
    struct jinja_value value;
    struct slice text;
    if (!evaluate(x, expression, &value) || jinja_to_text(value, x->l->scratch, &text, NULL) != OK)
        return false;
    strbuf_add_slice(out, text);
    return true;
}

static struct yaml_node *expand_scalar(struct expansion *x, const struct yaml_node *node)
{
    struct slice text = node->value;
    struct strbuf out = {0};
    size_t kept = 0, end;
    struct yaml_node *result = NULL;
    x->node = node;
    for (size_t at = 0; at + 3 < text.size && !x->failed; at++) {
        if (text.p[at] != '{' || text.p[at + 1] != '{' || !(end = expression_end(text, at)))
            continue;
        struct slice expression = slice_make(text.p + at, end - at);
        if (names_item(x, expression)) {
            if (expression.size == text.size)
                result = expand_whole(x, expression);
            strbuf_add(&out, text.p + kept, at - kept);
            if (!result)
                expand_part(x, expression, &out);
            kept = end;
        }
        at = end - 1;
    }
    strbuf_add(&out, text.p + kept, text.size - kept);
    if (!result && kept > 0) {
        result = yaml_with_value(x->l->scratch, node, strbuf_text(&out));
        result->type = YAML_TEXT;
        result->text.exact = false;
    }
    strbuf_done(&out);
    return result ? result : arena_memdup(x->l->scratch, node, sizeof(*node));
}

static struct yaml_node *expand(struct expansion *x, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return expand_scalar(x, node);
    struct arena *arena = x->l->scratch;
    struct yaml_node *copy = arena_memdup(arena, node, sizeof(*node));
    if (node->kind == YAML_SEQUENCE)
        copy->items = arena_array(arena, struct yaml_node *, node->count);
    else
        copy->pairs = arena_array(arena, struct yaml_pair, node->count);
    for (size_t i = 0; i < node->count && !x->failed; i++)
        if (node->kind == YAML_SEQUENCE)
            copy->items[i] = expand(x, node->items[i]);
        else
            copy->pairs[i] = (struct yaml_pair){expand(x, node->pairs[i].key),
                expand(x, node->pairs[i].value), node->pairs[i].merged};
    return copy;
}

static struct yaml_node *without_foreach(struct loading *l, const struct yaml_node *document)
{
    struct yaml_node *copy = arena_memdup(l->scratch, document, sizeof(*document));
    copy->pairs = arena_array(l->scratch, struct yaml_pair, document->count);
    copy->count = 0;
    for (size_t i = 0; i < document->count; i++)
        if (!slice_equal_str(document->pairs[i].key->value, "foreach"))
            copy->pairs[copy->count++] = document->pairs[i];
    return copy;
}

static struct yaml_node *expand_item(
    struct loading *l, const struct yaml_node *document, const struct yaml_node *item)
{
    struct expansion x = {.l = l};
    struct jinja_options options = {.strict = true};
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&options);
    CLEANUP(json_decrefp) json_t *json = yaml_to_json(item);
    x.env = env;
    x.context = jinja_mapping_new(l->scratch);
    jinja_mapping_put(l->scratch, x.context, "item", jinja_from_json(l->scratch, json));
    struct yaml_node *made = expand(&x, document);
    return x.failed ? NULL : made;
}

void load_foreach(
    struct loading *l, struct yaml_node *document, struct yaml_node ***ret, size_t *ret_count)
{
    const struct yaml_node *items = yaml_get(document, "foreach");
    *ret_count = 0;
    if (!items) {
        *ret = arena_memdup(l->scratch, &document, sizeof(document));
        *ret_count = 1;
        return;
    }
    if (items->kind != YAML_SEQUENCE || items->count == 0) {
        report(l->diagnostics, items, ERR_VALUE_TYPE, "`foreach` takes a list with items");
        return;
    }
    if (items->count > DAGFILE_DAGS_MAX) {
        report(
            l->diagnostics, items, ERR_LIMIT, "`foreach` makes at most %d DAGs", DAGFILE_DAGS_MAX);
        return;
    }
    const struct yaml_node *pattern = without_foreach(l, document);
    *ret = arena_array(l->scratch, struct yaml_node *, items->count);
    for (size_t i = 0; i < items->count; i++) {
        struct yaml_node *made = expand_item(l, pattern, items->items[i]);
        if (!made)
            return;
        (*ret)[(*ret_count)++] = made;
    }
}
