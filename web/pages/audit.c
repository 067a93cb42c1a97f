/* Who asked for what: the newest requests. */
#include "web/limits.h"
#include "web/pages/pages.h"

static void show_request(struct page *page, const struct request_record *request)
{
    struct strbuf *out = page->out;
    bool done = str_equal(request->status, "OK");
    html(out, "<tr><td>");
    show_time(page, zone_utc(), request->at_us, SHOW_PLAIN);
    html_printf(out,
        "</td><td data-label=\"who\"><bdi>%s</bdi></td><th scope=\"row\">%s</th><td "
        "data-label=\"DAG\">",
        request->user ? request->user : "", request->kind);
    if (request->dag_id && *request->dag_id)
        html_printf(out, "<a href=\"%s\"><bdi>%s</bdi></a>", link_dag(page, request->dag_id),
            request->dag_id);
    html(out, "</td><td data-label=\"outcome\">");
    html_printf(out,
        "<span class=\"state s-%s\"><span class=\"glyph\" aria-hidden=\"true\">%s</span>%s</span>",
        done ? "success" : "failed", state_glyph(done ? "success" : "failed"),
        done ? "done" : request->status);
    html_printf(out,
        "</td><td><details><summary>asked, answered</summary><pre><bdi>%s</bdi></pre>"
        "<pre><bdi>%s</bdi></pre></details></td></tr>\n",
        cut_text(page->arena, request->request, REQUEST_SHOWN_SIZE),
        cut_text(page->arena, request->outcome, REQUEST_SHOWN_SIZE));
}

static enum status section_audit(struct page *page, struct error *err)
{
    struct store *reader;
    struct request_rows rows;
    enum status status = web_reader(page->web, &reader, err);
    if (status == OK)
        status = store_read_requests(reader, NULL, REQUESTS_SHOWN, page->arena, &rows, err);
    if (status != OK || !section_begin(page, "audit", NULL, (struct about){0}))
        return status;
    html(page->out, "<h1>Audit</h1><p class=\"lead\">Who asked for what, newest first.</p>");
    if (rows.count) {
        html(page->out, "<table class=\"audit\"><thead><tr><th>at <span class=\"zone\">UTC</span>"
                        "</th><th>who</th><th>act</th><th>DAG</th><th>outcome</th><th>details</th>"
                        "</tr></thead><tbody>\n");
        for (size_t i = 0; i < rows.count; i++)
            show_request(page, &rows.at[i]);
        html(page->out, "</tbody></table>\n");
    } else {
        show_empty(page, "Nothing was asked for yet: trigger, clear, mark and the like land here.");
    }
    section_end(page);
    return OK;
}

enum status page_audit(struct page *page, struct http_answer *ret, struct error *err)
{
    const struct crumb crumbs[] = {{"Audit", NULL}, {NULL, NULL}};
    (void)ret;
    page_begin(page, "audit", crumbs);
    enum status status = section_audit(page, err);
    page_end(page);
    return status;
}
