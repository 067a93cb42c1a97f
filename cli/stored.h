/* What `dag conn`, `dag var` and `dag pool` share: their verbs, and asking for what is stored. */
#ifndef CLI_STORED_H
#define CLI_STORED_H

#include "cli/cli.h"

/* A verb of a command: `words` counts the verb itself. */
struct verb {
    const char *name;
    size_t words_min, words_max;
    enum status (*run)(struct cli *cli, struct error *err);
};
enum status verb_run(
    struct cli *cli, const struct verb *verbs, size_t count, struct error *err) MUST_CHECK;

/* Options that these commands have in common. */
extern struct stored_options {
    bool secrets, dry_run;
    const char *description;
} stored_options;
#define STORED_DRY_RUN                                                                             \
    OPTION_FLAG("dry-run", 0, &stored_options.dry_run, "show what would change and stop")

/* An argument that is the value: `-` reads it from standard input. */
enum status stored_argument(
    struct cli *cli, const char *word, const char **ret, struct error *err) MUST_CHECK;
/* A file to import, JSON or YAML (`-`: standard input): a mapping, whose members are read.  *ret is
   the caller's (json_decref). */
enum status stored_read_file(
    struct cli *cli, const char *path, json_t **ret, struct error *err) MUST_CHECK;
/* Writes an export (`-`: standard output); mode 0600. */
enum status stored_write_file(
    struct cli *cli, const char *path, const json_t *tree, struct error *err) MUST_CHECK;

/* An act of daemon/settings.h, begun empty; stored_send takes the reference. */
json_t *stored_act(void);
void stored_set(json_t *act, const char *name, const char *value, const char *description);
void stored_set_secret(json_t *act); /* the last one of stored_set */
void stored_delete(json_t *act, const char *name);
/* Sends it and says how many of `what` ("variable") changed.  `lenient`: an import. */
enum status stored_send(
    struct cli *cli, json_t *act, const char *what, bool lenient, struct error *err) MUST_CHECK;

/* The stored row of that name, for its description; NULL when there is none. */
const struct setting_record *stored_row(struct cli *cli, const char *name);
/* NOT_FOUND, with a suggestion of the names of settings below `prefix` ("variables."). */
enum status stored_unknown(
    struct cli *cli, const char *what, const char *prefix, const char *name, struct error *err);
/* "dag.yaml:12", "DAG_VAR_X", "stored", "default" */
const char *stored_from(struct cli *cli, const struct setting *setting);

#endif
