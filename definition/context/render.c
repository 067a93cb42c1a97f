/* Rendering a task's fields, and migrations. */
#include "base/vec.h"
#include "definition/context/context_data.h"
#include "definition/context/render_cache.h"
#include "definition/dagfile.h"
#include "definition/limits.h"

struct rendering {
    struct context context;
    struct render_cache *cache;
    bool shared;                   /* the cache outlives the result */
    struct jinja_environment *env; /* the cache's */
    struct jinja_value variables;
    VEC(struct rendered) fields;
};

/* --- one template --------------------------------------------------------------------------- */

/* The result outlives the templates, to which the sources' texts belong. */
static void keep_sources(struct arena *arena, struct jinja_result *result)
{
    struct jinja_source *sources =
        arena_memdup(arena, result->sources, result->source_count * sizeof(*result->sources));
    for (size_t i = 0; i < result->source_count; i++) {
        sources[i].name = arena_strdup(arena, sources[i].name);
        sources[i].file = arena_strdup(arena, sources[i].file);
        sources[i].text.p = arena_strndup(arena, sources[i].text.p, sources[i].text.size);
    }
    result->sources = sources;
}

static enum status render_one(struct rendering *r, const struct jinja_template *template,
    struct jinja_result **ret, struct error *err)
{
    struct arena *arena = r->context.arena;
    *ret = arena_new_of(arena, struct jinja_result);
    enum status status = jinja_render(r->env, template, r->variables, arena, *ret, err);
    if (status == OK && !r->shared)
        keep_sources(arena, *ret);
    if (status)
        context_explain_missing(&r->context, err);
    return status;
}

static void add_field(
    struct rendering *r, const char *name, const char *source, const struct jinja_result *result)
{
    struct rendered field = {.name = name, .text = result->text, .map = result, .source = source};
    vec_push(&r->fields, field);
}

/* --- texts of the DAG file ------------------------------------------------------------------ */

/* What has no tags is its own rendering, but for its last line end. */
static bool has_tags(const char *text)
{
    for (; *text; text++)
        if (*text == '{' && (text[1] == '{' || text[1] == '%' || text[1] == '#'))
            return true;
    return false;
}

/* `whole` is the file's text, none of another than the DAG's. */
static enum status render_text(struct rendering *r, const char *file, const struct text *text,
    struct slice whole, struct jinja_result **ret, struct error *err)
{
    const struct inline_template *parsed;
    enum status status = render_cache_inline(r->cache, file, text, whole, &parsed, err);
    if (status)
        return status;
    status = render_one(r, parsed->template, ret, err);
    if (status == OK)
        inline_move_result(&parsed->place, r->context.arena, *ret);
    else
        inline_move_error(&parsed->place, err);
    return status;
}

static enum status render_dag_text(
    struct rendering *r, const struct text *text, struct jinja_result **ret, struct error *err)
{
    struct slice whole = render_cache_dag_text(r->cache);
    return render_text(r, r->context.dag->file, text, whole, ret, err);
}

static enum status add_text(
    struct rendering *r, const char *name, const struct text *text, struct error *err)
{
    struct jinja_result *result;
    if (!text->value)
        return OK;
    enum status status = render_dag_text(r, text, &result, err);
    if (status)
        return error_context(err, "%s: ", name);
    add_field(r, name, r->context.dag->file, result);
    return OK;
}

static enum status add_texts(
    struct rendering *r, const char *name, const struct texts *texts, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < texts->count; i++)
        status =
            add_text(r, arena_printf(r->context.arena, "%s[%zu]", name, i), &texts->at[i], err);
    return status;
}

static enum status add_named(
    struct rendering *r, const char *name, const struct named_texts *texts, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < texts->count; i++)
        status = add_text(r, arena_printf(r->context.arena, "%s.%s", name, texts->at[i].name),
            &texts->at[i].text, err);
    return status;
}

/* --- SQL ------------------------------------------------------------------------------------ */

