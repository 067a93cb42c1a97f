/*
 * Templates as objects, and the entry points for rendering them.
 */
#include "language/jinja/runtime.h"

/* "\r\n" and "\r" become "\n"; the last line end goes unless it is to be kept. */
static struct slice normalize(struct arena *arena, struct slice text, bool keep_newline)
{
    char *out = arena_alloc(arena, text.size + 1);
    const char *first = text.size ? memchr(text.p, '\r', text.size) : NULL;
    size_t size = first ? (size_t)(first - text.p) : text.size;
    if (size)
        memcpy(out, text.p, size);
    for (size_t i = size; i < text.size; i++) {
        char c = text.p[i];
        if (c == '\r') {
            i += i + 1 < text.size && text.p[i + 1] == '\n';
            c = '\n';
        }
        out[size++] = c;
    }
    if (!keep_newline && size && out[size - 1] == '\n')
        out[--size] = '\0';
    return slice_make(out, size);
}

static void index_lines(struct jinja_template *template)
{
    VEC(uint32_t) lines = {0};
    vec_push(&lines, 0);
    for (size_t at = 0; at < template->text.size;) {
        const char *newline = memchr(template->text.p + at, '\n', template->text.size - at);
        if (!newline)
            break;
        at = (size_t)(newline + 1 - template->text.p);
        vec_push(&lines, (uint32_t)at);
    }
    template->line_count = lines.count;
    template->lines = arena_memdup(template->arena, lines.at, lines.count * sizeof *lines.at);
    vec_done(&lines);
}

static enum status check_text(const char *file, struct slice text, struct error *err)
{
    size_t offset;
    if (text.size > JINJA_SOURCE_MAX) {
        error_set(err, ERR_LIMIT, "the template is larger than %d bytes", JINJA_SOURCE_MAX);
        error_place(err, file, 1, 1, NULL);
        return ERR_LIMIT;
    }
    if (utf8_valid(text.p, text.size, &offset))
        return OK;
    error_set(err, ERR_TEMPLATE_SYNTAX, "the template is not valid UTF-8");
    error_at(err, file, text.p, offset, offset);
    return ERR_TEMPLATE_SYNTAX;
}

/* Where a template is to be parsed from and to. */
struct parse_request {
    const char *file;
    uint32_t line;
    struct slice text;
    bool bare; /* an expression */
};

static enum status parse(struct jinja_environment *env, struct parse_request request,
    struct arena *arena, struct jinja_template **ret, struct error *err)
{
    enum status status = check_text(request.file, request.text, err);
    if (status)
        return status;
    struct jinja_template *template = arena_new_of(arena, struct jinja_template);
    template->arena = arena;
    template->env = env;
    template->name = template->file = arena_strdup(arena, request.file ? request.file : "");
    template->first_line = request.line ? request.line : 1;
    template->text = normalize(
        arena, request.text, jinja_options_of(env)->keep_trailing_newline && !request.bare);
    index_lines(template);
    *ret = template;
    return jinja_parse(template, request.bare, err);
}

static enum status parse_alone(struct jinja_environment *env, struct parse_request request,
    struct jinja_template **ret, struct error *err)
{
    struct jinja_template *template;
    struct arena *arena = arena_new();
    enum status status = parse(env, request, arena, &template, err);
    if (status)
        arena_free(arena);
    else
        *ret = template;
    return status;
}

enum status jinja_template_parse(struct jinja_environment *env, const char *file, struct slice text,
    struct jinja_template **ret, struct error *err)
{
    return parse_alone(env, (struct parse_request){file, 1, text, false}, ret, err);
}

enum status jinja_template_parse_at(struct jinja_environment *env, const char *file, uint32_t line,
    struct slice text, struct jinja_template **ret, struct error *err)
{
    return parse_alone(env, (struct parse_request){file, line, text, false}, ret, err);
}

void jinja_template_free(struct jinja_template *template)
{
    if (template)
        arena_free(template->arena);
}

const char *jinja_template_file(const struct jinja_template *template)
{
    return template->file;
}

struct jinja_needs jinja_template_needs(const struct jinja_template *template, struct arena *arena)
{
    (void)arena;
    return template->needs;
}

/* Room to begin with: bytes that a rendering is longer than its template, segments. */
enum { OUTPUT_GROWTH = 1024, SEGMENTS_MIN = 64 };

static void render_begin(struct jinja_render *render, struct jinja_environment *env,
    struct arena *arena, struct error *err)
{
    const struct jinja_options *options = jinja_options_of(env);
    *render = (struct jinja_render){.env = env,
        .arena = arena,
        .err = err,
        .limits = options->limits,
        .strict = options->strict,
        .started = clock_now(),
        .memory_start = arena_used(arena),
        .stack_start = __builtin_frame_address(0),
        .globals = jinja_globals_of(env)};
    jinja_plan_check(render);
    render->out.limit = options->limits.output_bytes;
    error_clear(err);
}

