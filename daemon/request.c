#include "daemon/request.h"

#include "base/clock.h"
#include "base/vec.h"
#include "definition/param.h"
#include "language/timetable/timetable.h"
#include "language/timetable/zone.h"

/* What the reading functions share. */
struct reading {
    const json_t *act;
    const char *dag_id;
    const struct dag *dag;
    const struct zone *zone;
    struct store *reader;
    struct arena *arena;
};

static const char *text_of(const json_t *act, const char *key)
{
    return json_string_value(json_object_get(act, key));
}

static bool flag_of(const json_t *act, const char *key)
{
    return json_is_true(json_object_get(act, key));
}

/* ---- runs ------------------------------------------------------------------------------------ */

static enum status no_such_run(const char *dag_id, const char *word, struct error *err)
{
    error_set(err, ERR_NOT_FOUND, "`%s` has no run `%s`", dag_id, word);
    error_hint(err, "`dag status %s` lists its runs", dag_id);
    return ERR_NOT_FOUND;
}

enum status request_find_runs(const char *dag_id, const char *word, const struct zone *zone,
    struct store *reader, bool may_be_none, struct arena *arena, struct run_rows *ret,
    struct error *err)
{
    struct run_filter filter = {.dag_id = dag_id, .limit = 1};
    int64_t logical_us = 0;
    struct error parse_error;
    if (str_equal(word, "failed"))
        filter.states = 1u << RUN_FAILED;
    else if (!str_equal(word, "latest")) {
        bool is_date = zone_parse_time(zone, slice_of(word), &logical_us, NULL, &parse_error) == OK;
        if (is_date) {
            filter.has_from = filter.has_to = true;
            filter.from_us = filter.to_us = logical_us;
        } else {
            filter.run_id = word;
        }
    }
    enum status status = store_read_runs(reader, &filter, arena, ret, err);
    if (status == OK && ret->count == 0 && !may_be_none)
        return no_such_run(dag_id, word, err);
    return status;
}

static enum status read_date(
    const struct reading *in, const char *key, bool end, int64_t *ret_us, struct error *err)
{
    const char *text = text_of(in->act, key);
    if (!text)
        return error_set(err, ERR_INVALID, "`%s` is missing, or is no text", key);
    enum status status = end ? zone_parse_end(in->zone, slice_of(text), ret_us, err)
                             : zone_parse_time(in->zone, slice_of(text), ret_us, NULL, err);
    return status == OK ? OK : error_context(err, "%s: ", key);
}

static enum status read_from_to(
    const struct reading *in, int64_t *ret_from_us, int64_t *ret_to_us, struct error *err)
{
    enum status status = read_date(in, "from", false, ret_from_us, err);
    if (status == OK)
        status = read_date(in, "to", true, ret_to_us, err);
    if (status == OK && *ret_from_us > *ret_to_us)
        return error_set(err, ERR_INVALID, "from %s is after to %s", text_of(in->act, "from"),
            text_of(in->act, "to"));
    return status;
}

static enum status read_existing(const struct reading *in, int64_t from_us, int64_t to_us,
    struct request *request, struct error *err);

/* `dag mark` of whole runs over a range: its dates without a run too. */
static enum status read_marked_range(
    const struct reading *in, struct request *request, struct error *err)
{
    struct backfill_record *range = &request->backfill;
    request->dates_too = true;
    enum status status = read_from_to(in, &range->from_us, &range->to_us, err);
    return status == OK ? read_existing(in, range->from_us, range->to_us, request, err) : status;
}

static enum status read_range(
    const struct reading *in, bool may_be_none, struct run_rows *ret, struct error *err)
{
    struct run_filter filter = {.dag_id = in->dag_id, .has_from = true, .has_to = true};
    enum status status = read_from_to(in, &filter.from_us, &filter.to_us, err);
    if (status == OK)
        status = store_read_runs(in->reader, &filter, in->arena, ret, err);
    if (status == OK && ret->count == 0 && !may_be_none)
        return error_set(err, ERR_NOT_FOUND, "`%s` has no runs from %s to %s", in->dag_id,
            text_of(in->act, "from"), text_of(in->act, "to"));
    return status;
}

static enum status read_named_runs(
    const struct reading *in, const json_t *words, struct run_rows *ret, struct error *err)
{
    VEC(struct run_record) all = {0};
    enum status status = OK;
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word)
    {
        struct run_rows rows;
        if (!json_is_string(word))
            status = error_set(err, ERR_INVALID, "`runs` is a list of texts");
        else
            status = request_find_runs(in->dag_id, json_string_value(word), in->zone, in->reader,
                false, in->arena, &rows, err);
        if (status != OK)
            break;
        for (size_t j = 0; j < rows.count; j++)
            vec_push(&all, rows.at[j]);
    }
    ret->at = arena_memdup(in->arena, all.at, all.count * sizeof(*all.at));
    ret->count = all.count;
    vec_done(&all);
    return status;
}

