#include "executor/reconcile.h"

#include "base/json.h"
#include "base/map.h"
#include "base/shell.h"
#include "base/vec.h"
#include "executor/limits.h"
#include "executor/target/ledger_list.h"

enum { RUNS_PER_WINDOW = 200 };

static const char *const names[] = {
    [DIFFERENCE_NOT_SUCCESS] = "not-success",
    [DIFFERENCE_NO_RESULT] = "no-result",
    [DIFFERENCE_NO_RUN] = "no-run",
    [DIFFERENCE_GENERATION] = "unknown-generation",
    [DIFFERENCE_SESSION] = "session",
    [DIFFERENCE_LEDGER] = "other-ledger",
};

const char *difference_name(enum difference_kind kind)
{
    return names[kind];
}

/* A session in which an attempt is at work, and whose attempt that is when it is over. */
struct seen_session {
    struct ledger_session session;
    const struct reconcile_ledger *ledger;
    const char *dag_id, *run_id, *task_id; /* NULL: it is not known to be over */
    int32_t map_index;
};

/* Successes in a ledger that is not among those given. */
struct elsewhere {
    size_t count;
    const char *dag_id, *run_id, *task_id; /* the first of them */
};

struct reconciling {
    const struct reconcile_options *options;
    struct arena *arena;
    struct store_meta meta;
    struct map *sessions;  /* by attempt: struct seen_session */
    struct map *elsewhere; /* by ledger: struct elsewhere */
};

/* What the metadata says of an instance. */
struct held_task {
    const struct run_record *run;
    const char *task_id;
    int32_t map_index;
    enum task_state state;
    enum reason reason;
    int64_t generation;
    const char *ledger; /* into which its successful attempt says to have committed; NULL = none */
};

/* Runs that follow each other, with their tasks.  Dates from `from_us` up to, without, `to_us`
   (TIME_NONE: no end) are its. */
struct window {
    struct arena *arena;
    const char *dag_id;
    int64_t from_us, to_us;
    struct map *passed_over; /* dates whose runs ended before the time that is looked at */
    struct map *known;       /* keys of generations that attempts had */
    VEC(struct held_task) tasks;
};

static char *key_of(struct arena *arena, int64_t logical_us, const char *task_id, int32_t map_index,
    int64_t generation)
{
    return arena_printf(arena, "%lld %d %lld %s", (long long)logical_us, (int)map_index,
        (long long)generation, task_id);
}

static char *date_key(struct arena *arena, int64_t logical_us)
{
    return arena_printf(arena, "%lld", (long long)logical_us);
}

/* ---- telling --------------------------------------------------------------------------------- */

static char *command_of(struct arena *arena, const char *const *words)
{
    struct strbuf text = {0};
    strbuf_add_shell_words(&text, words);
    char *copy = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return copy;
}

static void tell(struct reconciling *r, const struct difference *difference)
{
    r->options->told(r->options->user, difference);
}

static struct difference difference_of(enum difference_kind kind,
    const struct reconcile_ledger *ledger, const char *dag_id, int64_t logical_us)
{
    return (struct difference){
        .kind = kind,
        .bad = true,
        .connection = ledger ? ledger->connection->name : NULL,
        .dag_id = dag_id,
        .map_index = -1,
        .logical_us = logical_us,
    };
}

static void tell_task(
    struct reconciling *r, struct difference difference, const struct held_task *task)
{
    difference.run_id = task->run->run_id;
    difference.task_id = task->task_id;
    difference.map_index = task->map_index;
    tell(r, &difference);
}

/* ---- one task -------------------------------------------------------------------------------- */

static void tell_not_success(struct reconciling *r, struct window *w,
    const struct reconcile_ledger *ledger, const struct held_task *task,
    const struct ledger_row *row)
{
    struct difference d =
        difference_of(DIFFERENCE_NOT_SUCCESS, ledger, w->dag_id, task->run->logical_us);
    d.found = arena_printf(w->arena, "attempt %s committed, but the task is %s", row->attempt,
        task_state_name(task->state));
    d.remedy = arena_printf(w->arena, "what it wrote is there: %s",
        command_of(
            w->arena, (const char *[]){"dag", "mark", w->dag_id, task->run->run_id,
                          task_word(w->arena, task->task_id, task->map_index), "success", NULL}));
    tell_task(r, d, task);
}

