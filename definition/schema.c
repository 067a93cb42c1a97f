#include "definition/schema.h"
#include <assert.h>
#include "base/clock.h"
#include "definition/limits.h"

struct writing {
    const struct schema *schema;
};

static json_t *text_of(const char *text)
{
    json_t *node = json_string(text);
    assert(node);
    return node;
}

static void put(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

/* The members that a form adds: its text, with " for '. */
static void add_form(json_t *object, const char *form)
{
    struct strbuf text = {0};
    struct error err;
    json_t *members = NULL;
    strbuf_printf(&text, "{%s}", form);
    for (size_t i = 0; i < text.size; i++)
        if (text.text[i] == '\'')
            text.text[i] = '"';
    enum status status = json_parse(text.text, text.size, NULL, &members, &err);
    assert(status == OK);
    (void)status;
    json_object_update(object, members);
    json_decref(members);
    strbuf_done(&text);
}

const struct schema_form *schema_form_find(
    const struct schema *schema, const struct level *level, const char *key)
{
    for (size_t i = 0; i < schema->form_count; i++) {
        const struct schema_form *form = &schema->forms[i];
        if (form->level == level && (key ? form->key && str_equal(form->key, key) : !form->key))
            return form;
    }
    return NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

static const char scalar_type[] = "'type': ['string', 'number', 'boolean']";
static const char duration_pattern[] = "'type': 'string', 'pattern': '^([0-9]+(ms|s|m|h|d|w))+$'";

static void add_choices(json_t *object, const struct key *key)
{
    json_t *list = json_array();
    for (size_t i = 0; key->choices[i]; i++)
        json_array_append_new(list, text_of(key->choices[i]));
    put(object, "enum", list);
}

static void add_range(json_t *object, const struct key *key)
{
    bool bounded = key->min || key->max;
    put(object, "type", text_of("integer"));
    put(object, "minimum", json_integer(bounded ? key->min : 0));
    put(object, "maximum", json_integer(bounded ? key->max : COUNT_VALUE_MAX));
}

static void add_type(json_t *object, const struct key *key)
{
    switch (key->type) {
    case KEY_NODE: break;
    case KEY_MAPPING: add_form(object, "'type': 'object'"); break;
    case KEY_TEXT:
    case KEY_WORD: add_form(object, scalar_type); break;
    case KEY_BOOL: add_form(object, "'type': 'boolean'"); break;
    case KEY_INT:
    case KEY_NUMBER64: add_range(object, key); break;
    case KEY_DURATION: add_form(object, duration_pattern); break;
    case KEY_CHOICE: add_choices(object, key); break;
    case KEY_WORDS:
    case KEY_PATHS:
        add_form(object, "'oneOf': [{'type': ['string', 'number', 'boolean']}, {'type': 'array',"
                         "'items': {'type': ['string', 'number', 'boolean']}}]");
        break;
    case KEY_TEXTS:
        add_form(object, "'type': 'array', 'items': {'type': ['string', 'number', 'boolean']}");
        break;
    case KEY_TEXT_MAP:
        add_form(object, "'type': 'object',"
                         "'additionalProperties': {'type': ['string', 'number', 'boolean']}");
        break;
    }
}

/* `key:` with nothing behind is the default; some texts stand for a value of any type. */
static json_t *with_alternatives(const struct writing *w, const struct key *key, json_t *value)
{
    bool nothing = key->type != KEY_NODE && !(key->flags & (KEY_REQUIRED | KEY_KIND));
    bool texts = key->type == KEY_TEXT || key->type == KEY_WORD;
    bool stands = w->schema->stands_for && !texts;
    if (json_object_size(value) == 0 || (!nothing && !stands))
        return value;
    json_t *any = json_array(), *object = json_object();
    json_array_append_new(any, value);
    if (nothing)
        json_array_append_new(any, json_pack("{s:s}", "type", "null"));
    if (stands)
        json_array_append_new(
            any, json_pack("{s:s, s:s}", "type", "string", "pattern", w->schema->stands_for));
    put(object, "anyOf", any);
    return object;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void add_description(json_t *object, const struct key *key)
{
    struct strbuf text = {0};
    definition_key_notes(key, &text);
    if (key->fallback)
        strbuf_printf(&text, "; default: %s", key->fallback);
    put(object, "description", text_of(strbuf_text(&text)));
    strbuf_done(&text);
}

/* Where what people read is a value. */
static void add_default(json_t *object, const struct key *key)
{
    struct error ignored;
    json_t *value = NULL;
    int64_t us;
    const char *text = key->fallback;
    bool prose = key->type == KEY_TEXT || key->type == KEY_WORD;
    if (!text || prose)
        return;
    if (key->type == KEY_DURATION && duration_parse(slice_of(text), &us, &ignored) == OK)
        value = text_of(text);
    for (size_t i = 0; key->choices && key->choices[i]; i++)
        if (str_equal(key->choices[i], text))
            value = text_of(text);
    if (!value && json_parse(text, strlen(text), NULL, &value, &ignored) != OK)
        return;
    put(object, "default", value);
}

static json_t *key_schema(const struct writing *w, const struct level *level, const struct key *key)
{
    json_t *object = json_object(), *value = json_object();
    const struct schema_form *form = schema_form_find(w->schema, level, key->name);
    if (key->flags & KEY_LATER)
        add_form(value, key->flags & KEY_KIND ? "'not': {}" : "'enum': [null, [], {}]");
    else if (form)
        add_form(value, form->json);
    else
        add_type(value, key);
    if (!(key->flags & KEY_LATER))
        value = with_alternatives(w, key, value);
    add_description(object, key);
    add_default(object, key);
    json_object_update(object, value);
    json_decref(value);
    return object;
}

/* The rows of a name, which kinds of tasks may have one each of. */
static json_t *name_schema(
    const struct writing *w, const struct level *level, const char *name, unsigned kind)
{
    json_t *found = NULL, *any = NULL;
    for (size_t i = 0; i < level->count; i++) {
        const struct key *key = &level->keys[i];
        if (!str_equal(key->name, name) || (kind && key->kinds && !(key->kinds & kind)))
            continue;
        json_t *one = key_schema(w, level, key);
        if (!found) {
            found = one;
            continue;
        }
        if (!any) {
            any = json_array();
            json_array_append_new(any, found);
            found = json_object();
            put(found, "anyOf", any);
        }
        json_array_append_new(any, one);
    }
    return found;
}

/* ---- levels ---------------------------------------------------------------------------------- */

static bool is_first(const struct level *level, size_t i)
{
    return level_find(level, slice_of(level->keys[i].name)) == &level->keys[i];
}

static bool has_several(const struct level *level, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < level->count; i++)
        count += str_equal(level->keys[i].name, name);
    return count > 1;
}

/* For a task of a kind: its own rows, and none of other kinds. */
static json_t *kind_rule(const struct writing *w, const struct level *level, const struct key *kind)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < level->count; i++) {
        const struct key *key = &level->keys[i];
        if (!key->kinds || (key->flags & KEY_KIND) || !is_first(level, i))
            continue;
        const struct key *own = level_find_for(level, slice_of(key->name), kind->kinds);
        if (!(own->kinds & kind->kinds))
            put(properties, key->name, json_false());
        else if (has_several(level, key->name))
            put(properties, key->name, name_schema(w, level, key->name, kind->kinds));
    }
    return json_pack(
        "{s:{s:[s]}, s:{s:o}}", "if", "required", kind->name, "then", "properties", properties);
}

