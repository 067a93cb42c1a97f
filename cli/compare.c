/* dag diff: what a changed definition would change.  A DAG's differences are put together as a JSON
   object, which --json prints and text is made of. */
#include "cli/compare.h"
#include <stdlib.h>
#include "cli/compare_keys.h"
#include "cli/render.h"
#include "cli/revision.h"
#include "language/timetable/timetable.h"

static int64_t days = 7;

enum {
    DAYS_MAX = 3660,
    TICKS_MAX = 10 * 1000, /* that are compared of a schedule */
    STALE_MAX = 1000,      /* successful runs that are looked at, newest first */
};

/* ---- text of a task -------------------------------------------------------------------------- */

/* What a text is rendered for: a run as it was made, or what a run of the date would have. */
struct moment {
    int64_t logical_us;
    const struct run_record *run; /* NULL: none was made */
};

static enum status facts_of(const struct dag *dag, const struct moment *moment, struct arena *arena,
    struct run_facts *ret, struct error *err)
{
    const struct run_record *run = moment->run;
    enum run_type type = run ? run->type : context_run_type_at(dag, moment->logical_us);
    enum status status = context_facts_at(dag, moment->logical_us, type, arena, ret, err);
    if (status != OK || !run)
        return status;
    ret->run_id = run->run_id;
    ret->interval_start_us = run->interval_start_us;
    ret->interval_end_us = run->interval_end_us;
    ret->run_after_us = run->run_after_us;
    ret->conf = run->conf;
    return OK;
}

/* All that the task renders, secrets masked; of a mapped task what it is mapped over. */
static const char *text_of(const struct revision *of, const struct dag *dag,
    const struct task *task, const struct moment *moment, struct render_cache *cache,
    struct arena *arena)
{
    struct run_facts facts;
    struct rendered_task rendered;
    struct error err;
    struct attempt_facts attempt = {.attempt_id = "",
        .try_number = 1,
        .map_index = -1,
        .now_us = moment->logical_us,
        .seed = 1,
        .cache = cache};
    const struct connection *connection =
        task->sql.connection ? project_find_connection(of->project, task->sql.connection) : NULL;
    struct render_target target = render_target_of(of->project, connection);
    struct strbuf text = {.arena = arena};
    enum status status = facts_of(dag, moment, arena, &facts, &err);
    if (status == OK)
        status = task->expand.count ? context_render_expand(of->project, dag, task, &facts,
                                          &attempt, &target, arena, &rendered, &err)
                                    : context_render_task(of->project, dag, task, &facts, &attempt,
                                          &target, arena, &rendered, &err);
    if (status != OK) {
        error_format(&err, "error", &text);
        return strbuf_finish(&text, arena).p;
    }
    for (size_t i = 0; i < rendered.count; i++) {
        const struct rendered *field = &rendered.fields[i];
        if (rendered.count > 1)
            strbuf_printf(&text, "-- %s\n", field->name);
        strbuf_add_slice(&text, field->map
                                    ? jinja_masked_text(field->map, JINJA_SECRET, "***", arena)
                                    : slice_of(field->text.p));
        strbuf_add_str(&text, text.size && text.text[text.size - 1] != '\n' ? "\n" : "");
    }
    return strbuf_finish(&text, arena).p;
}

/* ---- one DAG --------------------------------------------------------------------------------- */

/* A DAG in both versions. */
struct pair {
    struct cli *cli;
    const struct revision *a, *b;
    const struct dag *old, *new;
    json_t *out;
    struct arena *arena;                        /* the pair's */
    struct render_cache *old_cache, *new_cache; /* of its renderings */
};

static void add_name(json_t *object, const char *key, const char *name)
{
    json_t *list = json_object_get(object, key);
    if (!list) {
        list = json_array();
        json_object_set_new(object, key, list);
    }
    json_array_append_new(list, json_string(name));
}

static void add_names(json_t *object, const char *key, const struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        add_name(object, key, names->at[i]);
}

static const char *date_text(struct pair *p, int64_t us)
{
    char text[TIME_TEXT_SIZE];
    zone_format_iso(p->new->zone, us, text);
    size_t date = strlen("2030-01-01");
    bool midnight = str_starts(text + date, "T00:00:00");
    return arena_strndup(p->cli->arena, text, midnight ? date : strlen(text));
}

