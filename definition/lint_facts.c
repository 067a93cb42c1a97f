#include "definition/lint_facts.h"

#include "base/vec.h"

typedef VEC(const char *) name_list;

static struct names kept(name_list *list, struct arena *arena)
{
    struct names names = {.count = list->count};
    if (list->count)
        names.at = arena_memdup(arena, list->at, list->count * sizeof(*list->at));
    vec_done(list);
    return names;
}

static void add_all(name_list *list, const struct names *names, struct arena *arena)
{
    for (size_t i = 0; i < names->count; i++)
        vec_push(list, arena_strdup(arena, names->at[i]));
}

/* What a template will give is not known. */
static struct fact_name plain(const struct text *text, struct arena *arena)
{
    struct fact_name name = {.line = text->line, .column = text->column};
    if (text->value && !strchr(text->value, '{'))
        name.name = arena_strdup(arena, text->value);
    return name;
}

static bool is_hidden(const struct text *text)
{
    return text->value && strchr(text->value, '{');
}

static void add_waits(struct dag_facts *facts, const struct dag *dag, struct arena *arena)
{
    struct fact_wait *waits = arena_array(arena, struct fact_wait, dag->task_count);
    size_t count = 0;
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        if (task->kind != KIND_WAIT_FOR || task->wait->kind != WAIT_TASK)
            continue;
        waits[count++] = (struct fact_wait){arena_strdup(arena, task->task_id),
            plain(&task->wait->dag_id, arena), plain(&task->wait->task_id, arena)};
        facts->opaque |= is_hidden(&task->wait->dag_id);
    }
    facts->waits.at = waits;
    facts->waits.count = count;
}

static void add_triggers(struct dag_facts *facts, const struct dag *dag, struct arena *arena)
{
    struct fact_trigger *triggers = arena_array(arena, struct fact_trigger, dag->task_count);
    size_t count = 0;
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        if (task->kind != KIND_TRIGGER_DAG)
            continue;
        triggers[count++] = (struct fact_trigger){arena_strdup(arena, task->task_id),
            plain(&task->trigger->dag_id, arena), task->trigger->wait,
            !task->trigger->logical_date.value};
        facts->opaque |= is_hidden(&task->trigger->dag_id);
    }
    facts->triggers.at = triggers;
    facts->triggers.count = count;
}

static void add_assets(struct dag_facts *facts, const struct dag *dag, struct arena *arena)
{
    name_list consumes = {0}, awaits = {0}, makes = {0};
    add_all(&consumes, &dag->asset_names, arena);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        bool waits = task->kind == KIND_WAIT_FOR && task->wait->kind == WAIT_ASSET;
        const char *asset = waits ? plain(&task->wait->text, arena).name : NULL;
        add_all(&makes, &task->data->outlets, arena);
        add_all(&awaits, &task->data->inlets, arena);
        if (asset)
            vec_push(&awaits, asset);
        facts->opaque |= waits && !asset;
    }
    facts->consumes = kept(&consumes, arena);
    facts->awaits = kept(&awaits, arena);
    facts->makes = kept(&makes, arena);
}

struct dag_facts *dag_facts_of(const struct dag *dag, struct arena *arena)
{
    struct dag_facts *facts = arena_new_of(arena, struct dag_facts);
    name_list tasks = {0};
    facts->dag_id = arena_strdup(arena, dag->dag_id);
    facts->file = arena_strdup(arena, dag->file);
    facts->line = dag->line;
    facts->scheduled = dag->timetable || dag->assets;
    for (uint32_t i = 0; i < dag->task_count; i++)
        vec_push(&tasks, arena_strdup(arena, dag->tasks[i].task_id));
    facts->tasks = kept(&tasks, arena);
    add_assets(facts, dag, arena);
    add_waits(facts, dag, arena);
    add_triggers(facts, dag, arena);
    return facts;
}
