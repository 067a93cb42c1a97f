/*
 * What the commands share: the words given, the project, output for people and for programs.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/json.h"
#include "cli/command.h"
#include "definition/model/model.h"
#include "language/timetable/timetable.h"
#include "scheduler/plan.h"
#include "store/store.h"

struct cli {
    struct arena *arena; /* for the length of the command */
    const struct command *command;
    const char *const *args;
    size_t arg_count;
    /* global options */
    const char *project_dir, *environment;
    bool help, json, exit_status;
    bool colour_out, colour_err; /* standard output, error: a terminal, and NO_COLOR unset */

    struct project *project; /* NULL for commands that use none */
    struct store *reader;    /* opened by cli_reader */
};

/* The one of the program: its global options point into it. */
struct cli *cli_begin(void);
void cli_end(struct cli *cli);

/* The store, for reading.  Missing: ERR_NOT_FOUND with what to start. */
enum status cli_reader(struct cli *cli, struct store **ret, struct error *err) MUST_CHECK;

/* ---- definitions ----------------------------------------------------------------------------- */

/* The DAG called `name`, or, when `name` is a file, the (only) DAG in it.  The mistakes of a broken
   file are printed to standard error; then ERR_INVALID.  Unknown: ERR_NOT_FOUND with a suggestion.
   *ret is the caller's (dag_unref). */
enum status cli_load_dag(
    struct cli *cli, const char *name, struct dag **ret, struct error *err) MUST_CHECK;
/* All DAGs that load, sorted by id; broken files are printed as warnings.  Each is the caller's. */
enum status cli_load_all(
    struct cli *cli, struct dag ***ret, size_t *ret_count, struct error *err) MUST_CHECK;
/* Prints diagnostics to standard error and says how many there were. */
void cli_print_diagnostics(const struct diagnostics *list, FILE *out);

/* ---- runs ------------------------------------------------------------------------------------ */

/* The runs that RUN names: an id, a logical date (in the DAG's zone), "latest" or "failed".  None
   is ERR_NOT_FOUND. */
enum status cli_find_runs(struct cli *cli, const char *dag_id, const char *run,
    struct run_rows *ret, struct error *err) MUST_CHECK;
/* The zone that dates about a DAG (NULL: the project) are read in. */
const struct zone *cli_zone(struct cli *cli, const char *dag_id);
/* A date on the command line, in the zone of the DAG (NULL: the project's).  `end`: a bare date
   means its last instant. */
enum status cli_parse_date(struct cli *cli, const char *dag_id, const char *text, bool end,
    int64_t *ret_us, struct error *err) MUST_CHECK;
/* The logical date that a run by hand means: `text` in the DAG's zone; NULL: of the newest complete
   interval, or now without a schedule. */
enum status cli_find_date(
    const struct dag *dag, const char *text, int64_t *ret_us, struct error *err) MUST_CHECK;
/* The first run of a timetable that starts after `now_us`: of an interval schedule that of the
   interval under way. */
enum timetable_answer cli_coming_run(
    const struct timetable *timetable, int64_t now_us, struct timetable_run *ret);
/* "task[3]" → task and map index (-1 without). */
enum status cli_split_task(struct cli *cli, const char *word, const char **ret_task,
    int32_t *ret_index, struct error *err) MUST_CHECK;
/* What a task does: its kind, and the DAG that it triggers ("trigger_dag reports, wait"). */
const char *cli_kind_words(struct arena *arena, const struct task *task);
/* J: JSON, or @FILE. */
enum status cli_parse_json_argument(
    struct cli *cli, const char *text, json_t **ret, struct error *err) MUST_CHECK;

/* Says which dates of the past have no run, when the DAG does not make them up. */
enum status cli_print_missed(struct cli *cli, const struct dag *dag, struct error *err) MUST_CHECK;

/* Says what is queued of the assets that the DAG is scheduled on, and what is missing. */
enum status cli_print_asset_queue(
    struct cli *cli, const struct dag *dag, struct error *err) MUST_CHECK;

/* ---- acts ------------------------------------------------------------------------------------ */

/* Sends an act to the daemon, or, when none runs and `alone` allows it, carries it out here under
   the leader lock.  `act` is the request's JSON object ("op" and its members; "uuid" is added);
   *ret is the answer (json_decref). */
enum status cli_act(
    struct cli *cli, json_t *act, bool alone, json_t **ret, struct error *err) MUST_CHECK;
/* Follows a run to its end, with progress on a terminal.  Returns its final state. */
enum status cli_follow(struct cli *cli, const char *dag_id, const char *run_id, enum run_state *ret,
    struct error *err) MUST_CHECK;
/* Follows a backfill until all its runs have ended; ERR_RUN_FAILED when one failed. */
enum status cli_follow_backfill(struct cli *cli, int64_t backfill_id, struct error *err) MUST_CHECK;
/* Asks on a terminal whether to go on; without a terminal, `yes` is needed (ERR_USAGE names --yes).
 */
enum status cli_confirm(
    struct cli *cli, bool yes, const char *question, struct error *err) MUST_CHECK;

/* ---- output ---------------------------------------------------------------------------------- */

/* A table: cells are added row by row, then printed with aligned columns. */
struct table {
    size_t columns;
    const char **cells;
    size_t count, capacity;
    struct arena *arena;
};
struct table table_begin(struct arena *arena, size_t columns, const char *const *headings);
void table_add(struct table *table, const char *cell);
void table_print(const struct table *table, FILE *out);

/* One line of JSON. */
void cli_print_json(const json_t *tree);
/* The glyph and, on a terminal, the colour of a state. */
const char *cli_state_text(struct cli *cli, const char *state);
/* "2007-04-12 00:00" for people: a date alone when the time is midnight. */
const char *cli_time(struct arena *arena, int64_t us);

#endif
