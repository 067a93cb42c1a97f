/* dag db: the metadata. */
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "daemon/lock.h"
#include "daemon/retention.h"
#include "definition/project.h"
#include "store/inspect.h"

static const char *before;
static bool dry_run;

static const char *metadata(struct cli *cli)
{
    return path_join(cli->arena, cli->project->state, "dag.db");
}

/* ---- check ---- */

static void print_fact(void *user, const char *what, const char *found, bool bad)
{
    const struct cli *cli = user;
    if (!cli->json) {
        printf("%-7s %s: %s\n", bad ? "DAMAGED" : "ok", what, found);
        return;
    }
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "what", what);
    json_kv_str(&w, "found", found);
    json_kv_bool(&w, "bad", bad);
    json_object_end(&w);
    puts(strbuf_text(&text));
}

static enum status check(struct cli *cli, struct error *err)
{
    bool sound = false;
    enum status status = store_check(metadata(cli), print_fact, cli, &sound, err);
    if (status != OK || sound)
        return status;
    error_set(err, ERR_DAMAGED, "%s is damaged", metadata(cli));
    error_hint(err, "stop the daemon, keep the file, and put the newest sound backup in its place; "
                    "what succeeded since is in the targets' ledgers and is not run again");
    return ERR_DAMAGED;
}

/* ---- clean ---- */

static void print_cleaned(
    const struct cli *cli, const struct store_cleaned *cleaned, size_t versions)
{
    const struct {
        const char *what;
        int64_t count;
    } rows[] = {{"runs", cleaned->runs}, {"attempts", cleaned->attempts},
        {"transitions", cleaned->transitions}, {"requests", cleaned->requests},
        {"asset_events", cleaned->asset_events}, {"version_files", (int64_t)versions}};
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_bool(&w, "dry_run", dry_run);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        json_kv_int(&w, rows[i].what, rows[i].count);
    json_object_end(&w);
    if (cli->json)
        puts(strbuf_text(&text));
    else
        printf("%s: of %lld runs, %lld attempts with their logs and %lld lines of history; %lld "
               "requests, %lld asset events, %zu files of versions\n",
            dry_run ? "would be deleted" : "deleted", (long long)cleaned->runs,
            (long long)cleaned->attempts, (long long)cleaned->transitions,
            (long long)cleaned->requests, (long long)cleaned->asset_events, versions);
}

static enum status clean(struct cli *cli, struct error *err)
{
    int64_t before_us = clock_now().wall_us - cli->project->retention_us;
    struct store_cleaned cleaned;
    size_t versions = 0;
    int lock = -1;
    enum status status = OK;
    if (before)
        status = cli_parse_date(cli, NULL, before, false, &before_us, err);
    if (status == OK && !file_exists(metadata(cli)))
        return error_set(err, ERR_NOT_FOUND, "there is no metadata yet (%s)", metadata(cli));
    if (status == OK && !dry_run)
        status = lock_take(cli->project->state, "dag db clean", &lock, err);
    if (status == ERR_LEADER_RUNNING)
        error_hint(err, "the daemon deletes by itself, daily, what is older than `retention`; "
                        "stop it with `dag down` to clean now");
    if (status == OK)
        status = retention_pass(cli->project, before_us, dry_run, NULL, &cleaned, &versions, err);
    if (status == OK)
        print_cleaned(cli, &cleaned, versions);
    lock_release(lock);
    return status;
}

/* ---- export ---- */

static enum status export_to(struct cli *cli, struct error *err)
{
    enum status status = store_export(metadata(cli), cli->args[1], name_is_sensitive, err);
    if (status == OK && !cli->json)
        printf("%s: all of the metadata, without the values of stored settings\n", cli->args[1]);
    return status;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    size_t words;
    enum status (*run)(struct cli *cli, struct error *err);
} verbs[] = {{"check", 1, check}, {"clean", 1, clean}, {"export", 2, export_to}};

static enum status run(struct cli *cli, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (str_equal(cli->args[0], verbs[i].name) && cli->arg_count == verbs[i].words)
            return verbs[i].run(cli, err);
    error_set(err, ERR_USAGE, "dag db wants `check`, `clean` or `export FILE`");
    error_hint(err, "see `dag db -h`");
    return ERR_USAGE;
}

static const struct option options[] = {
    OPTION_TEXT("before", 0, &before, "D", "clean: what ended before (default: `retention` ago)"),
    OPTION_FLAG("dry-run", 0, &dry_run, "clean: show what would be deleted and stop"),
    OPTION_END,
};

const struct command command_db = {
    .name = "db",
    .arguments = "check | clean | export FILE",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "the metadata: check, clean, export",
    .description = "`check` reads all of the metadata and tells what is damaged (exit status 1). "
                   "`clean` deletes attempts, logs, XComs, history, requests and asset events of "
                   "what ended before a date; the rows of runs and tasks stay. The daemon does "
                   "that daily; by hand it must be stopped. `export` writes the whole state to one "
                   "file, a SQLite database, to attach to a report or to keep as a backup: stored "
                   "settings are in it without their values, and of confs and requests what their "
                   "names say to be a secret is masked.",
    .examples = "dag db check\ndag db clean --before 2026-01-01 --dry-run\n"
                "dag db export state.db",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
