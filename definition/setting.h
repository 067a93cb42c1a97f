/* Private to the files that load a project: where values come from. */
#ifndef DEFINITION_SETTING_H
#define DEFINITION_SETTING_H

#include "base/map.h"
#include "base/vec.h"
#include "definition/keys.h"
#include "definition/project.h"

/* What a value from outside the files stands in: the flag or variable is its "file". */
struct setting_source {
    struct yaml_source source;
    enum origin origin;
};

/* A stored value that cannot be read. */
struct setting_problem {
    const struct yaml_node *node;
    const char *text;
};

struct settling {
    const struct project_options *options;
    struct project *project;
    struct arena *arena; /* the project's */
    struct arena *scratch;
    struct diagnostics *diagnostics;
    const char *const *environ;
    struct yaml_node *tree; /* all settings, as one mapping */
    VEC(struct setting_source *) sources;
    VEC(const struct yaml_node *) hidden; /* values of ${file:…} and ${cmd:…} */
    VEC(struct named_text) taken;         /* project->taken */
    VEC(struct setting_problem) problems;
};

/* What was read of the outside under that name when the project `like` was loaded, or NULL. */
const struct named_text *settling_taken(const struct settling *s, const char *name);
void settling_take(struct settling *s, const char *name, struct slice text);

const char *settling_environment(const struct settling *s, const char *name);
enum origin settling_origin(const struct settling *s, const struct yaml_node *node);
bool settling_is_hidden(const struct settling *s, const struct yaml_node *node);
/* Why the stored value cannot be read; NULL for others. */
const char *settling_problem(const struct settling *s, const struct yaml_node *node);

/* A file below the project's folder, as it is or as `like` read it; `name` is relative. */
enum status settling_file(struct settling *s, const char *name, size_t size_max, struct slice *ret,
    struct error *err) MUST_CHECK;
/* Reads `endpoints` (NULL: none) into the project, whose connections are there. */
void settling_endpoints(struct settling *s, const struct yaml_node *node);
/* Reads `models` (NULL: none) into the project, whose connections are there. */
void settling_registry(struct settling *s, const struct yaml_node *node);
/* Whether the key's text can be a name; reported otherwise. */
bool settling_check_name(struct settling *s, const struct yaml_node *key, const char *what);
/* Replaces ${…} in all values of a file's tree; NULL stays NULL. */
struct yaml_node *settling_expand(struct settling *s, struct yaml_node *tree);
/* Lays stored values under the tree, those of the environment and of flags over it. */
enum status settling_overlay(struct settling *s, struct error *err) MUST_CHECK;
/* The state directory: `state` as it is written. */
const char *settling_state(struct settling *s, const char *state);
/* Reads the tree into the project. */
void settling_read(struct settling *s);
/* Fills project->settings. */
void settling_list(struct settling *s);

#endif
