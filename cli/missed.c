/* What catchup: none left out: dates of the past that have no run. */
#include "cli/cli.h"
#include "language/timetable/timetable.h"

enum { MISSED_LOOK_MAX = 100000 }; /* dates walked: ten years of hours */

struct missed {
    size_t count;
    int64_t first_us, last_us;
};

static bool has_run(const struct run_rows *runs, size_t *at, int64_t logical_us)
{
    while (*at < runs->count && runs->at[*at].logical_us < logical_us)
        (*at)++;
    return *at < runs->count && runs->at[*at].logical_us == logical_us;
}

/* `runs` are all of the DAG, oldest first. */
static struct missed find_missed(const struct dag *dag, const struct run_rows *runs, int64_t now_us)
{
    struct missed missed = {0};
    struct timetable_run run;
    const struct data_interval *last = NULL;
    struct data_interval covered;
    size_t at = 0;
    for (int i = 0; i < MISSED_LOOK_MAX; i++) {
        if (timetable_next(dag->timetable, last, last ? TIME_MIN_US : dag->start_us, &run) !=
                TIMETABLE_RUN ||
            run.run_after_us > now_us)
            break;
        covered = run.interval;
        last = &covered;
        if (has_run(runs, &at, run.logical_us))
            continue;
        if (!missed.count++)
            missed.first_us = run.logical_us;
        missed.last_us = run.logical_us;
    }
    return missed;
}

enum status cli_print_missed(struct cli *cli, const struct dag *dag, struct error *err)
{
    struct store *reader = NULL;
    struct run_rows runs;
    struct run_filter filter = {.dag_id = dag->dag_id, .oldest_first = true};
    if (dag->catchup != CATCHUP_NONE || !dag->timetable || dag->start_us == INT64_MIN)
        return OK;
    enum status status = cli_reader(cli, &reader, err);
    if (status == OK)
        status = store_read_runs(reader, &filter, cli->arena, &runs, err);
    if (status != OK)
        return status;
    struct missed missed = find_missed(dag, &runs, clock_now().wall_us);
    if (!missed.count)
        return OK;
    const char *first = cli_time(cli->arena, missed.first_us);
    const char *last = cli_time(cli->arena, missed.last_us);
    printf("\nmissed: %zu dates between %s and %s have no run (catchup: none)\n", missed.count,
        first, last);
    printf("  to run them: dag backfill %s --from '%s' --to '%s'\n", dag->dag_id, first, last);
    return OK;
}
