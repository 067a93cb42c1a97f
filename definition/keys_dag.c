/* The keys of a DAG, of groups and of schedules. */
#include "definition/keys.h"
#include <stdint.h>

#define AT(field) offsetof(struct dag_keys, field)

static const struct key dag_rows[] = {
    {"dag_id", KEY_WORD, 0, AT(dag_id), "the file's name", "the DAG's id", NULL, 0, 0, 0},
    {"description", KEY_WORD, 0, AT(description), NULL, "one line for people", NULL, 0, 0, 0},
    {"tags", KEY_WORDS, 0, AT(tags), "[]", "words to find it by", NULL, 0, 0, 0},
    {"owner", KEY_WORD, 0, AT(owner), NULL, "who looks after it", NULL, 0, 0, 0},
    {"schedule", KEY_NODE, 0, AT(schedule), "null",
        "when it runs: null, a preset, cron, a list of crons, a duration or a mapping", NULL, 0, 0,
        0},
    {"timezone", KEY_WORD, 0, AT(timezone), "the project's", "an IANA time zone", NULL, 0, 0, 0},
    {"start_date", KEY_NODE, 0, AT(start_date), NULL, "the first logical date", NULL, 0, 0, 0},
    {"end_date", KEY_NODE, 0, AT(end_date), NULL,
        "the last logical date; a bare date includes that local day", NULL, 0, 0, 0},
    {"catchup", KEY_NODE, 0, AT(catchup), "latest",
        "what to make up: latest (or false), all (or true), none", NULL, 0, 0, 0},
    {"max_active_runs", KEY_INT, 0, AT(max_active_runs), "16", "runs at the same time", NULL, 1,
        1000000, 0},
    {"max_active_tasks", KEY_INT, 0, AT(max_active_tasks), "16",
        "tasks of one run at the same time", NULL, 1, 1000000, 0},
    {"max_consecutive_failed_runs", KEY_INT, 0, AT(max_consecutive_failed_runs), "0",
        "pause the DAG after so many failed runs in a row; 0: never", NULL, 0, 0, 0},
    {"priority", KEY_NUMBER64, 0, AT(priority), "0", "its place among DAGs, higher first", NULL,
        -1000000, 1000000, 0},
    {"run_timeout", KEY_DURATION, 0, AT(run_timeout_us), NULL,
        "a run that takes longer fails; its unfinished tasks are skipped", NULL, 0, 0, 0},
    {"fail_fast", KEY_BOOL, 0, AT(fail_fast), "false",
        "the first failed task fails the run; needs all_success everywhere", NULL, 0, 0, 0},
    {"paused", KEY_BOOL, 0, AT(paused), "the project's paused_upon_creation",
        "whether it is paused when it is first seen", NULL, 0, 0, 0},
    {"params", KEY_MAPPING, 0, AT(params), "{}", "parameters: values, or declarations", NULL, 0, 0,
        0},
    {"default_args", KEY_MAPPING, 0, AT(default_args), "{}", "keys for every task of the DAG", NULL,
        0, 0, 0},
    {"deadline", KEY_NODE, 0, AT(deadline), NULL,
        "when a run should have ended: a duration from its start, or a mapping", NULL, 0, 0, 0},
    {"on_failure", KEY_NODE, KEY_LATER, AT(later), NULL, "alerts when a run fails", NULL, 0, 0, 0},
    {"on_success", KEY_NODE, KEY_LATER, AT(later), NULL, "alerts when a run succeeds", NULL, 0, 0,
        0},
    {"on_retry", KEY_NODE, KEY_LATER, AT(later), NULL, "alerts when a task is retried", NULL, 0, 0,
        0},
    {"foreach", KEY_NODE, 0, AT(foreach), NULL,
        "one DAG for each item: expressions that name `item` are replaced", NULL, 0, 0, 0},
    {"tasks", KEY_MAPPING, 0, AT(tasks), "{}", "the tasks, by their ids", NULL, 0, 0, 0},
    {"groups", KEY_MAPPING, 0, AT(groups), "{}", "groups of tasks, by their names", NULL, 0, 0, 0},
};
#undef AT

static const struct airflow_word dag_words[] = {
    {"schedule_interval", "schedule", NULL},
    {"timetable", "schedule", NULL},
    {"cron", "schedule", NULL},
    {"dagrun_timeout", "run_timeout", NULL},
    {"timeout", "run_timeout", NULL},
    {"concurrency", "max_active_tasks", NULL},
    {"max_active_tasks_per_dag", "max_active_tasks", NULL},
    {"max_active_runs_per_dag", "max_active_runs", NULL},
    {"max_consecutive_failed_dag_runs", "max_consecutive_failed_runs", NULL},
    {"is_paused_upon_creation", "paused", NULL},
    {"is_paused", "paused", NULL},
    {"fail_stop", "fail_fast", NULL},
    {"doc_md", "description", NULL},
    {"id", "dag_id", NULL},
    {"name", "dag_id", NULL},
    {"dag_display_name", "description", NULL},
    {"owners", "owner", NULL},
    {"tz", "timezone", NULL},
    {"task_groups", "groups", NULL},
    {"on_failure_callback", "on_failure", NULL},
    {"on_success_callback", "on_success", NULL},
    {"on_retry_callback", "on_retry", NULL},
    {"sla_miss_callback", "deadline", NULL},
    {"sla", "deadline", NULL},
    {"default_arguments", "default_args", NULL},
    {"template_searchpath", NULL, "set `templates` in dag.yaml"},
    {"user_defined_macros", NULL, "write a Jinja macro in a template and import it"},
    {"user_defined_filters", NULL, "write a Jinja macro in a template and import it"},
    {"render_template_as_native_obj", NULL, "leave it out: `bind` passes values with their types"},
    {"jinja_environment_kwargs", NULL, "leave it out"},
    {"access_control", NULL, "leave it out: roles are given to users"},
    {"default_view", NULL, "leave it out"},
    {"orientation", NULL, "leave it out"},
};

