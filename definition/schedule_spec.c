#include "definition/schedule_spec.h"

#include "base/json.h"

static void write_texts(
    struct json_writer *w, const char *key, const char *const *texts, size_t count)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < count; i++)
        json_str(w, texts[i]);
    json_array_end(w);
}

char *schedule_spec_write(const struct schedule_spec *spec, struct arena *arena)
{
    struct strbuf text = {.arena = arena};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_int(&w, "form", spec->form);
    write_texts(&w, "texts", spec->texts, spec->text_count);
    json_kv_bool(&w, "trigger", spec->trigger);
    json_kv_int(&w, "gap", spec->gap);
    json_kv_int(&w, "overlap", spec->overlap);
    write_texts(&w, "calendar", spec->calendar, spec->calendar_count);
    json_kv_int(&w, "on_holiday", spec->on_holiday);
    json_kv_str(&w, "start_date", spec->start_date);
    json_kv_str(&w, "end_date", spec->end_date);
    json_object_end(&w);
    return (char *)strbuf_finish(&text, arena).p;
}

static bool read_texts(
    const json_t *list, struct arena *arena, const char *const **ret_texts, size_t *ret_count)
{
    const char **texts = arena_array(arena, const char *, json_array_size(list));
    *ret_count = json_array_size(list);
    *ret_texts = texts;
    for (size_t i = 0; i < *ret_count; i++) {
        texts[i] = arena_strdup(arena, json_string_value(json_array_get(list, i)));
        if (!texts[i])
            return false;
    }
    return true;
}

static const char *read_text(const json_t *object, const char *key, struct arena *arena)
{
    return arena_strdup(arena, json_string_value(json_object_get(object, key)));
}

static unsigned read_number(const json_t *object, const char *key)
{
    return (unsigned)json_integer_value(json_object_get(object, key));
}

bool schedule_spec_read(const char *text, struct arena *arena, struct schedule_spec *ret)
{
    CLEANUP(json_decrefp) json_t *object = NULL;
    if (json_parse(text, strlen(text), NULL, &object, NULL) != OK)
        return false;
    *ret = (struct schedule_spec){.form = read_number(object, "form"),
        .trigger = json_is_true(json_object_get(object, "trigger")),
        .gap = read_number(object, "gap"),
        .overlap = read_number(object, "overlap"),
        .on_holiday = read_number(object, "on_holiday"),
        .start_date = read_text(object, "start_date", arena),
        .end_date = read_text(object, "end_date", arena)};
    return ret->form <= SCHEDULE_DATES &&
           read_texts(json_object_get(object, "texts"), arena, &ret->texts, &ret->text_count) &&
           read_texts(
               json_object_get(object, "calendar"), arena, &ret->calendar, &ret->calendar_count);
}
