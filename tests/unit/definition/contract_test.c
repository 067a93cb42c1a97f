/* Every key of the contract is known, and each does what the table says. */
#include "definition/keys.h"
#include "tests/unit/definition/project_dir.h"

static const char *const dag_names[] = {"dag_id", "description", "tags", "owner", "schedule",
    "timezone", "start_date", "end_date", "catchup", "max_active_runs", "max_active_tasks",
    "max_consecutive_failed_runs", "priority", "run_timeout", "fail_fast", "paused", "params",
    "default_args", "on_failure", "on_success", "on_retry", "deadline", "foreach", "tasks",
    "groups"};
static const char *const task_names[] = {"retries", "retry_delay", "retry_exponential_backoff",
    "max_retry_delay", "retry_on", "execution_timeout", "depends_on", "trigger_rule",
    "depends_on_past", "wait_for_downstream", "pool", "pool_slots", "priority_weight",
    "weight_rule", "max_active_tis_per_dag", "max_active_tis_per_dagrun", "expand", "expand_mode",
    "params", "env", "setup", "teardown", "on_failure_fail_dagrun", "reads", "writes", "outlets",
    "inlets", "deadline", "on_failure", "on_success", "on_retry", "settings", "doc", "sql",
    "connection", "parameters", "transaction", "isolation", "session", "statement_timeout",
    "checks", "copy_from", "copy_to", "result", "bash", "exec", "python", "args", "cwd",
    "interpreter", "kill_grace", "connections", "skip_on_exit_code", "http", "method", "url",
    "headers", "body", "expect", "wait_for", "poke_interval", "timeout", "soft_fail",
    "exponential_backoff", "branch", "short_circuit", "ignore_downstream_trigger_rules",
    "trigger_dag", "dag_id", "conf", "logical_date", "wait", "latest_only", "empty"};
static const char *const group_names[] = {"tasks", "groups", "depends_on"};
static const char *const schedule_names[] = {
    "cron", "interval", "dst", "dates", "calendar", "on_holiday", "assets"};
static const char *const dst_names[] = {"gap", "overlap"};
static const char *const project_names[] = {"dags", "templates", "migrations", "tests", "state",
    "timezone", "connections", "pools", "max_processes", "paused_upon_creation", "variables",
    "alerts", "smtp", "endpoints", "retention", "web"};
static const char *const connection_names[] = {
    "uri", "dialect", "max_connections", "settings", "test_uri", "ledger", "ledger_schema"};

static void check_known(const struct level *level, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!CHECK(level_find(level, slice_of(names[i])) != NULL))
            printf("  %s has no key %s\n", level->name, names[i]);
}

TEST(every_key_of_the_contract_is_known)
{
    check_known(&dag_level, dag_names, ARRAY_SIZE(dag_names));
    check_known(&task_level, task_names, ARRAY_SIZE(task_names));
    check_known(&group_level, group_names, ARRAY_SIZE(group_names));
    check_known(&schedule_level, schedule_names, ARRAY_SIZE(schedule_names));
    check_known(&dst_level, dst_names, ARRAY_SIZE(dst_names));
    check_known(&project_level, project_names, ARRAY_SIZE(project_names));
    check_known(&connection_level, connection_names, ARRAY_SIZE(connection_names));
}

TEST(no_key_is_listed_twice_and_each_has_a_meaning)
{
    size_t count;
    const struct level *const *levels = definition_levels(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < levels[i]->count; j++) {
            const struct key *key = &levels[i]->keys[j];
            CHECK(level_find_for(levels[i], slice_of(key->name), key->kinds) == key);
            CHECK(key->doc && key->doc[0]);
            CHECK((key->type == KEY_CHOICE) == (key->choices != NULL));
        }
}