static void place_missing_template(
    struct rendering *r, const char *name, const struct text *text, struct error *err)
{
    const struct context *context = &r->context;
    struct inline_text place =
        inline_find(context->arena, context->dag->file, render_cache_dag_text(r->cache), text);
    struct names paths =
        dagfile_template_paths(context->project, context->dag->file, name, context->arena);
    error_place(err, context->dag->file, place.line, 1, text->value);
    inline_move_error(&place, err);
    if (paths.count == 2)
        error_hint(err, "looked for %s, %s", paths.at[0], paths.at[1]);
}

static enum status add_sql_file(
    struct rendering *r, const char *field, const struct text *text, struct error *err)
{
    const struct jinja_template *template;
    struct jinja_result *result;
    struct slice name = slice_of(text->value);
    enum status status = OK;
    if (has_tags(text->value)) {
        status = render_dag_text(r, text, &result, err);
        if (status)
            return error_context(err, "%s: ", field);
        name = result->text;
    }
    status = jinja_template_load(r->env, name, &template, err);
    if (status == ERR_TEMPLATE_NOT_FOUND && !err->place.line)
        place_missing_template(r, arena_strndup(r->context.arena, name.p, name.size), text, err);
    if (status == OK)
        status = render_one(r, template, &result, err);
    if (status == OK)
        add_field(r, field, arena_strdup(r->context.arena, jinja_template_file(template)), result);
    return status;
}

static bool has_setting(const struct named_texts *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++)
        if (str_equal(settings->at[i].name, name))
            return true;
    return false;
}

/* The connection's settings that are not among the task's own; they stand in dag.yaml. */
static enum status add_connection_settings(
    struct rendering *r, const char *name, const struct named_texts *own, struct error *err)
{
    const struct connection *connection =
        name ? project_find_connection(r->context.project, name) : NULL;
    for (size_t i = 0; connection && i < connection->settings.count; i++) {
        const struct named_text *setting = &connection->settings.at[i];
        struct jinja_result *result;
        if (!setting->text.value || has_setting(own, setting->name))
            continue;
        enum status status =
            render_text(r, "dag.yaml", &setting->text, (struct slice){0}, &result, err);
        if (status)
            return error_context(
                err, "settings.%s of the connection `%s`: ", setting->name, connection->name);
        add_field(
            r, arena_printf(r->context.arena, "settings.%s", setting->name), "dag.yaml", result);
    }
    return OK;
}

/* A value as it stands in the DAG file: JSON. */
static enum status add_value(
    struct rendering *r, const char *name, const json_t *value, struct error *err)
{
    struct arena *arena = r->context.arena;
    const char *file = r->context.dag->file;
    struct strbuf json = {0};
    struct json_writer w = json_begin(&json);
    json_tree(&w, value);
    struct jinja_value variables = jinja_mapping_new(arena);
    jinja_mapping_put(arena, variables, "value", text_value(arena, &json));
    struct jinja_result *result = arena_new_of(arena, struct jinja_result);
    enum status status =
        jinja_render_text(r->env, file, slice_of("{{ value }}"), variables, arena, result, err);
    if (status)
        return status;
    keep_sources(arena, result);
    add_field(r, name, file, result);
    return OK;
}

/* A bound parameter: texts are templates, other values stand for themselves, null has no field. */
static enum status add_parameter(
    struct rendering *r, const char *name, const json_t *value, struct error *err)
{
    struct text text = {.value = json_string_value(value), .line = r->context.task->line};
    if (json_is_null(value))
        return OK;
    return text.value ? add_text(r, name, &text, err) : add_value(r, name, value, err);
}

static enum status add_parameters(struct rendering *r, struct error *err)
{
    json_t *parameters = (json_t *)r->context.task->sql.parameters;
    struct arena *arena = r->context.arena;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < json_array_size(parameters); i++)
        status = add_parameter(
            r, arena_printf(arena, "parameters[%zu]", i), json_array_get(parameters, i), err);
    for (void *at = json_object_iter(parameters); status == OK && at;
         at = json_object_iter_next(parameters, at))
        status = add_parameter(r, arena_printf(arena, "parameters.%s", json_object_iter_key(at)),
            json_object_iter_value(at), err);
    return status;
}

/* --- JSON of the DAG file ------------------------------------------------------------------- */

static enum status render_json(
    struct rendering *r, uint32_t line, const json_t *value, json_t **ret, struct error *err);

