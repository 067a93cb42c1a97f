/* Tables of runs. */
#include "web/limits.h"
#include "web/pages/pages.h"

static void show_run_row(struct page *page, const struct run_record *run, const char *dag_id)
{
    struct strbuf *out = page->out;
    const struct zone *zone = dag_zone(page, run->dag_id);
    html(out, "<tr><td>");
    show_state(page, run_state_name(run->state));
    html(out, "</td>");
    if (!dag_id)
        html_printf(out, "<td data-label=\"DAG\"><a href=\"%s\"><bdi>%s</bdi></a></td>",
            link_dag(page, run->dag_id), run->dag_id);
    html_printf(out, "<th scope=\"row\"><a href=\"%s\" title=\"%s\">%s</a></th>",
        link_run(page, run->dag_id, zone, run->logical_us), run->run_id,
        run_label(page->arena, zone, run->logical_us));
    html_printf(out, "<td data-label=\"type\">%s</td><td data-label=\"started\">",
        run_type_name(run->type));
    show_time(page, zone, run->started_us, SHOW_PLAIN);
    html(out, "</td><td data-label=\"took\" class=\"number\">");
    show_took(page, run->started_us, run->ended_us);
    html_printf(out, "</td><td data-label=\"reason\" class=\"reason\"><bdi>%s</bdi></td></tr>\n",
        reason_line(page->arena, run->reason_text, run->reason));
}

void show_runs(struct page *page, const struct run_rows *runs, const char *dag_id)
{
    struct strbuf *out = page->out;
    html(out, "<table class=\"runs\"><thead><tr><th>state</th>");
    if (!dag_id)
        html(out, "<th>DAG</th>");
    html(out, "<th>logical date</th><th>type</th><th>started");
    if (dag_id)
        html_printf(out, " <span class=\"zone\">%s</span>", zone_name(dag_zone(page, dag_id)));
    html(out, "</th><th class=\"number\">took</th><th>reason</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < runs->count; i++)
        show_run_row(page, &runs->at[i], dag_id);
    html(out, "</tbody></table>\n");
}

/* ---- under way ------------------------------------------------------------------------------- */

static bool is_at_work(enum task_state state)
{
    return state == TASK_RUNNING || state == TASK_UP_FOR_RETRY || state == TASK_RESTARTING ||
           state == TASK_FAILED || state == TASK_QUEUED;
}

static void show_tasks_at_work(
    struct page *page, const struct task_rows *tasks, const char *run_link)
{
    size_t shown = 0;
    for (size_t i = 0; i < tasks->count && shown < TASKS_AT_WORK_SHOWN; i++) {
        const struct task_record *task = &tasks->at[i];
        if (!is_at_work(task->state))
            continue;
        html(page->out, "<span class=\"at-work\">");
        show_state(page, task_state_name(task->state));
        html_printf(page->out, "<a href=\"%s\"><bdi>%s</bdi></a> ",
            link_task(page, run_link, task->task_id, task->map_index),
            task_word(page->arena, task->task_id, task->map_index));
        if (task->state == TASK_RUNNING)
            show_took(page, task->started_us, TIME_NONE);
        html(page->out, "</span> ");
        shown++;
    }
}

static enum status show_live_run(struct page *page, const struct run_record *run, struct error *err)
{
    struct task_rows tasks;
    size_t finished = 0;
    struct strbuf *out = page->out;
    const struct zone *zone = dag_zone(page, run->dag_id);
    const char *address = link_run(page, run->dag_id, zone, run->logical_us);
    enum status status = read_tasks(page, run->id, &tasks, err);
    if (status != OK)
        return status;
    sort_tasks(dag_definition(page, run->dag_id), &tasks);
    for (size_t i = 0; i < tasks.count; i++)
        finished += task_state_finished(tasks.at[i].state);
    html_printf(out,
        "<tr><th scope=\"row\"><a href=\"%s\"><bdi>%s</bdi></a></th><td data-label=\"run\"><a "
        "href=\"%s\">%s</a></td>",
        link_dag(page, run->dag_id), run->dag_id, address,
        run_label(page->arena, zone, run->logical_us));
    html_printf(
        out, "<td data-label=\"tasks\" class=\"number\">%zu of %zu</td>", finished, tasks.count);
    html(out, "<td data-label=\"for\" class=\"number\">");
    show_took(page, run->started_us, run->ended_us);
    html(out, "</td><td data-label=\"now\">");
    show_tasks_at_work(page, &tasks, address);
    html(out, "</td></tr>\n");
    return OK;
}

enum status show_live_runs(struct page *page, const struct run_rows *runs, struct error *err)
{
    enum status status = OK;
    html(page->out, "<table class=\"live\"><thead><tr><th>DAG</th><th>run</th><th class=\"number\">"
                    "tasks</th><th class=\"number\">for</th><th>now</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < runs->count && status == OK; i++)
        status = show_live_run(page, &runs->at[i], err);
    html(page->out, "</tbody></table>\n");
    return status;
}
