#include <sqlite3.h>
#include <uv.h>
#include <yaml.h>

#include "cli/cli.h"

static enum status run(struct cli *cli, struct error *err)
{
    (void)err;
    if (!cli->json) {
        printf("dag %s\n", DAG_VERSION);
        return OK;
    }
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "dag", DAG_VERSION);
    json_kv_str(&w, "sqlite", sqlite3_libversion());
    json_kv_str(&w, "libuv", uv_version_string());
    json_kv_str(&w, "libyaml", yaml_get_version_string());
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
    return OK;
}

static const struct option options[] = {OPTION_END};

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "the version, with --json also of the libraries",
    .examples = "dag version\ndag version --json",
    .options = options,
    .run = run,
};
