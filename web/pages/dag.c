/* One DAG: what it is, its grid, its runs. */
#include "language/timetable/zone.h"
#include "web/limits.h"
#include "web/pages/pages.h"

/* ---- what it is ------------------------------------------------------------------------------ */

static void show_acts(struct page *page, const struct dag_facts *dag)
{
    bool paused = dag->record && dag->record->paused;
    html(page->out, "<p class=\"acts\">");
    show_act(page, "run it now", (const char *[]){"dag", "trigger", dag->dag_id, NULL});
    show_act(page, paused ? "go on" : "hold it",
        (const char *[]){"dag", paused ? "unpause" : "pause", dag->dag_id, NULL});
    show_act(page, "many days",
        (const char *[]){"dag", "backfill", dag->dag_id, "--from", "DATE", "--to", "DATE", NULL});
    html(page->out, "</p>\n");
}

static void show_definition(struct page *page, const struct dag *dag)
{
    CLEANUP(strbuf_done) struct strbuf tags = {0};
    for (size_t i = 0; i < dag->tags.count; i++)
        strbuf_printf(&tags, "%s%s", i ? ", " : "", dag->tags.at[i]);
    fact_begin(page, "schedule");
    html_printf(page->out, "<code>%s</code> <span class=\"zone\">%s</span>", dag->schedule_text,
        dag->zone ? zone_name(dag->zone) : "UTC");
    fact_end(page);
    show_fact(page, "owner", dag->owner);
    show_fact(page, "tags", strbuf_text(&tags));
    fact_begin(page, "file");
    html_printf(page->out, "<code><bdi>%s</bdi>:%u</code>", dag->file, dag->line);
    fact_end(page);
    fact_begin(page, "version");
    html_printf(page->out, "<code title=\"%s\">%s</code>", dag->version,
        arena_strndup(page->arena, dag->version, 12));
    fact_end(page);
}

/* What has come of the assets that it waits for.  Without a fact when it cannot be read now. */
static void show_queued(struct page *page, const struct dag *dag)
{
    struct asset_queue_rows rows;
    if (!read_asset_queues(page, dag->dag_id, &rows))
        return;
    CLEANUP(strbuf_done) struct strbuf text = {0};
    for (size_t n = 0; n < dag->asset_names.count; n++) {
        int32_t count = 0;
        for (size_t i = 0; i < rows.count; i++)
            if (str_equal(rows.at[i].asset, dag->asset_names.at[n]))
                count = rows.at[i].count;
        strbuf_printf(&text, "%s%s: %d", n ? ", " : "", dag->asset_names.at[n], count);
    }
    show_fact(page, "asset events queued", strbuf_text(&text));
}

static void show_schedule(struct page *page, const struct dag_facts *dag)
{
    bool paused = dag->record && dag->record->paused;
    int64_t next_us = next_run_us(dag, page->now.wall_us);
    if (paused) {
        const char *why = reason_text(dag->record->pause_reason);
        show_fact(page, "next", *why ? why : "paused");
    } else if (next_us != TIME_NONE) {
        fact_begin(page, "next");
        show_time(page, dag->zone, next_us, SHOW_RELATIVE);
        fact_end(page);
    }
    if (dag->dag && dag->dag->assets)
        show_queued(page, dag->dag);
    if (dag->record && dag->record->consecutive_failures > 0)
        show_fact(page, "failed in a row",
            arena_printf(page->arena, "%d", dag->record->consecutive_failures));
}

static void section_summary(
    struct page *page, const struct dag_facts *dag, const struct run_rows *runs)
{
    struct strbuf *out = page->out;
    if (!section_begin(page, "summary", NULL, (struct about){.dag_id = dag->dag_id}))
        return;
    html_printf(out, "<h1><bdi>%s</bdi>", dag->dag_id);
    if (dag->record && dag->record->paused)
        html(out, " <span class=\"state s-paused\">paused</span>");
    html(out, "</h1>\n");
    if (dag->dag && dag->dag->description)
        html_printf(out, "<p class=\"lead\"><bdi>%s</bdi></p>\n", dag->dag->description);
    if (dag->stale)
        html(out, "<p class=\"trouble\">Its file has mistakes now: this is the last good version. "
                  "<a href=\"/\">The first page</a> shows them.</p>\n");
    if (!dag->dag)
        html(out, "<p class=\"trouble\">There is no file for this DAG any more: it is not "
                  "scheduled. Its runs are kept.</p>\n");
    html(out, "<dl class=\"facts\">");
    if (dag->dag)
        show_definition(page, dag->dag);
    show_schedule(page, dag);
    int64_t usual_us = typical_us(page->arena, runs);
    if (usual_us != TIME_NONE)
        show_fact(page, "typical", took_text(page->arena, usual_us));
    html(out, "</dl>\n");
    show_acts(page, dag);
    section_end(page);
}

/* ---- backfills ------------------------------------------------------------------------------- */

