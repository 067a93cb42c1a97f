/* Requests about runs that exist: clear, mark, cancel. */
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

/* ---- clear ---- */

/* One run of a request: the version it goes on with and what is chosen there. */
struct choice {
    struct run *run;
    struct shape *shape; /* NULL: the run has not started and has no version yet */
    struct selection selection;
    size_t count;
};

/* A single run that lacks an index which is named says so; of many runs, some may lack it. */
static enum status check_indexes(const struct request *request, const struct run *run,
    const struct dag *dag, const struct selection *selection, struct error *err)
{
    for (uint32_t n = 0; run->tasks && request->run_count == 1 && n < dag->task_count; n++) {
        if (!selection->indexes[n])
            continue;
        const struct task *task = dag_find_task(run->shape->dag, dag->tasks[n].task_id);
        const struct mapping *mapping = task ? run->tasks[task->index]->mapping : NULL;
        uint32_t count = mapping ? mapping->count : 0;
        for (uint32_t k = count; k < MAPPED_MAX; k++) {
            if (!selection->indexes[n][k])
                continue;
            error_set(err, ERR_NO_TASK_MATCHES, "`%s` of run %s has no index %u",
                dag->tasks[n].task_id, run->run_id, k);
            if (count)
                error_hint(err, "it has 0 to %u", count - 1);
            else
                error_hint(err, "it was not expanded");
            return ERR_NO_TASK_MATCHES;
        }
    }
    return OK;
}

/* Chooses what the patterns name, everything without any. */
static enum status choose(struct scheduler *s, const struct request *request, const struct run *run,
    const struct dag *dag, struct selection *ret, struct error *err)
{
    *ret = selection_new(s->plan->arena, dag, !request->task_count);
    enum status status = select_tasks(dag, request->tasks, request->task_count, ret, err);
    return status ? status : check_indexes(request, run, dag, ret, err);
}

static bool is_untouched(const struct instance *i)
{
    return i->state == TASK_NONE && i->tries_total == 0 && !i->settling;
}

static bool has_failed(const struct instance *i)
{
    return task_state_failed_like(i->state);
}

/* An index that was removed, or is about to be, comes back only with an expansion. */
static bool can_be_cleared(const struct instance *i)
{
    bool is_index = i->map_index >= 0;
    bool gone = i->state == TASK_REMOVED ||
                (is_index && mapping_is_leaving(i) && mapping_is_expanded(instance_head(i)));
    return !is_untouched(i) && !(is_index && gone);
}

static void keep_clearable(const struct request *request, struct choice *choice)
{
    const struct dag *dag = choice->shape->dag;
    if (request->only_failed)
        (void)selection_keep(&choice->selection, dag, choice->run, has_failed);
    if (request->downstream)
        select_downstream(dag, &choice->selection);
    choice->count = selection_keep(&choice->selection, dag, choice->run, can_be_cleared);
}

static enum status choose_in_run(
    struct scheduler *s, const struct request *request, struct choice *choice, struct error *err)
{
    struct run *run = choice->run;
    choice->shape = request->same_version && run->shape ? run->shape : run->dag->newest;
    if (!choice->shape)
        return error_set(err, ERR_DAG_FILE_GONE,
            "the file of DAG `%s` is gone: it can only be "
            "cleared with its own version",
            run->dag->dag_id);
    const char *blocks =
        choice->shape != run->shape ? run_blocks_version(run, choice->shape) : NULL;
    if (blocks) {
        error_set(err, ERR_WRONG_STATE,
            "`%s` of run %s is under way, and the newest version of `%s` does not have it", blocks,
            run->run_id, run->dag->dag_id);
        error_hint(err, "cancel it first, or keep the run's version with --same-version");
        return ERR_WRONG_STATE;
    }
    enum status status = choose(s, request, run, choice->shape->dag, &choice->selection, err);
    if (!status)
        keep_clearable(request, choice);
    return status;
}

/* A run that was ended before it had started has nothing to clear, and is run all the same. */
static bool is_worth_clearing(const struct request *request, const struct choice *choice)
{
    bool never_started = !choice->run->tasks && run_state_finished(choice->run->state);
    return choice->count || (never_started && !request->task_count);
}

