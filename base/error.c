#include <stdio.h>
#include "base/error.h"

static const struct status_info infos[] = {
    [OK] = {"OK", 0, 200, false, "it worked", "nothing to do"},
#define ERROR_ROW(name, exit_status, http_status, retryable, meaning, remedy)                      \
    [ERR_##name] = {#name, exit_status, http_status, retryable, meaning, remedy},
#include "error_table.def"
#undef ERROR_ROW
};

const struct status_info *status_info(enum status status)
{
    return (size_t)status < ARRAY_SIZE(infos) ? &infos[status] : &infos[ERR_INTERNAL];
}

enum status status_find(const char *name, enum status fallback)
{
    for (int i = 1; i < ERR_COUNT_; i++)
        if (str_equal(status_info((enum status)i)->name, name))
            return (enum status)i;
    return fallback;
}

/* Ends a text that was cut with "…", on a code point's border. */
static void mark_cut(char *text, size_t size)
{
    static const char ellipsis[] = "…";
    size_t end = size - sizeof ellipsis;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, ellipsis, sizeof ellipsis);
}

static void copy_cut(char *ret, size_t ret_size, const char *p, size_t size)
{
    size_t kept = size < ret_size ? size : ret_size - 1;
    if (kept)
        memcpy(ret, p, kept);
    ret[kept] = '\0';
    if (kept < size)
        mark_cut(ret, ret_size);
}

__attribute__((format(printf, 3, 0))) static void print_cut(
    char *ret, size_t ret_size, const char *format, va_list args)
{
    int size = vsnprintf(ret, ret_size, format, args);
    if (size < 0)
        ret[0] = '\0';
    else if ((size_t)size >= ret_size)
        mark_cut(ret, ret_size);
}

enum status error_vset(struct error *err, enum status status, const char *format, va_list args)
{
    if (!err)
        return status;
    /* The arguments may point into *err itself, as when an error is told again in other words. */
    char message[ERROR_MESSAGE_SIZE];
    print_cut(message, sizeof message, format, args);
    *err = (struct error){.status = status};
    memcpy(err->message, message, sizeof message);
    return status;
}

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(err, status, format, args);
    va_end(args);
    return status;
}

void error_clear(struct error *err)
{
    /* Its texts are long: their first bytes say that there are none. */
    err->status = OK;
    err->message[0] = err->hint[0] = err->excerpt[0] = err->trace[0] = err->sqlstate[0] = '\0';
    err->place.file[0] = '\0';
    err->place.line = err->place.column = 0;
}

enum status error_context(struct error *err, const char *format, ...)
{
    /* Whoever passes no error has the status from the call that failed. */
    if (!err)
        return ERR_INTERNAL;
    struct strbuf text = {0};
    va_list args;
    va_start(args, format);
    strbuf_vprintf(&text, format, args);
    va_end(args);
    strbuf_add_str(&text, err->message);
    copy_cut(err->message, sizeof err->message, text.text, text.size);
    strbuf_done(&text);
    return err->status;
}

void error_hint(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    char hint[ERROR_HINT_SIZE];
    va_list args;
    va_start(args, format);
    print_cut(hint, sizeof hint, format, args);
    va_end(args);
    memcpy(err->hint, hint, sizeof hint);
}

static void set_file(struct error *err, const char *file)
{
    file = file ? file : "";
    copy_cut(err->place.file, sizeof err->place.file, file, strlen(file));
}

void error_at(struct error *err, const char *file, const char *text, size_t size, size_t offset)
{
    if (!err)
        return;
    struct text_position position = text_locate(text, size, offset);
    set_file(err, file);
    err->place.line = position.line;
    err->place.column = position.column;
    copy_cut(err->excerpt, sizeof err->excerpt, position.text.p, position.text.size);
}