static void tell_no_result(struct reconciling *r, struct window *w,
    const struct reconcile_ledger *ledger, const struct held_task *task,
    const struct ledger_row *row)
{
    struct difference d =
        difference_of(DIFFERENCE_NO_RESULT, ledger, w->dag_id, task->run->logical_us);
    d.found = !row           ? "the task is a success, but the ledger has nothing of it"
              : row->is_void ? "the task is a success, but the ledger says that it is void"
                             : "the task is a success, but the ledger has its claim alone";
    d.remedy = arena_printf(w->arena,
        "if what it wrote is gone (a failover, a backup put back), run it again: %s",
        command_of(w->arena,
            (const char *[]){"dag", "clear", w->dag_id, task->run->run_id,
                task_word(w->arena, task->task_id, task->map_index), "--downstream", NULL}));
    tell_task(r, d, task);
}

/* What failed after its commit and is known to have: a mark says that somebody has decided. */
static bool should_be_success(const struct held_task *task)
{
    return (task->state == TASK_FAILED || task->state == TASK_SKIPPED ||
               task->state == TASK_UPSTREAM_FAILED) &&
           task->reason != REASON_MARKED;
}

static void compare_task(struct reconciling *r, struct window *w, struct reconcile_ledger *ledger,
    const struct held_task *task, const struct ledger_row *row)
{
    bool committed = row && row->has_result;
    bool claims =
        task->state == TASK_SUCCESS && task->ledger && str_equal(task->ledger, ledger->id);
    ledger->compared += committed || claims;
    if (claims && !committed)
        tell_no_result(r, w, ledger, task, row);
    else if (committed && should_be_success(task))
        tell_not_success(r, w, ledger, task, row);
}

/* ---- rows that no task answers to ------------------------------------------------------------ */

/* What the metadata says of a row now: it may have come while the ledger was read. */
struct owner {
    bool has_run, has_task, has_generation;
    const char *run_id;
    enum task_state state;
};

static enum status look_at_generation(struct reconciling *r, const struct run_record *run,
    const struct ledger_row *row, struct arena *arena, struct owner *ret, struct error *err)
{
    struct attempt_rows attempts;
    enum status status =
        store_read_attempts(r->options->reader, run->id, row->task_id, arena, &attempts, err);
    for (size_t i = 0; status == OK && i < attempts.count; i++)
        ret->has_generation |= attempts.at[i].map_index == row->map_index &&
                               attempts.at[i].generation == row->generation;
    return status;
}

static enum status find_owner(struct reconciling *r, const char *dag_id,
    const struct ledger_row *row, struct arena *arena, struct owner *ret, struct error *err)
{
    struct run_filter filter = {.dag_id = dag_id,
        .has_from = true,
        .has_to = true,
        .from_us = row->logical_us,
        .to_us = row->logical_us};
    struct run_rows runs;
    struct task_rows tasks = {0};
    *ret = (struct owner){0};
    enum status status = store_read_runs(r->options->reader, &filter, arena, &runs, err);
    if (status || !runs.count)
        return status;
    ret->has_run = true;
    ret->run_id = runs.at[0].run_id;
    status =
        store_read_instances(r->options->reader, runs.at[0].id, row->task_id, arena, &tasks, err);
    for (size_t i = 0; status == OK && i < tasks.count; i++) {
        /* Marked as a whole, a mapped task has no indexes: nothing of it is missing. */
        bool is_head = tasks.at[i].map_index < 0 && row->map_index >= 0;
        if (is_head && tasks.at[i].state == TASK_SUCCESS && tasks.count == 1)
            ret->has_task = ret->has_generation = true;
        if (tasks.at[i].map_index != row->map_index)
            continue;
        ret->has_task = true;
        ret->state = tasks.at[i].state;
        ret->has_generation = tasks.at[i].generation == row->generation;
    }
    if (status || !ret->has_task || ret->has_generation)
        return status;
    return look_at_generation(r, &runs.at[0], row, arena, ret, err);
}

