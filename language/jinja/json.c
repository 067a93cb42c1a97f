/*
 * Values from and to JSON trees.
 */
#include <math.h>
#include "base/json.h"
#include "language/jinja/runtime.h"

static struct jinja_value from_json(struct arena *arena, const json_t *json, unsigned depth)
{
    struct jinja_value v;
    const char *key;
    json_t *item;
    size_t i, key_size;
    if (depth > JINJA_NESTING_MAX)
        return jinja_none();
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        v = jinja_mapping_new(arena);
        json_object_keylen_foreach((json_t *)(uintptr_t)json, key, key_size, item)
        {
            struct jinja_value name =
                jinja_slice(slice_make(arena_strndup(arena, key, key_size), key_size));
            jinja_mapping_put_value(arena, v, name, from_json(arena, item, depth + 1));
        }
        return v;
    case JSON_ARRAY:
        v = jinja_list_new(arena, json_array_size(json));
        json_array_foreach(json, i, item)
            jinja_list_add(arena, v, from_json(arena, item, depth + 1));
        return v;
    case JSON_STRING:
        return jinja_string_copy(
            arena, slice_make(json_string_value(json), json_string_length(json)));
    case JSON_INTEGER: return jinja_int(json_integer_value(json));
    case JSON_REAL: return jinja_float(json_real_value(json));
    case JSON_TRUE: return jinja_bool(true);
    case JSON_FALSE: return jinja_bool(false);
    default: return jinja_none();
    }
}

struct jinja_value jinja_from_json(struct arena *arena, const json_t *json)
{
    return json ? from_json(arena, json, 0) : jinja_none();
}

static enum status to_json(
    struct jinja_value v, struct arena *arena, unsigned depth, json_t **ret, struct error *err);

static enum status mapping_to_json(
    struct jinja_value v, struct arena *arena, unsigned depth, json_t *object, struct error *err)
{
    struct jinja_value key, value;
    for (size_t cursor = 0; jinja_mapping_next(v, &cursor, &key, &value);) {
        struct slice name;
        json_t *item;
        enum status status = jinja_to_text(key, arena, &name, err);
        if (!status)
            status = to_json(value, arena, depth, &item, err);
        if (status)
            return status;
        json_object_setn_new(object, name.p, name.size, item);
    }
    return OK;
}

static enum status to_json(
    struct jinja_value v, struct arena *arena, unsigned depth, json_t **ret, struct error *err)
{
    enum status status = OK;
    if (++depth > JINJA_NESTING_MAX)
        return error_set(err, ERR_TEMPLATE_DEPTH_LIMIT,
            "a value is nested more than %d levels deep", JINJA_NESTING_MAX);
    if (v.kind == JINJA_OBJECT && v.object->class->json) {
        status = v.object->class->json(v.object, arena, &v, err);
        if (status)
            return status;
    }
    struct slice text;
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED:
    case JINJA_NONE: *ret = json_null(); return OK;
    case JINJA_BOOL: *ret = json_boolean(v.boolean); return OK;
    case JINJA_INT: *ret = json_integer(v.integer); return OK;
    case JINJA_FLOAT: *ret = isfinite(v.real) ? json_real(v.real) : json_null(); return OK;
    case JINJA_STRING: *ret = json_stringn(v.text, v.size); return OK;
    case JINJA_LIST:
    case JINJA_TUPLE:
        *ret = json_array();
        for (size_t i = 0; !status && i < v.list->count; i++) {
            json_t *item = NULL;
            status = to_json(v.list->items[i], arena, depth, &item, err);
            if (!status)
                json_array_append_new(*ret, item);
        }
        break;
    case JINJA_MAPPING:
        *ret = json_object();
        status = mapping_to_json(v, arena, depth, *ret, err);
        break;
    case JINJA_OBJECT:
        status = jinja_to_text(v, arena, &text, err);
        *ret = status ? NULL : json_stringn(text.p, text.size);
        break;
    }
    if (status) {
        json_decref(*ret);
        *ret = NULL;
    }
    return status;
}

enum status jinja_to_json(
    struct jinja_value value, struct arena *arena, json_t **ret, struct error *err)
{
    return to_json(value, arena, 0, ret, err);
}
