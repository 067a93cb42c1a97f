/* What a version of a DAG is: every file it can reach, by content hash. */
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/templates.h"
#include "definition/versions.h"

static void use_template(void *user, const struct source *source)
{
    loading_use(user, source);
}

static void use_if_there(struct loading *l, const char *path)
{
    const struct source *source;
    if (!path || strstr(path, "{{") || strstr(path, "{%") || !path_is_inside(path))
        return;
    if (sources_read(l->sources, path, &source, NULL) == OK && !source->missing)
        loading_use(l, source);
}

/* Scripts: a Python file, and a program of the project. */
static void use_scripts(struct loading *l, const struct task *task)
{
    const struct process_task *process = task->process;
    if (process->cwd.value)
        return; /* their paths are relative to a folder that is known only when they run */
    if (task->kind == KIND_PYTHON)
        use_if_there(l, process->script.value);
    if (task->kind == KIND_EXEC && process->argv.count && strchr(process->argv.at[0].value, '/'))
        use_if_there(l, process->argv.at[0].value);
}

static int compare_sources(const void *a, const void *b)
{
    return strcmp(
        (*(const struct source *const *)a)->shown, (*(const struct source *const *)b)->shown);
}

static void hash_files(struct loading *l)
{
    struct strbuf text = {0};
    struct manifest_file *files = arena_array(l->arena, struct manifest_file, l->used.count);
    qsort(l->used.at, l->used.count, sizeof(*l->used.at), compare_sources);
    for (size_t i = 0; i < l->used.count; i++) {
        files[i].path = arena_strdup(l->arena, l->used.at[i]->shown);
        memcpy(files[i].hash, l->used.at[i]->hash, sizeof(files[i].hash));
    }
    versions_manifest(files, l->used.count, &text);
    hash_sha256(strbuf_text(&text), text.size, l->dag->version);
    l->dag->files = files;
    l->dag->file_count = l->used.count;
    strbuf_done(&text);
}

static void hash_graph(struct dag *dag)
{
    struct strbuf text = {0};
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        strbuf_printf(&text, "%s %s %s%s%s%s%s%s:", task->task_id, task_kind_name(task->kind),
            trigger_rule_name(task->trigger_rule), task->setup ? " setup" : "",
            task->teardown ? " teardown" : "", task->on_failure_fail_dagrun ? " fails" : "",
            task->expand.count ? " mapped" : "", task->decision->only_direct ? " direct" : "");
        for (size_t j = 0; j < task->upstream.count; j++)
            strbuf_printf(&text, " %s", dag->tasks[task->upstream.at[j]].task_id);
        strbuf_add_char(&text, '\n');
    }
    hash_sha256(strbuf_text(&text), text.size, dag->graph_version);
    strbuf_done(&text);
}

void load_manifest(struct loading *l)
{
    struct template_visitor visitor = {.file = use_template, .user = l};
    CLEANUP(template_walk_freep)
    struct template_walk *walk =
        template_walk_new(l->project, l->sources, l->file, (struct slice){"", 0}, &visitor);
    for (uint32_t i = 0; i < l->dag->task_count; i++) {
        template_walk_task(walk, &l->dag->tasks[i]);
        use_scripts(l, &l->dag->tasks[i]);
    }
    hash_files(l);
    hash_graph(l->dag);
}