/* Results of one date that has no run: how many, and whether a run would do any of it again. */
struct orphans {
    int64_t logical_us;
    size_t count;
    bool again;
};

static void tell_orphans(struct reconciling *r, struct window *w,
    const struct reconcile_ledger *ledger, struct orphans *orphans)
{
    if (!orphans->count)
        return;
    char date[TIME_TEXT_SIZE];
    time_format_iso(orphans->logical_us, date);
    struct difference d = difference_of(DIFFERENCE_NO_RUN, ledger, w->dag_id, orphans->logical_us);
    d.bad = orphans->again;
    d.found = arena_printf(w->arena, "%zu result%s, and the metadata has no run of that date",
        orphans->count, orphans->count == 1 ? "" : "s");
    const char *mark =
        command_of(w->arena, (const char *[]){"dag", "mark", w->dag_id, date, "success", NULL});
    d.remedy = arena_printf(w->arena,
        orphans->again
            ? "a run would do it again (they were made after `dag clear`): %s"
            : "a run of that date takes them over without running again; without one: %s",
        mark);
    tell(r, &d);
    *orphans = (struct orphans){0};
}

static void tell_no_task(struct reconciling *r, struct window *w,
    const struct reconcile_ledger *ledger, const struct ledger_row *row, const struct owner *owner)
{
    struct difference d = difference_of(DIFFERENCE_NO_RUN, ledger, w->dag_id, row->logical_us);
    d.bad = false;
    d.run_id = owner->run_id;
    d.task_id = row->task_id;
    d.map_index = row->map_index;
    d.found = "a result of a task that the run has not";
    tell(r, &d);
}

static void tell_generation(struct reconciling *r, struct window *w,
    const struct reconcile_ledger *ledger, const struct ledger_row *row, const struct owner *owner)
{
    struct difference d = difference_of(DIFFERENCE_GENERATION, ledger, w->dag_id, row->logical_us);
    const char *word = task_word(w->arena, row->task_id, row->map_index);
    d.bad = owner->state != TASK_SUCCESS;
    d.run_id = owner->run_id;
    d.task_id = row->task_id;
    d.map_index = row->map_index;
    d.found = arena_printf(w->arena,
        "attempt %s committed after a `dag clear` of which the metadata does not know; the task"
        " is %s",
        row->attempt, task_state_name(owner->state));
    if (d.bad)
        d.remedy = arena_printf(w->arena,
            "what it wrote is there, and an attempt would write it"
            " again: %s",
            command_of(w->arena,
                (const char *[]){"dag", "mark", w->dag_id, owner->run_id, word, "success", NULL}));
    tell(r, &d);
}

static enum status look_at_stray(struct reconciling *r, struct window *w,
    struct reconcile_ledger *ledger, const struct ledger_row *row, struct orphans *orphans,
    struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct owner owner;
    enum status status = find_owner(r, w->dag_id, row, arena, &owner, err);
    if (status || owner.has_generation)
        return status;
    ledger->compared++;
    if (orphans->logical_us != row->logical_us)
        tell_orphans(r, w, ledger, orphans);
    if (!owner.has_run) {
        orphans->logical_us = row->logical_us;
        orphans->count++;
        orphans->again |= row->generation != 0;
    } else if (!owner.has_task) {
        tell_no_task(r, w, ledger, row, &owner);
    } else {
        tell_generation(r, w, ledger, row, &owner);
    }
    return OK;
}

/* ---- a window -------------------------------------------------------------------------------- */

/* Claims without a result keep others from committing, which is what they are for: only results
   tell of something done. */
static bool is_stray(const struct window *w, const struct ledger_row *row, const char *key)
{
    return row->has_result && !map_has(w->known, key) &&
           !map_has(w->passed_over, date_key(w->arena, row->logical_us));
}

