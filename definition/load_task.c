/* One task: its kind, its keys over default_args, and what must hold between them. */
#include <ctype.h>
#include "base/clock.h"
#include "definition/kinds/kinds.h"
#include "definition/limits.h"
#include "definition/wait.h"
#include "definition/param.h"
#include "definition/report.h"
#include "language/sql/name.h"

static struct task_keys task_defaults(void)
{
    return (struct task_keys){.task =
                                  {
                                      .retry_delay_us = 5 * US_PER_MINUTE,
                                      .max_retry_delay_us = US_PER_DAY,
                                      .pool = "default_pool",
                                      .pool_slots = 1,
                                      .priority_weight = 1,
                                      .sql = {.transaction = true},
                                  },
        .parts =
            {
                .process = {.kill_grace_us = 60 * US_PER_SECOND, .skip_on_exit_code = 99},
                .wait = {.poke_interval_us = 60 * US_PER_SECOND, .timeout_us = 7 * US_PER_DAY},
            },
        .ignore_downstream_trigger_rules = true};
}

/* ---- default_args ---- */

void load_check_default_args(struct loading *l, const struct yaml_node *default_args)
{
    struct task_keys keys = task_defaults();
    struct keys_reader reader = {l->scratch, l->diagnostics, 0, true};
    for (size_t i = 0; i < default_args->count; i++) {
        const struct yaml_pair *pair = &default_args->pairs[i];
        const struct key *key = level_find(&task_level, pair->key->value);
        if (key && (key->flags & KEY_KIND))
            report_hint(report(l->diagnostics, pair->key, ERR_VALUE_RANGE,
                            "`%s` cannot stand in default_args", key->name),
                "it says what one task does: write it there");
    }
    keys_read(&reader, &task_level, default_args, &keys, NULL);
}

/* The task's keys, then those of default_args that it lacks and that its kind has. */
static struct yaml_node *with_defaults(struct loading *l, const struct yaml_node *mapping,
    const struct yaml_node *default_args, unsigned kind)
{
    struct yaml_node *all = arena_memdup(l->scratch, mapping, sizeof(*mapping));
    size_t more = default_args ? default_args->count : 0;
    all->pairs = arena_array(l->scratch, struct yaml_pair, mapping->count + more);
    if (mapping->count)
        memcpy(all->pairs, mapping->pairs, mapping->count * sizeof(*mapping->pairs));
    for (size_t i = 0; i < more; i++) {
        const struct yaml_pair *pair = &default_args->pairs[i];
        const struct key *key = level_find_for(&task_level, pair->key->value, kind);
        bool fits = key && !(key->flags & KEY_KIND) && (!key->kinds || (key->kinds & kind));
        if (fits && !yaml_get(mapping, key->name))
            all->pairs[all->count++] = *pair;
    }
    return all;
}

/* ---- the kind ---- */

static void report_no_kind(
    struct loading *l, const struct yaml_node *at, const struct yaml_node *mapping)
{
    /* A key that is not known was probably meant to be the kind, and is reported itself. */
    for (size_t i = 0; i < mapping->count; i++)
        if (!level_find(&task_level, mapping->pairs[i].key->value))
            return;
    struct strbuf kinds = {0};
    for (size_t i = 0; i < task_level.count; i++)
        if ((task_level.keys[i].flags & (KEY_KIND | KEY_LATER)) == KEY_KIND)
            strbuf_printf(&kinds, "%s%s", kinds.size ? ", " : "", task_level.keys[i].name);
    report_hint(report(l->diagnostics, at, ERR_KEY_MISSING,
                    "the task `%s` does not say what it does", at->value.p),
        "give it one of %s", kinds.text);
    strbuf_done(&kinds);
}

/* The kind as a bit, 0 when it has none or several (reported). */
static unsigned find_kind(
    struct loading *l, const struct yaml_node *at, const struct yaml_node *mapping)
{
    const struct key *found = NULL;
    for (size_t i = 0; i < mapping->count; i++) {
        const struct key *key = level_find(&task_level, mapping->pairs[i].key->value);
        if (!key || !(key->flags & KEY_KIND))
            continue;
        if (found) {
            report_hint(
                report(l->diagnostics, mapping->pairs[i].key, ERR_DUPLICATE,
                    "a task does one thing: `%s` and `%s` are both given", found->name, key->name),
                "make two tasks of it");
            return 0;
        }
        found = key;
    }
    if (!found)
        report_no_kind(l, at, mapping);
    return found ? found->kinds : 0;
}

