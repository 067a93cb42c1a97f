#include "executor/registry.h"

#include "executor/limits.h"
#include "scheduler/plan.h"

#define UTC(column) "to_char(" column " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

#define COLUMNS                                                                                    \
    "name, version, to_char(mdate, 'YYYY-MM-DD') as mdate, kind, place, metrics, features,"        \
    " dag_id, run_id, rows_train, rows_test, in_service, reason, decided_by,"                      \
    " " UTC("decided_at") " as decided_at, " UTC("trained_at") " as trained_at"
#define NEWEST_FIRST "ranked.mdate desc, ranked.version desc"

char *registry_versions_sql(
    const struct registry *registry, const char *name, int most, struct arena *arena)
{
    return arena_printf(arena,
        "select " COLUMNS " from %s as ranked where name = %s order by " NEWEST_FIRST " limit %d",
        registry->table, name, most);
}

char *registry_models_sql(const struct registry *registry, struct arena *arena)
{
    return arena_printf(arena,
        "select " COLUMNS ", versions from (select *,"
        " count(*) over (partition by name) as versions,"
        " row_number() over (partition by name order by mdate desc, version desc) as place_of_all,"
        " row_number() over (partition by name, in_service order by mdate desc, version desc)"
        " as place_of_these from %s) as ranked"
        " where place_of_all <= %d or (in_service and place_of_these = 1)"
        " order by ranked.name, " NEWEST_FIRST " limit %d",
        registry->table, MODEL_NEWEST_MAX, MODEL_VERSIONS_MAX);
}

