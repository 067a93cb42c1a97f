/* A task in a run: why it failed, its log, its rendered SQL, its tries and its history. */
#include "web/limits.h"
#include "web/pages/pages.h"

struct task_page {
    struct attempt_facts facts;
    const char *date, *name; /* as commands take them */
    const char *run_link, *task_link;
    const char *try_link; /* NULL without an attempt */
};

static struct about about_task(const struct task_page *p)
{
    return (struct about){.dag_id = p->facts.run.dag_id,
        .run_id = p->facts.run.run_id,
        .task_id = p->facts.task.task_id};
}

/* ---- how it stands --------------------------------------------------------------------------- */

static const char *shown_state(const struct attempt_facts *facts)
{
    if (facts->is_last || !facts->attempt)
        return task_state_name(facts->task.state);
    if (facts->attempt->state != ATTEMPT_ENDED)
        return "running";
    return str_equal(facts->attempt->outcome, "success") ? "success" : "failed";
}

static void show_attempt_facts(struct page *page, const struct attempt_facts *facts)
{
    const struct attempt_record *attempt = facts->attempt;
    if (!attempt)
        return;
    fact_begin(page, attempt->started_us == TIME_NONE ? "queued" : "started");
    show_time(page, facts->dag.zone,
        attempt->started_us == TIME_NONE ? attempt->queued_us : attempt->started_us, SHOW_ZONE);
    fact_end(page);
    if (attempt->started_us != TIME_NONE) {
        fact_begin(page, attempt->ended_us == TIME_NONE ? "running for" : "took");
        show_took(page, attempt->started_us, attempt->ended_us);
        fact_end(page);
    }
    if (!str_equal(attempt->outcome, shown_state(facts)))
        show_fact(page, "outcome", attempt->outcome);
    show_fact(page, "try",
        arena_printf(page->arena, "%d of %zu", attempt->number, facts->attempts.count));
    if (facts->task.max_tries > 1)
        show_fact(page, "tries allowed",
            arena_printf(
                page->arena, "%d (this is number %d)", facts->task.max_tries, attempt->try_number));
}

static void show_task_facts(struct page *page, const struct attempt_facts *facts)
{
    show_deadline(page, facts->dag.zone, facts->task.deadline_us, facts->task.deadline_missed_us);
    const struct dag *dag = facts->dag.dag;
    const struct task *task = dag ? dag_find_task(dag, facts->task.task_id) : NULL;
    if (!task)
        return;
    show_fact(page, "kind", task_kind_name(task->kind));
    show_fact(page, "decides by", task->decision->text.value);
    if (task->sql.connection) {
        show_fact(page, "connection", task->sql.connection);
        if (task->sql.is_path)
            show_fact(page, "template", task->sql.sql.value);
    }
    fact_begin(page, "defined");
    html_printf(page->out, "<code><bdi>%s</bdi>:%u</code>", dag->file, task->line);
    fact_end(page);
    show_fact(page, "about", task->doc);
}

static void show_acts(struct page *page, const struct task_page *p)
{
    const struct attempt_facts *facts = &p->facts;
    const char *dag_id = facts->run.dag_id;
    html(page->out, "<p class=\"acts\">");
    if (task_state_finished(facts->task.state))
        show_act(page, "again, with what follows",
            (const char *[]){"dag", "clear", dag_id, p->date, p->name, "--downstream", NULL});
    else
        show_act(page, "end it", (const char *[]){"dag", "cancel", dag_id, p->date, p->name, NULL});
    if (facts->attempt)
        show_act(page, "the log in a terminal",
            (const char *[]){"dag", "logs", dag_id, p->date, p->name, "--try",
                arena_printf(page->arena, "%d", facts->attempt->number), NULL});
    html(page->out, "</p>\n");
}

static void section_summary(struct page *page, const struct task_page *p)
{
    const struct attempt_facts *facts = &p->facts;
    const struct task_record *task = &facts->task;
    bool failed = str_equal(shown_state(facts), "failed") || task->state == TASK_UP_FOR_RETRY;
    if (!section_begin(page, "summary", NULL, about_task(p)))
        return;
    html_printf(page->out, "<h1><bdi>%s</bdi> ", p->name);
    show_state(page, shown_state(facts));
    html(page->out, "</h1>\n");
    if (failed)
        show_why(page, &facts->run, task, facts->attempt);
    else
        html_printf(page->out, "<p class=\"lead reason\"><bdi>%s</bdi></p>\n",
            reason_line(page->arena, task->reason_text, task->reason));
    html(page->out, "<dl class=\"facts\">");
    show_attempt_facts(page, facts);
    if (task->state == TASK_UP_FOR_RETRY && task->retry_at_us != TIME_NONE) {
        fact_begin(page, "next try");
        show_time(page, facts->dag.zone, task->retry_at_us, SHOW_RELATIVE);
        fact_end(page);
    }
    show_task_facts(page, facts);
    html(page->out, "</dl>\n");
    show_acts(page, p);
    section_end(page);
}

