/* Failures: what failed, why, where, and how to go on. */
#include "web/limits.h"
#include "web/pages/pages.h"

/* The first lines of a text; *ret_cut tells whether there is more. */
static char *first_lines(
    struct arena *arena, const char *text, size_t lines, size_t size_max, bool *ret_cut)
{
    size_t size = 0;
    while (text[size] && size < size_max && (text[size] != '\n' || --lines))
        size++;
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--; /* not within a character */
    *ret_cut = text[size] && text[size + 1];
    return arena_strndup(arena, text, size);
}

static void show_cause(
    struct page *page, const struct attempt_record *attempt, size_t lines, const char *more)
{
    bool cut = false;
    struct strbuf *out = page->out;
    if (attempt->message && *attempt->message) {
        char *shown = first_lines(page->arena, attempt->message, lines, MESSAGE_SHOWN_SIZE, &cut);
        show_message(page, shown);
    }
    if (cut && more)
        html_printf(out, "<p class=\"more\"><a href=\"%s\">the whole message</a></p>", more);
    show_place(page, attempt->place, attempt->message);
}

static void show_codes(struct page *page, const struct attempt_record *attempt)
{
    if (attempt->sqlstate && *attempt->sqlstate)
        html_printf(page->out, "<span class=\"code\" title=\"SQLSTATE\">SQLSTATE %s</span>",
            attempt->sqlstate);
    if (attempt->exit_code >= 0)
        html_printf(page->out, "<span class=\"code\">exit code %d</span>", attempt->exit_code);
}

void show_why(struct page *page, const struct run_record *run, const struct task_record *task,
    const struct attempt_record *attempt)
{
    struct strbuf *out = page->out;
    const char *date = run_word(page->arena, page->zone, run->logical_us);
    const char *name = task_word(page->arena, task->task_id, task->map_index);
    html(out, "<div class=\"why\"><p class=\"line\"><strong>Why</strong> ");
    if (attempt)
        show_codes(page, attempt);
    bool told = attempt && attempt->message && *attempt->message;
    html_printf(out, "<span class=\"reason\">%s</span></p>",
        told ? reason_text(task->reason)
             : reason_line(page->arena, task->reason_text, task->reason));
    if (attempt)
        show_cause(page, attempt, MESSAGE_SHOWN_LINES_MAX, NULL);
    html(out, "<p class=\"acts\">");
    show_act(page, "run it again", (const char *[]){"dag", "clear", run->dag_id, date, name, NULL});
    html(out, "</p></div>\n");
}

/* ---- in lists -------------------------------------------------------------------------------- */

struct failed_run {
    const struct run_record *run;
    const char *date, *address;
    struct task_rows tasks;
    size_t failed, waiting; /* tasks that failed, and that were not run because of them */
};

static void show_head(struct page *page, const struct failed_run *failed,
    const struct task_record *task, const struct attempt_record *attempt)
{
    struct strbuf *out = page->out;
    const struct run_record *run = failed->run;
    html(out, "<p class=\"line\">");
    show_state(page, "failed");
    html_printf(out, "<a href=\"%s\"><bdi>%s</bdi></a>", link_dag(page, run->dag_id), run->dag_id);
    html_printf(out, "<span class=\"dot\">\u00b7</span><a href=\"%s\">%s</a>", failed->address,
        run_label(page->arena, dag_zone(page, run->dag_id), run->logical_us));
    if (task) {
        char *address = link_task(page, failed->address, task->task_id, task->map_index);
        html_printf(out, "<span class=\"dot\">\u00b7</span><a href=\"%s\"><bdi>%s</bdi></a>",
            address, task_word(page->arena, task->task_id, task->map_index));
    }
    if (attempt)
        show_codes(page, attempt);
    show_time(
        page, dag_zone(page, run->dag_id), task ? task->ended_us : run->ended_us, SHOW_RELATIVE);
    html(out, "</p>\n");
}

static enum status show_failed_task(struct page *page, const struct failed_run *failed,
    const struct task_record *task, struct error *err)
{
    struct attempt_rows attempts;
    char *address = link_task(page, failed->address, task->task_id, task->map_index);
    enum status status = read_attempts(page, failed->run->id, task->task_id, &attempts, err);
    if (status != OK)
        return status;
    const struct attempt_record *attempt = last_attempt(&attempts, task->task_id, task->map_index);
    show_head(page, failed, task, attempt);
    if (attempt && attempt->message)
        show_cause(page, attempt, MESSAGE_SHOWN_LINES, address);
    else
        html_printf(page->out, "<p class=\"reason\">%s</p>",
            reason_line(page->arena, task->reason_text, task->reason));
    return OK;
}

static void show_next(struct page *page, const struct failed_run *failed)
{
    struct strbuf *out = page->out;
    html(out, "<p class=\"acts\">");
    if (failed->waiting)
        html_printf(out, "<a class=\"behind\" href=\"%s\">%zu task%s behind it</a>",
            failed->address, failed->waiting, failed->waiting == 1 ? "" : "s");
    bool ended = run_state_finished(failed->run->state);
    show_act(page, ended ? "mended? run it again" : "the run goes on; when it is mended",
        (const char *[]){"dag", "clear", failed->run->dag_id, failed->date, "--failed", NULL});
    html(out, "</p>\n");
}

static enum status show_failed_tasks(
    struct page *page, const struct failed_run *failed, struct error *err)
{
    size_t shown = 0;
    enum status status = OK;
    for (size_t i = 0; i < failed->tasks.count && shown < FAILED_TASKS_SHOWN && status == OK; i++) {
        if (failed->tasks.at[i].state != TASK_FAILED)
            continue;
        status = show_failed_task(page, failed, &failed->tasks.at[i], err);
        shown++;
    }
    if (failed->failed > shown)
        html_printf(page->out, "<p class=\"more\"><a href=\"%s\">%zu more failed tasks</a></p>",
            failed->address, failed->failed - shown);
    return status;
}

enum status show_failed_run(struct page *page, const struct run_record *run, struct error *err)
{
    const struct zone *zone = dag_zone(page, run->dag_id);
    struct failed_run failed = {.run = run, .date = run_word(page->arena, zone, run->logical_us)};
    failed.address = link_run(page, run->dag_id, zone, run->logical_us);
    enum status status = read_tasks(page, run->id, &failed.tasks, err);
    if (status != OK)
        return status;
    sort_tasks(dag_definition(page, run->dag_id), &failed.tasks);
    for (size_t i = 0; i < failed.tasks.count; i++) {
        failed.failed += failed.tasks.at[i].state == TASK_FAILED;
        failed.waiting += failed.tasks.at[i].state == TASK_UPSTREAM_FAILED;
    }
    html(page->out, "<li class=\"need\">");
    if (failed.failed) {
        status = show_failed_tasks(page, &failed, err);
    } else {
        show_head(page, &failed, NULL, NULL);
        html_printf(page->out, "<p class=\"reason\">%s</p>",
            reason_line(page->arena, run->reason_text, run->reason));
    }
    show_next(page, &failed);
    html(page->out, "</li>\n");
    return status;
}