static void add_kinds(const struct writing *w, json_t *object, const struct level *level)
{
    json_t *one = json_array(), *rules = json_array();
    for (size_t i = 0; i < level->count; i++)
        if (level->keys[i].flags & KEY_KIND) {
            json_array_append_new(one, json_pack("{s:[s]}", "required", level->keys[i].name));
            json_array_append_new(rules, kind_rule(w, level, &level->keys[i]));
        }
    if (json_array_size(one)) {
        put(object, "oneOf", one);
        put(object, "allOf", rules);
    } else {
        json_decref(one);
        json_decref(rules);
    }
}

static void add_level(
    const struct writing *w, json_t *object, const struct level *level, bool partial)
{
    json_t *properties = json_object(), *required = json_array();
    const struct schema_form *form = schema_form_find(w->schema, level, NULL);
    put(object, "type", text_of("object"));
    put(object, "additionalProperties", json_false());
    for (size_t i = 0; i < level->count; i++) {
        const struct key *key = &level->keys[i];
        if (is_first(level, i) && !(partial && (key->flags & KEY_KIND)))
            put(properties, key->name, name_schema(w, level, key->name, 0));
        if ((key->flags & KEY_REQUIRED) && !partial)
            json_array_append_new(required, text_of(key->name));
    }
    put(object, "properties", properties);
    if (json_array_size(required))
        put(object, "required", required);
    else
        json_decref(required);
    if (!partial)
        add_kinds(w, object, level);
    if (form && !partial)
        add_form(object, form->json);
}

char *schema_write(const struct schema *schema, struct arena *arena)
{
    struct writing w = {.schema = schema};
    struct strbuf out = {.arena = arena};
    CLEANUP(json_decrefp) json_t *root = json_object();
    json_t *definitions = json_object();
    put(root, "$schema", text_of("https://json-schema.org/draft/2020-12/schema"));
    put(root, "title", text_of(schema->title));
    add_level(&w, root, schema->root, false);
    for (size_t i = 0; i < schema->definition_count; i++) {
        const struct schema_definition *definition = &schema->definitions[i];
        json_t *object = json_object();
        if (definition->level)
            add_level(&w, object, definition->level, definition->partial);
        else
            add_form(object, definition->json);
        put(definitions, definition->name, object);
    }
    put(root, "$defs", definitions);
    struct json_writer writer = json_begin(&out);
    json_tree(&writer, root);
    return (char *)(uintptr_t)strbuf_finish(&out, arena).p;
}