static enum status render_items(
    struct rendering *r, uint32_t line, const json_t *value, json_t *into, struct error *err)
{
    enum status status = OK;
    json_t *item;
    for (size_t i = 0; status == OK && i < json_array_size(value); i++) {
        status = render_json(r, line, json_array_get(value, i), &item, err);
        if (status == OK)
            json_array_set_new(into, i, item);
    }
    for (void *at = json_object_iter((json_t *)value); status == OK && at;
         at = json_object_iter_next((json_t *)value, at)) {
        status = render_json(r, line, json_object_iter_value(at), &item, err);
        if (status == OK)
            json_object_set_new(into, json_object_iter_key(at), item);
    }
    return status;
}

/* A value of the DAG file, the texts in it rendered. */
static enum status render_json(
    struct rendering *r, uint32_t line, const json_t *value, json_t **ret, struct error *err)
{
    struct text text = {.value = json_string_value(value), .line = line};
    struct jinja_result *result;
    enum status status = OK;
    *ret = NULL;
    if (text.value && has_tags(text.value)) {
        status = render_dag_text(r, &text, &result, err);
        if (status == OK)
            *ret = json_stringn(result->text.p, result->text.size);
        return status;
    }
    if (!json_is_array(value) && !json_is_object(value)) {
        *ret = json_incref((json_t *)value);
        return OK;
    }
    json_t *copy = json_copy((json_t *)value);
    status = render_items(r, line, value, copy, err);
    if (status)
        json_decref(copy);
    else
        *ret = copy;
    return status;
}

static void add_json(struct rendering *r, const char *name, const json_t *tree)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, tree);
    struct rendered field = {.name = name, .source = r->context.dag->file};
    field.text = slice_of(strbuf_to_arena(&text, r->context.arena));
    vec_push(&r->fields, field);
    strbuf_done(&text);
}

/* --- checks --------------------------------------------------------------------------------- */

/* Of `accepted_values`: as JSON, the texts in it rendered. */
static enum status add_values(
    struct rendering *r, const char *name, const struct sql_check *check, struct error *err)
{
    CLEANUP(json_decrefp) json_t *values = NULL;
    if (!check->values)
        return OK;
    enum status status = render_json(r, check->line, check->values, &values, err);
    if (status)
        return error_context(err, "%s: ", name);
    add_json(r, name, values);
    return OK;
}

static enum status add_checks(struct rendering *r, const struct sql_task *sql, struct error *err)
{
    struct arena *arena = r->context.arena;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < sql->check_count; i++) {
        const struct sql_check *check = &sql->checks[i];
        const char *name = arena_printf(arena, "checks[%zu]", i);
        const char *condition =
            arena_printf(arena, "%s.%s", name, check->kind == CHECK_SQL ? "sql" : "row_count");
        status = add_text(r, arena_printf(arena, "%s.table", name), &check->table, err);
        if (status == OK)
            status = add_text(r, arena_printf(arena, "%s.where", name), &check->where, err);
        if (status == OK)
            status = check->is_path ? add_sql_file(r, condition, &check->condition, err)
                                    : add_text(r, condition, &check->condition, err);
        if (status == OK)
            status = add_values(r, arena_printf(arena, "%s.accepted_values", name), check, err);
    }
    return status;
}

static enum status render_sql(struct rendering *r, struct error *err)
{
    const struct sql_task *sql = &r->context.task->sql;
    enum status status =
        sql->is_path ? add_sql_file(r, "sql", &sql->sql, err) : add_text(r, "sql", &sql->sql, err);
    if (status == OK)
        status = add_parameters(r, err);
    if (status == OK)
        status = add_connection_settings(r, sql->connection, &sql->settings, err);
    if (status == OK)
        status = add_named(r, "settings", &sql->settings, err);
    if (status == OK)
        status = add_texts(r, "copy_from", &sql->copy_from, err);
    if (status == OK)
        status = add_texts(r, "copy_to", &sql->copy_to, err);
    if (status == OK)
        status = add_checks(r, sql, err);
    return status;
}

/* --- processes ------------------------------------------------------------------------------ */

