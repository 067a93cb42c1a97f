#include "cli/graph_tables.h"

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "definition/lineage.h"

typedef VEC(struct table_edge) edge_list;

static void add_edges(edge_list *edges, struct map *known, const struct lineage_task *lineage,
    bool writes, struct arena *arena)
{
    for (size_t i = 0; i < lineage->use_count; i++) {
        const struct lineage_use *use = &lineage->uses[i];
        bool is_read = use->use & SQL_READS;
        bool is_written = use->use & (SQL_WRITES | SQL_CREATES);
        char *key = arena_printf(arena, "%u %d %s", lineage->task->index, writes, use->table);
        if (!(writes ? is_written : is_read) || map_has(known, key))
            continue;
        map_set(known, key, key);
        struct table_edge edge = {lineage->task, use->table, writes};
        vec_push(edges, edge);
    }
}

enum status graph_find_tables(
    struct cli *cli, const struct dag *dag, struct table_edges *ret, struct error *err)
{
    const struct lineage_task *lineages;
    enum status status = lineage_of_dag(cli->project, dag, cli->arena, &lineages, err);
    if (status != OK)
        return status;
    CLEANUP(map_freep) struct map *known = map_new();
    edge_list edges = {0};
    for (uint32_t i = 0; i < dag->task_count; i++) {
        add_edges(&edges, known, &lineages[i], false, cli->arena);
        add_edges(&edges, known, &lineages[i], true, cli->arena);
    }
    ret->count = edges.count;
    ret->at =
        edges.count ? arena_memdup(cli->arena, edges.at, edges.count * sizeof(*edges.at)) : NULL;
    vec_done(&edges);
    return OK;
}

/* Tables in the order in which tasks come to them. */
static struct names tables_of(const struct table_edges *edges, struct arena *arena)
{
    CLEANUP(map_freep) struct map *known = map_new();
    const char **names = arena_array(arena, const char *, edges->count + 1);
    struct names tables = {.at = names};
    for (size_t i = 0; i < edges->count; i++)
        if (!map_has(known, edges->at[i].table)) {
            map_set(known, edges->at[i].table, (void *)(uintptr_t)edges->at[i].table);
            names[tables.count++] = edges->at[i].table;
        }
    return tables;
}

static void print_side(const struct table_edges *edges, const char *table, bool writes)
{
    const char *before = writes ? "  written by " : "  read by    ";
    for (size_t i = 0; i < edges->count; i++)
        if (edges->at[i].writes == writes && str_equal(edges->at[i].table, table)) {
            printf("%s%s", before, edges->at[i].task->task_id);
            before = ", ";
        }
    if (str_equal(before, ", "))
        putchar('\n');
}

void graph_print_tables(const struct table_edges *edges, struct arena *arena)
{
    struct names tables = tables_of(edges, arena);
    for (size_t i = 0; i < tables.count; i++) {
        printf("%s\n", tables.at[i]);
        print_side(edges, tables.at[i], true);
        print_side(edges, tables.at[i], false);
    }
}

void graph_print_tables_json(const struct table_edges *edges)
{
    for (size_t i = 0; i < edges->count; i++) {
        struct strbuf text = {0};
        struct json_writer w = json_begin(&text);
        json_object_begin(&w);
        json_kv_str(&w, "task", edges->at[i].task->task_id);
        json_kv_str(&w, "does", edges->at[i].writes ? "writes" : "reads");
        json_kv_str(&w, "table", edges->at[i].table);
        json_object_end(&w);
        puts(strbuf_text(&text));
        strbuf_done(&text);
    }
}

void dot_quoted(struct strbuf *out, const char *text)
{
    strbuf_add_str(out, "\"");
    for (const char *p = text; *p; p++)
        strbuf_printf(
            out, "%s%c", *p == '"' || *p == '\\' || *p == '\n' ? "\\" : "", *p == '\n' ? 'n' : *p);
    strbuf_add_str(out, "\"");
}

/* A table's node is called "table:NAME", since a task may have its name. */
static void dot_table(struct strbuf *out, const char *table)
{
    struct strbuf name = {0};
    strbuf_printf(&name, "table:%s", table);
    dot_quoted(out, strbuf_text(&name));
    strbuf_done(&name);
}

void graph_tables_dot(const struct table_edges *edges, struct strbuf *out)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct names tables = tables_of(edges, arena);
    for (size_t i = 0; i < tables.count; i++) {
        strbuf_add_str(out, "  ");
        dot_table(out, tables.at[i]);
        strbuf_add_str(out, " [shape=cylinder, style=filled, fillcolor=\"#eeeeee\", label=");
        dot_quoted(out, tables.at[i]);
        strbuf_add_str(out, "];\n");
    }
    for (size_t i = 0; i < edges->count; i++) {
        const struct table_edge *edge = &edges->at[i];
        strbuf_add_str(out, "  ");
        if (edge->writes)
            dot_quoted(out, edge->task->task_id);
        else
            dot_table(out, edge->table);
        strbuf_add_str(out, " -> ");
        if (edge->writes)
            dot_table(out, edge->table);
        else
            dot_quoted(out, edge->task->task_id);
        strbuf_add_str(out, " [style=dashed];\n");
    }
}
