/* The first page: what needs you, what runs, the DAGs, who holds the slots. */
#include <stdlib.h>

#include "base/file.h"
#include "web/limits.h"
#include "web/pages/pages.h"

/* ---- what needs you -------------------------------------------------------------------------- */

static int newest_end_first(const void *a, const void *b)
{
    const struct run_record *left = a, *right = b;
    return (left->ended_us < right->ended_us) - (left->ended_us > right->ended_us);
}

static size_t count_before(const struct run_rows *runs, size_t at)
{
    size_t count = 0;
    for (size_t i = 0; i < at; i++)
        count += str_equal(runs->at[i].dag_id, runs->at[at].dag_id);
    return count;
}

static bool has_failed_task(struct page *page, struct run_id run)
{
    struct task_rows tasks;
    struct error err;
    if (read_tasks(page, run, &tasks, &err) != OK)
        return false;
    for (size_t i = 0; i < tasks.count; i++)
        if (tasks.at[i].state == TASK_FAILED)
            return true;
    return false;
}

/* Failed runs, and runs under way in which a task failed already: the last to fail first. */
static enum status read_failed_runs(struct page *page, struct run_rows *ret, struct error *err)
{
    const struct run_filter failed = {.states = 1u << RUN_FAILED, .limit = FAILED_RUNS_READ};
    const struct run_filter live = {.states = 1u << RUN_RUNNING, .limit = LIVE_RUNS_LOOKED_AT};
    struct run_rows ended = {0}, running = {0};
    enum status status = read_runs(page, &failed, &ended, err);
    if (status == OK)
        status = read_runs(page, &live, &running, err);
    if (status != OK)
        return status;
    struct run_record *runs =
        arena_array(page->arena, struct run_record, ended.count + running.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < running.count; i++)
        if (has_failed_task(page, running.at[i].id))
            runs[count++] = running.at[i];
    if (ended.count)
        qsort(ended.at, ended.count, sizeof(*ended.at), newest_end_first);
    for (size_t i = 0; i < ended.count; i++)
        runs[count++] = ended.at[i];
    *ret = (struct run_rows){runs, count};
    return OK;
}

/* The newest of each DAG with their reasons; the rest as a link. */
static enum status show_failed_runs(
    struct page *page, const struct run_rows *runs, struct error *err)
{
    size_t shown = 0;
    enum status status = OK;
    for (size_t i = 0; i < runs->count && shown < FAILED_RUNS_SHOWN && status == OK; i++) {
        const struct run_record *run = &runs->at[i];
        size_t before = count_before(runs, i);
        if (before == FAILED_RUNS_OF_DAG)
            html_printf(page->out,
                "<li class=\"need\"><p class=\"line\"><a href=\"%s?state=failed#runs\">all "
                "failed runs of <bdi>%s</bdi></a></p></li>\n",
                link_dag(page, run->dag_id), run->dag_id);
        if (before >= FAILED_RUNS_OF_DAG)
            continue;
        status = show_failed_run(page, run, err);
        shown++;
    }
    return status;
}

/* Not by anyone's hand. */
static bool is_paused_by_itself(const struct dag_facts *dag)
{
    return dag->record && dag->record->paused &&
           (dag->record->pause_reason == REASON_FAILURES_REACHED ||
               dag->record->pause_reason == REASON_QUARANTINED);
}

static void show_paused_by_itself(struct page *page, const struct dag_facts *dag)
{
    const char *why = reason_text(REASON_QUARANTINED);
    if (dag->record->pause_reason == REASON_FAILURES_REACHED)
        why = arena_printf(
            page->arena, "paused: %d runs in a row failed", dag->record->consecutive_failures);
    html_printf(page->out,
        "<li class=\"need\"><p class=\"line\"><a href=\"%s\"><bdi>%s</bdi></a><span "
        "class=\"reason\">%s</span>",
        link_dag(page, dag->dag_id), dag->dag_id, why);
    show_act(page, "mended? go on", (const char *[]){"dag", "unpause", dag->dag_id, NULL});
    html(page->out, "</p></li>\n");
}

