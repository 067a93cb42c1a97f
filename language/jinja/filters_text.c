/*
 * Filters of text.
 */
#include "language/jinja/filters.h"
#include "language/jinja/unicode.h"

/* A filter with one parameter only; its text. */
static enum status only_text(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"s"};
    struct jinja_value v;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    return status ? status : jinja_filter_text(call, v, ret, err);
}

#define CASE_FILTER(function, mapper)                                                              \
    static enum status function(call_t call, struct jinja_value *ret, struct error *err)           \
    {                                                                                              \
        struct jinja_value text;                                                                   \
        enum status status = only_text(call, &text, err);                                          \
        if (status)                                                                                \
            return status;                                                                         \
        struct strbuf out = {.arena = call->arena};                                                \
        mapper(jinja_text(text), &out);                                                            \
        *ret = jinja_mark(jinja_take_text(call->arena, &out), text.marks);                         \
        return OK;                                                                                 \
    }                                                                                              \
    struct function##_is_defined

static bool starts_word(uint32_t c)
{
    return jinja_char_is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
}

/* Jinja2's title: words begin behind white space and opening brackets only. */
static void title_words(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        size_t start = at, first = at;
        bool separator = starts_word(jinja_char_next(s, &first));
        while (at < s.size) {
            size_t next = at;
            if (starts_word(jinja_char_next(s, &next)) != separator)
                break;
            at = next;
        }
        if (separator) {
            strbuf_add(out, s.p + start, at - start);
            continue;
        }
        jinja_text_upper(slice_make(s.p + start, first - start), out);
        jinja_text_lower(slice_make(s.p + first, at - first), out);
    }
}

CASE_FILTER(filter_capitalize, jinja_text_capitalize);
CASE_FILTER(filter_lower, jinja_text_lower);
CASE_FILTER(filter_upper, jinja_text_upper);
CASE_FILTER(title_of, title_words);

/* Put together from parts in Jinja2, and so not markup any more. */
static enum status filter_title(call_t call, struct jinja_value *ret, struct error *err)
{
    enum status status = title_of(call, ret, err);
    if (!status)
        ret->marks = (uint8_t)(ret->marks & ~JINJA_SAFE);
    return status;
}

static enum status filter_string(call_t call, struct jinja_value *ret, struct error *err)
{
    return only_text(call, ret, err);
}

static enum status filter_center(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "width"};
    struct jinja_value values[2], text;
    int64_t width;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (!status)
        status = jinja_filter_text(call, values[0], &text, err);
    if (!status)
        status = jinja_argument_int(call, "width", values[1], 80, &width, err);
    int64_t pad = status ? 0 : width - (int64_t)jinja_text_length(jinja_text(text));
    pad = pad < 0 ? 0 : pad;
    if (!status)
        status = jinja_check_size(call->render, (uint64_t)pad, err);
    if (status)
        return status;
    int64_t left = jinja_center_left(pad, width);
    *ret = jinja_pad_text(call->arena, text, left, pad - left, slice_of(" "));
    return OK;
}

static enum status filter_trim(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "chars"};
    struct jinja_value values[2], text;
    struct slice set;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    bool spaces = jinja_is_absent(values[1]) || values[1].kind == JINJA_NONE;
    if (!status)
        status = jinja_filter_text(call, values[0], &text, err);
    if (!status && !spaces)
        status = jinja_argument_text(call, "chars", values[1], NULL, &set, err);
    if (!status)
        *ret = jinja_strip(call->arena, text, spaces ? NULL : &set, true, true);
    return status;
}

static struct jinja_value escaped(call_t call, struct jinja_value text)
{
    if (text.marks & JINJA_SAFE)
        return text;
    struct strbuf out = {.arena = call->arena};
    jinja_escape_html(jinja_text(text), &out);
    return jinja_mark(jinja_take_text(call->arena, &out), text.marks | JINJA_SAFE);
}

static enum status filter_replace(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"s", "old", "new", "count"};
    struct jinja_value values[4], texts[3];
    int64_t count;
    enum status status = jinja_arguments(call, names, 4, 3, values, err);
    for (size_t i = 0; !status && i < 3; i++)
        status = jinja_filter_text(call, values[i], &texts[i], err);
    if (values[3].kind == JINJA_NONE)
        values[3] = (struct jinja_value){0};
    if (!status)
        status = jinja_argument_int(call, "count", values[3], -1, &count, err);
    if (status)
        return status;
    if (call->autoescape) {
        bool safe = texts[0].marks & JINJA_SAFE;
        if ((texts[1].marks & JINJA_SAFE) || ((texts[2].marks & JINJA_SAFE) && !safe))
            texts[0] = escaped(call, texts[0]);
        if (texts[0].marks & JINJA_SAFE)
            texts[2] = escaped(call, texts[2]);
    }
    status = jinja_replace(call, texts[0], jinja_text(texts[1]), texts[2], count, ret, err);
    if (!status && call->autoescape)
        *ret = jinja_mark(*ret, texts[0].marks & JINJA_SAFE);
    return status;
}

