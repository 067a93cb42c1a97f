/*
 * `pprint`: values over several lines, as Python's pprint.pformat lays them out at 80 columns.
 */
#include "language/jinja/filters.h"
#include "language/jinja/unicode.h"

enum { LINE_WIDTH = 80 };

struct pretty {
    call_t call;
    struct strbuf out;
    struct error *err;
};

static enum status pretty_value(
    struct pretty *p, struct jinja_value v, size_t indent, size_t allowance, unsigned level);

/* Keys in order; those that cannot be ordered go by the names of their types. */
static int compare_keys(const void *a, const void *b)
{
    const struct jinja_sort_cell *left = a, *right = b;
    int order = 0;
    if (jinja_order(left->key, right->key, "<", &order, NULL) != OK)
        order = strcmp(jinja_type_name(left->key), jinja_type_name(right->key));
    return order;
}

static struct jinja_sort_cell *sorted_entries(
    struct pretty *p, struct jinja_value v, size_t *ret_count)
{
    size_t count = jinja_mapping_count(v), at = 0;
    struct jinja_sort_cell *cells = arena_array(p->call->arena, struct jinja_sort_cell, count + 1);
    for (size_t cursor = 0;
         at < count && jinja_mapping_next(v, &cursor, &cells[at].key, &cells[at].value);)
        at++;
    qsort(cells, count, sizeof *cells, compare_keys);
    *ret_count = count;
    return cells;
}

/* repr() with the keys of mappings in order. */
static enum status append_flat(
    struct pretty *p, struct jinja_value v, unsigned level, struct strbuf *out)
{
    enum status status = OK;
    size_t count;
    if (level > JINJA_NESTING_MAX)
        return error_set(p->err, ERR_TEMPLATE_DEPTH_LIMIT,
            "a value is nested more than %d levels deep", JINJA_NESTING_MAX);
    jinja_note_marks(p->call->render, v);
    status = jinja_check_size(p->call->render, out->size, p->err);
    if (status)
        return status;
    if (v.kind == JINJA_MAPPING) {
        struct jinja_sort_cell *cells = sorted_entries(p, v, &count);
        strbuf_add_char(out, '{');
        for (size_t i = 0; !status && i < count; i++) {
            strbuf_add_str(out, i ? ", " : "");
            status = append_flat(p, cells[i].key, level + 1, out);
            strbuf_add_str(out, ": ");
            if (!status)
                status = append_flat(p, cells[i].value, level + 1, out);
        }
        strbuf_add_char(out, '}');
        return status;
    }
    if (v.kind != JINJA_LIST && (v.kind != JINJA_TUPLE || (v.flags & JINJA_FLAG_GROUP)))
        return jinja_append_repr(p->call->render, v, out, p->err);
    strbuf_add_char(out, v.kind == JINJA_LIST ? '[' : '(');
    for (size_t i = 0; !status && i < v.list->count; i++) {
        strbuf_add_str(out, i ? ", " : "");
        status = append_flat(p, v.list->items[i], level + 1, out);
    }
    strbuf_add_str(out, v.kind == JINJA_TUPLE && v.list->count == 1 ? "," : "");
    strbuf_add_char(out, v.kind == JINJA_LIST ? ']' : ')');
    return status;
}

static size_t columns(const struct strbuf *buf)
{
    return jinja_text_length(slice_make(strbuf_text(buf), buf->size));
}

static void new_line(struct pretty *p, size_t indent)
{
    strbuf_add_str(&p->out, ",\n");
    strbuf_add_repeat(&p->out, ' ', indent);
}

static enum status pretty_entries(
    struct pretty *p, struct jinja_value v, size_t indent, size_t allowance, unsigned level)
{
    size_t count;
    struct jinja_sort_cell *cells = sorted_entries(p, v, &count);
    enum status status = OK;
    strbuf_add_char(&p->out, '{');
    for (size_t i = 0; !status && i < count; i++) {
        struct strbuf key = {0};
        if (i)
            new_line(p, indent + 1);
        status = append_flat(p, cells[i].key, level, &key);
        strbuf_add(&p->out, strbuf_text(&key), key.size);
        strbuf_add_str(&p->out, ": ");
        if (!status)
            status = pretty_value(p, cells[i].value, indent + 3 + columns(&key),
                i + 1 == count ? allowance + 1 : 1, level);
        strbuf_done(&key);
    }
    strbuf_add_char(&p->out, '}');
    return status;
}