/* "load", or "load[3]" for each index that is chosen. */
static void write_chosen(
    struct json_writer *out, const struct selection *selection, const struct task *task)
{
    const bool *indexes = selection->indexes[task->index];
    if (selection->tasks[task->index]) {
        json_str(out, task->task_id);
        return;
    }
    for (int k = 0; indexes && k < MAPPED_MAX; k++) {
        struct strbuf name = {0};
        if (!indexes[k])
            continue;
        strbuf_printf(&name, "%s[%d]", task->task_id, k);
        json_str(out, name.text);
        strbuf_done(&name);
    }
}

static void write_choice(struct json_writer *out, const struct choice *choice)
{
    json_object_begin(out);
    json_kv_str(out, "run_id", choice->run->run_id);
    json_kv_time(out, "logical_date", choice->run->logical_us);
    json_key(out, "tasks");
    json_array_begin(out);
    for (uint32_t n = 0; choice->shape && n < choice->shape->dag->task_count; n++)
        write_chosen(out, &choice->selection, &choice->shape->dag->tasks[n]);
    json_array_end(out);
    json_object_end(out);
}

size_t run_clear(
    struct scheduler *s, struct run *run, const struct selection *chosen, const char *text)
{
    int64_t generation = generation_next(s);
    size_t count = 0;
    run_each (i, run) {
        if ((chosen && !selection_has(chosen, i)) || !can_be_cleared(i))
            continue;
        task_clear(s, i, generation, text);
        count++;
    }
    run_revive(s, run, RUN_EVENT_CLEAR, REASON_CLEARED, text);
    if (run->state == RUN_RUNNING) {
        run->started_us = s->now.wall_us;
        wake_stop(s, &run->timer);
        run_arm_timeout(s, run);
        deadline_run_started(s, run);
    }
    return count;
}

static void clear_one(
    struct scheduler *s, const struct request *request, const struct choice *choice)
{
    struct run *run = choice->run;
    run->keep_version = request->same_version;
    if (run->tasks && choice->shape != run->shape)
        run_take_version(s, run, choice->shape);
    const char *user = request->user ? request->user : "someone";
    run_clear(s, run, &choice->selection, arena_printf(s->plan->arena, "cleared by %s", user));
}

enum status request_clear(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    struct run **runs;
    enum status status = request_runs(s, request, &runs, err);
    if (status)
        return status;
    struct choice *choices = arena_array(s->plan->arena, struct choice, request->run_count);
    size_t tasks = 0, worth = 0;
    for (size_t n = 0; n < request->run_count; n++) {
        choices[n].run = runs[n];
        status = choose_in_run(s, request, &choices[n], err);
        if (status)
            return status;
        tasks += choices[n].count;
        worth += is_worth_clearing(request, &choices[n]);
    }
    if (!worth)
        return error_set(err, ERR_WRONG_STATE, "there is nothing to clear: %s",
            request->only_failed ? "no task that is meant has failed"
                                 : "no task that is meant has run yet");
    json_key(out, "runs");
    json_array_begin(out);
    for (size_t n = 0; n < request->run_count; n++)
        if (is_worth_clearing(request, &choices[n]))
            write_choice(out, &choices[n]);
    json_array_end(out);
    json_kv_int(out, "tasks", (int64_t)tasks);
    for (size_t n = 0; n < request->run_count && !request->dry_run; n++)
        if (is_worth_clearing(request, &choices[n]))
            clear_one(s, request, &choices[n]);
    return OK;
}

/* ---- mark ---- */

struct mark {
    enum task_event event;
    enum reason shown;
};

static bool mark_of(enum task_state state, struct mark *ret)
{
    switch (state) {
    case TASK_SUCCESS: *ret = (struct mark){TASK_EVENT_MARK_SUCCESS, REASON_MARKING_SUCCESS}; break;
    case TASK_FAILED: *ret = (struct mark){TASK_EVENT_MARK_FAILED, REASON_MARKING_FAILED}; break;
    case TASK_SKIPPED: *ret = (struct mark){TASK_EVENT_MARK_SKIPPED, REASON_MARKING_SKIPPED}; break;
    default: return false;
    }
    return true;
}