static enum status filter_indent(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"s", "width", "first", "blank"};
    struct jinja_value values[4];
    int64_t width = 4;
    struct jinja_builder b = {.text.arena = call->arena};
    enum status status = jinja_arguments(call, names, 4, 1, values, err);
    if (!status && values[0].kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, values[0], err);
    if (!status && values[0].kind != JINJA_STRING)
        status = error_set(err, ERR_TEMPLATE_TYPE,
            "unsupported operand type(s) for +=: '%s' and "
            "'str'",
            jinja_type_name(values[0]));
    if (!status && values[1].kind != JINJA_STRING)
        status = jinja_argument_int(call, "width", values[1], 4, &width, err);
    if (!status && width > (int64_t)call->render->limits.memory_bytes)
        status = jinja_check_size(call->render, (uint64_t)width, err);
    if (status)
        return status;
    struct strbuf spaces = {0};
    strbuf_add_repeat(
        &spaces, ' ', values[1].kind == JINJA_STRING || width < 0 ? 0 : (size_t)width);
    struct jinja_value pad =
        values[1].kind == JINJA_STRING ? values[1] : jinja_take_text(call->arena, &spaces);
    strbuf_done(&spaces);
    bool blank = jinja_argument_bool(values[3], false);
    struct jinja_value text = values[0];
    struct jinja_value lines = jinja_split_lines(call->arena, text, false);
    /* The filter adds a newline and splits again: text that ends with one keeps it. */
    struct slice s = jinja_text(text);
    if (s.size == 0 || s.p[s.size - 1] == '\n' || lines.list->count == 0)
        jinja_list_add(call->arena, lines, jinja_string(""));
    if (jinja_argument_bool(values[2], false))
        jinja_builder_add_part(&b, pad, 0, pad.size);
    for (size_t i = 0; !status && i < lines.list->count; i++) {
        struct jinja_value line = lines.list->items[i];
        if (i)
            jinja_builder_add(&b, "\n", 1);
        if (i && (blank || line.size))
            jinja_builder_add_part(&b, pad, 0, pad.size);
        jinja_builder_add_part(&b, line, 0, line.size);
        status = jinja_check_size(call->render, b.text.size, err);
    }
    *ret = jinja_mark(jinja_builder_end(&b, call->arena), text.marks);
    return status;
}

static enum status filter_format(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value format, args;
    enum status status = OK;
    if (call->arg_count == 0)
        return error_set(err, ERR_TEMPLATE_TYPE, "format() takes a value");
    if (call->arg_count > 1 && call->keyword_count)
        return error_set(err, ERR_TEMPLATE_TYPE,
            "can't handle positional and keyword arguments at the same time");
    status = jinja_filter_text(call, call->args[0], &format, err);
    if (status)
        return status;
    if (call->keyword_count) {
        args = jinja_mapping_new(call->arena);
        for (size_t i = 0; i < call->keyword_count; i++)
            jinja_mapping_put_value(
                call->arena, args, jinja_slice(call->keywords[i].name), call->keywords[i].value);
    } else {
        args = jinja_tuple_new(call->arena, call->arg_count);
        for (size_t i = 1; i < call->arg_count; i++)
            jinja_list_add(call->arena, args, call->args[i]);
    }
    return jinja_format_percent(call->render, call->arena, format, args, ret, err);
}

