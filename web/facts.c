#include "web/facts.h"

#include <stdlib.h>

#include "daemon/request.h"
#include "language/timetable/timetable.h"

/* ---- DAGs ------------------------------------------------------------------------------------ */

const struct dag *dag_definition(struct page *page, const char *dag_id)
{
    return catalogue_find(daemon_catalogue(page->web->daemon), dag_id);
}

const struct zone *dag_zone(struct page *page, const char *dag_id)
{
    const struct dag *dag = dag_definition(page, dag_id);
    return dag && dag->zone ? dag->zone : zone_utc();
}

static struct dag_facts make_facts(
    struct page *page, const char *dag_id, const struct dag_record *record)
{
    const struct dag *dag = dag_definition(page, dag_id);
    return (struct dag_facts){
        .dag_id = dag_id,
        .dag = dag,
        .record = record,
        .zone = dag_zone(page, dag_id),
        .stale = dag && catalogue_is_stale(daemon_catalogue(page->web->daemon), dag),
    };
}

static int compare_records(const void *a, const void *b)
{
    const struct dag_record *left = a, *right = b;
    return strcmp(left->dag_id, right->dag_id);
}

static const struct dag_record *find_record(const struct dag_rows *rows, const char *dag_id)
{
    const struct dag_record key = {.dag_id = dag_id};
    return rows->count ? bsearch(&key, rows->at, rows->count, sizeof(*rows->at), compare_records)
                       : NULL;
}

static enum status read_records(struct page *page, struct dag_rows *ret, struct error *err)
{
    struct store *reader;
    enum status status = web_reader(page->web, &reader, err);
    if (status == OK)
        status = store_read_dags(reader, page->arena, ret, err);
    if (status == OK && ret->count)
        qsort(ret->at, ret->count, sizeof(*ret->at), compare_records);
    return status;
}

enum status read_dags(struct page *page, struct dag_list_facts *ret, struct error *err)
{
    struct dag_rows records;
    struct catalogue *catalogue = daemon_catalogue(page->web->daemon);
    size_t count = catalogue_count(catalogue);
    enum status status = read_records(page, &records, err);
    if (status != OK)
        return status;
    ret->at = arena_array(page->arena, struct dag_facts, count + 1);
    ret->count = count;
    for (size_t i = 0; i < count; i++) {
        const char *dag_id = catalogue_at(catalogue, i)->dag_id;
        ret->at[i] = make_facts(page, dag_id, find_record(&records, dag_id));
    }
    return OK;
}

