/* Requests: what people ask for.  Each is checked whole before anything is changed, so that a
   refused one leaves no trace but its answer. */
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

static enum status find_dag(
    const struct scheduler *s, const char *dag_id, struct live_dag **ret, struct error *err)
{
    struct live_dag *dag = dag_find(s, dag_id);
    if (!dag)
        return error_set(err, ERR_NOT_FOUND, "there is no DAG `%s`", dag_id ? dag_id : "");
    *ret = dag;
    return OK;
}

enum status request_dag(
    struct scheduler *s, const struct request *request, struct live_dag **ret, struct error *err)
{
    return find_dag(s, request->dag_id, ret, err);
}

enum status dag_for_new_run(
    struct scheduler *s, const char *dag_id, struct live_dag **ret, struct error *err)
{
    enum status status = find_dag(s, dag_id, ret, err);
    if (status)
        return status;
    if (scheduler_is_quarantined(s, dag_id)) {
        error_set(err, ERR_DAG_QUARANTINED,
            "DAG `%s` is quarantined: the scheduler aborted twice "
            "while at work on it",
            dag_id);
        error_hint(err, "when that is mended: dag unpause %s", dag_id);
        return ERR_DAG_QUARANTINED;
    }
    if ((*ret)->removed || !(*ret)->newest)
        return error_set(
            err, ERR_DAG_FILE_GONE, "the file of DAG `%s` is gone or was never read whole", dag_id);
    if (map_count(s->runs) >= RUNS_MAX)
        return error_set(err, ERR_LIMIT, "%d runs are live already", (int)RUNS_MAX);
    return OK;
}

enum status request_runs(
    struct scheduler *s, const struct request *request, struct run ***ret, struct error *err)
{
    if (request->run_count > REQUEST_RUNS_MAX)
        return error_set(err, ERR_LIMIT, "%zu runs at once; at most %d can be named",
            request->run_count, (int)REQUEST_RUNS_MAX);
    if (!request->run_count)
        return error_set(err, ERR_NOT_FOUND, "no run of `%s` is meant", request->dag_id);
    struct run **runs = arena_array(s->plan->arena, struct run *, request->run_count);
    for (size_t n = 0; n < request->run_count; n++) {
        runs[n] = run_find(s, request->runs[n]);
        if (!runs[n] || !str_equal(runs[n]->dag->dag_id, request->dag_id))
            return error_set(err, ERR_NOT_FOUND, "DAG `%s` has no run %lld", request->dag_id,
                (long long)request->runs[n].v);
    }
    *ret = runs;
    return OK;
}

/* ---- trigger ---- */

static int64_t trigger_date(
    const struct scheduler *s, const struct request *request, const struct live_dag *dag)
{
    if (request->logical_us != TIME_NONE)
        return request->logical_us;
    struct timetable_run newest;
    const struct timetable *t = dag->newest->dag->timetable;
    return t && timetable_latest(t, s->now.wall_us, &newest) ? newest.logical_us : s->now.wall_us;
}

static bool request_knows(const struct request *request, int64_t logical_us)
{
    for (size_t n = 0; n < request->existing_count; n++)
        if (request->existing[n] == logical_us)
            return true;
    return false;
}

enum status request_check_date(const struct request *request, const struct live_dag *dag,
    int64_t logical_us, struct error *err)
{
    const struct run *live = dag_live_run(dag, logical_us);
    if (!live && !dates_find(dag, logical_us) && !request_knows(request, logical_us))
        return OK;
    char date[TIME_TEXT_SIZE];
    time_format_iso(logical_us, date);
    if (live)
        error_set(err, ERR_DATE_TAKEN, "`%s` has a %s run of %s: %s", dag->dag_id,
            run_state_name(live->state), date, live->run_id);
    else
        error_set(err, ERR_DATE_TAKEN, "`%s` has a run of %s already", dag->dag_id, date);
    error_hint(err, "to run it again: dag clear %s %s", dag->dag_id, date);
    return ERR_DATE_TAKEN;
}

static struct data_interval interval_of(const struct live_dag *dag, int64_t logical_us)
{
    const struct timetable *t = dag->newest->dag->timetable;
    if (!t)
        return (struct data_interval){logical_us, logical_us};
    return timetable_interval_of(t, logical_us);
}