static enum status filter_truncate(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"s", "length", "killwords", "end", "leeway"};
    struct jinja_value values[5];
    int64_t length, leeway, size;
    struct slice end;
    enum status status = jinja_arguments(call, names, 5, 1, values, err);
    if (values[4].kind == JINJA_NONE)
        values[4] = (struct jinja_value){0};
    if (!status)
        status = jinja_argument_int(call, "length", values[1], 255, &length, err);
    if (!status)
        status = jinja_argument_int(call, "leeway", values[4], 5, &leeway, err);
    if (!status)
        status = jinja_argument_text(call, "end", values[3], "...", &end, err);
    if (!status)
        status = jinja_length(call->render, values[0], &size, err);
    if (status)
        return status;
    int64_t end_size = (int64_t)jinja_text_length(end);
    if (length < end_size || leeway < 0)
        return error_set(err, ERR_TEMPLATE_VALUE, "expected length >= %lld and leeway >= 0",
            (long long)end_size);
    *ret = values[0];
    if (size <= length + leeway || values[0].kind == JINJA_UNDEFINED)
        return OK;
    if (values[0].kind != JINJA_STRING)
        return error_set(err, ERR_TEMPLATE_TYPE, "truncate() works on text, not on '%s'",
            jinja_type_name(values[0]));
    struct slice s = jinja_text(values[0]);
    size_t cut = jinja_text_offset(s, (size_t)(length - end_size));
    if (!jinja_argument_bool(values[2], false)) {
        const char *space = memrchr(s.p, ' ', cut);
        cut = space ? (size_t)(space - s.p) : cut;
    }
    /* As where texts are added: what is safe makes the other one so. */
    unsigned safe = (values[0].marks | values[3].marks) & JINJA_SAFE;
    struct jinja_value kept =
        jinja_mark(jinja_substring(call->arena, values[0], 0, cut), values[0].marks & JINJA_SAFE);
    struct jinja_value tail = jinja_mark(jinja_slice(end), values[3].marks);
    struct jinja_builder b = {0};
    status = jinja_builder_add_value(&b, call->render, kept, safe, err);
    if (!status)
        status = jinja_builder_add_value(&b, call->render, tail, safe, err);
    *ret = jinja_mark(jinja_builder_end(&b, call->arena), values[0].marks | safe);
    return status;
}

static enum status filter_wordcount(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value text;
    int64_t count = 0;
    bool inside = false;
    enum status status = only_text(call, &text, err);
    for (size_t at = 0; !status && at < text.size;) {
        uint32_t c = jinja_char_next(jinja_text(text), &at);
        bool word = c == '_' || jinja_char_is_word(c);
        count += word && !inside;
        inside = word;
    }
    *ret = jinja_int(count);
    return status;
}

/* Wrapping, as Python's textwrap does it. */
struct wrap {
    struct slice line;
    struct arena *arena;
    struct jinja_value lines;
    int64_t width;
    bool break_words, break_hyphens;
};

static bool is_letter(uint32_t c)
{
    return jinja_char_is_alpha(c) || c == '_';
}

