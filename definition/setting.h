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
};

const char *settling_environment(const struct settling *s, const char *name);
enum origin settling_origin(const struct settling *s, const struct yaml_node *node);
bool settling_is_hidden(const struct settling *s, const struct yaml_node *node);

/* Replaces ${…} in all values of a file's tree; NULL stays NULL. */
struct yaml_node *settling_expand(struct settling *s, struct yaml_node *tree);
/* Lays stored values under the tree, those of the environment and of flags over it. */
void settling_overlay(struct settling *s);
/* Reads the tree into the project. */
void settling_read(struct settling *s);
/* Fills project->settings. */
void settling_list(struct settling *s);

#endif
