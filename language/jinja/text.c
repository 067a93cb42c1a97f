/*
 * str() and repr() of values, as Python writes them; strings put together from marked parts.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

/* The innermost container that this thread is writing.  Kept here, as Python does, because a
   value's own class may stand between a container and what it holds. */
static _Thread_local const struct jinja_around *innermost;

static void append_escape(uint32_t c, struct strbuf *out)
{
    switch (c) {
    case '\n': strbuf_add_str(out, "\\n"); return;
    case '\r': strbuf_add_str(out, "\\r"); return;
    case '\t': strbuf_add_str(out, "\\t"); return;
    default: break;
    }
    if (c < 0x100)
        strbuf_printf(out, "\\x%02x", c);
    else if (c < 0x10000)
        strbuf_printf(out, "\\u%04x", c);
    else
        strbuf_printf(out, "\\U%08x", c);
}

void jinja_append_quoted(struct slice s, struct strbuf *out)
{
    char quote = memchr(s.p, '\'', s.size) && !memchr(s.p, '"', s.size) ? '"' : '\'';
    strbuf_add_char(out, quote);
    for (size_t at = 0; at < s.size;) {
        size_t start = at;
        while (
            at < s.size && s.p[at] >= ' ' && s.p[at] < 0x7F && s.p[at] != quote && s.p[at] != '\\')
            at++;
        strbuf_add(out, s.p + start, at - start);
        start = at;
        if (at == s.size)
            break;
        uint32_t c = jinja_char_next(s, &at);
        if (c == (uint32_t)quote || c == '\\') {
            strbuf_add_char(out, '\\');
            strbuf_add_char(out, (char)c);
        } else if (jinja_char_is_printable(c)) {
            strbuf_add(out, s.p + start, at - start);
        } else {
            append_escape(c, out);
        }
    }
    strbuf_add_char(out, quote);
}

void jinja_note_marks(struct jinja_render *render, struct jinja_value v)
{
    if (render)
        render->seen_marks |= v.marks & JINJA_SPREADING_MARKS;
}

static enum status append_items(
    struct jinja_render *render, struct jinja_value v, struct strbuf *out, struct error *err)
{
    enum status status = OK;
    bool is_list = v.kind == JINJA_LIST;
    strbuf_add_char(out, is_list ? '[' : '(');
    for (size_t i = 0; !status && i < v.list->count; i++) {
        if (i)
            strbuf_add_str(out, ", ");
        status = jinja_append_repr(render, v.list->items[i], out, err);
    }
    if (!is_list && v.list->count == 1)
        strbuf_add_char(out, ',');
    strbuf_add_char(out, is_list ? ']' : ')');
    return status;
}

static enum status append_entries(
    struct jinja_render *render, struct jinja_value v, struct strbuf *out, struct error *err)
{
    enum status status = OK;
    bool first = true;
    strbuf_add_char(out, '{');
    for (size_t i = 0; !status && i < v.mapping->count; i++) {
        const struct jinja_mapping_entry *entry = &v.mapping->entries[i];
        if (entry->removed)
            continue;
        if (!first)
            strbuf_add_str(out, ", ");
        first = false;
        status = jinja_append_repr(render, entry->key, out, err);
        strbuf_add_str(out, ": ");
        if (!status)
            status = jinja_append_repr(render, entry->value, out, err);
    }
    strbuf_add_char(out, '}');
    return status;
}

enum status jinja_repr_begin(
    struct jinja_around *around, const void *what, bool *ret_again, struct error *err)
{
    bool again = false;
    for (const struct jinja_around *a = innermost; a && !again; a = a->outer)
        again = a->what == what;
    *around = (struct jinja_around){innermost, what, innermost ? innermost->depth + 1 : 1};
    if (!again && around->depth > JINJA_NESTING_MAX)
        return error_set(err, ERR_TEMPLATE_DEPTH_LIMIT,
            "a value is nested more than %d levels deep", JINJA_NESTING_MAX);
    if (!again)
        innermost = around;
    *ret_again = again;
    return OK;
}

void jinja_repr_end(const struct jinja_around *around)
{
    innermost = around->outer;
}

static enum status append_container(
    struct jinja_render *render, struct jinja_value v, struct strbuf *out, struct error *err)
{
    bool is_mapping = v.kind == JINJA_MAPPING, again;
    struct jinja_around around;
    enum status status =
        jinja_repr_begin(&around, is_mapping ? (void *)v.mapping : (void *)v.list, &again, err);
    if (status)
        return status;
    if (again) {
        strbuf_add_str(out, is_mapping ? "{...}" : v.kind == JINJA_LIST ? "[...]" : "(...)");
        return OK;
    }
    status = is_mapping ? append_entries(render, v, out, err) : append_items(render, v, out, err);
    jinja_repr_end(&around);
    return status;
}

