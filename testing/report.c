#include "testing/report.h"
#include "base/clock.h"
#include "base/json.h"

static void add_indented(struct strbuf *out, const char *prefix, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        strbuf_printf(out, "%s%.*s\n", prefix, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

/* ---- text ---- */

static void text_begin(const struct test_totals *totals, struct strbuf *out)
{
    (void)totals, (void)out;
}

static void text_result(const struct test_result *result, size_t number, struct strbuf *out)
{
    char duration[32];
    duration_format(result->duration_us, duration);
    (void)number;
    strbuf_printf(out, "%-7s %s: %s (%s)\n", test_outcome_name(result->outcome), result->test->file,
        result->test->name, duration);
    add_indented(out, "    ", result->text);
    add_indented(out, "    note: ", result->notes);
}

static void text_end(const struct test_totals *totals, struct strbuf *out)
{
    char duration[32];
    duration_format(totals->duration_us, duration);
    strbuf_printf(out, "%zu of %zu tests passed in %s\n", totals->count - totals->failed,
        totals->count, duration);
}

/* ---- TAP ---- */

static void tap_begin(const struct test_totals *totals, struct strbuf *out)
{
    strbuf_printf(out, "TAP version 13\n1..%zu\n", totals->count);
}

static void tap_result(const struct test_result *result, size_t number, struct strbuf *out)
{
    bool passed = result->outcome == TEST_PASSED;
    strbuf_printf(out, "%s %zu - %s: ", passed ? "ok" : "not ok", number, result->test->file);
    for (const char *p = result->test->name; *p; p++)
        strbuf_add_char(out, *p == '#' || *p == '\n' ? ' ' : *p);
    strbuf_add_char(out, '\n');
    if (!passed)
        strbuf_printf(out, "# %s\n", test_outcome_name(result->outcome));
    add_indented(out, "# ", result->text);
    add_indented(out, "# note: ", result->notes);
}

static void tap_end(const struct test_totals *totals, struct strbuf *out)
{
    (void)totals, (void)out;
}

/* ---- JUnit ---- */

/* XML 1.0 has no control characters but tab and line ends. */
static void add_xml(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        switch (*p) {
        case '&': strbuf_add_str(out, "&amp;"); break;
        case '<': strbuf_add_str(out, "&lt;"); break;
        case '>': strbuf_add_str(out, "&gt;"); break;
        case '"': strbuf_add_str(out, "&quot;"); break;
        case '\t':
        case '\n': strbuf_add_char(out, *p); break;
        default: strbuf_add_char(out, (unsigned char)*p < ' ' ? '?' : *p);
        }
}

static void junit_begin(const struct test_totals *totals, struct strbuf *out)
{
    (void)totals;
    strbuf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<testsuites><testsuite name=\"dag test\">\n");
}

static void junit_result(const struct test_result *result, size_t number, struct strbuf *out)
{
    static const char *const elements[TEST_OUTCOME_COUNT] = {
        [TEST_FAILED] = "failure", [TEST_BROKEN] = "error", [TEST_NOT_RUN] = "skipped"};
    const char *element = elements[result->outcome];
    (void)number;
    strbuf_add_str(out, "<testcase classname=\"");
    add_xml(out, result->test->file);
    strbuf_add_str(out, "\" name=\"");
    add_xml(out, result->test->name);
    strbuf_printf(out, "\" time=\"%.3f\">", (double)result->duration_us / US_PER_SECOND);
    if (element) {
        strbuf_printf(out, "<%s message=\"%s\">", element, test_outcome_name(result->outcome));
        add_xml(out, result->text);
        strbuf_printf(out, "</%s>", element);
    }
    if (result->notes[0]) {
        strbuf_add_str(out, "<system-out>");
        add_xml(out, result->notes);
        strbuf_add_str(out, "</system-out>");
    }
    strbuf_add_str(out, "</testcase>\n");
}

static void junit_end(const struct test_totals *totals, struct strbuf *out)
{
    (void)totals;
    strbuf_add_str(out, "</testsuite></testsuites>\n");
}

/* ---- json: an object a line ---- */

static void json_result(const struct test_result *result, size_t number, struct strbuf *out)
{
    struct json_writer w = json_begin(out);
    (void)number;
    json_object_begin(&w);
    json_kv_str(&w, "file", result->test->file);
    json_kv_int(&w, "line", result->test->at->line);
    json_kv_str(&w, "name", result->test->name);
    json_kv_str(&w, "outcome", test_outcome_name(result->outcome));
    json_kv_str(&w, "text", result->text);
    json_kv_str(&w, "notes", result->notes);
    json_kv_int(&w, "duration_us", result->duration_us);
    json_object_end(&w);
    strbuf_add_char(out, '\n');
}

static const struct report_format formats[] = {
    {"text", text_begin, text_result, text_end},
    {"tap", tap_begin, tap_result, tap_end},
    {"junit", junit_begin, junit_result, junit_end},
    {"json", text_begin, json_result, tap_end},
};

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (str_equal(formats[i].name, name))
            return &formats[i];
    return NULL;
}

const char *report_format_names(struct arena *arena)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", formats[i].name);
    return strbuf_finish(&text, arena).p;
}