static enum status render_process(struct rendering *r, struct error *err)
{
    const struct task *task = r->context.task;
    const struct process_task *process = task->process;
    enum status status =
        add_text(r, task->kind == KIND_BASH ? "bash" : "python", &process->script, err);
    if (status == OK)
        status = add_texts(r, "argv", &process->argv, err);
    if (status == OK)
        status = add_texts(r, "args", &process->args, err);
    if (status == OK)
        status = add_text(r, "cwd", &process->cwd, err);
    if (status == OK)
        status = add_named(r, "env", &process->env, err);
    return status;
}

/* --- requests ------------------------------------------------------------------------------- */

/* As a JSON pointer has it, so that no two places have one name. */
static char *member_name(struct arena *arena, const char *name, const char *key)
{
    struct strbuf out = {.arena = arena};
    strbuf_printf(&out, "%s/", name);
    for (; *key; key++)
        if (*key == '~' || *key == '/')
            strbuf_add_str(&out, *key == '~' ? "~0" : "~1");
        else
            strbuf_add_char(&out, *key);
    return (char *)strbuf_finish(&out, arena).p;
}

/* The templates in a value of the DAG file, each a field by its place: "body/rows/0". */
static enum status add_tree(
    struct rendering *r, const char *name, const json_t *value, uint32_t line, struct error *err)
{
    struct arena *arena = r->context.arena;
    struct text text = {.value = json_string_value(value), .line = line};
    enum status status = OK;
    if (text.value)
        return has_tags(text.value) ? add_text(r, name, &text, err) : OK;
    for (size_t i = 0; status == OK && i < json_array_size(value); i++)
        status = add_tree(
            r, arena_printf(arena, "%s/%zu", name, i), json_array_get(value, i), line, err);
    for (void *at = json_object_iter((json_t *)value); status == OK && at;
         at = json_object_iter_next((json_t *)value, at))
        status = add_tree(r, member_name(arena, name, json_object_iter_key(at)),
            json_object_iter_value(at), line, err);
    return status;
}

/* Writes the value as JSON, what was rendered in the places of its templates. */
static void write_rendered(struct json_writer *w, const struct rendered_task *task,
    const char *name, const json_t *value, struct arena *arena)
{
    const struct rendered *field = json_is_string(value) ? rendered_find(task, name) : NULL;
    if (field) {
        json_strn(w, field->text.p, field->text.size);
    } else if (json_is_array(value)) {
        json_array_begin(w);
        for (size_t i = 0; i < json_array_size(value); i++)
            write_rendered(
                w, task, arena_printf(arena, "%s/%zu", name, i), json_array_get(value, i), arena);
        json_array_end(w);
    } else if (json_is_object(value)) {
        json_object_begin(w);
        for (void *at = json_object_iter((json_t *)value); at;
             at = json_object_iter_next((json_t *)value, at)) {
            json_key(w, json_object_iter_key(at));
            write_rendered(w, task, member_name(arena, name, json_object_iter_key(at)),
                json_object_iter_value(at), arena);
        }
        json_object_end(w);
    } else {
        json_tree(w, value);
    }
}

struct slice rendered_json(
    const struct rendered_task *task, const char *name, const json_t *value, struct arena *arena)
{
    struct strbuf text = {.arena = arena};
    struct json_writer w = json_begin(&text);
    write_rendered(&w, task, name, value, arena);
    return strbuf_finish(&text, arena);
}

static enum status render_http(struct rendering *r, struct error *err)
{
    const struct http_task *http = r->context.task->http;
    enum status status = add_text(r, "url", &http->url, err);
    if (status == OK)
        status = add_named(r, "headers", &http->headers, err);
    if (status == OK)
        status = add_text(r, "body", &http->body, err);
    return status == OK ? add_tree(r, "body", http->json, http->json_line, err) : status;
}

static enum status render_trigger(struct rendering *r, struct error *err)
{
    const struct trigger_task *trigger = r->context.task->trigger;
    enum status status = add_text(r, "dag_id", &trigger->dag_id, err);
    if (status == OK)
        status = add_text(r, "logical_date", &trigger->logical_date, err);
    if (status == OK)
        status = add_text(r, "conf", &trigger->conf, err);
    return status == OK ? add_tree(r, "conf", trigger->json, trigger->json_line, err) : status;
}

