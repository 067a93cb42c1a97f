/* Endpoints of dag.yaml, and what a request to one gives. */
#include "definition/endpoint.h"
#include "base/clock.h"
#include "base/json.h"
#include "definition/lint.h"
#include "tests/unit/definition/project_dir.h"

struct fixture {
    struct project_dir dir;
    struct project *project;
};

static const char connection[] = "connections: {gp: {uri: postgresql://localhost/x}}\n";

static const struct endpoint *load(struct fixture *f, const char *endpoint)
{
    static const char *const none[] = {NULL};
    struct project_options options = {.dir = f->dir.path, .environ = none};
    dir_write(&f->dir, "dag.yaml",
        arena_printf(f->dir.arena, "%sendpoints:\n  walk: %s\n", connection, endpoint));
    project_free(f->project);
    f->project = NULL;
    diagnostics_init(f->dir.diagnostics, f->dir.arena);
    if (project_load(&options, &f->project, f->dir.diagnostics, &f->dir.error) != OK)
        return NULL;
    return project_find_endpoint(f->project, "walk");
}

static struct fixture begin(void)
{
    return (struct fixture){.dir = dir_new()};
}

static void done(struct fixture *f)
{
    project_free(f->project);
    dir_done(&f->dir);
}

TEST(an_endpoint_has_defaults_and_its_parameters_are_numbered)
{
    struct fixture f = begin();
    const struct endpoint *e = load(&f,
        "{sql: 'select %(b)s::int, %(a)s, %(b)s, 7 % 2 -- %(a)s', params: {a: {type: string}, b: "
        "{type: integer}}}");
    REQUIRE(e != NULL);
    CHECK_STR(e->sql, "select $2   ::int, $1   , $2   , 7 % 2");
    CHECK_STR(e->connection, "gp");
    CHECK_INT(e->param_count, 2);
    CHECK_STR(e->params[0].name, "a");
    CHECK_INT(e->timeout_us, 5 * US_PER_SECOND);
    CHECK_INT(e->cache_us, 0);
    CHECK_INT(e->max_concurrent, 4);
    CHECK_INT(e->max_waiting, 32);
    CHECK_INT(e->max_body_bytes, 65536);
    CHECK_INT(e->max_rows, 1000);
    CHECK(project_find_endpoint(f.project, "run") == NULL);
    done(&f);
}

TEST(the_query_may_be_a_file_among_the_templates)
{
    struct fixture f = begin();
    dir_write(&f.dir, "templates/p/walk.sql", "-- what is it?\nselect $1::text as it;\n");
    const struct endpoint *e =
        load(&f, "{sql: p/walk.sql, params: {id: {type: string}}, timeout: 100ms, cache: 1m}");
    REQUIRE(e != NULL);
    CHECK_STR(e->sql, "select $1::text as it");
    CHECK_INT(e->timeout_us, 100 * US_PER_MS);
    CHECK_INT(e->cache_us, 60 * US_PER_SECOND);
    dir_write(&f.dir, "templates/p/walk.sql", "-- what is it?\n\nselect %(ident)s\n");
    CHECK(load(&f, "{sql: p/walk.sql, params: {ident_: {type: string}}}") == NULL);
    const struct diagnostic *d = f.dir.diagnostics->first;
    REQUIRE(d != NULL);
    CHECK_STR(d->error.place.file, "templates/p/walk.sql");
    CHECK_INT(d->error.place.line, 3);
    CHECK_INT(d->error.place.column, 8);
    done(&f);
}