static void append_address(const struct jinja_object *object, struct strbuf *out)
{
    strbuf_printf(out, "<%s object>", object->class->type_name);
}

enum status jinja_append_repr(
    struct jinja_render *render, struct jinja_value v, struct strbuf *out, struct error *err)
{
    char number[32];
    if (render && innermost) {
        enum status status = jinja_step(render, err);
        if (!status && out->over)
            status = error_set(err, ERR_TEMPLATE_OUTPUT_LIMIT,
                "the rendered text is larger than %zu bytes", render->limits.output_bytes);
        if (!status && out->size > render->limits.memory_bytes)
            status = jinja_check_size(render, out->size, err);
        if (status)
            return status;
    }
    jinja_note_marks(render, v);
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED: strbuf_add_str(out, "Undefined"); return OK;
    case JINJA_NONE: strbuf_add_str(out, "None"); return OK;
    case JINJA_BOOL: strbuf_add_str(out, v.boolean ? "True" : "False"); return OK;
    case JINJA_INT: strbuf_printf(out, "%lld", (long long)v.integer); return OK;
    case JINJA_FLOAT:
        format_double(v.real, number);
        strbuf_add_str(out, number);
        return OK;
    case JINJA_STRING:
        if (v.marks & JINJA_SAFE)
            strbuf_add_str(out, "Markup(");
        jinja_append_quoted(jinja_text(v), out);
        if (v.marks & JINJA_SAFE)
            strbuf_add_char(out, ')');
        return OK;
    case JINJA_LIST:
    case JINJA_TUPLE:
    case JINJA_MAPPING: return append_container(render, v, out, err);
    case JINJA_OBJECT: break;
    }
    const struct jinja_class *class = v.object->class;
    if (class->repr)
        return class->repr(render, v.object, out, err);
    if (class->text)
        return class->text(render, v.object, out, err);
    append_address(v.object, out);
    return OK;
}

static void append_integer(int64_t v, struct strbuf *out)
{
    char digits[UINT64_TEXT_SIZE];
    if (v < 0)
        strbuf_add_char(out, '-');
    strbuf_add(out, digits, format_uint64(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, digits));
}

enum status jinja_append_text(
    struct jinja_render *render, struct jinja_value v, struct strbuf *out, struct error *err)
{
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED: return jinja_check_defined(render, v, err);
    case JINJA_STRING: strbuf_add(out, v.text, v.size); return OK;
    case JINJA_INT: append_integer(v.integer, out); return OK;
    case JINJA_OBJECT:
        if (v.object->class->text)
            return v.object->class->text(render, v.object, out, err);
        break;
    default: break;
    }
    return jinja_append_repr(render, v, out, err);
}

enum status jinja_stringify(struct jinja_render *render, struct arena *arena, struct jinja_value v,
    struct jinja_value *ret, struct error *err)
{
    if (v.kind == JINJA_STRING) {
        *ret = v;
        return OK;
    }
    struct strbuf out = {.arena = arena};
    unsigned before = render ? render->seen_marks : 0, marks = v.marks;
    if (render)
        render->seen_marks = 0;
    enum status status = jinja_append_text(render, v, &out, err);
    if (render) {
        marks |= render->seen_marks;
        render->seen_marks |= before;
    }
    *ret = jinja_mark(jinja_take_text(arena, &out), marks & JINJA_SPREADING_MARKS);
    return status;
}

enum status jinja_to_text(
    struct jinja_value value, struct arena *arena, struct slice *ret, struct error *err)
{
    struct strbuf out = {0};
    enum status status = jinja_append_text(NULL, value, &out, err);
    if (!status)
        *ret = slice_make(strbuf_to_arena(&out, arena), out.size);
    strbuf_done(&out);
    return status;
}

void jinja_escape_html(struct slice s, struct strbuf *out)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\'', "&#39;"}, {'"', "&#34;"}};
    for (size_t at = 0; at < s.size; at++) {
        size_t start = at;
        while (at < s.size && !strchr("&<>'\"", s.p[at]))
            at++;
        strbuf_add(out, s.p + start, at - start);
        for (size_t i = 0; at < s.size && i < ARRAY_SIZE(entities); i++)
            if (s.p[at] == entities[i].c)
                strbuf_add_str(out, entities[i].entity);
        if (at < s.size && s.p[at] == '\0')
            strbuf_add_char(out, '\0');
    }
}