static enum task_kind kind_of_bit(unsigned bit)
{
    unsigned kind = 0;
    while (kind < KIND_COUNT && bit != 1U << kind)
        kind++;
    return kind < KIND_COUNT ? (enum task_kind)kind : KIND_EMPTY;
}

/* ---- what must hold ---- */

struct checking {
    struct loading *l;
    struct task_plan *plan;
    const struct yaml_node *mapping; /* the task's own, without default_args */
    struct task_keys *keys;
    const struct keys_given *given;
};

static const struct yaml_node *given_value(const struct checking *c, const char *name)
{
    return keys_given_value(c->given, &task_level, name);
}

/* The place of a key's value, or the task's. */
static const struct yaml_node *place_of(const struct checking *c, const char *name)
{
    const struct yaml_node *node = given_value(c, name);
    return node ? node : c->plan->key;
}

static void check_positive(const struct checking *c, const char *name, int64_t us)
{
    const struct yaml_node *node = given_value(c, name);
    bool text = node && node->kind == YAML_SCALAR && node->type == YAML_TEXT;
    if (text && us == 0 && node->value.p[0] == '0')
        report_hint(report(c->l->diagnostics, node, ERR_VALUE_RANGE,
                        "`%s` must be longer than nothing", name),
            "leave it out for no limit");
}

static void check_backoff(const struct checking *c)
{
    const struct yaml_node *node = c->keys->retry_exponential_backoff;
    struct task *task = &c->keys->task;
    if (!node || (node->kind == YAML_SCALAR && node->type == YAML_NULL))
        return;
    bool number = node->kind == YAML_SCALAR && (node->type == YAML_INT || node->type == YAML_FLOAT);
    if (yaml_is_text(node, "off"))
        task->retry_exponential_backoff = 0;
    else if (node->kind == YAML_SCALAR && node->type == YAML_BOOL)
        task->retry_exponential_backoff = node->boolean ? 2 : 0;
    else if (number && (node->real == 0 || (node->real >= 1 && node->real <= 1000)))
        task->retry_exponential_backoff = node->real;
    else
        report_hint(report(c->l->diagnostics, node, ERR_VALUE_TYPE,
                        "`retry_exponential_backoff` takes true, false or a factor from 1 to "
                        "1000"),
            "write true for a factor of 2, or false");
}

static bool is_retry_word(const char *word)
{
    int64_t code;
    size_t size = strlen(word);
    if (str_equal(word, "all"))
        return true;
    if (parse_int64(slice_of(word), &code) && code >= 1 && code <= 599)
        return true;
    for (size_t i = 0; i < size; i++)
        if (!isdigit((unsigned char)word[i]) && !(word[i] >= 'A' && word[i] <= 'Z'))
            return false;
    return size == 5 || size == 2;
}

static void check_retry_on(const struct checking *c)
{
    const struct names *words = &c->keys->task.retry_on;
    const struct yaml_node *node = given_value(c, "retry_on");
    for (size_t i = 0; node && i < words->count; i++)
        if (!is_retry_word(words->at[i]))
            report_hint(
                report(c->l->diagnostics, node->kind == YAML_SEQUENCE ? node->items[i] : node,
                    ERR_VALUE_RANGE, "`%s` is nothing that `retry_on` knows", words->at[i]),
                "write all, SQLSTATEs (\"40001\"), classes (\"40\"), exit codes (75) or HTTP "
                "statuses "
                "(409)");
}