static enum status compare_with(
    struct reconciling *r, struct window *w, struct reconcile_ledger *ledger, struct error *err)
{
    struct ledger_range range = {
        .metadata_id = r->meta.metadata_id,
        .dag_id = w->dag_id,
        .from_us = w->from_us,
        .to_us = w->to_us,
        .since_us = r->options->since_us,
    };
    struct ledger_rows rows;
    CLEANUP(map_freep) struct map *by_key = map_new();
    struct orphans orphans = {0};
    enum status status = ledger_list_rows(
        ledger->conn, ledger->connection->ledger_schema, &range, w->arena, &rows, err);
    if (status)
        return error_context(err, "the ledger of `%s`: ", ledger->connection->name);
    for (size_t i = 0; i < rows.count; i++) {
        const struct ledger_row *row = &rows.at[i];
        map_set(by_key,
            key_of(w->arena, row->logical_us, row->task_id, row->map_index, row->generation),
            &rows.at[i]);
    }
    vec_each (task, &w->tasks) {
        char *key = key_of(
            w->arena, task->run->logical_us, task->task_id, task->map_index, task->generation);
        compare_task(r, w, ledger, task, map_get(by_key, key));
        map_remove(by_key, key);
    }
    size_t cursor = 0;
    const char *key;
    void *row;
    while (status == OK && map_next(by_key, &cursor, &key, &row))
        if (is_stray(w, row, key))
            status = look_at_stray(r, w, ledger, row, &orphans, err);
    tell_orphans(r, w, ledger, &orphans);
    return status;
}

/* ---- what the metadata says ------------------------------------------------------------------ */

/* The ledger into which an attempt says to have committed. */
static const char *ledger_of(const struct attempt_record *attempt, struct arena *arena)
{
    CLEANUP(json_decrefp) json_t *detail = NULL;
    if (!attempt->detail || !str_equal(attempt->outcome, "success") ||
        json_parse(attempt->detail, strlen(attempt->detail), NULL, &detail, NULL))
        return NULL;
    return arena_strdup(arena, json_string_value(json_object_get(detail, "ledger")));
}

static void look_for_session(
    struct reconciling *r, const struct run_record *run, const struct attempt_record *attempt)
{
    struct seen_session *seen = map_get(r->sessions, attempt->id.text);
    if (!seen || attempt->state != ATTEMPT_ENDED)
        return;
    seen->dag_id = arena_strdup(r->arena, run->dag_id);
    seen->run_id = arena_strdup(r->arena, run->run_id);
    seen->task_id = arena_strdup(r->arena, attempt->task_id);
    seen->map_index = attempt->map_index;
}

static bool is_given(const struct reconciling *r, const char *ledger)
{
    for (size_t i = 0; i < r->options->count; i++)
        if (str_equal(r->options->ledgers[i].id, ledger))
            return true;
    return false;
}

static void count_elsewhere(struct reconciling *r, const struct held_task *task)
{
    if (task->state != TASK_SUCCESS || !task->ledger || is_given(r, task->ledger))
        return;
    struct elsewhere *found = map_get(r->elsewhere, task->ledger);
    if (!found) {
        found = arena_new_of(r->arena, struct elsewhere);
        found->dag_id = arena_strdup(r->arena, task->run->dag_id);
        found->run_id = arena_strdup(r->arena, task->run->run_id);
        found->task_id = arena_strdup(r->arena, task->task_id);
        map_set(r->elsewhere, task->ledger, found);
    }
    found->count++;
}

static void hold_attempts(struct reconciling *r, struct window *w, const struct run_record *run,
    const struct attempt_rows *attempts, struct map *ret_ledgers)
{
    for (size_t i = 0; i < attempts->count; i++) {
        const struct attempt_record *attempt = &attempts->at[i];
        const char *key = key_of(
            w->arena, run->logical_us, attempt->task_id, attempt->map_index, attempt->generation);
        map_set(w->known, key, w);
        look_for_session(r, run, attempt);
        const char *ledger = ledger_of(attempt, w->arena);
        if (ledger)
            map_set(ret_ledgers, attempt->id.text, (void *)ledger);
    }
}

