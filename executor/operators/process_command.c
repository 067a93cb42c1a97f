/* What a process attempt runs, and the environment it sees. */
#include <ctype.h>
#include <stdlib.h>

#include <unistd.h>

#include "base/secrets.h"
#include "base/file.h"
#include "base/vec.h"
#include "executor/limits.h"
#include "executor/operators/process_attempt.h"
#include <libpq-fe.h>

struct builder {
    struct attempt *attempt;
    struct arena *arena;
    VEC(const char *) list;
    struct strbuf secrets;
    size_t bytes;
};

static void add(struct builder *b, const char *text)
{
    b->bytes += strlen(text) + 1;
    vec_push(&b->list, text);
}

static const char *field_text(const struct builder *b, const char *name, const struct text *raw)
{
    const struct rendered *field = rendered_find(&b->attempt->rendered, name);
    return field ? arena_strndup(b->arena, field->text.p, field->text.size) : raw->value;
}

static const char *list_field(
    const struct builder *b, const char *list, size_t i, const struct text *raw)
{
    return field_text(b, arena_printf(b->arena, "%s[%zu]", list, i), raw);
}

/* The list so far with NULL at its end, in the arena; the builder starts anew. */
static const char *const *take_list(struct builder *b)
{
    vec_push(&b->list, NULL);
    const char **list = arena_memdup(b->arena, b->list.at, b->list.count * sizeof(*b->list.at));
    vec_clear(&b->list);
    return list;
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* In a file: a script may be longer than an argument, and `ps` need not show it. */
static enum status add_bash(struct builder *b, const char *folder, struct error *err)
{
    const struct process_task *task = b->attempt->task->process;
    const char *path = path_join(b->arena, folder, "script");
    const char *text = field_text(b, "bash", &task->script);
    add(b, "bash");
    add(b, path);
    return file_write(path, slice_of(text), 0600, false, err);
}

void process_forget_script(const char *folder, struct arena *arena)
{
    unlink(path_join(arena, folder, "script"));
}

/* What is found before anything starts: Python's own words for it name no task. */
static enum status check_script(const char *path, struct error *err)
{
    if (file_exists(path))
        return OK;
    error_set(err, ERR_NOT_FOUND, "there is no script %s", path);
    error_hint(err, "`python` is the path of a file, from the project's folder on");
    return ERR_NOT_FOUND;
}

static enum status add_python(struct builder *b, struct error *err)
{
    const struct process_task *task = b->attempt->task->process;
    const char *root = b->attempt->project->root;
    const char *own = path_join(b->arena, root, ".venv/bin/python");
    if (task->interpreter)
        add(b, strchr(task->interpreter, '/') ? path_join(b->arena, root, task->interpreter)
                                              : task->interpreter);
    else
        add(b, file_exists(own) ? own : "python3");
    const char *path = path_join(b->arena, root, field_text(b, "python", &task->script));
    add(b, path);
    return check_script(path, err);
}

static enum status make_arguments(
    struct builder *b, const char *folder, const char *const **ret, struct error *err)
{
    const struct task *task = b->attempt->task;
    const struct texts *rest = &task->process->args;
    const char *name = "args";
    enum status status = OK;
    if (task->kind == KIND_BASH) {
        status = add_bash(b, folder, err);
    } else if (task->kind == KIND_PYTHON) {
        status = add_python(b, err);
    } else {
        rest = &task->process->argv;
        name = "argv";
    }
    if (status)
        return status;
    for (size_t i = 0; i < rest->count; i++)
        add(b, list_field(b, name, i, &rest->at[i]));
    if (!b->list.count)
        return error_set(err, ERR_INVALID, "there is no program to run");
    *ret = take_list(b);
    return OK;
}

/* ---- environment ----------------------------------------------------------------------------- */

/* What a process takes over from the daemon's own environment; nothing else. */
static const char *const passed_on[] = {
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"};

static void set(struct builder *b, const char *name, const char *value)
{
    /* The last one of a name counts: what the task says over what dag says. */
    size_t size = strlen(name);
    for (size_t i = 0; i < b->list.count; i++) {
        if (strncmp(b->list.at[i], name, size) == 0 && b->list.at[i][size] == '=') {
            vec_remove(&b->list, i);
            break;
        }
    }
    add(b, arena_printf(b->arena, "%s=%s", name, value));
}

static void set_time(struct builder *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_SIZE];
    if (us == TIME_NONE)
        return;
    time_format_iso(us, text);
    set(b, name, text);
}

static void set_run(struct builder *b, const char *folder)
{
    const struct effect *effect = &b->attempt->effect;
    const struct run_record *run = &effect->run;
    char day[TIME_TEXT_SIZE];
    time_format_date(run->logical_us, day);
    set(b, "DAG_PROJECT", b->attempt->project->root);
    set(b, "DAG_DAG_ID", run->dag_id);
    set(b, "DAG_RUN_ID", run->run_id);
    set(b, "DAG_TASK_ID", b->attempt->task->task_id);
    set(b, "DAG_TRY_NUMBER", arena_printf(b->arena, "%d", (int)effect->try_number));
    if (effect->map_index >= 0)
        set(b, "DAG_MAP_INDEX", arena_printf(b->arena, "%d", (int)effect->map_index));
    set(b, "DAG_DS", day);
    set_time(b, "DAG_TS", run->logical_us);
    set_time(b, "DAG_LOGICAL_DATE", run->logical_us);
    set_time(b, "DAG_DATA_INTERVAL_START", run->interval_start_us);
    set_time(b, "DAG_DATA_INTERVAL_END", run->interval_end_us);
    set(b, "DAG_XCOM", path_join(b->arena, folder, "xcom"));
    set(b, PROCESS_MARK, effect->attempt.text);
}

static void add_secret(struct builder *b, struct slice secret)
{
    if (b->attempt->log)
        attempt_log_secret(b->attempt->log, secret);
    while (secret.size) { /* output is masked line by line */
        const char *end = memchr(secret.p, '\n', secret.size);
        size_t size = end ? (size_t)(end - secret.p) : secret.size;
        if (size >= SECRET_SIZE_MIN) {
            strbuf_add(&b->secrets, secret.p, size);
            strbuf_add_char(&b->secrets, '\n');
        }
        secret.p += end ? size + 1 : size;
        secret.size -= end ? size + 1 : size;
    }
}

/* The password in a connection's uri, and the uri as a whole when it has one. */
static void add_uri_secrets(struct builder *b, const char *uri)
{
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (o->val && str_equal(o->keyword, "password"))
            add_secret(b, slice_of(o->val));
    }
    PQconninfoFree(options);
}

