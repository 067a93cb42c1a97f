/* A DAG's tasks and their edges: as text, as DOT, as a picture. */
#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/graph_tables.h"

extern char **environ;

static const char *format = "text";
static bool with_tables;

/* What a reader wants to know of a task besides its name; empty for plain SQL tasks. */
static const char *notes_of(struct cli *cli, const struct task *task)
{
    const char *rule =
        task->trigger_rule == RULE_ALL_SUCCESS ? NULL : trigger_rule_name(task->trigger_rule);
    const char *words[] = {task->kind == KIND_SQL ? NULL : cli_kind_words(cli->arena, task),
        task->expand.count ? "mapped" : NULL, task->setup ? "setup" : NULL,
        task->teardown ? "teardown" : NULL, rule};
    struct strbuf text = {0};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (words[i])
            strbuf_printf(&text, "%s%s", text.size ? ", " : "", words[i]);
    const char *notes = strbuf_to_arena(&text, cli->arena);
    strbuf_done(&text);
    return notes;
}

/* ---- text: a tree in which each task stands once ---- */

struct tree {
    struct cli *cli;
    const struct dag *dag;
    uint32_t *place;  /* of each task in dag->topological */
    uint32_t *parent; /* the upstream that comes last of all; TREE_ROOT without one */
    struct strbuf indent;
};
#define TREE_ROOT UINT32_MAX

/* A task stands below the upstream that is last in topological order: all the others were shown
   above it by then. */
static void find_parents(struct tree *tree)
{
    const struct dag *dag = tree->dag;
    for (uint32_t i = 0; i < dag->task_count; i++)
        tree->place[dag->topological[i]] = i;
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct indexes *upstream = &dag->tasks[i].upstream;
        tree->parent[i] = TREE_ROOT;
        for (size_t k = 0; k < upstream->count; k++) {
            uint32_t candidate = upstream->at[k];
            if (tree->parent[i] == TREE_ROOT ||
                tree->place[candidate] > tree->place[tree->parent[i]])
                tree->parent[i] = candidate;
        }
    }
}

static void print_task(struct tree *tree, uint32_t index)
{
    const struct task *task = &tree->dag->tasks[index];
    printf("%s", task->task_id);
    const char *notes = notes_of(tree->cli, task);
    if (notes[0])
        printf("  [%s]", notes);
    const char *also = "  also after ";
    for (size_t k = 0; k < task->upstream.count; k++)
        if (task->upstream.at[k] != tree->parent[index]) {
            printf("%s%s", also, tree->dag->tasks[task->upstream.at[k]].task_id);
            also = ", ";
        }
    putchar('\n');
}

/* The place in topological order, from `from` on, of a task below `parent`; task_count: none. */
static uint32_t next_child(const struct tree *tree, uint32_t parent, uint32_t from)
{
    for (uint32_t i = from; i < tree->dag->task_count; i++)
        if (tree->parent[tree->dag->topological[i]] == parent)
            return i;
    return tree->dag->task_count;
}

/* Deep chains are usual, so this does not recurse: the way down is kept in `path`, as places of
   the next child to show. */
static void print_tree(struct tree *tree)
{
    const struct dag *dag = tree->dag;
    struct step {
        uint32_t parent, next;
        size_t indent;
    } *path = arena_array(tree->cli->arena, struct step, dag->task_count + 1);
    size_t depth = 0;
    path[0] = (struct step){TREE_ROOT, next_child(tree, TREE_ROOT, 0), 0};
    for (;;) {
        struct step *step = &path[depth];
        if (step->next == dag->task_count) {
            if (depth-- == 0)
                return;
            continue;
        }
        uint32_t index = dag->topological[step->next];
        uint32_t after = next_child(tree, step->parent, step->next + 1);
        bool last = after == dag->task_count;
        step->next = after;
        tree->indent.size = step->indent;
        printf("%.*s", (int)tree->indent.size, strbuf_text(&tree->indent));
        if (step->parent != TREE_ROOT) {
            fputs(last ? "└─ " : "├─ ", stdout);
            strbuf_add_str(&tree->indent, last ? "   " : "│  ");
        }
        print_task(tree, index);
        path[++depth] = (struct step){index, next_child(tree, index, 0), tree->indent.size};
    }
}

static void print_text(struct cli *cli, const struct dag *dag)
{
    struct tree tree = {.cli = cli,
        .dag = dag,
        .place = arena_array(cli->arena, uint32_t, dag->task_count + 1),
        .parent = arena_array(cli->arena, uint32_t, dag->task_count + 1)};
    find_parents(&tree);
    print_tree(&tree);
    strbuf_done(&tree.indent);
}

/* ---- DOT ---- */

/* The length of what two ids share of their groups: "a.b." of "a.b.x" and "a.b.y". */
static size_t shared_groups(const char *a, const char *b)
{
    size_t shared = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '.')
            shared = i + 1;
    return shared;
}

/* Clusters for groups: those of the task before that this one is not in are closed, new ones
   opened.  Tasks of a group stand together in the file's order. */
static void dot_groups(struct strbuf *out, const char *before, const char *id)
{
    size_t shared = shared_groups(before, id);
    for (const char *p = before + shared; *p; p++)
        if (*p == '.')
            strbuf_add_str(out, "  }\n");
    size_t start = shared;
    for (size_t i = shared; id[i]; i++) {
        if (id[i] != '.')
            continue;
        strbuf_printf(out, "  subgraph \"cluster_%.*s\" {\n    label=\"%.*s\";\n", (int)i, id,
            (int)(i - start), id + start);
        start = i + 1;
    }
}