/* "a → b" of one that the other has not. */
static void add_edges(
    struct pair *p, const struct dag *one, const struct dag *other, const char *key)
{
    for (uint32_t i = 0; i < one->task_count; i++)
        for (size_t k = 0; k < one->tasks[i].upstream.count; k++) {
            const char *from = one->tasks[one->tasks[i].upstream.at[k]].task_id;
            const char *to = one->tasks[i].task_id;
            const struct task *same = dag_find_task(other, to);
            bool found = false;
            for (size_t n = 0; same && n < same->upstream.count; n++)
                found |= str_equal(other->tasks[same->upstream.at[n]].task_id, from);
            if (!found)
                add_name(p->out, key, arena_printf(p->cli->arena, "%s → %s", from, to));
        }
}

/* The logical dates of the last `days` runs that could have started, newest first; without a
   schedule now. */
static size_t dates_of(const struct dag *dag, int64_t **ret, struct arena *arena)
{
    int64_t *dates = arena_array(arena, int64_t, (size_t)days);
    struct timetable_run run;
    int64_t now_us = clock_now().wall_us;
    size_t count = 0;
    *ret = dates;
    dates[0] = now_us;
    if (!dag->timetable || !timetable_latest(dag->timetable, now_us, &run))
        return 1;
    do
        dates[count++] = run.logical_us;
    while (count < (size_t)days && timetable_previous(dag->timetable, dates[count - 1], &run));
    return count;
}

static const char *unified(struct pair *p, const char *old, const char *new)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return "";
    (void)diff_print(p->a->name, slice_of(old), p->b->name, slice_of(new), out);
    fclose(out);
    const char *copy = arena_strndup(p->cli->arena, text, size);
    free(text); /* of the C library */
    return copy;
}

/* Whether a task renders the same in both; *ret_diff: what differs, in the command's arena (NULL:
   not wanted). */
static bool renders_same(struct pair *p, const struct task *old, const struct task *new,
    const struct moment *moment, const char **ret_diff)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *before = text_of(p->a, p->old, old, moment, p->old_cache, arena);
    const char *after = text_of(p->b, p->new, new, moment, p->new_cache, arena);
    bool same = str_equal(before, after);
    if (!same && ret_diff)
        *ret_diff = unified(p, before, after);
    return same;
}

static void compare_texts(
    struct pair *p, const struct task *old, const struct task *new, json_t *task)
{
    int64_t *dates;
    size_t count = dates_of(p->new, &dates, p->arena), changed = 0;
    for (size_t i = 0; i < count; i++) {
        const struct moment moment = {.logical_us = dates[i]};
        const char *diff;
        if (renders_same(p, old, new, &moment, changed ? NULL : &diff) || changed++)
            continue;
        json_object_set_new(task, "logical_date", json_string(date_text(p, dates[i])));
        json_object_set_new(task, "diff", json_string(diff));
    }
    if (!changed)
        return;
    json_object_set_new(task, "dates_changed", json_integer((json_int_t)changed));
    json_object_set_new(task, "dates_rendered", json_integer((json_int_t)count));
}

static void compare_tasks(struct pair *p)
{
    struct arena *arena = p->arena;
    const struct yaml_node *a = revision_document(p->a, p->old, arena);
    const struct yaml_node *b = revision_document(p->b, p->new, arena);
    struct names keys = compare_dag_keys(a, b, arena);
    json_t *tasks = json_array();
    add_names(p->out, "keys", &keys);
    for (uint32_t i = 0; i < p->old->task_count; i++)
        if (!dag_find_task(p->new, p->old->tasks[i].task_id))
            add_name(p->out, "tasks_removed", p->old->tasks[i].task_id);
    for (uint32_t i = 0; i < p->new->task_count; i++) {
        const struct task *new = &p->new->tasks[i], *old = dag_find_task(p->old, new->task_id);
        if (!old) {
            add_name(p->out, "tasks_added", new->task_id);
            continue;
        }
        json_t *task = json_object();
        keys = compare_task_keys(a, b, new->task_id, arena);
        add_names(task, "keys", &keys);
        compare_texts(p, old, new, task);
        if (json_object_size(task)) {
            json_object_set_new(task, "task_id", json_string(new->task_id));
            json_array_append(tasks, task);
        }
        json_decref(task);
    }
    if (json_array_size(tasks))
        json_object_set(p->out, "tasks", tasks);
    json_decref(tasks);
    add_edges(p, p->new, p->old, "edges_added");
    add_edges(p, p->old, p->new, "edges_removed");
}

