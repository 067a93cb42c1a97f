/*
 * The store in memory: for simulation and tests.  It keeps what SQLite would keep, with the same
 * answers; rows are found by walking, since only small histories are put in it.
 */
#include "base/vec.h"
#include "store/backend.h"

enum { TABLE_COUNT = 11 };

struct rows {
    const struct record_table *table;
    VEC(void *) at; /* each one record, in the store's arena */
};

struct memory_store {
    struct store store;
    struct arena *arena;
    struct store_meta meta;
    int64_t batch;
    struct rows tables[TABLE_COUNT];
};

static struct memory_store *of(struct store *store)
{
    return CONTAINER_OF(store, struct memory_store, store);
}

static struct rows *rows_of(struct memory_store *self, const struct record_table *table)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (self->tables[i].table == table)
            return &self->tables[i];
    return NULL;
}

static const void *column_at(const void *record, const struct record_column *column)
{
    return (const char *)record + column->offset;
}

static const char *column_text(const void *record, const struct record_column *column)
{
    const void *p = column_at(record, column);
    switch (column->type) {
    case COLUMN_TEXT: return *(const char *const *)p;
    case COLUMN_UUID: return p;
    default: return NULL;
    }
}

static int64_t column_number(const void *record, const struct record_column *column)
{
    const void *p = column_at(record, column);
    switch (column->type) {
    case COLUMN_INT64:
    case COLUMN_TIME: return *(const int64_t *)p;
    case COLUMN_INT32: return *(const int32_t *)p;
    case COLUMN_BOOL: return *(const bool *)p;
    default: return *(const int *)p; /* the enums */
    }
}

static int compare_column(const void *a, const void *b, const struct record_column *column)
{
    if (column->type == COLUMN_TEXT || column->type == COLUMN_UUID)
        return strcmp(column_text(a, column), column_text(b, column));
    int64_t x = column_number(a, column), y = column_number(b, column);
    return (x > y) - (x < y);
}

static bool same_key(const struct record_table *table, const void *a, const void *b)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (compare_column(a, b, &table->columns[i]) != 0)
            return false;
    return table->key_count > 0;
}

static void *find(struct rows *rows, const void *record)
{
    vec_each (row, &rows->at)
        if (same_key(rows->table, *row, record))
            return *row;
    return NULL;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put(struct memory_store *self, const struct record_table *table, const void *record)
{
    struct rows *rows = rows_of(self, table);
    void *row = find(rows, record);
    if (!row) {
        row = arena_alloc(self->arena, table->size);
        vec_push(&rows->at, row);
    }
    record_copy(table, row, record, self->arena);
}

static void put_setting(struct memory_store *self, const struct setting_record *setting)
{
    struct rows *rows = rows_of(self, &record_setting);
    if (setting->value) {
        put(self, &record_setting, setting);
        return;
    }
    for (size_t i = rows->at.count; i-- > 0;)
        if (same_key(&record_setting, rows->at.at[i], setting))
            vec_remove(&rows->at, i);
}

/* Whether the change can be made; asked of all changes of a batch before any is made. */
static enum status check_task(
    struct memory_store *self, const struct change *change, struct error *err)
{
    const struct task_record *record = &change->task.record;
    const struct task_record *row = find(rows_of(self, &record_task), record);
    if (change->task.is_new ? row == NULL : row && row->state == change->task.from)
        return OK;
    return error_set(err, ERR_STORE_CONFLICT, "task `%s` of run %lld is not in state %s any more",
        record->task_id, (long long)record->run.v, task_state_name(change->task.from));
}

static void apply_change(struct memory_store *self, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_RUN: put(self, &record_run, &change->run); break;
    case CHANGE_TASK: break; /* apply_tasks did it */
    case CHANGE_ATTEMPT: put(self, &record_attempt, &change->attempt); break;
    case CHANGE_DAG: put(self, &record_dag, &change->dag); break;
    case CHANGE_BACKFILL: put(self, &record_backfill, &change->backfill); break;
    case CHANGE_ASSET_EVENT: put(self, &record_asset_event, &change->asset_event); break;
    case CHANGE_ASSET_QUEUE: put(self, &record_asset_queue, &change->asset_queue); break;
    case CHANGE_RUN_ASSET: put(self, &record_run_asset, &change->run_asset); break;
    case CHANGE_SETTING: put_setting(self, &change->setting); break;
    case CHANGE_REQUEST:
        put(self, &record_request,
            &(struct request_record){.uuid = change->request.uuid,
                .kind = request_kind_name(change->request.kind),
                .user = change->request.user,
                .dag_id = change->request.dag_id,
                .request = change->request.request,
                .outcome = change->request.outcome,
                .status = status_info(change->request.status)->name,
                .at_us = change->at_us});
        break;
    }
    struct transition_record transition;
    if (change_transition(change, &transition))
        put(self, &record_transition, &transition);
}

/* A batch may change one task several times: the checks run against the state that the earlier
   changes of the batch leave, which only carrying them out tells.  So a failing batch is undone by
   keeping the rows as they were. */
struct undo {
    struct rows *rows;
    void *row; /* NULL: the row was new, and is the last one */
    void *before;
};

static void remember(
    struct memory_store *self, const struct change *change, struct arena *scratch, struct undo *ret)
{
    struct rows *rows = rows_of(self, &record_task);
    void *row = find(rows, &change->task.record);
    *ret = (struct undo){.rows = rows, .row = row};
    if (row)
        ret->before = arena_memdup(scratch, row, record_task.size);
}

