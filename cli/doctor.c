/* dag doctor: what a project needs, looked at one after the other. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/conn_test.h"
#include "cli/doctor.h"
#include "daemon/client.h"
#include "daemon/lock.h"
#include "definition/catalogue.h"
#include "executor/executor.h"
#include "store/inspect.h"

enum {
    /* MiB of the state folder's file system: below, attempts may fail soon; below, they do. */
    ROOM_WARN_MIB = 1024,
    ROOM_BAD_MIB = 64,
};

static const char *const verdict_words[] = {[GOOD] = "ok", [WARN] = "warn", [BAD] = "bad"};

static bool reconcile;

void doctor_tell_more(struct doctor *d, enum verdict verdict, const char *what, const char *found,
    const char *remedy, void (*more)(struct json_writer *w, const void *user), const void *user)
{
    d->bad += verdict == BAD;
    if (!d->cli->json) {
        printf("%-4s  %s: %s\n", verdict_words[verdict], what, found);
        if (remedy)
            printf("      hint: %s\n", remedy);
        return;
    }
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "what", what);
    json_kv_str(&w, "verdict", verdict_words[verdict]);
    json_kv_str(&w, "found", found);
    json_kv_str(&w, "remedy", remedy);
    if (more)
        more(&w, user);
    json_object_end(&w);
    puts(strbuf_text(&text));
}

void doctor_tell(
    struct doctor *d, enum verdict verdict, const char *what, const char *found, const char *remedy)
{
    doctor_tell_more(d, verdict, what, found, remedy, NULL, NULL);
}

void doctor_tell_error(
    struct doctor *d, enum verdict verdict, const char *what, const struct error *err)
{
    const char *remedy = err->hint[0] ? err->hint : status_info(err->status)->remedy;
    doctor_tell(d, verdict, what, err->message, remedy);
}

/* ---- what is looked at ----------------------------------------------------------------------- */

static void look_at_files(struct doctor *d)
{
    const struct catalogue_options options = {.project = d->cli->project};
    struct catalogue *catalogue = catalogue_new(&options);
    struct catalogue_changes changes;
    struct error err;
    if (catalogue_load(catalogue, &changes, &err)) {
        doctor_tell_error(d, BAD, "DAG files", &err);
        catalogue_free(catalogue);
        return;
    }
    size_t broken = catalogue_broken_count(catalogue);
    for (size_t i = 0; i < broken; i++)
        cli_print_diagnostics(catalogue_broken_at(catalogue, i).diagnostics, stderr);
    const char *found = arena_printf(
        d->cli->arena, "%zu DAGs, %zu files with mistakes", catalogue_count(catalogue), broken);
    doctor_tell(d, broken ? BAD : GOOD, "DAG files", found,
        broken ? "a file with mistakes is not scheduled, or as it was before: see above" : NULL);
    catalogue_free(catalogue);
}

static void look_at_state(struct doctor *d)
{
    struct arena *arena = d->cli->arena;
    const char *state = d->cli->project->state;
    struct stat info;
    if (stat(state, &info)) {
        doctor_tell(d, errno == ENOENT ? GOOD : BAD, "state folder",
            arena_printf(arena, "%s: %s", state,
                errno == ENOENT ? "not there yet; the first run makes it" : strerror(errno)),
            NULL);
        return;
    }
    if (access(state, R_OK | W_OK | X_OK)) {
        doctor_tell(d, BAD, "state folder", arena_printf(arena, "%s: %s", state, strerror(errno)),
            "run dag as the user who owns it, or give this one the right to write there");
        return;
    }
    if (info.st_mode & 077) {
        doctor_tell(d, WARN, "state folder",
            arena_printf(arena, "%s: others can look into it (mode %03o)", state,
                (unsigned)info.st_mode & 0777),
            arena_printf(arena, "chmod 700 %s", state));
        return;
    }
    doctor_tell(d, GOOD, "state folder", state, NULL);
}

static void look_at_room(struct doctor *d)
{
    struct statvfs info;
    const char *folder = d->cli->project->state;
    if (!dir_exists(folder))
        folder = d->cli->project->root;
    if (statvfs(folder, &info)) {
        doctor_tell(d, WARN, "room on the disk", strerror(errno), NULL);
        return;
    }
    unsigned long long mib = (unsigned long long)info.f_bavail * info.f_frsize >> 20;
    enum verdict verdict = mib < ROOM_BAD_MIB ? BAD : mib < ROOM_WARN_MIB ? WARN : GOOD;
    doctor_tell(d, verdict, "room on the disk", arena_printf(d->cli->arena, "%llu MiB", mib),
        verdict == GOOD ? NULL : "free some space: without it nothing is started");
}