/* ---- ticks ----------------------------------------------------------------------------------- */

typedef VEC(int64_t) times;

static void ticks_of(const struct dag *dag, int64_t from_us, int64_t to_us, times *ret)
{
    struct timetable_run run;
    if (!dag->timetable)
        return;
    enum timetable_answer answer = timetable_next(dag->timetable, NULL, from_us, &run);
    while (answer == TIMETABLE_RUN && run.logical_us <= to_us && ret->count < TICKS_MAX) {
        vec_push(ret, run.logical_us);
        struct data_interval covered = run.interval;
        answer = timetable_next(dag->timetable, &covered, TIME_MIN_US, &run);
    }
}

static void add_ticks(struct pair *p, const times *one, const times *other, const char *key)
{
    size_t k = 0;
    vec_each (us, one) {
        while (k < other->count && other->at[k] < *us)
            k++;
        if (k == other->count || other->at[k] != *us)
            add_name(p->out, key, date_text(p, *us));
    }
}

/* Logical dates from `days` days ago to as many from now. */
static void compare_ticks(struct pair *p)
{
    times old = {0}, new = {0};
    int64_t now_us = clock_now().wall_us, span_us = days * US_PER_DAY;
    ticks_of(p->old, now_us - span_us, now_us + span_us, &old);
    ticks_of(p->new, now_us - span_us, now_us + span_us, &new);
    add_ticks(p, &new, &old, "ticks_added");
    add_ticks(p, &old, &new, "ticks_removed");
    vec_done(&old);
    vec_done(&new);
}

/* ---- what goes stale ------------------------------------------------------------------------- */

/* The tasks whose text for the run is another now, without those that follow one of them: "a b", ""
   when there is none.  A run keeps its interval and conf when it is cleared, whatever the schedule
   says now. */
static const char *stale_tasks(struct pair *p, const struct run_record *run)
{
    const struct moment moment = {run->logical_us, run};
    struct arena *arena = p->cli->arena;
    bool *below = arena_array(arena, bool, p->new->task_count + 1);
    struct strbuf text = {.arena = arena};
    for (uint32_t i = 0; i < p->new->task_count; i++) {
        uint32_t index = p->new->topological[i];
        const struct task *new = &p->new->tasks[index];
        for (size_t k = 0; k < new->upstream.count; k++)
            below[index] |= below[new->upstream.at[k]];
        const struct task *old = below[index] ? NULL : dag_find_task(p->old, new->task_id);
        if (below[index] || (old && renders_same(p, old, new, &moment, NULL)))
            continue;
        below[index] = true;
        strbuf_printf(&text, "%s%s", text.size ? " " : "", new->task_id);
    }
    return strbuf_finish(&text, arena).p;
}

static void add_stale(
    struct pair *p, int64_t from_us, int64_t to_us, size_t count, const char *tasks)
{
    const char *from = date_text(p, from_us), *to = date_text(p, to_us);
    const char *command =
        count == 1 ? arena_printf(p->cli->arena, "dag clear %s %s %s --downstream", p->new->dag_id,
                         from, tasks)
                   : arena_printf(p->cli->arena, "dag clear %s --from %s --to %s %s --downstream",
                         p->new->dag_id, from, to, tasks);
    json_t *list = json_object_get(p->out, "stale");
    if (!list) {
        list = json_array();
        json_object_set_new(p->out, "stale", list);
    }
    json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:s}", "from", from, "to", to, "runs",
                                    (json_int_t)count, "command", command));
}

/* Successful runs of another version whose text would be another now; neighbours of which the same
   tasks are stale are one command. */