static enum status apply_tasks(
    struct memory_store *self, const struct plan *plan, struct arena *scratch, struct error *err)
{
    VEC(struct undo) undos = {0};
    enum status status = OK;
    vec_each (change, &plan->changes) {
        if (change->kind != CHANGE_TASK)
            continue;
        status = check_task(self, change, err);
        if (status != OK)
            break;
        remember(self, change, scratch, vec_add(&undos));
        put(self, &record_task, &change->task.record);
    }
    while (status != OK && undos.count) {
        struct undo undo = vec_pop(&undos);
        if (undo.row)
            memcpy(undo.row, undo.before, record_task.size);
        else
            undo.rows->at.count--;
    }
    vec_done(&undos);
    return status;
}

static enum status memory_apply(
    struct store *store, const struct plan *plan, int64_t batch, struct error *err)
{
    struct memory_store *self = of(store);
    if (batch <= self->batch)
        return error_set(
            err, ERR_STORE_CONFLICT, "batch %lld is not newer than the last one", (long long)batch);
    CLEANUP(arena_freep) struct arena *scratch = arena_new();
    enum status status = apply_tasks(self, plan, scratch, err);
    if (status != OK)
        return status;
    vec_each (change, &plan->changes)
        apply_change(self, change);
    self->batch = batch;
    return OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const struct record_column *find_column(const struct record_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (str_equal(table->columns[i].name, name))
            return &table->columns[i];
    return NULL;
}

static bool matches(const struct record_query *query, const void *record)
{
    for (size_t i = 0; i < query->condition_count; i++) {
        const struct record_condition *condition = &query->conditions[i];
        const struct record_column *column = find_column(query->table, condition->column);
        if (condition->op == IS && condition->by == BY_TEXT) {
            if (!str_equal(column_text(record, column), condition->text))
                return false;
            continue;
        }
        int64_t number = column_number(record, column);
        bool fits = condition->op == IS                 ? number == condition->number
                    : condition->op == IS_ANY_OF_STATES ? (condition->states >> number & 1) != 0
                    : condition->op == AT_LEAST         ? number >= condition->number
                    : condition->op == AT_MOST          ? number <= condition->number
                                                        : number < condition->number;
        if (!fits)
            return false;
    }
    return true;
}

static int compare_rows(const struct record_query *query, const void *a, const void *b)
{
    for (size_t i = 0; i < ARRAY_SIZE(query->order_by) && query->order_by[i]; i++) {
        int order = compare_column(a, b, find_column(query->table, query->order_by[i]));
        if (order)
            return query->descending ? -order : order;
    }
    return 0;
}

/* Insertion sort: stable, and the histories are small. */
static void sort_rows(const struct record_query *query, const void **rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const void *row = rows[i];
        size_t j = i;
        for (; j > 0 && compare_rows(query, rows[j - 1], row) > 0; j--)
            rows[j] = rows[j - 1];
        rows[j] = row;
    }
}

static enum status memory_select(struct store *store, const struct record_query *query,
    struct arena *arena, struct record_rows *ret, struct error *err)
{
    (void)err;
    struct rows *rows = rows_of(of(store), query->table);
    VEC(const void *) found = {0};
    vec_each (row, &rows->at)
        if (matches(query, *row))
            vec_push(&found, *row);
    sort_rows(query, found.at, found.count);
    ret->count = found.count < query->limit ? found.count : query->limit;
    ret->at = arena_alloc(arena, ret->count * query->table->size);
    for (size_t i = 0; i < ret->count; i++)
        record_copy(query->table, (char *)ret->at + i * query->table->size, found.at[i], arena);
    vec_done(&found);
    return OK;
}

static enum status memory_last_batch(struct store *store, int64_t *ret, struct error *err)
{
    (void)err;
    *ret = of(store)->batch;
    return OK;
}

static enum status memory_meta(struct store *store, struct store_meta *ret, struct error *err)
{
    (void)err;
    struct memory_store *self = of(store);
    *ret = self->meta;
    ret->next_run = ret->next_backfill = ret->next_asset_event = 1;
    vec_each (row, &rows_of(self, &record_asset_event)->at) {
        const struct asset_event_record *event = *row;
        if (event->id >= ret->next_asset_event)
            ret->next_asset_event = event->id + 1;
    }
    vec_each (row, &rows_of(self, &record_run)->at) {
        const struct run_record *run = *row;
        if (run->id.v >= ret->next_run)
            ret->next_run = run->id.v + 1;
    }
    vec_each (row, &rows_of(self, &record_backfill)->at) {
        const struct backfill_record *backfill = *row;
        if (backfill->id >= ret->next_backfill)
            ret->next_backfill = backfill->id + 1;
    }
    return OK;
}

static void memory_close(struct store *store)
{
    struct memory_store *self = of(store);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        vec_done(&self->tables[i].at);
    arena_free(self->arena);
    mem_free(self);
}

static const struct store_backend memory_backend = {
    .close = memory_close,
    .apply = memory_apply,
    .last_batch = memory_last_batch,
    .meta = memory_meta,
    .select = memory_select,
};

struct store *store_open_memory(void)
{
    static const struct record_table *const tables[TABLE_COUNT] = {&record_run, &record_task,
        &record_attempt, &record_dag, &record_backfill, &record_asset_event, &record_asset_queue,
        &record_run_asset, &record_setting, &record_transition, &record_request};
    struct memory_store *self = mem_alloc_zero(1, sizeof(*self));
    self->store.backend = &memory_backend;
    self->arena = arena_new();
    uuid_make(self->meta.metadata_id);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        self->tables[i].table = tables[i];
    return &self->store;
}
