/* What a SQL attempt did: its statements with row counts and timings, and the rendered text with
   the line that failed. */
#include <ctype.h>

#include "executor/attempt_sql.h"
#include "base/json.h"
#include "web/limits.h"
#include "web/pages/pages.h"

/* ---- statements ------------------------------------------------------------------------------ */

static void show_statement(struct page *page, size_t number, const json_t *statement)
{
    struct strbuf *out = page->out;
    const char *file = json_string_value(json_object_get(statement, "file"));
    const char *tag = json_string_value(json_object_get(statement, "tag"));
    const json_t *rows = json_object_get(statement, "rows");
    double ms = json_number_value(json_object_get(statement, "ms"));
    html_printf(out, "<tr><td class=\"number\">%zu</td><td data-label=\"at\"><code><bdi>%s</bdi>",
        number, file ? file : "");
    if (file)
        html_printf(
            out, ":%lld", (long long)json_integer_value(json_object_get(statement, "line")));
    html_printf(
        out, "</code></td><td>%s</td><td data-label=\"rows\" class=\"number\">", tag ? tag : "");
    if (rows)
        html_printf(out, "%lld", (long long)json_integer_value(rows));
    html_printf(out, "</td><td data-label=\"took\" class=\"number\">%s</td></tr>\n",
        ms < 10 ? arena_printf(page->arena, "%.1fms", ms)
                : took_text(page->arena, (int64_t)(ms * 1000)));
}

static void show_statements(struct page *page, const json_t *statements)
{
    size_t count = json_array_size(statements);
    if (count == 0)
        return;
    html(page->out,
        "<h2>Statements</h2><table class=\"statements\"><thead><tr><th class=\"number\">"
        "</th><th>at</th><th>did</th><th class=\"number\">rows</th>"
        "<th class=\"number\">took</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count && i < STATEMENTS_SHOWN; i++)
        show_statement(page, i + 1, json_array_get(statements, i));
    html(page->out, "</tbody></table>\n");
    if (count > STATEMENTS_SHOWN)
        html_printf(page->out, "<p class=\"more\">the first %d of %zu; the log has all</p>",
            STATEMENTS_SHOWN, count);
}

void section_statements(struct page *page, struct about about, const struct attempt_record *attempt)
{
    CLEANUP(json_decrefp) json_t *detail = NULL;
    struct error ignored;
    if (!section_begin(page, "statements", NULL, about))
        return;
    if (attempt && attempt->detail &&
        json_parse(attempt->detail, strlen(attempt->detail), NULL, &detail, &ignored) == OK)
        show_statements(page, json_object_get(detail, "statements"));
    section_end(page);
}

/* ---- the rendered text ----------------------------------------------------------------------- */

/* The line of the text that the message is about: it says "rendered line 4 | …", or shows the
   line as "   4 | …" when template and text read the same there.  0: not known. */
static size_t failing_line(const char *message, struct slice text)
{
    static const char rendered[] = "rendered line ";
    const char *named = message ? strstr(message, rendered) : NULL;
    const char *bar = message ? strstr(message, " | ") : NULL;
    int64_t number;
    if (named) {
        named += sizeof(rendered) - 1;
        return parse_int64(slice_make(named, strspn(named, "0123456789")), &number) ? (size_t)number
                                                                                    : 0;
    }
    if (!bar || !isdigit((unsigned char)bar[-1]))
        return 0;
    struct slice shown = slice_make(bar + 3, strcspn(bar + 3, "\n"));
    for (size_t line = 1; text.size; line++) {
        const char *end = memchr(text.p, '\n', text.size);
        size_t size = end ? (size_t)(end - text.p) : text.size;
        if (slice_equal(slice_make(text.p, size), shown))
            return line;
        size += end != NULL;
        text = slice_make(text.p + size, text.size - size);
    }
    return 0;
}

static void show_text(struct strbuf *out, struct slice text, size_t failing)
{
    for (size_t line = 1; text.size; line++) {
        const char *end = memchr(text.p, '\n', text.size);
        size_t size = end ? (size_t)(end - text.p) : text.size;
        if (line == failing)
            html(out, "<mark>");
        html_printf(out, "<span class=\"number\">%zu</span>", line);
        html_slice(out, slice_make(text.p, size));
        if (line == failing)
            html(out, "</mark>");
        html(out, "\n");
        size += end != NULL;
        text = slice_make(text.p + size, text.size - size);
    }
}

void section_sql(
    struct page *page, struct about about, const struct attempt_facts *facts, const char *try_link)
{
    struct slice text;
    struct error err;
    struct strbuf *out = page->out;
    enum status status = facts->log_path
                             ? attempt_sql_read(facts->log_path, facts->attempt->id.text,
                                   SQL_SHOWN_SIZE, page->arena, &text, &err)
                             : ERR_NOT_FOUND;
    bool there = status == OK || status == ERR_LIMIT;
    if (!section_begin(page, "sql", there ? "Rendered SQL" : NULL, about))
        return;
    if (status == OK) {
        html_printf(out,
            "<p class=\"more\"><a href=\"%s/sql\">as a file</a></p><pre class=\"sql\" "
            "tabindex=\"0\">",
            try_link);
        show_text(out, text, failing_line(facts->attempt->message, text));
        html(out, "</pre>\n");
    } else if (there) {
        html_printf(out,
            "<p class=\"more\"><a href=\"%s/sql\">the text</a> is too long to show here</p>",
            try_link);
    }
    section_end(page);
}