static enum status section_needs(
    struct page *page, const struct dag_list_facts *dags, struct error *err)
{
    struct run_rows failed;
    size_t count = catalogue_broken_count(daemon_catalogue(page->web->daemon));
    if (!section_is_wanted(page, "needs"))
        return OK;
    enum status status = read_failed_runs(page, &failed, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < dags->count; i++)
        count += is_paused_by_itself(&dags->at[i]);
    count += failed.count;
    section_begin(page, "needs", NULL, (struct about){0});
    html_printf(page->out, "<h2>Needs you <span class=\"count\">%zu%s</span></h2>\n", count,
        failed.count >= FAILED_RUNS_READ ? " or more" : "");
    html(page->out, "<ul class=\"needs\">");
    status = show_failed_runs(page, &failed, err);
    for (size_t i = 0; i < dags->count; i++)
        if (is_paused_by_itself(&dags->at[i]))
            show_paused_by_itself(page, &dags->at[i]);
    show_broken_files(page);
    html(page->out, "</ul>");
    if (count == 0)
        show_empty(page, "Nothing failed, and every file loads.");
    section_end(page);
    return status;
}

/* ---- what runs ------------------------------------------------------------------------------- */

static enum status section_running(struct page *page, struct error *err)
{
    struct run_rows live;
    const struct run_filter filter = {
        .states = 1u << RUN_RUNNING, .limit = LIVE_RUNS_SHOWN, .oldest_first = true};
    if (!section_begin(page, "running", "Running now", (struct about){0}))
        return OK;
    enum status status = read_runs(page, &filter, &live, err);
    if (status == OK && live.count)
        status = show_live_runs(page, &live, err);
    else
        show_empty(page, "No run is under way.");
    if (status == OK && live.count == LIVE_RUNS_SHOWN)
        html(page->out, "<p class=\"more\">the oldest of them; each DAG's page lists its own</p>");
    section_end(page);
    return status;
}

/* ---- DAGs ------------------------------------------------------------------------------------ */

/* A run's height in the strip: its duration beside the longest, in eight steps. */
static const char *height_class(struct page *page, const struct run_record *run, int64_t longest_us)
{
    if (run->started_us == TIME_NONE || longest_us <= 0)
        return "h1";
    int64_t end_us = run->ended_us == TIME_NONE ? page->now.wall_us : run->ended_us;
    int64_t step = 1 + (end_us - run->started_us) * 7 / longest_us;
    return arena_printf(page->arena, "h%lld", (long long)(step < 1 ? 1 : step > 8 ? 8 : step));
}

static void show_strip(struct page *page, const struct dag_facts *dag, const struct run_rows *runs)
{
    int64_t longest_us = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const struct run_record *run = &runs->at[i];
        int64_t end_us = run->ended_us == TIME_NONE ? page->now.wall_us : run->ended_us;
        if (run->started_us != TIME_NONE && end_us - run->started_us > longest_us)
            longest_us = end_us - run->started_us;
    }
    html(page->out, "<span class=\"strip\">");
    for (size_t i = runs->count; i-- > 0;) {
        const struct run_record *run = &runs->at[i];
        const char *word = run_label(page->arena, dag->zone, run->logical_us);
        const char *title =
            arena_printf(page->arena, "%s %s: %s", dag->dag_id, word, run_state_name(run->state));
        show_cell(page, run_state_name(run->state),
            link_run(page, dag->dag_id, dag->zone, run->logical_us), title,
            height_class(page, run, longest_us));
    }
    html(page->out, "</span>");
}

static void show_next_run(struct page *page, const struct dag_facts *dag)
{
    int64_t next_us = next_run_us(dag, page->now.wall_us);
    bool paused = dag->record && dag->record->paused;
    if (paused)
        html(page->out, "<span class=\"state s-paused\">paused</span>");
    else if (next_us != TIME_NONE && next_us <= page->now.wall_us)
        html(page->out, "due");
    else
        show_time(page, dag->zone, next_us, SHOW_RELATIVE);
}

