/* Where the log of an attempt lies: told by the scheduler in its row, made by the executor. */
#ifndef DEFINITION_MODEL_LOG_PATH_H
#define DEFINITION_MODEL_LOG_PATH_H

#include <stdint.h>
#include "base/memory.h"

/* "logs/<dag_id>/<run_id>/<task_id>[.<map index>].<number>.log", relative to the state directory;
   `map_index` -1: not mapped.  Of a task id of more than 200 bytes the end is its hash, so that a
   file system takes it. */
char *log_path_of(struct arena *arena, const char *dag_id, const char *run_id, const char *task_id,
    int32_t map_index, int32_t number);

#endif