/* ---- the log --------------------------------------------------------------------------------- */

/* "12:00:00.123 kind text" → the kind, for its colour; "out" for lines of another form. */
static struct slice kind_of(struct slice line)
{
    static const char *const kinds[] = {"info", "sql", "notice", "out", "err", "error", "memo"};
    enum { STAMP_SIZE = 13 }; /* "HH:MM:SS.mmm " */
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && line.size > STAMP_SIZE; i++) {
        size_t size = strlen(kinds[i]);
        if (line.size > STAMP_SIZE + size && memcmp(line.p + STAMP_SIZE, kinds[i], size) == 0 &&
            line.p[STAMP_SIZE + size] == ' ')
            return slice_make(line.p + STAMP_SIZE, size);
    }
    return slice_of("out");
}

void show_log_lines(struct strbuf *out, struct slice text)
{
    while (text.size) {
        const char *end = memchr(text.p, '\n', text.size);
        size_t size = end ? (size_t)(end - text.p) : text.size;
        struct slice line = slice_make(text.p, size), kind = kind_of(line);
        html(out, "<span class=\"k-");
        html_slice(out, kind);
        html(out, "\">");
        html_slice(out, line);
        html(out, "\n</span>");
        size += end != NULL;
        text = slice_make(text.p + size, text.size - size);
    }
}

/* From the first whole line on, when the beginning was left out. */
static struct slice whole_lines(struct slice text, uint64_t *offset)
{
    const char *end = *offset && text.size ? memchr(text.p, '\n', text.size) : NULL;
    size_t skip = end ? (size_t)(end - text.p) + 1 : 0;
    *offset += skip;
    return slice_make(text.p + skip, text.size - skip);
}

static void show_log(struct page *page, const struct task_page *p)
{
    struct slice text;
    uint64_t offset = 0;
    struct error err;
    struct strbuf *out = page->out;
    bool live = p->facts.attempt->state != ATTEMPT_ENDED;
    if (read_file_end(page, p->facts.log_path, LOG_TAIL_SIZE, &text, &offset, &err) != OK) {
        show_empty(page, err.message);
        return;
    }
    uint64_t size = offset + text.size;
    text = whole_lines(text, &offset);
    html_printf(out, "<p class=\"more\"><a href=\"%s/log\">the whole log</a> (%zu bytes%s)</p>",
        p->try_link, (size_t)size, offset ? "; its end is below" : "");
    html(out, "<pre class=\"log\" id=\"log-text\" tabindex=\"0\" role=\"log\" aria-label=\"log\"");
    if (live)
        html_printf(out, " data-log=\"%s\" data-size=\"%zu\"", p->try_link, (size_t)size);
    html(out, ">");
    show_log_lines(out, text);
    html(out, "</pre>\n");
}

static void section_log(struct page *page, const struct task_page *p)
{
    if (!section_begin(page, "log", "Log", about_task(p)))
        return;
    if (p->facts.attempt)
        show_log(page, p);
    else
        show_empty(page, "It was never started: there is no log.");
    section_end(page);
}

/* ---- its tries ------------------------------------------------------------------------------- */

static void show_try_row(
    struct page *page, const struct task_page *p, const struct attempt_record *attempt)
{
    struct strbuf *out = page->out;
    bool here = attempt == p->facts.attempt;
    const char *outcome = attempt->state == ATTEMPT_ENDED     ? attempt->outcome
                          : attempt->state == ATTEMPT_RUNNING ? "running"
                                                              : "queued";
    const char *first = attempt->message ? attempt->message : "";
    html(out, "<tr><th scope=\"row\"><a");
    html_attr(out, "aria-current", here ? "true" : NULL);
    html_printf(out, " href=\"%s\">%d</a></th><td>", link_try(page, p->task_link, attempt->number),
        attempt->number);
    show_state(page, outcome ? outcome : "none");
    html(out, "</td><td data-label=\"started\">");
    show_time(page, p->facts.dag.zone, attempt->started_us, SHOW_PLAIN);
    html(out, "</td><td data-label=\"took\" class=\"number\">");
    show_took(page, attempt->started_us, attempt->ended_us);
    html_printf(out, "</td><td data-label=\"generation\"><code>%s</code></td>",
        attempt->generation
            ? arena_printf(page->arena, "%016llx", (unsigned long long)attempt->generation)
            : "first");
    html(out, "<td data-label=\"message\" class=\"reason\">");
    html_slice(out, slice_make(first, strcspn(first, "\n")));
    html(out, "</td></tr>\n");
}

