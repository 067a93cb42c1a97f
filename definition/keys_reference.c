/* What is made from the tables of keys: JSON Schema and the reference. */
#include "definition/dagfile.h"
#include "definition/keys.h"
#include "definition/limits.h"

const struct level *const *definition_levels(size_t *ret_count)
{
    static const struct level *const levels[] = {&dag_level, &schedule_level, &dst_level,
        &deadline_level, &task_level, &ask_level, &check_level, &http_level, &wait_level,
        &wait_task_level, &expand_level, &group_level, &project_level, &connection_level,
        &web_level, &variable_level};
    *ret_count = ARRAY_SIZE(levels);
    return levels;
}

/* ---- the reference ---- */

static const char *const type_names[] = {
    [KEY_NODE] = "any",
    [KEY_MAPPING] = "mapping",
    [KEY_TEXT] = "text",
    [KEY_WORD] = "text",
    [KEY_BOOL] = "true, false",
    [KEY_INT] = "number",
    [KEY_NUMBER64] = "number",
    [KEY_DURATION] = "duration",
    [KEY_CHOICE] = "",
    [KEY_WORDS] = "text or list",
    [KEY_TEXTS] = "list",
    [KEY_TEXT_MAP] = "mapping",
};

static void add_type(const struct key *key, struct strbuf *out)
{
    strbuf_add_str(out, type_names[key->type]);
    for (size_t i = 0; key->choices && key->choices[i]; i++)
        strbuf_printf(out, "%s`%s`", i ? ", " : "", key->choices[i]);
}

static void add_notes(const struct key *key, struct strbuf *out)
{
    strbuf_add_str(out, key->doc);
    if (key->kinds && !(key->flags & KEY_KIND)) {
        strbuf_add_str(out, " (of");
        for (unsigned i = 0, first = 1; i < KIND_COUNT; i++)
            if (key->kinds & (1U << i)) {
                strbuf_printf(out, "%s%s", first ? " " : ", ", task_kind_name(i));
                first = 0;
            }
        strbuf_add_str(out, ")");
    }
    if (key->flags & KEY_TEMPLATED)
        strbuf_add_str(out, "; a template");
    if (key->flags & KEY_SECRET)
        strbuf_add_str(out, "; secret");
    if (key->flags & KEY_LATER)
        strbuf_add_str(out, "; *not supported yet*");
}

void definition_reference(const struct level *level, struct strbuf *out)
{
    strbuf_add_str(out, "| key | type | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < level->count; i++) {
        const struct key *key = &level->keys[i];
        strbuf_printf(out, "| `%s` | ", key->name);
        add_type(key, out);
        strbuf_printf(out, " | %s | ", key->fallback ? key->fallback : "–");
        add_notes(key, out);
        strbuf_add_str(out, " |\n");
    }
}

/* ---- JSON Schema ---- */

static void schema_type(struct json_writer *w, const char *type)
{
    json_kv_str(w, "type", type);
}

static void schema_types(struct json_writer *w, const char *const *types)
{
    json_key(w, "type");
    json_array_begin(w);
    for (; *types; types++)
        json_str(w, *types);
    json_array_end(w);
}

static const char *const scalar_types[] = {"string", "number", "boolean", NULL};

static void schema_items(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_object_begin(w);
    schema_types(w, scalar_types);
    json_object_end(w);
}

static void schema_choices(struct json_writer *w, const struct key *key)
{
    json_key(w, "enum");
    json_array_begin(w);
    for (size_t i = 0; key->choices[i]; i++)
        json_str(w, key->choices[i]);
    json_array_end(w);
}

static void schema_range(struct json_writer *w, const struct key *key)
{
    schema_type(w, "integer");
    json_kv_int(w, "minimum", key->min || key->max ? key->min : 0);
    json_kv_int(w, "maximum", key->min || key->max ? key->max : COUNT_VALUE_MAX);
}

/* Keys whose values are levels of their own. */
static void schema_reference(struct json_writer *w, const struct key *key)
{
    static const struct {
        const char *key, *definition;
        bool map;
    } references[] = {{"tasks", "task", true}, {"groups", "group", true},
        {"default_args", "default_args", false}, {"connections", "connection", true},
        {"web", "web", false}};
    for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
        if (!str_equal(references[i].key, key->name))
            continue;
        char reference[64];
        snprintf(reference, sizeof(reference), "#/$defs/%s", references[i].definition);
        if (!references[i].map) {
            json_kv_str(w, "$ref", reference);
            return;
        }
        json_key(w, "additionalProperties");
        json_object_begin(w);
        json_kv_str(w, "$ref", reference);
        json_object_end(w);
    }
    schema_type(w, "object");
}

