/* Settings: where they come from, what wins, what is hidden. */
#include "definition/project.h"
#include "language/sql/tables.h"
#include "base/clock.h"
#include "tests/unit/definition/project_dir.h"

struct fixture {
    struct project_dir dir;
    struct project *project;
    enum status status;
};

static struct fixture begin(const char *text)
{
    struct fixture f = {.dir = dir_new()};
    if (text)
        dir_write(&f.dir, "dag.yaml", text);
    return f;
}

static bool load(struct fixture *f, struct project_options options, const char *const *environ)
{
    static const char *const none[] = {NULL};
    options.dir = f->dir.path;
    options.environ = environ ? environ : none;
    project_free(f->project);
    f->project = NULL;
    diagnostics_init(f->dir.diagnostics, f->dir.arena);
    f->status = project_load(&options, &f->project, f->dir.diagnostics, &f->dir.error);
    return f->status == OK;
}

static void done(struct fixture *f)
{
    project_free(f->project);
    dir_done(&f->dir);
}

/* "value (origin source:line)" */
static const char *shown(struct fixture *f, const char *name)
{
    const struct setting *s = project_find_setting(f->project, name);
    if (!s)
        return "none";
    return arena_printf(f->dir.arena, "%s (%s %s:%u)", s->value, origin_name(s->origin),
        s->source ? s->source : "-", s->line);
}

TEST(the_defaults_are_those_of_the_contract)
{
    struct fixture f = begin("");
    REQUIRE(load(&f, (struct project_options){0}, NULL));
    const struct project *project = f.project;
    CHECK_STR(project->dags, "dags");
    CHECK_STR(project->templates, "templates");
    CHECK_STR(project->migrations, "migrations");
    CHECK_STR(project->tests, "tests");
    CHECK_STR(project->state, arena_printf(f.dir.arena, "%s/.dag", f.dir.path));
    CHECK_STR(project->timezone, "UTC");
    CHECK_INT(project->max_processes, 32);
    CHECK(!project->paused_upon_creation);
    CHECK_INT(project->retention_us, 90 * US_PER_DAY);
    CHECK_INT(project->shutdown_grace_us, 0);
    CHECK_STR(project->web_listen, "127.0.0.1:8080");
    CHECK_INT(project->connection_count, 0);
    CHECK_INT(project->pool_count, 1);
    CHECK_STR(project->pools[0].name, "default_pool");
    CHECK_INT(project->pools[0].slots, 128);
    CHECK(project->environment == NULL);
    CHECK_STR(shown(&f, "max_processes"), "32 (default -:0)");
    CHECK_STR(shown(&f, "pools.default_pool"), "128 (default -:0)");
    done(&f);
}

TEST(the_project_is_the_nearest_folder_with_a_dag_yaml)
{
    struct fixture f = begin("");
    const char *root;
    dir_write(&f.dir, "a/b/c.txt", "");
    REQUIRE_OK(
        project_find(path_join(f.dir.arena, f.dir.path, "a/b"), f.dir.arena, &root, &f.dir.error),
        &f.dir.error);
    CHECK_STR(root, f.dir.path);
    dir_remove(&f.dir, "dag.yaml");
    CHECK(project_find(f.dir.path, f.dir.arena, &root, &f.dir.error) == ERR_PROJECT_NOT_FOUND);
    CHECK(strstr(f.dir.error.message, "there is no dag.yaml in ") != NULL);
    CHECK_STR(f.dir.error.hint, "run `dag init` to make a project, or name one with --project DIR");
    done(&f);
}

TEST(connections_pools_and_variables_are_read)
{
    struct fixture f =
        begin("connections:\n  gp:\n    uri: postgresql://u:pw@h/db\n    dialect: greenplum6\n"
              "    max_connections: 3\n    settings: {search_path: \"geolife, public\"}\n"
              "    ledger: false\n    ledger_schema: led\npools: {default_pool: 5, big: 2}\n"
              "variables:\n  plain: x\n  number: 12\n  list: [1, {a: b}]\n"
              "  hidden: {value: s, secret: true}\n  api_key: k\n");
    REQUIRE(load(&f, (struct project_options){0}, NULL));
    const struct connection *gp = project_find_connection(f.project, "gp");
    REQUIRE(gp != NULL);
    CHECK_STR(gp->uri, "postgresql://u:pw@h/db");
    CHECK_INT(gp->dialect, DIALECT_GREENPLUM6);
    CHECK_INT(gp->max_connections, 3);
    CHECK_STR(gp->settings.at[0].text.value, "geolife, public");
    CHECK(!gp->ledger);
    CHECK_STR(gp->ledger_schema, "led");
    CHECK_INT(gp->origin, ORIGIN_FILE);
    CHECK_INT(f.project->pool_count, 2);
    CHECK_INT(project_find_pool(f.project, "default_pool")->slots, 5);
    CHECK_STR(project_find_variable(f.project, "number")->value, "12");
    CHECK_STR(project_find_variable(f.project, "list")->value, "[1,{\"a\":\"b\"}]");
    CHECK_STR(project_find_variable(f.project, "hidden")->value, "s");
    CHECK(project_find_variable(f.project, "hidden")->secret);
    CHECK(project_find_variable(f.project, "api_key")->secret);
    CHECK(!project_find_variable(f.project, "plain")->secret);
    CHECK_STR(shown(&f, "connections.gp.uri"), "postgresql://u:***@h/db (file dag.yaml:3)");
    CHECK_STR(
        shown(&f, "connections.gp.settings.search_path"), "geolife, public (file dag.yaml:6)");
    CHECK_STR(shown(&f, "connections.gp.test_uri"), "the sandbox (default -:0)");
    CHECK_STR(shown(&f, "variables.hidden"), "*** (file dag.yaml:14)");
    CHECK_STR(shown(&f, "variables.api_key"), "*** (file dag.yaml:15)");
    done(&f);
}

