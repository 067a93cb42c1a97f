/*
 * What the project's DAG files say of their DAGs, in short.  It is kept in the project's state
 * folder when there is one (definition/kept.h), so that files that have not changed need only be
 * read, not parsed.
 */
#ifndef DEFINITION_LISTING_H
#define DEFINITION_LISTING_H

#include "base/error.h"
#include "definition/model/model.h"

struct listed_dag {
    const char *dag_id, *file;
    const char *schedule;            /* as shown to people */
    const char *schedule_spec;       /* for listed_timetable; NULL without a schedule */
    const char *timezone, *version;  /* the zone's name, and the manifest's hash */
    const char *owner, *description; /* may be NULL */
    struct names tags;
    uint32_t task_count;
    bool paused;                       /* where nobody has paused it, or let it go on */
    const struct timetable *timetable; /* of a DAG that is loaded */
};
struct listing {
    const struct listed_dag *at; /* by id */
    size_t count;
};

/* All lives in the arena.  Files with mistakes give no DAG, and their mistakes.  ERR_DUPLICATE: two
   files give a DAG of one id; the catalogue tells which.  ERR_IO. */
enum status listing_read(const struct project *project, struct arena *arena, struct listing *ret,
    struct diagnostics *mistakes, struct error *err) MUST_CHECK;
/* The same of a DAG that is loaded, as far as it is known: it points into the DAG. */
struct listed_dag listed_dag_of(const struct dag *dag);
/* The DAG's timetable, made again when it is not there; NULL without a schedule. */
const struct timetable *listed_timetable(const struct listed_dag *dag, struct arena *arena);

#endif
