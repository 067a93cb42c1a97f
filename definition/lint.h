/*
 * Checks that need no server.  Findings are diagnostics with codes; errors are what will certainly
 * fail, warnings what probably is a mistake.  A comment with `dag: ignore CODE: why` on its line,
 * or the line before, suppresses findings of that code there.
 */
#ifndef DEFINITION_LINT_H
#define DEFINITION_LINT_H

#include "base/error.h"
#include "definition/model/model.h"

/* Every DAG file of the project by itself, and what only all of them together show.  Errors are the
   folder's; findings are in the list.  What was found is kept in the project's state folder when
   there is one: the next call looks again at those files alone that something has changed for. */
enum status lint_project(
    const struct project *project, struct diagnostics *findings, struct error *err) MUST_CHECK;
/* The same, and what stands in these DAG files of it; of a file elsewhere what it shows by itself.
   Paths are absolute, or relative to the root.  ERR_NOT_FOUND. */
enum status lint_files(const struct project *project, const struct names *paths,
    struct diagnostics *findings, struct error *err) MUST_CHECK;
enum status lint_file(const struct project *project, const char *path, struct diagnostics *findings,
    struct error *err) MUST_CHECK;
/* Checks a DAG that is loaded. */
enum status lint_dag(const struct project *project, const struct dag *dag,
    struct diagnostics *findings, struct error *err) MUST_CHECK;

/* A statement of transaction control in a text of SQL, e.g. "COMMIT"; false when there is none.
   Comments, quoted text, dollar quotes and template tags are passed over; savepoints are fine.
   *ret_offset: of the statement, in bytes. */
bool sql_find_transaction_control(
    struct slice sql, size_t from, size_t *ret_offset, const char **ret_statement);

/* The codes there are, for `dag lint` and the docs. */
struct lint_code {
    const char *code;
    const char *severity;
    const char *meaning;
};
extern const struct lint_code lint_codes[];
extern const size_t lint_code_count;
const struct lint_code *lint_code_find(struct slice code); /* NULL: there is none */

#endif
