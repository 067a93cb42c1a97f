/*
 * The rendered text and its map.  Captured text (macros, block sets, filters) is written behind
 * what there is and then cut off again: one buffer serves all levels.
 */
#include "language/jinja/runtime.h"

static inline void add_segment(struct jinja_render *render, struct jinja_segment segment)
{
    if (segment.length == 0)
        return;
    struct jinja_segment *last =
        render->segments.count ? &render->segments.at[render->segments.count - 1] : NULL;
    if (last && last->verbatim == segment.verbatim &&
        last->offset + last->length == segment.offset && last->template == segment.template &&
        last->marks == segment.marks &&
        (segment.verbatim ? last->source + last->length == segment.source
                          : last->source == segment.source))
        last->length += segment.length;
    else
        vec_push(&render->segments, segment);
}

void jinja_output_text(struct jinja_frame *frame, struct slice text, uint32_t offset)
{
    struct jinja_render *render = frame->render;
    struct jinja_segment segment = {.offset = (uint32_t)render->out.size,
        .length = (uint32_t)text.size,
        .source = offset,
        .template = frame->source,
        .verbatim = true};
    strbuf_add_slice(&render->out, text);
    add_segment(render, segment);
}

/* A string's own spans; what lies between them comes from the printing expression. */
static void add_spans(struct jinja_frame *frame, const struct jinja_spans *spans, size_t start,
    size_t size, uint32_t offset)
{
    struct jinja_segment gap = {.source = offset, .template = frame->source};
    size_t at = 0;
    for (size_t i = 0; i < spans->count; i++) {
        struct jinja_segment span = spans->at[i];
        gap.offset = (uint32_t)(start + at);
        gap.length = (uint32_t)(span.offset - at);
        add_segment(frame->render, gap);
        at = span.offset + span.length;
        span.offset += (uint32_t)start;
        if (span.template == JINJA_NO_SOURCE) {
            span.template = frame->source;
            span.source = offset;
            span.verbatim = false;
        }
        add_segment(frame->render, span);
    }
    gap.offset = (uint32_t)(start + at);
    gap.length = (uint32_t)(size - at);
    add_segment(frame->render, gap);
}

static enum status output_escaped(struct jinja_frame *frame, struct jinja_value v, uint32_t offset)
{
    struct jinja_render *render = frame->render;
    struct jinja_builder b = {.text.arena = render->arena};
    enum status status = jinja_builder_add_value(&b, render, v, true, render->err);
    struct jinja_value escaped = jinja_builder_end(&b, render->arena);
    return status ? status : jinja_output_value(frame, escaped, false, offset);
}

/* Of what has been written since `start`. */
static struct jinja_segment made_by(
    const struct jinja_frame *frame, size_t start, unsigned marks, uint32_t offset)
{
    return (struct jinja_segment){.offset = (uint32_t)start,
        .length = (uint32_t)(frame->render->out.size - start),
        .source = offset,
        .template = frame->source,
        .marks = (uint8_t)(marks & ~(unsigned)JINJA_SAFE)};
}

static enum status output_string(struct jinja_frame *frame, struct jinja_value v, uint32_t offset)
{
    struct jinja_render *render = frame->render;
    size_t start = render->out.size;
    const struct jinja_spans *spans = jinja_spans_of(v);
    strbuf_add(&render->out, v.text, v.size);
    if (spans && !render->out.over)
        add_spans(frame, spans, start, v.size, offset);
    else
        add_segment(render, made_by(frame, start, v.marks, offset));
    return OK;
}

enum status jinja_output_value(
    struct jinja_frame *frame, struct jinja_value v, bool escape, uint32_t offset)
{
    struct jinja_render *render = frame->render;
    size_t start = render->out.size;
    if (escape && !(v.kind == JINJA_STRING && (v.marks & JINJA_SAFE)))
        return output_escaped(frame, v, offset);
    if (v.kind == JINJA_STRING)
        return output_string(frame, v, offset);
    render->seen_marks = 0;
    enum status status = jinja_append_text(render, v, &render->out, render->err);
    if (!status)
        add_segment(render, made_by(frame, start, v.marks | render->seen_marks, offset));
    return status;
}

struct jinja_capture jinja_capture_begin(struct jinja_render *render)
{
    /* A segment that begins here must not grow out of the one before. */
    struct jinja_capture capture = {
        .text = render->out.size, .segments = render->segments.count, .oddity = render->oddity};
    render->oddity = (struct jinja_oddity){0};
    return capture;
}