static void compare_runs(struct pair *p)
{
    struct error ignored;
    struct store *reader = NULL;
    struct run_rows runs = {0};
    struct run_filter filter = {.dag_id = p->new->dag_id, .limit = STALE_MAX};
    if (cli_reader(p->cli, &reader, &ignored) != OK ||
        store_read_runs(reader, &filter, p->cli->arena, &runs, &ignored) != OK)
        return; /* nothing has run here */
    const char *tasks = "";
    int64_t first_us = 0, last_us = 0;
    size_t count = 0;
    for (size_t i = runs.count + 1; i-- > 0;) { /* they come newest first */
        const struct run_record *run = i > 0 ? &runs.at[i - 1] : NULL;
        bool stale = run && run->state == RUN_SUCCESS && !str_equal(run->version, p->new->version);
        const char *of_run = stale ? stale_tasks(p, run) : "";
        if (count && !str_equal(of_run, tasks)) {
            add_stale(p, first_us, last_us, count, tasks);
            count = 0;
        }
        if (!run || !*of_run)
            continue;
        first_us = count++ ? first_us : run->logical_us;
        last_us = run->logical_us;
        tasks = of_run;
    }
}

/* ---- both versions --------------------------------------------------------------------------- */

static json_t *only_in(const char *change, const struct dag *dag)
{
    return json_pack("{s:s, s:s, s:s, s:i}", "dag_id", dag->dag_id, "change", change, "file",
        dag->file, "task_count", (int)dag->task_count);
}

/* Each DAG that differs, in the order of their ids; the caller's. */
static json_t *compare_all(struct cli *cli, const struct revision *a, const struct revision *b)
{
    json_t *all = json_array();
    size_t i = 0, k = 0, old_count = catalogue_count(a->catalogue),
           new_count = catalogue_count(b->catalogue);
    while (i < old_count || k < new_count) {
        const struct dag *old = i < old_count ? catalogue_at(a->catalogue, i) : NULL;
        const struct dag *new = k < new_count ? catalogue_at(b->catalogue, k) : NULL;
        int order = !old ? 1 : !new ? -1 : strcmp(old->dag_id, new->dag_id);
        i += order <= 0;
        k += order >= 0;
        if (order != 0) {
            json_array_append_new(all, order < 0 ? only_in("removed", old) : only_in("added", new));
            continue;
        }
        struct pair p = {cli, a, b, old, new, json_object(), arena_new(), NULL, NULL};
        p.old_cache = render_cache_new(a->project, old, p.arena);
        p.new_cache = render_cache_new(b->project, new, p.arena);
        compare_tasks(&p);
        compare_ticks(&p);
        compare_runs(&p);
        render_cache_free(p.old_cache);
        render_cache_free(p.new_cache);
        arena_free(p.arena);
        if (json_object_size(p.out)) {
            json_object_set_new(p.out, "dag_id", json_string(new->dag_id));
            json_object_set_new(p.out, "change", json_string("changed"));
            json_object_set_new(p.out, "file", json_string(new->file));
            json_array_append(all, p.out);
        }
        json_decref(p.out);
    }
    return all;
}

static enum status run(struct cli *cli, struct error *err)
{
    struct revision a = {0}, b = {0};
    if (days < 1 || days > DAYS_MAX)
        return error_set(err, ERR_USAGE, "--days is 1 to %d", DAYS_MAX);
    enum status status = revision_open(cli, cli->args[0], &a, err);
    if (status == OK)
        status = revision_open(cli, cli->arg_count > 1 ? cli->args[1] : NULL, &b, err);
    if (status == OK) {
        CLEANUP(json_decrefp) json_t *all = compare_all(cli, &a, &b);
        compare_print(cli, all, a.name, b.name);
        if (cli->exit_status && json_array_size(all))
            status = error_set(err, ERR_DIFFERENT, "%s and %s are different", a.name, b.name);
    }
    revision_close(&a);
    revision_close(&b);
    return status;
}

static const struct option options[] = {
    OPTION_INT("days", 0, &days, "N",
        "render the last N dates, and compare ticks of so many days back and ahead (default 7)"),
    OPTION_END,
};

const struct command command_diff = {
    .name = "diff",
    .arguments = "A [B]",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "what a changed definition would change",
    .description =
        "Compares two versions of the project, each a folder or a git revision; B is the working "
        "folder when it is left out. Shows tasks and edges that came, went or changed, rendered "
        "text that is another, dates that the schedule gives or no longer gives, and the runs "
        "whose "
        "success was made of other SQL, with the commands that run them again. With --exit-status "
        "it ends with 1 when there is a difference.",
    .examples = "dag diff HEAD\ndag diff main HEAD --days 30\n"
                "dag diff ../production --json\ndag diff HEAD~1 --exit-status",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