TEST(mistakes_are_told_with_their_place_and_what_to_do)
{
    static const struct {
        const char *endpoint, *finding;
    } rows[] = {
        {"{}", "3:9 an endpoint needs the key `sql`"},
        {"{sql: ''}", "3:15 the query of an endpoint is empty; write one SELECT"},
        {"{sql: p/none.sql}", "3:15 there is no file `templates/p/none.sql`; "
                              "the path is relative to the folder of templates"},
        {"{sql: ../x.sql}", "3:15 `../x.sql` is no path below the folder of templates"},
        {"{sql: select 1; select 2}", "an endpoint has one query, this is a second statement"},
        {"{sql: delete from t}", "3:15 an endpoint only reads; write a query that "
                                 "begins with SELECT, WITH or VALUES"},
        {"{sql: commit}", "an endpoint only reads"},
        {"{sql: \"select 'a\"}", "quote"},
        {"{sql: 'select {{ ds }}'}", "the query of an endpoint is no template; declare the value "
                                     "under `params` and write %(name)s"},
        {"{sql: 'select %(a)s'}", "the query names the parameter `a`, which is not in `params`; "
                                  "declare it under `params`: `a: {type: string}`"},
        {"{sql: 'select %(tres)s', params: {trees: {type: integer}}}", "did you mean `trees`?"},
        {"{sql: 'select $2', params: {a: {type: integer}}}", "the parameter `2`"},
        {"{sql: select 1, params: {a: {type: integer}}}",
            "3:34 the query does not use the parameter `a`"},
        {"{sql: 'select $1', params: {a: {type: whole}}}", "`type` of the parameter `a`"},
        {"{sql: 'select $1', params: {a: {type: integer, default: x}}}",
            "3:65 the default: the parameter `a` must be of type integer"},
        {"{sql: select 1, timeout: 0s}", "`timeout` is out of range; give it 1ms to 10m"},
        {"{sql: select 1, cache: 8d}", "`cache` is out of range; give it 0s to 1d"},
        {"{sql: select 1, max_concurrent: 0}", "max_concurrent"},
        {"{sql: select 1, max_rows: 1000000}", "max_rows"},
        {"{sql: select 1, query: x}", "write `sql`"},
        {"{sql: select 1, max_row: 3}", "did you mean `max_rows`?"},
    };
    struct fixture f = begin();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(load(&f, rows[i].endpoint) == NULL);
        if (!CHECK(strstr(dir_findings(&f.dir), rows[i].finding) != NULL))
            printf("  %s\n  %s\n  %s", rows[i].endpoint, rows[i].finding, dir_findings(&f.dir));
    }
    done(&f);
}

static const struct registry *load_models(struct fixture *f, const char *models)
{
    static const char *const none[] = {NULL};
    struct project_options options = {.dir = f->dir.path, .environ = none};
    dir_write(&f->dir, "dag.yaml", arena_printf(f->dir.arena, "%s%s", connection, models));
    project_free(f->project);
    f->project = NULL;
    diagnostics_init(f->dir.diagnostics, f->dir.arena);
    if (project_load(&options, &f->project, f->dir.diagnostics, &f->dir.error) != OK)
        return NULL;
    return f->project->registry;
}

TEST(a_registry_of_models_has_defaults_and_its_tables_are_quoted)
{
    struct fixture f = begin();
    const struct registry *r = load_models(&f, "models: {}\n");
    REQUIRE(r != NULL);
    CHECK_STR(r->connection, "gp");
    CHECK_STR(r->table, "\"models\".\"registry\"");
    CHECK_STR(r->evaluation, "\"models\".\"evaluation\"");
    CHECK(r->scored == NULL);
    r = load_models(&f, "models: {table: Mine, scored: 'select 1 -- ;'}\n");
    REQUIRE(r != NULL);
    CHECK_STR(r->table, "\"mine\"");
    CHECK_STR(r->scored->sql, "select 1");
    CHECK_STR(r->scored->connection, "gp");
    CHECK(load_models(&f, "") == NULL && f.project != NULL);
    CHECK(load_models(&f, "models: {scored: 'select 1; select 2'}\n") == NULL);
    CHECK(strstr(dir_findings(&f.dir), "`scored` has one query, this is a second statement"));
    CHECK(load_models(&f, "models: {scored: 'select $1'}\n") == NULL);
    CHECK(load_models(&f, "models: {evaluation: a.b.c.d}\n") == NULL);
    CHECK(strstr(dir_findings(&f.dir), "2:22 `a.b.c.d` is not the name of a table"));
    done(&f);
}

