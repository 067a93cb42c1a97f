#include "executor/xcom.h"

#include "base/string.h"

const char *xcom_read(struct store *reader, struct run_id run, const char *task_id,
    int32_t map_index, const char *key, struct arena *arena)
{
    const char *xcom = NULL;
    if (key && !str_equal(key, "return_value"))
        return NULL;
    if (store_read_xcom(reader, run, task_id, map_index, arena, &xcom, NULL) != OK)
        return NULL;
    return xcom;
}

size_t xcom_read_indexes(struct store *reader, struct run_id run, const char *task_id,
    struct arena *arena, const int32_t **ret)
{
    struct task_rows rows;
    if (store_read_instances(reader, run, task_id, arena, &rows, NULL) != OK)
        return 0;
    int32_t *indexes = arena_array(arena, int32_t, rows.count);
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++)
        if (rows.at[i].map_index >= 0 && rows.at[i].state == TASK_SUCCESS)
            indexes[count++] = rows.at[i].map_index;
    *ret = indexes;
    return count;
}
