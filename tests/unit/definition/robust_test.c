/* No file breaks the loader: every key with every kind of value, and files that were mutated. */
#include "definition/keys.h"
#include "definition/lint.h"
#include "tests/unit/definition/project_dir.h"

static const char *const values[] = {"", "null", "true", "1", "-1", "0", "99999999999999999999",
    "1.5", ".nan", "x", "\"\"", "\"{{ ds }}\"", "\"{{ item\"", "[]", "{}", "[x]", "[null]",
    "[[x], {a: b}]", "{a: b}", "{a: {type: x, default: [1]}}", "{a: null}", "5m", "2007-04-12",
    "\"0 0 * * *\"", "{cron: [1, {}], dst: {gap: [1]}}", "{dates: [[]]}", "*a", "|\n      a\n"};

/* Loads, lints what loads, and counts. */
static void try_text(
    struct project_dir *dir, const char *text, size_t *ret_loaded, size_t *ret_refused)
{
    struct dagfile_options options = {.project = dir->project};
    struct dagfile file;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct diagnostics diagnostics, findings;
    diagnostics_init(&diagnostics, arena);
    diagnostics_init(&findings, arena);
    dir_write(dir, "x.yaml", text);
    enum status status = dagfile_load(&options, "x.yaml", &file, &diagnostics, &dir->error);
    CHECK((status == OK) == (diagnostics.error_count == 0));
    for (const struct diagnostic *d = diagnostics.first; d; d = d->next)
        if (!CHECK(d->error.message[0] && d->error.place.line > 0 && d->code))
            printf("  %s\n  of %s\n", d->error.message, text);
    for (size_t i = 0; i < file.count; i++)
        CHECK_OK(lint_dag(dir->project, file.dags[i], &findings, &dir->error), &dir->error);
    *(status == OK ? ret_loaded : ret_refused) += 1;
    dagfile_done(&file);
}

static void try_level(
    struct project_dir *dir, const struct level *level, const char *before, const char *after)
{
    size_t loaded = 0, refused = 0;
    for (size_t i = 0; i < level->count; i++)
        for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
            struct strbuf text = {0};
            strbuf_printf(
                &text, "x: &a {y: 1}\n%s%s: %s\n%s", before, level->keys[i].name, values[j], after);
            /* The anchor's line is refused by itself; without it `*a` is the mistake. */
            try_text(dir, text.text, &loaded, &refused);
            const char *own = strchr(text.text, '\n') + 1;
            try_text(dir, own, &loaded, &refused);
            strbuf_done(&text);
        }
    CHECK(refused > level->count);
    CHECK(loaded > 0);
}

TEST(every_key_with_every_kind_of_value_is_loaded_or_refused)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", "connections: {gp: {}}\n");
    dir_project(&dir);
    try_level(&dir, &dag_level, "", "");
    try_level(&dir, &task_level, "tasks:\n  a:\n    ", "    empty:\n");
    try_level(&dir, &task_level, "tasks:\n  a:\n    ", "    sql: select 1\n");
    try_level(&dir, &task_level, "tasks:\n  a:\n    ", "    python: x.py\n");
    try_level(&dir, &task_level, "default_args:\n  ", "tasks: {a: {bash: ls}}\n");
    try_level(&dir, &group_level, "groups:\n  g:\n    ", "    tasks: {t: {empty: {}}}\n");
    try_level(&dir, &schedule_level, "schedule:\n  ", "  cron: 0 0 * * *\n");
    try_level(&dir, &schedule_level, "schedule:\n  ", "  assets: {any: [a]}\n");
    try_level(&dir, &deadline_level, "deadline:\n  ", "");
    dir_done(&dir);
}

TEST(every_setting_with_every_kind_of_value_is_loaded_or_refused)
{
    static const char *const no_environment[] = {NULL};
    static const struct {
        const struct level *level;
        const char *before;
    } rows[] = {{&project_level, ""}, {&connection_level, "connections:\n  gp:\n    "},
        {&endpoint_level, "endpoints:\n  e:\n    "}, {&registry_level, "models:\n  "},
        {&web_level, "web:\n  "}, {&variable_level, "variables:\n  v:\n    "},
        {&function_level, "functions:\n  f:\n    "}};
    struct project_dir dir = dir_new();
    size_t loaded = 0, refused = 0;
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
        for (size_t i = 0; i < rows[r].level->count; i++)
            for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
                CLEANUP(arena_freep) struct arena *arena = arena_new();
                CLEANUP(project_freep) struct project *project = NULL;
                struct diagnostics diagnostics;
                diagnostics_init(&diagnostics, arena);
                dir_write(&dir, "dag.yaml",
                    arena_printf(arena, "%s%s: %s\n", rows[r].before, rows[r].level->keys[i].name,
                        values[j]));
                struct project_options options = {.dir = dir.path, .environ = no_environment};
                enum status status = project_load(&options, &project, &diagnostics, &dir.error);
                CHECK((status == OK) == (diagnostics.error_count == 0));
                *(status == OK ? &loaded : &refused) += 1;
            }
    CHECK(loaded > 100);
    CHECK(refused > 100);
    dir_done(&dir);
}

static const char sample[] =
    "foreach: [{n: a}, {n: b}]\ndag_id: x_{{ item.n }}\nschedule: {cron: 0 2 * * MON, dst: {gap: "
    "skip}}\nstart_date: 2007-04-12\nparams: {p: {type: integer, default: 2}}\ndefault_args: &d "
    "{connection: gp, retries: 2, retry_delay: 5m}\ntasks:\n  a: {sql: 'select {{ ds }}'}\n  b:\n"
    "    bash: |\n      echo {{ item.n }}\n    depends_on: [a, g]\n    env: {A: 1}\ngroups:\n"
    "  g:\n    default_args: {<<: *d, retries: 0}\n    tasks:\n      s: {empty: {}, setup: true}\n"
    "      t: {empty: {}, teardown: true, depends_on: s}\n";

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 33;
}

/* Cuts a piece out and puts one from elsewhere in: lines keep their meaning often enough. */
static void mutate(char *text, size_t size, uint64_t *state)
{
    static const char special[] = "[]{}:,-&*'\"# \n%|";
    for (uint64_t edits = 1 + next_random(state) % 2; edits > 0; edits--) {
        size_t at = next_random(state) % (size - 12), from = next_random(state) % (size - 12);
        if (next_random(state) % 2)
            text[at] = special[next_random(state) % (sizeof(special) - 1)];
        else
            memmove(text + at, text + from, 1 + next_random(state) % 11);
    }
}

TEST(mutated_dag_files_are_loaded_or_refused)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", "connections: {gp: {}}\n");
    dir_project(&dir);
    uint64_t state = 2007;
    size_t loaded = 0, refused = 0;
    for (int round = 0; round < 1500; round++) {
        char text[sizeof(sample)];
        memcpy(text, sample, sizeof(sample));
        mutate(text, sizeof(sample) - 1, &state);
        try_text(&dir, text, &loaded, &refused);
    }
    CHECK(loaded > 20);
    CHECK(refused > 100);
    dir_done(&dir);
}