static enum status pretty_items(
    struct pretty *p, struct jinja_value v, size_t indent, size_t allowance, unsigned level)
{
    bool is_list = v.kind == JINJA_LIST;
    const char *end = is_list ? "]" : v.list->count == 1 ? ",)" : ")";
    enum status status = OK;
    strbuf_add_char(&p->out, is_list ? '[' : '(');
    for (size_t i = 0; !status && i < v.list->count; i++) {
        if (i)
            new_line(p, indent + 1);
        status = pretty_value(p, v.list->items[i], indent + 1,
            i + 1 == v.list->count ? allowance + strlen(end) : 1, level);
    }
    strbuf_add_str(&p->out, end);
    return status;
}

static void add_chunk(struct jinja_value chunks, struct arena *arena, struct slice s)
{
    struct strbuf quoted = {0};
    jinja_append_quoted(s, &quoted);
    jinja_list_add(arena, chunks, jinja_take_text(arena, &quoted));
}

static size_t quoted_columns(struct slice s)
{
    struct strbuf quoted = {0};
    jinja_append_quoted(s, &quoted);
    size_t size = columns(&quoted);
    strbuf_done(&quoted);
    return size;
}

/* The end of `\S*\s*` at `at`. */
static size_t word_end(struct slice s, size_t at)
{
    bool space = false;
    while (at < s.size) {
        size_t next = at;
        bool is_space = jinja_char_is_space(jinja_char_next(s, &next));
        if (space && !is_space)
            break;
        space = is_space;
        at = next;
    }
    return at;
}

/* A line of text that is too long, at its words. */
static void split_line(struct jinja_value chunks, struct arena *arena, struct slice line,
    size_t width, size_t last_width)
{
    size_t start = 0, end = 0;
    while (end < line.size) {
        size_t next = word_end(line, end);
        size_t room = next == line.size ? last_width : width;
        if (quoted_columns(slice_make(line.p + start, next - start)) > room) {
            if (end > start)
                add_chunk(chunks, arena, slice_make(line.p + start, end - start));
            start = end;
        }
        end = next;
    }
    if (end > start)
        add_chunk(chunks, arena, slice_make(line.p + start, end - start));
}

static void pretty_text(
    struct pretty *p, struct jinja_value v, size_t indent, size_t allowance, unsigned level)
{
    struct arena *arena = p->call->arena;
    struct jinja_value chunks = jinja_list_new(arena, 0);
    struct jinja_value lines = jinja_split_lines(arena, v, true);
    if (level == 1) {
        indent++;
        allowance++;
    }
    size_t width = indent < LINE_WIDTH ? LINE_WIDTH - indent : 0;
    size_t last_width = allowance < width ? width - allowance : 0;
    for (size_t i = 0; i < lines.list->count; i++) {
        struct slice line = jinja_text(lines.list->items[i]);
        bool last = i + 1 == lines.list->count;
        if (quoted_columns(line) <= (last ? last_width : width))
            add_chunk(chunks, arena, line);
        else
            split_line(chunks, arena, line, width, last ? last_width : width);
    }
    bool bracket = level == 1 && chunks.list->count > 1;
    strbuf_add_str(&p->out, bracket ? "(" : "");
    for (size_t i = 0; i < chunks.list->count; i++) {
        if (i) {
            strbuf_add_char(&p->out, '\n');
            strbuf_add_repeat(&p->out, ' ', indent);
        }
        strbuf_add_slice(&p->out, jinja_text(chunks.list->items[i]));
    }
    strbuf_add_str(&p->out, bracket ? ")" : "");
}

static enum status pretty_value(
    struct pretty *p, struct jinja_value v, size_t indent, size_t allowance, unsigned level)
{
    struct strbuf flat = {0};
    enum status status = jinja_step(p->call->render, p->err);
    if (!status)
        status = append_flat(p, v, level, &flat);
    if (!status)
        status = jinja_check_size(p->call->render, p->out.size + flat.size, p->err);
    bool fits = !status && columns(&flat) + indent + allowance <= LINE_WIDTH;
    level++;
    if (!status && !fits && v.kind == JINJA_MAPPING)
        status = pretty_entries(p, v, indent, allowance, level);
    else if (!status && !fits &&
             (v.kind == JINJA_LIST || (v.kind == JINJA_TUPLE && !(v.flags & JINJA_FLAG_GROUP))))
        status = pretty_items(p, v, indent, allowance, level);
    else if (!status && !fits && v.kind == JINJA_STRING && v.size)
        pretty_text(p, v, indent, allowance, level);
    else
        strbuf_add(&p->out, strbuf_text(&flat), flat.size);
    strbuf_done(&flat);
    return status;
}

static enum status filter_pprint(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v;
    struct pretty p = {.call = call, .err = err};
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = pretty_value(&p, v, 0, 0, 0);
    *ret = jinja_take_text(call->arena, &p.out);
    return status;
}

const struct jinja_row jinja_pretty_filters[] = {
    {"pprint", filter_pprint, 0, NULL}, {NULL, NULL, 0, NULL}};