static bool is_wrap_space(char c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

static bool is_word_or_punctuation(uint32_t c)
{
    return c == '_' || jinja_char_is_word(c) || (c < 0x80 && c && strchr("!\"'&.,?", (int)c));
}

/* The code points around a place: `back` characters before it, or at it and behind. */
static uint32_t char_before(struct slice s, size_t at, int back)
{
    uint32_t c = 0;
    for (int i = 0; i < back; i++) {
        if (at == 0)
            return 0;
        c = jinja_char_previous(s, &at);
    }
    return c;
}

static uint32_t char_behind(struct slice s, size_t at, int forward)
{
    uint32_t c = 0;
    for (int i = 0; i <= forward; i++) {
        if (at >= s.size)
            return 0;
        c = jinja_char_next(s, &at);
    }
    return c;
}

/* Whether a word may be broken behind the hyphen that ends at `at`. */
static bool breaks_at_hyphen(struct slice s, size_t start, size_t at)
{
    uint32_t one = char_before(s, at, 2), two = char_before(s, at, 3),
             three = char_before(s, at, 4);
    bool before = (is_letter(one) && is_letter(two)) ||
                  (is_word_or_punctuation(one) && two == '-' && is_letter(three));
    uint32_t next = char_behind(s, at, 0), second = char_behind(s, at, 1);
    bool behind = is_letter(next) &&
                  (is_letter(second) || (second == '-' && is_letter(char_behind(s, at, 2))));
    return at > start && before && behind;
}

static bool dashes_between_words(struct slice s, size_t at)
{
    size_t end = at;
    while (end < s.size && s.p[end] == '-')
        end++;
    uint32_t behind = char_behind(s, end, 0);
    return end - at >= 2 && (behind == '_' || jinja_char_is_word(behind));
}

/* The end of the chunk at `start`: white space, dashes between words, or a word's part. */
static size_t chunk_end(const struct wrap *w, size_t start)
{
    struct slice s = w->line;
    size_t at = start;
    if (is_wrap_space(s.p[at])) {
        while (at < s.size && is_wrap_space(s.p[at]))
            at++;
        return at;
    }
    if (w->break_hyphens && start > 0 && is_word_or_punctuation(char_before(s, start, 1)) &&
        dashes_between_words(s, start)) {
        while (at < s.size && s.p[at] == '-')
            at++;
        return at;
    }
    while (at < s.size && !is_wrap_space(s.p[at])) {
        uint32_t c = jinja_char_next(s, &at);
        if (!w->break_hyphens)
            continue;
        if (c == '-' && breaks_at_hyphen(s, start, at))
            return at;
        if (is_word_or_punctuation(c) && dashes_between_words(s, at))
            return at;
    }
    return at;
}

static bool is_blank(struct slice s)
{
    return jinja_text_strip(s, true, false).size == 0;
}

static int64_t chars_of(struct slice s)
{
    return (int64_t)jinja_text_length(s);
}

/* How much of a chunk that is too long stays in a line with room for so many characters: up to the
   last hyphen that has something else before it. */
static size_t part_of_chunk(const struct wrap *w, struct slice chunk, int64_t room)
{
    size_t fits = jinja_text_offset(chunk, (size_t)room), hyphens = 0;
    while (hyphens < fits && chunk.p[hyphens] == '-')
        hyphens++;
    for (size_t at = fits; w->break_hyphens && at > hyphens; at--)
        if (chunk.p[at - 1] == '-')
            return at;
    return fits;
}

/* One line of at most `width` characters from `at` on; returns where the next one begins. */
static size_t wrap_one(struct wrap *w, size_t at)
{
    struct slice s = w->line;
    size_t start = at, last_chunk = at;
    int64_t size = 0;
    if (w->lines.list->count && at < s.size) {
        size_t end = chunk_end(w, at);
        if (is_blank(slice_make(s.p + at, end - at)))
            start = last_chunk = at = end;
    }
    while (at < s.size) {
        size_t end = chunk_end(w, at);
        int64_t chunk = chars_of(slice_make(s.p + at, end - at));
        if (size + chunk > w->width) {
            bool too_long = chunk > w->width;
            if (too_long && w->break_words) {
                int64_t room = w->width < 1 ? 1 : w->width - size;
                last_chunk = at;
                at += part_of_chunk(w, slice_make(s.p + at, end - at), room);
            } else if (too_long && size == 0) {
                last_chunk = at;
                at = end;
            }
            break;
        }
        size += chunk;
        last_chunk = at;
        at = end;
    }
    size_t stop = at;
    if (stop > last_chunk && is_blank(slice_make(s.p + last_chunk, stop - last_chunk)))
        stop = last_chunk;
    if (stop > start)
        jinja_list_add(w->arena, w->lines, jinja_slice(slice_make(s.p + start, stop - start)));
    return at;
}

static enum status filter_wordwrap(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {
        "s", "width", "break_long_words", "wrapstring", "break_on_hyphens"};
    struct jinja_value values[5];
    struct slice between, text;
    struct wrap w = {.arena = call->arena};
    enum status status = jinja_arguments(call, names, 5, 1, values, err);
    if (values[3].kind == JINJA_NONE)
        values[3] = (struct jinja_value){0};
    if (!status)
        status = jinja_argument_int(call, "width", values[1], 79, &w.width, err);
    if (!status)
        status = jinja_argument_text(call, "wrapstring", values[3], "\n", &between, err);
    if (!status)
        status = jinja_argument_text(call, "s", values[0], NULL, &text, err);
    if (!status && w.width <= 0)
        status = error_set(
            err, ERR_TEMPLATE_VALUE, "invalid width %lld (must be > 0)", (long long)w.width);
    if (status)
        return status;
    w.break_words = jinja_argument_bool(values[2], true);
    w.break_hyphens = jinja_argument_bool(values[4], true);
    struct jinja_value lines = jinja_split_lines(call->arena, jinja_slice(text), false);
    struct jinja_builder b = {.text.arena = call->arena};
    for (size_t i = 0; !status && i < lines.list->count; i++) {
        w.line = jinja_text(lines.list->items[i]);
        w.lines = jinja_list_new(call->arena, 0);
        for (size_t at = 0; at < w.line.size;)
            at = wrap_one(&w, at);
        if (i)
            jinja_builder_add(&b, between.p, between.size);
        for (size_t k = 0; !status && k < w.lines.list->count; k++) {
            status = jinja_check_size(call->render, b.text.size, err);
            if (k)
                jinja_builder_add(&b, between.p, between.size);
            jinja_builder_add_part(&b, w.lines.list->items[k], 0, w.lines.list->items[k].size);
        }
    }
    *ret = jinja_builder_end(&b, call->arena);
    return status;
}

const struct jinja_row jinja_text_filters[] = {{"capitalize", filter_capitalize, 0, NULL},
    {"center", filter_center, 0, NULL}, {"format", filter_format, 0, NULL},
    {"indent", filter_indent, 0, NULL}, {"lower", filter_lower, 0, NULL},
    {"replace", filter_replace, 0, NULL}, {"string", filter_string, 0, NULL},
    {"title", filter_title, 0, NULL}, {"trim", filter_trim, 0, NULL},
    {"truncate", filter_truncate, 0, NULL}, {"upper", filter_upper, 0, NULL},
    {"wordcount", filter_wordcount, 0, NULL}, {"wordwrap", filter_wordwrap, 0, NULL},
    {NULL, NULL, 0, NULL}};