static enum status stored(void *user, const char *state, struct arena *arena,
    struct stored_settings *ret, struct error *err)
{
    static const struct stored_setting rows[] = {{"variables.a", "stored", false, NULL},
        {"variables.s", "stored", true, NULL}, {"variables.lost", "", true, "no key"},
        {"connections.kept.uri", "host=kept", true, NULL},
        {"connections.kept.max_connections", "3", false, NULL},
        {"connections.kept.settings.search_path", "geolife", false, NULL},
        {"connections.gp-1.dialect", "greenplum6", false, NULL}, {"pools.small", "2", false, NULL}};
    (void)arena, (void)err;
    CHECK(str_ends(state, "/.dag"));
    CHECK(user == NULL);
    *ret = (struct stored_settings){rows, ARRAY_SIZE(rows)};
    return OK;
}

TEST(a_flag_wins_over_the_environment_over_the_file_over_what_is_stored)
{
    struct fixture f = begin("timezone: Europe/Berlin\nvariables: {a: file, b: file}\n"
                             "connections: {gp-1: {uri: host=file}}\n");
    static const char *const environ[] = {"DAG_TIMEZONE=Asia/Tokyo", "DAG_VAR_B=environment",
        "DAG_CONN_GP_1=host=environment", "DAG_CONN_NEW=host=new", "DAG_MAX_PROCESSES=7",
        "DAG_VAR_OTHER=o", "DAG_WEB_LISTEN=127.0.0.1:1", "DAGS=x", NULL};
    struct setting_override flags[] = {{"timezone", "America/Lima", "--timezone"}};
    struct project_options options = {.stored = stored};
    REQUIRE(load(&f, options, NULL));
    CHECK_STR(shown(&f, "timezone"), "Europe/Berlin (file dag.yaml:1)");
    CHECK_STR(shown(&f, "variables.a"), "file (file dag.yaml:2)");
    CHECK_STR(shown(&f, "variables.s"), "*** (stored stored:0)");
    CHECK_STR(project_find_variable(f.project, "s")->value, "stored");
    CHECK_STR(project_find_variable(f.project, "lost")->problem, "no key");
    CHECK_STR(shown(&f, "variables.lost"), "*** (stored stored:0)");
    const struct connection *kept = project_find_connection(f.project, "kept");
    CHECK_STR(kept->uri, "host=kept");
    CHECK(kept->problem == NULL);
    CHECK_INT(kept->max_connections, 3);
    CHECK_STR(kept->settings.at[0].text.value, "geolife");
    CHECK_INT(project_find_connection(f.project, "gp-1")->dialect, DIALECT_GREENPLUM6);
    CHECK_INT(project_find_pool(f.project, "small")->slots, 2);
    REQUIRE(load(&f, options, environ));
    CHECK_STR(shown(&f, "timezone"), "Asia/Tokyo (environment DAG_TIMEZONE:0)");
    CHECK_STR(shown(&f, "variables.b"), "environment (environment DAG_VAR_B:0)");
    CHECK_STR(shown(&f, "max_processes"), "7 (environment DAG_MAX_PROCESSES:0)");
    CHECK_STR(shown(&f, "web.listen"), "127.0.0.1:1 (environment DAG_WEB_LISTEN:0)");
    CHECK_STR(project_find_connection(f.project, "gp-1")->uri, "host=environment");
    CHECK_INT(project_find_connection(f.project, "gp-1")->origin, ORIGIN_ENVIRONMENT);
    CHECK_STR(project_find_connection(f.project, "new")->uri, "host=new");
    CHECK_STR(project_find_variable(f.project, "Other")->value, "o");
    options.overrides = flags;
    options.override_count = 1;
    REQUIRE(load(&f, options, environ));
    CHECK_STR(shown(&f, "timezone"), "America/Lima (flag --timezone:0)");
    CHECK_STR(f.project->timezone, "America/Lima");
    done(&f);
}

