#include "cli/cli.h"
#include "definition/project.h"

static bool origin;

static void print_json(const struct setting *setting)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "name", setting->name);
    json_kv_str(&w, "value", setting->value);
    json_kv_str(&w, "origin", origin_name(setting->origin));
    json_kv_str(&w, "source", setting->source);
    if (setting->line)
        json_kv_int(&w, "line", setting->line);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static enum status run(struct cli *cli, struct error *err)
{
    const struct project *project = cli->project;
    if (cli->arg_count && !project_find_setting(project, cli->args[0])) {
        error_set(err, ERR_NOT_FOUND, "there is no setting `%s`", cli->args[0]);
        error_hint(err, "`dag config` shows all");
        return ERR_NOT_FOUND;
    }
    static const char *const headings[] = {"SETTING", "VALUE", "FROM", "PLACE"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < project->setting_count; i++) {
        const struct setting *setting = &project->settings[i];
        if (cli->arg_count && !str_equal(setting->name, cli->args[0]))
            continue;
        if (cli->json) {
            print_json(setting);
        } else if (!origin) {
            printf("%s: %s\n", setting->name, setting->value ? setting->value : "");
        } else {
            table_add(&table, setting->name);
            table_add(&table, setting->value);
            table_add(&table, origin_name(setting->origin));
            table_add(&table,
                setting->line ? arena_printf(cli->arena, "%s:%u", setting->source, setting->line)
                              : setting->source);
        }
    }
    if (!cli->json && origin)
        table_print(&table, stdout);
    return OK;
}

static const struct option options[] = {
    OPTION_FLAG("origin", 0, &origin, "show where each value came from"),
    OPTION_END,
};

const struct command command_config = {
    .name = "config",
    .arguments = "[SETTING]",
    .arguments_max = 1,
    .summary = "the project's settings",
    .description = "Shows the settings as they are after dag.yaml, the environment's file and the "
                   "environment variables. Secrets are masked.",
    .examples = "dag config\ndag config --origin\ndag --env production config timezone",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