TEST(lint_finds_a_connection_that_is_not_there)
{
    struct fixture f = begin();
    REQUIRE(load(&f, "{sql: select 1, connection: g}") != NULL);
    diagnostics_init(f.dir.diagnostics, f.dir.arena);
    REQUIRE_OK(lint_project(f.project, f.dir.diagnostics, &f.dir.error), &f.dir.error);
    CHECK(strstr(dir_findings(&f.dir), "3:37 the endpoint `walk` asks `g`, which is no connection; "
                                       "declare it under `connections`") != NULL);
    done(&f);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The values with `|` between them; or the error's message. */
static const char *bind(struct fixture *f, const struct endpoint *e, const char *body)
{
    CLEANUP(json_decrefp) json_t *given = NULL;
    const char *const *values;
    struct strbuf text = {.arena = f->dir.arena};
    REQUIRE_OK(json_parse(body, strlen(body), NULL, &given, &f->dir.error), &f->dir.error);
    if (endpoint_bind(e, given, f->dir.arena, &values, &f->dir.error) != OK)
        return f->dir.error.message;
    for (size_t i = 0; i < e->param_count; i++)
        strbuf_printf(&text, "%s%s", i ? "|" : "", values[i] ? values[i] : "(null)");
    return strbuf_text(&text);
}

TEST(values_are_bound_as_the_server_reads_them)
{
    struct fixture f = begin();
    const struct endpoint *e = load(&f,
        "{sql: 'select $1, $2, $3, $4, $5', params: {a: {type: [integer, 'null'], default: null}, "
        "b: {type: number, default: 0.5}, c: {type: string, default: ''}, d: {type: array, "
        "default: []}, e: 7}}");
    REQUIRE(e != NULL);
    CHECK_STR(bind(&f, e, "{}"), "(null)|0.5||{}|7");
    CHECK_STR(bind(&f, e, "{\"a\": 3.0, \"b\": 1e30, \"c\": \"it's $1\"}"), "3|1e+30|it's $1|{}|7");
    CHECK_STR(bind(&f, e, "{\"d\": [1, 2.5, null, true, \"a\\\"b\\\\\", [1]]}"),
        "(null)|0.5||{1,2.5,NULL,true,\"a\\\"b\\\\\",{1}}|7");
    CHECK_STR(bind(&f, e, "{\"e\": {\"k\": [1]}}"), "(null)|0.5||{}|{\"k\":[1]}");
    CHECK_STR(bind(&f, e, "{\"e\": [1, 2]}"), "(null)|0.5||{}|[1,2]");
    done(&f);
}

TEST(values_that_do_not_fit_are_refused)
{
    struct fixture f = begin();
    const struct endpoint *e = load(&f, "{sql: 'select $1, $2', params: {id: {type: integer, "
                                        "minimum: 1}, list: {type: array, default: []}}}");
    REQUIRE(e != NULL);
    CHECK_STR(bind(&f, e, "[]"), "the request is not a JSON object");
    CHECK_INT(f.dir.error.status, ERR_INVALID);
    CHECK_STR(bind(&f, e, "{}"), "the parameter `id` has no default: give it a value");
    CHECK_INT(f.dir.error.status, ERR_PARAM);
    CHECK_STR(bind(&f, e, "{\"id\": \"1\"}"),
        "the parameter `id` must be of type integer, this is string");
    CHECK_STR(
        bind(&f, e, "{\"id\": null}"), "the parameter `id` must be of type integer, this is null");
    CHECK_STR(bind(&f, e, "{\"id\": 0}"), "the parameter `id` must be at least 1");
    CHECK_STR(bind(&f, e, "{\"ids\": 1}"), "the endpoint has no parameter `ids`");
    CHECK_STR(f.dir.error.hint, "did you mean `id`?");
    CHECK_STR(bind(&f, e, "{\"id\": 1, \"list\": [{}]}"),
        "the parameter `list` is a list of values, not of objects");
    CHECK_STR(bind(&f, e, "{\"id\": 1, \"list\": [[[[[[[1]]]]]]]}"),
        "the parameter `list` has lists in lists more than 6 deep");
    done(&f);
}