static enum status read_runs(
    const struct reading *in, struct request *request, struct run_rows *ret, struct error *err)
{
    const json_t *words = json_object_get(in->act, "runs");
    enum status status = json_array_size(words) ? read_named_runs(in, words, ret, err)
                         : text_of(in->act, "from")
                             ? read_range(in, request->dates_too, ret, err)
                             : error_set(err, ERR_INVALID, "neither `runs` nor `from` and `to`");
    if (status != OK)
        return status;
    struct run_id *ids = arena_array(in->arena, struct run_id, ret->count);
    for (size_t i = 0; i < ret->count; i++)
        ids[i] = ret->at[i].id;
    request->runs = ids;
    request->run_count = ret->count;
    return OK;
}

/* `dag mark` may name a date that has no run: work that was done elsewhere. */
static enum status read_marked(
    const struct reading *in, struct request *request, struct run_rows *ret, struct error *err)
{
    const json_t *words = json_object_get(in->act, "runs");
    if (!json_array_size(words) && text_of(in->act, "from") && !request->task_count) {
        enum status status = read_marked_range(in, request, err);
        return status == OK ? read_runs(in, request, ret, err) : status;
    }
    if (json_array_size(words) != 1)
        return read_runs(in, request, ret, err);
    const char *word = json_string_value(json_array_get(words, 0));
    struct run_rows rows;
    enum status status = request_find_runs(
        in->dag_id, word ? word : "", in->zone, in->reader, true, in->arena, &rows, err);
    if (status != OK || rows.count)
        return status == OK ? read_runs(in, request, ret, err) : status;
    struct error parse_error;
    if (!word ||
        zone_parse_time(in->zone, slice_of(word), &request->logical_us, NULL, &parse_error) != OK)
        return no_such_run(in->dag_id, word ? word : "", err);
    return OK;
}

/* ---- the parts of a request ------------------------------------------------------------------ */

/* The text of a member that is a JSON object, or left out. */
static enum status read_object(
    const struct reading *in, const char *key, const char **ret, struct error *err)
{
    const json_t *value = json_object_get(in->act, key);
    if (!value || json_is_null(value))
        return OK;
    if (!json_is_object(value)) {
        error_set(err, ERR_INVALID, "%s must be a JSON object", key);
        error_hint(err, "write it like {\"key\": \"value\"}");
        return ERR_INVALID;
    }
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, value);
    *ret = strbuf_to_arena(&text, in->arena);
    strbuf_done(&text);
    return OK;
}

/* What the DAG's parameters do not allow is refused here, and not task by task. */
static enum status read_conf(const struct reading *in, const char **ret, struct error *err)
{
    const json_t *conf = json_object_get(in->act, "conf");
    enum status status = read_object(in, "conf", ret, err);
    if (status == OK && in->dag && conf)
        status = param_check_conf(in->dag, conf, err);
    return status;
}

/* The dates that have runs in [from, to], sorted. */
static enum status read_existing(const struct reading *in, int64_t from_us, int64_t to_us,
    struct request *request, struct error *err)
{
    struct run_filter filter = {.dag_id = in->dag_id,
        .has_from = true,
        .from_us = from_us,
        .has_to = true,
        .to_us = to_us,
        .oldest_first = true};
    struct run_rows rows;
    enum status status = store_read_runs(in->reader, &filter, in->arena, &rows, err);
    if (status != OK)
        return status;
    int64_t *dates = arena_array(in->arena, int64_t, rows.count);
    enum run_state *states = arena_array(in->arena, enum run_state, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        dates[i] = rows.at[i].logical_us;
        states[i] = rows.at[i].state;
    }
    request->existing = dates;
    request->existing_state = states;
    request->existing_count = rows.count;
    return OK;
}

static enum status read_trigger(
    const struct reading *in, struct request *request, struct error *err)
{
    struct timetable_run latest;
    int64_t now_us = clock_now().wall_us, from_us = now_us - US_PER_MINUTE;
    request->logical_us = TIME_NONE;
    enum status status = OK;
    if (json_object_get(in->act, "logical_date")) {
        status = read_date(in, "logical_date", false, &request->logical_us, err);
        from_us = request->logical_us;
    } else if (in->dag && in->dag->timetable &&
               timetable_latest(in->dag->timetable, now_us, &latest)) {
        from_us = latest.logical_us;
    }
    if (status == OK)
        status = read_conf(in, &request->conf, err);
    return status == OK ? read_existing(in, from_us, INT64_MAX, request, err) : status;
}

