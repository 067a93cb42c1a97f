#include "base/file.h"
#include "cli/cli.h"
#include "executor/target/migrate.h"

static const char *connection_name;
static bool dry_run;

static void tell(void *user, const struct migration *migration, bool applied_now)
{
    struct cli *cli = user;
    char duration[32];
    duration_format(migration->duration_us, duration);
    if (cli->json) {
        struct strbuf text = {0};
        struct json_writer w = json_begin(&text);
        json_object_begin(&w);
        json_kv_str(&w, "migration", migration->name);
        json_kv_str(&w, "applied_at", migration->applied_at);
        json_kv_bool(&w, "applied_now", applied_now);
        json_kv_str(&w, "checksum", migration->checksum);
        json_object_end(&w);
        puts(strbuf_text(&text));
        strbuf_done(&text);
    } else if (applied_now) {
        printf("%s: applied, %zu statements in %s\n", migration->path, migration->statements,
            duration);
    } else if (migration->applied_at) {
        printf("%s: applied on %s\n", migration->path, migration->applied_at);
    } else {
        printf("%s: would be applied\n", migration->path);
    }
}

static enum status migrate(struct cli *cli, const struct connection *connection, struct error *err)
{
    size_t count = 0;
    struct migrate_options options = {.project = cli->project,
        .connection = connection,
        .dry_run = dry_run,
        .user = cli,
        .told = tell};
    enum status status = migrate_run(&options, &count, err);
    if (status != OK)
        return error_context(err, "connection `%s`: ", connection->name);
    if (!cli->json && !count)
        printf("connection `%s`: nothing to do\n", connection->name);
    return OK;
}

static bool has_migrations(struct cli *cli, const struct connection *connection)
{
    const char *dir = path_join(cli->arena, cli->project->root, cli->project->migrations);
    return dir_exists(path_join(cli->arena, dir, connection->name));
}

static enum status unknown_connection(struct cli *cli, struct error *err)
{
    const struct project *project = cli->project;
    const char **names = arena_array(cli->arena, const char *, project->connection_count + 1);
    for (size_t i = 0; i < project->connection_count; i++)
        names[i] = project->connections[i].name;
    const char *near = suggest(connection_name, names, project->connection_count);
    error_set(err, ERR_NOT_FOUND, "there is no connection `%s`", connection_name);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else
        error_hint(err, "connections stand in dag.yaml; `dag config` shows them");
    return ERR_NOT_FOUND;
}

static enum status run(struct cli *cli, struct error *err)
{
    const struct project *project = cli->project;
    enum status status = OK;
    size_t tried = 0;
    if (connection_name && !project_find_connection(project, connection_name))
        return unknown_connection(cli, err);
    for (size_t i = 0; status == OK && i < project->connection_count; i++) {
        const struct connection *connection = &project->connections[i];
        if (connection_name ? !str_equal(connection_name, connection->name)
                            : !has_migrations(cli, connection))
            continue;
        tried++;
        status = migrate(cli, connection, err);
    }
    if (status == OK && !tried && !cli->json)
        fprintf(stderr, "no connection has a folder in %s/\n", project->migrations);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT("connection", 0, &connection_name, "NAME", "only this one (default: all)"),
    OPTION_FLAG("dry-run", 0, &dry_run, "show what would be applied"),
    OPTION_END,
};

const struct command command_migrate = {
    .name = "migrate",
    .arguments = "",
    .summary = "versioned SQL on the target databases",
    .description = "Applies what is missing of migrations/<connection>/NNNN_name.sql, each in a "
                   "transaction of its own, in order, once. A file that changed after it was "
                   "applied is an error.",
    .examples = "dag migrate --dry-run\ndag migrate\ndag --env production migrate --connection "
                "greenplum",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
