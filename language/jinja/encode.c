/*
 * Characters as numbers: `str.translate`, `str.encode`, and bytes as far as templates meet them.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

typedef const struct jinja_call *call_t;

struct bytes {
    struct jinja_object object;
    struct slice data;
};

static const struct jinja_class bytes_class;

static struct jinja_value bytes_new(struct arena *arena, struct slice data)
{
    struct bytes *bytes = arena_new_of(arena, struct bytes);
    bytes->object.class = &bytes_class;
    bytes->data = data;
    return jinja_object(&bytes->object);
}

static struct slice data_of(const struct jinja_object *self)
{
    return ((const struct bytes *)self)->data;
}

static enum status bytes_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    struct slice s = data_of(self);
    char quote = memchr(s.p, '\'', s.size) && !memchr(s.p, '"', s.size) ? '"' : '\'';
    (void)render, (void)err;
    strbuf_add_char(out, 'b');
    strbuf_add_char(out, quote);
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *known = c ? strchr("\tt\nn\rr", c) : NULL;
        if (c == (unsigned char)quote || c == '\\')
            strbuf_printf(out, "\\%c", c);
        else if (known && c < ' ')
            strbuf_printf(out, "\\%c", known[1]);
        else if (c < ' ' || c >= 0x7F)
            strbuf_printf(out, "\\x%02x", c);
        else
            strbuf_add_char(out, (char)c);
    }
    strbuf_add_char(out, quote);
    return OK;
}

static int64_t bytes_length(struct jinja_object *self)
{
    return (int64_t)data_of(self).size;
}

static enum status bytes_item(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    struct slice s = data_of(self);
    int64_t at;
    (void)render, (void)err;
    if (!jinja_is_integer(key, &at))
        return OK;
    at = at < 0 ? at + (int64_t)s.size : at;
    if (at >= 0 && (uint64_t)at < s.size)
        *ret = jinja_int((unsigned char)s.p[at]);
    return OK;
}

static struct jinja_value bytes_slice(
    struct arena *arena, struct jinja_object *self, int64_t from, int64_t to, int64_t by)
{
    struct strbuf out = {0};
    for (int64_t i = from; by > 0 ? i < to : i > to; i += by)
        strbuf_add_char(&out, data_of(self).p[i]);
    size_t size = out.size;
    struct jinja_value v = bytes_new(arena, slice_make(strbuf_to_arena(&out, arena), size));
    strbuf_done(&out);
    return v;
}

static enum status bytes_iterate(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value *ret, struct error *err)
{
    struct slice s = data_of(self);
    (void)err;
    *ret = jinja_list_new(render->arena, s.size);
    for (size_t i = 0; i < s.size; i++)
        jinja_list_add(render->arena, *ret, jinja_int((unsigned char)s.p[i]));
    return OK;
}

static bool bytes_equal(struct jinja_object *self, struct jinja_value other)
{
    const struct jinja_object *object = jinja_object_of(other, self->class);
    return object && slice_equal(data_of(self), data_of(object));
}

static uint64_t bytes_hash(struct jinja_object *self)
{
    return jinja_hash_text(data_of(self));
}

/* What a text can be encoded in: the code points below `limit` are a byte each. */
struct encoding {
    const char *const *names; /* in lower case, "_" for "-", ending with NULL */
    uint32_t limit;           /* 0: UTF-8 */
};

static const struct encoding *find_encoding(struct slice name)
{
    static const char *const utf8[] = {"utf_8", "utf8", "u8", NULL};
    static const char *const ascii[] = {"ascii", "us_ascii", "646", NULL};
    static const char *const latin[] = {"latin_1", "latin1", "iso_8859_1", "iso8859_1", "l1", NULL};
    static const struct encoding encodings[] = {{utf8, 0}, {ascii, 0x80}, {latin, 0x100}};
    char plain[16] = {0};
    for (size_t i = 0; i < name.size && i < sizeof plain - 1; i++)
        plain[i] = name.p[i] == '-' || name.p[i] == ' '   ? '_'
                   : name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 'a' - 'A')
                                                          : name.p[i];
    for (size_t i = 0; i < ARRAY_SIZE(encodings); i++)
        for (const char *const *known = encodings[i].names; *known; known++)
            if (strcmp(*known, plain) == 0)
                return &encodings[i];
    return NULL;
}

/* The arguments of encode() and decode(): how, and what to do with what cannot be told so. */
static enum status read_arguments(
    call_t call, const struct encoding **ret, struct slice *ret_errors, struct error *err)
{
    static const char *const names[] = {"encoding", "errors"};
    struct jinja_value values[2];
    struct slice name;
    enum status status = jinja_arguments(call, names, 2, 0, values, err);
    if (!status)
        status = jinja_argument_text(call, "encoding", values[0], "utf-8", &name, err);
    if (!status)
        status = jinja_argument_text(call, "errors", values[1], "strict", ret_errors, err);
    if (status)
        return status;
    *ret = find_encoding(name);
    if (!*ret)
        return error_set(err, ERR_TEMPLATE_VALUE,
            "%s(): unknown encoding: %.*s (known are utf-8, ascii and latin-1)", call->name,
            SLICE_ARG(name));
    return OK;
}

