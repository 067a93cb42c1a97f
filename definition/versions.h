/*
 * What versions of DAGs are made of, kept so that a version outlives its files: after a restart a
 * broken file's last good version goes on, a live run keeps the graph that it started with, and
 * `clear --same-version` finds the templates of then.
 *
 * A folder (<state>/versions, mode 0700) of files that are named by the hash of what is in them: a
 * file that a DAG reached, or the manifest of a version, a line "HASH PATH" a file, whose hash is
 * the version.  What is damaged or gone is as if it had not been kept.  Any thread may read.
 */
#ifndef DEFINITION_VERSIONS_H
#define DEFINITION_VERSIONS_H

#include "base/error.h"
#include "base/string.h"
#include "definition/model/model.h"
#include "definition/sources.h"

/* A manifest's text; its hash is the version. */
void versions_manifest(const struct manifest_file *files, size_t count, struct strbuf *ret);

/* "<state>/versions" */
char *versions_folder(const struct project *project, struct arena *arena);

/* Keeps the files of a DAG that was just loaded from `sources`, and notes the folder in the DAG:
   what is rendered of it comes from there from now on.  ERR_IO: nothing is noted. */
enum status versions_keep(const char *folder, struct dag *dag, const struct sources *sources,
    struct error *err) MUST_CHECK;
/* The DAG of that id as it was in a version.  ERR_NOT_FOUND when it was not kept (or cannot be
   loaded any more, because dag.yaml has changed).  *ret is the caller's: dag_unref. */
enum status versions_load(const struct project *project, const char *version, const char *dag_id,
    struct dag **ret, struct error *err) MUST_CHECK;

/* The text of a file of the DAG's version: `path` as in its manifest.  ERR_NOT_FOUND when the
   manifest does not have it, ERR_IO when it has it and it is nowhere any more: neither kept, nor
   unchanged in the project. */
enum status versions_read(const struct project *project, const struct dag *dag, const char *path,
    struct arena *arena, struct slice *ret, struct error *err) MUST_CHECK;

/* Deletes what no version in `versions` reaches and what was not written since `before_us`.
 *ret_count: files. */
enum status versions_clean(const char *folder, const struct names *versions, int64_t before_us,
    bool dry_run, size_t *ret_count, struct error *err) MUST_CHECK;

#endif