static void on_fact(void *user, const char *what, const char *found, bool bad)
{
    struct doctor *d = user;
    if (bad)
        doctor_tell(d, BAD, arena_printf(d->cli->arena, "metadata, %s", what), found,
            "see `dag db check`; put a sound backup in its place");
}

static void look_at_metadata(struct doctor *d)
{
    const char *path = path_join(d->cli->arena, d->cli->project->state, "dag.db");
    struct error err;
    bool sound = false;
    if (!file_exists(path))
        doctor_tell(d, GOOD, "metadata", "none yet", NULL);
    else if (store_check(path, on_fact, d, &sound, &err))
        doctor_tell_error(d, BAD, "metadata", &err);
    else if (sound)
        doctor_tell(d, GOOD, "metadata", path, NULL);
}

static void look_at_daemon(struct doctor *d)
{
    const char *state = d->cli->project->state;
    CLEANUP(json_decrefp) json_t *answer = NULL;
    struct error err;
    enum status status = client_call(state, "{\"op\": \"ping\"}", &answer, &err);
    if (status == OK)
        doctor_tell(d, GOOD, "daemon", "it runs and answers", NULL);
    else if (status == ERR_NO_DAEMON && !lock_is_held(state))
        doctor_tell(d, WARN, "daemon", "none runs: nothing is scheduled", "start it: dag up");
    else
        doctor_tell_error(d, BAD, "daemon", &err);
}

static void look_at_supervisor(struct doctor *d)
{
    const char *path = executor_supervisor(d->cli->arena);
    bool there = access(path, X_OK) == 0;
    doctor_tell(d, there ? GOOD : BAD, "dag-exec",
        there ? path : arena_printf(d->cli->arena, "%s: %s", path, strerror(errno)),
        there ? NULL : "install it beside dag: bash, exec and python tasks need it");
}

static void on_connection(void *user, const char *name, const struct checked *checked)
{
    struct doctor *d = user;
    struct arena *arena = d->cli->arena;
    const char *what = arena_printf(arena, "connection `%s`", name);
    if (checked->status)
        doctor_tell(d, BAD, what, checked->error.message, checked->error.hint);
    else
        doctor_tell(d, checked->warning ? WARN : GOOD, what,
            checked->warning ? checked->warning
                             : arena_printf(arena, "%s %s, database %s as %s%s", checked->dialect,
                                   checked->number, checked->database, checked->user,
                                   checked->ledger && !*checked->ledger
                                       ? "; no ledger yet: the first task makes it"
                                       : ""),
            NULL);
}

static void look_at_connections(struct doctor *d)
{
    const struct project *project = d->cli->project;
    size_t count = project->connection_count;
    const struct connection **all = arena_array(d->cli->arena, const struct connection *, count);
    struct error err;
    for (size_t i = 0; i < count; i++)
        all[i] = &project->connections[i];
    if (count && conn_try(all, count, d->cli->arena, on_connection, d, &err))
        doctor_tell_error(d, BAD, "connections", &err);
}

static void (*const looks[])(struct doctor *d) = {look_at_files, look_at_state, look_at_room,
    look_at_metadata, look_at_daemon, look_at_supervisor, look_at_connections};

static enum status run(struct cli *cli, struct error *err)
{
    struct doctor doctor = {.cli = cli};
    doctor_tell(&doctor, GOOD, "project", cli->project->root, NULL);
    if (reconcile)
        doctor_reconcile(&doctor);
    for (size_t i = 0; !reconcile && i < ARRAY_SIZE(looks); i++)
        looks[i](&doctor);
    if (!doctor.bad)
        return OK;
    return error_set(err, ERR_UNWELL, "%zu thing%s %s wrong", doctor.bad,
        doctor.bad == 1 ? "" : "s", doctor.bad == 1 ? "is" : "are");
}

static const struct option options[] = {
    OPTION_FLAG("reconcile", 0, &reconcile,
        "instead, compare the metadata with the ledgers of the target databases; changes nothing"),
    OPTION_END,
};

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "what is wrong with the project or what it needs",
    .description = "Looks at the DAG files, the state folder, the room on its disk, the metadata "
                   "(all of it is read), the daemon, the helper of processes and every connection "
                   "(as `dag conn test`). A line each: `ok`, `warn` or `bad`, with what to do. "
                   "Exit status 1 when anything is bad. With --reconcile, after a failover or when "
                   "a backup was put back: what succeeded within `retention` is compared with the "
                   "ledgers of all connections, and each difference told with the command that "
                   "mends it; nothing is changed.",
    .examples = "dag doctor\ndag doctor --json\n"
                "dag doctor --reconcile   # after a failover or a restore",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
