#include "cli/notebook.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include "base/file.h"

enum {
    NOTEBOOK_SIZE_MAX = 64 << 20, /* pictures of results are in it */
    QUERIES_MAX = 500,
    NOTE_MAX = 300,
};

void notebook_note(struct notebook *notebook, size_t cell, const char *format, ...)
{
    char text[NOTE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    vec_push(&notebook->notes, cell ? arena_printf(notebook->arena, "cell %zu: %s", cell, text)
                                    : arena_strdup(notebook->arena, text));
}

void notebook_done(struct notebook *notebook)
{
    vec_done(&notebook->queries);
    vec_done(&notebook->params);
    vec_done(&notebook->notes);
}

/* "My Analysis (2).ipynb" → "my_analysis_2" */
static const char *name_of(const char *path, struct arena *arena)
{
    struct strbuf name = {.arena = arena};
    const char *base = path_base(path);
    size_t size = str_ends(base, ".ipynb") ? strlen(base) - strlen(".ipynb") : strlen(base);
    for (size_t i = 0; i < size; i++)
        if (isalnum((unsigned char)base[i]))
            strbuf_add_char(&name, (char)tolower((unsigned char)base[i]));
        else if (name.size && name.text[name.size - 1] != '_')
            strbuf_add_char(&name, '_');
    while (name.size && name.text[name.size - 1] == '_')
        name.size--;
    return name.size ? arena_strndup(arena, name.text, name.size) : "notebook";
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* A text, or a list of its lines. */
static bool source_of(const json_t *cell, struct arena *arena, struct slice *ret)
{
    const json_t *source = json_object_get(cell, "source");
    struct strbuf text = {.arena = arena};
    if (json_is_string(source)) {
        *ret = slice_of(arena_strdup(arena, json_string_value(source)));
        return true;
    }
    for (size_t i = 0; i < json_array_size(source); i++) {
        const char *line = json_string_value(json_array_get(source, i));
        if (!line)
            return false;
        strbuf_add_str(&text, line);
    }
    *ret = strbuf_finish(&text, arena);
    return json_is_array(source);
}

static struct slice take_line(struct slice *rest)
{
    const char *end = rest->size ? memchr(rest->p, '\n', rest->size) : NULL;
    size_t size = end ? (size_t)(end - rest->p) : rest->size;
    struct slice line = slice_make(rest->p, size);
    size += end != NULL;
    *rest = slice_make(rest->p + size, rest->size - size);
    return line;
}

static struct slice take_word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    size_t size = 0;
    while (size < rest->size && !isspace((unsigned char)rest->p[size]))
        size++;
    struct slice word = slice_make(rest->p, size);
    *rest = slice_trim(slice_make(rest->p + size, rest->size - size));
    return word;
}

static bool begins(struct slice text, const char *prefix)
{
    size_t size = strlen(prefix);
    return text.size >= size && memcmp(text.p, prefix, size) == 0;
}

static bool has(struct slice text, const char *part)
{
    return text.size && memmem(text.p, text.size, part, strlen(part));
}

/* What the magic's line says besides SQL: options, a connection, a variable for the result. */
static struct slice skip_magic_words(struct notebook *notebook, size_t cell, struct slice line)
{
    for (;;) {
        struct slice rest = line, word = take_word(&rest), after = rest;
        if (word.size && begins(take_word(&after), "<<")) {
            notebook_note(notebook, cell,
                "the result is kept in the variable `%.*s`: write `result: rows` at the task, and "
                "pull it where it is wanted",
                SLICE_ARG(word));
            line = after;
        } else if (begins(word, "--") && word.size > 2) {
            notebook_note(
                notebook, cell, "the option `%.*s` of the magic is left out", SLICE_ARG(word));
            line = rest;
        } else if (has(word, "://") || begins(word, "@") || begins(word, "$")) {
            notebook_note(notebook, cell, "its connection is left out: dag.yaml has connections");
            line = rest;
        } else {
            return line;
        }
    }
}

static void add_query(struct notebook *notebook, size_t cell, struct slice sql)
{
    sql = slice_trim(sql);
    if (!sql.size)
        return;
    struct notebook_query query = {
        .cell = cell, .text = arena_strndup(notebook->arena, sql.p, sql.size)};
    vec_push(&notebook->queries, query);
}

/* `%sql …` and `x = %sql …`: where the SQL begins; NULL: the line has none. */
static const char *line_magic(struct slice line)
{
    struct slice text = slice_trim(line);
    const char *at = begins(text, "%sql") ? text.p : NULL;
    const char *equals = text.size ? memchr(text.p, '=', text.size) : NULL;
    if (!at && equals) {
        struct slice right =
            slice_trim(slice_make(equals + 1, text.size - (size_t)(equals + 1 - text.p)));
        at = begins(right, "%sql") ? right.p : NULL;
    }
    size_t used = at ? (size_t)(at - text.p) + strlen("%sql") : 0;
    return at && (used == text.size || isspace((unsigned char)text.p[used])) ? at : NULL;
}

static void read_lines(struct notebook *notebook, size_t cell, struct slice source)
{
    size_t python = 0;
    while (source.size) {
        struct slice line = take_line(&source), text = slice_trim(line);
        const char *magic = line_magic(line);
        if (magic) {
            if (magic != text.p)
                notebook_note(notebook, cell,
                    "a result goes into a variable: write `result: rows` "
                    "at the task, and pull it where it is wanted");
            magic += strlen("%sql");
            size_t size = (size_t)(line.p + line.size - magic);
            add_query(notebook, cell, skip_magic_words(notebook, cell, slice_make(magic, size)));
        } else if (begins(text, "%") || begins(text, "!")) {
            if (!begins(text, "%load_ext") && !begins(text, "%config") &&
                !begins(text, "%matplotlib"))
                notebook_note(notebook, cell, "`%.*s` is left out", SLICE_ARG(text));
        } else {
            python += text.size && text.p[0] != '#';
        }
    }
    if (python)
        notebook_note(notebook, cell,
            "%zu line%s of Python left out: put what is needed into a file, and write `python: "
            "FILE` at a task",
            python, python == 1 ? " is" : "s are");
}

static void read_cell(struct notebook *notebook, size_t number, struct slice source)
{
    struct slice rest = source, first = {0};
    while (rest.size && !slice_trim(first).size)
        first = take_line(&rest);
    struct slice words = slice_trim(first), magic = take_word(&words);
    if (slice_equal_str(magic, "%%sql")) {
        struct slice head = skip_magic_words(notebook, number, words);
        struct strbuf sql = {.arena = notebook->arena};
        strbuf_add_slice(&sql, head);
        strbuf_add_str(&sql, head.size ? "\n" : "");
        strbuf_add_slice(&sql, rest);
        add_query(notebook, number, strbuf_finish(&sql, notebook->arena));
    } else if (begins(magic, "%%")) {
        notebook_note(notebook, number, "a `%.*s` cell is left out", SLICE_ARG(magic));
    } else {
        read_lines(notebook, number, source);
    }
}

enum status notebook_read(
    struct notebook *notebook, const char *path, struct arena *arena, struct error *err)
{
    struct slice text;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    *notebook = (struct notebook){.arena = arena, .name = name_of(path, arena)};
    enum status status = file_read(path, NOTEBOOK_SIZE_MAX, arena, &text, err);
    if (status == OK)
        status = json_parse(text.p, text.size, path, &tree, err);
    if (status == ERR_JSON)
        error_hint(err, "a notebook is a file of JSON, as Jupyter saves it: NAME.ipynb");
    if (status != OK)
        return status;
    const json_t *cells = json_object_get(tree, "cells");
    if (!json_is_array(cells)) {
        error_set(err, ERR_INVALID, "%s is no notebook: it has no list `cells`", path);
        error_hint(err, "notebooks before version 4 are converted by opening and saving them");
        return ERR_INVALID;
    }
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const json_t *cell = json_array_get(cells, i);
        const char *type = json_string_value(json_object_get(cell, "cell_type"));
        struct slice source;
        if (!type || !source_of(cell, arena, &source))
            return error_set(
                err, ERR_INVALID, "%s: cell %zu has no type or no source", path, i + 1);
        if (str_equal(type, "code"))
            read_cell(notebook, i + 1, source);
    }
    if (notebook->queries.count > QUERIES_MAX)
        return error_set(err, ERR_LIMIT, "%s has more than %d queries", path, QUERIES_MAX);
    if (notebook->queries.count)
        return OK;
    error_set(err, ERR_NOT_FOUND, "%s has no `%%%%sql` cell and no `%%sql` line", path);
    error_hint(err, "SQL in Python's texts is not looked for");
    return ERR_NOT_FOUND;
}
