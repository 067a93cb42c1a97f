/* A version of a project, to compare with another: a folder, or a revision of its git repository.
 */
#ifndef CLI_REVISION_H
#define CLI_REVISION_H

#include "cli/cli.h"
#include "definition/catalogue.h"

struct revision {
    const char *name;      /* as people named it; "the working folder" */
    const char *temporary; /* a folder to remove; NULL: the version's own is used */
    struct project *project;
    struct catalogue *catalogue;
};

/* `name` NULL: the project's folder as it is.  Broken files are printed to standard error.
   ERR_NOT_FOUND: neither a folder with a dag.yaml nor a revision.  revision_close in any case. */
enum status revision_open(
    struct cli *cli, const char *name, struct revision *ret, struct error *err) MUST_CHECK;
void revision_close(struct revision *revision);

/* The mapping that a DAG file has for a DAG; NULL when it cannot be told. */
const struct yaml_node *revision_document(
    const struct revision *revision, const struct dag *dag, struct arena *arena);

#endif