static enum status no_such_dag(
    struct page *page, const char *dag_id, const struct dag_rows *records, struct error *err)
{
    struct catalogue *catalogue = daemon_catalogue(page->web->daemon);
    size_t count = catalogue_count(catalogue);
    const char **ids = arena_array(page->arena, const char *, count + records->count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = catalogue_at(catalogue, i)->dag_id;
    for (size_t i = 0; i < records->count; i++)
        ids[count + i] = records->at[i].dag_id;
    const char *near = suggest(dag_id, ids, count + records->count);
    error_set(err, ERR_NOT_FOUND, "there is no DAG `%s`", dag_id);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else
        error_hint(err, "the first page lists all DAGs; a new file is there within a second");
    return ERR_NOT_FOUND;
}

enum status read_dag(
    struct page *page, const char *dag_id, struct dag_facts *ret, struct error *err)
{
    struct dag_rows records;
    enum status status = read_records(page, &records, err);
    if (status != OK)
        return status;
    struct dag_facts facts = make_facts(page, dag_id, find_record(&records, dag_id));
    if (!facts.dag && !facts.record)
        return no_such_dag(page, dag_id, &records, err);
    *ret = facts;
    page->zone = facts.zone;
    return OK;
}

int64_t next_run_us(const struct dag_facts *dag, int64_t now_us)
{
    struct timetable_run run;
    const struct timetable *timetable = dag->dag ? dag->dag->timetable : NULL;
    bool paused = dag->record ? dag->record->paused : dag->dag && dag->dag->paused;
    int64_t covered_us = dag->record ? dag->record->covered_until_us : TIME_NONE;
    if (!timetable || paused)
        return TIME_NONE;
    /* As the scheduler asks: an interval that ended there, when intervals tile time. */
    bool tiles = timetable_has_intervals(timetable);
    struct data_interval last = {covered_us == TIME_NONE ? 0 : covered_us - tiles, covered_us};
    enum timetable_answer answer = covered_us != TIME_NONE
                                       ? timetable_next(timetable, &last, TIME_MIN_US, &run)
                                   : timetable_start_us(timetable) != TIME_MIN_US
                                       ? timetable_next(timetable, NULL, TIME_MIN_US, &run)
                                       : timetable_next(timetable, NULL, now_us, &run);
    return answer == TIMETABLE_RUN ? run.run_after_us : TIME_NONE;
}

/* ---- runs ------------------------------------------------------------------------------------ */

enum status read_runs(
    struct page *page, const struct run_filter *filter, struct run_rows *ret, struct error *err)
{
    struct store *reader;
    enum status status = web_reader(page->web, &reader, err);
    return status == OK ? store_read_runs(reader, filter, page->arena, ret, err) : status;
}

enum status read_run(struct page *page, const struct dag_facts *dag, const char *word,
    struct run_record *ret, struct error *err)
{
    struct store *reader;
    struct run_rows rows;
    enum status status = web_reader(page->web, &reader, err);
    if (status == OK)
        status =
            request_find_runs(dag->dag_id, word, dag->zone, reader, false, page->arena, &rows, err);
    if (status == OK)
        *ret = rows.at[0];
    return status;
}

enum status read_tasks(
    struct page *page, struct run_id run, struct task_rows *ret, struct error *err)
{
    enum status status = read_task_rows(page, run, ret, err);
    if (status == OK)
        task_rows_leave_expanded(ret);
    return status;
}

enum status read_task_rows(
    struct page *page, struct run_id run, struct task_rows *ret, struct error *err)
{
    struct store *reader;
    enum status status = web_reader(page->web, &reader, err);
    return status == OK ? store_read_tasks(reader, run, page->arena, ret, err) : status;
}

enum status read_attempts(struct page *page, struct run_id run, const char *task_id,
    struct attempt_rows *ret, struct error *err)
{
    struct store *reader;
    enum status status = web_reader(page->web, &reader, err);
    return status == OK ? store_read_attempts(reader, run, task_id, page->arena, ret, err) : status;
}

const struct attempt_record *last_attempt(
    const struct attempt_rows *attempts, const char *task_id, int32_t map_index)
{
    for (size_t i = attempts->count; i-- > 0;)
        if (str_equal(attempts->at[i].task_id, task_id) && attempts->at[i].map_index == map_index)
            return &attempts->at[i];
    return NULL;
}

bool read_asset_queues(struct page *page, const char *dag_id, struct asset_queue_rows *ret)
{
    struct store *reader;
    struct error ignored;
    return web_reader(page->web, &reader, &ignored) == OK &&
           store_read_asset_queues(reader, dag_id, page->arena, ret, &ignored) == OK;
}

enum status read_backfills(
    struct page *page, const char *dag_id, struct backfill_rows *ret, struct error *err)
{
    struct store *reader;
    enum status status = web_reader(page->web, &reader, err);
    if (status == OK)
        status = store_read_backfills(reader, true, page->arena, ret, err);
    if (status != OK)
        return status;
    size_t kept = 0;
    for (size_t i = 0; i < ret->count; i++)
        if (str_equal(ret->at[i].dag_id, dag_id))
            ret->at[kept++] = ret->at[i];
    ret->count = kept;
    return OK;
}

/* ---- the order of tasks ---------------------------------------------------------------------- */

static int compare_ranks(const void *a, const void *b, void *context)
{
    const struct task_record *left = a, *right = b;
    const uint32_t *ranks = ((void **)context)[0];
    const struct dag *dag = ((void **)context)[1];
    const struct task *left_task = dag ? dag_find_task(dag, left->task_id) : NULL;
    const struct task *right_task = dag ? dag_find_task(dag, right->task_id) : NULL;
    uint32_t left_rank = left_task ? ranks[left_task->index] : UINT32_MAX;
    uint32_t right_rank = right_task ? ranks[right_task->index] : UINT32_MAX;
    if (left_rank != right_rank)
        return left_rank < right_rank ? -1 : 1;
    int order = strcmp(left->task_id, right->task_id);
    return order ? order
                 : (left->map_index > right->map_index) - (left->map_index < right->map_index);
}

void sort_tasks(const struct dag *dag, struct task_rows *tasks)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    uint32_t *ranks = arena_array(arena, uint32_t, (dag ? dag->task_count : 0) + 1);
    for (uint32_t i = 0; dag && i < dag->task_count; i++)
        ranks[dag->topological[i]] = i;
    void *context[] = {ranks, (void *)dag};
    if (tasks->count)
        qsort_r(tasks->at, tasks->count, sizeof(*tasks->at), compare_ranks, context);
}

/* ---- figures --------------------------------------------------------------------------------- */

static int compare_int64(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t typical_us(struct arena *arena, const struct run_rows *runs)
{
    size_t count = 0;
    int64_t *took = arena_array(arena, int64_t, runs->count + 1);
    for (size_t i = 0; i < runs->count; i++)
        if (runs->at[i].state == RUN_SUCCESS && runs->at[i].started_us != TIME_NONE &&
            runs->at[i].ended_us != TIME_NONE)
            took[count++] = runs->at[i].ended_us - runs->at[i].started_us;
    if (count == 0)
        return TIME_NONE;
    qsort(took, count, sizeof(*took), compare_int64);
    return took[count / 2];
}

const struct scheduler *live_scheduler(struct page *page)
{
    struct engine *engine = daemon_engine(page->web->daemon);
    return engine ? engine_scheduler(engine) : NULL;
}
