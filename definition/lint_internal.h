/* Private to the files of lint. */
#ifndef DEFINITION_LINT_INTERNAL_H
#define DEFINITION_LINT_INTERNAL_H

#include "definition/lint.h"
#include "definition/sources.h"

struct dag_facts;
struct map;
struct jinja_result;
struct render_cache;
struct lineage_task;
struct run_facts;
struct rendered;
struct sql_tables;

struct linting {
    const struct project *project;
    const struct dag *dag;
    struct sources *sources;
    struct arena *arena;
    struct diagnostics *findings;
    const struct source *dag_source;
    struct render_cache *cache; /* of the DAG */
    const struct task *task;    /* at hand */
    struct dag_facts *facts;    /* of the DAG, to be filled; NULL: not wanted */
    struct arena *kept;         /* where its parts live */
    bool passing;               /* as of dag_facts */
    bool takes_ways;            /* a template of the DAG may take another on another date */
    const char *only_date;      /* of the run at hand; NULL: of the first */
    bool asks_target;           /* a template of the DAG has the word: dialects may differ */
};

/* Places an error at a line and column of a template, or of the inline text it stands in: of
   `source`, else of the DAG file. */
void lint_place(struct linting *l, struct error *error, uint32_t line, uint32_t column,
    const struct text *text, const struct source *source);
void lint_add(struct linting *l, const char *severity, const char *code, const struct error *error);

/* Another check has said something of that line, with a better message. */
bool lint_is_said(const struct linting *l, const struct error *error);

/* Looks for passwords and the like in all files that were read. */
void lint_secrets(const struct sources *sources, struct diagnostics *found);
/* Hands over what no comment suppresses, and what is wrong with those comments: that they suppress
   nothing is known of the files that are keys of `only` (relative to the root), of all files when
   it is NULL. */
void lint_take(const struct sources *sources, const struct map *only,
    const struct diagnostics *found, struct diagnostics *findings);
/* Both: what was found, with what the files themselves show, less what they suppress. */
void lint_finish(struct sources *sources, const struct map *only, struct diagnostics *found,
    struct diagnostics *findings);

/* Checks a DAG by itself; nothing is suppressed yet.  `ret_facts`: in the findings' arena; NULL
   when they are not wanted. */
enum status lint_one(const struct project *project, struct sources *sources, const struct dag *dag,
    struct diagnostics *found, struct dag_facts **ret_facts, struct error *err) MUST_CHECK;
/* Looks at connections without ledger and at names of variables. */
void lint_delivery(struct linting *l);
/* Looks at a DAG's trigger rules. */
void lint_rules(struct linting *l);
/* Looks at the endpoints of dag.yaml. */
void lint_endpoints(const struct project *project, struct diagnostics *found);
/* What is said of transaction control in the task at hand. */
void lint_control_error(const struct linting *l, const char *statement, struct error *ret);
/* Looks at every template of a DAG's tasks. */
void lint_templates(struct linting *l);
/* Looks at what a DAG's tasks would run.  After lint_templates, whose findings it does not repeat.
 */
void lint_rendered(struct linting *l);
/* Whether a template's way may depend on a value. */
bool lint_takes_ways(struct slice text);
/* Looks at the tasks as of runs on other days than the first. */
void lint_dates(struct linting *l, const struct lineage_task *lineages);
/* What rendering says; nothing when another check has said something of that line. */
void lint_template_error(struct linting *l, const struct error *error);
/* Looks at SQL as it was rendered for a sample run, and cut into statements. */
void lint_sql(struct linting *l, const struct jinja_result *map, const struct sql_tables *tables);
/* Looks at what a DAG's tasks read and write: a lineage for each of dag.tasks. */
void lint_data(
    struct linting *l, const struct run_facts *facts, const struct lineage_task *lineages);
/* Looks at a task's statements that the parser does not take. */
void lint_syntax(struct linting *l, const struct lineage_task *lineage);
/* The same for a condition or name that is put into SQL. */
void lint_sql_part(struct linting *l, const struct jinja_result *map);
/* Looks at the COPY statements of a text, and at the task's files. */
void lint_copy(struct linting *l, const struct rendered *sql, const struct sql_tables *tables);

#endif
