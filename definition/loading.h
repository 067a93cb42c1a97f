/* Private to the files that load DAG files. */
#ifndef DEFINITION_LOADING_H
#define DEFINITION_LOADING_H

#include "base/map.h"
#include "base/vec.h"
#include "definition/dagfile.h"
#include "definition/keys.h"
#include "language/timetable/timetable.h"

/* A task or group on the way to the model. */
struct task_plan {
    struct task task;
    const struct yaml_node *key, *depends_on; /* depends_on: NULL = none */
    struct names names;                       /* of depends_on */
    struct expand_plan {                      /* a source of `expand` */
        struct expand_source source;
        const struct yaml_node *node; /* of EXPAND_TASK: the task's name */
    } * expand;
    size_t expand_count;
    int group; /* in groups; -1 = none */
};
struct group_plan {
    const char *id; /* "features.inner" */
    const struct yaml_node *key, *depends_on;
    struct names names;
    int parent;
    unsigned depth;      /* 1 for a group of the DAG itself */
    uint32_t first, end; /* its tasks, those of inner groups included */
};

/* One DAG file, and the DAG of it that is being made. */
struct loading {
    const struct dagfile_options *options;
    const struct project *project;
    struct sources *sources;
    struct arena *scratch; /* trees and what is forgotten after the load */
    struct diagnostics *diagnostics;
    const char *file; /* relative to the root */

    struct dag *dag;
    struct arena *arena; /* the DAG's */
    const struct yaml_node *document;
    VEC(const struct source *) used; /* the files that the DAG reaches */
    VEC(struct task_plan) tasks;
    VEC(struct group_plan) groups;
};

/* Notes a file of the manifest, once. */
void loading_use(struct loading *l, const struct source *source);
/* A file that a DAG file names, next to it or below the root; NULL when there is none (reported).
 */
const struct source *loading_find(struct loading *l, const struct yaml_node *node);
/* Whether a node holds a well-formed id; reported otherwise. */
bool loading_check_id(
    struct loading *l, const struct yaml_node *node, const char *id, const char *what, bool dots);
/* Reports a name that refers to nothing, with the nearest of those there are. */
void loading_unknown(struct loading *l, const struct yaml_node *node, const char *what,
    const char *name, const struct names *candidates);

void load_schedule(struct loading *l, const struct dag_keys *keys);
/* What a schedule asks of assets; false when it cannot be read (reported). */
bool load_assets(struct loading *l, const struct yaml_node *node);
/* "a and (b or c)" */
void asset_describe(const struct asset_expr *expr, bool inner, struct strbuf *out);
/* Checks names of outlets or inlets, and leaves each once. */
void load_asset_names(struct loading *l, const struct yaml_node *node, struct names *names);
bool load_asset_name(struct loading *l, const struct yaml_node *node);
/* The checks of a SQL task. */
void load_checks(struct loading *l, const struct yaml_node *node, struct sql_task *ret);
struct deadline load_deadline(struct loading *l, const struct yaml_node *node);
void load_params(struct loading *l, const struct yaml_node *params);
/* Reads tasks and groups into l->tasks and l->groups, then wires them into l->dag. */
void load_tasks(struct loading *l, const struct yaml_node *default_args);
/* One task. */
void load_task(struct loading *l, struct task_plan *plan, const struct yaml_node *mapping,
    const struct yaml_node *default_args);
/* The sources of `expand`; `own` is the task's connection, NULL without. */
void load_expand(struct loading *l, struct task_plan *plan, const struct yaml_node *mapping,
    bool zip, const char *own);
/* Whether the text of a `sql` is the path of a template. */
bool loading_is_template_path(const char *text);
/* Whether dag.yaml has the connection; reported otherwise. */
void loading_check_connection(
    struct loading *l, const struct yaml_node *node, const char *connection);
/* Checks default_args by themselves. */
void load_check_default_args(struct loading *l, const struct yaml_node *default_args);
void load_graph(struct loading *l);
/* Fills files, version and graph_version. */
void load_manifest(struct loading *l);
/* The documents that `foreach` makes of one; itself when it has none. */
void load_foreach(
    struct loading *l, struct yaml_node *document, struct yaml_node ***ret, size_t *ret_count);

#endif
