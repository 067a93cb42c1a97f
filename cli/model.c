/* dag model: the versions of the models that pipelines train, and which of them is in service. */
#include <unistd.h>

#include "base/process.h"
#include "cli/cli.h"
#include "executor/registry.h"

/* Of a version in the list; `show` has all. */
enum { METRICS_LISTED = 3 };

static const char *note;
static bool dry_run;

/* ---- what is there --------------------------------------------------------------------------- */

/* "auc 0.97, recall 0.9 …": the numbers among the metrics, the first `most` of them. */
static const char *metrics_text(struct cli *cli, const json_t *metrics, size_t most)
{
    CLEANUP(strbuf_done) struct strbuf text = {0};
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)metrics, key, value)
    {
        if (json_is_number(value) && count++ < most)
            strbuf_printf(&text, "%s%s %.4g", text.size ? ", " : "", key, json_number_value(value));
    }
    if (count > most)
        strbuf_add_str(&text, " …");
    return strbuf_to_arena(&text, cli->arena);
}

static const char *service_text(struct cli *cli, const struct model_version *version)
{
    if (version->until)
        return arena_printf(cli->arena, "until %s", version->until);
    return version->current ? "in service" : "";
}

static const char *count_text(struct cli *cli, int64_t count)
{
    return count < 0 ? "" : arena_printf(cli->arena, "%lld", (long long)count);
}

static void print_json(const struct model_version *version, const json_t *evaluation)
{
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    registry_describe(version, &w);
    if (evaluation) {
        json_key(&w, "evaluation");
        json_tree(&w, evaluation);
    }
    json_object_end(&w);
    puts(strbuf_text(&text));
}

static void print_versions(struct cli *cli, const struct model_versions *versions)
{
    static const char *const headings[] = {
        "MODEL", "VERSION", "SERVICE", "METRICS", "SCORED", "REASON"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < versions->count; i++) {
        const struct model_version *version = &versions->at[i];
        if (cli->json) {
            print_json(version, NULL);
            continue;
        }
        table_add(&table, version->name);
        table_add(&table, version->version);
        table_add(&table, service_text(cli, version));
        table_add(&table, metrics_text(cli, version->metrics, METRICS_LISTED));
        table_add(&table, count_text(cli, version->scored));
        table_add(&table, version->reason ? version->reason : "");
    }
    if (!cli->json && versions->count)
        table_print(&table, stdout);
    else if (!cli->json)
        fprintf(stderr, "the registry has no model yet: a training adds one\n");
}

/* What they scored is told beside the rest: without it they are shown all the same. */
static void load_scored(struct registry_session *session, struct model_versions *versions)
{
    const struct endpoint *scored = session->registry->scored;
    struct error err;
    const json_t *rows;
    if (!scored)
        return;
    if (registry_rows(session, scored->sql, &rows, &err) == OK)
        registry_read_scored(rows, versions);
    else
        fprintf(stderr, "warning: what was scored is not known, `models.scored` failed: %s\n",
            err.message);
}

static enum status list(struct cli *cli, struct registry_session *session, struct error *err)
{
    struct model_versions versions;
    const struct model_version *newest;
    const char *name = cli->arg_count > 1 ? cli->args[1] : NULL;
    enum status status = registry_load(session, name, NULL, &versions, &newest, err);
    if (status != OK)
        return status;
    load_scored(session, &versions);
    print_versions(cli, &versions);
    return OK;
}

/* ---- one of them ----------------------------------------------------------------------------- */

static void print_fact(const char *heading, const char *text)
{
    if (text && *text)
        printf("  %-11s %s\n", heading, text);
}

static const char *rows_text(struct cli *cli, const struct model_version *v)
{
    if (v->rows_train < 0)
        return NULL;
    return arena_printf(cli->arena, "%lld to train, %s to test", (long long)v->rows_train,
        v->rows_test < 0 ? "unknown" : count_text(cli, v->rows_test));
}

static const char *scored_text(struct cli *cli, const struct model_version *v)
{
    if (v->scored < 0)
        return NULL;
    return arena_printf(cli->arena, "%lld%s%s", (long long)v->scored,
        v->scored_newest ? ", the newest of " : "", v->scored_newest ? v->scored_newest : "");
}

static const char *decided_text(struct cli *cli, const struct model_version *v)
{
    if (!v->decided_by)
        return NULL;
    return arena_printf(
        cli->arena, "by %s, %s UTC", v->decided_by, cli_time(cli->arena, v->decided_us));
}

/* "observed walk: 40 as walk, 3 as other" */
static void print_confusion(const json_t *points)
{
    const char *before = NULL;
    size_t i;
    json_t *point;
    json_array_foreach((json_t *)points, i, point)
    {
        const char *observed = json_string_value(json_object_get(point, "series"));
        if (!str_equal(json_string_value(json_object_get(point, "part")), "confusion"))
            continue;
        if (!str_equal(before, observed))
            printf("%s  observed %s: ", before ? "\n" : "", observed);
        printf("%s%.0f as %s", str_equal(before, observed) ? ", " : "",
            json_number_value(json_object_get(point, "y")),
            json_string_value(json_object_get(point, "label")));
        before = observed;
    }
    if (before)
        printf("\n");
}

