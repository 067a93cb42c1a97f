/*
 * What a command finds out about DAG files, kept in the project's state folder from one run to the
 * next: lines of JSON.  The first, the head, has what all the rest depends on: the settings, dag
 * itself, and the files that were read, or looked for in vain, each once as "path", "hash" or null.
 * Later lines name those by their place.  Private to definition/.
 */
#ifndef DEFINITION_KEPT_H
#define DEFINITION_KEPT_H

#include "base/json.h"
#include "base/map.h"
#include "definition/model/model.h"
#include "definition/sources.h"

struct kept_file {
    const char *path; /* absolute */
    const char *hash; /* NULL: there was none */
};
struct kept_files {
    const struct kept_file *at;
    size_t count;
};

/* What was asked for since the sources' round began.  *ret_unreadable: one of them is there and
   cannot be read, so that nothing of it can be kept. */
struct kept_files kept_files_asked(
    const struct sources *sources, struct arena *arena, bool *ret_unreadable);

/* ---- writing: kept_begin, what else is in the head, kept_end_head, lines, kept_write ---- */

struct keeping {
    struct strbuf text;
    struct json_writer head;
    struct map *numbers; /* path → 1 + its place */
};
/* False: there is no state folder, and nothing is kept.  Else kept_write ends it. */
bool kept_begin(struct keeping *k, const struct project *project, struct kept_files all);
void kept_end_head(struct keeping *k);
/* "files": the places of files, all of which are in the head. */
void kept_put_files(const struct keeping *k, struct json_writer *w, struct kept_files files);
/* Into that file of the state folder; that it cannot is no matter. */
void kept_write(struct keeping *k, const struct project *project, const char *name);

/* ---- reading ---- */

struct kept {
    struct arena *arena;
    struct slice rest; /* the lines to come */
    json_t *head;
    enum { KEPT_UNKNOWN, KEPT_SAME, KEPT_CHANGED } * states; /* of its files, as far as asked */
    size_t file_count;
};
/* False: nothing is kept, or it is of other settings or another dag.  kept_done in any case. */
bool kept_open(struct kept *kept, const struct project *project, const char *name);
void kept_done(struct kept *kept);
/* The next line; the caller's.  False at the end. */
bool kept_next(struct kept *kept, json_t **ret);
/* Whether there are the same DAG files as then. */
bool kept_names_hold(const struct kept *kept, const struct project *project);
/* A file of the head; its texts are in the arena.  False: there is none at that place. */
bool kept_file_at(
    const struct kept *kept, size_t place, struct arena *arena, struct kept_file *ret);
/* Whether a file of the head, or all, read as they did. */
bool kept_file_holds(struct kept *kept, size_t place);
bool kept_all_hold(struct kept *kept);

#endif