static char *upper(struct arena *arena, const char *name)
{
    char *text = arena_strdup(arena, name);
    for (char *p = text; *p; p++)
        *p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
    return text;
}

static enum status set_connections(struct builder *b, struct error *err)
{
    const struct names *names = &b->attempt->task->process->connections;
    for (size_t i = 0; i < names->count; i++) {
        const struct connection *connection =
            project_find_connection(b->attempt->project, names->at[i]);
        if (!connection) {
            error_set(err, ERR_NOT_FOUND, "there is no connection `%s`", names->at[i]);
            error_hint(err, "add it to `connections` in dag.yaml, or set DAG_CONN_<NAME>");
            return ERR_NOT_FOUND;
        }
        add_uri_secrets(b, connection->uri);
        set(b, arena_printf(b->arena, "DAG_CONN_%s", upper(b->arena, names->at[i])),
            connection->uri);
    }
    return OK;
}

static void add_rendered_secrets(struct builder *b)
{
    const struct rendered_task *rendered = &b->attempt->rendered;
    for (size_t i = 0; i < rendered->count; i++) {
        const struct jinja_result *map = rendered->fields[i].map;
        for (size_t k = 0; map && k < map->segment_count; k++) {
            if (map->segments[k].marks & JINJA_SECRET)
                add_secret(
                    b, slice_make(map->text.p + map->segments[k].offset, map->segments[k].length));
        }
    }
}

static enum status check_name(const char *name, struct error *err)
{
    if (!*name || strchr(name, '=')) {
        error_set(err, ERR_INVALID, "`%s` is not the name of a variable", name);
        error_hint(err, "`env` has names without `=`, and their values");
        return ERR_INVALID;
    }
    if (process_env_is_kept(name)) {
        error_set(err, ERR_INVALID, "`%s` in `env` is set by dag itself", name);
        error_hint(err, "choose another name");
        return ERR_INVALID;
    }
    return OK;
}

static enum status make_environment(
    struct builder *b, const char *folder, const char *const **ret, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
        const char *value = getenv(passed_on[i]);
        if (value)
            set(b, passed_on[i], value);
    }
    set_run(b, folder);
    enum status status = set_connections(b, err);
    if (status)
        return status;
    const struct named_texts *env = &b->attempt->task->process->env;
    for (size_t i = 0; i < env->count; i++) {
        status = check_name(env->at[i].name, err);
        if (status)
            return status;
        set(b, env->at[i].name,
            field_text(b, arena_printf(b->arena, "env.%s", env->at[i].name), &env->at[i].text));
    }
    add_rendered_secrets(b);
    if (b->secrets.size)
        set(b, "DAG_EXEC_SECRETS", arena_strdup(b->arena, strbuf_text(&b->secrets)));
    *ret = take_list(b);
    return OK;
}

static enum status too_long(size_t bytes, struct error *err)
{
    error_set(err, ERR_LIMIT, "arguments and environment are %zu bytes long; the ceiling is %d",
        bytes, PROCESS_ARGUMENTS_MAX);
    error_hint(err, "write it to a file, and pass the file's name");
    return ERR_LIMIT;
}

/* Arguments and variables end at a byte of zero: what stands behind it would be lost unseen. */
static enum status check_zeros(const struct rendered_task *rendered, struct error *err)
{
    for (size_t i = 0; i < rendered->count; i++) {
        struct slice text = rendered->fields[i].text;
        if (!text.size || !memchr(text.p, '\0', text.size))
            continue;
        error_set(err, ERR_VALUE_RANGE, "`%s` has a byte of zero in it", rendered->fields[i].name);
        error_hint(err, "a process cannot be given one: encode the value, or put it into a file");
        return ERR_VALUE_RANGE;
    }
    return OK;
}

enum status process_command_make(
    struct attempt *attempt, const char *folder, struct process_command *ret, struct error *err)
{
    struct builder b = {.attempt = attempt, .arena = attempt->arena};
    const struct text *cwd = &attempt->task->process->cwd;
    enum status status = dir_make(folder, true, err);
    if (status == OK)
        status = make_arguments(&b, folder, &ret->argv, err);
    if (status == OK)
        status = make_environment(&b, folder, &ret->env, err);
    if (status == OK && b.bytes > PROCESS_ARGUMENTS_MAX)
        status = too_long(b.bytes, err);
    if (status == OK)
        status = check_zeros(&attempt->rendered, err);
    const char *directory = field_text(&b, "cwd", cwd);
    ret->directory = directory ? path_join(attempt->arena, attempt->project->root, directory)
                               : attempt->project->root;
    vec_done(&b.list);
    strbuf_done(&b.secrets);
    return status;
}
