/* Which keys of a DAG, or of one of its tasks, are others than before. */
#ifndef CLI_COMPARE_KEYS_H
#define CLI_COMPARE_KEYS_H

#include "definition/yaml.h"

/* The names of keys that only one mapping has, or whose values differ; in the arena.  Either may
   be NULL.  Of a DAG: those that are not about its tasks. */
struct names compare_dag_keys(
    const struct yaml_node *a, const struct yaml_node *b, struct arena *arena);
/* The keys of a task ("group.task") of two documents, with what default_args give it. */
struct names compare_task_keys(
    const struct yaml_node *a, const struct yaml_node *b, const char *task_id, struct arena *arena);

#endif
