/* What templates see of a run beyond its row, read from the metadata. */
#ifndef EXECUTOR_FACTS_H
#define EXECUTOR_FACTS_H

#include "definition/context/context.h"
#include "scheduler/plan.h"
#include "store/store.h"

/* The run's conf and times, the success before it, and the asset events that triggered it.  Texts
   are in `arena`.  Errors are the store's. */
enum status run_facts_read(struct store *reader, const struct run_record *run, struct arena *arena,
    struct run_facts *ret, struct error *err) MUST_CHECK;

#endif