static void dot_task(struct cli *cli, struct strbuf *out, const struct task *task)
{
    const char *notes = notes_of(cli, task);
    const char *dot = strrchr(task->task_id, '.');
    strbuf_add_str(out, "  ");
    dot_quoted(out, task->task_id);
    strbuf_add_str(out, " [label=");
    dot_quoted(out, arena_printf(cli->arena, "%s%s%s", dot ? dot + 1 : task->task_id,
                        notes[0] ? "\n" : "", notes));
    strbuf_add_str(out, "];\n");
}

static void make_dot(
    struct cli *cli, const struct dag *dag, const struct table_edges *tables, struct strbuf *out)
{
    strbuf_add_str(out, "digraph ");
    dot_quoted(out, dag->dag_id);
    strbuf_add_str(out, " {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    const char *before = "";
    for (uint32_t i = 0; i < dag->task_count; i++) {
        dot_groups(out, before, dag->tasks[i].task_id);
        dot_task(cli, out, &dag->tasks[i]);
        before = dag->tasks[i].task_id;
    }
    dot_groups(out, before, "");
    for (uint32_t i = 0; i < dag->task_count; i++)
        for (size_t k = 0; k < dag->tasks[i].downstream.count; k++) {
            strbuf_add_str(out, "  ");
            dot_quoted(out, dag->tasks[i].task_id);
            strbuf_add_str(out, " -> ");
            dot_quoted(out, dag->tasks[dag->tasks[i].downstream.at[k]].task_id);
            strbuf_add_str(out, ";\n");
        }
    graph_tables_dot(tables, out);
    strbuf_add_str(out, "}\n");
}

/* ---- SVG: by Graphviz's `dot` ---- */

static enum status write_all(int fd, const char *text, size_t size, struct error *err)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, ERR_IO, "a temporary file: %s", strerror(errno));
        text += n;
        size -= (size_t)n;
    }
    return OK;
}

/* `dot` reads the text from a file that has no name any more, and writes to our output. */
static enum status run_dot(int input, struct error *err)
{
    static char *const argv[] = {"dot", "-Tsvg", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    fflush(stdout);
    pid_t pid;
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) {
        error_set(err, ERR_IO, "dot cannot be started: %s", strerror(failed));
        error_hint(err, "install the package graphviz, or write --format dot");
        return ERR_IO;
    }
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(err, ERR_IO, "dot: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, ERR_IO, "dot ended with a failure");
    return OK;
}

static enum status print_svg(const struct strbuf *dot, struct error *err)
{
    FILE *file = tmpfile();
    if (!file)
        return error_set(err, ERR_IO, "a temporary file: %s", strerror(errno));
    enum status status = write_all(fileno(file), dot->text, dot->size, err);
    if (status == OK && lseek(fileno(file), 0, SEEK_SET) < 0)
        status = error_set(err, ERR_IO, "a temporary file: %s", strerror(errno));
    if (status == OK)
        status = run_dot(fileno(file), err);
    fclose(file);
    return status;
}

static void print_json(const struct dag *dag)
{
    struct strbuf text = {0};
    for (uint32_t i = 0; i < dag->task_count; i++)
        for (size_t k = 0; k < dag->tasks[i].downstream.count; k++) {
            struct json_writer w = json_begin(&text);
            json_object_begin(&w);
            json_kv_str(&w, "from", dag->tasks[i].task_id);
            json_kv_str(&w, "to", dag->tasks[dag->tasks[i].downstream.at[k]].task_id);
            json_object_end(&w);
            strbuf_add_str(&text, "\n");
        }
    fputs(strbuf_text(&text), stdout);
    strbuf_done(&text);
}

static enum status print(
    struct cli *cli, const struct dag *dag, const struct table_edges *tables, struct error *err)
{
    enum status status = OK;
    struct strbuf dot = {0};
    if (cli->json && with_tables) {
        graph_print_tables_json(tables);
    } else if (cli->json) {
        print_json(dag);
    } else if (str_equal(format, "text")) {
        print_text(cli, dag);
        if (tables->count)
            putchar('\n');
        graph_print_tables(tables, cli->arena);
    } else {
        make_dot(cli, dag, tables, &dot);
        if (str_equal(format, "svg"))
            status = print_svg(&dot, err);
        else
            fwrite(dot.text, 1, dot.size, stdout);
    }
    strbuf_done(&dot);
    return status;
}

static enum status run(struct cli *cli, struct error *err)
{
    if (!str_equal(format, "text") && !str_equal(format, "svg") && !str_equal(format, "dot"))
        return error_set(
            err, ERR_USAGE, "there is no format `%s`; there are text, dot and svg", format);
    struct dag *dag = NULL;
    struct table_edges tables = {0};
    enum status status = cli_load_dag(cli, cli->args[0], &dag, err);
    if (status == OK && with_tables)
        status = graph_find_tables(cli, dag, &tables, err);
    if (status == OK)
        status = print(cli, dag, &tables, err);
    dag_unref(dag);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT("format", 0, &format, "FORMAT", "text (default), dot or svg"),
    OPTION_FLAG("tables", 0, &with_tables, "with the tables that its tasks read and write"),
    OPTION_END,
};

const struct command command_graph = {
    .name = "graph",
    .arguments = "DAG",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "a DAG's tasks and what comes after what",
    .description = "Shows the graph of a DAG. As text it is a tree in which each task stands once, "
                   "below the last of the tasks before it; the others are named beside it. SVG is "
                   "drawn by Graphviz's `dot`. With --json an edge a line. With --tables the "
                   "tables that the tasks "
                   "read and write are shown too, as of a sample run.",
    .examples = "dag graph geolife\ndag graph geolife --format svg > geolife.svg\n"
                "dag graph dags/geolife.yaml --format dot\n"
                "dag graph geolife --tables --format svg > tables.svg",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
