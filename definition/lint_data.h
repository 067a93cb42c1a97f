/* Private to the checks of what tasks read and write. */
#ifndef DEFINITION_LINT_DATA_H
#define DEFINITION_LINT_DATA_H

#include "definition/lineage.h"
#include "definition/lint_internal.h"
#include "language/sql/conditions.h"

/* The days that an interval touches, in UTC and in the DAG's zone; days since 1970-01-01. */
struct days {
    int64_t first, last;
    bool empty; /* the interval is: its date may mean any day near it */
};

/* What a statement says of its rows. */
struct statement_facts {
    struct sql_conditions where, inserted;
    bool today;      /* it asks for the interval's days */
    bool other_days; /* it asks for others */
};

struct data_task {
    const struct lineage_task *lineage;
    struct statement_facts *facts; /* of lineage->tables.statements */
};

struct data {
    struct linting *l;
    struct days days;
    const struct data_task *tasks; /* of dag.tasks */
    uint64_t *before;              /* a bit for each pair: that a task comes before another */
    size_t words;                  /* of 64 bits a task */
};

/* Whether a task comes before another, directly or not. */
bool data_is_before(const struct data *d, uint32_t task, uint32_t other);
/* Places an error at an offset of a task's text, at the task when there is none. */
void data_place(const struct data *d, const struct lineage_task *task,
    const struct lineage_use *use, struct error *error);
void data_place_at(
    const struct data *d, const struct lineage_task *task, size_t offset, struct error *error);
/* The facts of the statement that a use is in; NULL of a use that a key tells. */
const struct statement_facts *data_facts(
    const struct data *d, const struct lineage_task *task, const struct lineage_use *use);

/* Reads and writes of tasks that are not in order, and order without a reason. */
void lint_order(struct data *d);
/* Writes outside of the interval's day, and what cannot be repeated. */
void lint_days(struct data *d);
void lint_repeats(struct data *d);

#endif