char *registry_evaluation_sql(
    const struct registry *registry, const char *name, const char *version, struct arena *arena)
{
    return arena_printf(arena,
        "select part, n, series, label, x, y from %s where name = %s and version = %s"
        " order by case part when 'confusion' then 0 when 'roc' then 1"
        " when 'precision_recall' then 2 else 3 end, part, series, n limit %d",
        registry->evaluation, name, version, MODEL_POINTS_MAX);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static int64_t count_of(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : -1;
}

static int64_t time_of(const json_t *row, const char *key)
{
    const char *text = text_of(row, key);
    int64_t us;
    bool has_offset, date_only;
    struct error ignored;
    bool known =
        text && time_parse_iso(slice_of(text), &us, &has_offset, &date_only, &ignored) == OK;
    return known ? us : TIME_NONE;
}

static const char *text_or(const json_t *row, const char *key)
{
    const char *text = text_of(row, key);
    return text ? text : "";
}

static struct model_version read_version(const json_t *row)
{
    return (struct model_version){.name = text_or(row, "name"),
        .version = text_or(row, "version"),
        .mdate = text_or(row, "mdate"),
        .kind = text_or(row, "kind"),
        .place = text_or(row, "place"),
        .features = text_of(row, "features"),
        .dag_id = text_of(row, "dag_id"),
        .run_id = text_of(row, "run_id"),
        .reason = text_of(row, "reason"),
        .decided_by = text_of(row, "decided_by"),
        .metrics = json_object_get(row, "metrics"),
        .rows_train = count_of(row, "rows_train"),
        .rows_test = count_of(row, "rows_test"),
        .decided_us = time_of(row, "decided_at"),
        .trained_us = time_of(row, "trained_at"),
        .in_service = json_is_true(json_object_get(row, "in_service")),
        .versions = count_of(row, "versions"),
        .scored = -1};
}

void registry_read_versions(const json_t *rows, struct arena *arena, struct model_versions *ret)
{
    const struct model_version *next = NULL; /* in service, of the same model, newer */
    size_t i;
    json_t *row;
    *ret = (struct model_versions){
        arena_array(arena, struct model_version, json_array_size(rows)), json_array_size(rows)};
    json_array_foreach((json_t *)rows, i, row)
    {
        struct model_version *version = &ret->at[i];
        *version = read_version(row);
        if (next && !str_equal(next->name, version->name))
            next = NULL;
        version->current = version->in_service && !next;
        version->until = version->in_service && next ? next->mdate : NULL;
        next = version->in_service ? version : next;
    }
}

/* A version of a model that is told of, but not itself, has scored nothing. */
static void add_scored(const json_t *row, struct model_version *version)
{
    if (!str_equal(version->name, text_of(row, "name")))
        return;
    version->scored = version->scored < 0 ? 0 : version->scored;
    if (!str_equal(version->version, text_of(row, "version")))
        return;
    version->scored = count_of(row, "scored");
    version->scored_newest = text_of(row, "newest");
}

void registry_read_scored(const json_t *rows, struct model_versions *versions)
{
    size_t n;
    json_t *row;
    json_array_foreach((json_t *)rows, n, row) for (size_t i = 0; i < versions->count; i++)
        add_scored(row, &versions->at[i]);
}

/* ---- what is not there ----------------------------------------------------------------------- */

static enum status no_such(const char *what, const char *given, const char *const *names,
    size_t count, const char *command, struct error *err)
{
    const char *near = suggest(given, names, count);
    error_set(err, ERR_NOT_FOUND, "there is no %s `%s` in the registry", what, given);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else
        error_hint(err, "`%s` shows those there are", command);
    return ERR_NOT_FOUND;
}

enum status registry_find(const struct model_versions *versions, const char *name,
    const char *version, const struct model_version **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char **names = arena_array(arena, const char *, versions->count);
    const char **of_name = arena_array(arena, const char *, versions->count);
    size_t count = 0;
    for (size_t i = 0; i < versions->count; i++) {
        struct model_version *at = &versions->at[i];
        names[i] = at->name;
        if (!str_equal(at->name, name))
            continue;
        of_name[count++] = at->version;
        if (version && !str_equal(at->version, version))
            continue;
        *ret = at;
        return OK;
    }
    if (!count)
        return no_such("model", name, names, versions->count, "dag model list", err);
    return no_such(arena_printf(arena, "version of `%s`:", name), version, of_name, count,
        arena_printf(arena, "dag model list %s", name), err);
}

enum status registry_connection(
    const struct project *project, const struct connection **ret, struct error *err)
{
    const struct registry *registry = project->registry;
    if (!registry) {
        error_set(err, ERR_NOT_FOUND, "the project has no registry of models");
        error_hint(err, "say in dag.yaml where it is: `models: {connection: NAME}`; "
                        "docs/models.md says what it is for");
        return ERR_NOT_FOUND;
    }
    *ret = registry->connection ? project_find_connection(project, registry->connection) : NULL;
    if (*ret)
        return OK;
    error_set(err, ERR_CONNECT, "`models` asks the connection `%s`, which there is not",
        registry->connection ? registry->connection : "(none)");
    error_hint(err, "declare it under `connections` in dag.yaml, or store it with `dag conn set`");
    return ERR_CONNECT;
}

enum status registry_explain(const struct registry *registry, struct error *err)
{
    bool table = str_equal(err->sqlstate, "42P01") || str_equal(err->sqlstate, "3F000");
    if (err->status == ERR_ENDPOINT_SQL || err->status == ERR_ENDPOINT_ANSWER)
        err->status = ERR_REGISTRY;
    if (table)
        error_hint(err,
            "`dag migrate` makes the registry's tables; `models` in dag.yaml names "
            "others than %s and %s",
            registry->table, registry->evaluation);
    return err->status;
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void write_count(struct json_writer *w, const char *key, int64_t count)
{
    json_key(w, key);
    if (count < 0)
        json_null_value(w);
    else
        json_int(w, count);
}

void registry_describe(const struct model_version *v, struct json_writer *w)
{
    json_kv_str(w, "name", v->name);
    json_kv_str(w, "version", v->version);
    json_kv_str(w, "mdate", v->mdate);
    json_kv_str(w, "kind", v->kind);
    json_kv_str(w, "place", v->place);
    json_key(w, "metrics");
    json_tree(w, v->metrics);
    json_kv_str(w, "features", v->features);
    json_kv_str(w, "dag_id", v->dag_id);
    json_kv_str(w, "run_id", v->run_id);
    write_count(w, "rows_train", v->rows_train);
    write_count(w, "rows_test", v->rows_test);
    json_kv_bool(w, "in_service", v->in_service);
    json_kv_bool(w, "current", v->current);
    json_kv_str(w, "until", v->until);
    json_kv_str(w, "reason", v->reason);
    json_kv_str(w, "decided_by", v->decided_by);
    json_kv_time(w, "decided_at", v->decided_us);
    json_kv_time(w, "trained_at", v->trained_us);
    write_count(w, "scored", v->scored);
    json_kv_str(w, "scored_newest", v->scored_newest);
}
