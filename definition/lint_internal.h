/* Private to the files of lint. */
#ifndef DEFINITION_LINT_INTERNAL_H
#define DEFINITION_LINT_INTERNAL_H

#include "definition/catalogue.h"
#include "definition/lint.h"
#include "definition/sources.h"

struct jinja_result;

struct linting {
    const struct project *project;
    const struct dag *dag;
    struct sources *sources;
    struct arena *arena;
    struct diagnostics *findings;
    const struct source *dag_source;
    const struct task *task; /* at hand */
};

/* Places an error at a line and column of a template, or of the inline text it stands in: of
   `source`, else of the DAG file. */
void lint_place(struct linting *l, struct error *error, uint32_t line, uint32_t column,
    const struct text *text, const struct source *source);
void lint_add(struct linting *l, const char *severity, const char *code, const struct error *error);

/* Looks at a DAG's trigger rules. */
void lint_rules(struct linting *l);
/* Looks at the assets of all DAGs together. */
void lint_assets(struct linting *l, const struct catalogue *catalogue);
void lint_sensors(struct linting *l, const struct catalogue *catalogue);
/* Looks at every template of a DAG's tasks. */
void lint_templates(struct linting *l);
/* Looks at what a DAG's tasks would run.  After lint_templates, whose findings it does not repeat.
 */
void lint_rendered(struct linting *l);
/* Looks at SQL as it was rendered for a sample run. */
void lint_sql(struct linting *l, const struct jinja_result *map);
/* The same for a condition or name that is put into SQL. */
void lint_sql_part(struct linting *l, const struct jinja_result *map);

#endif
