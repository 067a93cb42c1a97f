#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include "base/clock.h"
#include "base/json.h"

/* jansson's position is behind the token it did not like; its message names that token. */
static size_t token_start(const json_error_t *trouble, const char *text, size_t size)
{
    size_t position = trouble->position < 0 ? 0 : (size_t)trouble->position;
    if (position > size)
        position = size;
    const char *near = strstr(trouble->text, " near '");
    if (!near)
        return position;
    near += strlen(" near '");
    size_t length = strlen(near) - (strlen(near) > 0);
    if (length <= position && memcmp(text + position - length, near, length) == 0)
        return position - length;
    return position;
}

enum status json_parse(
    const char *text, size_t size, const char *file, json_t **ret, struct error *err)
{
    json_error_t trouble;
    size_t bad;
    if (!utf8_valid(text, size, &bad)) {
        error_set(err, ERR_JSON, "the text is not valid UTF-8");
        error_at(err, file, text, size, bad);
        return ERR_JSON;
    }
    json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &trouble);
    if (tree) {
        *ret = tree;
        return OK;
    }
    error_set(err, ERR_JSON, "%s", trouble.text);
    error_at(err, file, text, size, token_start(&trouble, text, size));
    return ERR_JSON;
}

/* The next part of a pointer, its `~1` and `~0` undone; gives what follows it. */
static const char *read_token(const char *at, struct strbuf *ret)
{
    strbuf_clear(ret);
    for (; *at && *at != '/'; at++) {
        bool escaped = *at == '~' && (at[1] == '0' || at[1] == '1');
        strbuf_add_char(ret, escaped ? (*++at == '1' ? '/' : '~') : *at);
    }
    return at;
}

static const json_t *json_member(const json_t *tree, struct slice token)
{
    int64_t index;
    if (!json_is_array(tree))
        return json_object_getn(tree, token.p, token.size);
    bool plain = token.size && (token.p[0] != '0' || token.size == 1);
    for (size_t i = 0; i < token.size; i++)
        plain = plain && token.p[i] >= '0' && token.p[i] <= '9';
    return plain && parse_int64(token, &index) ? json_array_get(tree, (size_t)index) : NULL;
}

const json_t *json_at(const json_t *tree, const char *pointer)
{
    CLEANUP(strbuf_done) struct strbuf token = {0};
    if (*pointer && *pointer != '/')
        return NULL;
    while (tree && *pointer) {
        pointer = read_token(pointer + 1, &token);
        tree = json_member(tree, slice_make(strbuf_text(&token), token.size));
    }
    return tree;
}

struct json_writer json_begin(struct strbuf *out)
{
    return (struct json_writer){.out = out};
}

/* The comma in front of a value or key, where one is needed. */
static void separate(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0)
        return;
    bool *comma = &w->comma[w->depth - 1];
    if (*comma)
        strbuf_add_char(w->out, ',');
    *comma = true;
}

static void open_level(struct json_writer *w, char c)
{
    separate(w);
    assert(w->depth < JSON_DEPTH_MAX);
    w->comma[w->depth++] = false;
    strbuf_add_char(w->out, c);
}

static void close_level(struct json_writer *w, char c)
{
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    strbuf_add_char(w->out, c);
}

void json_object_begin(struct json_writer *w)
{
    open_level(w, '{');
}

void json_object_end(struct json_writer *w)
{
    close_level(w, '}');
}

void json_array_begin(struct json_writer *w)
{
    open_level(w, '[');
}

void json_array_end(struct json_writer *w)
{
    close_level(w, ']');
}