struct run *run_make_manual(struct scheduler *s, struct run_spec spec)
{
    struct data_interval interval = interval_of(spec.dag, spec.logical_us);
    spec.type = RUN_TYPE_MANUAL;
    spec.interval_start_us = interval.start_us;
    spec.interval_end_us = interval.end_us;
    spec.run_after_us = s->now.wall_us;
    struct run *run = run_create(s, &spec);
    run_link(s, run);
    run_queue(s, run);
    return run;
}

struct run *request_make_run(
    struct scheduler *s, const struct request *request, struct live_dag *dag, int64_t logical_us)
{
    return run_make_manual(s, (struct run_spec){.dag = dag,
                                  .logical_us = logical_us,
                                  .conf = request->conf,
                                  .triggered_by = request->user,
                                  .note = request->note});
}

static void write_run(struct json_writer *out, const char *run_id, int64_t logical_us,
    const struct data_interval *interval)
{
    json_kv_str(out, "run_id", run_id);
    json_kv_time(out, "logical_date", logical_us);
    json_kv_time(out, "data_interval_start", interval->start_us);
    json_kv_time(out, "data_interval_end", interval->end_us);
}

enum status request_trigger(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    struct live_dag *dag = NULL;
    enum status status = dag_for_new_run(s, request->dag_id, &dag, err);
    if (status)
        return status;
    int64_t logical_us = trigger_date(s, request, dag);
    status = request_check_date(request, dag, logical_us, err);
    if (status)
        return status;
    struct data_interval interval = interval_of(dag, logical_us);
    if (request->dry_run) {
        char date[TIME_TEXT_SIZE];
        time_format_iso(logical_us, date);
        write_run(out, arena_printf(s->plan->arena, "manual__%s", date), logical_us, &interval);
        return OK;
    }
    struct run *run = request_make_run(s, request, dag, logical_us);
    json_kv_int(out, "id", run->id.v);
    write_run(out, run->run_id, logical_us, &interval);
    return OK;
}

/* ---- backfill ---- */

static enum status check_backfill(const struct scheduler *s, const struct live_dag *dag,
    const struct backfill_record *range, struct error *err)
{
    static const char *const kinds[] = {"missing", "failed", "all"};
    const struct dag *version = dag->newest->dag;
    if (!version->timetable || timetable_kind(version->timetable) == TIMETABLE_MANUAL ||
        timetable_kind(version->timetable) == TIMETABLE_CONTINUOUS)
        return error_set(
            err, ERR_WITHOUT_SCHEDULE, "`%s` has no schedule to take dates from", dag->dag_id);
    if (range->from_us > range->to_us)
        return error_set(err, ERR_INVALID, "the range ends before it starts");
    bool known = !range->only;
    for (size_t n = 0; n < ARRAY_SIZE(kinds) && !known; n++)
        known = str_equal(range->only, kinds[n]);
    if (!known)
        return error_set(err, ERR_INVALID, "`%s` is not one of missing, failed, all", range->only);
    if (range->reverse && version->uses_past)
        return error_set(err, ERR_INVALID,
            "`%s` has tasks with depends_on_past: its dates cannot go backwards", dag->dag_id);
    if (s->backfill_count >= BACKFILLS_MAX)
        return error_set(err, ERR_LIMIT, "%d backfills are under way", (int)BACKFILLS_MAX);
    return OK;
}

const enum run_state *request_known_date(
    const struct request *request, const struct live_dag *dag, int64_t logical_us)
{
    const struct known_date *known = dates_find(dag, logical_us);
    if (known)
        return &known->state;
    for (size_t n = 0; n < request->existing_count; n++)
        if (request->existing[n] == logical_us)
            return &request->existing_state[n];
    return NULL;
}

static bool backfill_wants(const char *only, const enum run_state *known)
{
    if (!known)
        return !str_equal(only, "failed");
    if (str_equal(only, "all"))
        return run_state_finished(*known);
    return str_equal(only, "failed") && *known == RUN_FAILED;
}

