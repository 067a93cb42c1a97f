#include "testing/update.h"
#include <ctype.h>
#include <stdlib.h>
#include "base/file.h"
#include "testing/limits.h"

enum { WIDTH = 100 }; /* of a line of a list in brackets */

/* ---- rows as YAML ---------------------------------------------------------------------------- */

/* Text that is a plain scalar wherever it stands, and not null. */
static bool is_plain(const char *text)
{
    static const char *const nulls[] = {"null", "Null", "NULL"};
    for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
        if (str_equal(text, nulls[i]))
            return false;
    if (!isalnum((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
        return false;
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_.+-/", *p))
            return false;
    return true;
}

static void add_scalar(struct strbuf *out, const char *value)
{
    if (!value) {
        strbuf_add_str(out, "null");
    } else if (is_plain(value)) {
        strbuf_add_str(out, value);
    } else {
        struct json_writer w = json_begin(out);
        json_str(&w, value); /* is a double-quoted scalar of YAML */
    }
}

static bool is_flow(const struct yaml_node *node)
{
    char first = node->source->text.p[node->offset];
    return first == '{' || first == '[';
}

/* Behind a quoted scalar that begins at `at`. */
static size_t behind_quoted(struct slice text, size_t at)
{
    char quote = text.p[at++];
    while (at < text.size && text.p[at] != quote)
        at += quote == '"' && text.p[at] == '\\' ? 2 : 1;
    return at + 1; /* '' in single quotes is two scalars here, which comes to the same */
}

/* Behind the bracket that closes the one at `at`. */
static size_t behind_brackets(struct slice text, size_t at)
{
    unsigned depth = 0;
    char before = ','; /* the last character that is no space */
    while (at < text.size) {
        char c = text.p[at];
        bool starts = strchr(",:[{'\"", before) != NULL;
        if ((c == '"' || c == '\'') && starts) {
            at = behind_quoted(text, at);
            before = c;
            continue;
        }
        if (c == '#' && strchr(" \n", text.p[at - 1]))
            at += strcspn(text.p + at, "\n");
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return at + 1;
        before = strchr(" \n", c) ? before : c;
        at++;
    }
    return text.size;
}

/* Where a node's text ends; libyaml's marks of collections are those of what stands around. */
static size_t end_of(const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR && is_flow(node))
        return behind_brackets(node->source->text, node->offset);
    if (node->kind == YAML_SCALAR) {
        size_t end = node->end;
        while (end > node->offset && strchr(" \n", node->source->text.p[end - 1]))
            end--;
        return end;
    }
    const struct yaml_node *last = node->kind == YAML_SEQUENCE ? node->items[node->count - 1]
                                                               : node->pairs[node->count - 1].value;
    return end_of(last);
}

/* A cell that holds stays as it is written. */
static bool add_kept(struct strbuf *out, const struct yaml_node *cell)
{
    if (!cell || (cell->kind != YAML_SCALAR && !is_flow(cell)) || cell->style == YAML_LITERAL ||
        cell->style == YAML_FOLDED)
        return false;
    struct slice text = cell->source->text;
    strbuf_add(out, text.p + cell->offset, end_of(cell) - cell->offset);
    return end_of(cell) > cell->offset;
}

/* `{a: 1, b: x}`.  `before`: the row that it replaces, NULL: none; `holds`: its cells that hold. */
static const char *row_text(const struct rows *actual, size_t row, const struct yaml_node *before,
    const bool *holds, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    strbuf_add_char(&out, '{');
    bool any = false;
    for (size_t k = 0; k < actual->column_count; k++) {
        const char *name = actual->columns[k].name;
        const struct yaml_node *cell = before ? yaml_get(before, name) : NULL;
        if (before && !cell && holds[k])
            continue; /* not named before, and still null */
        strbuf_add_str(&out, any ? ", " : "");
        any = true;
        add_scalar(&out, name);
        strbuf_add_str(&out, ": ");
        if (!before || !holds[k] || !add_kept(&out, cell))
            add_scalar(&out, actual->cells[row * actual->column_count + k]);
    }
    strbuf_add_char(&out, '}');
    return strbuf_finish(&out, arena).p;
}

/* ---- changes of a list ----------------------------------------------------------------------- */

struct list {
    const struct sql_test *test;
    const struct yaml_node *node; /* the list */
    const struct rows *actual;
    const struct rows_pairing *pairing;
    struct arena *arena;
    test_updates *updates;
};

static const char *path_of(const struct sql_test *test, struct arena *arena)
{
    return path_join(arena, test->folder, path_base(test->file));
}

static void add_update(const struct list *l, size_t begin, size_t end, const char *text)
{
    struct test_update update = {path_of(l->test, l->arena), begin, end, text};
    vec_push(l->updates, update);
}

static size_t line_begin(struct slice text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(struct slice text, size_t at)
{
    while (at < text.size && text.p[at] != '\n')
        at++;
    return at;
}

static const char *spaces(struct arena *arena, size_t count)
{
    struct strbuf text = {.arena = arena};
    strbuf_add_repeat(&text, ' ', count);
    return strbuf_finish(&text, arena).p;
}

/* New text of an expected row: NULL when it goes; what it is replaced with. */
static const char *changed_row(const struct list *l, size_t i)
{
    size_t other = l->pairing->actual[i];
    return other == SIZE_MAX ? NULL
                             : row_text(l->actual, other, l->node->items[i],
                                   l->pairing->holds + i * l->actual->column_count, l->arena);
}

/* The rows that will stand there, as texts; those that hold as they are. */
static size_t new_rows(const struct list *l, const char ***ret)
{
    size_t count = 0;
    const char **rows =
        arena_array(l->arena, const char *, l->node->count + l->pairing->unexpected_count + 1);
    for (size_t i = 0; i < l->node->count; i++) {
        const struct yaml_node *item = l->node->items[i];
        const char *text = l->pairing->equal[i]
                               ? arena_strndup(l->arena, item->source->text.p + item->offset,
                                     end_of(item) - item->offset)
                               : changed_row(l, i);
        if (text)
            rows[count++] = text;
    }
    for (size_t i = 0; i < l->pairing->unexpected_count; i++)
        rows[count++] = row_text(l->actual, l->pairing->unexpected[i], NULL, NULL, l->arena);
    *ret = rows;
    return count;
}

/* `[{…}, {…}]`: written anew, over several lines when it is long; as a block where it was empty and
   nothing in brackets is around it. */
static void change_flow(const struct list *l)
{
    struct slice text = l->node->source->text;
    size_t begin = line_begin(text, l->node->offset), indent = 0, size = 0;
    struct slice before = slice_make(text.p + begin, l->node->offset - begin);
    while (indent < before.size && strchr(" -", before.p[indent]))
        indent++;
    bool block = l->node->count == 0 && !memchr(before.p, '{', before.size) &&
                 !memchr(before.p, '[', before.size);
    const char **rows;
    size_t count = new_rows(l, &rows);
    for (size_t i = 0; i < count; i++)
        size += strlen(rows[i]) + 2;
    bool lines = count > 1 && before.size + size > WIDTH;
    struct strbuf out = {.arena = l->arena};
    const char *margin = spaces(l->arena, indent + 2);
    if (!block || count == 0)
        strbuf_add_char(&out, '[');
    for (size_t i = 0; i < count; i++)
        if (block)
            strbuf_printf(&out, "\n%s- %s", margin, rows[i]);
        else if (lines)
            strbuf_printf(&out, "%s\n%s%s", i ? "," : "", margin, rows[i]);
        else
            strbuf_printf(&out, "%s%s", i ? ", " : "", rows[i]);
    if (!block || count == 0)
        strbuf_add_char(&out, ']');
    size_t start = l->node->offset;
    while (block && count && start > begin && text.p[start - 1] == ' ')
        start--;
    add_update(l, start, end_of(l->node), strbuf_finish(&out, l->arena).p);
}

/* Items below each other: each change at its own place. */
static void change_block(const struct list *l)
{
    struct slice text = l->node->source->text;
    size_t dash = l->node->offset - line_begin(text, l->node->offset);
    size_t last = end_of(l->node), left = l->pairing->unexpected_count;
    const char *margin = spaces(l->arena, dash);
    for (size_t i = 0; i < l->node->count; i++)
        left += l->pairing->equal[i] || l->pairing->actual[i] != SIZE_MAX;
    if (left == 0) {
        add_update(l, l->node->offset, last, "  []");
        return;
    }
    for (size_t i = 0; i < l->node->count; i++) {
        const struct yaml_node *item = l->node->items[i];
        if (l->pairing->equal[i])
            continue;
        const char *row = changed_row(l, i);
        if (row)
            add_update(l, item->offset, end_of(item), row);
        else /* its line, with the end of the one before */
            add_update(l, line_begin(text, item->offset) - 1, line_end(text, end_of(item)), "");
    }
    struct strbuf more = {.arena = l->arena};
    for (size_t i = 0; i < l->pairing->unexpected_count; i++)
        strbuf_printf(&more, "\n%s- %s", margin,
            row_text(l->actual, l->pairing->unexpected[i], NULL, NULL, l->arena));
    size_t at = line_end(text, last);
    if (more.size)
        add_update(l, at, at, strbuf_finish(&more, l->arena).p);
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static void add_field(struct strbuf *out, const char *value)
{
    if (!value)
        return; /* NULL is nothing; an empty text is "" */
    bool quoted = !*value || strpbrk(value, ",\"\r\n") || value[0] == ' ' || value[0] == '\\';
    if (!quoted) {
        strbuf_add_str(out, value);
        return;
    }
    strbuf_add_char(out, '"');
    for (const char *p = value; *p; p++) {
        if (*p == '"')
            strbuf_add_char(out, '"');
        strbuf_add_char(out, *p);
    }
    strbuf_add_char(out, '"');
}

static void add_line(struct strbuf *out, const struct rows *rows, size_t row)
{
    for (size_t k = 0; k < rows->column_count; k++) {
        if (k)
            strbuf_add_char(out, ',');
        add_field(out, rows->cells[row * rows->column_count + k]);
    }
    strbuf_add_char(out, '\n');
}

static const char *csv_text(const struct rows *expected, const struct rows *actual,
    const struct rows_pairing *pairing, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    for (size_t k = 0; k < actual->column_count; k++) {
        strbuf_add_str(&out, k ? "," : "");
        add_field(&out, actual->columns[k].name);
    }
    strbuf_add_char(&out, '\n');
    for (size_t i = 0; i < expected->count; i++)
        if (pairing->equal[i])
            add_line(&out, expected, i);
        else if (pairing->actual[i] != SIZE_MAX)
            add_line(&out, actual, pairing->actual[i]);
    for (size_t i = 0; i < pairing->unexpected_count; i++)
        add_line(&out, actual, pairing->unexpected[i]);
    return strbuf_finish(&out, arena).p;
}

/* ---- the doors ------------------------------------------------------------------------------- */

void update_rows(const struct sql_test *test, const struct test_table *table,
    const struct rows *expected, const struct rows *actual, const struct rows_pairing *pairing,
    struct arena *arena, test_updates *updates)
{
    struct list l = {test, table->is.rows, actual, pairing, arena, updates};
    if (table->is.csv) {
        struct test_update update = {path_join(arena, test->folder, table->is.csv), 0, SIZE_MAX,
            csv_text(expected, actual, pairing, arena)};
        vec_push(updates, update);
    } else if (is_flow(l.node)) {
        change_flow(&l);
    } else {
        change_block(&l);
    }
}

void update_count(const struct sql_test *test, const struct test_table *table, const char *count,
    struct arena *arena, test_updates *updates)
{
    const struct yaml_node *node = table->is.row_count;
    struct test_update update = {
        path_of(test, arena), node->offset, end_of(node), arena_strdup(arena, count)};
    vec_push(updates, update);
}

static int by_place(const void *a, const void *b)
{
    const struct test_update *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    if (order)
        return order;
    return x->begin != y->begin ? (x->begin < y->begin ? -1 : 1)
           : x->end != y->end   ? (x->end < y->end ? -1 : 1)
                                : strcmp(x->text, y->text);
}

static bool is_same(const struct test_update *a, const struct test_update *b)
{
    return by_place(a, b) == 0;
}

const struct test_update *update_conflict(const test_updates *updates)
{
    if (updates->count)
        qsort(updates->at, updates->count, sizeof(*updates->at), by_place);
    for (size_t i = 1; i < updates->count; i++) {
        const struct test_update *a = &updates->at[i - 1], *b = &updates->at[i];
        if (str_equal(a->path, b->path) && !is_same(a, b) &&
            (b->begin < a->end || b->begin == a->begin))
            return b;
    }
    return NULL;
}

/* The text that a test file had when it was read; of another file NULL. */
static const struct slice *text_read(
    const char *path, const struct sql_test *tests, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(path_of(&tests[i], arena), path))
            return &tests[i].at->source->text;
    return NULL;
}

/* `updates` are of one file, in order. */
static enum status write_file(const struct test_update *updates, size_t count,
    const struct slice *before, struct arena *arena, struct error *err)
{
    struct slice now;
    struct strbuf out = {.arena = arena};
    const char *path = updates[0].path;
    if (updates[0].end == SIZE_MAX)
        return file_write(path, slice_of(updates[0].text), 0644, false, err);
    enum status status = file_read(path, TEST_FILE_MAX, arena, &now, err);
    if (status != OK)
        return status;
    if (!before || !slice_equal(now, *before)) {
        error_set(err, ERR_CONFLICT, "%s changed while its tests ran", path);
        error_hint(err, "it was left as it is; run the command again");
        return ERR_CONFLICT;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && is_same(&updates[i - 1], &updates[i]))
            continue;
        strbuf_add(&out, now.p + at, updates[i].begin - at);
        strbuf_add_str(&out, updates[i].text);
        at = updates[i].end;
    }
    strbuf_add(&out, now.p + at, now.size - at);
    return file_write(path, strbuf_finish(&out, arena), 0644, false, err);
}

enum status update_write(const test_updates *updates, const struct sql_test *tests, size_t count,
    struct arena *arena, struct names *ret_files, struct error *err)
{
    const char **files = arena_array(arena, const char *, updates->count + 1);
    size_t written = 0;
    for (size_t i = 0, next; i < updates->count; i = next) {
        const char *path = updates->at[i].path;
        for (next = i + 1; next < updates->count && str_equal(updates->at[next].path, path);)
            next++;
        enum status status =
            write_file(&updates->at[i], next - i, text_read(path, tests, count, arena), arena, err);
        if (status != OK)
            return status;
        files[written++] = path;
    }
    *ret_files = (struct names){files, written};
    return OK;
}
