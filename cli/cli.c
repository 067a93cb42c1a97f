#include "cli/cli.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static struct cli the_cli; /* global options point into it */

const struct option global_options[] = {
    OPTION_TEXT("project", 0, &the_cli.project_dir, "DIR",
        "the project's folder (default: found upwards from here; DAG_PROJECT)"),
    OPTION_TEXT("env", 0, &the_cli.environment, "NAME",
        "the environment: dag.NAME.yaml over dag.yaml (DAG_ENV)"),
    OPTION_FLAG("json", 0, &the_cli.json, "print one JSON object a line"),
    OPTION_FLAG("exit-status", 0, &the_cli.exit_status, "exit 1 when what is shown has failed"),
    OPTION_FLAG("help", 'h', &the_cli.help, "show this help"),
    OPTION_END,
};

struct cli *cli_begin(void)
{
    struct cli *cli = &the_cli;
    cli->arena = arena_new();
    bool plain = getenv("NO_COLOR") && *getenv("NO_COLOR");
    cli->colour_out = !plain && isatty(STDOUT_FILENO);
    cli->colour_err = !plain && isatty(STDERR_FILENO);
    return cli;
}

void cli_end(struct cli *cli)
{
    store_close(cli->reader);
    project_free(cli->project);
    arena_free(cli->arena);
}

enum status cli_reader(struct cli *cli, struct store **ret, struct error *err)
{
    if (!cli->reader) {
        const char *path = path_join(cli->arena, cli->project->state, "dag.db");
        enum status status = store_open_reader(path, &cli->reader, err);
        if (status != OK)
            return status;
    }
    *ret = cli->reader;
    return OK;
}

void cli_print_diagnostics(const struct diagnostics *list, FILE *out)
{
    struct strbuf text = {0};
    for (const struct diagnostic *d = list->first; d; d = d->next)
        error_format(&d->error, d->severity, &text);
    if (list->dropped)
        strbuf_printf(&text, "and %zu more\n", list->dropped);
    fputs(strbuf_text(&text), out);
    strbuf_done(&text);
}

enum status cli_parse_json_argument(
    struct cli *cli, const char *text, json_t **ret, struct error *err)
{
    enum { SIZE_MAX_BYTES = 1 << 20 };
    struct slice json = slice_of(text);
    const char *file = NULL;
    if (text[0] == '@') {
        file = text + 1;
        enum status status = file_read(file, SIZE_MAX_BYTES, cli->arena, &json, err);
        if (status != OK)
            return status;
    }
    return json_parse(json.p, json.size, file, ret, err);
}

enum status cli_confirm(struct cli *cli, bool yes, const char *question, struct error *err)
{
    (void)cli;
    if (yes)
        return OK;
    if (!isatty(STDIN_FILENO)) {
        error_set(err, ERR_USAGE, "%s", question);
        error_hint(err, "add --yes to go on without being asked, or --dry-run to see what it does");
        return ERR_USAGE;
    }
    fprintf(stderr, "%s [y/N] ", question);
    char answer[16] = "";
    if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return OK;
    return error_set(err, ERR_INTERRUPTED, "nothing was done");
}

/* ---- output ---------------------------------------------------------------------------------- */

struct table table_begin(struct arena *arena, size_t columns, const char *const *headings)
{
    struct table table = {.columns = columns, .arena = arena};
    for (size_t i = 0; i < columns; i++)
        table_add(&table, headings[i]);
    return table;
}

void table_add(struct table *table, const char *cell)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        const char **cells = arena_array(table->arena, const char *, capacity);
        if (table->count)
            memcpy(cells, table->cells, table->count * sizeof(*cells));
        table->cells = cells;
        table->capacity = capacity;
    }
    table->cells[table->count++] = cell ? arena_strdup(table->arena, cell) : "";
}

/* Display columns of a cell, escape sequences of colours left out. */
static size_t cell_width(const char *cell)
{
    size_t width = 0;
    while (*cell) {
        if (*cell == '\033') {
            cell += strcspn(cell, "m");
            cell += *cell == 'm';
            continue;
        }
        size_t run = strcspn(cell, "\033");
        width += utf8_width(cell, run);
        cell += run;
    }
    return width;
}

void table_print(const struct table *table, FILE *out)
{
    size_t *widths = arena_array(table->arena, size_t, table->columns);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = cell_width(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        bool last = column == table->columns - 1;
        fputs(table->cells[i], out);
        if (last)
            fputc('\n', out);
        else
            fprintf(out, "%*s", (int)(widths[column] - cell_width(table->cells[i]) + 2), "");
    }
}

static const struct {
    const char *state, *glyph, *colour;
} state_looks[] = {
    {"success", "✓", "32"},
    {"failed", "✕", "31"},
    {"running", "●", "34"},
    {"queued", "○", "37"},
    {"scheduled", "·", "37"},
    {"up_for_retry", "↻", "33"},
    {"up_for_reschedule", "◔", "35"},
    {"deferred", "◔", "35"},
    {"skipped", "–", "90"},
    {"upstream_failed", "⊘", "33"},
    {"restarting", "↻", "33"},
};

const char *cli_state_text(struct cli *cli, const char *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(state_looks); i++) {
        if (!str_equal(state, state_looks[i].state))
            continue;
        if (!cli->colour_out)
            return arena_printf(cli->arena, "%s %s", state_looks[i].glyph, state);
        return arena_printf(
            cli->arena, "\033[%sm%s %s\033[0m", state_looks[i].colour, state_looks[i].glyph, state);
    }
    return arena_printf(cli->arena, "  %s", state);
}

const char *cli_time(struct arena *arena, int64_t us)
{
    if (us == TIME_NONE)
        return "";
    struct civil civil = civil_from_us(us);
    char date[TIME_TEXT_SIZE];
    time_format_date(us, date);
    if (us % US_PER_DAY == 0)
        return arena_strdup(arena, date);
    return arena_printf(arena, "%s %02d:%02d:%02d", date, civil.hour, civil.minute, civil.second);
}

void cli_print_json(const json_t *tree)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, tree);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}
