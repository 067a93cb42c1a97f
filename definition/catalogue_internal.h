/* Private to the catalogue. */
#ifndef DEFINITION_CATALOGUE_INTERNAL_H
#define DEFINITION_CATALOGUE_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "definition/catalogue.h"
#include "definition/dagfile.h"
#include "definition/sources.h"

typedef VEC(struct dag *) dag_list;

/* A DAG file.  Owned by the catalogue. */
struct catalogue_file {
    char *path; /* relative to the root */
    bool present, dirty;
    bool read_again;        /* though it looks the same */
    bool broken, duplicate; /* duplicate: broken because another file has its dag_id */
    size_t reading;         /* its place among the readings of an adoption, from 1; 0 = none */
    dag_list dags;          /* the last good version's; counted references */

    struct arena *arena; /* of the last reading: the members below */
    struct source *sources;
    size_t source_count;
    struct diagnostics *diagnostics;
};

struct catalogue {
    struct catalogue_options options;
    VEC(struct catalogue_file *) files; /* sorted by path */
    dag_list all;                       /* sorted by dag_id; borrowed from the files */
    int64_t changed_us;                 /* when the last change was seen; INT64_MIN = none waits */
    uint64_t print;                     /* how all files looked then */
    VEC(struct catalogue_change) changes;
    struct error unkept; /* status OK: nothing was left out */
    dag_list retired;    /* kept until the next call, because `changes` points to them */
    struct arena *arena; /* of the changes' texts */
};

void catalogue_file_done(struct catalogue_file *file);
/* Reads what is dirty, twice, and makes it hold.  ERR_UNSETTLED, and nothing changed, when both
   readings differ. */
enum status catalogue_adopt(struct catalogue *catalogue, struct error *err) MUST_CHECK;

#endif
