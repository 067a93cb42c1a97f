/*
 * The bytes up to the first NUL are the template, the rest a template that it can include as
 * 'part'.  Whatever they are: text whose every byte has an origin, or an error with a line.
 */
#include "language/jinja/jinja.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status load_part(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    (void)arena;
    if (!slice_equal_str(name, "part"))
        return error_set(err, ERR_TEMPLATE_NOT_FOUND, "no such template");
    ret->text = *(const struct slice *)user;
    ret->file = "part";
    return OK;
}

static struct jinja_value context(struct arena *arena)
{
    struct jinja_value names = jinja_mapping_new(arena), list = jinja_list_new(arena, 3);
    struct jinja_value row = jinja_mapping_new(arena);
    jinja_list_add(arena, list, jinja_int(3));
    jinja_list_add(arena, list, jinja_float(0.5));
    jinja_list_add(arena, list, jinja_string("Zürich"));
    jinja_mapping_put(arena, row, "k", jinja_mark(jinja_string("v"), JINJA_SECRET));
    jinja_mapping_put(arena, names, "xs", list);
    jinja_mapping_put(arena, names, "d", row);
    jinja_mapping_put(arena, names, "s", jinja_mark(jinja_string("a 'b'"), JINJA_UNTRUSTED));
    jinja_mapping_put(arena, names, "n", jinja_int(-7));
    return names;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size ? memchr(text, '\0', size) : NULL;
    struct slice main_text = slice_make(text, end ? (size_t)(end - text) : size);
    struct slice part = end ? slice_make(end + 1, size - main_text.size - 1) : slice_of("");
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env =
        jinja_environment_new(&(struct jinja_options){.strict = size % 2,
            .trim_blocks = size % 3 == 0,
            .lstrip_blocks = size % 3 == 0,
            .autoescape = size % 5 == 0,
            .loader = {load_part, &part},
            .limits = {.steps = 100000,
                .loops = 10000,
                .memory_bytes = 8 << 20,
                .output_bytes = 1 << 20,
                .depth = 50}});
    struct jinja_result result;
    struct error err;
    if (jinja_render_text(env, "fuzz", main_text, context(arena), arena, &result, &err) == OK) {
        struct jinja_origin origin;
        for (size_t i = 0; i < result.text.size; i++)
            if (!jinja_map_find(&result, i, &origin))
                __builtin_trap();
    } else if (err.status == OK || !err.place.line) {
        __builtin_trap();
    }
    return 0;
}
