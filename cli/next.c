#include "cli/cli.h"
#include "language/timetable/timetable.h"

static const char *zone_text, *from_text;
static int64_t count = 5;
static bool trigger;

enum { COUNT_MAX = 100000 };

static void print_run(struct cli *cli, const struct timetable_run *run, const struct zone *zone)
{
    if (!cli->json) {
        char start[TIME_TEXT_SIZE], end[TIME_TEXT_SIZE], after[TIME_TEXT_SIZE];
        zone_format_iso(zone, run->interval.start_us, start);
        zone_format_iso(zone, run->interval.end_us, end);
        zone_format_iso(zone, run->run_after_us, after);
        printf("%s  …  %s  runs at %s\n", start, end, after);
        return;
    }
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_time(&w, "run_after", run->run_after_us);
    json_kv_time(&w, "data_interval_start", run->interval.start_us);
    json_kv_time(&w, "data_interval_end", run->interval.end_us);
    json_kv_time(&w, "logical_date", run->logical_us);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

/* From the start date `from_us` (TIME_MIN_US: what comes from now on). */
static void print_runs(
    struct cli *cli, const struct timetable *timetable, int64_t from_us, const struct zone *zone)
{
    struct timetable_run run;
    enum timetable_answer answer = from_us == TIME_MIN_US
                                       ? cli_coming_run(timetable, clock_now().wall_us, &run)
                                       : timetable_next(timetable, NULL, from_us, &run);
    for (int64_t i = 0; i < count && answer == TIMETABLE_RUN; i++) {
        print_run(cli, &run, zone);
        struct data_interval covered = run.interval;
        answer = timetable_next(timetable, &covered, TIME_MIN_US, &run);
    }
}

/* A schedule that gives nothing to print says why. */
static enum status check_comes(
    const struct timetable *timetable, const char *name, struct error *err)
{
    struct timetable_run run;
    if (timetable_kind(timetable) == TIMETABLE_CONTINUOUS) {
        fprintf(stderr, "`%s` has a run as soon as the one before it has ended\n", name);
        return OK;
    }
    bool once = timetable_kind(timetable) == TIMETABLE_ONCE;
    if (once || timetable_next(timetable, NULL, TIME_MIN_US, &run) != TIMETABLE_NO_MORE)
        return OK;
    error_set(err, ERR_SCHEDULE_NEVER,
        "`%s` can never run: its schedule has no date from start_date to end_date", name);
    error_hint(err, "change one of the three, or the calendar");
    return ERR_SCHEDULE_NEVER;
}

/* A DAG's own timetable, or one made of the schedule's text with --from as its start date. */
static enum status find_timetable(struct cli *cli, const struct zone **zone,
    const struct timetable **ret, struct dag **ret_dag, struct error *err)
{
    const char *texts[] = {cli->args[0]};
    struct schedule_spec spec = {.form = SCHEDULE_TEXT,
        .texts = texts,
        .text_count = 1,
        .trigger = trigger,
        .start_date = from_text};
    struct timetable *timetable = NULL;
    enum status status = zone_load(zone_text ? zone_text : cli->project->timezone, zone, err);
    if (status != OK)
        return status;
    struct error schedule_error;
    status = timetable_parse(cli->arena, &spec, *zone, &timetable, &schedule_error);
    *ret = timetable;
    if (status == OK)
        return OK;
    /* A name that is no schedule is a DAG's; of both mistakes the schedule's tells more when it has
       the look of one. */
    bool is_schedule = strpbrk(cli->args[0], " @*") != NULL;
    if (!is_schedule && cli_load_dag(cli, cli->args[0], ret_dag, err) == OK) {
        *ret = (*ret_dag)->timetable;
        *zone = (*ret_dag)->zone;
        if (!*ret && (*ret_dag)->assets)
            return error_set(err, ERR_INVALID, "`%s` runs when data arrives (%s), not at dates",
                (*ret_dag)->dag_id, (*ret_dag)->schedule_text);
        if (!*ret)
            return error_set(err, ERR_INVALID, "`%s` has no schedule", (*ret_dag)->dag_id);
        return OK;
    }
    if (is_schedule || err->status != ERR_NOT_FOUND)
        *err = schedule_error;
    return err->status;
}

static enum status run(struct cli *cli, struct error *err)
{
    const struct zone *zone = NULL;
    const struct timetable *timetable = NULL;
    struct dag *dag = NULL;
    int64_t from_us = TIME_MIN_US;
    if (count < 1 || count > COUNT_MAX)
        return error_set(err, ERR_USAGE, "--count is 1 to %d", COUNT_MAX);
    enum status status = find_timetable(cli, &zone, &timetable, &dag, err);
    if (status == OK && from_text)
        status = zone_parse_time(zone, slice_of(from_text), &from_us, NULL, err);
    if (status == OK)
        status = check_comes(timetable, cli->args[0], err);
    if (status == OK)
        print_runs(cli, timetable, from_us, zone);
    dag_unref(dag);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT("timezone", 0, &zone_text, "ZONE", "read the schedule in this IANA zone"),
    OPTION_TEXT(
        "from", 0, &from_text, "DATE", "the start date (default: the next run from now on)"),
    OPTION_INT("count", 'n', &count, "N", "how many (default 5)"),
    OPTION_FLAG("trigger", 0, &trigger, "cron as ticks with empty intervals"),
    OPTION_END,
};

const struct command command_next = {
    .name = "next",
    .arguments = "DAG|SCHEDULE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "the coming data intervals of a DAG or schedule",
    .description = "Prints the coming data intervals. A run starts when its interval has ended. "
                   "With --json the times are in UTC.",
    .examples = "dag next geolife\n"
                "dag next \"30 2 * * MON-FRI\" --timezone Europe/Berlin --from 2026-03-27\n"
                "dag next 90m --from 2026-01-01 --count 3 --json",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
