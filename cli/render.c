#include "base/file.h"
#include "cli/render.h"
#include "language/jinja/jinja.h"

static const char *logical_date, *dialect_text, *template_path, *context_path, *searchpath;
static const char *conf_text, *diff_run;
static bool strict, keep_trailing_newline, all_fields, map_only;

enum { TEMPLATE_SIZE_MAX = 8 << 20, CONTEXT_SIZE_MAX = 64 << 20 };

/* ---- a template alone ------------------------------------------------------------------------ */

static enum status read_context(struct cli *cli, struct jinja_value *ret, struct error *err)
{
    struct slice text;
    json_t *tree = NULL;
    *ret = jinja_mapping_new(cli->arena);
    if (!context_path)
        return OK;
    const char *path = context_path[0] == '@' ? context_path + 1 : context_path;
    enum status status = file_read(path, CONTEXT_SIZE_MAX, cli->arena, &text, err);
    if (status == OK)
        status = json_parse(text.p, text.size, path, &tree, err);
    if (status == OK && !json_is_object(tree)) {
        status = error_set(err, ERR_INVALID, "%s: the context must be a JSON object", path);
        error_hint(err, "its members are the template's variables");
    }
    if (status == OK)
        *ret = jinja_from_json(cli->arena, tree);
    json_decref(tree);
    return status;
}

static void write_text(struct slice text)
{
    fwrite(text.p, 1, text.size, stdout);
}

static enum status render_with(struct cli *cli, struct jinja_environment *env, struct error *err)
{
    struct slice text;
    struct jinja_value context;
    struct jinja_template *template = NULL;
    struct jinja_result result;
    enum status status = file_read(template_path, TEMPLATE_SIZE_MAX, cli->arena, &text, err);
    if (status == OK)
        status = read_context(cli, &context, err);
    if (status == OK)
        status = jinja_template_parse(env, template_path, text, &template, err);
    if (status == OK)
        status = jinja_render(env, template, context, cli->arena, &result, err);
    if (status == OK && map_only)
        render_print_map(cli, NULL, &result);
    else if (status == OK)
        write_text(result.text);
    jinja_template_free(template);
    return status;
}

static enum status render_template(struct cli *cli, struct error *err)
{
    const char *path = searchpath ? searchpath : path_dir(cli->arena, template_path);
    struct jinja_directory directory = {.path = path, .shown = str_equal(path, ".") ? "" : NULL};
    struct jinja_directories directories = {&directory, 1};
    struct jinja_options options = {.strict = strict,
        .keep_trailing_newline = keep_trailing_newline,
        .loader = jinja_directory_loader(&directories)};
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&options);
    return render_with(cli, env, err);
}

/* ---- a task ---------------------------------------------------------------------------------- */

static enum status find_task(
    const struct dag *dag, const char *task_id, const struct task **ret, struct error *err)
{
    *ret = dag_find_task(dag, task_id);
    if (*ret)
        return OK;
    const char **ids = mem_alloc((dag->task_count + 1) * sizeof(*ids));
    for (uint32_t i = 0; i < dag->task_count; i++)
        ids[i] = dag->tasks[i].task_id;
    const char *near = suggest(task_id, ids, dag->task_count);
    error_set(err, ERR_NOT_FOUND, "`%s` has no task `%s`", dag->dag_id, task_id);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else
        error_hint(err, "`dag show %s` lists its tasks", dag->dag_id);
    mem_free(ids);
    return ERR_NOT_FOUND;
}

static enum status find_target(
    struct cli *cli, const struct task *task, struct render_target *ret, struct error *err)
{
    const struct connection *connection =
        task->sql.connection ? project_find_connection(cli->project, task->sql.connection) : NULL;
    *ret = render_target_of(cli->project, connection);
    if (!dialect_text)
        return OK;
    if (!dialect_parse(dialect_text, &ret->dialect)) {
        error_set(err, ERR_USAGE, "there is no dialect `%s`", dialect_text);
        error_hint(err, "postgresql, greenplum6 or greenplum7");
        return ERR_USAGE;
    }
    ret->plpython = ret->dialect == DIALECT_GREENPLUM6 ? "plpythonu" : "plpython3u";
    return OK;
}

static void print_json(const struct rendered *field, struct slice shown)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    char hash[HASH_TEXT_SIZE];
    hash_sha256(field->text.p, field->text.size, hash);
    json_object_begin(&w);
    json_kv_str(&w, "field", field->name);
    json_key(&w, "text");
    json_strn(&w, shown.p, shown.size);
    json_kv_str(&w, "source", field->source);
    json_kv_str(&w, "hash", hash);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static bool is_main_field(const char *name)
{
    static const char *const names[] = {"sql", "bash", "python", "branch", "short_circuit", "url",
        "body", "dag_id", "logical_date", "conf"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_equal(names[i], name))
            return true;
    return str_starts(name, "argv") || str_starts(name, "body/") || str_starts(name, "conf/");
}

