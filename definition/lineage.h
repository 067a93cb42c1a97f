/*
 * What a DAG's tasks read and write: of the SQL that they would run on a sample run, and of the
 * keys `reads` and `writes`.
 */
#ifndef DEFINITION_LINEAGE_H
#define DEFINITION_LINEAGE_H

#include "definition/context/context.h"
#include "definition/model/model.h"
#include "language/sql/tables.h"

/* One use of a table by a task.  Tables that only the task itself sees (temporary ones, and those
   that it makes and drops) have none. */
struct lineage_use {
    const char *table;     /* "schema.name", as the search path finds it; of a partition
                              `t_1_prt_p1` the table's */
    const char *partition; /* "p1"; NULL: the table itself */
    unsigned use;          /* enum sql_use */
    enum sql_manner manner;
    size_t offset;    /* in the task's text */
    size_t statement; /* in `tables`; SIZE_MAX: of the keys, which have no place */
};
struct lineage_task {
    const struct task *task;
    bool sampled;                   /* the text depends on values that are not known before a run */
    bool complete;                  /* it is a SQL task and all that it touches is known */
    const struct jinja_result *map; /* of the SQL; NULL: none, or it cannot be rendered */
    struct sql_tables tables;
    const struct lineage_use *uses; /* by statements, then those of the keys */
    size_t use_count;
};

/* Fills uses and the rest from the task's rendered SQL (NULL: none). */
void lineage_of_task(const struct project *project, const struct task *task,
    const struct jinja_result *map, bool sampled, struct arena *arena, struct lineage_task *ret);

/* The facts of a run to check with: the schedule's first date (without a schedule a day like any
   other), after runs that succeeded. */
enum status sample_run_facts(const struct dag *dag, struct arena *arena, struct run_facts *ret,
    struct error *err) MUST_CHECK;
/* The same for another date. */
enum status sample_run_facts_at(const struct dag *dag, int64_t logical_us, struct arena *arena,
    struct run_facts *ret, struct error *err) MUST_CHECK;
enum { SAMPLE_DATES_MAX = 4 };
/* Further logical dates on which templates often take another way, as far as the DAG has runs on
   such days: the first month's last day, the next one's first, a leap day, the year's last.  Gives
   how many. */
size_t sample_run_dates(const struct dag *dag, int64_t ret[SAMPLE_DATES_MAX]);
struct sample_run {
    const struct run_facts *facts;
    enum dialect dialect;
    struct render_cache *cache; /* of the DAG; NULL: none */
};
/* A task as of such a run; *ret_sampled: as attempt_facts.sampled. */
enum status sample_run_render(const struct project *project, const struct dag *dag,
    const struct task *task, const struct sample_run *run, struct arena *arena,
    struct rendered_task *ret, bool *ret_sampled, struct error *err) MUST_CHECK;
/* The dialect of the task's connection. */
enum dialect task_dialect(const struct project *project, const struct task *task);

/* What each task of a DAG uses, in the order of dag.tasks; of one that cannot be rendered the keys
   alone. */
enum status lineage_of_dag(const struct project *project, const struct dag *dag,
    struct arena *arena, const struct lineage_task **ret, struct error *err) MUST_CHECK;

#endif