/* Adds a run's tasks to the window. */
static enum status hold_run(
    struct reconciling *r, struct window *w, const struct run_record *run, struct error *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new(); /* attempts may be large */
    CLEANUP(map_freep) struct map *ledgers = map_new();
    struct task_rows tasks;
    struct attempt_rows attempts;
    /* Tasks first: of a success the attempt that it names is there then. */
    enum status status = store_read_tasks(r->options->reader, run->id, w->arena, &tasks, err);
    if (status == OK)
        status = store_read_attempts(r->options->reader, run->id, NULL, scratch, &attempts, err);
    if (status)
        return status;
    hold_attempts(r, w, run, &attempts, ledgers);
    for (size_t i = 0; i < tasks.count; i++) {
        const struct task_record *task = &tasks.at[i];
        struct held_task held = {
            .run = run,
            .task_id = task->task_id,
            .map_index = task->map_index,
            .state = task->state,
            .reason = task->reason,
            .generation = task->generation,
            .ledger = map_get(ledgers, task->attempt.text),
        };
        count_elsewhere(r, &held);
        vec_push(&w->tasks, held);
    }
    return OK;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static enum status compare_window(struct reconciling *r, struct window *w, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < r->options->count; i++)
        status = compare_with(r, w, &r->options->ledgers[i], err);
    return status;
}

/* Fills a window with the runs from its beginning on and says where it ends. */
static enum status fill_window(struct reconciling *r, struct window *w, struct error *err)
{
    struct run_filter filter = {.dag_id = w->dag_id,
        .has_from = w->from_us != TIME_NONE,
        .from_us = w->from_us,
        .oldest_first = true,
        .limit = RUNS_PER_WINDOW};
    struct run_rows runs;
    enum status status = store_read_runs(r->options->reader, &filter, w->arena, &runs, err);
    w->to_us = TIME_NONE;
    for (size_t i = 0; status == OK && i < runs.count; i++) {
        const struct run_record *run = &runs.at[i];
        if (w->tasks.count >= RECONCILE_TASKS_MAX || i + 1 == RUNS_PER_WINDOW) {
            w->to_us = run->logical_us; /* it is the first of the next one */
            break;
        }
        if (run->ended_us != TIME_NONE && run->ended_us < r->options->since_us)
            map_set(w->passed_over, date_key(w->arena, run->logical_us), w);
        else
            status = hold_run(r, w, run, err);
    }
    return status;
}

static enum status compare_dag(struct reconciling *r, const char *dag_id, struct error *err)
{
    int64_t from_us = TIME_NONE;
    enum status status = OK;
    do {
        struct window w = {.arena = arena_new(),
            .dag_id = dag_id,
            .from_us = from_us,
            .passed_over = map_new(),
            .known = map_new()};
        status = fill_window(r, &w, err);
        if (status == OK)
            status = compare_window(r, &w, err);
        from_us = w.to_us;
        vec_done(&w.tasks);
        map_free(w.known);
        map_free(w.passed_over);
        arena_free(w.arena);
    } while (status == OK && from_us != TIME_NONE);
    return status;
}

