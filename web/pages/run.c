/* One run: how it stands, why, and its tasks. */
#include "web/limits.h"
#include "web/pages/pages.h"

struct run_page {
    struct dag_facts dag;
    struct run_record run;
    struct task_rows tasks;
    struct attempt_rows attempts;
    const char *word, *label, *address;
};

static struct about about_run(const struct run_page *p)
{
    return (struct about){.dag_id = p->run.dag_id, .run_id = p->run.run_id};
}

/* ---- how it stands --------------------------------------------------------------------------- */

static void show_counts(struct page *page, const struct task_rows *tasks)
{
    size_t counts[TASK_STATE_COUNT] = {0};
    for (size_t i = 0; i < tasks->count; i++)
        counts[tasks->at[i].state]++;
    fact_begin(page, "tasks");
    for (int i = 0; i < TASK_STATE_COUNT; i++) {
        if (!counts[i])
            continue;
        html_printf(page->out, "<a class=\"counted\" href=\"#tasks\">%zu ", counts[i]);
        show_state(page, task_state_name((enum task_state)i));
        html(page->out, "</a> ");
    }
    fact_end(page);
}

static void show_times(struct page *page, const struct run_record *run, const struct zone *zone)
{
    bool started = run->started_us != TIME_NONE;
    fact_begin(page, started ? "started" : "queued");
    show_time(page, zone, started ? run->started_us : run->queued_us, SHOW_ZONE);
    fact_end(page);
    if (!started)
        return;
    fact_begin(page, run->ended_us == TIME_NONE ? "running for" : "took");
    show_took(page, run->started_us, run->ended_us);
    fact_end(page);
}

static void show_interval(struct page *page, const struct run_record *run, const struct zone *zone)
{
    fact_begin(page, "data interval");
    show_time(page, zone, run->interval_start_us, SHOW_PLAIN);
    html(page->out, " to ");
    show_time(page, zone, run->interval_end_us, SHOW_ZONE);
    fact_end(page);
    if (run->ended_us != TIME_NONE) {
        fact_begin(page, "ended");
        show_time(page, zone, run->ended_us, SHOW_ZONE);
        fact_end(page);
    }
}

static void show_origin(struct page *page, const struct run_record *run)
{
    show_fact(page, "type", run_type_name(run->type));
    show_fact(page, "made by", run->triggered_by);
    show_fact(page, "note", run->note);
    if (run->conf && !str_equal(run->conf, "{}")) {
        fact_begin(page, "conf");
        html_printf(page->out, "<code><bdi>%s</bdi></code>", run->conf);
        fact_end(page);
    }
    fact_begin(page, "run id");
    html_printf(page->out, "<code><bdi>%s</bdi></code>", run->run_id);
    fact_end(page);
}

static void show_acts(struct page *page, const struct run_page *p)
{
    const char *dag_id = p->run.dag_id;
    html(page->out, "<p class=\"acts\">");
    if (run_state_finished(p->run.state))
        show_act(page, "all of it again", (const char *[]){"dag", "clear", dag_id, p->word, NULL});
    else
        show_act(page, "end it", (const char *[]){"dag", "cancel", dag_id, p->word, NULL});
    html(page->out, "</p>\n");
}

static void section_summary(struct page *page, const struct run_page *p)
{
    struct strbuf *out = page->out;
    if (!section_begin(page, "summary", NULL, about_run(p)))
        return;
    html_printf(out, "<h1><bdi>%s</bdi> <span class=\"date\">%s</span> ", p->run.dag_id, p->label);
    show_state(page, run_state_name(p->run.state));
    html(out, "</h1>\n");
    html_printf(out, "<p class=\"lead reason\"><bdi>%s</bdi></p>\n",
        p->run.reason_text ? p->run.reason_text : reason_text(p->run.reason));
    html(out, "<dl class=\"facts\">");
    show_counts(page, &p->tasks);
    show_times(page, &p->run, p->dag.zone);
    show_deadline(page, p->dag.zone, p->run.deadline_us, p->run.deadline_missed_us);
    html(out, "</dl>\n");
    section_end(page);
}

/* What does not help a person who was just paged: below the tasks. */
static void section_about(struct page *page, const struct run_page *p)
{
    if (!section_begin(page, "about", "About this run", about_run(p)))
        return;
    html(page->out, "<dl class=\"facts\">");
    show_interval(page, &p->run, p->dag.zone);
    show_origin(page, &p->run);
    html(page->out, "</dl>\n");
    show_acts(page, p);
    section_end(page);
}

/* ---- what failed ----------------------------------------------------------------------------- */

