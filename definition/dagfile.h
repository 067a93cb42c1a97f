/*
 * DAG files: from YAML to checked `struct dag`s (docs/dag-files.md).
 *
 * One file gives several DAGs: one a document, and one an item of a document's `foreach`.  All
 * mistakes of a file are found in one pass and added to the diagnostics; a file with mistakes gives
 * no DAG at all, so that what is loaded is always what the file says.
 */
#ifndef DEFINITION_DAGFILE_H
#define DEFINITION_DAGFILE_H

#include "base/error.h"
#include "definition/model/model.h"
#include "definition/sources.h"

struct dagfile_options {
    const struct project *project; /* never NULL; project_load with `bare` makes one from nothing */
    struct sources *sources;       /* where files are read; NULL: afresh */
    /* Unknown connections, pools and variables are warnings: for a file that stands alone. */
    bool references_optional;
    bool keep_schedule; /* dag.schedule_spec is wanted */
};

struct dagfile {
    struct dag **dags; /* the caller's: dagfile_done */
    size_t count;
};
void dagfile_done(struct dagfile *file);

/* Loads the file at `path` (absolute, or relative to the project's root).  ERR_DEFINITION when it
   has mistakes (they are in `diagnostics`), ERR_NOT_FOUND when there is no such file.  `ret` is
   zeroed on failure. */
enum status dagfile_load(const struct dagfile_options *options, const char *path,
    struct dagfile *ret, struct diagnostics *diagnostics, struct error *err) MUST_CHECK;

/* The project's DAG files, .yaml and .yml, relative to the root and sorted.  ERR_IO. */
enum status dagfile_list(const struct project *project, struct arena *arena, struct names *ret,
    struct error *err) MUST_CHECK;

/* The paths of a template's candidates, in search order, relative to the root: next to the DAG
   file, then in the project's templates. */
struct names dagfile_template_paths(
    const struct project *project, const char *dag_file, const char *name, struct arena *arena);

#endif
