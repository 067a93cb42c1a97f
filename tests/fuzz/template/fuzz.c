/*
 * An input: one byte of options (its low bits, see `options`), then up to 5 templates with NULs
 * between them.  The first is rendered; it can include, import and extend the others as 'a', 'b',
 * 'c', 'd' (and itself as 'main').  Whatever they are: text whose every byte has an origin, or an
 * error with a line.
 */
#include <assert.h>
#include "base/json.h"
#include "language/jinja/jinja.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    STRICT = 1,
    TRIM_BLOCKS = 2,
    LSTRIP_BLOCKS = 4,
    AUTOESCAPE = 8,
    KEEP_TRAILING_NEWLINE = 16,
    EXPRESSION = 32, /* the first text is a bare expression */
};

static const char *const names[] = {"main", "a", "b", "c", "d"};
struct texts {
    struct slice at[ARRAY_SIZE(names)];
};

static void split(struct slice input, struct texts *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *end = input.size ? memchr(input.p, '\0', input.size) : NULL;
        size_t size = end ? (size_t)(end - input.p) : input.size;
        ret->at[i] = slice_make(input.p, size);
        size_t used = end ? size + 1 : size;
        input = slice_make(input.p + used, input.size - used);
    }
}

static enum status load_text(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    const struct texts *texts = user;
    (void)arena;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (slice_equal_str(name, names[i])) {
            *ret = (struct jinja_text_source){texts->at[i], names[i]};
            return OK;
        }
    return error_set(err, ERR_TEMPLATE_NOT_FOUND, "no such template");
}

static const char plain_values[] =
    "{\"xs\": [3, 1, 2], \"words\": [\"banana\", \"apple\", \"Cherry\"], \"e\": [],"
    "\"d\": {\"b\": 1, \"a\": 2, \"C\": 3}, \"n\": 42, \"f\": 3.14159, \"t\": true, \"z\": null,"
    "\"rows\": [{\"k\": \"a\", \"v\": 1, \"n\": {\"m\": 5}}, {\"k\": \"b\", \"v\": 2.5},"
    "           {\"k\": \"a\", \"v\": null}],"
    "\"html\": \"<b>&\\\"x'</b>\", \"uni\": \"\\u00dcn\\u00efc\\u00f6de \\u00df \\u01c6 "
    "\\ud83d\\ude00\","
    "\"tree\": [{\"n\": \"a\", \"c\": [{\"n\": \"b\", \"c\": []}]}], \"nested\": [[1], [2, [3]]],"
    "\"neg\": -7, \"big\": 9223372036854775807, \"tiny\": 1e-300,"
    "\"text\": \"one two\\nthree four\\n\\nfive http://x.org/y\", \"ds\": \"2007-04-12\"}";

/* Plain values, values with marks, and values of the kinds that JSON has not. */
static struct jinja_value context(struct arena *arena)
{
    static json_t *plain;
    struct error err;
    enum status status = OK;
    if (!plain)
        status = json_parse(plain_values, strlen(plain_values), NULL, &plain, &err);
    assert(status == OK);
    struct jinja_value values = jinja_from_json(arena, plain);
    struct jinja_value params = jinja_mapping_new(arena), conn = jinja_mapping_new(arena);
    struct jinja_value tuple = jinja_tuple2(arena, jinja_int(1), jinja_string("a 'b'\\"));
    jinja_mapping_put(arena, params, "s", jinja_string("a 'b' \"c\" {0} %s"));
    jinja_mapping_put(arena, params, "xs", jinja_mapping_get(values, "xs"));
    jinja_mapping_put(arena, params, "d", jinja_mapping_get(values, "d"));
    jinja_mapping_put(arena, values, "params", jinja_mark(params, JINJA_UNTRUSTED));
    jinja_mapping_put(arena, conn, "password", jinja_mark(jinja_string("v"), JINJA_SECRET));
    jinja_mapping_put(arena, values, "conn", conn);
    jinja_mapping_put(arena, values, "pair", tuple);
    jinja_mapping_put(arena, values, "safe", jinja_mark(jinja_string("<i>"), JINJA_SAFE));
    jinja_mapping_put_value(arena, params, tuple, jinja_float(0.5));
    jinja_mapping_put_value(arena, params, jinja_none(), jinja_bool(false));
    return values;
}

static struct jinja_options options_of(unsigned flags, struct texts *texts)
{
    return (struct jinja_options){
        .strict = flags & STRICT,
        .trim_blocks = flags & TRIM_BLOCKS,
        .lstrip_blocks = flags & LSTRIP_BLOCKS,
        .autoescape = flags & AUTOESCAPE,
        .keep_trailing_newline = flags & KEEP_TRAILING_NEWLINE,
        .loader = {load_text, texts},
        .limits = {.steps = 100000,
            .loops = 10000,
            .memory_bytes = 8 << 20,
            .output_bytes = 1 << 20,
            .depth = 50},
    };
}

/* The segments cover the text without a gap, and each leads to a place. */
static void check_map(const struct jinja_result *result, struct arena *arena)
{
    size_t at = 0;
    struct jinja_origin origin;
    for (size_t i = 0; i < result->segment_count; i++) {
        assert(result->segments[i].offset == at);
        bool found = jinja_map_find(result, at, &origin);
        assert(found && origin.line && origin.column && origin.file);
        at += result->segments[i].length;
    }
    assert(at == result->text.size);
    assert(utf8_valid(result->text.p, result->text.size, NULL));
    assert(jinja_masked_text(result, JINJA_SECRET, "***", arena).p);
}

static enum status render(struct jinja_environment *env, struct slice text, struct arena *arena,
    struct jinja_result *ret, struct error *err)
{
    CLEANUP(jinja_template_freep) struct jinja_template *template = NULL;
    enum status status = jinja_template_parse(env, "main", text, &template, err);
    if (status)
        return status;
    struct jinja_needs needs = jinja_template_needs(template, arena);
    for (size_t i = 0; i < needs.name_count; i++)
        assert(needs.names[i].line && needs.names[i].name.size);
    status = jinja_render(env, template, context(arena), arena, ret, err);
    if (status == OK)
        check_map(ret, arena);
    return status;
}

static enum status evaluate(
    struct jinja_environment *env, struct slice text, struct arena *arena, struct error *err)
{
    struct jinja_value value;
    enum status status = jinja_evaluate(env, "main", text, context(arena), arena, &value, err);
    CLEANUP(json_decrefp) json_t *json = NULL;
    struct error unused;
    if (status == OK && jinja_to_json(value, arena, &json, &unused) == OK)
        assert(json);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data + 1, size ? size - 1 : 0);
    struct texts texts;
    struct jinja_result result;
    struct error err = {0};
    unsigned flags = size ? data[0] : 0;
    split(input, &texts);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct jinja_options options = options_of(flags, &texts);
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&options);
    enum status status = flags & EXPRESSION ? evaluate(env, texts.at[0], arena, &err)
                                            : render(env, texts.at[0], arena, &result, &err);
    assert(status == OK || (err.status == status && err.message[0] && err.place.line));
    return 0;
}