void error_place(
    struct error *err, const char *file, uint32_t line, uint32_t column, const char *excerpt)
{
    if (!err)
        return;
    set_file(err, file);
    err->place.line = line;
    err->place.column = column;
    excerpt = excerpt ? excerpt : "";
    copy_cut(err->excerpt, sizeof err->excerpt, excerpt, strcspn(excerpt, "\r\n"));
}

void error_trace(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    struct strbuf text = {0};
    va_list args;
    va_start(args, format);
    strbuf_add_str(&text, err->trace);
    if (text.size)
        strbuf_add_char(&text, '\n');
    strbuf_vprintf(&text, format, args);
    va_end(args);
    copy_cut(err->trace, sizeof err->trace, strbuf_text(&text), text.size);
    strbuf_done(&text);
}

static void format_place(const struct place *place, struct strbuf *out)
{
    if (place->file[0])
        strbuf_add_str(out, place->file);
    else if (place->line)
        strbuf_add_str(out, "line ");
    if (place->line)
        strbuf_printf(out, "%s%u", place->file[0] ? ":" : "", place->line);
    if (place->line && place->column)
        strbuf_printf(out, ":%u", place->column);
    if (place->file[0] || place->line)
        strbuf_add_str(out, ": ");
}

/* Control characters of a user's file would act on the terminal; tabs stay. */
static void add_visible(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        strbuf_add_char(out, ((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7F ? ' ' : *p);
}

/* Blanks as wide as the text in front of the column, tabs kept; false when the column is not in
   the excerpt. */
static bool add_caret_padding(struct strbuf *out, const char *excerpt, uint32_t column)
{
    size_t size = strlen(excerpt), at = 0;
    for (uint32_t i = 1; i < column; i++) {
        if (at >= size)
            return false;
        uint32_t c = 0;
        size_t length = utf8_decode(excerpt + at, size - at, &c);
        length = length ? length : 1;
        if (c == '\t')
            strbuf_add_char(out, '\t');
        else
            strbuf_add_repeat(out, ' ', c < ' ' ? 1 : utf8_width(excerpt + at, length));
        at += length;
    }
    return true;
}

static void format_excerpt(const struct error *err, struct strbuf *out)
{
    strbuf_printf(out, "%5u | ", err->place.line);
    add_visible(out, err->excerpt);
    strbuf_add_char(out, '\n');
    struct strbuf padding = {0};
    if (err->place.column && add_caret_padding(&padding, err->excerpt, err->place.column))
        strbuf_printf(out, "      | %s^\n", strbuf_text(&padding));
    strbuf_done(&padding);
}

static void format_lines(const char *text, const char *indent, struct strbuf *out)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        strbuf_printf(out, "%s%.*s\n", indent, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void error_format(const struct error *err, const char *severity, struct strbuf *out)
{
    format_place(&err->place, out);
    strbuf_printf(out, "%s: %s", severity, err->message);
    if (err->sqlstate[0])
        strbuf_printf(out, " (SQLSTATE %s)", err->sqlstate);
    strbuf_add_char(out, '\n');
    if (err->excerpt[0] && err->place.line)
        format_excerpt(err, out);
    format_lines(err->trace, "  ", out);
    if (err->hint[0])
        strbuf_printf(out, "  hint: %s\n", err->hint);
}

void diagnostics_init(struct diagnostics *list, struct arena *arena)
{
    *list = (struct diagnostics){.arena = arena};
    list->last = &list->first;
}

struct diagnostic *diagnostics_add(
    struct diagnostics *list, const char *severity, const struct error *err)
{
    if (str_equal(severity, "error"))
        list->error_count++;
    else if (str_equal(severity, "warning"))
        list->warning_count++;
    struct diagnostic *diagnostic = arena_new_of(list->arena, struct diagnostic);
    diagnostic->error = *err;
    diagnostic->severity = severity;
    if (list->kept == DIAGNOSTICS_MAX) {
        list->dropped++;
        return diagnostic;
    }
    list->kept++;
    *list->last = diagnostic;
    list->last = &diagnostic->next;
    return diagnostic;
}
