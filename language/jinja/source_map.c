/*
 * Places: of offsets in templates, of bytes in rendered text.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

static struct slice line_text(struct slice text, size_t start)
{
    const char *end = memchr(text.p + start, '\n', text.size - start);
    return slice_make(text.p + start, end ? (size_t)(end - text.p) - start : text.size - start);
}

struct jinja_origin jinja_locate(const struct jinja_template *template, size_t offset)
{
    size_t low = 0, high = template->line_count;
    if (offset > template->text.size)
        offset = template->text.size;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (template->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    size_t start = template->lines[low];
    struct slice before = slice_make(template->text.p + start, offset - start);
    return (struct jinja_origin){.file = template->file,
        .line = (uint32_t)low + template->first_line,
        .column = (uint32_t)jinja_text_length(before) + 1,
        .source_line = line_text(template->text, start)};
}

void jinja_set_place(
    const struct jinja_template *template, uint32_t line, size_t offset, struct error *err)
{
    if (!err)
        return;
    struct jinja_origin at = jinja_locate(template, offset);
    uint32_t shown = line + template->first_line - 1;
    char trace[128] = "";
    if (at.line != shown) {
        /* The statement's line is named, as Jinja2 does; the trace says where in it. */
        snprintf(
            trace, sizeof trace, "in the expression at line %u, column %u", at.line, at.column);
        size_t number = line && line <= template->line_count ? line - 1 : 0;
        size_t start = template->lines[number];
        struct slice text = line_text(template->text, start);
        size_t indent = text.size - jinja_text_strip(text, true, false).size;
        at = jinja_locate(template, start + indent);
    }
    char excerpt[ERROR_EXCERPT_SIZE];
    size_t size = at.source_line.size;
    if (size >= sizeof excerpt) {
        size = sizeof excerpt - 1;
        while (size > 0 && ((unsigned char)at.source_line.p[size] & 0xC0) == 0x80)
            size--;
    }
    memcpy(excerpt, at.source_line.p, size);
    excerpt[size] = '\0';
    error_place(err, template->file, shown, at.column, excerpt);
    if (trace[0])
        error_trace(err, "%s", trace);
}

bool jinja_map_find(
    const struct jinja_result *result, size_t rendered_offset, struct jinja_origin *ret)
{
    size_t low = 0, high = result->segment_count;
    if (rendered_offset >= result->text.size)
        return false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct jinja_segment *segment = &result->segments[middle];
        if (segment->offset + segment->length <= rendered_offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == result->segment_count || result->segments[low].offset > rendered_offset)
        return false;
    const struct jinja_segment *segment = &result->segments[low];
    const struct jinja_source *source = &result->sources[segment->template];
    size_t offset = segment->source;
    if (segment->verbatim)
        offset += rendered_offset - segment->offset;
    struct text_position at = text_locate(source->text.p, source->text.size, offset);
    *ret = (struct jinja_origin){.file = source->file,
        .line = at.line + source->line - 1,
        .column = at.column,
        .source_line = at.text,
        .marks = segment->marks};
    return true;
}

struct jinja_result jinja_masked(
    const struct jinja_result *result, unsigned marks, const char *mask, struct arena *arena)
{
    struct strbuf out = {0};
    struct jinja_result masked = *result;
    struct jinja_segment *segments =
        arena_memdup(arena, result->segments, result->segment_count * sizeof(*segments));
    size_t count = 0;
    bool masked_before = false;
    for (size_t i = 0; i < result->segment_count; i++) {
        struct jinja_segment segment = result->segments[i];
        bool is_masked = segment.marks & marks;
        size_t offset = out.size;
        if (!is_masked)
            strbuf_add(&out, result->text.p + segment.offset, segment.length);
        else if (!masked_before)
            strbuf_add_str(&out, mask);
        masked_before = is_masked;
        segment.offset = (uint32_t)offset;
        segment.length = (uint32_t)(out.size - offset);
        segment.verbatim = segment.verbatim && !is_masked;
        if (segment.length)
            segments[count++] = segment;
    }
    masked.text = slice_make(arena_strndup(arena, strbuf_text(&out), out.size), out.size);
    masked.segments = segments;
    masked.segment_count = count;
    strbuf_done(&out);
    return masked;
}

struct slice jinja_masked_text(
    const struct jinja_result *result, unsigned marks, const char *mask, struct arena *arena)
{
    return jinja_masked(result, marks, mask, arena).text;
}
