/* A DAG of one task, made by hand, and what a template gives in it. */
#ifndef CONTEXT_DAG_H
#define CONTEXT_DAG_H

#include "definition/context/context.h"

struct context_dag {
    struct project project;
    struct dag dag;
    struct task task; /* an inline SQL task */
    struct run_facts run;
    struct attempt_facts attempt;
    struct render_target target;
    json_t *owned; /* params and the like, released at the end */
};
/* The DAG "geo_daily" with the task "load_points"; `schedule` may be NULL. */
void context_dag_init(struct context_dag *d, struct arena *arena, const char *schedule,
    const char *timezone, const char *logical_date);
void context_dag_done(struct context_dag *d);
/* A DAG parameter with a schema (or NULL) and a default, both JSON text. */
void context_dag_add_param(struct context_dag *d, struct arena *arena, const char *name,
    const char *schema, const char *default_value);
/* The text that `sql` gives: of a failure "ERROR: message (hint)". */
const char *context_dag_render(struct context_dag *d, struct arena *arena, const char *sql);
/* The same with the field and the error. */
enum status context_dag_try(struct context_dag *d, struct arena *arena, const char *sql,
    struct rendered_task *ret, struct error *err);

#endif