/* --- what a task is mapped over --------------------------------------------------------------- */

/* The value of a text that is one expression. */
static enum status evaluate_text(
    struct rendering *r, const struct expand_source *source, json_t **ret, struct error *err)
{
    struct arena *arena = r->context.arena;
    const char *file = r->context.dag->file;
    struct slice text = slice_trim(slice_of(source->text.value));
    struct jinja_value value;
    text = slice_trim(slice_make(text.p + 2, text.size - 4));
    enum status status = jinja_evaluate(r->env, file, text, r->variables, arena, &value, err);
    if (status == OK)
        status = jinja_to_json(value, arena, ret, err);
    if (status)
        error_place(err, file, source->text.line, source->text.column, source->text.value);
    return status;
}

static enum status pull_source(
    struct rendering *r, const struct expand_source *source, json_t **ret, struct error *err)
{
    const struct task *task = dag_find_task(r->context.dag, source->task_id);
    struct jinja_value value;
    enum status status = context_xcom(&r->context, task, "return_value", &value, err);
    if (status == OK && value.kind == JINJA_NONE) {
        error_set(err, ERR_EXPANSION, "the task `%s` has left no XCom", source->task_id);
        error_hint(err, "a sql task leaves one with `result: rows`, a process writes it to "
                        "$DAG_XCOM as its last line");
        error_place(err, r->context.dag->file, source->line, 1, NULL);
        return ERR_EXPANSION;
    }
    return status ? status : jinja_to_json(value, r->context.arena, ret, err);
}

static enum status render_source(
    struct rendering *r, const struct expand_source *source, struct error *err)
{
    const char *name = arena_printf(r->context.arena, "expand.%s", source->name);
    CLEANUP(json_decrefp) json_t *list = NULL;
    enum status status = OK;
    if (source->kind == EXPAND_SQL)
        return source->is_path ? add_sql_file(r, name, &source->text, err)
                               : add_text(r, name, &source->text, err);
    if (source->kind == EXPAND_VALUES)
        status = render_json(r, source->line, source->values, &list, err);
    else if (source->kind == EXPAND_TEXT)
        status = evaluate_text(r, source, &list, err);
    else
        status = pull_source(r, source, &list, err);
    if (status)
        return error_context(err, "%s: ", name);
    add_json(r, name, list);
    return OK;
}

static enum status render_expand(struct rendering *r, struct error *err)
{
    const struct expand *expand = &r->context.task->expand;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < expand->count; i++)
        status = render_source(r, &expand->at[i], err);
    /* all queries of a task are asked on one connection */
    for (size_t i = 0; status == OK && i < expand->count; i++)
        if (expand->at[i].kind == EXPAND_SQL)
            return add_connection_settings(
                r, expand->at[i].connection, &(struct named_texts){0}, err);
    return status;
}

/* --- decisions ------------------------------------------------------------------------------ */

static enum status render_decision(struct rendering *r, struct error *err)
{
    const struct task *task = r->context.task;
    return task->decision->text.value
               ? add_text(r, task_kind_name(task->kind), &task->decision->text, err)
               : render_sql(r, err);
}

static enum status render_wait(struct rendering *r, struct error *err)
{
    static const char *const names[] = {
        [WAIT_SQL] = "sql", [WAIT_FILE] = "file", [WAIT_TIME] = "time", [WAIT_ASSET] = "asset"};
    const struct wait_task *wait = r->context.task->wait;
    if (wait->kind == WAIT_SQL)
        return render_sql(r, err);
    if (wait->kind == WAIT_HTTP)
        return render_http(r, err);
    if (wait->kind != WAIT_TASK)
        return add_text(r, names[wait->kind], &wait->text, err);
    enum status status = add_text(r, "dag", &wait->dag_id, err);
    return status == OK ? add_text(r, "task", &wait->task_id, err) : status;
}

/* --- the two doors -------------------------------------------------------------------------- */