static const char *mark_text(struct scheduler *s, const struct request *request)
{
    return arena_printf(s->plan->arena, "marked %s by %s%s%s", task_state_name(request->mark_state),
        request->user ? request->user : "someone", request->note ? ": " : "",
        request->note ? request->note : "");
}

static void mark_task(struct scheduler *s, const struct request *request, struct instance *i)
{
    struct mark mark = {0};
    mark_of(request->mark_state, &mark);
    const char *text = mark_text(s, request);
    if (i->state == request->mark_state || i->state == TASK_REMOVED)
        return;
    if (task_state_finished(i->state)) {
        task_move(s, i, mark.event, REASON_MARKED, text);
        return;
    }
    struct intent intent = {true, mark.event, REASON_MARKED, (char *)text};
    task_end_early(s, i, mark.shown, &intent, request->force);
}

/* What failed only because of a task that now counts as done gets its chance. */
static void clear_upstream_failed(
    struct scheduler *s, struct run *run, const struct selection *marked)
{
    const struct dag *dag = run->shape->dag;
    struct selection after = *marked;
    after.tasks = arena_memdup(s->plan->arena, marked->tasks, dag->task_count * sizeof(bool));
    select_downstream(dag, &after);
    int64_t generation = generation_next(s);
    run_each (i, run)
        if (selection_has(&after, i) && !selection_has(marked, i) &&
            i->state == TASK_UPSTREAM_FAILED)
            task_clear(s, i, generation, "an upstream task was marked");
}

static bool has_failed_leaf(const struct run *run)
{
    run_each (i, run)
        if (run->shape->tasks[i->task->index].leaf && task_state_failed_like(i->state))
            return true;
    return false;
}

/* A finished run whose tasks were marked: it goes on when something is left, else its verdict may
   be another one. */
static void redecide(struct scheduler *s, struct run *run, const char *text)
{
    if (run->finished_count < run->instance_count || run->settling_count) {
        if (run->dag->newest)
            offer_version(s, run, run->dag->newest);
        run_revive(s, run, RUN_EVENT_REOPEN, REASON_MARKED, text);
        return;
    }
    bool failed = has_failed_leaf(run);
    run_move(s, run, failed ? RUN_EVENT_FAIL : RUN_EVENT_SUCCEED, REASON_MARKED, text);
    dates_set(run->dag, run->logical_us, run->state);
    past_add(s, run);
}

static void mark_tasks(struct scheduler *s, const struct request *request, struct run *run,
    const struct selection *chosen)
{
    run_each (i, run)
        if (selection_has(chosen, i))
            mark_task(s, request, i);
    if (task_state_success_like(request->mark_state))
        clear_upstream_failed(s, run, chosen);
    if (run_state_finished(run->state))
        redecide(s, run, mark_text(s, request));
}

/* Whether a mark of the whole run changes a task: success leaves what is success-like, failed and
   skipped leave what has succeeded or was skipped. */
static bool run_mark_changes(const struct request *request, const struct instance *i)
{
    if (request->mark_state == TASK_FAILED)
        return !task_state_finished(i->state);
    return !task_state_success_like(i->state);
}

static void mark_run(struct scheduler *s, const struct request *request, struct run *run)
{
    /* one that was ended before it had started has no tasks yet that could be marked */
    if (!run->tasks && run_state_finished(run->state))
        run_revive(s, run, RUN_EVENT_CLEAR, REASON_MARKED, NULL);
    if (run->state == RUN_QUEUED)
        (void)run_start(s, run);
    bool failed = request->mark_state == TASK_FAILED;
    if (run->state == RUN_RUNNING)
        run_set_reason(s, run, failed ? REASON_MARKING_FAILED : REASON_MARKING_SUCCESS, NULL);
    run_each (i, run)
        if (run_mark_changes(request, i))
            mark_task(s, request, i);
    if (!run_state_finished(run->state)) {
        run_wants_check(s, run);
        return;
    }
    run_move(
        s, run, failed ? RUN_EVENT_FAIL : RUN_EVENT_SUCCEED, REASON_MARKED, mark_text(s, request));
    dates_set(run->dag, run->logical_us, run->state);
    past_add(s, run);
}