TEST(an_airflow_word_is_never_a_key_and_names_one)
{
    size_t count;
    const struct level *const *levels = definition_levels(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < levels[i]->airflow_count; j++) {
            const struct airflow_word *word = &levels[i]->airflow[j];
            if (!CHECK(!level_find(levels[i], slice_of(word->theirs))))
                printf("  %s of %s\n", word->theirs, levels[i]->name);
            CHECK(word->ours || word->hint);
            if (word->ours && !CHECK(level_find(levels[i], slice_of(word->ours)) != NULL))
                printf("  %s of %s\n", word->ours, levels[i]->name);
        }
}

/* A value that a key of its type takes. */
static const char *value_of(const struct key *key)
{
    static const char *const values[] = {[KEY_NODE] = "[x]",
        [KEY_MAPPING] = "{a: 1}",
        [KEY_TEXT] = "x",
        [KEY_WORD] = "x",
        [KEY_BOOL] = "true",
        [KEY_INT] = "1",
        [KEY_NUMBER64] = "1",
        [KEY_DURATION] = "5m",
        [KEY_CHOICE] = "",
        [KEY_WORDS] = "[x]",
        [KEY_TEXTS] = "[x]",
        [KEY_PATHS] = "[x]",
        [KEY_TEXT_MAP] = "{a: b}"};
    return key->type == KEY_CHOICE ? key->choices[0] : values[key->type];
}

TEST(a_key_that_is_not_carried_out_yet_is_refused_and_never_ignored)
{
    struct project_dir dir = dir_new();
    size_t refused = 0;
    for (size_t i = 0; i < task_level.count; i++) {
        const struct key *key = &task_level.keys[i];
        if (!(key->flags & KEY_LATER))
            continue;
        unsigned kind = KIND_EMPTY;
        while (key->kinds && !(key->kinds & (1U << kind)))
            kind++;
        bool is_kind = key->flags & KEY_KIND;
        char text[256];
        snprintf(text, sizeof(text), "tasks: {t: {%s%s%s: %s}}",
            is_kind ? "" : task_kind_name((enum task_kind)kind), is_kind ? "" : ": {}, ", key->name,
            value_of(key));
        CHECK(dir_load(&dir, text) == NULL);
        char want[128];
        snprintf(want, sizeof(want), "`%s` is not supported yet", key->name);
        if (!CHECK(strstr(dir_findings(&dir), want) != NULL))
            printf("  %s\n  %s", text, dir_findings(&dir));
        refused++;
    }
    CHECK(refused > 0);
    CHECK(dir_load(&dir, "on_failure: [ops]\ntasks: {}") == NULL);
    CHECK_STR(dir_finding(&dir, 0), "1:1 `on_failure` is not supported yet; leave it out until a "
                                    "version of dag supports it");
    dir_done(&dir);
}

TEST(the_reference_in_docs_is_what_the_tables_say)
{
    static const struct {
        const struct level *level;
        const char *page;
    } pages[] = {{&dag_level, "dag-files.md"}, {&task_level, "dag-files.md"},
        {&expand_level, "dag-files.md"}, {&ask_level, "dag-files.md"},
        {&check_level, "dag-files.md"}, {&wait_level, "dag-files.md"},
        {&http_level, "dag-files.md"}, {&trigger_level, "dag-files.md"},
        {&wait_task_level, "dag-files.md"}, {&group_level, "dag-files.md"},
        {&schedule_level, "dag-files.md"}, {&dst_level, "dag-files.md"},
        {&deadline_level, "dag-files.md"}, {&project_level, "project.md"},
        {&connection_level, "project.md"}, {&endpoint_level, "endpoints.md"},
        {&registry_level, "models.md"}, {&web_level, "project.md"}, {&variable_level, "project.md"},
        {&function_level, "project.md"}};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        struct strbuf table = {0};
        struct slice page;
        struct error err;
        definition_reference(pages[i].level, &table);
        REQUIRE_OK(file_read(arena_printf(arena, "%s/docs/%s", DAG_SOURCE_DIR, pages[i].page),
                       1 << 20, arena, &page, &err),
            &err);
        if (!CHECK(strstr(page.p, table.text) != NULL))
            printf("docs/%s should hold, for %s:\n%s\n", pages[i].page, pages[i].level->name,
                table.text);
        strbuf_done(&table);
    }
}
