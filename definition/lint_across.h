/* Private to the checks of all DAGs together. */
#ifndef DEFINITION_LINT_ACROSS_H
#define DEFINITION_LINT_ACROSS_H

#include "base/map.h"
#include "definition/lint_facts.h"
#include "definition/lint_internal.h"

/* All DAGs of the project. */
struct across {
    struct linting *l;
    const struct dag_facts *const *dags; /* sorted by id */
    size_t count;
    struct map *by_id; /* → const struct dag_facts */
    bool broken;       /* a file does not load: what is not there may be in it */
};

/* Adds a finding at a place of a DAG's file. */
void across_add(const struct across *a, const struct dag_facts *dag, const struct fact_name *at,
    const char *code, struct error *error);
/* The ids of all DAGs, for suggestions. */
const char *const *across_ids(const struct across *a);

void lint_assets(const struct across *a);
void lint_sensors(const struct across *a);
void lint_triggers(const struct across *a);
/* Tables that one DAG reads and another fills. */
void lint_shared_tables(const struct across *a);

#endif