TEST(an_environments_file_is_merged_over_dag_yaml_and_has_its_own_state)
{
    struct fixture f = begin("connections: {gp: {uri: host=a, max_connections: 3}}\n");
    dir_write(&f.dir, "dag.prod.yaml", "connections: {gp: {uri: host=b}}\ntimezone: Asia/Tokyo\n");
    REQUIRE(load(&f, (struct project_options){.environment = "prod"}, NULL));
    CHECK_STR(f.project->environment, "prod");
    CHECK_STR(project_find_connection(f.project, "gp")->uri, "host=b");
    CHECK_INT(project_find_connection(f.project, "gp")->max_connections, 3);
    CHECK_STR(f.project->state, arena_printf(f.dir.arena, "%s/.dag/prod", f.dir.path));
    CHECK_STR(shown(&f, "timezone"), "Asia/Tokyo (file dag.prod.yaml:2)");
    static const char *const environ[] = {"DAG_ENV=prod", "DAG_STATE=/elsewhere", NULL};
    REQUIRE(load(&f, (struct project_options){0}, environ));
    CHECK_STR(f.project->environment, "prod");
    CHECK_STR(f.project->state, "/elsewhere");
    CHECK(!load(&f, (struct project_options){.environment = "test"}, NULL));
    CHECK_INT(f.status, ERR_NOT_FOUND);
    CHECK_STR(f.dir.error.message, "there is no environment `test`");
    CHECK(!load(&f, (struct project_options){.environment = "../x"}, NULL));
    CHECK_INT(f.status, ERR_BAD_NAME);
    done(&f);
}

TEST(values_refer_to_the_environment_files_and_commands)
{
    struct fixture f = begin(
        "timezone: ${ZONE:-Asia/Tokyo}\nmax_processes: ${N}\nvariables:\n  a: x${A}y${EMPTY:-z}\n"
        "  f: ${file:pw.txt}\n  c: \"${cmd:echo one two; echo three}\"\n  d: $${A} $A\n");
    static const char *const environ[] = {"N=5", "A=1", "EMPTY=", NULL};
    dir_write(&f.dir, "pw.txt", "from file\n");
    REQUIRE(load(&f, (struct project_options){0}, environ));
    CHECK_STR(f.project->timezone, "Asia/Tokyo");
    CHECK_INT(f.project->max_processes, 5);
    CHECK_STR(project_find_variable(f.project, "a")->value, "x1yz");
    CHECK_STR(project_find_variable(f.project, "f")->value, "from file");
    CHECK_STR(project_find_variable(f.project, "c")->value, "one two\nthree");
    CHECK_STR(project_find_variable(f.project, "d")->value, "${A} $A");
    CHECK(project_find_variable(f.project, "f")->secret);
    CHECK_STR(shown(&f, "variables.c"), "*** (file dag.yaml:6)");
    done(&f);
}

TEST(the_tables_of_functions_are_read)
{
    struct fixture f = begin("functions:\n  mart.Train: {reads: $1, writes: [$2, $2_summary]}\n"
                             "  log_start: {}\n");
    REQUIRE(load(&f, (struct project_options){0}, NULL));
    REQUIRE(f.project->functions->count == 2);
    const struct sql_function *train = &f.project->functions->at[0];
    CHECK_STR(train->schema, "mart");
    CHECK_STR(train->name, "train");
    CHECK_INT(train->read_count, 1);
    CHECK_STR(train->writes[1], "$2_summary");
    CHECK(f.project->functions->at[1].schema == NULL);
    CHECK_STR(shown(&f, "functions.mart.Train.reads"), "$1 (file dag.yaml:2)");
    done(&f);
}

TEST(a_function_whose_tables_are_no_names_is_a_mistake)
{
    struct fixture f = begin("functions:\n  a b: {reads: t}\n  f: {reads: $0, writes: [t, u v]}\n"
                             "  g: {read: t}\n");
    CHECK(!load(&f, (struct project_options){0}, NULL));
    CHECK_STR(dir_findings(&f.dir),
        "2:3 `a b` cannot be the name of a function; write it as SQL does, without arguments: "
        "mart.refresh\n"
        "3:14 `$0` is not the name of a table; write mart.days, $1 for the first argument, or "
        "$1_summary\n"
        "3:26 `u v` is not the name of a table; write mart.days, $1 for the first argument, or "
        "$1_summary\n"
        "4:7 a function has no key `read`; did you mean `reads`?\n");
    done(&f);
}