void jinja_builder_done(struct jinja_builder *b)
{
    strbuf_done(&b->text);
    vec_done(&b->spans);
}

void jinja_builder_add(struct jinja_builder *b, const char *p, size_t size)
{
    strbuf_add(&b->text, p, size);
}

/* Copies the spans of bytes start … start + size of `string` to where they will stand. */
static void add_spans(struct jinja_builder *b, struct jinja_value string, size_t start, size_t size)
{
    const struct jinja_spans *spans = jinja_spans_of(string);
    unsigned marks = string.marks & ~(unsigned)JINJA_SAFE;
    b->marks |= marks;
    if (!spans && marks && size) {
        struct jinja_segment span = {.offset = (uint32_t)b->text.size,
            .length = (uint32_t)size,
            .template = JINJA_NO_SOURCE,
            .marks = (uint8_t)marks};
        vec_push(&b->spans, span);
    }
    for (size_t i = 0; spans && i < spans->count; i++) {
        struct jinja_segment span = spans->at[i];
        size_t end = span.offset + span.length;
        size_t from = span.offset > start ? span.offset : start;
        size_t to = end < start + size ? end : start + size;
        if (from >= to)
            continue;
        if (span.verbatim)
            span.source += (uint32_t)(from - span.offset);
        span.offset = (uint32_t)(b->text.size + from - start);
        span.length = (uint32_t)(to - from);
        vec_push(&b->spans, span);
    }
}

void jinja_builder_add_part(
    struct jinja_builder *b, struct jinja_value string, size_t start, size_t size)
{
    add_spans(b, string, start, size);
    strbuf_add(&b->text, string.text + start, size);
}

enum status jinja_builder_add_value(struct jinja_builder *b, struct jinja_render *render,
    struct jinja_value v, bool escape, struct error *err)
{
    /* An imported template's text is HTML, as its macros' are. */
    escape = escape && !jinja_object_of(v, &jinja_module_class);
    if (v.kind == JINJA_STRING && (!escape || (v.marks & JINJA_SAFE))) {
        jinja_builder_add_part(b, v, 0, v.size);
        return OK;
    }
    size_t start = b->text.size;
    struct jinja_value text = {0};
    enum status status = jinja_stringify(render, render->arena, v, &text, err);
    if (status)
        return status;
    if (escape)
        jinja_escape_html(jinja_text(text), &b->text);
    else
        strbuf_add(&b->text, text.text, text.size);
    unsigned marks = (v.marks | text.marks) & ~(unsigned)JINJA_SAFE;
    b->marks |= marks;
    if (marks && b->text.size > start) {
        struct jinja_segment span = {.offset = (uint32_t)start,
            .length = (uint32_t)(b->text.size - start),
            .template = JINJA_NO_SOURCE,
            .marks = (uint8_t)marks};
        vec_push(&b->spans, span);
    }
    return status;
}

struct jinja_value jinja_with_spans(struct arena *arena, struct slice text,
    const struct jinja_segment *spans, size_t count, unsigned marks)
{
    struct jinja_spans *header = arena_alloc(arena, sizeof *header + text.size + 1);
    header->at = spans;
    header->count = count;
    char *copy = (char *)(header + 1);
    memcpy(copy, text.p, text.size);
    struct jinja_value v = jinja_slice(slice_make(copy, text.size));
    v.flags = JINJA_FLAG_SPANS;
    v.marks = (uint8_t)marks;
    return v;
}

struct jinja_value jinja_builder_end(struct jinja_builder *b, struct arena *arena)
{
    struct jinja_value v;
    struct slice text = strbuf_finish(&b->text, arena);
    if (b->spans.count)
        v = jinja_with_spans(arena, text,
            arena_memdup(arena, b->spans.at, b->spans.count * sizeof *b->spans.at), b->spans.count,
            b->marks);
    else
        v = jinja_mark(jinja_slice(text), b->marks);
    jinja_builder_done(b);
    return v;
}

struct jinja_value jinja_substring(
    struct arena *arena, struct jinja_value string, size_t start, size_t size)
{
    if (jinja_spans_of(string)) {
        struct jinja_builder b = {.text.arena = arena};
        jinja_builder_add_part(&b, string, start, size);
        return jinja_mark(jinja_builder_end(&b, arena), string.marks);
    }
    string.text += start;
    string.size = (uint32_t)size;
    return string;
}