static enum status section_failed(struct page *page, const struct run_page *p, struct error *err)
{
    bool failed = false;
    for (size_t i = 0; i < p->tasks.count; i++)
        failed = failed || p->tasks.at[i].state == TASK_FAILED;
    if (!section_begin(page, "failed", failed ? "What failed" : NULL, about_run(p)))
        return OK;
    html(page->out, "<ul class=\"needs\">");
    enum status status = failed ? show_failed_run(page, &p->run, err) : OK;
    html(page->out, "</ul>");
    section_end(page);
    return status;
}

/* ---- the tasks ------------------------------------------------------------------------------- */

static void show_task_row(
    struct page *page, const struct run_page *p, const struct task_record *task)
{
    struct strbuf *out = page->out;
    char *address = link_task(page, p->address, task->task_id, task->map_index);
    const struct attempt_record *attempt =
        last_attempt(&p->attempts, task->task_id, task->map_index);
    html(out, "<tr><td>");
    show_state(page, task_state_name(task->state));
    html_printf(out, "</td><th scope=\"row\"><a href=\"%s\"><bdi>%s</bdi></a></th>", address,
        task_word(page->arena, task->task_id, task->map_index));
    html(out, "<td data-label=\"tries\" class=\"number\">");
    if (attempt)
        html_printf(out, "<a href=\"%s\">%d</a>", link_try(page, address, attempt->number),
            attempt->number);
    html(out, "</td><td data-label=\"started\">");
    show_time(page, p->dag.zone, task->started_us, SHOW_PLAIN);
    html(out, "</td><td data-label=\"took\" class=\"number\">");
    show_took(page, task->started_us, task->ended_us);
    html_printf(out, "</td><td data-label=\"reason\" class=\"reason\"><bdi>%s</bdi>",
        reason_line(page->arena, task->reason_text, task->reason));
    if (task->state == TASK_UP_FOR_RETRY && task->retry_at_us != TIME_NONE) {
        html(out, " ");
        show_time(page, p->dag.zone, task->retry_at_us, SHOW_RELATIVE);
    }
    html(out, "</td></tr>\n");
}

static void section_tasks(struct page *page, const struct run_page *p)
{
    struct strbuf *out = page->out;
    size_t from = page_offset(page, "from", p->tasks.count);
    size_t to = from + TASKS_SHOWN < p->tasks.count ? from + TASKS_SHOWN : p->tasks.count;
    if (!section_begin(page, "tasks", "Tasks", about_run(p)))
        return;
    if (p->tasks.count) {
        html_printf(out,
            "<table class=\"tasks\"><thead><tr><th>state</th><th>task</th><th class=\"number\">"
            "tries</th><th>started <span class=\"zone\">%s</span></th><th class=\"number\">took"
            "</th><th>reason</th></tr></thead><tbody>\n",
            zone_name(p->dag.zone));
        for (size_t i = from; i < to; i++)
            show_task_row(page, p, &p->tasks.at[i]);
        html(out, "</tbody></table>\n");
    } else {
        show_empty(page, "The run has not started: its tasks are made then.");
    }
    show_pager(page, "from", from, to, p->tasks.count, TASKS_SHOWN);
    section_end(page);
}

static enum status read_all(struct page *page, struct run_page *p, struct error *err)
{
    enum status status = read_dag(page, page->values->dag_id, &p->dag, err);
    if (status == OK)
        status = read_run(page, &p->dag, page->values->run, &p->run, err);
    if (status == OK)
        status = read_tasks(page, p->run.id, &p->tasks, err);
    if (status == OK)
        status = read_attempts(page, p->run.id, NULL, &p->attempts, err);
    if (status != OK)
        return status;
    sort_tasks(p->dag.dag, &p->tasks);
    p->word = run_word(page->arena, p->dag.zone, p->run.logical_us);
    p->label = run_label(page->arena, p->dag.zone, p->run.logical_us);
    p->address = link_run(page, p->run.dag_id, p->dag.zone, p->run.logical_us);
    return OK;
}

enum status page_run(struct page *page, struct http_answer *ret, struct error *err)
{
    struct run_page p = {0};
    (void)ret;
    enum status status = read_all(page, &p, err);
    if (status != OK)
        return status;
    const struct crumb crumbs[] = {
        {p.run.dag_id, link_dag(page, p.run.dag_id)}, {p.label, NULL}, {NULL, NULL}};
    page_begin(page, arena_printf(page->arena, "%s \u00b7 %s", p.run.dag_id, p.word), crumbs);
    section_summary(page, &p);
    status = section_failed(page, &p, err);
    section_tasks(page, &p);
    section_about(page, &p);
    page_end(page);
    return status;
}
