/*
 * The durable records as tables of columns: one place from which SQLite's statements and the memory
 * store's copies are made.
 *
 * How to add a column:
 *  1. add the member to the record in scheduler/plan.h and its row to the table in record.c;
 *  2. add a migration to store/sqlite/schema.c;
 *  3. tests/unit/store/record_test.c fails while the two differ.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stddef.h>
#include "base/memory.h"

enum column_type {
    COLUMN_INT64,
    COLUMN_INT32,
    COLUMN_BOOL,
    COLUMN_TIME,       /* int64_t; TIME_NONE is NULL */
    COLUMN_TEXT,       /* const char *; NULL is NULL */
    COLUMN_UUID,       /* char[UUID_TEXT_SIZE]; empty is NULL */
    COLUMN_TASK_STATE, /* the enums are stored as their words */
    COLUMN_RUN_STATE,
    COLUMN_RUN_TYPE,
    COLUMN_REASON,
    COLUMN_ATTEMPT_STATE,
};

struct record_column {
    const char *name;
    enum column_type type;
    size_t offset;
};

struct record_table {
    const char *name;
    size_t size; /* of the struct */
    const struct record_column *columns;
    size_t column_count;
    size_t key_count; /* the first columns are the key */
};

extern const struct record_table record_run, record_task, record_attempt, record_dag,
    record_backfill, record_asset_event, record_asset_queue, record_run_asset, record_setting,
    record_transition, record_request;

/* Copies a record; its texts are copied into the arena. */
void record_copy(const struct record_table *table, void *to, const void *from, struct arena *arena);

#endif