static void section_tries(struct page *page, const struct task_page *p)
{
    const struct attempt_rows *attempts = &p->facts.attempts;
    if (!section_begin(page, "tries", "Tries", about_task(p)))
        return;
    size_t from = attempts->count > TRIES_SHOWN ? attempts->count - TRIES_SHOWN : 0;
    if (from)
        html_printf(page->out,
            "<p class=\"more\">the last %d of %zu; older ones are at "
            "<code>\u2026/tries/N</code></p>",
            TRIES_SHOWN, attempts->count);
    if (attempts->count) {
        html(page->out, "<table class=\"tries\"><thead><tr><th>try</th><th>outcome</th>"
                        "<th>started</th><th class=\"number\">took</th><th>generation</th>"
                        "<th>message</th></tr></thead><tbody>\n");
        for (size_t i = attempts->count; i-- > from;)
            show_try_row(page, p, &attempts->at[i]);
        html(page->out, "</tbody></table>\n");
    } else {
        show_empty(page, "It was never started.");
    }
    section_end(page);
}

/* ---- its history ----------------------------------------------------------------------------- */

static void show_transitions(
    struct page *page, const struct task_page *p, const struct transition_rows *rows)
{
    struct strbuf *out = page->out;
    html_printf(out,
        "<table class=\"history\"><thead><tr><th>at <span class=\"zone\">%s</span>"
        "</th><th>state</th><th>reason</th></tr></thead><tbody>\n",
        zone_name(p->facts.dag.zone));
    size_t shown = 0;
    for (size_t i = rows->count; i-- > 0 && shown < TRANSITIONS_SHOWN;) {
        const struct transition_record *row = &rows->at[i];
        if (row->map_index != p->facts.task.map_index)
            continue;
        html(out, "<tr><td>");
        show_time(page, p->facts.dag.zone, row->at_us, SHOW_PRECISE);
        html(out, "</td><td>");
        show_state(page, row->to_state);
        html_printf(out, "</td><td class=\"reason\"><bdi>%s</bdi></td></tr>\n",
            reason_line(page->arena, row->reason_text, row->reason));
        shown++;
    }
    html(out, "</tbody></table>\n");
}

static enum status section_history(struct page *page, const struct task_page *p, struct error *err)
{
    struct store *reader;
    struct transition_rows rows;
    if (!section_begin(page, "history", "History", about_task(p)))
        return OK;
    enum status status = web_reader(page->web, &reader, err);
    if (status == OK)
        status = store_read_transitions(
            reader, p->facts.run.id, p->facts.task.task_id, page->arena, &rows, err);
    if (status == OK)
        show_transitions(page, p, &rows);
    section_end(page);
    return status;
}

/* ---- the page -------------------------------------------------------------------------------- */

enum status page_task(struct page *page, struct http_answer *ret, struct error *err)
{
    struct task_page p = {0};
    struct attempt_facts *facts = &p.facts;
    (void)ret;
    enum status status = read_attempt(page, page->values, facts, err);
    if (status != OK)
        return status;
    p.date = run_word(page->arena, facts->dag.zone, facts->run.logical_us);
    p.name = task_word(page->arena, facts->task.task_id, facts->task.map_index);
    p.run_link = link_run(page, facts->run.dag_id, facts->dag.zone, facts->run.logical_us);
    p.task_link = link_task(page, p.run_link, facts->task.task_id, facts->task.map_index);
    if (facts->attempt)
        p.try_link = link_try(page, p.task_link, facts->attempt->number);
    const char *number = page->values->number;
    const struct crumb crumbs[] = {{facts->run.dag_id, link_dag(page, facts->run.dag_id)},
        {run_label(page->arena, facts->dag.zone, facts->run.logical_us), p.run_link},
        {p.name, number ? p.task_link : NULL},
        {number ? arena_printf(page->arena, "try %s", number) : NULL, NULL}, {NULL, NULL}};
    page_begin(page,
        arena_printf(page->arena, "%s \u00b7 %s \u00b7 %s", p.name, p.date, facts->run.dag_id),
        crumbs);
    section_summary(page, &p);
    section_log(page, &p);
    section_statements(page, about_task(&p), facts->attempt);
    section_data(page, about_task(&p), facts);
    section_sql(page, about_task(&p), facts, p.try_link);
    section_tries(page, &p);
    status = section_history(page, &p, err);
    page_end(page);
    return status;
}