static enum status read_backfill(
    const struct reading *in, struct request *request, struct error *err)
{
    struct backfill_record *backfill = &request->backfill;
    const char *only = text_of(in->act, "only");
    backfill->only = only ? only : "missing";
    if (!str_equal(backfill->only, "missing") && !str_equal(backfill->only, "failed") &&
        !str_equal(backfill->only, "all"))
        return error_set(
            err, ERR_INVALID, "only is missing, failed or all, not `%s`", backfill->only);
    backfill->dag_id = in->dag_id;
    backfill->reverse = flag_of(in->act, "reverse");
    int64_t active = json_integer_value(json_object_get(in->act, "max_active_runs"));
    if (active < 0 || active > INT32_MAX)
        return error_set(
            err, ERR_INVALID, "max_active_runs is a positive number, not %lld", (long long)active);
    backfill->max_active_runs = (int32_t)active;
    backfill->conf = "{}";
    enum status status = read_conf(in, &backfill->conf, err);
    request->conf = backfill->conf;
    if (status == OK)
        status = read_from_to(in, &backfill->from_us, &backfill->to_us, err);
    return status == OK ? read_existing(in, backfill->from_us, backfill->to_us, request, err)
                        : status;
}

static enum status read_tasks(const struct reading *in, struct request *request, struct error *err)
{
    const json_t *tasks = json_object_get(in->act, "tasks");
    const char **ids = arena_array(in->arena, const char *, json_array_size(tasks));
    for (size_t i = 0; i < json_array_size(tasks); i++) {
        ids[i] = json_string_value(json_array_get(tasks, i));
        if (!ids[i])
            return error_set(err, ERR_INVALID, "`tasks` is a list of texts");
    }
    request->tasks = ids;
    request->task_count = json_array_size(tasks);
    return OK;
}

static enum status read_mark_state(
    const struct reading *in, struct request *request, struct error *err)
{
    const char *state = text_of(in->act, "state");
    if (state && task_state_parse(state, &request->mark_state) &&
        (request->mark_state == TASK_SUCCESS || request->mark_state == TASK_FAILED ||
            request->mark_state == TASK_SKIPPED))
        return OK;
    error_set(err, ERR_INVALID, "a run or task is marked success, failed or skipped, not `%s`",
        state ? state : "");
    return ERR_INVALID;
}

static enum status read_selection(
    const struct reading *in, struct request *request, struct run_rows *ret_runs, struct error *err)
{
    enum status status = read_tasks(in, request, err);
    if (status == OK && request->kind == REQUEST_MARK)
        status = read_mark_state(in, request, err);
    if (status != OK)
        return status;
    return request->kind == REQUEST_MARK ? read_marked(in, request, ret_runs, err)
                                         : read_runs(in, request, ret_runs, err);
}

static enum status read_asset_event(
    const struct reading *in, struct request *request, struct error *err)
{
    request->asset = text_of(in->act, "asset");
    if (!request->asset)
        return error_set(err, ERR_INVALID, "asset_event: `asset` is missing, or is no text");
    return read_object(in, "extra", &request->extra, err);
}

enum status request_read(const json_t *act, const char *user_name, const struct dag *dag,
    struct store *reader, struct arena *arena, struct request *ret, struct run_rows *ret_runs,
    struct error *err)
{
    struct reading in = {.act = act,
        .dag_id = text_of(act, "dag_id"),
        .dag = dag,
        .zone = dag ? dag->zone : zone_utc(),
        .reader = reader,
        .arena = arena};
    const char *op = text_of(act, "op"), *uuid = text_of(act, "uuid");
    *ret = (struct request){.user = user_name, .dag_id = in.dag_id, .logical_us = TIME_NONE};
    *ret_runs = (struct run_rows){0};
    if (!op || !request_kind_parse(op, &ret->kind))
        return error_set(err, ERR_INVALID, "there is no act `%s`", op ? op : "");
    if (ret->kind == REQUEST_ASSET_EVENT || ret->kind == REQUEST_SETTINGS)
        ret->dag_id = NULL;
    else if (!in.dag_id)
        return error_set(err, ERR_INVALID, "%s: `dag_id` is missing", op);
    if (!uuid || !uuid_valid(uuid))
        return error_set(err, ERR_INVALID, "%s: `uuid` must be a UUID", op);
    snprintf(ret->uuid, sizeof(ret->uuid), "%s", uuid);
    ret->note = text_of(act, "note");
    ret->downstream = flag_of(act, "downstream");
    ret->only_failed = flag_of(act, "failed");
    ret->same_version = flag_of(act, "same_version");
    ret->force = flag_of(act, "force");
    ret->dry_run = flag_of(act, "dry_run");
    switch (ret->kind) {
    case REQUEST_TRIGGER: return read_trigger(&in, ret, err);
    case REQUEST_BACKFILL: return read_backfill(&in, ret, err);
    case REQUEST_ASSET_EVENT: return read_asset_event(&in, ret, err);
    case REQUEST_CLEAR:
    case REQUEST_MARK:
    case REQUEST_CANCEL: return read_selection(&in, ret, ret_runs, err);
    default: return OK;
    }
}
