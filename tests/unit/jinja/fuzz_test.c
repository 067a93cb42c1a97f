/* Templates cut off and damaged at random places: whatever comes, an answer and no crash. */
#include "base/file.h"
#include "base/json.h"
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

enum { ROUNDS = 4000, TEXT_MAX = 4096 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static enum status load_seed(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    const json_t *cases = user;
    int64_t number = 0;
    (void)arena;
    if (!parse_int64(name, &number) || number < 0 || (size_t)number >= json_array_size(cases))
        return error_set(err, ERR_TEMPLATE_NOT_FOUND, "no such template");
    const json_t *item = json_array_get(cases, (size_t)number);
    ret->text = slice_of(json_string_value(json_object_get(item, "template")));
    return OK;
}

static const char *const pieces[] = {"{{", "}}", "{%", "%}", "{#", "#}", "-", "(", ")", "[", "]",
    "|", ".", "'", "\"", "\\", "for x in xs", "if x", "endfor", "endif", "else", "macro m(a)",
    "endmacro", "include '3'", "extends '5'", "block a", "endblock", "set x = ", "loop(", "**", "~",
    "is", "not", "in", "\xC3\xA9", "\n", "0x", "1e", "recursive", "%s", "{}", "super()", "self.a()",
    "caller()", "raw", "endraw", ":", ",", "*", "999999999999", "xs|map(attribute='a')|list", "_"};

/* One to four changes: a part taken out, doubled, moved from another template, a piece put in. */
static size_t damage(char *text, size_t size, const char *other, uint64_t *seed)
{
    for (uint64_t n = next_random(seed) % 4 + 1; n > 0 && size > 0; n--) {
        size_t at = next_random(seed) % size, length = next_random(seed) % (size - at) + 1;
        const char *piece = pieces[next_random(seed) % ARRAY_SIZE(pieces)];
        size_t piece_size = strlen(piece), other_size = strlen(other);
        switch (next_random(seed) % 5) {
        case 0: size = at; break;
        case 1:
            memmove(text + at, text + at + length, size - at - length);
            size -= length;
            break;
        case 2: text[at] = (char)(next_random(seed) % 128); break;
        case 3:
            if (size + piece_size > TEXT_MAX)
                break;
            memmove(text + at + piece_size, text + at, size - at);
            memcpy(text + at, piece, piece_size);
            size += piece_size;
            break;
        default:
            if (size + other_size > TEXT_MAX)
                break;
            memcpy(text + size, other, other_size);
            size += other_size;
        }
    }
    return size;
}

static const char *case_text(const json_t *cases, uint64_t *seed)
{
    const json_t *item = json_array_get(cases, next_random(seed) % json_array_size(cases));
    return json_string_value(json_object_get(item, "template"));
}

static void render_damaged(
    struct jinja_environment *env, const json_t *all, uint64_t *seed, size_t *ret_rendered)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char text[TEXT_MAX + 1];
    const json_t *cases = json_object_get(all, "cases");
    const char *start = case_text(cases, seed);
    size_t size = strlen(start) < TEXT_MAX ? strlen(start) : TEXT_MAX;
    memcpy(text, start, size);
    size = damage(text, size, case_text(cases, seed), seed);
    const json_t *context = json_object_get(
        json_object_get(all, "contexts"), next_random(seed) % 2 ? "template" : "expression");
    struct jinja_result result;
    struct error err = {0};
    enum status status = jinja_render_text(
        env, "fuzz", slice_make(text, size), jinja_from_json(arena, context), arena, &result, &err);
    *ret_rendered += status == OK;
    if (status) {
        /* Every error says what and where. */
        if (!CHECK(err.message[0] && err.place.line > 0))
            fprintf(stderr, "  %.*s\n", (int)size, text);
    } else {
        CHECK(strlen(result.text.p) <= result.text.size);
    }
}

TEST(damaged_templates_give_an_answer)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice text;
    struct error err;
    json_t *all = NULL;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/tests/unit/jinja/language_cases.json", 16 << 20, arena,
                   &text, &err),
        &err);
    REQUIRE_OK(json_parse(text.p, text.size, "language_cases.json", &all, &err), &err);
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(
        &(struct jinja_options){.loader = {load_seed, json_object_get(all, "cases")},
            .limits = {.steps = 200000,
                .loops = 20000,
                .memory_bytes = 4 << 20,
                .output_bytes = 1 << 20,
                .depth = 40}});
    uint64_t seed = 20261120;
    size_t rendered = 0;
    for (int i = 0; i < ROUNDS; i++)
        render_damaged(env, all, &seed, &rendered);
    CHECK(rendered > ROUNDS / 20);
    CHECK(rendered < ROUNDS);
    json_decref(all);
}