static enum status render_fields(struct rendering *r, struct error *err)
{
    static enum status (*const of_kind[KIND_COUNT])(struct rendering *, struct error *) = {
        [KIND_SQL] = render_sql,
        [KIND_BRANCH] = render_decision,
        [KIND_SHORT_CIRCUIT] = render_decision,
        [KIND_WAIT_FOR] = render_wait,
        [KIND_BASH] = render_process,
        [KIND_EXEC] = render_process,
        [KIND_PYTHON] = render_process,
        [KIND_HTTP] = render_http,
        [KIND_TRIGGER_DAG] = render_trigger,
    };
    enum task_kind kind = r->context.task->kind;
    return of_kind[kind] ? of_kind[kind](r, err) : OK;
}

/* `fields` fills r->fields. */
static enum status render_with(struct context context,
    enum status (*fields)(struct rendering *r, struct error *err), struct rendered_task *ret,
    struct error *err)
{
    struct arena *arena = context.arena;
    const struct attempt_facts *attempt = context.attempt;
    struct rendering r = {.context = context, .cache = attempt->cache, .shared = attempt->cache};
    enum status status = context_variables(&r.context, &r.variables, err);
    if (status)
        return status;
    if (!r.shared)
        r.cache = render_cache_new(context.project, context.dag, arena);
    r.env = render_cache_environment(r.cache);
    status = fields(&r, err);
    if (!r.shared)
        render_cache_free(r.cache);
    if (status && r.context.missing && attempt->sampled)
        *attempt->sampled = true;
    if (status == OK) {
        ret->count = r.fields.count;
        ret->fields = arena_memdup(arena, r.fields.at, r.fields.count * sizeof(*r.fields.at));
    } else
        secrets_mask_error(&r.context.secrets, err);
    secrets_done(&r.context.secrets);
    vec_done(&r.fields);
    return status;
}

static struct context task_context(const struct project *project, const struct dag *dag,
    const struct task *task, const struct run_facts *run, const struct attempt_facts *attempt,
    const struct render_target *target, struct arena *arena)
{
    return (struct context){.arena = arena,
        .project = project,
        .dag = dag,
        .task = task,
        .run = run,
        .attempt = attempt,
        .target = target,
        .random = attempt->seed};
}

enum status context_render_task(const struct project *project, const struct dag *dag,
    const struct task *task, const struct run_facts *run, const struct attempt_facts *attempt,
    const struct render_target *target, struct arena *arena, struct rendered_task *ret,
    struct error *err)
{
    return render_with(
        task_context(project, dag, task, run, attempt, target, arena), render_fields, ret, err);
}

enum status context_render_expand(const struct project *project, const struct dag *dag,
    const struct task *task, const struct run_facts *run, const struct attempt_facts *attempt,
    const struct render_target *target, struct arena *arena, struct rendered_task *ret,
    struct error *err)
{
    return render_with(
        task_context(project, dag, task, run, attempt, target, arena), render_expand, ret, err);
}

enum status context_render_migration(const struct project *project, const char *path,
    const struct render_target *target, struct arena *arena, struct rendered *ret,
    struct error *err)
{
    struct slice text;
    struct jinja_result *result;
    CLEANUP(jinja_template_freep) struct jinja_template *template = NULL;
    struct rendering r = {.context = {.arena = arena, .project = project, .target = target}};
    const char *file = path_join(arena, project->root, path);
    enum status status = file_read(file, SOURCE_SIZE_MAX, arena, &text, err);
    if (status)
        return status;
    r.variables = jinja_mapping_new(arena);
    context_put_project(&r.context, r.variables);
    CLEANUP(render_cache_freep)
    struct render_cache *cache = render_cache_of(project, NULL, path, arena);
    r.env = render_cache_environment(cache);
    status = jinja_template_parse(r.env, path, text, &template, err);
    if (status == OK)
        status = render_one(&r, template, &result, err);
    if (status == OK) {
        add_field(&r, "sql", arena_strdup(arena, path), result);
        *ret = r.fields.at[0];
        vec_done(&r.fields);
    } else {
        secrets_mask_error(&r.context.secrets, err);
    }
    secrets_done(&r.context.secrets);
    /* The template goes before its environment. */
    jinja_template_free(take(template));
    return status;
}
