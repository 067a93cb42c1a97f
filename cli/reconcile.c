/* dag doctor --reconcile: do the metadata and the ledgers of the connections tell the same? */
#include "base/file.h"
#include "cli/doctor.h"
#include "executor/reconcile.h"
#include "executor/target/connect.h"

struct reconciler {
    struct doctor *doctor;
    struct reconcile_ledger *ledgers;
    size_t count;
    size_t *told; /* differences of each ledger */
};

static const char *ledger_words(struct arena *arena, const char *connection)
{
    return connection ? arena_printf(arena, "ledger of `%s`", connection) : "ledgers";
}

/* ---- differences ----------------------------------------------------------------------------- */

static void write_difference(struct json_writer *w, const void *user)
{
    const struct difference *d = user;
    json_kv_str(w, "kind", difference_name(d->kind));
    json_kv_str(w, "connection", d->connection);
    json_kv_str(w, "dag_id", d->dag_id);
    json_kv_str(w, "run_id", d->run_id);
    if (d->logical_us != TIME_NONE)
        json_kv_time(w, "logical_date", d->logical_us);
    json_kv_str(w, "task_id", d->task_id);
    if (d->task_id)
        json_kv_int(w, "map_index", d->map_index);
}

/* "geolife 2007-04-12 clean_daily_trajectory: " */
static const char *whose(struct cli *cli, const struct difference *d)
{
    struct arena *arena = cli->arena;
    if (!d->dag_id)
        return "";
    const char *run = d->logical_us != TIME_NONE ? cli_time(arena, d->logical_us) : d->run_id;
    return arena_printf(arena, "%s %s%s%s: ", d->dag_id, run, d->task_id ? " " : "",
        d->task_id ? task_word(arena, d->task_id, d->map_index) : "");
}

static void on_difference(void *user, const struct difference *d)
{
    struct reconciler *r = user;
    struct arena *arena = r->doctor->cli->arena;
    for (size_t i = 0; i < r->count; i++)
        r->told[i] += str_equal(r->ledgers[i].connection->name, d->connection);
    doctor_tell_more(r->doctor, d->bad ? BAD : WARN, ledger_words(arena, d->connection),
        arena_printf(arena, "%s%s", whose(r->doctor->cli, d), d->found), d->remedy,
        write_difference, d);
}

/* ---- ledgers --------------------------------------------------------------------------------- */

static bool is_known(const struct reconciler *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_equal(r->ledgers[i].id, id))
            return true;
    return false;
}

/* Several connections may lead to one ledger: it is looked at once. */
static void open_ledger(struct reconciler *r, const struct connection *connection)
{
    struct arena *arena = r->doctor->cli->arena;
    const char *what = ledger_words(arena, connection->name);
    struct connected connected = {0};
    struct error err;
    if (connect_to_look(connection, "dag doctor", &connected, &err)) {
        doctor_tell_error(r->doctor, BAD, what, &err);
        return;
    }
    const char *id = arena_strdup(arena, connected.facts.ledger_id);
    if (!*id || is_known(r, id)) {
        doctor_tell(r->doctor, GOOD, what,
            *id ? "it is the one of another connection" : "there is none yet", NULL);
        PQfinish(connected.conn);
        return;
    }
    r->ledgers[r->count++] = (struct reconcile_ledger){connection, connected.conn, id, 0};
}

static void open_ledgers(struct reconciler *r)
{
    const struct project *project = r->doctor->cli->project;
    r->ledgers =
        arena_array(r->doctor->cli->arena, struct reconcile_ledger, project->connection_count);
    r->told = arena_array(r->doctor->cli->arena, size_t, project->connection_count);
    for (size_t i = 0; i < project->connection_count; i++) {
        r->told[i] = 0;
        if (project->connections[i].ledger)
            open_ledger(r, &project->connections[i]);
    }
}

static void tell_sums(struct reconciler *r)
{
    struct arena *arena = r->doctor->cli->arena;
    for (size_t i = 0; i < r->count; i++)
        if (!r->told[i])
            doctor_tell(r->doctor, GOOD, ledger_words(arena, r->ledgers[i].connection->name),
                arena_printf(arena, "%lld results, all as the metadata says",
                    (long long)r->ledgers[i].compared),
                NULL);
}

static enum status compare(struct reconciler *r, struct store *reader, struct error *err)
{
    struct reconcile_options options = {
        .reader = reader,
        .ledgers = r->ledgers,
        .count = r->count,
        .since_us = clock_now().wall_us - r->doctor->cli->project->retention_us,
        .user = r,
        .told = on_difference,
    };
    enum status status = reconcile_run(&options, err);
    if (status == OK)
        tell_sums(r);
    return status;
}

void doctor_reconcile(struct doctor *d)
{
    struct reconciler r = {.doctor = d};
    struct store *reader = NULL;
    struct error err;
    if (!file_exists(path_join(d->cli->arena, d->cli->project->state, "dag.db"))) {
        doctor_tell(d, GOOD, "metadata", "none yet", NULL);
        return;
    }
    if (cli_reader(d->cli, &reader, &err)) {
        doctor_tell_error(d, BAD, "metadata", &err);
        return;
    }
    open_ledgers(&r);
    if (compare(&r, reader, &err))
        doctor_tell_error(d, BAD, "ledgers", &err);
    for (size_t i = 0; i < r.count; i++)
        PQfinish(r.ledgers[i].conn);
}
