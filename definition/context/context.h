/*
 * What a task's templates see, and their rendering.
 *
 * The variables are Airflow 3's (CONTRACT: section "Templates"): `ds`, `logical_date`, `params`,
 * `var.value.NAME`, `conn.NAME.host`, `macros`, `ti` … and ours: `local_ds`, `target`, `mapped`.
 * They are built from plain facts, so that trigger, run, backfill, render and test give the same
 * text.
 *
 * Rendering touches no clock and no random source: `now_us` and `seed` are given.  It may run on
 * any thread; the result lives in the caller's arena.
 */
#ifndef DEFINITION_CONTEXT_CONTEXT_H
#define DEFINITION_CONTEXT_CONTEXT_H

#include "base/error.h"
#include "definition/model/model.h"
#include "language/jinja/jinja.h"

/* An update of an asset that triggered the run.  Of one made by hand only asset, at_us and extra
   are known. */
struct asset_event_facts {
    const char *asset;
    int64_t at_us;
    const char *dag_id, *run_id, *task_id;
    int32_t map_index;
    int64_t logical_us, interval_start_us, interval_end_us; /* of the run that made it */
    const char *extra;                                      /* JSON object */
};

/* The facts of the run.  Times are wall microseconds, INT64_MIN = none. */
struct run_facts {
    const char *run_id;
    enum run_type type;
    int64_t logical_us, interval_start_us, interval_end_us, run_after_us, started_us;
    const char *conf; /* JSON object; NULL = {} */
    int64_t prev_interval_start_success_us, prev_interval_end_success_us;
    int64_t prev_start_success_us, prev_end_success_us;
    const struct asset_event_facts *asset_events; /* by asset, oldest first */
    size_t asset_event_count;
};

/* The facts of the attempt. */
struct attempt_facts {
    const char *attempt_id; /* "" when there is none (render) */
    int32_t try_number;     /* from 1 */
    int32_t map_index;      /* -1 = not mapped */
    int64_t now_us;         /* fixed for the attempt */
    uint64_t seed;          /* of macros.random and macros.uuid */
    bool test_mode;
    const char *mapped; /* JSON object of the values of a mapped task; NULL = {} */
    /* XCom of an instance of another task of this run (map index -1: of a task that is not mapped):
       JSON text in the arena, or NULL.  May itself be NULL. */
    const char *(*xcom)(
        void *user, const char *task_id, int32_t map_index, const char *key, struct arena *arena);
    /* The indexes of a mapped task that succeeded, ascending, in the arena; gives how many.  NULL
       where `xcom` is. */
    size_t (*indexes)(void *user, const char *task_id, struct arena *arena, const int32_t **ret);
    void *xcom_user;
    /* Of the DAG, for who renders its tasks again and again; NULL: none. */
    struct render_cache *cache;
    /* NULL: as it is.  Else nothing is known of a run, for lint: the run's conf, XCom, the values
       of a mapped task and of parameters without default are samples, and *sampled becomes true
       when what is rendered depends on one of them, or on a variable that is not declared. */
    bool *sampled;
};

/* The database the text is for. */
struct render_target {
    const char *name; /* of the environment, "default" without one */
    enum dialect dialect;
    const char *version;  /* server version as text; "" when unknown */
    const char *plpython; /* "plpython3u" or "plpythonu" */
};
/* What a connection's dialect says when no server was asked. */
struct render_target render_target_of(
    const struct project *project, const struct connection *connection);

