#include "definition/model/choice.h"

#include <strings.h>

/* Whether `task_id` is `name` within `group` ("" is the DAG itself), or in the group so called. */
static bool is_meant(const char *task_id, struct slice group, struct slice name)
{
    if (group.size) {
        if (strncmp(task_id, group.p, group.size) != 0 || task_id[group.size] != '.')
            return false;
        task_id += group.size + 1;
    }
    return strncmp(task_id, name.p, name.size) == 0 &&
           (task_id[name.size] == '\0' || task_id[name.size] == '.');
}

static bool mark_meant(const struct dag *dag, const struct task *task, struct slice group,
    struct slice name, bool *marks)
{
    bool found = false;
    for (size_t i = 0; i < task->downstream.count; i++)
        if (is_meant(dag->tasks[task->downstream.at[i]].task_id, group, name))
            marks[i] = found = true;
    return found;
}

/* "a.b.c" → "a.b" → "a" → "" */
static struct slice group_around(struct slice id)
{
    while (id.size && id.p[id.size - 1] != '.')
        id.size--;
    return slice_make(id.p, id.size ? id.size - 1 : 0);
}

static enum status report_unknown(
    const struct dag *dag, const struct task *task, struct slice name, struct error *err)
{
    enum { NAMED_MAX = 8 };
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    size_t count = task->downstream.count, named = count < NAMED_MAX ? count : NAMED_MAX;
    const char **ids = arena_array(arena, const char *, 2 * count);
    struct strbuf list = {0};
    for (size_t i = 0; i < count; i++) {
        const char *id = dag->tasks[task->downstream.at[i]].task_id;
        const char *dot = strrchr(id, '.');
        ids[2 * i] = id;
        ids[2 * i + 1] = dot ? dot + 1 : id;
        if (i < named)
            strbuf_printf(&list, "%s`%s`", i ? ", " : "", id);
    }
    if (count > named)
        strbuf_printf(&list, " and %zu more", count - named);
    error_set(err, ERR_UNKNOWN_REFERENCE,
        "`%.*s` is no task or group that directly follows `%s`: %s", SLICE_ARG(name), task->task_id,
        count ? list.text : "nothing does");
    const char *near = suggest(arena_strndup(arena, name.p, name.size), ids, 2 * count);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    strbuf_done(&list);
    return ERR_UNKNOWN_REFERENCE;
}

static enum status choose_one(const struct dag *dag, const struct task *task, struct slice name,
    bool *marks, struct error *err)
{
    struct slice group = slice_of(task->task_id);
    do {
        group = group_around(group);
        if (mark_meant(dag, task, group, name, marks))
            return OK;
    } while (group.size);
    return report_unknown(dag, task, name, err);
}

enum status choice_read(const struct dag *dag, const struct task *task, struct slice text,
    bool *marks, struct error *err)
{
    enum status status = OK;
    while (status == OK && text.size) {
        const char *comma = memchr(text.p, ',', text.size);
        size_t size = comma ? (size_t)(comma - text.p) : text.size;
        struct slice name = slice_trim(slice_make(text.p, size));
        if (name.size)
            status = choose_one(dag, task, name, marks, err);
        size += comma != NULL;
        text = slice_make(text.p + size, text.size - size);
    }
    return status;
}

char *choice_json(
    const struct dag *dag, const struct task *task, const bool *marks, struct arena *arena)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_array_begin(&w);
    for (size_t i = 0; i < task->downstream.count; i++)
        if (marks[i])
            json_str(&w, dag->tasks[task->downstream.at[i]].task_id);
    json_array_end(&w);
    char *json = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return json;
}

bool choice_is_no(struct slice text)
{
    static const char *const words[] = {"", "false", "f", "0", "no", "none"};
    text = text.p ? slice_trim(text) : slice_of("");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (text.size == strlen(words[i]) && strncasecmp(text.p, words[i], text.size) == 0)
            return true;
    return false;
}
