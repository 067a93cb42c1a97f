/* Where a mistake, and a byte of rendered text, is in the user's files. */
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "tests/unit/definition/context_dag.h"
#include "definition/dagfile.h"
#include "definition/project.h"
#include "tests/unit/test.h"

struct place_case {
    const char *dag;      /* the DAG file */
    const char *template; /* templates/report/x.sql, or NULL */
    struct arena *arena;
    char root[64];
    struct project *project;
    struct dagfile file;
    struct rendered_task rendered;
    struct error err;
    enum status status;
};

static void write_file(struct place_case *c, const char *path, const char *text)
{
    const char *full = path_join(c->arena, c->root, path);
    REQUIRE_OK(dir_make(path_dir(c->arena, full), false, &c->err), &c->err);
    REQUIRE_OK(file_write(full, slice_of(text), 0644, false, &c->err), &c->err);
}

static void render_task(struct place_case *c, const struct dag *dag)
{
    struct run_facts run;
    struct attempt_facts attempt = {.attempt_id = "", .try_number = 1, .map_index = -1};
    struct render_target target = render_target_of(c->project, c->project->connections);
    REQUIRE_OK(context_facts_at(dag, 0, RUN_TYPE_MANUAL, c->arena, &run, &c->err), &c->err);
    c->status = context_render_task(
        c->project, dag, &dag->tasks[0], &run, &attempt, &target, c->arena, &c->rendered, &c->err);
}

static void place_begin(struct place_case *c)
{
    struct diagnostics diagnostics;
    const char *environ[] = {NULL};
    c->arena = arena_new();
    snprintf(c->root, sizeof(c->root), "/tmp/context-place-XXXXXX");
    REQUIRE(mkdtemp(c->root));
    write_file(c, "dag.yaml", "connections:\n  db: {uri: postgresql://localhost/x}\n");
    write_file(c, "dags/daily.yaml", c->dag);
    if (c->template)
        write_file(c, "templates/report/x.sql", c->template);
    diagnostics_init(&diagnostics, c->arena);
    struct project_options project = {.dir = c->root, .environ = environ};
    REQUIRE_OK(project_load(&project, &c->project, &diagnostics, &c->err), &c->err);
    struct dagfile_options options = {.project = c->project};
    enum status status = dagfile_load(&options, "dags/daily.yaml", &c->file, &diagnostics, &c->err);
    if (status && diagnostics.first)
        c->err = diagnostics.first->error;
    REQUIRE_OK(status, &c->err);
    render_task(c, c->file.dags[0]);
}

static void place_end(struct place_case *c)
{
    static const char *const paths[] = {"dag.yaml", "dags/daily.yaml", "templates/report/x.sql",
        "templates/report", "templates", "dags", ""};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        (void)remove(path_join(c->arena, c->root, paths[i]));
    dagfile_done(&c->file);
    project_free(c->project);
    arena_free(c->arena);
}

static const char *place_text(const struct place_case *c)
{
    return arena_printf(c->arena, "%s:%u:%u|%s", c->err.place.file, c->err.place.line,
        c->err.place.column, c->err.excerpt);
}

TEST(a_mistake_in_a_block_of_sql_is_shown_in_the_line_and_column_of_the_dag_file)
{
    struct place_case c = {.dag = "schedule: null\n"
                                  "tasks:\n"
                                  "  report:\n"
                                  "    sql: |\n"
                                  "      select 1\n"
                                  "\n"
                                  "      where é = '{{ nothing }}'\n"};
    place_begin(&c);
    CHECK_INT(c.status, ERR_TEMPLATE_UNDEFINED);
    CHECK_STR(place_text(&c), "dags/daily.yaml:7:21|      where é = '{{ nothing }}'");
    place_end(&c);
}

TEST(a_mistake_in_a_text_in_quotes_is_shown_in_the_line_and_column_of_the_dag_file)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report: {sql: \"select {{ 1 / 0 }}\"}\n"};
    place_begin(&c);
    CHECK_INT(c.status, ERR_TEMPLATE_VALUE);
    CHECK_STR(place_text(&c), "dags/daily.yaml:2:28|  report: {sql: \"select {{ 1 / 0 }}\"}");
    place_end(&c);
}