static enum status show_dag_row(struct page *page, const struct dag_facts *dag, struct error *err)
{
    struct run_rows runs;
    struct strbuf *out = page->out;
    const struct run_filter filter = {.dag_id = dag->dag_id, .limit = STRIP_RUNS};
    enum status status = read_runs(page, &filter, &runs, err);
    if (status != OK)
        return status;
    html_printf(out, "<tr><th scope=\"row\"><a href=\"%s\"><bdi>%s</bdi></a>",
        link_dag(page, dag->dag_id), dag->dag_id);
    if (dag->stale)
        html(out, "<span class=\"state s-failed\">file broken</span>");
    if (dag->dag && dag->dag->description)
        html_printf(out, "<small><bdi>%s</bdi></small>", dag->dag->description);
    html_printf(out, "</th><td data-label=\"schedule\"><code>%s</code></td>",
        dag->dag ? dag->dag->schedule_text : "");
    html(out, "<td data-label=\"last runs\">");
    if (runs.count)
        show_strip(page, dag, &runs);
    else
        html(out, "<span class=\"none\">no run yet</span>");
    html(out, "</td><td data-label=\"next\">");
    show_next_run(page, dag);
    int64_t usual_us = typical_us(page->arena, &runs);
    html_printf(out, "</td><td data-label=\"typical\">%s</td>",
        usual_us == TIME_NONE ? "\u2013" : took_text(page->arena, usual_us));
    html_printf(out, "<td data-label=\"owner\"><bdi>%s</bdi></td></tr>\n",
        dag->dag && dag->dag->owner ? dag->dag->owner : "");
    return OK;
}

static enum status show_dags(
    struct page *page, const struct dag_list_facts *dags, struct error *err)
{
    enum status status = OK;
    size_t from = page_offset(page, "from", dags->count);
    size_t to = from + DAGS_SHOWN < dags->count ? from + DAGS_SHOWN : dags->count;
    html(page->out, "<table class=\"dags\"><thead><tr><th>DAG</th><th>schedule</th>"
                    "<th>last runs</th><th>next</th><th>typical</th><th>owner</th></tr></thead>"
                    "<tbody>\n");
    for (size_t i = from; i < to && status == OK; i++)
        status = show_dag_row(page, &dags->at[i], err);
    html(page->out, "</tbody></table>\n");
    show_pager(page, "from", from, to, dags->count, DAGS_SHOWN);
    return status;
}

static enum status section_dags(
    struct page *page, const struct dag_list_facts *dags, struct error *err)
{
    if (!section_begin(page, "dags", "DAGs", (struct about){0}))
        return OK;
    enum status status = OK;
    if (dags->count)
        status = show_dags(page, dags, err);
    else
        show_empty(page, "No DAG yet. Put a file into the folder of DAGs (`dag config` names it); "
                         "it shows here within a second.");
    section_end(page);
    return status;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void show_slots(void *context, const struct slots_use *use)
{
    struct page *page = context;
    struct strbuf *out = page->out;
    html_printf(out, "<tr><th scope=\"row\">%s</th><td><bdi>%s</bdi></td>", use->kind,
        use->name ? use->name : "");
    if (use->total > 0)
        html_printf(
            out, "<td data-label=\"in use\" class=\"number\">%d of %d</td>", use->used, use->total);
    else
        html_printf(out, "<td data-label=\"in use\" class=\"number\">%d</td>", use->used);
    html(out, "<td>");
    if (use->total > 0)
        html_printf(out, "<meter min=\"0\" max=\"%d\" value=\"%d\">%d of %d</meter>", use->total,
            use->used, use->used, use->total);
    html_printf(out,
        "</td><td data-label=\"waiting\" class=\"number\"><a href=\"/queue\">%d</a></td></tr>\n",
        use->waiting);
}

static void section_slots(struct page *page)
{
    const struct scheduler *scheduler = live_scheduler(page);
    if (!section_begin(page, "slots", "Slots", (struct about){0}))
        return;
    if (scheduler) {
        html(page->out, "<table><thead><tr><th>kind</th><th>name</th><th class=\"number\">in use"
                        "</th><th></th><th class=\"number\">waiting</th></tr></thead><tbody>\n");
        scheduler_slots(scheduler, show_slots, page);
        html(page->out, "</tbody></table>\n");
    } else {
        show_empty(page, "The scheduler is loading its state again; this takes a moment.");
    }
    section_end(page);
}

/* ---- the page -------------------------------------------------------------------------------- */

enum status page_home(struct page *page, struct http_answer *ret, struct error *err)
{
    struct dag_list_facts dags;
    const struct project *project = daemon_project(page->web->daemon);
    (void)ret;
    enum status status = read_dags(page, &dags, err);
    if (status != OK)
        return status;
    page_begin(page,
        arena_printf(page->arena, "dag \u00b7 %s",
            project->environment ? project->environment : path_base(project->root)),
        NULL);
    if (!page->fragments)
        html(page->out, "<h1 class=\"hidden\">DAGs</h1>\n");
    status = section_needs(page, &dags, err);
    if (status == OK)
        status = section_running(page, err);
    if (status == OK)
        status = section_dags(page, &dags, err);
    section_slots(page);
    page_end(page);
    return status;
}
