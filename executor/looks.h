/* What sensors look at in the metadata. */
#ifndef EXECUTOR_LOOKS_H
#define EXECUTOR_LOOKS_H

#include "executor/executor.h"
#include "store/store.h"

/*
 * Answers a sensor's question.  Of a DAG: LOOK_YES when runs of it that succeeded, or in which the
 * task did, leave no gap in the interval of `question->run`; a run of just that interval is enough,
 * also when it is empty.  LOOK_FAILED when they do leave one and a run that ended in it, or the
 * task in it, failed.  Of an asset: LOOK_YES when it was updated since that interval began.
 * *ret_saw says in one line what was seen; texts are in `arena`.  Errors are the store's.
 */
enum status looks_answer(struct store *reader, const struct look_question *question,
    struct arena *arena, enum look_answer *ret, const char **ret_saw, struct error *err) MUST_CHECK;

#endif