/* Writes what stands for a code point or byte that cannot be told; false when that is an error. */
static bool add_replacement(struct slice errors, const char *replacement, struct strbuf *out)
{
    if (slice_equal_str(errors, "replace"))
        strbuf_add_str(out, replacement);
    return slice_equal_str(errors, "replace") || slice_equal_str(errors, "ignore");
}

enum status jinja_text_encode(call_t call, struct jinja_value *ret, struct error *err)
{
    const struct encoding *encoding;
    struct slice errors, s = jinja_text(call->self);
    struct strbuf out = {0};
    enum status status = read_arguments(call, &encoding, &errors, err);
    if (status)
        return status;
    for (size_t at = 0; !status && at < s.size;) {
        size_t start = at;
        uint32_t c = jinja_char_next(s, &at);
        if (!encoding->limit)
            strbuf_add(&out, s.p + start, at - start);
        else if (c < encoding->limit)
            strbuf_add_char(&out, (char)c);
        else if (!add_replacement(errors, "?", &out))
            status = error_set(err, ERR_TEMPLATE_VALUE,
                "encode(): the character U+%04X is not in the encoding", c);
    }
    size_t size = out.size;
    *ret = bytes_new(call->arena, slice_make(strbuf_to_arena(&out, call->arena), size));
    strbuf_done(&out);
    return status;
}

/* table[c], as str.translate looks it up: absent when there is none. */
static enum status find_translation(
    call_t call, struct jinja_value table, uint32_t c, struct jinja_value *ret, struct error *err)
{
    uint64_t hash;
    struct jinja_value key = jinja_int(c);
    if (table.kind == JINJA_MAPPING && jinja_hash(key, &hash)) {
        const struct jinja_mapping_entry *entry = jinja_mapping_find(table.mapping, key, hash);
        *ret = entry ? entry->value : (struct jinja_value){0};
        return OK;
    }
    if (table.kind != JINJA_STRING && table.kind != JINJA_LIST && table.kind != JINJA_TUPLE)
        return error_set(
            err, ERR_TEMPLATE_TYPE, "translate(): '%s' object is no table", jinja_type_name(table));
    enum status status = jinja_get_item(call->render, table, key, ret, err);
    if (!status && ret->kind == JINJA_UNDEFINED)
        *ret = (struct jinja_value){0};
    return status;
}

enum status jinja_text_translate(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"table"};
    struct jinja_value table, to;
    struct slice s = jinja_text(call->self);
    struct strbuf out = {0};
    enum status status = jinja_arguments(call, names, 1, 1, &table, err);
    for (size_t at = 0; !status && at < s.size;) {
        size_t start = at;
        int64_t code;
        status = find_translation(call, table, jinja_char_next(s, &at), &to, err);
        if (status || to.kind == JINJA_NONE)
            continue;
        if (jinja_is_absent(to))
            strbuf_add(&out, s.p + start, at - start);
        else if (to.kind == JINJA_STRING)
            strbuf_add_slice(&out, jinja_text(to));
        else if (jinja_is_integer(to, &code) && code >= 0 && code <= 0x10FFFF)
            strbuf_add_utf8(&out, (uint32_t)code);
        else
            status = error_set(err, ERR_TEMPLATE_TYPE,
                "translate(): a character becomes a code point, none or a string");
        if (!status)
            status = jinja_check_size(call->render, out.size, err);
    }
    *ret = jinja_mark(jinja_take_text(call->arena, &out), call->self.marks);
    return status;
}

static enum status bytes_decode(call_t call, struct jinja_value *ret, struct error *err)
{
    const struct encoding *encoding;
    struct slice errors, s = data_of(call->self.object);
    struct strbuf out = {0};
    enum status status = read_arguments(call, &encoding, &errors, err);
    if (status)
        return status;
    for (size_t at = 0; !status && at < s.size;) {
        size_t valid = 0;
        unsigned char c = (unsigned char)s.p[at];
        if (encoding->limit && c < encoding->limit) {
            strbuf_add_utf8(&out, c);
            at++;
            continue;
        }
        if (!encoding->limit && utf8_valid(s.p + at, s.size - at, &valid))
            valid = s.size - at;
        if (!encoding->limit)
            strbuf_add(&out, s.p + at, valid);
        at += valid;
        if (at < s.size && !add_replacement(errors, "\uFFFD", &out))
            status = error_set(
                err, ERR_TEMPLATE_VALUE, "decode(): the byte 0x%02x is not in the encoding", c);
        at++;
    }
    *ret = jinja_take_text(call->arena, &out);
    return status;
}

static enum status bytes_hex(call_t call, struct jinja_value *ret, struct error *err)
{
    struct slice s = data_of(call->self.object);
    struct strbuf out = {0};
    for (size_t i = 0; i < s.size; i++)
        strbuf_printf(&out, "%02x", (unsigned char)s.p[i]);
    *ret = jinja_take_text(call->arena, &out);
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static const struct jinja_method bytes_methods[] = {
    {"decode", bytes_decode}, {"hex", bytes_hex}, {NULL, NULL}};

static const struct jinja_class bytes_class = {.type_name = "bytes",
    .methods = bytes_methods,
    .text = bytes_text,
    .length = bytes_length,
    .item = bytes_item,
    .slice = bytes_slice,
    .iterate = bytes_iterate,
    .equal = bytes_equal,
    .hash = bytes_hash,
    .is_sequence = true};
