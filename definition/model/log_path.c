#include "definition/model/log_path.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { NAME_SIZE_MAX = 200, KEPT_SIZE = 180 };

char *log_path_of(struct arena *arena, const char *dag_id, const char *run_id, const char *task_id,
    int32_t map_index, int32_t number)
{
    size_t size = strlen(task_id);
    char hash[20] = "", index[16] = "";
    if (size > NAME_SIZE_MAX) {
        snprintf(hash, sizeof hash, "~%016llx", (unsigned long long)hash_u64(task_id, size));
        size = KEPT_SIZE;
    }
    if (map_index >= 0)
        snprintf(index, sizeof index, ".%d", (int)map_index);
    return arena_printf(arena, "logs/%s/%s/%.*s%s%s.%d.log", dag_id, run_id, (int)size, task_id,
        hash, index, (int)number);
}
