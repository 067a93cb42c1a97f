/* Finding and loading DAGs for commands. */
#include <stdlib.h>

#include "base/file.h"
#include "cli/cli.h"
#include "definition/catalogue.h"
#include "definition/dagfile.h"
#include "language/timetable/timetable.h"
#include "language/timetable/zone.h"

static bool looks_like_file(const char *name)
{
    return str_ends(name, ".yaml") || str_ends(name, ".yml") || strchr(name, '/');
}

static enum status load_file(struct cli *cli, const char *name, struct dag **ret, struct error *err)
{
    struct dagfile file;
    struct diagnostics mistakes;
    diagnostics_init(&mistakes, cli->arena);
    struct dagfile_options options = {.project = cli->project, .references_optional = true};
    enum status status =
        dagfile_load(&options, path_absolute(cli->arena, name), &file, &mistakes, err);
    cli_print_diagnostics(&mistakes, stderr);
    if (status != OK)
        return status;
    if (file.count == 1) {
        *ret = dag_ref(file.dags[0]);
    } else {
        status = error_set(err, ERR_INVALID, "%s has %zu DAGs: name one", name, file.count);
        struct strbuf ids = {0};
        for (size_t i = 0; i < file.count; i++)
            strbuf_printf(&ids, "%s%s", i ? ", " : "", file.dags[i]->dag_id);
        error_hint(err, "%s", strbuf_text(&ids));
        strbuf_done(&ids);
    }
    dagfile_done(&file);
    return status;
}

static void print_broken(const struct catalogue *catalogue)
{
    for (size_t i = 0; i < catalogue_broken_count(catalogue); i++)
        cli_print_diagnostics(catalogue_broken_at(catalogue, i).diagnostics, stderr);
}

static enum status load_catalogue(struct cli *cli, struct catalogue **ret, struct error *err)
{
    const struct catalogue_options options = {.project = cli->project};
    struct catalogue_changes changes;
    struct catalogue *catalogue = catalogue_new(&options);
    enum status status = catalogue_load(catalogue, &changes, err);
    if (status != OK) {
        catalogue_free(catalogue);
        return status;
    }
    *ret = catalogue;
    return OK;
}

static enum status no_such_dag(
    const struct catalogue *catalogue, const char *name, struct error *err)
{
    size_t count = catalogue_count(catalogue);
    const char **ids = mem_alloc((count + 1) * sizeof(*ids));
    for (size_t i = 0; i < count; i++)
        ids[i] = catalogue_at(catalogue, i)->dag_id;
    const char *near = suggest(name, ids, count);
    error_set(err, ERR_NOT_FOUND, "there is no DAG `%s`", name);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else if (catalogue_broken_count(catalogue))
        error_hint(err, "a file with mistakes gives no DAG: see above");
    else
        error_hint(err, "`dag list` shows what there is");
    mem_free(ids);
    return ERR_NOT_FOUND;
}

enum status cli_load_dag(struct cli *cli, const char *name, struct dag **ret, struct error *err)
{
    if (looks_like_file(name))
        return load_file(cli, name, ret, err);
    struct catalogue *catalogue = NULL;
    enum status status = load_catalogue(cli, &catalogue, err);
    if (status != OK)
        return status;
    const struct dag *dag = catalogue_find(catalogue, name);
    if (dag) {
        *ret = dag_ref(dag);
    } else {
        print_broken(catalogue);
        status = no_such_dag(catalogue, name, err);
    }
    catalogue_free(catalogue);
    return status;
}

enum status cli_load_all(struct cli *cli, struct dag ***ret, size_t *ret_count, struct error *err)
{
    struct catalogue *catalogue = NULL;
    enum status status = load_catalogue(cli, &catalogue, err);
    if (status != OK)
        return status;
    print_broken(catalogue);
    *ret_count = catalogue_count(catalogue);
    *ret = arena_array(cli->arena, struct dag *, *ret_count);
    for (size_t i = 0; i < *ret_count; i++)
        (*ret)[i] = dag_ref(catalogue_at(catalogue, i));
    catalogue_free(catalogue);
    return OK;
}

/* The zone that dates about a DAG are read in: its own, or the project's when it does not load. */
const struct zone *cli_zone(struct cli *cli, const char *dag_id)
{
    struct catalogue *catalogue = NULL;
    const struct zone *zone = zone_utc();
    if (zone_load(cli->project->timezone, &zone, NULL) != OK)
        zone = zone_utc();
    if (dag_id && load_catalogue(cli, &catalogue, NULL) == OK) {
        const struct dag *dag = catalogue_find(catalogue, dag_id);
        if (dag)
            zone = dag->zone;
        catalogue_free(catalogue);
    }
    return zone;
}

enum status cli_parse_date(struct cli *cli, const char *dag_id, const char *text, bool end,
    int64_t *ret_us, struct error *err)
{
    const struct zone *zone = cli_zone(cli, dag_id);
    return end ? zone_parse_end(zone, slice_of(text), ret_us, err)
               : zone_parse_time(zone, slice_of(text), ret_us, NULL, err);
}

enum status cli_find_date(
    const struct dag *dag, const char *text, int64_t *ret_us, struct error *err)
{
    struct timetable_run latest;
    int64_t now_us = clock_now().wall_us;
    if (text)
        return zone_parse_time(dag->zone, slice_of(text), ret_us, NULL, err);
    *ret_us = dag->timetable && timetable_latest(dag->timetable, now_us, &latest)
                  ? latest.logical_us
                  : now_us - now_us % US_PER_SECOND;
    return OK;
}

enum timetable_answer cli_coming_run(
    const struct timetable *timetable, int64_t now_us, struct timetable_run *ret)
{
    enum timetable_kind kind = timetable_kind(timetable);
    struct timetable_run latest;
    if (kind == TIMETABLE_ONCE || kind == TIMETABLE_CONTINUOUS)
        return timetable_next(timetable, NULL, now_us, ret);
    if (timetable_latest(timetable, now_us, &latest))
        return timetable_next(timetable, &latest.interval, TIME_MIN_US, ret);
    return timetable_next(timetable, NULL, TIME_MIN_US, ret);
}

const char *cli_kind_words(struct arena *arena, const struct task *task)
{
    const char *kind = task_kind_name(task->kind);
    if (task->kind != KIND_TRIGGER_DAG)
        return kind;
    return arena_printf(
        arena, "%s %s%s", kind, task->trigger->dag_id.value, task->trigger->wait ? ", wait" : "");
}

enum status cli_split_task(
    struct cli *cli, const char *word, const char **ret_task, int32_t *ret_index, struct error *err)
{
    const char *bracket = strchr(word, '[');
    int64_t index = -1;
    *ret_task = word;
    *ret_index = -1;
    if (!bracket)
        return OK;
    size_t size = strlen(bracket);
    if (bracket[size - 1] != ']' || !parse_int64(slice_make(bracket + 1, size - 2), &index) ||
        index < 0 || index > INT32_MAX)
        return error_set(err, ERR_USAGE, "`%s` is not a task or task[index]", word);
    *ret_task = arena_strndup(cli->arena, word, (size_t)(bracket - word));
    *ret_index = (int32_t)index;
    return OK;
}