static void check_setup(const struct checking *c)
{
    struct task *task = &c->keys->task;
    const struct yaml_node *rule = given_value(c, "trigger_rule");
    if (task->setup && task->teardown)
        report(c->l->diagnostics, place_of(c, "teardown"), ERR_VALUE_RANGE,
            "a task is a setup or a teardown, not both");
    if (task->on_failure_fail_dagrun && !task->teardown)
        report_hint(report(c->l->diagnostics, place_of(c, "on_failure_fail_dagrun"),
                        ERR_VALUE_RANGE, "`on_failure_fail_dagrun` is for teardowns"),
            "other tasks fail the run anyway");
    if (!task->teardown)
        return;
    if (rule && task->trigger_rule != RULE_ALL_DONE_SETUP_SUCCESS)
        report_hint(report(c->l->diagnostics, rule, ERR_VALUE_RANGE,
                        "a teardown has the rule all_done_setup_success"),
            "leave `trigger_rule` out");
    task->trigger_rule = RULE_ALL_DONE_SETUP_SUCCESS;
}

static void check_tables(const struct checking *c, const char *name, const struct names *tables)
{
    const struct yaml_node *node = given_value(c, name);
    for (size_t i = 0; node && i < tables->count; i++)
        if (!sql_name_quoted(slice_of(tables->at[i]), c->l->scratch))
            report_hint(
                report(c->l->diagnostics, node->kind == YAML_SEQUENCE ? node->items[i] : node,
                    ERR_VALUE_RANGE, "`%s` is not the name of a table", tables->at[i]),
                "write `table` or `schema.table`, with \"…\" around what SQL would quote");
}

static void check_pool(const struct checking *c)
{
    const struct project *project = c->l->project;
    const struct task *task = &c->keys->task;
    const struct pool *pool = project_find_pool(project, task->pool);
    if (pool && task->pool_slots > pool->slots)
        report_hint(report(c->l->diagnostics, place_of(c, "pool_slots"), ERR_VALUE_RANGE,
                        "the task asks for %d slots, the pool `%s` has %d", task->pool_slots,
                        pool->name, pool->slots),
            "it would never start");
    if (pool)
        return;
    struct names names = {0};
    const char **at = arena_array(c->l->scratch, const char *, project->pool_count);
    for (size_t i = 0; i < project->pool_count; i++)
        at[names.count++] = project->pools[i].name;
    names.at = at;
    loading_unknown(c->l, place_of(c, "pool"), "pool", task->pool, &names);
}

void loading_check_connection(struct loading *l, const struct yaml_node *node, const char *name)
{
    const struct project *project = l->project;
    if (project_find_connection(project, name))
        return;
    const char **at = arena_array(l->scratch, const char *, project->connection_count);
    for (size_t i = 0; i < project->connection_count; i++)
        at[i] = project->connections[i].name;
    struct names names = {at, project->connection_count};
    loading_unknown(l, node, "connection", name, &names);
}

static void check_task_params(const struct checking *c)
{
    const struct yaml_node *node = c->keys->params;
    struct error error;
    if (!node)
        return;
    c->keys->task.params = yaml_to_json(node);
    for (size_t i = 0; i < node->count; i++) {
        const char *name = node->pairs[i].key->value.p;
        const struct param *param = dag_find_param(c->l->dag, name);
        if (param && param_check(param, json_object_get(c->keys->task.params, name), &error) != OK)
            report_from(c->l->diagnostics, node->pairs[i].value, &error, NULL);
    }
}

/* ---- the kinds ---- */

bool loading_is_template_path(const char *text)
{
    size_t size = strlen(text);
    return size > 4 && strcmp(text + size - 4, ".sql") == 0 && !strpbrk(text, "\r\n;") &&
           (!strpbrk(text, " \t") || strstr(text, "{{"));
}

static void check_not_blank(const struct checking *c, const char *name, struct slice text)
{
    if (slice_trim(text).size == 0)
        report(c->l->diagnostics, place_of(c, name), ERR_VALUE_RANGE, "`%s` is empty", name);
}

