/*
 * The project: where it is, and its settings with their origins (docs/project.md).
 *
 * A setting comes from the highest source that has it: a flag, the environment (`DAG_CONN_<NAME>`,
 * `DAG_VAR_<NAME>`, `DAG_<SETTING>`), dag.yaml with dag.<environment>.yaml over it, what was
 * stored, the default.  Values of the files may refer to the outside: ${NAME}, ${NAME:-default},
 * ${file:path} (relative to the root) and ${cmd:command}; `$${` stands for `${`.
 */
#ifndef DEFINITION_PROJECT_H
#define DEFINITION_PROJECT_H

#include "base/error.h"
#include "base/memory.h"
#include "definition/model/model.h"

/* The folder with dag.yaml: `start_dir` or the nearest one above.  ERR_PROJECT_NOT_FOUND. */
enum status project_find(const char *start_dir, struct arena *arena, const char **ret_root,
    struct error *err) MUST_CHECK;

/* A setting given by a flag: a dotted name as `dag config` shows it. */
struct setting_override {
    const char *name;  /* "timezone", "web.listen", "variables.x", "connections.greenplum.uri" */
    const char *value; /* YAML text */
    const char *flag;  /* as people know it: "--state" */
};

/* What was stored with `dag var set` and its like. */
struct stored_setting {
    const char *name;  /* "variables.x", "connections.gp.settings.search_path" */
    const char *value; /* text */
    bool secret;
    const char *problem; /* the value cannot be read, and why; NULL: it can */
};
struct stored_settings {
    const struct stored_setting *at;
    size_t count;
};
/* Gives what the metadata in the directory `state` has; texts in `arena`. */
typedef enum status project_stored(void *user, const char *state, struct arena *arena,
    struct stored_settings *ret, struct error *err);

struct project_options {
    const char *dir;         /* the root; need not have a dag.yaml when `bare` */
    const char *environment; /* of --env; NULL: DAG_ENV, or none */
    const struct setting_override *overrides;
    size_t override_count;
    project_stored *stored; /* NULL: nothing is stored */
    void *stored_user;
    const char *const *environ; /* "NAME=value" …, NULL; NULL: the process's */
    bool bare;                  /* no project: defaults only, a dag.yaml is not asked for */
    /* Files and commands give what they gave when this one was loaded; only what is stored, and
       the environment, is read anew.  NULL: all is. */
    const struct project *like;
};

/* Loads a project.  All mistakes of its files are added to `diagnostics`, with ERR_DEFINITION as
   the result; other trouble (no such file, …) is in `err` alone. */
enum status project_load(const struct project_options *options, struct project **ret,
    struct diagnostics *diagnostics, struct error *err) MUST_CHECK;

/* project->settings (model.h) is what `dag config` shows: sorted as in the contract, secrets
   masked. */
const struct setting *project_find_setting(const struct project *project, const char *name);

/* A libpq URI or conninfo text for people: passwords are "***". */
char *connection_uri_shown(struct arena *arena, const char *uri);
/* ERR_KEY: the stored value of a "variable" or "connection" cannot be read, for that reason. */
enum status stored_unreadable(
    const char *what, const char *name, const char *problem, struct error *err);
/* Whether Airflow would mask a value of this name: it holds "password", "secret", "token" … */
bool name_is_sensitive(const char *name);
/* "flag", "environment", "file", "stored", "default" */
const char *origin_name(enum origin origin);

#endif
