#include "definition/context/inline.h"

#include "base/vec.h"

/* The line of a text at *at, without its end; *at moves to the next one. */
static struct slice next_line(struct slice text, size_t *at)
{
    const char *start = text.p + *at;
    const char *end = memchr(start, '\n', text.size - *at);
    struct slice line = {start, end ? (size_t)(end - start) : text.size - *at};
    *at += line.size + (end != NULL);
    return line;
}

static size_t count_lines(struct slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.size; i++)
        count += text.p[i] == '\n';
    return count;
}

/* The offset of a line (from 1) in a text; false when it has fewer. */
static bool find_line(struct slice text, uint32_t line, size_t *ret)
{
    size_t at = 0;
    for (uint32_t i = 1; i < line && at < text.size; i++)
        (void)next_line(text, &at);
    *ret = at;
    return line > 0 && (at < text.size || line == 1);
}

/* Bytes before the column (from 1, in code points). */
static size_t bytes_before(struct slice line, uint32_t column)
{
    size_t i = 0;
    for (uint32_t c = 1; c < column && i < line.size; c++) {
        uint32_t ignored;
        size_t size = utf8_decode(line.p + i, line.size - i, &ignored);
        i += size ? size : 1;
    }
    return i;
}

static bool stands_at(struct slice line, size_t offset, struct slice part)
{
    return offset + part.size <= line.size && memcmp(line.p + offset, part.p, part.size) == 0;
}

/* Where in the file's line a line of the text starts; SIZE_MAX when it does not stand there. */
static size_t start_in_line(
    const struct text *text, size_t index, struct slice line, struct slice part)
{
    size_t offset = index ? text->indent : bytes_before(line, text->column);
    if (part.size == 0)
        return offset < line.size ? offset : line.size;
    if (stands_at(line, offset, part))
        return offset;
    /* A text in quotes starts behind the first of them. */
    return index == 0 && !text->exact && stands_at(line, offset + 1, part) ? offset + 1 : SIZE_MAX;
}

struct inline_text inline_find(
    struct arena *arena, const char *file, struct slice whole, const struct text *text)
{
    struct slice value = slice_of(text->value);
    struct inline_text found = {.file = file,
        .whole = whole,
        .text = value,
        .line = text->line ? text->line : 1,
        .line_count = count_lines(value)};
    uint32_t *starts = arena_array(arena, uint32_t, found.line_count);
    uint32_t *offsets = arena_array(arena, uint32_t, found.line_count);
    size_t in_text = 0, in_file;
    bool ok =
        whole.p && find_line(whole, text->line, &in_file) && (text->exact || found.line_count == 1);
    for (size_t i = 0; i < found.line_count; i++) {
        starts[i] = (uint32_t)in_text;
        struct slice part = next_line(value, &in_text);
        if (!ok)
            continue;
        size_t line_start = in_file;
        struct slice line = next_line(whole, &in_file);
        size_t start = start_in_line(text, i, line, part);
        ok = start != SIZE_MAX;
        offsets[i] = (uint32_t)(line_start + start);
    }
    found.starts = starts;
    found.offsets = ok ? offsets : NULL;
    return found;
}

/* The line of the text that holds a byte. */
static size_t line_of(const struct inline_text *text, size_t offset)
{
    size_t low = 0, high = text->line_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (text->starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t to_file(const struct inline_text *text, size_t offset)
{
    size_t line = line_of(text, offset);
    return text->offsets[line] + (uint32_t)offset - text->starts[line];
}

void inline_move_error(const struct inline_text *text, struct error *err)
{
    bool here = text->offsets && err && str_equal(err->place.file, text->file) &&
                err->place.line >= text->line && err->place.line - text->line < text->line_count;
    if (!here)
        return;
    size_t at = text->starts[err->place.line - text->line];
    size_t next = at;
    at += bytes_before(next_line(text->text, &next), err->place.column);
    error_at(err, text->file, text->whole.p, text->whole.size, to_file(text, at));
}

typedef VEC(struct jinja_segment) segments;

/* A stretch that stands so in the text does not stand so in the file across lines: those there are
   indented. */
static void split_segment(
    const struct inline_text *text, struct jinja_segment segment, segments *out)
{
    while (segment.verbatim && segment.length) {
        struct jinja_segment part = segment;
        size_t line = line_of(text, segment.source);
        size_t end = line + 1 < text->line_count ? text->starts[line + 1] : text->text.size;
        if (part.length > end - part.source && end > part.source)
            part.length = (uint32_t)(end - part.source);
        part.source = to_file(text, part.source);
        vec_push(out, part);
        segment.offset += part.length;
        segment.source += part.length;
        segment.length -= part.length;
    }
    if (!segment.verbatim) {
        segment.source = to_file(text, segment.source);
        vec_push(out, segment);
    }
}

void inline_move_result(
    const struct inline_text *text, struct arena *arena, struct jinja_result *result)
{
    segments out = {0};
    if (!text->offsets || result->source_count == 0)
        return;
    for (size_t i = 0; i < result->segment_count; i++) {
        if (result->segments[i].template == 0)
            split_segment(text, result->segments[i], &out);
        else
            vec_push(&out, result->segments[i]);
    }
    struct jinja_source *sources =
        arena_memdup(arena, result->sources, result->source_count * sizeof(*result->sources));
    sources[0].text = text->whole;
    sources[0].line = 1;
    result->sources = sources;
    result->segments = arena_memdup(arena, out.at, out.count * sizeof(*out.at));
    result->segment_count = out.count;
    vec_done(&out);
}
