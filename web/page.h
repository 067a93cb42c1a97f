/*
 * A page: its frame, and its sections.
 *
 * A page is a document of sections.  Each section says what it is about; the browser, told by the
 * event stream that something of that changed, asks for the same address with `?fragment=<ids>` and
 * gets these sections alone.  So every section is written inside
 *
 *     if (section_begin(page, "runs", "Runs", about)) { …; section_end(page); }
 *
 * and a page is readable, complete and stable without any script.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "base/clock.h"
#include "base/file.h"
#include "definition/model/model.h"
#include "language/timetable/zone.h"
#include "web/html.h"
#include "web/route.h"
#include "web/web_internal.h"

struct page {
    struct web *web;
    const struct http_request *request;
    const struct route_values *values;
    struct arena *arena; /* of this request */
    struct strbuf *out;
    struct instant now;
    const char *fragments;   /* ids, separated by commas; NULL = the whole page */
    const struct zone *zone; /* times are shown in it; page_zone sets it */
};

/* A step of the path that stands above a page: "geolife" → /dags/geolife. */
struct crumb {
    const char *text;
    const char *address; /* NULL: this page */
};

/* Head, header and the way here; nothing when only fragments are asked for.  `crumbs` ends with a
   NULL text; without any the page is the home page. */
void page_begin(struct page *page, const char *title, const struct crumb *crumbs);
void page_end(struct page *page);

/* What a section is about; a NULL is "any". */
struct about {
    const char *dag_id, *run_id, *task_id;
};
/* False: the section is not asked for, and nothing of it is to be written (section_end neither).
   `id` and `heading` are the program's; `heading` may be NULL. */
bool section_begin(struct page *page, const char *id, const char *heading, struct about about);
void section_end(struct page *page);
/* Whether section_begin would be true. */
bool section_is_wanted(const struct page *page, const char *id);

/* The query's number of that name, at most `count`; 0 when it is missing or none. */
size_t page_offset(struct page *page, const char *name, size_t count);
/* Links to the rows before and after [from, to) of `count`; nothing when all are shown. */
void show_pager(
    struct page *page, const char *name, size_t from, size_t to, size_t count, size_t step);

/* The page that says what went wrong, or a problem (RFC 9457) for addresses of programs. */
void page_error(
    struct page *page, const char *path, const struct error *why, struct http_answer *ret);

#endif
