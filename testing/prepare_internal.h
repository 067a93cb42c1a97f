/* Private to the files of `dag lint --database`. */
#ifndef TESTING_PREPARE_INTERNAL_H
#define TESTING_PREPARE_INTERNAL_H

#include <libpq-fe.h>

#include "definition/lineage.h"
#include "testing/prepare.h"

/* Statements of a task that nobody asks the server about. */
struct unchecked {
    size_t count, offset; /* of the first, in the text */
    struct strbuf words;  /* what they begin with, each once: "vacuum, do" */
};

struct preparing {
    const struct prepare_options *options;
    const struct dag *dag;
    struct arena *arena;
    struct run_facts facts;
    const struct lineage_task *lineages;
    struct diagnostics *findings;
    /* at hand */
    const struct task *task;
    const struct rendered *sql;
    PGconn *conn;           /* in a transaction */
    struct names variables; /* of the last DO block */
    struct unchecked unchecked;
};

/* Asks the server about a statement of the task's text; what it refuses becomes a finding. */
void prepare_statement(struct preparing *p, const struct sql_tables *tables, size_t index);
/* Says how many statements of the task were not checked. */
void prepare_tell_unchecked(struct preparing *p);

#endif
