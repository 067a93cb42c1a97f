#include "web/page.h"

#include <stdlib.h>

#include "base/json.h"
#include "web/show.h"

/* ---- the frame ------------------------------------------------------------------------------- */

static void write_head(struct page *page, const char *title)
{
    struct strbuf *out = page->out;
    const char *assets = page->web->assets;
    html(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
              "<meta name=\"color-scheme\" content=\"light dark\">");
    html_printf(out, "<title>%s</title>", title);
    html_printf(out,
        "<link rel=\"icon\" href=\"/assets/icon.svg?%s\">"
        "<link rel=\"stylesheet\" href=\"/assets/page.css?%s\">"
        "<script type=\"module\" src=\"/assets/live.js?%s\"></script></head>\n<body>",
        assets, assets, assets);
}

static void write_link(struct page *page, const char *address, const char *text, const char *path)
{
    bool here = str_equal(address, path);
    html(page->out, "<a");
    html_attr(page->out, "href", address);
    html_attr(page->out, "aria-current", here ? "page" : NULL);
    html_printf(page->out, ">%s</a>", text);
}

/* The clock of the page, and whether what it shows is alive. */
static void write_status(struct page *page)
{
    struct strbuf *out = page->out;
    html(out, "<span class=\"status\"><span class=\"clock\">");
    show_time(page, zone_utc(), page->now.wall_us, SHOW_ZONE);
    html(out, "</span>");
    if (daemon_engine(page->web->daemon))
        html(out, "<span id=\"alive\" class=\"alive\" role=\"status\">scheduler up</span>");
    else
        html(out, "<span id=\"alive\" class=\"alive off\" role=\"status\">"
                  "scheduler loads its state</span>");
    html(out, "</span>");
}

static void write_header(struct page *page)
{
    struct strbuf *out = page->out;
    const struct project *project = daemon_project(page->web->daemon);
    const char *path = page->request->path;
    html(out, "<a class=\"skip\" href=\"#main\">to the content</a><header><a class=\"brand\" "
              "href=\"/\">dag</a>");
    html_printf(out, "<span class=\"project\" title=\"%s\">%s</span>", project->root,
        project->environment ? project->environment : path_base(project->root));
    html(out, "<nav aria-label=\"pages\">");
    write_link(page, "/", "DAGs", path);
    write_link(page, "/queue", "Queue", path);
    write_link(page, "/audit", "Audit", path);
    if (project->registry)
        write_link(page, "/models", "Models", path);
    html(out, "</nav>");
    write_status(page);
    html(out, "</header>\n");
}

static void write_crumbs(struct page *page, const struct crumb *crumbs)
{
    struct strbuf *out = page->out;
    html(out, "<nav class=\"crumbs\" aria-label=\"the way here\"><a href=\"/\">DAGs</a>");
    for (; crumbs->text; crumbs++) {
        html(out, "<span class=\"slash\">/</span>");
        if (crumbs->address)
            html_printf(out, "<a href=\"%s\"><bdi>%s</bdi></a>", crumbs->address, crumbs->text);
        else
            html_printf(out, "<span aria-current=\"page\"><bdi>%s</bdi></span>", crumbs->text);
    }
    html(out, "</nav>\n");
}

void page_begin(struct page *page, const char *title, const struct crumb *crumbs)
{
    if (page->fragments)
        return;
    write_head(page, title);
    write_header(page);
    html_printf(page->out, "<main id=\"main\" data-revision=\"%lld\">\n",
        (long long)events_revision(page->web->events));
    if (crumbs)
        write_crumbs(page, crumbs);
}

void page_end(struct page *page)
{
    if (page->fragments)
        return;
    html(page->out, "</main>\n<footer>");
    html_printf(page->out, "dag %s \u00b7 read-only: acts are the commands beside things, to copy",
        DAG_VERSION);
    html(page->out, "</footer></body></html>\n");
}

/* ---- sections -------------------------------------------------------------------------------- */