/* What asks a database: its text, on which connection, with which values. */
static void finish_asking(const struct checking *c, const char *name, const struct text *text)
{
    struct sql_task *sql = &c->keys->task.sql;
    const struct project *project = c->l->project;
    sql->sql = *text;
    check_not_blank(c, name, slice_of(sql->sql.value));
    sql->is_path = sql->sql.value && loading_is_template_path(sql->sql.value);
    if (!sql->connection && project->connection_count == 1)
        sql->connection = project->connections[0].name;
    else if (!sql->connection && !c->l->options->references_optional)
        report_hint(report(c->l->diagnostics, c->plan->key, ERR_KEY_MISSING,
                        "the task `%s` does not say on which connection", c->plan->key->value.p),
            project->connection_count ? "write `connection: %s`"
                                      : "declare one under `connections` in dag.yaml%s",
            project->connection_count ? project->connections[0].name : "");
    if (given_value(c, "connection") && sql->connection)
        loading_check_connection(c->l, given_value(c, "connection"), sql->connection);
    const struct yaml_node *parameters = c->keys->parameters;
    if (parameters && parameters->kind == YAML_SCALAR && parameters->type != YAML_NULL)
        report(c->l->diagnostics, parameters, ERR_VALUE_TYPE,
            "`parameters` takes a list or a mapping, this is %s", yaml_describe(parameters));
    else if (parameters && parameters->kind != YAML_SCALAR)
        sql->parameters = yaml_to_json(parameters);
    check_positive(c, "statement_timeout", sql->statement_timeout_us);
}

static void finish_sql(const struct checking *c)
{
    finish_asking(c, "sql", &c->keys->value);
    load_checks(c->l, c->keys->checks, &c->keys->task.sql);
}

static void finish_process(const struct checking *c)
{
    struct process_task *process = &c->keys->parts.process;
    const struct yaml_node *node = given_value(c, "connections");
    for (size_t i = 0; node && i < process->connections.count; i++)
        loading_check_connection(
            c->l, node->kind == YAML_SEQUENCE ? node->items[i] : node, process->connections.at[i]);
}

static void finish_script(const struct checking *c)
{
    c->keys->parts.process.script = c->keys->value;
    check_not_blank(c, task_kind_name(c->keys->task.kind), slice_of(c->keys->value.value));
    finish_process(c);
}

static void finish_exec(const struct checking *c)
{
    c->keys->parts.process.argv = c->keys->argv;
    if (c->keys->argv.count == 0 && place_of(c, "exec")->kind == YAML_SEQUENCE)
        report(c->l->diagnostics, place_of(c, "exec"), ERR_VALUE_RANGE, "`exec` is empty");
    finish_process(c);
}

static void finish_nothing(const struct checking *c)
{
    const struct yaml_node *node = c->keys->kind;
    const char *name = task_kind_name(c->keys->task.kind);
    bool ok = !node || (node->kind == YAML_MAPPING && node->count == 0) ||
              (node->kind == YAML_SCALAR && node->type == YAML_NULL);
    if (c->keys->task.kind == KIND_LATEST_ONLY)
        ok = ok || (node->type == YAML_BOOL && node->boolean);
    if (!ok)
        report_hint(report(c->l->diagnostics, node, ERR_VALUE_TYPE, "`%s` takes nothing", name),
            "write `%s: {}`", name);
}

/* `branch` and `short_circuit`: a template, or a mapping with `sql`. */
static void finish_decision(const struct checking *c)
{
    struct task *task = &c->keys->task;
    const struct yaml_node *node = c->keys->kind;
    const char *name = task_kind_name(task->kind);
    c->keys->parts.decision.only_direct = !c->keys->ignore_downstream_trigger_rules;
    if (node->kind == YAML_MAPPING) {
        struct ask_keys ask = {0};
        struct keys_reader reader = {c->l->arena, c->l->diagnostics, 0, false};
        keys_read(&reader, &ask_level, node, &ask, NULL);
        if (ask.sql.value)
            finish_asking(c, name, &ask.sql);
    } else if (node->kind == YAML_SCALAR && node->type != YAML_NULL) {
        task->sql.connection = NULL; /* of default_args: a template needs none */
        c->keys->parts.decision.text = node->text;
        c->keys->parts.decision.text.value =
            arena_strndup(c->l->arena, node->value.p, node->value.size);
    } else {
        report_hint(report(c->l->diagnostics, node, ERR_VALUE_TYPE,
                        "`%s` takes a template or {sql: …}, this is %s", name, yaml_describe(node)),
            task->kind == KIND_BRANCH ? "write ids with commas between: \"a, b\""
                                      : "what is empty or false skips what follows");
    }
}

/* ---- sensors ---- */

static void finish_wait_sql(const struct checking *c, const struct wait_keys *keys)
{
    finish_asking(c, "wait_for", &keys->sql);
}