static void print_version(struct cli *cli, const struct model_version *v, const json_t *points)
{
    const char *service = service_text(cli, v);
    printf("%s %s\n", v->name, v->version);
    print_fact("service", *service ? service : "out of service");
    print_fact("reason", v->reason);
    print_fact("decided", decided_text(cli, v));
    print_fact("metrics", metrics_text(cli, v->metrics, SIZE_MAX));
    print_fact("rows", rows_text(cli, v));
    print_fact("scored", scored_text(cli, v));
    print_fact("trained", arena_printf(cli->arena, "on rows before %s, %s UTC", v->mdate,
                              cli_time(cli->arena, v->trained_us)));
    print_fact("by", v->run_id
                         ? arena_printf(cli->arena, "%s %s", v->dag_id ? v->dag_id : "", v->run_id)
                         : v->dag_id);
    print_fact("kind", v->kind);
    print_fact("place", v->place);
    print_fact("features", v->features);
    print_confusion(points);
}

static enum status show(struct cli *cli, struct registry_session *session, struct error *err)
{
    struct model_versions versions;
    const struct model_version *version;
    const json_t *points;
    enum status status = registry_load(
        session, cli->args[1], cli->arg_count > 2 ? cli->args[2] : NULL, &versions, &version, err);
    if (status != OK)
        return status;
    load_scored(session, &versions);
    status = registry_evaluation(session, version, &points, err);
    if (status == OK && cli->json)
        print_json(version, points);
    else if (status == OK)
        print_version(cli, version, points);
    return status;
}

/* ---- changing -------------------------------------------------------------------------------- */

static void print_change(struct cli *cli, const struct registry_changed *changed)
{
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "name", cli->args[1]);
    json_kv_str(&w, "version", cli->args[2]);
    json_kv_str(&w, "current", changed->current);
    json_key(&w, "retired");
    json_array_begin(&w);
    for (size_t i = 0; i < changed->retired_count; i++)
        json_str(&w, changed->retired[i]);
    json_array_end(&w);
    json_kv_bool(&w, "dry_run", dry_run);
    json_object_end(&w);
    puts(strbuf_text(&text));
}

static enum status change(
    struct cli *cli, struct registry_session *session, bool promote, struct error *err)
{
    char user[64];
    struct registry_changed changed;
    process_user_name(geteuid(), user);
    const struct registry_change change = {.name = cli->args[1],
        .version = cli->args[2],
        .by = user,
        .note = note,
        .promote = promote,
        .dry_run = dry_run};
    enum status status = registry_change(session, &change, &changed, err);
    if (status != OK)
        return status;
    if (cli->json) {
        print_change(cli, &changed);
        return OK;
    }
    for (size_t i = 0; i < changed.retired_count; i++)
        printf("%s %s: %s\n", cli->args[1], changed.retired[i],
            dry_run ? "would be retired" : "retired");
    if (changed.current)
        printf(
            "%s %s: %s in service\n", cli->args[1], changed.current, dry_run ? "would be" : "is");
    else
        printf("%s: no version %s in service\n", cli->args[1], dry_run ? "would be" : "is");
    return OK;
}

static enum status promote(struct cli *cli, struct registry_session *session, struct error *err)
{
    return change(cli, session, true, err);
}

static enum status retire(struct cli *cli, struct registry_session *session, struct error *err)
{
    return change(cli, session, false, err);
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t words_min, words_max;
    enum status (*run)(struct cli *cli, struct registry_session *session, struct error *err);
} verbs[] = {{"list", 1, 2, list}, {"show", 2, 3, show}, {"promote", 3, 3, promote},
    {"retire", 3, 3, retire}};

static enum status run(struct cli *cli, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        struct registry_session session;
        if (!str_equal(cli->args[0], verbs[i].name) || cli->arg_count < verbs[i].words_min ||
            cli->arg_count > verbs[i].words_max)
            continue;
        enum status status = registry_open(cli->project, cli->arena, &session, err);
        if (status != OK)
            return status;
        status = verbs[i].run(cli, &session, err);
        registry_close(&session);
        return status;
    }
    error_set(err, ERR_USAGE,
        "dag model wants `list [NAME]`, `show NAME [VERSION]`, `promote NAME VERSION` or "
        "`retire NAME VERSION`");
    error_hint(err, "see `dag model -h`");
    return ERR_USAGE;
}

static const struct option options[] = {
    OPTION_TEXT("note", 0, &note, "T", "promote, retire: why, for the registry"),
    OPTION_FLAG("dry-run", 0, &dry_run, "promote, retire: show what would change and stop"),
    OPTION_END,
};

const struct command command_model = {
    .name = "model",
    .arguments = "list [NAME] | show NAME [VERSION] | promote NAME VERSION | retire NAME VERSION",
    .arguments_min = 1,
    .arguments_max = 3,
    .summary = "models: versions, how good they are, which is in service",
    .description =
        "The registry of models is a table of a database: `models` in dag.yaml says where. `list` "
        "shows versions, newest first; `show` one of them, the newest without VERSION. Trainings "
        "put a version in service by a rule. `promote` does it by hand: that version enters "
        "service and every newer one leaves it, in one transaction; `retire` takes one out. The "
        "registry keeps who did it, when, and the note. What was scored already stays as it is: "
        "`dag clear` scores a day again.",
    .examples = "dag model list\ndag model show rf_walk 2007-05-01\n"
                "dag model promote rf_walk 2007-05-01 --note 'June takes buses for walks'\n"
                "dag model retire rf_walk 2007-06-01 --dry-run",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
