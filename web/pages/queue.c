/* What is ready and does not run, and why. */
#include "web/limits.h"
#include "web/pages/pages.h"

struct queue_list {
    struct page *page;
    size_t count;
};

static void show_item(void *context, const struct queue_item *item)
{
    struct queue_list *list = context;
    struct page *page = list->page;
    struct strbuf *out = page->out;
    if (list->count++ >= QUEUE_SHOWN)
        return;
    const struct zone *zone = dag_zone(page, item->dag_id);
    const char *address = link_run(page, item->dag_id, zone, item->logical_us);
    html(out, "<tr><td>");
    show_state(page, item->task_id ? task_state_name(item->state) : run_state_name(RUN_QUEUED));
    html_printf(out,
        "</td><th scope=\"row\"><a href=\"%s\"><bdi>%s</bdi></a></th><td data-label=\"run\"><a "
        "href=\"%s\">%s</a></td><td data-label=\"task\">",
        link_dag(page, item->dag_id), item->dag_id, address,
        run_label(page->arena, zone, item->logical_us));
    if (item->task_id)
        html_printf(out, "<a href=\"%s\"><bdi>%s</bdi></a>",
            link_task(page, address, item->task_id, item->map_index),
            task_word(page->arena, item->task_id, item->map_index));
    html_printf(out, "</td><td data-label=\"pool\"><bdi>%s</bdi></td><td data-label=\"since\">",
        item->pool ? item->pool : "");
    show_time(page, zone, item->since_us, SHOW_RELATIVE);
    html_printf(out, "</td><td data-label=\"why\" class=\"reason\"><bdi>%s</bdi></td></tr>\n",
        item->text ? item->text : reason_text(item->reason));
}

static void section_queue(struct page *page)
{
    const struct scheduler *scheduler = live_scheduler(page);
    struct queue_list list = {.page = page};
    if (!section_begin(page, "queue", NULL, (struct about){0}))
        return;
    html(page->out, "<h1>Queue</h1><p class=\"lead\">What is ready and does not run, and why.</p>");
    size_t before = page->out->size;
    if (scheduler) {
        html(page->out, "<table class=\"queue\"><thead><tr><th>state</th><th>DAG</th><th>run</th>"
                        "<th>task</th><th>pool</th><th>since</th><th>why</th></tr></thead>"
                        "<tbody>\n");
        scheduler_queue(scheduler, show_item, &list);
        html(page->out, "</tbody></table>\n");
    }
    if (list.count == 0) {
        page->out->size = before;
        show_empty(page, scheduler ? "Nothing waits."
                                   : "The scheduler is loading its state; this takes a moment.");
    }
    if (list.count > QUEUE_SHOWN) {
        html_printf(page->out, "<p class=\"more\">the first %d of %zu ", QUEUE_SHOWN, list.count);
        show_act(page, "all of them", (const char *[]){"dag", "queue", NULL});
        html(page->out, "</p>\n");
    }
    section_end(page);
}

enum status page_queue(struct page *page, struct http_answer *ret, struct error *err)
{
    const struct crumb crumbs[] = {{"Queue", NULL}, {NULL, NULL}};
    (void)ret;
    (void)err;
    page_begin(page, "queue", crumbs);
    section_queue(page);
    page_end(page);
    return OK;
}