static void take_wait_text(
    const struct checking *c, enum wait_kind kind, const char *name, const struct text *text)
{
    struct wait_task *wait = &c->keys->parts.wait;
    wait->kind = kind;
    wait->text = *text;
    if (slice_trim(slice_of(text->value)).size == 0)
        report(c->l->diagnostics, place_of(c, "wait_for"), ERR_VALUE_RANGE, "`%s` is empty", name);
}

static void finish_wait_file(const struct checking *c, const struct wait_keys *keys)
{
    take_wait_text(c, WAIT_FILE, "file", &keys->file);
}

/* A template is read when it is rendered. */
static void finish_wait_time(const struct checking *c, const struct wait_keys *keys)
{
    int64_t us;
    struct error error;
    take_wait_text(c, WAIT_TIME, "time", &keys->time);
    if (!strchr(keys->time.value, '{') &&
        wait_time_read(zone_utc(), 0, slice_of(keys->time.value), &us, &error) != OK)
        report_from(c->l->diagnostics, yaml_get(c->keys->kind, "time"), &error, NULL);
}

static void finish_wait_asset(const struct checking *c, const struct wait_keys *keys)
{
    struct names *inlets = &c->keys->parts.data.inlets;
    take_wait_text(c, WAIT_ASSET, "asset", &keys->asset);
    if (!load_asset_name(c->l, yaml_get(c->keys->kind, "asset")))
        return;
    const char **names = arena_array(c->l->arena, const char *, inlets->count + 1);
    for (size_t i = 0; i < inlets->count; i++) {
        if (str_equal(inlets->at[i], keys->asset.value))
            return;
        names[i] = inlets->at[i];
    }
    names[inlets->count] = keys->asset.value; /* it reads it */
    *inlets = (struct names){names, inlets->count + 1};
}

static void finish_wait_http(const struct checking *c, const struct wait_keys *keys)
{
    struct http_keys of = {0};
    c->keys->parts.wait.kind = WAIT_HTTP;
    (void)kind_http_request(c->l, keys->http, &of, &c->keys->parts.http);
}

static void finish_wait_task(const struct checking *c, const struct wait_keys *keys)
{
    struct wait_task *wait = &c->keys->parts.wait;
    struct wait_task_keys of = {0};
    struct keys_reader reader = {c->l->arena, c->l->diagnostics, 0, false};
    keys_read(&reader, &wait_task_level, keys->task, &of, NULL);
    wait->kind = WAIT_TASK;
    wait->dag_id = of.dag;
    wait->task_id = of.task;
    wait->failed_waits = of.failed == 1;
}

static void finish_wait(const struct checking *c)
{
    static const struct {
        const char *name;
        void (*finish)(const struct checking *c, const struct wait_keys *keys);
    } kinds[] = {{"sql", finish_wait_sql}, {"file", finish_wait_file}, {"http", finish_wait_http},
        {"task", finish_wait_task}, {"time", finish_wait_time}, {"asset", finish_wait_asset}};
    const struct yaml_node *node = c->keys->kind;
    struct sql_task *sql = &c->keys->task.sql;
    struct wait_keys keys = {0};
    struct keys_reader reader = {c->l->arena, c->l->diagnostics, 0, false};
    size_t errors = c->l->diagnostics->error_count, given = 0;
    check_positive(c, "poke_interval", c->keys->parts.wait.poke_interval_us);
    check_positive(c, "timeout", c->keys->parts.wait.timeout_us);
    if (!node)
        return;
    keys_read(&reader, &wait_level, node, &keys, NULL);
    if (!yaml_get(node, "sql"))
        sql->connection = NULL; /* of default_args: only a query needs one */
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!yaml_get(node, kinds[i].name))
            continue;
        if (given++)
            report_hint(
                report(c->l->diagnostics, node, ERR_DUPLICATE, "a sensor waits for one thing"),
                "make a task for each");
        else if (c->l->diagnostics->error_count == errors)
            kinds[i].finish(c, &keys);
    }
    if (!given && c->l->diagnostics->error_count == errors)
        report_hint(report(c->l->diagnostics, node, ERR_KEY_MISSING,
                        "the sensor does not say what it waits for"),
            "give it one of sql, file, http, task, time, asset");
}