/* The task's own text; with --all every templated field, under its name.  Secrets are masked. */
static void print_fields(struct cli *cli, const struct rendered_task *rendered)
{
    bool plain = !all_fields && !cli->json;
    for (size_t i = 0; i < rendered->count; i++) {
        const struct rendered *field = &rendered->fields[i];
        bool is_main = is_main_field(field->name);
        if (!all_fields && (plain || map_only) && !is_main)
            continue;
        struct jinja_result shown = jinja_masked(field->map, JINJA_SECRET, "***", cli->arena);
        if (all_fields && !cli->json)
            printf("-- %s (%s)\n", field->name, field->source);
        if (map_only) {
            render_print_map(cli, field->name, &shown);
        } else if (cli->json) {
            print_json(field, shown.text);
        } else {
            write_text(shown.text);
            if (!shown.text.size || shown.text.p[shown.text.size - 1] != '\n')
                putchar('\n');
        }
    }
}

static enum status conf_of(struct cli *cli, const char **ret, struct error *err)
{
    json_t *conf = NULL;
    *ret = "{}";
    if (!conf_text)
        return OK;
    enum status status = cli_parse_json_argument(cli, conf_text, &conf, err);
    if (status != OK)
        return error_context(err, "--conf: ");
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, conf);
    *ret = strbuf_to_arena(&text, cli->arena);
    strbuf_done(&text);
    json_decref(conf);
    return OK;
}

/* Values that only a run knows: of an XCom, of a query. */
static enum status check_known(const struct task *task, struct error *err)
{
    for (size_t i = 0; i < task->expand.count; i++) {
        const struct expand_source *source = &task->expand.at[i];
        if (source->kind != EXPAND_TASK && source->kind != EXPAND_SQL)
            continue;
        if (source->kind == EXPAND_TASK)
            error_set(err, ERR_EXPANSION, "`%s` of `%s` comes from the task `%s`", source->name,
                task->task_id, source->task_id);
        else
            error_set(
                err, ERR_EXPANSION, "`%s` of `%s` comes from a query", source->name, task->task_id);
        error_hint(err, "its values are known only in a run: --diff RUN renders with those");
        return ERR_EXPANSION;
    }
    return OK;
}

/* Each source's list as JSON. */
static enum status read_lists(
    const struct rendered_task *rendered, json_t **lists, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < rendered->count; i++)
        status = json_parse(
            rendered->fields[i].text.p, rendered->fields[i].text.size, NULL, &lists[i], err);
    return status;
}

/* The values of an instance of a mapped task, found without a run. */
static enum status find_values(struct cli *cli, const struct dag *dag, const struct task *task,
    const struct run_facts *facts, const struct render_target *target,
    struct attempt_facts *attempt, struct error *err)
{
    struct rendered_task rendered;
    const char *const *values = NULL;
    size_t count = 0;
    enum status status = check_known(task, err);
    if (status == OK)
        status = context_render_expand(
            cli->project, dag, task, facts, attempt, target, cli->arena, &rendered, err);
    if (status != OK)
        return status;
    json_t **lists = arena_array(cli->arena, json_t *, rendered.count);
    status = read_lists(&rendered, lists, err);
    if (status == OK)
        status = context_expand(
            dag, task, (const json_t *const *)lists, cli->arena, &values, &count, err);
    for (size_t i = 0; i < rendered.count; i++)
        json_decref(lists[i]);
    if (status == OK && attempt->map_index >= (int32_t)count)
        return error_set(err, ERR_NOT_FOUND, "`%s` has %zu instance%s: there is no index %d",
            task->task_id, count, count == 1 ? "" : "s", (int)attempt->map_index);
    if (status == OK)
        attempt->mapped = values[attempt->map_index];
    return status;
}

/* An index for a mapped task, and only for one. */
static enum status check_index(
    struct cli *cli, const struct task *task, int32_t map_index, struct error *err)
{
    if ((task->expand.count > 0) == (map_index >= 0))
        return OK;
    if (map_index >= 0)
        return error_set(err, ERR_USAGE, "`%s` is not mapped: it has no indexes", task->task_id);
    error_set(err, ERR_USAGE, "`%s` is mapped: name one of its indexes", task->task_id);
    error_hint(err, "dag render %s '%s[0]'", cli->args[0], task->task_id);
    return ERR_USAGE;
}