/* Counts the dates, and names the first of them. */
static void write_dates(
    const struct request *request, const struct live_dag *dag, struct json_writer *out)
{
    const struct backfill_record *range = &request->backfill;
    const struct dag *version = dag->newest->dag;
    size_t wanted = 0, left_out = 0, named = 0;
    json_key(out, "dates");
    json_array_begin(out);
    for (int64_t us = backfill_first(version, range);
         us != TIME_NONE && wanted + left_out < BACKFILL_COUNT_MAX;
         us = backfill_next(version, range, us)) {
        if (!backfill_wants(range->only, request_known_date(request, dag, us))) {
            left_out++;
            continue;
        }
        wanted++;
        if (named++ < BACKFILL_NAMED_MAX)
            json_time(out, us);
    }
    json_array_end(out);
    json_kv_int(out, "count", (int64_t)wanted);
    json_kv_int(out, "left_out", (int64_t)left_out);
    json_kv_bool(out, "more", wanted + left_out == BACKFILL_COUNT_MAX);
}

enum status request_backfill(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    struct live_dag *dag = NULL;
    enum status status = dag_for_new_run(s, request->dag_id, &dag, err);
    if (!status)
        status = check_backfill(s, dag, &request->backfill, err);
    if (status)
        return status;
    write_dates(request, dag, out);
    if (request->dry_run)
        return OK;
    for (size_t n = 0; n < request->existing_count; n++) {
        const struct run *live = dag_live_run(dag, request->existing[n]);
        dates_set(dag, request->existing[n], live ? live->state : request->existing_state[n]);
    }
    struct backfill_record record = request->backfill;
    record.id = s->next_backfill++;
    record.cursor_us = backfill_first(dag->newest->dag, &record);
    record.requested_us = s->now.wall_us;
    record.ended_us = TIME_NONE;
    record.requested_by = request->user;
    record.conf = request->conf ? request->conf : "{}";
    record.finished = false;
    record.created_count = 0;
    struct live_backfill *b = backfill_new(s, dag, &record);
    json_kv_int(out, "backfill", record.id);
    backfill_changed(s, b);
    if (record.cursor_us == TIME_NONE)
        backfill_end(s, b);
    dag_wants_step(s, dag);
    return OK;
}

/* ---- pause ---- */

static enum status request_pause(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    struct live_dag *dag = NULL;
    enum status status = request_dag(s, request, &dag, err);
    if (status)
        return status;
    bool pause = request->kind == REQUEST_PAUSE;
    json_kv_bool(out, "paused", pause);
    json_kv_bool(out, "changed", dag->paused != pause);
    if (request->dry_run || dag->paused == pause)
        return OK;
    if (pause)
        dag_pause(s, dag, REASON_PAUSED_BY_HAND);
    else
        dag_unpause(s, dag);
    return OK;
}

/* ---- settings ---- */

static enum status request_settings(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    (void)err;
    json_kv_int(out, "changed", (int64_t)request->setting_count);
    if (request->dry_run || !request->setting_count)
        return OK;
    for (size_t n = 0; n < request->setting_count; n++) {
        const struct setting_record *from = &request->settings[n];
        struct change *change = vec_add(&s->plan->changes);
        change->kind = CHANGE_SETTING;
        change->at_us = s->now.wall_us;
        change->setting = (struct setting_record){.name = in_plan(s, from->name),
            .value = in_plan(s, from->value),
            .sealed = from->sealed,
            .description = in_plan(s, from->description),
            .changed_by = in_plan(s, request->user),
            .changed_us = s->now.wall_us};
    }
    emit_effect(s, EFFECT_SETTINGS, NULL);
    return OK;
}

/* ---- all ---- */

static enum status (*const handlers[REQUEST_KIND_COUNT])(
    struct scheduler *, const struct request *, struct json_writer *, struct error *) = {
    [REQUEST_TRIGGER] = request_trigger,
    [REQUEST_BACKFILL] = request_backfill,
    [REQUEST_CLEAR] = request_clear,
    [REQUEST_MARK] = request_mark,
    [REQUEST_CANCEL] = request_cancel,
    [REQUEST_PAUSE] = request_pause,
    [REQUEST_UNPAUSE] = request_pause,
    [REQUEST_ASSET_EVENT] = request_asset_event,
    [REQUEST_SETTINGS] = request_settings,
};

static void write_names(
    struct json_writer *out, const char *key, const char *const *names, size_t count)
{
    if (!count)
        return;
    json_key(out, key);
    json_array_begin(out);
    for (size_t n = 0; n < count; n++)
        json_str(out, names[n]);
    json_array_end(out);
}

