/*
 * What a branch chose: from the text that its template or query gave to the tasks it goes on with.
 *
 * The text is one id or a comma list; blanks around ids and empty items do not count.  An id is
 * that of a task that directly follows the branch, or of a group, meaning those of its tasks that
 * directly follow.  It resolves as in `depends_on`: in the branch's own group first, then in those
 * around it, last as a full id.
 */
#ifndef DEFINITION_MODEL_CHOICE_H
#define DEFINITION_MODEL_CHOICE_H

#include "definition/model/model.h"

/* Marks what is chosen: marks[n] for task->downstream.at[n]; marks that are set stay.  An id that
   means none of them is ERR_UNKNOWN_REFERENCE: the message names the possible ones, the hint the
   nearest. */
enum status choice_read(const struct dag *dag, const struct task *task, struct slice text,
    bool *marks, struct error *err) MUST_CHECK;

/* The full ids of what is marked, as a JSON list: what attempt_result.decision holds of a branch.
 */
char *choice_json(
    const struct dag *dag, const struct task *task, const bool *marks, struct arena *arena);

/* Whether the text of a short circuit means that what follows is skipped: empty, `false`, `f`, `0`,
   `no` or `none`, in any case, blanks around it left out.  NULL is no text: it does. */
bool choice_is_no(struct slice text);

#endif
