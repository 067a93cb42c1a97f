/*
 * The rendered text and its map.  Captured text (macros, block sets, filters) is written behind
 * what there is and then cut off again: one buffer serves all levels.
 */
#include "language/jinja/runtime.h"

static void add_segment(struct jinja_render *render, struct jinja_segment segment)
{
    if (segment.length == 0)
        return;
    struct jinja_segment *last =
        render->segments.count ? &render->segments.at[render->segments.count - 1] : NULL;
    if (last && last->offset + last->length == segment.offset &&
        last->template == segment.template && last->marks == segment.marks &&
        last->verbatim == segment.verbatim &&
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

enum status jinja_output_value(struct jinja_frame *frame, struct jinja_value v, uint32_t offset)
{
    struct jinja_render *render = frame->render;
    size_t start = render->out.size;
    enum status status = OK;
    if (frame->context->autoescape && !(v.kind == JINJA_STRING && (v.marks & JINJA_SAFE))) {
        struct jinja_builder b = {0};
        status = jinja_builder_add_value(&b, render, v, true, render->err);
        v = jinja_builder_end(&b, render->arena);
        if (status)
            return status;
    }
    render->seen_marks = 0;
    if (v.kind == JINJA_STRING)
        strbuf_add(&render->out, v.text, v.size);
    else
        status = jinja_append_text(render, v, &render->out, render->err);
    if (status)
        return status;
    const struct jinja_spans *spans = jinja_spans_of(v);
    if (spans && !render->out.over) {
        add_spans(frame, spans, start, v.size, offset);
        return OK;
    }
    struct jinja_segment segment = {.offset = (uint32_t)start,
        .length = (uint32_t)(render->out.size - start),
        .source = offset,
        .template = frame->source,
        .marks = (uint8_t)((v.marks | render->seen_marks) & ~(unsigned)JINJA_SAFE)};
    add_segment(render, segment);
    return OK;
}

struct jinja_capture jinja_capture_begin(struct jinja_render *render)
{
    /* A segment that begins here must not grow out of the one before. */
    return (struct jinja_capture){render->out.size, render->segments.count};
}

void jinja_capture_drop(struct jinja_render *render, struct jinja_capture capture)
{
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

struct jinja_value jinja_capture_end(struct jinja_render *render, struct jinja_capture capture)
{
    struct slice text =
        slice_make(strbuf_text(&render->out) + capture.text, render->out.size - capture.text);
    struct jinja_segment grown = {0};
    size_t count = render->segments.count - capture.segments;
    unsigned marks = 0;
    if (capture.segments) {
        const struct jinja_segment *last = &render->segments.at[capture.segments - 1];
        if (last->offset + last->length > capture.text) {
            grown = *last;
            uint32_t cut = (uint32_t)(capture.text - last->offset);
            grown.source += grown.verbatim ? cut : 0;
            grown.offset = 0;
            grown.length = last->length - cut;
        }
    }
    VEC(struct jinja_segment) spans = {0};
    if (grown.length)
        vec_push(&spans, grown);
    for (size_t i = 0; i < count; i++) {
        struct jinja_segment span = render->segments.at[capture.segments + i];
        span.offset -= (uint32_t)capture.text;
        vec_push(&spans, span);
    }
    vec_each (span, &spans)
        marks |= span->marks;
    struct jinja_value v =
        jinja_with_spans(render->arena, text, spans.at ? spans.at : &grown, spans.count, marks);
    vec_done(&spans);
    jinja_capture_drop(render, capture);
    return v;
}

uint16_t jinja_source_index(struct jinja_render *render, const struct jinja_template *template)
{
    for (size_t i = render->sources.count; i > 0; i--)
        if (render->sources.at[i - 1] == template)
            return (uint16_t)(i - 1);
    vec_push(&render->sources, template);
    return (uint16_t)(render->sources.count - 1);
}
