/* What pages read: the definitions, the metadata, the scheduler's live state. */
#ifndef WEB_FACTS_H
#define WEB_FACTS_H

#include "store/store.h"
#include "web/page.h"

/* The newest good version of a DAG, or NULL. */
const struct dag *dag_definition(struct page *page, const char *dag_id);
/* Its zone; UTC when there is no definition any more. */
const struct zone *dag_zone(struct page *page, const char *dag_id);

/* A DAG as the pages know it: from its file, from the metadata, or both. */
struct dag_facts {
    const char *dag_id;
    const struct dag *dag;           /* NULL: its file is gone or broken since the start */
    const struct dag_record *record; /* NULL: not scheduled so far */
    const struct zone *zone;
    bool stale; /* its file is broken now */
};
struct dag_list_facts {
    struct dag_facts *at;
    size_t count;
};
/* All of them, by dag_id; removed ones only when they still have live runs (never, here: the
   metadata says so). */
enum status read_dags(struct page *page, struct dag_list_facts *ret, struct error *err) MUST_CHECK;
/* One; ERR_NOT_FOUND with the nearest name as the hint. */
enum status read_dag(
    struct page *page, const char *dag_id, struct dag_facts *ret, struct error *err) MUST_CHECK;

/* When the schedule makes the next run: TIME_NONE when it does not (by hand, paused, over). */
int64_t next_run_us(const struct dag_facts *dag, int64_t now_us);

enum status read_runs(struct page *page, const struct run_filter *filter, struct run_rows *ret,
    struct error *err) MUST_CHECK;
/* The run that the address names: a run id, a logical date, "latest" or "failed". */
enum status read_run(struct page *page, const struct dag_facts *dag, const char *word,
    struct run_record *ret, struct error *err) MUST_CHECK;
/* The rows of a run's tasks; read_tasks without those of expanded ones. */
enum status read_task_rows(
    struct page *page, struct run_id run, struct task_rows *ret, struct error *err) MUST_CHECK;
enum status read_tasks(
    struct page *page, struct run_id run, struct task_rows *ret, struct error *err) MUST_CHECK;
/* Sorts tasks into the order of the graph; those the DAG does not know come last, by name. */
void sort_tasks(const struct dag *dag, struct task_rows *tasks);
enum status read_attempts(struct page *page, struct run_id run, const char *task_id,
    struct attempt_rows *ret, struct error *err) MUST_CHECK;
/* The last attempt of a task, NULL without. */
const struct attempt_record *last_attempt(
    const struct attempt_rows *attempts, const char *task_id, int32_t map_index);

/* The DAG's backfills that are under way. */
enum status read_backfills(
    struct page *page, const char *dag_id, struct backfill_rows *ret, struct error *err) MUST_CHECK;

/* What is queued of assets for a DAG; false when it cannot be read now. */
bool read_asset_queues(struct page *page, const char *dag_id, struct asset_queue_rows *ret);

/* The median duration of the successful runs among these; TIME_NONE without any. */
int64_t typical_us(struct arena *arena, const struct run_rows *runs);

/* The scheduler's live state; NULL while the daemon loads it again. */
const struct scheduler *live_scheduler(struct page *page);

#endif
