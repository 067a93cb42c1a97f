/*
 * What the checks of all DAGs together need of one: plain data, so that it can be kept between two
 * runs.  Private to lint.
 */
#ifndef DEFINITION_LINT_FACTS_H
#define DEFINITION_LINT_FACTS_H

#include "base/json.h"
#include "definition/model/model.h"

/* A name that a task gives, and where; NULL: none, or a template's. */
struct fact_name {
    const char *name;
    uint32_t line, column;
};
/* A sensor that waits for runs of a DAG. */
struct fact_wait {
    const char *by; /* the task */
    struct fact_name dag, task;
};
struct fact_trigger {
    const char *by;
    struct fact_name dag;
    bool wait, own_date; /* own_date: of the date of its own run */
};
/* A table that a DAG reads and no task of it fills, or that one of its tasks fills. */
struct fact_table {
    const char *connection, *table, *by;
    uint32_t line; /* of the task */
    bool fills;
};
#define FACT_LIST(type)                                                                            \
    struct {                                                                                       \
        const struct type *at;                                                                     \
        size_t count;                                                                              \
    }
struct dag_facts {
    const char *dag_id, *file;
    uint32_t line;
    bool scheduled; /* by the clock or by assets; else people or other DAGs start it */
    bool passing;   /* a template may ask for files that nobody knows of before it is rendered */
    bool opaque;    /* a template names what a sensor waits for or a task triggers */
    struct names tasks;    /* their ids */
    struct names consumes; /* assets that it is scheduled on */
    struct names awaits;   /* assets of its sensors and `inlets` */
    struct names makes;    /* assets of its tasks' `outlets` */
    FACT_LIST(fact_wait) waits;
    FACT_LIST(fact_trigger) triggers;
    FACT_LIST(fact_table) tables; /* filled by lint_order; empty from dag_facts_of */
};
#undef FACT_LIST

/* The facts of a DAG but its tables.  What they point to lives in the arena. */
struct dag_facts *dag_facts_of(const struct dag *dag, struct arena *arena);

void dag_facts_write(struct json_writer *w, const struct dag_facts *facts);
/* What dag_facts_write wrote of a DAG of that file; NULL when it is something else. */
struct dag_facts *dag_facts_read(const json_t *object, const char *file, struct arena *arena);

#endif