static bool is_asked_for(const char *fragments, const char *id)
{
    size_t size = strlen(id);
    for (const char *p = fragments; *p; p += *p == ',') {
        size_t length = strcspn(p, ",");
        if (length == size && memcmp(p, id, size) == 0)
            return true;
        p += length;
    }
    return false;
}

bool section_is_wanted(const struct page *page, const char *id)
{
    return !page->fragments || is_asked_for(page->fragments, id);
}

bool section_begin(struct page *page, const char *id, const char *heading, struct about about)
{
    struct strbuf *out = page->out;
    if (!section_is_wanted(page, id))
        return false;
    html_printf(out, "<section id=\"%s\" data-live", id);
    html_attr(out, "data-dag", about.dag_id);
    html_attr(out, "data-run", about.run_id);
    html_attr(out, "data-task", about.task_id);
    html(out, ">");
    if (heading)
        html_printf(out, "<h2>%s</h2>\n", heading);
    return true;
}

void section_end(struct page *page)
{
    html(page->out, "</section>\n");
}

/* ---- lists in parts -------------------------------------------------------------------------- */

size_t page_offset(struct page *page, const char *name, size_t count)
{
    int64_t number;
    const char *text = http_query(page->request, name, page->arena);
    if (!text || !parse_int64(slice_of(text), &number) || number < 0)
        return 0;
    return (uint64_t)number < count ? (size_t)number : count;
}

void show_pager(
    struct page *page, const char *name, size_t from, size_t to, size_t count, size_t step)
{
    struct strbuf *out = page->out;
    if (from == 0 && to == count)
        return;
    html(out, "<p class=\"pager\">");
    if (from)
        html_printf(out, "<a href=\"?%s=%zu\">\u2190 before</a> ", name,
            from > step ? from - step : (size_t)0);
    html_printf(out, "<span>%zu\u2013%zu of %zu</span>", from < to ? from + 1 : from, to, count);
    if (to < count)
        html_printf(out, " <a href=\"?%s=%zu\">further \u2192</a>", name, to);
    html(out, "</p>\n");
}

/* ---- errors ---------------------------------------------------------------------------------- */

static bool is_for_programs(const char *path)
{
    return str_starts(path, "/api/") || str_equal(path, "/health");
}

static void write_problem(struct page *page, const struct error *why, const char *path)
{
    const struct status_info *info = status_info(why->status);
    struct json_writer w = json_begin(page->out);
    json_object_begin(&w);
    json_kv_str(&w, "type", "about:blank");
    json_kv_str(&w, "title", info->meaning);
    json_kv_int(&w, "status", info->http_status);
    json_kv_str(&w, "detail", why->message);
    json_kv_str(&w, "code", info->name);
    json_kv_str(&w, "hint", why->hint[0] ? why->hint : info->remedy);
    json_kv_str(&w, "instance", path);
    json_object_end(&w);
}

static void write_error_page(struct page *page, const struct error *why)
{
    const struct status_info *info = status_info(why->status);
    const struct crumb crumbs[] = {{info->meaning, NULL}, {NULL, NULL}};
    page->fragments = NULL;
    page_begin(page, info->meaning, crumbs);
    html_printf(page->out, "<section class=\"trouble\"><h1>%s</h1>", info->meaning);
    show_message(page, why->message);
    html_printf(page->out, "<p class=\"next\">%s</p>", why->hint[0] ? why->hint : info->remedy);
    html(page->out, "<p><a href=\"/\">All DAGs</a></p></section>\n");
    page_end(page);
}

void page_error(
    struct page *page, const char *path, const struct error *why, struct http_answer *ret)
{
    ret->status = (unsigned)status_info(why->status)->http_status;
    strbuf_clear(page->out);
    if (is_for_programs(path)) {
        ret->type = "application/problem+json";
        write_problem(page, why, path);
    } else {
        ret->type = NULL;
        write_error_page(page, why);
    }
}
