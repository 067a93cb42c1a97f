/* ${NAME}, ${NAME:-default}, ${file:path}, ${cmd:command} in the values of dag.yaml. */
#include "base/spawn.h"
#include "definition/limits.h"
#include "definition/report.h"
#include "definition/setting.h"

struct expanding {
    struct settling *s;
    const struct yaml_node *node;
    struct strbuf out;
    bool hidden, changed, failed;
};

static void fail(struct expanding *x, const char *what, const char *why, const char *hint)
{
    struct diagnostic *d =
        report(x->s->diagnostics, x->node, ERR_SETTING_UNSET, "${%s} gives nothing: %s", what, why);
    report_hint(d, "%s", hint);
    x->failed = true;
}

static void add_file(struct expanding *x, const char *what, const char *path)
{
    struct slice text;
    struct error error;
    char *full = path_join(x->s->scratch, x->s->project->root, path);
    if (file_read(full, SETTING_VALUE_MAX, x->s->scratch, &text, &error) != OK) {
        fail(x, what, error.message, "the path is relative to the project's folder");
        return;
    }
    while (text.size && (text.p[text.size - 1] == '\n' || text.p[text.size - 1] == '\r'))
        text.size--;
    strbuf_add_slice(&x->out, text);
}

/* The command's output without its last line ends; its errors go where ours go. */
static const char *run_command(const char *command, const char *dir, struct strbuf *out)
{
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    int exit_status;
    const char *why =
        spawn_output(argv, dir, SETTING_COMMAND_TIMEOUT_S, SETTING_VALUE_MAX, out, &exit_status);
    return why ? why : exit_status == 0 ? NULL : "the command failed";
}

static void add_command(struct expanding *x, const char *what, const char *command)
{
    struct strbuf output = {0};
    const char *why = run_command(command, x->s->project->root, &output);
    while (output.size && output.text[output.size - 1] == '\n')
        output.size--;
    if (why)
        fail(x, what, why, "run it by hand in the project's folder to see why");
    else
        strbuf_add(&x->out, strbuf_text(&output), output.size);
    strbuf_done(&output);
}

static void add_variable(struct expanding *x, const char *what)
{
    const char *fallback = strstr(what, ":-");
    size_t size = fallback ? (size_t)(fallback - what) : strlen(what);
    char *name = arena_strndup(x->s->scratch, what, size);
    const char *value = settling_environment(x->s, name);
    /* As in a shell, `:-` also stands in for an empty value. */
    if (fallback && (!value || !value[0]))
        value = fallback + 2;
    if (value)
        strbuf_add_str(&x->out, value);
    else
        fail(x, what, "the environment variable is not set",
            arena_printf(x->s->scratch, "set it, or give a default: ${%s:-…}", name));
}

/* ${file:…} and ${cmd:…}: read once in the life of a process, whatever is stored meanwhile. */
static void add_outside(struct expanding *x, const char *what)
{
    const struct named_text *taken = settling_taken(x->s, what);
    size_t before = x->out.size;
    x->hidden = true;
    if (taken)
        strbuf_add_str(&x->out, taken->text.value);
    else if (str_starts(what, "file:"))
        add_file(x, what, what + 5);
    else
        add_command(x, what, what + 4);
    if (!x->failed)
        settling_take(x->s, what, slice_make(strbuf_text(&x->out) + before, x->out.size - before));
}

static void add_reference(struct expanding *x, struct slice inner)
{
    char *what = arena_strndup(x->s->scratch, inner.p, inner.size);
    x->changed = true;
    if (str_starts(what, "file:") || str_starts(what, "cmd:"))
        add_outside(x, what);
    else
        add_variable(x, what);
}

static void expand_text(struct expanding *x, struct slice text)
{
    for (size_t at = 0; at < text.size && !x->failed; at++) {
        struct slice rest = slice_make(text.p + at, text.size - at);
        if (rest.size > 2 && memcmp(rest.p, "$${", 3) == 0) {
            strbuf_add_str(&x->out, "${");
            x->changed = true;
            at += 2;
            continue;
        }
        const char *end = rest.size > 1 && rest.p[0] == '$' && rest.p[1] == '{'
                              ? memchr(rest.p, '}', rest.size)
                              : NULL;
        if (!end) {
            strbuf_add_char(&x->out, text.p[at]);
            continue;
        }
        size_t size = (size_t)(end - rest.p);
        add_reference(x, slice_make(rest.p + 2, size - 2));
        at += size;
    }
}

static struct yaml_node *expand_scalar(struct settling *s, struct yaml_node *node)
{
    struct expanding x = {.s = s, .node = node};
    expand_text(&x, node->value);
    struct yaml_node *result = node;
    if (x.changed && !x.failed) {
        result = yaml_with_value(s->scratch, node, strbuf_text(&x.out));
        if (x.hidden)
            vec_push(&s->hidden, result);
    }
    strbuf_done(&x.out);
    return result;
}

struct yaml_node *settling_expand(struct settling *s, struct yaml_node *tree)
{
    if (!tree || tree->kind == YAML_SCALAR)
        return tree ? expand_scalar(s, tree) : NULL;
    struct yaml_node *copy = arena_memdup(s->scratch, tree, sizeof(*tree));
    if (tree->kind == YAML_SEQUENCE)
        copy->items = arena_array(s->scratch, struct yaml_node *, tree->count);
    else
        copy->pairs = arena_array(s->scratch, struct yaml_pair, tree->count);
    for (size_t i = 0; i < tree->count; i++)
        if (tree->kind == YAML_SEQUENCE) {
            copy->items[i] = settling_expand(s, tree->items[i]);
        } else {
            copy->pairs[i] = tree->pairs[i];
            copy->pairs[i].value = settling_expand(s, tree->pairs[i].value);
        }
    return copy;
}

bool settling_is_hidden(const struct settling *s, const struct yaml_node *node)
{
    vec_each (hidden, &s->hidden)
        if (*hidden == node)
            return true;
    return false;
}