const struct level dag_level = {
    "a DAG", dag_rows, ARRAY_SIZE(dag_rows), dag_words, ARRAY_SIZE(dag_words)};

#define AT(field) offsetof(struct group_keys, field)

static const struct key group_rows[] = {
    {"tasks", KEY_MAPPING, 0, AT(tasks), "{}", "its tasks; their ids become group.task", NULL, 0, 0,
        0},
    {"groups", KEY_MAPPING, 0, AT(groups), "{}", "groups inside it", NULL, 0, 0, 0},
    {"depends_on", KEY_WORDS, 0, AT(depends_on), "[]", "tasks or groups that come before all of it",
        NULL, 0, 0, 0},
    {"default_args", KEY_MAPPING, 0, AT(default_args), "{}",
        "keys for every task of the group, over the DAG's", NULL, 0, 0, 0},
    {"doc", KEY_WORD, 0, AT(doc), NULL, "a note for people", NULL, 0, 0, 0},
};
#undef AT

static const struct airflow_word group_words[] = {
    {"tooltip", "doc", NULL},
    {"group_id", NULL, "the group's name is its key in `groups`"},
    {"prefix_group_id", NULL, "leave it out: ids always have their group's name before them"},
    {"upstream", "depends_on", NULL},
    {"task_groups", "groups", NULL},
};

const struct level group_level = {
    "a group", group_rows, ARRAY_SIZE(group_rows), group_words, ARRAY_SIZE(group_words)};

#define AT(field) offsetof(struct schedule_keys, field)

static const char *const holiday_choices[] = {"skip", "next", "previous", NULL};

static const struct key schedule_rows[] = {
    {"cron", KEY_NODE, 0, AT(cron), NULL, "a cron expression, or a list of them", NULL, 0, 0, 0},
    {"interval", KEY_BOOL, 0, AT(interval), "true",
        "false: runs fire at the tick and their interval is empty", NULL, 0, 0, 0},
    {"dst", KEY_MAPPING, 0, AT(dst), "{gap: shift, overlap: second}", "what a clock change does",
        NULL, 0, 0, 0},
    {"dates", KEY_NODE, 0, AT(dates), NULL, "just these: a list, or a file with one a line", NULL,
        0, 0, 0},
    {"calendar", KEY_NODE, 0, AT(calendar), NULL,
        "local days without runs: a list, or a file with one a line", NULL, 0, 0, 0},
    {"on_holiday", KEY_CHOICE, 0, AT(on_holiday), "skip", "what becomes of a tick on such a day",
        holiday_choices, 0, 0, 0},
    {"assets", KEY_NODE, 0, AT(assets), NULL,
        "runs when assets were updated: a name, {all: [a, b]} or {any: [a, b]}, nested; with cron "
        "too, whichever comes first",
        NULL, 0, 0, 0},
};
#undef AT

static const struct airflow_word schedule_words[] = {
    {"datasets", "assets", NULL},
    {"holidays", "calendar", NULL},
    {"timezone", NULL, "write `timezone` beside `schedule`"},
};

const struct level schedule_level = {"a schedule", schedule_rows, ARRAY_SIZE(schedule_rows),
    schedule_words, ARRAY_SIZE(schedule_words)};

static const char *const gap_choices[] = {"shift", "skip", NULL};
static const char *const overlap_choices[] = {"second", "first", "both", NULL};

static const struct key dst_rows[] = {
    {"gap", KEY_CHOICE, 0, offsetof(struct dst_keys, gap), "shift",
        "a wall clock time that does not exist: one offset later, or no run", gap_choices, 0, 0, 0},
    {"overlap", KEY_CHOICE, 0, offsetof(struct dst_keys, overlap), "second",
        "a wall clock time that comes twice", overlap_choices, 0, 0, 0},
};

static const char *const from_choices[] = {"start", "logical_date", NULL};

static const struct key deadline_rows[] = {
    {"after", KEY_DURATION, 0, offsetof(struct deadline_keys, after_us), NULL,
        "how long after `from`", NULL, 0, 0, 0},
    {"from", KEY_CHOICE, 0, offsetof(struct deadline_keys, from), "start",
        "where it counts from: the start of the run or task, or the logical date", from_choices, 0,
        0, 0},
    {"typical", KEY_NODE, 0, offsetof(struct deadline_keys, typical), NULL,
        "instead of both: so many times the median of the last 31 successes, from the start", NULL,
        0, 0, 0},
};

const struct level deadline_level = {
    "`deadline`", deadline_rows, ARRAY_SIZE(deadline_rows), NULL, 0};

const struct level dst_level = {"`dst`", dst_rows, ARRAY_SIZE(dst_rows), NULL, 0};