/* A date that has no run: done elsewhere, or not to be done. */
static void mark_date(
    struct scheduler *s, const struct request *request, struct live_dag *dag, int64_t logical_us)
{
    mark_run(s, request, request_make_run(s, request, dag, logical_us));
}

static enum status mark_new_run(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    struct live_dag *dag = NULL;
    enum status status = request_dag(s, request, &dag, err);
    if (status)
        return status;
    if (!dag->newest)
        return error_set(err, ERR_DAG_FILE_GONE, "the file of DAG `%s` is gone", dag->dag_id);
    status = request_check_date(request, dag, request->logical_us, err);
    if (status)
        return status;
    if (request->task_count)
        return error_set(err, ERR_WRONG_STATE,
            "the date has no run yet: it can be marked as a whole, but not its tasks");
    if (s->instance_count + dag->newest->dag->task_count > INSTANCES_MAX)
        return error_set(err, ERR_LIMIT, "%d task instances are live already", (int)INSTANCES_MAX);
    json_kv_int(out, "runs", 1);
    json_kv_int(out, "tasks", dag->newest->dag->task_count);
    if (!request->dry_run)
        mark_date(s, request, dag, request->logical_us);
    return OK;
}

/* The dates of the schedule in the range that have no run; ERR_LIMIT above REQUEST_RUNS_MAX. */
static enum status dates_without_run(struct scheduler *s, const struct request *request,
    const struct live_dag *dag, int64_t **ret, size_t *ret_count, struct error *err)
{
    VEC(int64_t) dates = {0};
    const struct dag *version = dag->newest ? dag->newest->dag : NULL;
    int64_t us =
        version && version->timetable ? backfill_first(version, &request->backfill) : TIME_NONE;
    for (; us != TIME_NONE && dates.count <= REQUEST_RUNS_MAX;
         us = backfill_next(version, &request->backfill, us))
        if (!request_known_date(request, dag, us))
            vec_push(&dates, us);
    *ret = arena_memdup(s->plan->arena, dates.at, dates.count * sizeof(int64_t));
    *ret_count = dates.count;
    vec_done(&dates);
    uint64_t tasks = version ? (uint64_t)version->task_count * *ret_count : 0;
    if (*ret_count > REQUEST_RUNS_MAX)
        return error_set(err, ERR_LIMIT, "the range has more than %d dates without a run",
            (int)REQUEST_RUNS_MAX);
    if (s->instance_count + tasks > INSTANCES_MAX)
        return error_set(err, ERR_LIMIT, "%d task instances can be live, and %llu are to be marked",
            (int)INSTANCES_MAX, (unsigned long long)tasks);
    return OK;
}
static bool is_there(const struct instance *i)
{
    return i->state != TASK_REMOVED;
}

static size_t count_chosen(
    const struct run *run, const struct selection *chosen, bool (*wanted)(const struct instance *i))
{
    size_t count = 0;
    run_each (i, run)
        count += selection_has(chosen, i) && wanted(i);
    return count;
}

static enum status check_marks(struct scheduler *s, const struct request *request,
    struct run **runs, struct selection **ret, size_t *ret_count, struct error *err)
{
    struct selection *chosen = arena_array(s->plan->arena, struct selection, request->run_count);
    *ret_count = 0;
    for (size_t n = 0; n < request->run_count; n++) {
        struct run *run = runs[n];
        if (!run->tasks && request->task_count)
            return error_set(
                err, ERR_WRONG_STATE, "run %s has not started: it has no tasks yet", run->run_id);
        if (!run->tasks)
            continue;
        enum status status = choose(s, request, run, run->shape->dag, &chosen[n], err);
        if (status)
            return status;
        *ret_count += count_chosen(run, &chosen[n], is_there);
    }
    *ret = chosen;
    return OK;
}