static void finish_http(const struct checking *c)
{
    kind_http_load(c->l, c->plan->key, c->mapping, c->keys);
}

static void finish_trigger(const struct checking *c)
{
    kind_trigger_load(c->l, c->plan->key, c->mapping, c->keys);
}

/* What a kind's own keys come to; kinds that are refused have none. */
static void (*const finish_kind[KIND_COUNT])(const struct checking *) = {
    [KIND_EMPTY] = finish_nothing,
    [KIND_BRANCH] = finish_decision,
    [KIND_SHORT_CIRCUIT] = finish_decision,
    [KIND_LATEST_ONLY] = finish_nothing,
    [KIND_WAIT_FOR] = finish_wait,
    [KIND_SQL] = finish_sql,
    [KIND_BASH] = finish_script,
    [KIND_PYTHON] = finish_script,
    [KIND_EXEC] = finish_exec,
    [KIND_HTTP] = finish_http,
    [KIND_TRIGGER_DAG] = finish_trigger,
};

static void check_task(const struct checking *c)
{
    struct task *task = &c->keys->task;
    struct data_keys *data = &c->keys->parts.data;
    check_backoff(c);
    check_retry_on(c);
    check_setup(c);
    check_pool(c);
    check_task_params(c);
    check_positive(c, "execution_timeout", task->execution_timeout_us);
    task->depends_on_past |= task->wait_for_downstream;
    load_asset_names(c->l, place_of(c, "outlets"), &data->outlets);
    load_asset_names(c->l, place_of(c, "inlets"), &data->inlets);
    check_tables(c, "reads", &data->reads);
    check_tables(c, "writes", &data->writes);
    task->deadline = load_deadline(c->l, c->keys->deadline);
}

/* default_args may give every task a trigger rule; a teardown keeps its own. */
static const struct yaml_node *without_teardown_rule(
    const struct yaml_node *mapping, const struct yaml_node *default_args, struct arena *arena)
{
    const struct yaml_node *teardown = yaml_get(mapping, "teardown");
    if (!default_args || !teardown || !teardown->boolean)
        return default_args;
    struct yaml_node *kept = arena_memdup(arena, default_args, sizeof(*default_args));
    kept->pairs = arena_array(arena, struct yaml_pair, default_args->count);
    kept->count = 0;
    for (size_t i = 0; i < default_args->count; i++)
        if (!slice_equal_str(default_args->pairs[i].key->value, "trigger_rule"))
            kept->pairs[kept->count++] = default_args->pairs[i];
    return kept;
}

void load_task(struct loading *l, struct task_plan *plan, const struct yaml_node *mapping,
    const struct yaml_node *default_args)
{
    struct task_keys keys = task_defaults();
    struct keys_given given;
    if (mapping->kind != YAML_MAPPING) {
        report_hint(report(l->diagnostics, mapping, ERR_VALUE_TYPE,
                        "a task is a mapping, this is %s", yaml_describe(mapping)),
            "write `%s: {sql: …}`", plan->key->value.p);
        task_set_parts(&plan->task, NULL, NULL);
        return;
    }
    unsigned kind = find_kind(l, plan->key, mapping);
    keys.task.kind = kind_of_bit(kind);
    const struct yaml_node *defaults = without_teardown_rule(mapping, default_args, l->scratch);
    const struct yaml_node *all = with_defaults(l, mapping, defaults, kind);
    struct keys_reader reader = {l->arena, l->diagnostics, kind, false};
    keys_read(&reader, &task_level, all, &keys, &given);
    struct checking checking = {l, plan, mapping, &keys, &given};
    check_task(&checking);
    if (kind && finish_kind[keys.task.kind])
        finish_kind[keys.task.kind](&checking);
    keys.task.task_id = plan->task.task_id;
    keys.task.line = plan->key->line;
    task_set_parts(&keys.task, &keys.parts, l->arena);
    plan->task = keys.task;
    if (keys.expand)
        load_expand(l, plan, keys.expand, keys.expand_mode == 1, keys.task.sql.connection);
    plan->names = keys.depends_on;
    plan->depends_on = keys_given_value(&given, &task_level, "depends_on");
}