static void write_flag(struct json_writer *out, const char *key, bool value)
{
    if (value)
        json_kv_bool(out, key, true);
}

/* Their names alone: what a value is may be a secret. */
static void write_settings(struct json_writer *out, const struct request *request, bool set)
{
    bool open = false;
    for (size_t n = 0; n < request->setting_count; n++) {
        if ((request->settings[n].value != NULL) != set)
            continue;
        if (!open) {
            json_key(out, set ? "set" : "delete");
            json_array_begin(out);
        }
        open = true;
        json_str(out, request->settings[n].name);
    }
    if (open)
        json_array_end(out);
}

static void write_range(struct json_writer *out, const struct backfill_record *range)
{
    json_kv_time(out, "from", range->from_us);
    json_kv_time(out, "to", range->to_us);
    json_kv_str(out, "only", range->only);
    json_kv_int(out, "max_active_runs", range->max_active_runs);
    write_flag(out, "reverse", range->reverse);
}

/* What was asked, for the audit log. */
static const char *request_json(struct scheduler *s, const struct request *request)
{
    struct strbuf text = {0};
    struct json_writer out = json_begin(&text);
    json_object_begin(&out);
    if (request->kind == REQUEST_TRIGGER)
        json_kv_time(&out, "logical_date", request->logical_us);
    if (request->kind == REQUEST_BACKFILL)
        write_range(&out, &request->backfill);
    if (request->run_count) {
        json_key(&out, "runs");
        json_array_begin(&out);
        for (size_t n = 0; n < request->run_count; n++)
            json_int(&out, request->runs[n].v);
        json_array_end(&out);
    }
    write_names(&out, "tasks", request->tasks, request->task_count);
    write_flag(&out, "downstream", request->downstream);
    write_flag(&out, "only_failed", request->only_failed);
    write_flag(&out, "same_version", request->same_version);
    write_flag(&out, "force", request->force);
    if (request->kind == REQUEST_MARK)
        json_kv_str(&out, "state", task_state_name(request->mark_state));
    if (request->conf)
        json_kv_str(&out, "conf", request->conf);
    if (request->asset)
        json_kv_str(&out, "asset", request->asset);
    if (request->extra)
        json_kv_str(&out, "extra", request->extra);
    if (request->note)
        json_kv_str(&out, "note", request->note);
    write_settings(&out, request, true);
    write_settings(&out, request, false);
    json_object_end(&out);
    const char *result = strbuf_to_arena(&text, s->plan->arena);
    strbuf_done(&text);
    return result;
}

static const char *error_json(struct scheduler *s, const struct error *err)
{
    struct strbuf text = {0};
    struct json_writer out = json_begin(&text);
    json_object_begin(&out);
    json_kv_str(&out, "error", status_info(err->status)->name);
    json_kv_str(&out, "message", err->message);
    json_kv_str(&out, "hint", err->hint[0] ? err->hint : status_info(err->status)->remedy);
    json_object_end(&out);
    const char *result = strbuf_to_arena(&text, s->plan->arena);
    strbuf_done(&text);
    return result;
}

void request_apply(struct scheduler *s, const struct request *request)
{
    struct strbuf text = {0};
    struct json_writer out = json_begin(&text);
    struct error err = {0};
    json_object_begin(&out);
    enum status status = handlers[request->kind](s, request, &out, &err);
    if (!status)
        json_object_end(&out);
    const char *outcome = status ? error_json(s, &err) : strbuf_to_arena(&text, s->plan->arena);
    strbuf_done(&text);
    struct effect *effect = emit_effect(s, EFFECT_REPLY, NULL);
    effect->request_uuid = in_plan(s, request->uuid);
    effect->status = status;
    effect->outcome = outcome;
    if (request->dry_run)
        return;
    struct change *change = vec_add(&s->plan->changes);
    change->kind = CHANGE_REQUEST;
    change->at_us = s->now.wall_us;
    change->request.uuid = in_plan(s, request->uuid);
    change->request.kind = request->kind;
    change->request.user = in_plan(s, request->user);
    change->request.dag_id = in_plan(s, request->dag_id);
    change->request.request = request_json(s, request);
    change->request.status = status;
    change->request.outcome = outcome;
}
