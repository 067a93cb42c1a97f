/* What is done with trees of nodes: look-up, merging, JSON. */
#include "base/vec.h"
#include "definition/yaml.h"
#include "definition/yaml_internal.h"

struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
    if (!mapping || mapping->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->count; i++)
        if (slice_equal_str(mapping->pairs[i].key->value, key))
            return mapping->pairs[i].value;
    return NULL;
}

bool yaml_is_text(const struct yaml_node *node, const char *text)
{
    return node->kind == YAML_SCALAR && node->type == YAML_TEXT &&
           slice_equal_str(node->value, text);
}

const char *yaml_describe(const struct yaml_node *node)
{
    static const char *const scalars[] = {
        [YAML_NULL] = "nothing",
        [YAML_BOOL] = "true or false",
        [YAML_INT] = "a whole number",
        [YAML_FLOAT] = "a number",
        [YAML_TEXT] = "text",
    };
    return node->kind == YAML_MAPPING    ? "a mapping"
           : node->kind == YAML_SEQUENCE ? "a list"
                                         : scalars[node->type];
}

struct yaml_node *yaml_with_value(
    struct arena *arena, const struct yaml_node *node, const char *value)
{
    struct yaml_node *copy = arena_memdup(arena, node, sizeof(*node));
    copy->value = slice_of(arena_strdup(arena, value));
    yaml_resolve(copy);
    yaml_place_text(copy);
    return copy;
}

static ptrdiff_t find_pair(const struct yaml_node *mapping, struct slice key)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (slice_equal(mapping->pairs[i].key->value, key))
            return (ptrdiff_t)i;
    return -1;
}

struct yaml_node *yaml_merge(struct arena *arena, struct yaml_node *base, struct yaml_node *over)
{
    if (!base || !over)
        return over ? over : base;
    if (base->kind != YAML_MAPPING || over->kind != YAML_MAPPING)
        return over;
    struct yaml_node *merged = arena_memdup(arena, base, sizeof(*base));
    merged->pairs = arena_array(arena, struct yaml_pair, base->count + over->count);
    if (base->count)
        memcpy(merged->pairs, base->pairs, base->count * sizeof(*base->pairs));
    for (size_t i = 0; i < over->count; i++) {
        ptrdiff_t at = find_pair(merged, over->pairs[i].key->value);
        struct yaml_pair pair = over->pairs[i];
        if (at >= 0)
            pair.value = yaml_merge(arena, merged->pairs[at].value, pair.value);
        merged->pairs[at >= 0 ? (size_t)at : merged->count++] = pair;
    }
    return merged;
}

static json_t *scalar_to_json(const struct yaml_node *node)
{
    switch (node->type) {
    case YAML_NULL: return json_null();
    case YAML_BOOL: return json_boolean(node->boolean);
    case YAML_INT: return json_integer(node->integer);
    case YAML_FLOAT: {
        /* JSON has no infinities: jansson gives NULL, and they stay text. */
        json_t *real = json_real(node->real);
        return real ? real : json_stringn(node->value.p, node->value.size);
    }
    case YAML_TEXT: break;
    }
    return json_stringn(node->value.p, node->value.size);
}

json_t *yaml_to_json(const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return scalar_to_json(node);
    json_t *json = node->kind == YAML_MAPPING ? json_object() : json_array();
    for (size_t i = 0; i < node->count; i++)
        if (node->kind == YAML_MAPPING)
            json_object_set_new(
                json, node->pairs[i].key->value.p, yaml_to_json(node->pairs[i].value));
        else
            json_array_append_new(json, yaml_to_json(node->items[i]));
    return json;
}

static struct yaml_node *json_scalar(
    struct arena *arena, const json_t *json, const struct yaml_node *at)
{
    struct yaml_node *node = arena_new_of(arena, struct yaml_node);
    *node = (struct yaml_node){.source = at->source,
        .offset = at->offset,
        .end = at->end,
        .line = at->line,
        .column = at->column,
        .weight = 1};
    char number[32] = "null";
    const char *value = number;
    if (json_is_string(json)) {
        node->style = YAML_DOUBLE;
        value = json_string_value(json);
    } else if (json_is_integer(json)) {
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(json));
    } else if (json_is_real(json)) {
        format_double(json_real_value(json), number);
    } else if (json_is_boolean(json)) {
        value = json_is_true(json) ? "true" : "false";
    }
    node->value = slice_of(arena_strdup(arena, value));
    yaml_resolve(node);
    node->text = (struct text){.value = node->value.p, .line = node->line, .column = node->column};
    return node;
}

static struct yaml_node *json_collection(
    struct arena *arena, const json_t *json, const struct yaml_node *at)
{
    struct yaml_node *node = json_scalar(arena, NULL, at);
    size_t i = 0;
    if (json_is_array(json)) {
        node->kind = YAML_SEQUENCE;
        node->count = json_array_size(json);
        node->items = arena_array(arena, struct yaml_node *, node->count);
        for (; i < node->count; i++)
            node->items[i] = yaml_from_json(arena, json_array_get(json, i), at);
        return node;
    }
    const char *key;
    json_t *value;
    node->kind = YAML_MAPPING;
    node->count = json_object_size(json);
    node->pairs = arena_array(arena, struct yaml_pair, node->count);
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        CLEANUP(json_decrefp) json_t *name = json_string(key);
        node->pairs[i].key = json_scalar(arena, name, at);
        node->pairs[i++].value = yaml_from_json(arena, value, at);
    }
    return node;
}

struct yaml_node *yaml_from_json(
    struct arena *arena, const json_t *json, const struct yaml_node *at)
{
    bool collection = json_is_array(json) || json_is_object(json);
    return collection ? json_collection(arena, json, at) : json_scalar(arena, json, at);
}
