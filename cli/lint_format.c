#include "cli/lint_format.h"
#include <ctype.h>
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "definition/lint.h"

/* With the code behind the message: it is what `dag: ignore CODE` takes. */
static void print_text(const struct diagnostics *findings)
{
    struct strbuf text = {0};
    for (const struct diagnostic *d = findings->first; d; d = d->next) {
        struct error error = d->error;
        if (d->code)
            snprintf(
                error.message, sizeof(error.message), "%.900s [%s]", d->error.message, d->code);
        error_format(&error, d->severity, &text);
    }
    if (findings->dropped)
        strbuf_printf(&text, "and %zu more\n", findings->dropped);
    fputs(strbuf_text(&text), stdout);
    strbuf_done(&text);
}

/* Findings without a code are mistakes that no row of lint_codes names. */
static const char *code_of(const struct diagnostic *finding)
{
    return finding->code ? finding->code : "definition";
}

static void put_line(struct strbuf *text)
{
    puts(strbuf_text(text));
    strbuf_done(text);
}

void lint_print_codes(bool json)
{
    for (size_t i = 0; i < lint_code_count; i++) {
        const struct lint_code *row = &lint_codes[i];
        if (!json) {
            printf("%-22s %-8s %s\n", row->code, row->severity, row->meaning);
            continue;
        }
        struct strbuf text = {0};
        struct json_writer w = json_begin(&text);
        json_object_begin(&w);
        json_kv_str(&w, "code", row->code);
        json_kv_str(&w, "severity", row->severity);
        json_kv_str(&w, "meaning", row->meaning);
        json_object_end(&w);
        put_line(&text);
    }
}

/* ---- json: an object a line ---- */

static void print_json(const struct diagnostics *findings)
{
    for (const struct diagnostic *d = findings->first; d; d = d->next) {
        const struct error *e = &d->error;
        struct strbuf text = {0};
        struct json_writer w = json_begin(&text);
        json_object_begin(&w);
        json_kv_str(&w, "severity", d->severity);
        json_kv_str(&w, "code", d->code);
        json_kv_str(&w, "message", e->message);
        json_kv_str(&w, "hint", e->hint[0] ? e->hint : NULL);
        json_kv_str(&w, "file", e->place.file);
        json_kv_int(&w, "line", e->place.line);
        json_kv_int(&w, "column", e->place.column);
        json_object_end(&w);
        put_line(&text);
    }
}

/* ---- github: annotations, a command a line ---- */

/* GitHub's workflow commands: a message's percent signs and line ends are escaped, in a property
   also what ends it. */
static void put_escaped(const char *text, bool property)
{
    for (const char *p = text; *p; p++) {
        bool escaped = *p == '%' || *p == '\n' || *p == '\r';
        if (escaped || (property && (*p == ':' || *p == ',')))
            printf("%%%02X", (unsigned)(unsigned char)*p);
        else
            putchar(*p);
    }
}

static void print_github(const struct diagnostics *findings)
{
    for (const struct diagnostic *d = findings->first; d; d = d->next) {
        const struct error *e = &d->error;
        printf("::%s file=", str_equal(d->severity, "info") ? "notice" : d->severity);
        put_escaped(e->place.file, true);
        printf(",line=%u,col=%u,title=%s::", e->place.line, e->place.column, code_of(d));
        put_escaped(e->message, false);
        if (e->hint[0]) {
            fputs("%0A", stdout);
            put_escaped(e->hint, false);
        }
        putchar('\n');
    }
}

/* ---- gitlab: its code quality report ---- */

/* What tells a finding from others, and stays the same when lines move. */
static void add_fingerprint(struct json_writer *w, const struct diagnostic *finding)
{
    struct strbuf text = {0};
    strbuf_printf(
        &text, "%s %s %s", code_of(finding), finding->error.place.file, finding->error.message);
    char hash[HASH_TEXT_SIZE];
    hash_sha256(strbuf_text(&text), text.size, hash);
    json_kv_str(w, "fingerprint", hash);
    strbuf_done(&text);
}

static void print_gitlab(const struct diagnostics *findings)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_array_begin(&w);
    for (const struct diagnostic *d = findings->first; d; d = d->next) {
        json_object_begin(&w);
        json_kv_str(&w, "description", d->error.message);
        json_kv_str(&w, "check_name", code_of(d));
        json_kv_str(&w, "severity",
            str_equal(d->severity, "error")     ? "major"
            : str_equal(d->severity, "warning") ? "minor"
                                                : "info");
        add_fingerprint(&w, d);
        json_key(&w, "location");
        json_object_begin(&w);
        json_kv_str(&w, "path", d->error.place.file);
        json_key(&w, "lines");
        json_object_begin(&w);
        json_kv_int(&w, "begin", d->error.place.line ? d->error.place.line : 1);
        json_object_end(&w);
        json_object_end(&w);
        json_object_end(&w);
    }
    json_array_end(&w);
    put_line(&text);
}