TEST(a_syntax_error_in_a_plain_text_is_shown_in_the_dag_file)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report:\n"
                                  "    bash: echo {{ ds\n"};
    place_begin(&c);
    CHECK_INT(c.status, ERR_TEMPLATE_SYNTAX);
    CHECK_STR(c.err.place.file, "dags/daily.yaml");
    CHECK_INT(c.err.place.line, 3);
    CHECK_STR(c.err.excerpt, "    bash: echo {{ ds");
    CHECK(str_starts(c.err.message, "bash: "));
    place_end(&c);
}

TEST(a_mistake_in_a_template_file_is_shown_there)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report: {sql: report/x.sql}\n",
        .template = "select\n  {{ dss }}\n"};
    place_begin(&c);
    CHECK_INT(c.status, ERR_TEMPLATE_UNDEFINED);
    CHECK_STR(place_text(&c), "templates/report/x.sql:2:6|  {{ dss }}");
    CHECK_STR(c.err.message, "'dss' is undefined");
    CHECK_STR(c.err.hint, "did you mean `ds`?");
    place_end(&c);
}

TEST(a_template_file_that_is_gone_is_named_with_the_places_where_it_was_looked_for)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report:\n"
                                  "    sql: report/x.sql\n",
        .template = "select 1"};
    place_begin(&c);
    CHECK_INT(c.status, OK);
    CHECK_STR(c.rendered.fields[0].source, "templates/report/x.sql");
    REQUIRE(remove(path_join(c.arena, c.root, "templates/report/x.sql")) == 0);
    render_task(&c, c.file.dags[0]);
    CHECK_INT(c.status, ERR_TEMPLATE_NOT_FOUND);
    CHECK_STR(place_text(&c), "dags/daily.yaml:3:10|    sql: report/x.sql");
    CHECK_STR(c.err.hint, "looked for dags/report/x.sql, templates/report/x.sql");
    place_end(&c);
}

TEST(every_byte_of_a_rendered_block_is_found_in_the_dag_file)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report:\n"
                                  "    sql: |\n"
                                  "      select *\n"
                                  "        from t\n"
                                  "      where d = '{{ ds }}' and x\n"};
    place_begin(&c);
    REQUIRE_OK(c.status, &c.err);
    const struct rendered *sql = rendered_find(&c.rendered, "sql");
    CHECK_STR(sql->text.p, "select *\n  from t\nwhere d = '1970-01-01' and x");
    static const struct {
        const char *at;
        uint32_t line, column;
    } rows[] = {{"select", 4, 7}, {"from", 5, 9}, {"t\n", 5, 14}, {"where", 6, 7}, {"x", 6, 32}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct jinja_origin origin;
        size_t offset = (size_t)(strstr(sql->text.p, rows[i].at) - sql->text.p);
        REQUIRE(jinja_map_find(sql->map, offset, &origin));
        CHECK_STR(origin.file, "dags/daily.yaml");
        CHECK_INT(origin.line, rows[i].line);
        CHECK_INT(origin.column, rows[i].column);
    }
    struct jinja_origin origin;
    REQUIRE(jinja_map_find(sql->map, (size_t)(strstr(sql->text.p, "1970") - sql->text.p), &origin));
    CHECK_INT(origin.line, 6);
    CHECK(slice_equal_str(origin.source_line, "      where d = '{{ ds }}' and x"));
    place_end(&c);
}

TEST(a_dag_file_that_changed_since_it_was_loaded_does_not_lead_astray)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report: {sql: \"select {{ nothing }}\"}\n"};
    place_begin(&c);
    write_file(&c, "dags/daily.yaml", "# a new line\ntasks: {}\n");
    render_task(&c, c.file.dags[0]);
    CHECK_INT(c.status, ERR_TEMPLATE_UNDEFINED);
    CHECK_STR(place_text(&c), "dags/daily.yaml:2:11|select {{ nothing }}");
    place_end(&c);
}

