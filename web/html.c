#include "web/html.h"

#include <assert.h>
#include <stdarg.h>

static const char *escape_of(uint32_t code_point)
{
    switch (code_point) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* HTML knows no controls but tab, line feed and carriage return. */
static bool is_control(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7f && c < 0xa0);
}

void html_slice(struct strbuf *out, struct slice text)
{
    size_t i = 0;
    while (i < text.size) {
        uint32_t code_point;
        size_t length = utf8_decode(text.p + i, text.size - i, &code_point);
        const char *escape = length == 1 ? escape_of(code_point) : NULL;
        if (length == 0)
            strbuf_add_utf8(out, 0xfffd);
        else if (escape)
            strbuf_add_str(out, escape);
        else if (!is_control(code_point))
            strbuf_add(out, text.p + i, length);
        i += length ? length : 1;
    }
}

void html_text(struct strbuf *out, const char *text)
{
    if (text)
        html_slice(out, slice_of(text));
}

void html_attr(struct strbuf *out, const char *name, const char *value)
{
    if (!value)
        return;
    strbuf_add_char(out, ' ');
    strbuf_add_str(out, name);
    html(out, "=\"");
    html_text(out, value);
    html(out, "\"");
}

/* Adds one directive's value; returns what follows it in the format. */
static const char *add_value(struct strbuf *out, const char *p, va_list *args)
{
    if (*p == 's') {
        html_text(out, va_arg(*args, const char *));
        return p + 1;
    }
    if (*p == 'd') {
        strbuf_printf(out, "%d", va_arg(*args, int));
        return p + 1;
    }
    if (*p == 'u') {
        strbuf_printf(out, "%u", va_arg(*args, unsigned));
        return p + 1;
    }
    if (p[0] == 'z' && p[1] == 'u') {
        strbuf_printf(out, "%zu", va_arg(*args, size_t));
        return p + 2;
    }
    if (p[0] == 'l' && p[1] == 'l' && p[2] == 'd') {
        strbuf_printf(out, "%lld", va_arg(*args, long long));
        return p + 3;
    }
    assert(*p == '%');
    strbuf_add_char(out, '%');
    return p + 1;
}

void html_printf(struct strbuf *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    for (const char *p = format; *p;) {
        size_t plain = strcspn(p, "%");
        strbuf_add(out, p, plain);
        p += plain;
        if (*p)
            p = add_value(out, p + 1, &args);
    }
    va_end(args);
}

void url_segment(struct strbuf *out, const char *segment)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:+@";
    static const char digits[] = "0123456789ABCDEF";
    for (const char *p = segment; *p; p++) {
        if (strchr(plain, *p)) {
            strbuf_add_char(out, *p);
            continue;
        }
        strbuf_add_char(out, '%');
        strbuf_add_char(out, digits[(unsigned char)*p >> 4]);
        strbuf_add_char(out, digits[(unsigned char)*p & 15]);
    }
}