static void drop(struct jinja_render *render, struct jinja_capture capture)
{
    render->oddity = capture.oddity;
    render->out.size = capture.text;
    if (render->out.text)
        render->out.text[capture.text] = '\0';
    /* The segment before may have grown into what is dropped. */
    render->segments.count = capture.segments;
    if (capture.segments) {
        struct jinja_segment *last = &render->segments.at[capture.segments - 1];
        if (last->offset + last->length > capture.text)
            last->length = (uint32_t)(capture.text - last->offset);
    }
}

static struct jinja_value cut(struct jinja_render *render, struct jinja_capture capture)
{
    struct slice text =
        slice_make(strbuf_text(&render->out) + capture.text, render->out.size - capture.text);
    struct jinja_segment *spans = arena_array(
        render->arena, struct jinja_segment, render->segments.count - capture.segments + 1);
    size_t count = 0;
    unsigned marks = 0;
    if (capture.segments) {
        const struct jinja_segment *last = &render->segments.at[capture.segments - 1];
        if (last->offset + last->length > capture.text) {
            uint32_t before = (uint32_t)(capture.text - last->offset);
            spans[count] = *last;
            spans[count].source += last->verbatim ? before : 0;
            spans[count].offset = 0;
            spans[count++].length = last->length - before;
        }
    }
    for (size_t i = capture.segments; i < render->segments.count; i++) {
        spans[count] = render->segments.at[i];
        spans[count++].offset -= (uint32_t)capture.text;
    }
    for (size_t i = 0; i < count; i++)
        marks |= spans[i].marks;
    struct jinja_value v = jinja_with_spans(render->arena, text, spans, count, marks);
    drop(render, capture);
    return v;
}

enum status jinja_check_text(struct jinja_render *render)
{
    return render->oddity.type
               ? error_set(render->err, ERR_TEMPLATE_TYPE,
                     "a filter or call block gives no text but '%s'", render->oddity.type)
               : OK;
}

enum status jinja_capture_end(struct jinja_render *render, const struct jinja_capture *capture,
    enum status status, bool safe, struct jinja_value *ret)
{
    if (!status)
        status = jinja_check_text(render);
    if (status)
        drop(render, *capture);
    else
        *ret = jinja_mark(cut(render, *capture), safe ? JINJA_SAFE : 0);
    return status;
}

enum status jinja_output_result(struct jinja_frame *frame, const struct jinja_statement *s,
    struct jinja_value v, uint32_t offset)
{
    struct jinja_oddity *oddity = &frame->render->oddity;
    if (v.kind == JINJA_STRING)
        return jinja_output_value(frame, v, false, offset);
    if (!oddity->type)
        *oddity = (struct jinja_oddity){jinja_type_name(v), frame->template, s->line, s->offset};
    return OK;
}

/* The segments that begin before a place in the text. */
static size_t segments_before(const struct jinja_render *render, size_t text)
{
    size_t count = render->segments.count;
    while (count && render->segments.at[count - 1].offset >= text)
        count--;
    return count;
}

enum status jinja_output_module(
    struct jinja_frame *frame, const struct jinja_module *module, uint32_t offset)
{
    struct jinja_render *render = frame->render;
    struct jinja_capture *outermost = frame->captures;
    if (frame->yielded.kind == JINJA_LIST) {
        jinja_list_add(render->arena, frame->yielded, module->body);
        return OK;
    }
    while (outermost && outermost->outer)
        outermost = outermost->outer;
    struct jinja_oddity *oddity = outermost ? &outermost->oddity : &render->oddity;
    if (!oddity->type)
        *oddity = module->oddity;
    if (!outermost)
        return jinja_output_value(frame, module->body, false, offset);
    struct jinja_oddity captured = render->oddity;
    struct jinja_value after = cut(render, *outermost);
    size_t start = render->out.size;
    enum status status = jinja_output_value(frame, module->body, false, offset);
    size_t moved = render->out.size - start;
    if (!status)
        status = jinja_output_value(frame, after, false, offset);
    render->oddity = captured;
    for (struct jinja_capture *c = frame->captures; c; c = c->outer) {
        c->text += moved;
        c->segments = segments_before(render, c->text);
    }
    return status;
}

uint16_t jinja_source_index(struct jinja_render *render, const struct jinja_template *template)
{
    for (size_t i = render->sources.count; i > 0; i--)
        if (render->sources.at[i - 1] == template)
            return (uint16_t)(i - 1);
    vec_push(&render->sources, template);
    return (uint16_t)(render->sources.count - 1);
}
