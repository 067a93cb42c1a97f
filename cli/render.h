/* What `dag render` prints besides the text: the source map, and what changed since a run. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "cli/cli.h"
#include "definition/context/context.h"

/* A line (with --json an object) for every stretch of a rendered text: where it lies in the text,
   the file, line and column that made it, whether it stands there so or was made there, and the
   marks of what was pasted.  `field` NULL: of a template alone. */
void render_print_map(struct cli *cli, const char *field, const struct jinja_result *map);

/* A task, or an instance of a mapped one. */
struct render_instance {
    const struct dag *dag;
    const struct task *task;
    int32_t map_index; /* -1 = not mapped */
};

/* The unified diff between what the last attempt of the task in RUN rendered and what it would
   render now: same date, conf, XCom, values of `mapped` and seed.  ERR_NOT_FOUND when it has
   rendered nothing. */
enum status render_print_diff(struct cli *cli, const struct render_instance *instance,
    const struct render_target *target, const char *run, struct error *err) MUST_CHECK;

/* Prints the unified diff of two texts; false when they are the same. */
bool diff_print(const char *old_name, struct slice old_text, const char *new_name,
    struct slice new_text, FILE *out);

#endif
