/* XComs of a run's tasks for templates, read from the metadata. */
#ifndef EXECUTOR_XCOM_H
#define EXECUTOR_XCOM_H

#include "store/store.h"

/* XCom of an instance of a task as JSON text in `arena`, NULL without.  A task has one XCom, its
   result: any other `key` but "return_value" has none.  `map_index` -1: the task is not mapped. */
const char *xcom_read(struct store *reader, struct run_id run, const char *task_id,
    int32_t map_index, const char *key, struct arena *arena);
/* The indexes of a mapped task that succeeded, ascending, in `arena`; gives how many. */
size_t xcom_read_indexes(struct store *reader, struct run_id run, const char *task_id,
    struct arena *arena, const int32_t **ret);

#endif
