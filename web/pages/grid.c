/* The grid of a DAG: runs across, newest at the right, tasks down in the order of the graph. */
#include "base/map.h"
#include "base/vec.h"
#include "web/limits.h"
#include "web/pages/pages.h"

/* One row: a task, and its instance in each run (NULL: not in it). */
struct grid_row {
    const char *task_id;
    const struct task *task;          /* NULL: not in the newest version */
    const struct task_record **cells; /* by run */
    size_t *mapped;                   /* instances beside the shown one, by run */
};

struct grid {
    struct page *page;
    const struct dag_facts *dag;
    const struct run_rows *runs;
    size_t run_count;
    VEC(struct grid_row) rows;
    struct map *by_task; /* task id → index + 1 */
};

static struct grid_row *row_of(struct grid *grid, const char *task_id)
{
    size_t known = (size_t)(uintptr_t)map_get(grid->by_task, task_id);
    if (known)
        return &grid->rows.at[known - 1];
    struct arena *arena = grid->page->arena;
    struct grid_row *row = vec_add(&grid->rows);
    row->task_id = task_id;
    row->task = grid->dag->dag ? dag_find_task(grid->dag->dag, task_id) : NULL;
    row->cells = arena_array(arena, const struct task_record *, grid->run_count + 1);
    row->mapped = arena_array(arena, size_t, grid->run_count + 1);
    map_set(grid->by_task, task_id, (void *)(uintptr_t)grid->rows.count);
    return row;
}

/* The worst of a mapped task's instances stands for them all. */
static int weight(enum task_state state)
{
    static const enum task_state order[] = {TASK_FAILED, TASK_UPSTREAM_FAILED, TASK_UP_FOR_RETRY,
        TASK_RESTARTING, TASK_RUNNING, TASK_QUEUED, TASK_SCHEDULED, TASK_DEFERRED,
        TASK_UP_FOR_RESCHEDULE, TASK_NONE, TASK_SUCCESS, TASK_SKIPPED, TASK_REMOVED};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (order[i] == state)
            return (int)i;
    return (int)ARRAY_SIZE(order);
}

static void add_tasks(struct grid *grid, size_t run, const struct task_rows *tasks)
{
    for (size_t i = 0; i < tasks->count; i++) {
        const struct task_record *task = &tasks->at[i];
        struct grid_row *row = row_of(grid, task->task_id);
        if (row->cells[run])
            row->mapped[run]++;
        if (!row->cells[run] || weight(task->state) < weight(row->cells[run]->state))
            row->cells[run] = task;
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static size_t runs_that_fit(const struct dag_facts *dag, size_t count)
{
    size_t tasks = dag->dag && dag->dag->task_count ? dag->dag->task_count : 10;
    size_t most = GRID_CELLS_MAX / (tasks < GRID_TASKS_MAX ? tasks : GRID_TASKS_MAX);
    most = most < GRID_RUNS_MIN ? GRID_RUNS_MIN : most > STRIP_RUNS ? STRIP_RUNS : most;
    return count < most ? count : most;
}

static enum status read_grid(struct grid *grid, struct error *err)
{
    const struct dag *dag = grid->dag->dag;
    enum status status = OK;
    for (uint32_t i = 0; dag && i < dag->task_count; i++)
        row_of(grid, dag->tasks[dag->topological[i]].task_id);
    for (size_t i = 0; i < grid->run_count && status == OK; i++) {
        struct task_rows tasks;
        status = read_tasks(grid->page, grid->runs->at[i].id, &tasks, err);
        if (status == OK)
            add_tasks(grid, i, &tasks);
    }
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void show_columns(struct grid *grid)
{
    struct page *page = grid->page;
    struct strbuf *out = page->out;
    html(out, "<thead><tr><th scope=\"col\">task</th>");
    for (size_t i = grid->run_count; i-- > 0;) {
        const struct run_record *run = &grid->runs->at[i];
        const char *word = run_label(page->arena, grid->dag->zone, run->logical_us);
        html_printf(out, "<th scope=\"col\"><a class=\"date\" href=\"%s\" title=\"%s: %s\">%s</a>",
            link_run(page, run->dag_id, grid->dag->zone, run->logical_us), word,
            run_state_name(run->state), word);
        html(out, "</th>");
    }
    html(out, "</tr><tr class=\"all\"><th scope=\"row\">run</th>");
    for (size_t i = grid->run_count; i-- > 0;) {
        const struct run_record *run = &grid->runs->at[i];
        html(out, "<td>");
        show_cell(page, run_state_name(run->state),
            link_run(page, run->dag_id, grid->dag->zone, run->logical_us),
            run_state_name(run->state), NULL);
        html(out, "</td>");
    }
    html(out, "</tr></thead>\n");
}

static const char *cell_title(struct page *page, const struct task_record *task, size_t mapped)
{
    const char *state = task_state_name(task->state);
    if (mapped)
        return arena_printf(page->arena, "%s, the worst of %zu", state, mapped + 1);
    if (task->state == TASK_SUCCESS && task->started_us != TIME_NONE && task->ended_us != TIME_NONE)
        return arena_printf(page->arena, "%s, %s", state,
            took_text(page->arena, task->ended_us - task->started_us));
    if (task->state == TASK_SUCCESS || !task->reason_text)
        return state;
    return arena_printf(
        page->arena, "%s: %s", state, cut_text(page->arena, task->reason_text, REASON_TITLE_SIZE));
}

static void show_row(struct grid *grid, const struct grid_row *row)
{
    struct page *page = grid->page;
    struct strbuf *out = page->out;
    const char *kind = row->task ? task_kind_name(row->task->kind) : "removed";
    html_printf(out, "<tr><th scope=\"row\" title=\"%s\"><bdi>%s</bdi><small>%s</small></th>",
        row->task && row->task->doc ? row->task->doc : "", row->task_id, kind);
    for (size_t i = grid->run_count; i-- > 0;) {
        const struct run_record *run = &grid->runs->at[i];
        const struct task_record *task = row->cells[i];
        html(out, "<td>");
        if (task) {
            const char *above = link_run(page, run->dag_id, grid->dag->zone, run->logical_us);
            show_cell(page, task_state_name(task->state),
                link_task(page, above, task->task_id, task->map_index),
                cell_title(page, task, row->mapped[i]), NULL);
        }
        html(out, "</td>");
    }
    html(out, "</tr>\n");
}

static void write_grid(struct grid *grid)
{
    size_t count = grid->rows.count;
    size_t from = page_offset(grid->page, "task", count);
    size_t to = from + GRID_TASKS_MAX < count ? from + GRID_TASKS_MAX : count;
    html(grid->page->out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                          "aria-label=\"runs by tasks\"><table class=\"grid\">");
    show_columns(grid);
    html(grid->page->out, "<tbody>\n");
    for (size_t i = from; i < to; i++)
        show_row(grid, &grid->rows.at[i]);
    html(grid->page->out, "</tbody></table></div>\n");
    show_pager(grid->page, "task", from, to, count, GRID_TASKS_MAX);
}

enum status show_grid(
    struct page *page, const struct dag_facts *dag, const struct run_rows *runs, struct error *err)
{
    struct grid grid = {.page = page, .dag = dag, .runs = runs};
    grid.run_count = runs_that_fit(dag, runs->count);
    grid.by_task = map_new();
    enum status status = read_grid(&grid, err);
    if (status == OK)
        write_grid(&grid);
    vec_done(&grid.rows);
    map_free(grid.by_task);
    return status;
}