TEST(mistakes_of_settings_are_found_in_one_pass)
{
    struct fixture f =
        begin("tmezone: UTC\nmax_processes: ${NOTHING}\nvariables: {f: \"${file:no.txt}\", "
              "c: \"${cmd:exit 3}\"}\nconnections:\n  gp: {host: h}\n  b d: {dialect: greenplum}\n"
              "pools: {p: 0}\nalerts: {ops: {}}\nweb: {listen: nowhere}\n");
    CHECK(!load(&f, (struct project_options){0}, NULL));
    CHECK_INT(f.status, ERR_DEFINITION);
    static const char *const parts[] = {
        "1:1 dag.yaml has no key `tmezone`; did you mean `timezone`?\n",
        "2:16 ${NOTHING} gives nothing: the environment variable is not set; set it, or give a "
        "default: ${NOTHING:-…}\n",
        "3:16 ${file:no.txt} gives nothing: ",
        "3:37 ${cmd:exit 3} gives nothing: the command failed; run it by hand in the project's "
        "folder to see why\n",
        "5:8 `host` is not a key of a connection here; the key is `uri`: write all of it in",
        "6:3 `b d` cannot be the name of a connection",
        "6:18 `greenplum` is no value of `dialect`; did you mean `greenplum6`?\n",
        "7:12 `p` must be from 1 to 1000000\n", "8:1 `alerts` is not supported yet",
        "9:15 `listen` is not an address and a port; write 127.0.0.1:8080 or [::1]:8080\n"};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (!CHECK(strstr(dir_findings(&f.dir), parts[i]) != NULL))
            printf("  lacks %s\n", parts[i]);
    if (!CHECK_INT(f.dir.diagnostics->error_count, ARRAY_SIZE(parts) + 1))
        printf("%s", dir_findings(&f.dir));
    CHECK_STR(f.dir.diagnostics->first->error.place.file, "dag.yaml");
    done(&f);
}

TEST(a_bad_value_of_the_environment_or_of_a_flag_names_it)
{
    struct fixture f = begin("");
    static const char *const environ[] = {"DAG_MAX_PROCESSES=many", NULL};
    CHECK(!load(&f, (struct project_options){0}, environ));
    CHECK_STR(f.dir.diagnostics->first->error.place.file, "DAG_MAX_PROCESSES");
    CHECK_STR(dir_finding(&f.dir, 0), "1:1 `max_processes` takes a whole number, this is text");
    struct setting_override flags[] = {{"timezone", "Mars/Base", "--timezone"}};
    struct project_options options = {.overrides = flags, .override_count = 1};
    CHECK(!load(&f, options, NULL));
    CHECK_STR(f.dir.diagnostics->first->error.place.file, "--timezone");
    done(&f);
}

TEST(without_a_dag_yaml_there_is_no_project_unless_none_is_asked_for)
{
    struct fixture f = begin(NULL);
    CHECK(!load(&f, (struct project_options){0}, NULL));
    CHECK_INT(f.status, ERR_PROJECT_NOT_FOUND);
    CHECK(load(&f, (struct project_options){.bare = true}, NULL));
    done(&f);
}

TEST(passwords_are_masked_in_every_form_of_address)
{
    static const struct {
        const char *uri, *shown;
    } rows[] = {{"postgresql://localhost/geolife", "postgresql://localhost/geolife"},
        {"postgresql://u@h/db", "postgresql://u@h/db"},
        {"postgresql://u:p@h:5432/db", "postgresql://u:***@h:5432/db"},
        {"postgresql://u:p@ss@h/db", "postgresql://u:***@h/db"},
        {"postgres://h/db?password=x&sslmode=require",
            "postgres://h/db?password=***&sslmode=require"},
        {"postgres://u:p@h/db?a=b&sslpassword=q", "postgres://u:***@h/db?a=b&sslpassword=***"},
        {"host=h password=secret dbname=d", "host=h password=*** dbname=d"},
        {"host=h password = 'se cret\\' x' dbname=d", "host=h password = *** dbname=d"},
        {"passfile=/x user=u", "passfile=/x user=u"}, {"", ""}, {"service=gp", "service=gp"}};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        CHECK_STR(connection_uri_shown(arena, rows[i].uri), rows[i].shown);
}

TEST(names_that_airflow_masks_are_secret)
{
    static const char *const secret[] = {
        "password", "DB_PASSWORD", "my_api_key", "Token", "secret_key", "private_key_path"};
    static const char *const open[] = {"name", "path", "key", "pass", "user"};
    for (size_t i = 0; i < ARRAY_SIZE(secret); i++)
        CHECK(name_is_sensitive(secret[i]));
    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        CHECK(!name_is_sensitive(open[i]));
}