/* One rendered string, with the way back to the user's files. */
struct rendered {
    /* Of the field: "sql" (also of branches and the like that ask a database), "branch",
       "short_circuit", "file", "time", "asset", "dag", "task" (of sensors), "bash", "python" (the
       script's path), "argv[1]" (of `exec`), "args[0]", "cwd", "env.NAME", "settings.NAME" (the
       connection's, unless the task has it itself), "parameters[0]" or "parameters.NAME" (texts;
       other values as JSON; null has no field), "checks[0].table", "….where", "….row_count",
       "….sql", "….accepted_values" (JSON, without a map), "url", "headers.NAME", "body" (a text; of
       a value each template in it by its place: "body/rows/0"), "dag_id", "logical_date", "conf"
       (of a run to trigger; as "body"). */
    const char *name;
    struct slice text;
    const struct jinja_result *map; /* never NULL; see jinja_map_find */
    const char *source;             /* file of the template: the .sql file, or the DAG file */
};
struct rendered_task {
    const struct rendered *fields;
    size_t count;
};
/* The field of that name, or NULL. */
const struct rendered *rendered_find(const struct rendered_task *task, const char *name);

/* A value of the DAG file as JSON text in the arena, with what was rendered in the places of its
   templates; `name` is that of its fields ("body"). */
struct slice rendered_json(
    const struct rendered_task *task, const char *name, const json_t *value, struct arena *arena);

/* What renderings of one DAG have in common: its file's text and its templates, read and parsed
   once. What is rendered with it points into it.  Both the DAG and the arena, in which a part of it
   lives, go after it; it serves one thread. */
struct render_cache;
struct render_cache *render_cache_new(
    const struct project *project, const struct dag *dag, struct arena *arena);
void render_cache_free(struct render_cache *cache); /* NULL is fine */
DEFINE_CLEANUP(struct render_cache, render_cache_free);

/*
 * Renders every templated field of a task.  Template files are found next to the DAG file, then in
 * the project's templates folder.  `params` are merged: DAG defaults, the task's, the run's conf;
 * and checked against their declarations.  A mistake is an error with the place in the user's file
 * (a DAG file's inline text included), and a hint that names the replacement for what Airflow 3
 * removed.
 */
enum status context_render_task(const struct project *project, const struct dag *dag,
    const struct task *task, const struct run_facts *run, const struct attempt_facts *attempt,
    const struct render_target *target, struct arena *arena, struct rendered_task *ret,
    struct error *err) MUST_CHECK;

/*
 * Renders what a mapped task is mapped over, without running queries: a field "expand.NAME" for
 * each source, whose text is the list as JSON, or, of a query, the statement.
 */
enum status context_render_expand(const struct project *project, const struct dag *dag,
    const struct task *task, const struct run_facts *run, const struct attempt_facts *attempt,
    const struct render_target *target, struct arena *arena, struct rendered_task *ret,
    struct error *err) MUST_CHECK;

/* The values of each instance of a mapped task, as JSON objects in the arena, in the order of map
   indexes.  `lists` are the values of its sources.  ERR_EXPANSION: one is no list, more than
   MAPPED_MAX instances, or lists of different lengths with `zip`. */
enum status context_expand(const struct dag *dag, const struct task *task,
    const json_t *const *lists, struct arena *arena, const char *const **ret, size_t *ret_count,
    struct error *err) MUST_CHECK;

/* Renders a migration: a template file with `target`, `var` and `conn` only. */
enum status context_render_migration(const struct project *project, const char *path,
    const struct render_target *target, struct arena *arena, struct rendered *ret,
    struct error *err) MUST_CHECK;

/* The facts of a run of `dag` at a logical date, when there is no run: a date that starts an
   interval means that interval; any other the last complete one before it; without a schedule it is
   empty. */
enum status context_facts_at(const struct dag *dag, int64_t logical_us, enum run_type type,
    struct arena *arena, struct run_facts *ret, struct error *err) MUST_CHECK;
/* The type that a run of this date would have: scheduled when the schedule gives the date, within
   start_date and end_date; else manual. */
enum run_type context_run_type_at(const struct dag *dag, int64_t logical_us);
/* "manual__2007-04-12T00:00:00+00:00" */
char *run_id_make(struct arena *arena, enum run_type type, int64_t logical_us);

#endif
