/*
 * The catalogue: the DAGs of a project's folder, and the files that are broken.
 *
 * A command line calls catalogue_load once.  A daemon calls catalogue_load at its start, and then
 * catalogue_poll after file events and at catalogue_due: changed files are adopted when nothing has
 * changed for a moment and they read the same twice, all of them together, so that a `git pull` is
 * one change.  A file that breaks keeps its last good version and carries its mistakes; the DAGs of
 * a removed file are reported as removed; a folder that is gone as a whole removes nothing.  A
 * dag_id that two files give belongs to the file that had it first (in order of paths when both are
 * new); the other file is broken.
 *
 * There is no clock in it.  One thread uses a catalogue; the DAGs it gives out are counted
 * references that any thread may read.
 */
#ifndef DEFINITION_CATALOGUE_H
#define DEFINITION_CATALOGUE_H

#include "base/error.h"
#include "definition/model/model.h"

struct catalogue;

struct catalogue_options {
    const struct project *project; /* the catalogue holds a reference */
    int64_t quiet_us;              /* 0: CATALOGUE_QUIET_MS */
    const char
        *keep; /* the folder where versions are kept (definition/versions.h); NULL: nowhere */
    /* Called between the first and the second reading; for tests of that. */
    void (*between_reads)(void *user);
    void *between_reads_user;
};
struct catalogue *catalogue_new(const struct catalogue_options *options);
void catalogue_free(struct catalogue *catalogue); /* NULL is fine */
DEFINE_CLEANUP(struct catalogue, catalogue_free);

/* The project with other connections, pools or variables, from now on: broken files are read again
   by the next poll. */
void catalogue_set_project(struct catalogue *catalogue, const struct project *project);

enum catalogue_change_kind {
    CATALOGUE_ADOPTED, /* a new DAG, or a new version of one */
    CATALOGUE_REMOVED, /* no file gives this DAG any more */
    CATALOGUE_BROKEN,  /* a file has mistakes (other ones than at the last report) */
    CATALOGUE_MENDED,  /* a broken file has none any more */
};
struct catalogue_change {
    enum catalogue_change_kind kind;
    const char *file;       /* relative to the root */
    const struct dag *dag;  /* ADOPTED: the new version, REMOVED: the last; the catalogue's */
    const struct dag *from; /* ADOPTED: the version before, NULL when it is new */
};
/* Valid until the next call of load or poll. */
struct catalogue_changes {
    const struct catalogue_change *at;
    size_t count;
};

/* Reads everything now and adopts it.  Broken files are no error; ERR_UNSETTLED when files go on
   changing while they are read, ERR_IO when the folder cannot be read. */
enum status catalogue_load(
    struct catalogue *catalogue, struct catalogue_changes *ret, struct error *err) MUST_CHECK;
/* Looks for changes at `now_us` (of a clock that never goes back) and adopts those that are due. */
enum status catalogue_poll(struct catalogue *catalogue, int64_t now_us,
    struct catalogue_changes *ret, struct error *err) MUST_CHECK;
/* When to call catalogue_poll again though no file event comes; INT64_MAX = no need. */
int64_t catalogue_due(const struct catalogue *catalogue);

/* The DAGs that hold, sorted by dag_id; those of broken files are their last good versions. */
size_t catalogue_count(const struct catalogue *catalogue);
const struct dag *catalogue_at(const struct catalogue *catalogue, size_t i);
/* NULL when there is none of that id. */
const struct dag *catalogue_find(const struct catalogue *catalogue, const char *dag_id);

/* A broken file and its mistakes. */
struct broken_file {
    const char *file;
    const struct diagnostics *diagnostics;
    bool has_last_good; /* its DAGs go on in their last good version */
};
size_t catalogue_broken_count(const struct catalogue *catalogue);
struct broken_file catalogue_broken_at(const struct catalogue *catalogue, size_t i);
/* True when the DAG's file is broken now. */
bool catalogue_is_stale(const struct catalogue *catalogue, const struct dag *dag);

/* Why the last version that could not be kept was not (a full disk); NULL = all were.  Such a
   version holds all the same, as long as its files are not changed. */
const struct error *catalogue_unkept(const struct catalogue *catalogue);
/* Gives a file that is broken since the start the last good version of one of its DAGs, as it was
   kept.  False when there is nothing to give: the file is whole or gone, or the DAG is there. */
bool catalogue_restore(struct catalogue *catalogue, struct dag *dag);

/* The folders to watch, absolute: the DAGs', the templates', and those of other files that the DAGs
   refer to. */
struct names catalogue_folders(const struct catalogue *catalogue, struct arena *arena);

#endif
