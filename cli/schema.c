/* dag schema: JSON Schema for editors. */
#include "definition/schema.h"
#include "cli/cli.h"
#include "testing/testfile.h"

static const struct schema *const schemas[] = {&dag_schema, &project_schema, &test_schema};

static enum status run(struct cli *cli, struct error *err)
{
    const char *names[ARRAY_SIZE(schemas)];
    const char *wanted = cli->arg_count ? cli->args[0] : schemas[0]->name;
    for (size_t i = 0; i < ARRAY_SIZE(schemas); i++) {
        names[i] = schemas[i]->name;
        if (!str_equal(schemas[i]->name, wanted))
            continue;
        puts(schema_write(schemas[i], cli->arena));
        return OK;
    }
    const char *near = suggest(wanted, names, ARRAY_SIZE(names));
    error_set(err, ERR_USAGE, "there is no schema `%s`", wanted);
    error_hint(err, near ? "did you mean `%s`?" : "there are dag, project and test", near);
    return ERR_USAGE;
}

static const struct option options[] = {OPTION_END};

const struct command command_schema = {
    .name = "schema",
    .arguments = "[dag|project|test]",
    .arguments_max = 1,
    .summary = "JSON Schema of DAG files, dag.yaml or test files",
    .description =
        "Prints the JSON Schema (draft 2020-12) of DAG files (default), of dag.yaml, or of "
        "*.test.yaml, for editors with a YAML language server. docs/editors.md says how.",
    .examples = "dag schema > .dag.schema.json\n"
                "dag schema project\ndag schema test > .test.schema.json",
    .options = options,
    .run = run,
};
