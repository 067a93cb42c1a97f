/* The facts of a DAG as JSON. */
#include "definition/lint_facts.h"

/* ---- writing --------------------------------------------------------------------------------- */

static void write_names(struct json_writer *w, const char *key, const struct names *names)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < names->count; i++)
        json_str(w, names->at[i]);
    json_array_end(w);
}

/* Three items. */
static void write_name(struct json_writer *w, const struct fact_name *name)
{
    json_str(w, name->name);
    json_int(w, name->line);
    json_int(w, name->column);
}

static void write_waits(struct json_writer *w, const struct dag_facts *facts)
{
    json_key(w, "waits");
    json_array_begin(w);
    for (size_t i = 0; i < facts->waits.count; i++) {
        json_array_begin(w);
        json_str(w, facts->waits.at[i].by);
        write_name(w, &facts->waits.at[i].dag);
        write_name(w, &facts->waits.at[i].task);
        json_array_end(w);
    }
    json_array_end(w);
}

static void write_triggers(struct json_writer *w, const struct dag_facts *facts)
{
    json_key(w, "triggers");
    json_array_begin(w);
    for (size_t i = 0; i < facts->triggers.count; i++) {
        const struct fact_trigger *trigger = &facts->triggers.at[i];
        json_array_begin(w);
        json_str(w, trigger->by);
        write_name(w, &trigger->dag);
        json_bool(w, trigger->wait);
        json_bool(w, trigger->own_date);
        json_array_end(w);
    }
    json_array_end(w);
}

static void write_tables(struct json_writer *w, const struct dag_facts *facts)
{
    json_key(w, "tables");
    json_array_begin(w);
    for (size_t i = 0; i < facts->tables.count; i++) {
        const struct fact_table *table = &facts->tables.at[i];
        json_array_begin(w);
        json_str(w, table->connection);
        json_str(w, table->table);
        json_str(w, table->by);
        json_int(w, table->line);
        json_bool(w, table->fills);
        json_array_end(w);
    }
    json_array_end(w);
}

void dag_facts_write(struct json_writer *w, const struct dag_facts *facts)
{
    json_object_begin(w);
    json_kv_str(w, "dag_id", facts->dag_id);
    json_kv_int(w, "line", facts->line);
    json_kv_bool(w, "scheduled", facts->scheduled);
    json_kv_bool(w, "opaque", facts->opaque);
    write_names(w, "tasks", &facts->tasks);
    write_names(w, "consumes", &facts->consumes);
    write_names(w, "awaits", &facts->awaits);
    write_names(w, "makes", &facts->makes);
    write_waits(w, facts);
    write_triggers(w, facts);
    write_tables(w, facts);
    json_object_end(w);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char *text_at(const json_t *list, size_t i, struct arena *arena)
{
    const char *text = json_string_value(json_array_get(list, i));
    return text ? arena_strdup(arena, text) : NULL;
}

static uint32_t number_at(const json_t *list, size_t i)
{
    return (uint32_t)json_integer_value(json_array_get(list, i));
}

static struct names read_names(const json_t *object, const char *key, struct arena *arena)
{
    const json_t *list = json_object_get(object, key);
    struct names names = {.count = json_array_size(list)};
    const char **at = arena_array(arena, const char *, names.count);
    for (size_t i = 0; i < names.count; i++)
        at[i] = text_at(list, i, arena);
    names.at = at;
    return names;
}

static struct fact_name name_at(const json_t *list, size_t i, struct arena *arena)
{
    return (struct fact_name){
        text_at(list, i, arena), number_at(list, i + 1), number_at(list, i + 2)};
}

static void read_waits(const json_t *object, struct dag_facts *facts, struct arena *arena)
{
    const json_t *list = json_object_get(object, "waits");
    struct fact_wait *at = arena_array(arena, struct fact_wait, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *wait = json_array_get(list, i);
        at[i] = (struct fact_wait){
            text_at(wait, 0, arena), name_at(wait, 1, arena), name_at(wait, 4, arena)};
    }
    facts->waits.at = at;
    facts->waits.count = json_array_size(list);
}

static void read_triggers(const json_t *object, struct dag_facts *facts, struct arena *arena)
{
    const json_t *list = json_object_get(object, "triggers");
    struct fact_trigger *at = arena_array(arena, struct fact_trigger, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *trigger = json_array_get(list, i);
        at[i] = (struct fact_trigger){text_at(trigger, 0, arena), name_at(trigger, 1, arena),
            json_is_true(json_array_get(trigger, 4)), json_is_true(json_array_get(trigger, 5))};
    }
    facts->triggers.at = at;
    facts->triggers.count = json_array_size(list);
}

static void read_tables(const json_t *object, struct dag_facts *facts, struct arena *arena)
{
    const json_t *list = json_object_get(object, "tables");
    struct fact_table *at = arena_array(arena, struct fact_table, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *table = json_array_get(list, i);
        at[i] = (struct fact_table){text_at(table, 0, arena), text_at(table, 1, arena),
            text_at(table, 2, arena), number_at(table, 3), json_is_true(json_array_get(table, 4))};
    }
    facts->tables.at = at;
    facts->tables.count = json_array_size(list);
}

struct dag_facts *dag_facts_read(const json_t *object, const char *file, struct arena *arena)
{
    struct dag_facts *facts = arena_new_of(arena, struct dag_facts);
    const char *dag_id = json_string_value(json_object_get(object, "dag_id"));
    if (!dag_id)
        return NULL;
    facts->dag_id = arena_strdup(arena, dag_id);
    facts->file = file;
    facts->line = (uint32_t)json_integer_value(json_object_get(object, "line"));
    facts->scheduled = json_is_true(json_object_get(object, "scheduled"));
    facts->opaque = json_is_true(json_object_get(object, "opaque"));
    facts->tasks = read_names(object, "tasks", arena);
    facts->consumes = read_names(object, "consumes", arena);
    facts->awaits = read_names(object, "awaits", arena);
    facts->makes = read_names(object, "makes", arena);
    read_waits(object, facts, arena);
    read_triggers(object, facts, arena);
    read_tables(object, facts, arena);
    return facts;
}