TEST(a_folded_text_is_shown_as_it_is_rendered)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report:\n"
                                  "    sql: >\n"
                                  "      select\n"
                                  "      {{ nothing }}\n"};
    place_begin(&c);
    CHECK_INT(c.status, ERR_TEMPLATE_UNDEFINED);
    CHECK_STR(c.err.excerpt, "select {{ nothing }}");
    CHECK_STR(c.err.place.file, "dags/daily.yaml");
    place_end(&c);
}

TEST(all_fields_of_a_process_are_rendered_under_their_names)
{
    struct place_case c = {.dag = "tasks:\n"
                                  "  report:\n"
                                  "    bash: 'echo {{ ds }}'\n"
                                  "    args: ['{{ ts }}', b]\n"
                                  "    cwd: 'out/{{ ds_nodash }}'\n"
                                  "    env: {DAY: '{{ ds }}', FIXED: x}\n"};
    static const char *const names[] = {
        "bash", "args[0]", "args[1]", "cwd", "env.DAY", "env.FIXED"};
    static const char *const texts[] = {
        "echo 1970-01-01", "1970-01-01T00:00:00+00:00", "b", "out/19700101", "1970-01-01", "x"};
    place_begin(&c);
    REQUIRE_OK(c.status, &c.err);
    CHECK_INT(c.rendered.count, ARRAY_SIZE(names));
    for (size_t i = 0; i < c.rendered.count; i++) {
        CHECK_STR(c.rendered.fields[i].name, names[i]);
        CHECK_STR(c.rendered.fields[i].text.p, texts[i]);
    }
    place_end(&c);
}

/* ---- many renderings ------------------------------------------------------------------------- */

static const char *render_at(
    struct place_case *c, const char *task, struct render_cache *cache, int64_t day)
{
    const struct dag *dag = c->file.dags[0];
    struct run_facts run;
    struct attempt_facts attempt = {
        .attempt_id = "", .try_number = 1, .map_index = -1, .cache = cache};
    struct render_target target = render_target_of(c->project, c->project->connections);
    REQUIRE_OK(context_facts_at(dag, day * 86400000000, RUN_TYPE_MANUAL, c->arena, &run, &c->err),
        &c->err);
    c->status = context_render_task(c->project, dag, dag_find_task(dag, task), &run, &attempt,
        &target, c->arena, &c->rendered, &c->err);
    if (c->status)
        return place_text(c);
    const struct rendered *sql = rendered_find(&c->rendered, "sql");
    struct jinja_origin origin;
    REQUIRE(jinja_map_find(sql->map, sql->text.size - 1, &origin));
    return arena_printf(c->arena, "%.*s at %s:%u:%u %.*s", SLICE_ARG(sql->text), origin.file,
        origin.line, origin.column, SLICE_ARG(origin.source_line));
}

TEST(what_renderings_share_does_not_show_in_them)
{
    struct place_case c = {.dag = "schedule: null\n"
                                  "tasks:\n"
                                  "  report:\n"
                                  "    sql: |\n"
                                  "      select 1\n"
                                  "      where d = '{{ ds }}' or {{ 1 if ds[9] == '2' else 2 }}\n"
                                  "  filed: {sql: report/x.sql}\n"
                                  "  wrong: {sql: \"select '{{ none_such }}'\"}\n",
        .template = "select\n  '{{ ds }}'\n"};
    static const char *const tasks[] = {"report", "filed", "wrong", "report", "filed"};
    place_begin(&c);
    struct render_cache *cache = render_cache_new(c.project, c.file.dags[0], c.arena);
    for (int64_t day = 0; day < 3; day++)
        for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
            const char *alone = render_at(&c, tasks[i], NULL, day);
            enum status status = c.status;
            CHECK_STR(render_at(&c, tasks[i], cache, day), alone);
            CHECK_INT(c.status, status);
        }
    CHECK_STR(render_at(&c, "report", cache, 1),
        "select 1\nwhere d = '1970-01-02' or 1 at dags/daily.yaml:6:34 "
        "      where d = '{{ ds }}' or {{ 1 if ds[9] == '2' else 2 }}");
    write_file(&c, "templates/report/x.sql", "select 2");
    CHECK_STR(render_at(&c, "filed", cache, 0),
        "select\n  '1970-01-01' at templates/report/x.sql:2:12   '{{ ds }}'");
    render_cache_free(cache);
    place_end(&c);
}