/* The letter behind the backslash for characters that have a short escape, else 0. */
static char short_escape(uint32_t c)
{
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

static void write_string(struct strbuf *out, const char *s, size_t size)
{
    strbuf_add_char(out, '"');
    for (size_t at = 0; at < size;) {
        uint32_t c = 0xFFFD;
        size_t length = utf8_decode(s + at, size - at, &c);
        char escape = short_escape(c);
        if (escape)
            strbuf_printf(out, "\\%c", escape);
        else if (c < ' ' || c == 0x7F)
            strbuf_printf(out, "\\u%04x", c);
        else
            strbuf_add_utf8(out, c);
        at += length ? length : 1;
    }
    strbuf_add_char(out, '"');
}

void json_key(struct json_writer *w, const char *key)
{
    assert(w->depth > 0 && !w->after_key);
    separate(w);
    write_string(w->out, key, strlen(key));
    strbuf_add_char(w->out, ':');
    w->after_key = true;
}

void json_strn(struct json_writer *w, const char *s, size_t size)
{
    separate(w);
    if (s)
        write_string(w->out, s, size);
    else
        strbuf_add_str(w->out, "null");
}

void json_str(struct json_writer *w, const char *s)
{
    json_strn(w, s, s ? strlen(s) : 0);
}

static void write_real(struct strbuf *out, double v)
{
    char text[32] = "null";
    if (isfinite(v))
        format_double(v, text);
    strbuf_add_str(out, text);
}

void json_int(struct json_writer *w, int64_t v)
{
    separate(w);
    strbuf_printf(w->out, "%" PRId64, v);
}

void json_double(struct json_writer *w, double v)
{
    separate(w);
    write_real(w->out, v);
}

void json_bool(struct json_writer *w, bool v)
{
    json_raw(w, v ? "true" : "false");
}

void json_null_value(struct json_writer *w)
{
    json_raw(w, "null");
}

void json_raw(struct json_writer *w, const char *json)
{
    separate(w);
    strbuf_add_str(w->out, json);
}

void json_time(struct json_writer *w, int64_t wall_us)
{
    char text[TIME_TEXT_SIZE];
    if (wall_us == INT64_MIN) {
        json_null_value(w);
        return;
    }
    time_format_iso(wall_us, text);
    json_str(w, text);
}

static void write_tree(struct strbuf *out, const json_t *tree);

static void write_object(struct strbuf *out, json_t *object)
{
    const char *key, *comma = "";
    json_t *value;
    strbuf_add_char(out, '{');
    json_object_foreach(object, key, value)
    {
        strbuf_add_str(out, comma);
        write_string(out, key, strlen(key));
        strbuf_add_char(out, ':');
        write_tree(out, value);
        comma = ",";
    }
    strbuf_add_char(out, '}');
}

static void write_array(struct strbuf *out, const json_t *array)
{
    strbuf_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            strbuf_add_char(out, ',');
        write_tree(out, json_array_get(array, i));
    }
    strbuf_add_char(out, ']');
}

/* As deep as the tree; jansson reads no more than 2048 levels. */
static void write_tree(struct strbuf *out, const json_t *tree)
{
    switch (json_typeof(tree)) {
    /* jansson iterates an object without const, and does not change it. */
    case JSON_OBJECT: write_object(out, (json_t *)(uintptr_t)tree); break;
    case JSON_ARRAY: write_array(out, tree); break;
    case JSON_STRING: write_string(out, json_string_value(tree), json_string_length(tree)); break;
    case JSON_INTEGER: strbuf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(tree)); break;
    case JSON_REAL: write_real(out, json_real_value(tree)); break;
    case JSON_TRUE: strbuf_add_str(out, "true"); break;
    case JSON_FALSE: strbuf_add_str(out, "false"); break;
    case JSON_NULL: strbuf_add_str(out, "null"); break;
    }
}

void json_tree(struct json_writer *w, const json_t *tree)
{
    separate(w);
    if (tree)
        write_tree(w->out, tree);
    else
        strbuf_add_str(w->out, "null");
}

void json_kv_str(struct json_writer *w, const char *key, const char *s)
{
    json_key(w, key);
    json_str(w, s);
}

void json_kv_int(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_int(w, v);
}

void json_kv_bool(struct json_writer *w, const char *key, bool v)
{
    json_key(w, key);
    json_bool(w, v);
}

void json_kv_time(struct json_writer *w, const char *key, int64_t wall_us)
{
    json_key(w, key);
    json_time(w, wall_us);
}