/* ---- sarif: version 2.1.0 (OASIS) ---- */

static void add_text(struct json_writer *w, const char *key, const char *text, const char *more)
{
    struct strbuf whole = {0};
    strbuf_printf(&whole, "%s%s%s", text, more[0] ? "\n" : "", more);
    json_key(w, key);
    json_object_begin(w);
    json_kv_str(w, "text", strbuf_text(&whole));
    json_object_end(w);
    strbuf_done(&whole);
}

static const char *sarif_level(const char *severity)
{
    return str_equal(severity, "info") ? "note" : severity;
}

static void add_help(struct json_writer *w, const char *code)
{
    char page[128];
    snprintf(page, sizeof(page), "docs/lint/%s.md tells what it means, with examples.", code);
    add_text(w, "help", page, "");
}

static void add_rules(struct json_writer *w)
{
    json_key(w, "rules");
    json_array_begin(w);
    for (size_t i = 0; i < lint_code_count; i++) {
        json_object_begin(w);
        json_kv_str(w, "id", lint_codes[i].code);
        add_text(w, "shortDescription", lint_codes[i].meaning, "");
        add_help(w, lint_codes[i].code);
        json_key(w, "defaultConfiguration");
        json_object_begin(w);
        json_kv_str(w, "level", sarif_level(lint_codes[i].severity));
        json_object_end(w);
        json_object_end(w);
    }
    json_array_end(w);
}

/* A relative reference of RFC 3986: bytes that a path cannot hold as they are, in %XX. */
static void add_uri(struct json_writer *w, const char *path)
{
    static const char plain[] = "-._~/!$&'()*+,;=@";
    struct strbuf uri = {0};
    for (const char *p = path; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (isalnum(c) || strchr(plain, c))
            strbuf_add(&uri, p, 1);
        else
            strbuf_printf(&uri, "%%%02X", (unsigned)c);
    }
    json_key(w, "artifactLocation");
    json_object_begin(w);
    json_kv_str(w, "uri", strbuf_text(&uri));
    json_object_end(w);
    strbuf_done(&uri);
}

static void add_location(struct json_writer *w, const struct place *place)
{
    json_key(w, "locations");
    json_array_begin(w);
    if (place->file[0]) {
        json_object_begin(w);
        json_key(w, "physicalLocation");
        json_object_begin(w);
        add_uri(w, place->file);
        if (place->line) {
            json_key(w, "region");
            json_object_begin(w);
            json_kv_int(w, "startLine", place->line);
            if (place->column)
                json_kv_int(w, "startColumn", place->column);
            json_object_end(w);
        }
        json_object_end(w);
        json_object_end(w);
    }
    json_array_end(w);
}

static void add_result(struct json_writer *w, const struct diagnostic *finding)
{
    json_object_begin(w);
    json_kv_str(w, "ruleId", code_of(finding));
    json_kv_str(w, "level", sarif_level(finding->severity));
    add_text(w, "message", finding->error.message, finding->error.hint);
    add_location(w, &finding->error.place);
    json_object_end(w);
}

static void print_sarif(const struct diagnostics *findings)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_kv_str(&w, "version", "2.1.0");
    json_key(&w, "runs");
    json_array_begin(&w);
    json_object_begin(&w);
    json_key(&w, "tool");
    json_object_begin(&w);
    json_key(&w, "driver");
    json_object_begin(&w);
    json_kv_str(&w, "name", "dag lint");
    json_kv_str(&w, "version", DAG_VERSION);
    add_rules(&w);
    json_object_end(&w);
    json_object_end(&w);
    json_kv_str(&w, "columnKind", "unicodeCodePoints");
    json_key(&w, "results");
    json_array_begin(&w);
    for (const struct diagnostic *d = findings->first; d; d = d->next)
        add_result(&w, d);
    json_array_end(&w);
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    put_line(&text);
}

static const struct lint_format formats[] = {
    {"text", print_text},
    {"json", print_json},
    {"github", print_github},
    {"gitlab", print_gitlab},
    {"sarif", print_sarif},
};

const struct lint_format *lint_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (str_equal(formats[i].name, name))
            return &formats[i];
    return NULL;
}

const char *lint_format_names(struct arena *arena)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", formats[i].name);
    const char *names = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return names;
}