static enum status render_task(struct cli *cli, const struct dag *dag, struct error *err)
{
    const struct task *task = NULL;
    struct run_facts facts;
    struct render_target target;
    struct rendered_task rendered;
    struct attempt_facts attempt = {.attempt_id = "",
        .try_number = 1,
        .map_index = -1,
        .now_us = clock_now().wall_us,
        .seed = random_u64()};
    const char *task_id = NULL;
    int64_t logical_us = 0;
    enum status status = cli_split_task(cli, cli->args[1], &task_id, &attempt.map_index, err);
    if (status == OK)
        status = find_task(dag, task_id, &task, err);
    if (status == OK && diff_run) {
        struct render_instance instance = {dag, task, attempt.map_index};
        status = find_target(cli, task, &target, err);
        return status == OK ? render_print_diff(cli, &instance, &target, diff_run, err) : status;
    }
    if (status == OK)
        status = cli_find_date(dag, logical_date, &logical_us, err);
    if (status == OK)
        status = context_facts_at(
            dag, logical_us, context_run_type_at(dag, logical_us), cli->arena, &facts, err);
    if (status == OK)
        status = conf_of(cli, &facts.conf, err);
    if (status == OK)
        status = find_target(cli, task, &target, err);
    if (status == OK)
        status = check_index(cli, task, attempt.map_index, err);
    if (status == OK && task->expand.count)
        status = find_values(cli, dag, task, &facts, &target, &attempt, err);
    if (status == OK)
        status = context_render_task(
            cli->project, dag, task, &facts, &attempt, &target, cli->arena, &rendered, err);
    if (status == OK)
        print_fields(cli, &rendered);
    return status;
}

static enum status run(struct cli *cli, struct error *err)
{
    if (template_path && (cli->arg_count || diff_run))
        return error_set(err, ERR_USAGE, "either DAG and TASK, or --template");
    if (diff_run && (map_only || logical_date || conf_text || cli->json))
        return error_set(err, ERR_USAGE, "--diff takes the run's date and conf, and prints text");
    if (template_path)
        return render_template(cli, err);
    if (cli->arg_count != 2) {
        error_set(err, ERR_USAGE, "dag render wants DAG and TASK, or --template FILE");
        error_hint(err, "see `dag render -h`");
        return ERR_USAGE;
    }
    struct dag *dag = NULL;
    enum status status = cli_load_dag(cli, cli->args[0], &dag, err);
    if (status == OK)
        status = render_task(cli, dag, err);
    dag_unref(dag);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT(
        "logical-date", 0, &logical_date, "DATE", "(default: the newest complete interval)"),
    OPTION_TEXT("dialect", 0, &dialect_text, "DIALECT", "postgresql, greenplum6 or greenplum7"),
    OPTION_TEXT("conf", 0, &conf_text, "J", "the run's conf: JSON, or @FILE"),
    OPTION_FLAG("all", 0, &all_fields, "every templated field, not only the task's text"),
    OPTION_FLAG("map", 0, &map_only, "where each stretch of the text comes from"),
    OPTION_TEXT("diff", 0, &diff_run, "RUN", "what changed since the run's last attempt"),
    OPTION_TEXT("template", 0, &template_path, "FILE", "a template alone, as Jinja2 renders it"),
    OPTION_TEXT("context", 0, &context_path, "FILE", "its variables: a JSON object"),
    OPTION_TEXT("searchpath", 0, &searchpath, "DIR", "where it finds others (default: its folder)"),
    OPTION_FLAG("strict", 0, &strict, "undefined variables are errors"),
    OPTION_FLAG("keep-trailing-newline", 0, &keep_trailing_newline, "keep a file's last newline"),
    OPTION_END,
};

const struct command command_render = {
    .name = "render",
    .arguments = "DAG TASK",
    .arguments_max = 2,
    .summary = "the text that a task would run",
    .description = "Renders a task's text for a date, without any server. With --template: any "
                   "template, exactly as Jinja2 does. With --map: not the text but a line for "
                   "each stretch of it, with the place in the text, the place in the template, "
                   "and whether it stands there as text or is a value. Secrets are shown as `***`. "
                   "With --diff: what the "
                   "task would run now against what its last attempt in RUN (a run id, a logical "
                   "date, `latest` or `failed`) ran.",
    .examples = "dag render geolife fetch_daily_trajectory --logical-date 2007-04-12\n"
                "dag render geolife fetch_daily_trajectory --dialect greenplum6\n"
                "dag render geolife clean_daily_label --diff latest\n"
                "dag render geolife clean_daily_label --map\n"
                "dag render --template report.sql --context values.json --strict",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