static void show_backfill(
    struct page *page, const struct dag_facts *dag, const struct backfill_record *backfill)
{
    struct strbuf *out = page->out;
    html_printf(out, "<tr><th scope=\"row\">%s to %s</th><td data-label=\"only\">%s</td>",
        run_label(page->arena, dag->zone, backfill->from_us),
        run_label(page->arena, dag->zone, backfill->to_us), backfill->only);
    html_printf(
        out, "<td data-label=\"runs made\" class=\"number\">%d</td>", backfill->created_count);
    html(out, "<td data-label=\"reached\">");
    if (backfill->cursor_us == TIME_NONE)
        html(out, "all are made");
    else
        html_text(out, run_label(page->arena, dag->zone, backfill->cursor_us));
    html_printf(out, "</td><td data-label=\"asked by\"><bdi>%s</bdi> ",
        backfill->requested_by ? backfill->requested_by : "");
    show_time(page, dag->zone, backfill->requested_us, SHOW_RELATIVE);
    html(out, "</td></tr>\n");
}

static enum status section_backfills(
    struct page *page, const struct dag_facts *dag, struct error *err)
{
    struct backfill_rows rows;
    if (!section_is_wanted(page, "backfills"))
        return OK;
    enum status status = read_backfills(page, dag->dag_id, &rows, err);
    if (status != OK)
        return status;
    section_begin(page, "backfills", rows.count ? "Backfills under way" : NULL,
        (struct about){.dag_id = dag->dag_id});
    if (rows.count)
        html(page->out, "<table><thead><tr><th>dates</th><th>only</th><th class=\"number\">runs "
                        "made</th><th>reached</th><th>asked by</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < rows.count && i < BACKFILLS_SHOWN; i++)
        show_backfill(page, dag, &rows.at[i]);
    if (rows.count)
        html(page->out, "</tbody></table>\n");
    section_end(page);
    return OK;
}

/* ---- the grid -------------------------------------------------------------------------------- */

static enum status section_grid(
    struct page *page, const struct dag_facts *dag, const struct run_rows *runs, struct error *err)
{
    enum status status = OK;
    if (!section_begin(page, "grid", "Grid", (struct about){.dag_id = dag->dag_id}))
        return OK;
    if (runs->count == 0)
        show_empty(page, "No run yet: the first one shows here as soon as it is made.");
    status = show_grid(page, dag, runs, err);
    section_end(page);
    return status;
}

/* ---- the runs -------------------------------------------------------------------------------- */

static void show_filters(struct page *page, const char *chosen)
{
    static const char *const names[] = {"queued", "running", "success", "failed"};
    html(page->out, "<p class=\"filters\"><span class=\"label\">only</span>");
    html_printf(page->out, "<a href=\"%s#runs\">all</a>", page->request->path);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        html(page->out, "<a");
        html_attr(page->out, "aria-current", str_equal(chosen, names[i]) ? "true" : NULL);
        html_printf(page->out, " href=\"?state=%s#runs\">%s</a>", names[i], names[i]);
    }
    html(page->out, "</p>\n");
}

/* What the query asks for: a state, and runs before a logical date. */
static struct run_filter asked_filter(
    struct page *page, const struct dag_facts *dag, const char **ret_state)
{
    struct run_filter filter = {.dag_id = dag->dag_id, .limit = RUNS_SHOWN + 1};
    const char *state = http_query(page->request, "state", page->arena);
    const char *before = http_query(page->request, "before", page->arena);
    enum run_state known;
    struct error err;
    *ret_state = state && run_state_parse(state, &known) ? state : NULL;
    if (*ret_state)
        filter.states = 1u << known;
    if (before && zone_parse_time(dag->zone, slice_of(before), &filter.to_us, NULL, &err) == OK) {
        filter.to_us--;
        filter.has_to = true;
    }
    return filter;
}

static enum status section_runs(struct page *page, const struct dag_facts *dag, struct error *err)
{
    struct run_rows runs;
    const char *state;
    struct run_filter filter = asked_filter(page, dag, &state);
    if (!section_begin(page, "runs", "Runs", (struct about){.dag_id = dag->dag_id}))
        return OK;
    enum status status = read_runs(page, &filter, &runs, err);
    if (status != OK)
        return status;
    bool more = runs.count > RUNS_SHOWN;
    runs.count = more ? RUNS_SHOWN : runs.count;
    show_filters(page, state);
    if (runs.count)
        show_runs(page, &runs, dag->dag_id);
    else
        show_empty(page, "No such run.");
    if (more)
        html_printf(page->out,
            "<p class=\"pager\"><a href=\"?%s%s%sbefore=%s#runs\">older \u2192</a></p>\n",
            state ? "state=" : "", state ? state : "", state ? "&" : "",
            run_word(page->arena, dag->zone, runs.at[runs.count - 1].logical_us));
    section_end(page);
    return OK;
}

enum status page_dag(struct page *page, struct http_answer *ret, struct error *err)
{
    struct dag_facts dag;
    struct run_rows runs;
    (void)ret;
    enum status status = read_dag(page, page->values->dag_id, &dag, err);
    if (status != OK)
        return status;
    const struct run_filter filter = {.dag_id = dag.dag_id, .limit = STRIP_RUNS};
    const struct crumb crumbs[] = {{dag.dag_id, NULL}, {NULL, NULL}};
    status = read_runs(page, &filter, &runs, err);
    if (status != OK)
        return status;
    page_begin(page, dag.dag_id, crumbs);
    section_summary(page, &dag, &runs);
    status = section_backfills(page, &dag, err);
    if (status == OK)
        status = section_grid(page, &dag, &runs, err);
    if (status == OK)
        status = section_runs(page, &dag, err);
    page_end(page);
    return status;
}