/* Those of the metadata, and those that only a ledger knows. */
static enum status list_dags(struct reconciling *r, struct map *ret, struct error *err)
{
    struct dag_rows rows;
    enum status status = store_read_dags(r->options->reader, r->arena, &rows, err);
    for (size_t i = 0; status == OK && i < rows.count; i++)
        map_set(ret, rows.at[i].dag_id, ret);
    for (size_t i = 0; status == OK && i < r->options->count; i++) {
        const struct reconcile_ledger *ledger = &r->options->ledgers[i];
        const char *const *dags;
        size_t count = 0;
        status = ledger_list_dags(ledger->conn, ledger->connection->ledger_schema,
            r->meta.metadata_id, r->options->since_us, r->arena, &dags, &count, err);
        for (size_t k = 0; status == OK && k < count; k++)
            map_set(ret, dags[k], ret);
    }
    return status;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static enum status see_sessions(
    struct reconciling *r, const struct reconcile_ledger *ledger, struct error *err)
{
    struct ledger_sessions sessions;
    enum status status = ledger_list_sessions(ledger->conn, r->arena, &sessions, err);
    for (size_t i = 0; status == OK && i < sessions.count; i++) {
        struct seen_session *seen = arena_new_of(r->arena, struct seen_session);
        seen->session = sessions.at[i];
        seen->ledger = ledger;
        map_set(r->sessions, seen->session.attempt, seen);
    }
    return status;
}

static void tell_session(struct reconciling *r, const struct seen_session *seen)
{
    struct difference d = difference_of(DIFFERENCE_SESSION, seen->ledger, seen->dag_id, TIME_NONE);
    d.run_id = seen->run_id;
    d.task_id = seen->task_id;
    d.map_index = seen->map_index;
    d.found = arena_printf(r->arena, "backend %d is still at work for attempt %s, which is over",
        seen->session.pid, seen->session.attempt);
    d.remedy = arena_printf(
        r->arena, "end it on that server: SELECT pg_terminate_backend(%d)", seen->session.pid);
    tell(r, &d);
}

/* Those that are over and that a second look still finds: an attempt ends a moment before the
   metadata says so, and its session is not at work any more. */
static enum status tell_sessions(
    struct reconciling *r, const struct reconcile_ledger *ledger, struct error *err)
{
    struct ledger_sessions now;
    enum status status = ledger_list_sessions(ledger->conn, r->arena, &now, err);
    for (size_t i = 0; status == OK && i < now.count; i++) {
        const struct ledger_session *session = &now.at[i];
        const struct seen_session *seen = map_get(r->sessions, session->attempt);
        if (seen && seen->task_id && seen->ledger == ledger && seen->session.pid == session->pid &&
            str_equal(seen->session.start, session->start))
            tell_session(r, seen);
    }
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void tell_elsewhere(struct reconciling *r)
{
    size_t cursor = 0;
    const char *ledger;
    void *value;
    while (map_next(r->elsewhere, &cursor, &ledger, &value)) {
        const struct elsewhere *found = value;
        struct difference d = difference_of(DIFFERENCE_LEDGER, NULL, NULL, TIME_NONE);
        d.found = arena_printf(r->arena,
            "%zu success%s in ledger %s, to which no connection that answers leads (%s of %s %s)",
            found->count, found->count == 1 ? " is" : "es are", ledger, found->task_id,
            found->dag_id, found->run_id);
        d.remedy = "point a connection to the database that holds that ledger; if it is lost, "
                   "`dag clear` what it held";
        tell(r, &d);
    }
}

static enum status compare_all(struct reconciling *r, struct error *err)
{
    CLEANUP(map_freep) struct map *dags = map_new();
    enum status status = store_read_meta(r->options->reader, &r->meta, err);
    for (size_t i = 0; status == OK && i < r->options->count; i++)
        status = see_sessions(r, &r->options->ledgers[i], err);
    if (status == OK)
        status = list_dags(r, dags, err);
    size_t cursor = 0;
    const char *dag_id;
    void *value;
    while (status == OK && map_next(dags, &cursor, &dag_id, &value))
        status = compare_dag(r, dag_id, err);
    for (size_t i = 0; status == OK && i < r->options->count; i++)
        status = tell_sessions(r, &r->options->ledgers[i], err);
    if (status == OK)
        tell_elsewhere(r);
    return status;
}

enum status reconcile_run(const struct reconcile_options *options, struct error *err)
{
    struct reconciling r = {
        .options = options, .arena = arena_new(), .sessions = map_new(), .elsewhere = map_new()};
    enum status status = compare_all(&r, err);
    map_free(r.sessions);
    map_free(r.elsewhere);
    arena_free(r.arena);
    return status;
}
