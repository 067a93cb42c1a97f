/*
 * Parameters: declarations and their check.  A declaration is a subset of JSON Schema: type, enum,
 * const, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength,
 * pattern, format (date, date-time), items, minItems, maxItems, uniqueItems, properties, required,
 * additionalProperties, title, description, default, examples.
 */
#ifndef DEFINITION_PARAM_H
#define DEFINITION_PARAM_H

#include "definition/model/model.h"

struct yaml_node;

/* The declarations of a file's mapping (NULL: none), in its order; mistakes are reported.  The JSON
   in them is the caller's to release. */
const struct param *params_read(const struct yaml_node *params, struct arena *arena,
    struct diagnostics *diagnostics, size_t *ret_count);
/* The declaration of that name, or NULL. */
const struct param *dag_find_param(const struct dag *dag, const char *name);
/* Whether a value fits; ERR_PARAM says what is asked for.  A parameter without schema takes
   anything.  `value` NULL means none was given: an error when there is no default either. */
enum status param_check(
    const struct param *param, const json_t *value, struct error *err) MUST_CHECK;
/* Whether a run's conf (a mapping, or NULL) fits the DAG's parameters.  One that it does not give
   may have its value from the task. */
enum status param_check_conf(
    const struct dag *dag, const json_t *conf, struct error *err) MUST_CHECK;
/* Whether a declaration is one; ERR_PARAM names the keyword at fault. */
enum status param_schema_check(
    const char *name, const json_t *schema, struct error *err) MUST_CHECK;

#endif
