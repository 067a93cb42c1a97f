/*
 * What lint knows of one DAG file: what was found in it by itself, what the checks of all DAGs
 * together need of it, and all that both depend on.  It is what is kept between two runs.  Private
 * to lint.
 */
#ifndef DEFINITION_LINT_UNIT_H
#define DEFINITION_LINT_UNIT_H

#include "definition/kept.h"
#include "base/vec.h"
#include "definition/lint_facts.h"
#include "definition/sources.h"

struct lint_unit {
    const char *file;              /* the DAG file, relative to the root */
    struct kept_files files;       /* its own first */
    struct diagnostics *found;     /* before any was suppressed */
    const struct dag_facts **dags; /* none of a file that does not load */
    size_t dag_count;
    bool broken;  /* it does not load */
    bool passing; /* not to be kept: a file could not be read, or dag_facts.passing */
};
typedef VEC(struct lint_unit *) unit_list;

/* Loads a DAG file and checks its DAGs.  The unit lives in the arena.  ERR_NOT_FOUND, ERR_IO. */
enum status lint_unit_new(const struct project *project, struct sources *sources, const char *file,
    struct arena *arena, struct lint_unit **ret, struct error *err) MUST_CHECK;
/* Whether all that it depends on is as it was; reads those files into `sources`. */
bool lint_unit_holds(const struct lint_unit *unit, struct sources *sources);

/* The last run's report, whole, when nothing has changed since that it depended on: no file that
   was read or looked for, no setting, no other version of dag.  False otherwise. */
bool lint_cache_read(const struct project *project, struct diagnostics *findings);
/* The last run's units when the settings and dag are still the same, by the file's name, in the
   arena; that they hold must be asked of each.  Empty otherwise. */
struct map *lint_cache_units(const struct project *project, struct arena *arena);
/* Keeps units, and what was found in all (NULL: not known), in the project's state folder when
   there is one; that it cannot is no matter. */
void lint_cache_write(const struct project *project, const struct sources *sources,
    const unit_list *units, const struct diagnostics *findings);

#endif