enum status request_mark(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    struct mark mark;
    if (!mark_of(request->mark_state, &mark))
        return error_set(err, ERR_INVALID, "a task can be marked success, failed or skipped");
    if (!request->run_count && request->logical_us != TIME_NONE)
        return mark_new_run(s, request, out, err);
    struct run **runs;
    struct selection *chosen;
    struct live_dag *dag;
    int64_t *dates = NULL;
    size_t count, date_count = 0;
    enum status status = request_runs(s, request, &runs, err);
    if (!status)
        status = check_marks(s, request, runs, &chosen, &count, err);
    if (!status)
        status = request_dag(s, request, &dag, err);
    if (!status && request->dates_too)
        status = dates_without_run(s, request, dag, &dates, &date_count, err);
    if (status)
        return status;
    if (date_count)
        count += date_count * dag->newest->dag->task_count;
    json_kv_int(out, "runs", (int64_t)(request->run_count + date_count));
    json_kv_int(out, "tasks", (int64_t)count);
    for (size_t n = 0; n < date_count && !request->dry_run; n++)
        mark_date(s, request, dag, dates[n]);
    for (size_t n = 0; n < request->run_count && !request->dry_run; n++)
        if (request->task_count)
            mark_tasks(s, request, runs[n], &chosen[n]);
        else
            mark_run(s, request, runs[n]);
    return OK;
}

/* ---- cancel ---- */

static void cancel_task(struct scheduler *s, const struct request *request, struct instance *i)
{
    struct intent intent = {true, i->alive ? TASK_EVENT_FAIL : TASK_EVENT_SKIP, REASON_CANCELLED,
        (char *)arena_printf(
            s->plan->arena, "cancelled by %s", request->user ? request->user : "someone")};
    task_end_early(s, i, REASON_CANCELLING, &intent, request->force);
}

static bool is_unfinished(const struct instance *i)
{
    return !task_state_finished(i->state);
}

static void cancel_one(struct scheduler *s, const struct request *request, struct run *run,
    const struct selection *chosen)
{
    if (run_state_finished(run->state))
        return;
    if (!request->task_count) {
        run_end_early(s, run, REASON_RUN_CANCELLED, request->force);
        return;
    }
    run_each (i, run)
        if (selection_has(chosen, i) && is_unfinished(i))
            cancel_task(s, request, i);
}

static enum status cancel_backfill(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    struct live_dag *dag = NULL;
    enum status status = request_dag(s, request, &dag, err);
    if (status)
        return status;
    struct live_backfill *b = backfill_find(dag, request->backfill.id);
    if (!b || b->record.finished)
        return error_set(err, ERR_NOT_FOUND, "no backfill %lld of `%s` is under way",
            (long long)request->backfill.id, dag->dag_id);
    json_kv_int(out, "backfill", b->record.id);
    if (request->dry_run)
        return OK;
    b->record.cursor_us = TIME_NONE;
    backfill_changed(s, b);
    if (b->live == 0)
        backfill_end(s, b);
    return OK;
}

enum status request_cancel(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    enum status status = OK;
    if (request->backfill.id) {
        status = cancel_backfill(s, request, out, err);
        if (status || !request->run_count)
            return status;
    }
    struct run **runs;
    struct selection *chosen;
    size_t count, tasks = 0, live = 0;
    status = request_runs(s, request, &runs, err);
    if (!status)
        status = check_marks(s, request, runs, &chosen, &count, err);
    if (status)
        return status;
    for (size_t n = 0; n < request->run_count; n++) {
        live += !run_state_finished(runs[n]->state);
        if (runs[n]->tasks && !run_state_finished(runs[n]->state))
            tasks += count_chosen(runs[n], &chosen[n], is_unfinished);
    }
    if (!live && !request->backfill.id)
        return error_set(err, ERR_WRONG_STATE, "run %s is finished already (%s)", runs[0]->run_id,
            run_state_name(runs[0]->state));
    if (request->task_count && !tasks)
        return error_set(err, ERR_WRONG_STATE, "the tasks that are meant are finished already");
    json_kv_int(out, "runs", (int64_t)live);
    json_kv_int(out, "tasks", (int64_t)tasks);
    for (size_t n = 0; n < request->run_count && !request->dry_run; n++)
        cancel_one(s, request, runs[n], &chosen[n]);
    return OK;
}
