/*
 * What the files of this folder share: one rendering's facts, and the kinds of objects that
 * templates see.
 */
#ifndef DEFINITION_CONTEXT_DATA_H
#define DEFINITION_CONTEXT_DATA_H

#include "base/secrets.h"
#include "definition/context/context.h"
#include "definition/context/date.h"

/* Everything that the variables of one rendering are made from.  Of a migration, `dag`, `task`,
   `run` and `attempt` are NULL. */
struct context {
    struct arena *arena;
    const struct project *project;
    const struct dag *dag;
    const struct task *task;
    const struct run_facts *run;
    const struct attempt_facts *attempt;
    const struct render_target *target;
    uint64_t random; /* state of macros.random and macros.uuid */
    /* The variable or connection last looked for in vain, for the hint. */
    const char *missing, *missing_kind;
    struct secrets secrets; /* that templates were given; whoever makes the context frees them */
};

/* Marks a value as a secret, and notes its texts so that no message repeats them. */
struct jinja_value context_secret(struct context *context, struct jinja_value value);

/* An object with named attributes: `dag`, `dag_run`, a connection … */
struct record {
    struct jinja_object object;
    struct jinja_value fields; /* mapping */
    const char *text;          /* str() */
    struct context *context;
};
struct record *record_new(
    struct context *context, const struct jinja_class *class, const char *text);
void record_put(struct record *record, const char *name, struct jinja_value value);
void record_put_function(struct record *record, const char *name, jinja_function *function);
static inline struct jinja_value record_value(struct record *record)
{
    return jinja_object(&record->object);
}
static inline struct context *context_of(const struct jinja_call *call)
{
    return ((const struct record *)call->self.object)->context;
}

enum status record_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err);
enum status record_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err);
#define RECORD_CLASS(name) .type_name = (name), .attribute = record_attribute, .text = record_text

/* A string, or none for NULL. */
struct jinja_value text_or_none(const char *text);

/* Adds the filters on dates; the environment's `user` is not used. */
void context_add_date_filters(struct jinja_environment *env);

/* The variables of a task's templates. */
enum status context_variables(
    struct context *context, struct jinja_value *ret, struct error *err) MUST_CHECK;
/* `target`, `var`, `conn` and `macros`: those of every template. */
void context_put_project(struct context *context, struct jinja_value variables);
struct jinja_value context_macros(struct context *context);
struct jinja_value context_connection_accessor(struct context *context);
struct jinja_value context_json_module(struct context *context);
struct jinja_value context_dateutil_module(struct context *context);
/* `inlets`, `outlets`, `triggering_asset_events`. */
void context_put_assets(struct context *context, struct jinja_value variables);
struct jinja_value context_var(struct context *context);
struct jinja_value context_task_instance(struct context *context, struct jinja_value task);
/* The parameters' values: the run's conf over the task's over the defaults, checked. */
enum status context_params(struct context *context, const json_t *conf, struct jinja_value *ret,
    struct error *err) MUST_CHECK;
/* The XCom of a task: of a mapped one the list of its indexes' XComs.  None without. */
enum status context_xcom(struct context *context, const struct task *task, const char *key,
    struct jinja_value *ret, struct error *err) MUST_CHECK;
/* A value that stands for one that only a run knows (attempt_facts.sampled). */
struct jinja_value context_sample(struct context *context);
/* jinja_undefined_hint: names that are gone, and what others are called here. */
void context_undefined_hint(void *user, struct slice name, struct error *err);
/* A hint for an error that is about the last variable or connection that was not there. */
void context_explain_missing(const struct context *context, struct error *err);

/* The next number of the attempt's sequence: the same for the same seed. */
uint64_t context_random(struct context *context);

#endif