static const struct jinja_layer *context_layer(
    struct jinja_render *render, struct jinja_value context)
{
    struct jinja_layer *layer = arena_new_of(render->arena, struct jinja_layer);
    layer->names = context;
    layer->next = render->globals;
    return context.kind == JINJA_MAPPING ? layer : render->globals;
}

static void render_end(struct jinja_render *render)
{
    strbuf_done(&render->out);
    vec_done(&render->segments);
    vec_done(&render->sources);
    vec_done(&render->modules);
}

static void keep_result(struct jinja_render *render, struct jinja_result *ret)
{
    struct arena *arena = render->arena;
    ret->text = slice_make(strbuf_to_arena(&render->out, arena), render->out.size);
    ret->segment_count = render->segments.count;
    ret->segments = NULL;
    if (render->segments.count)
        ret->segments = arena_memdup(
            arena, render->segments.at, render->segments.count * sizeof *render->segments.at);
    struct jinja_source *sources = arena_array(arena, struct jinja_source, render->sources.count);
    for (size_t i = 0; i < render->sources.count; i++) {
        const struct jinja_template *template = render->sources.at[i];
        sources[i] = (struct jinja_source){
            template->name, template->file, template->first_line, template->text};
    }
    ret->sources = sources;
    ret->source_count = render->sources.count;
}

enum status jinja_render(struct jinja_environment *env, const struct jinja_template *template,
    struct jinja_value context, struct arena *arena, struct jinja_result *ret, struct error *err)
{
    struct jinja_render render;
    struct error local;
    render_begin(&render, env, arena, err ? err : &local);
    struct jinja_context *root =
        jinja_context_new(&render, template, context_layer(&render, context));
    render.context = root;
    strbuf_reserve(&render.out, template->text.size + OUTPUT_GROWTH);
    vec_reserve(&render.segments, SEGMENTS_MIN);
    enum status status = jinja_run_root(&render, template, root);
    if (!status && (status = jinja_check_text(&render)))
        jinja_set_place(
            render.oddity.template, render.oddity.line, render.oddity.offset, render.err);
    if (!status && render.out.over)
        status = error_set(render.err, ERR_TEMPLATE_OUTPUT_LIMIT,
            "the rendered text is larger than %zu bytes", render.limits.output_bytes);
    if (!status)
        keep_result(&render, ret);
    render_end(&render);
    return status;
}

enum status jinja_render_text(struct jinja_environment *env, const char *file, struct slice text,
    struct jinja_value context, struct arena *arena, struct jinja_result *ret, struct error *err)
{
    struct jinja_template *template;
    struct parse_request request = {file, 1, text, false};
    enum status status = parse(env, request, arena, &template, err);
    return status ? status : jinja_render(env, template, context, arena, ret, err);
}

enum status jinja_evaluate(struct jinja_environment *env, const char *file, struct slice text,
    struct jinja_value context, struct arena *arena, struct jinja_value *ret, struct error *err)
{
    struct jinja_template *template;
    struct parse_request request = {file, 1, text, true};
    enum status status = parse(env, request, arena, &template, err);
    if (status)
        return status;
    struct jinja_render render;
    struct error local;
    render_begin(&render, env, arena, err ? err : &local);
    struct jinja_context *root =
        jinja_context_new(&render, template, context_layer(&render, context));
    render.context = root;
    struct jinja_frame space, *frame;
    struct jinja_slots slots;
    status = jinja_frame_begin(&frame, &space, &slots, &render, &template->root, root, NULL);
    if (!status) {
        jinja_enter(frame, template->root.loads);
        struct jinja_value v;
        status = jinja_evaluate_expression(frame, template->expression, &v);
        if (!status && v.kind == JINJA_UNDEFINED)
            status = jinja_check_defined(&render, v, render.err);
        status =
            jinja_fail_at(frame, status, template->expression->line, template->expression->offset);
        if (!status)
            *ret = v.kind == JINJA_UNDEFINED ? jinja_none() : v;
    }
    render_end(&render);
    return status;
}

struct jinja_environment *jinja_render_environment(struct jinja_render *render)
{
    return render->env;
}

struct arena *jinja_render_arena(struct jinja_render *render)
{
    return render->arena;
}

struct jinja_value jinja_render_variable(struct jinja_render *render, const char *name)
{
    struct jinja_symbol symbol = {slice_of(name), jinja_hash_text(slice_of(name))};
    return jinja_context_find(render->context, &symbol);
}