static void schema_value(struct json_writer *w, const struct key *key)
{
    static const char *const words[] = {"string", "array", NULL};
    switch (key->type) {
    case KEY_NODE: break;
    case KEY_MAPPING: schema_reference(w, key); break;
    case KEY_TEXT:
    case KEY_WORD: schema_types(w, scalar_types); break;
    case KEY_BOOL: schema_type(w, "boolean"); break;
    case KEY_INT:
    case KEY_NUMBER64: schema_range(w, key); break;
    case KEY_DURATION:
        schema_type(w, "string");
        json_kv_str(w, "pattern", "^([0-9]+(ms|s|m|h|d|w))+$");
        break;
    case KEY_CHOICE: schema_choices(w, key); break;
    case KEY_WORDS:
        schema_types(w, words);
        schema_items(w, "items");
        break;
    case KEY_TEXTS:
        schema_type(w, "array");
        schema_items(w, "items");
        break;
    case KEY_TEXT_MAP:
        schema_type(w, "object");
        schema_items(w, "additionalProperties");
        break;
    }
}

static void schema_key(struct json_writer *w, const struct key *key)
{
    struct strbuf description = {0};
    add_notes(key, &description);
    if (key->fallback)
        strbuf_printf(&description, "; default: %s", key->fallback);
    json_object_begin(w);
    json_kv_str(w, "description", description.text);
    schema_value(w, key);
    json_object_end(w);
    strbuf_done(&description);
}

/* The rows of row `first`'s name, which kinds of tasks may have one each of. */
static void schema_keys(struct json_writer *w, const struct level *level, size_t first)
{
    const struct key *keys = level->keys;
    const char *name = keys[first].name;
    size_t count = 0;
    if (level_find(level, slice_of(name)) != &keys[first])
        return;
    for (size_t i = first; i < level->count; i++)
        count += str_equal(keys[i].name, name);
    json_key(w, name);
    if (count == 1) {
        schema_key(w, &keys[first]);
        return;
    }
    json_object_begin(w);
    json_key(w, "anyOf");
    json_array_begin(w);
    for (size_t i = first; i < level->count; i++)
        if (str_equal(keys[i].name, name))
            schema_key(w, &keys[i]);
    json_array_end(w);
    json_object_end(w);
}

/* A task has exactly one of the keys that tell its kind. */
static void schema_kinds(struct json_writer *w, const struct level *level)
{
    json_key(w, "oneOf");
    json_array_begin(w);
    for (size_t i = 0; i < level->count; i++)
        if (level->keys[i].flags & KEY_KIND) {
            json_object_begin(w);
            json_key(w, "required");
            json_array_begin(w);
            json_str(w, level->keys[i].name);
            json_array_end(w);
            json_object_end(w);
        }
    json_array_end(w);
}

static void schema_level(struct json_writer *w, const struct level *level, bool kinds)
{
    schema_type(w, "object");
    json_kv_bool(w, "additionalProperties", false);
    if (kinds)
        schema_kinds(w, level);
    json_key(w, "properties");
    json_object_begin(w);
    for (size_t i = 0; i < level->count; i++)
        if (kinds || level != &task_level || !(level->keys[i].flags & KEY_KIND))
            schema_keys(w, level, i);
    json_object_end(w);
}

static void schema_definition(
    struct json_writer *w, const char *name, const struct level *level, bool kinds)
{
    json_key(w, name);
    json_object_begin(w);
    schema_level(w, level, kinds);
    json_object_end(w);
}

static void schema_begin(struct json_writer *w, const char *title)
{
    json_object_begin(w);
    json_kv_str(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_kv_str(w, "title", title);
}

static char *schema_end(struct json_writer *w, struct strbuf *out, struct arena *arena)
{
    json_object_end(w);
    json_object_end(w);
    char *text = strbuf_to_arena(out, arena);
    strbuf_done(out);
    return text;
}

char *definition_schema(struct arena *arena)
{
    struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    schema_begin(&w, "a DAG of dag");
    schema_level(&w, &dag_level, false);
    json_key(&w, "$defs");
    json_object_begin(&w);
    schema_definition(&w, "task", &task_level, true);
    schema_definition(&w, "default_args", &task_level, false);
    schema_definition(&w, "group", &group_level, false);
    return schema_end(&w, &out, arena);
}

char *definition_project_schema(struct arena *arena)
{
    struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    schema_begin(&w, "a project of dag (dag.yaml)");
    schema_level(&w, &project_level, false);
    json_key(&w, "$defs");
    json_object_begin(&w);
    schema_definition(&w, "connection", &connection_level, false);
    schema_definition(&w, "web", &web_level, false);
    return schema_end(&w, &out, arena);
}
