/*
 * `dag init --from-notebook`: the SQL of a Jupyter notebook as a DAG.
 *
 * Each `%%sql` cell, and each `%sql` line, is a template and a task.  The notebook's date becomes
 * `{{ ds }}`; tables decide what depends on what.  What cannot be decided is said in notes.
 */
#ifndef CLI_NOTEBOOK_H
#define CLI_NOTEBOOK_H

#include "base/vec.h"
#include "cli/cli.h"

struct notebook_query {
    size_t cell;      /* from 1, as they stand in the file */
    const char *text; /* SQL */
    const char *task_id;
    struct names depends_on;
};
struct notebook {
    struct arena *arena;
    const char *name; /* a dag_id, of the file's name */
    VEC(struct notebook_query) queries;
    VEC(const char *) params; /* Python's variables that the SQL names */
    VEC(const char *) notes;  /* "cell 3: …" */
    const char *date;         /* "2007-04-12"; NULL: none is the run's */
};

void notebook_note(struct notebook *notebook, size_t cell, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reads the cells.  ERR_NOT_FOUND: no such file, or no SQL in it; ERR_INVALID and what JSON
   parsing says: it is no notebook.  notebook_done in any case. */
enum status notebook_read(
    struct notebook *notebook, const char *path, struct arena *arena, struct error *err) MUST_CHECK;
void notebook_done(struct notebook *notebook);
/* Dates, names of tasks, and what depends on what. */
void notebook_decide(struct notebook *notebook);
/* The DAG file. */
struct slice notebook_dag_file(const struct notebook *notebook);

#endif
