#include "cli/compare.h"

enum { SHOWN = 5 /* of a list of dates */ };

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* "  + task a" for each. */
static void print_each(const json_t *dag, const char *key, const char *mark, const char *what)
{
    const json_t *list = json_object_get(dag, key);
    for (size_t i = 0; i < json_array_size(list); i++)
        printf("  %s %s%s\n", mark, what, json_string_value(json_array_get(list, i)));
}

static void print_list(const json_t *list, size_t most)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < most; i++)
        printf("%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    if (count > most)
        printf(" … and %zu more", count - most);
    putchar('\n');
}

static void print_dates(const json_t *dag, const char *key, const char *mark)
{
    const json_t *list = json_object_get(dag, key);
    if (!json_array_size(list))
        return;
    printf("  %s %zu dates: ", mark, json_array_size(list));
    print_list(list, SHOWN);
}

static void print_indented(const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        printf("      %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void print_task(const json_t *task)
{
    const json_t *keys = json_object_get(task, "keys");
    long long changed = json_integer_value(json_object_get(task, "dates_changed"));
    printf("  ~ task %s", text_at(task, "task_id"));
    if (json_array_size(keys)) {
        printf(": ");
        print_list(keys, json_array_size(keys));
    } else {
        putchar('\n');
    }
    if (!changed)
        return;
    printf("    its text is another on %lld of %lld dates; on %s:\n", changed,
        (long long)json_integer_value(json_object_get(task, "dates_rendered")),
        text_at(task, "logical_date"));
    print_indented(text_at(task, "diff"));
}

static void print_stale(const json_t *dag)
{
    const json_t *stale = json_object_get(dag, "stale");
    long long runs = 0;
    for (size_t i = 0; i < json_array_size(stale); i++)
        runs += json_integer_value(json_object_get(json_array_get(stale, i), "runs"));
    if (!runs)
        return;
    printf("  ! %lld run%s succeeded with other text; to run again:\n", runs, runs == 1 ? "" : "s");
    for (size_t i = 0; i < json_array_size(stale); i++)
        printf("      %s\n", text_at(json_array_get(stale, i), "command"));
}

static void print_dag(const json_t *dag)
{
    const char *change = text_at(dag, "change");
    const char *mark = str_equal(change, "added") ? "+" : str_equal(change, "removed") ? "-" : "~";
    printf("%s %s (%s)", mark, text_at(dag, "dag_id"), text_at(dag, "file"));
    if (!str_equal(change, "changed"))
        printf(" %s, with %lld tasks", change,
            (long long)json_integer_value(json_object_get(dag, "task_count")));
    putchar('\n');
    const json_t *keys = json_object_get(dag, "keys"), *tasks = json_object_get(dag, "tasks");
    if (json_array_size(keys)) {
        printf("  ~ ");
        print_list(keys, json_array_size(keys));
    }
    print_each(dag, "tasks_added", "+", "task ");
    print_each(dag, "tasks_removed", "-", "task ");
    for (size_t i = 0; i < json_array_size(tasks); i++)
        print_task(json_array_get(tasks, i));
    print_each(dag, "edges_added", "+", "edge ");
    print_each(dag, "edges_removed", "-", "edge ");
    print_dates(dag, "ticks_added", "+");
    print_dates(dag, "ticks_removed", "-");
    print_stale(dag);
}

void compare_print(struct cli *cli, const json_t *all, const char *a, const char *b)
{
    for (size_t i = 0; i < json_array_size(all); i++)
        if (cli->json)
            cli_print_json(json_array_get(all, i));
        else
            print_dag(json_array_get(all, i));
    if (!json_array_size(all) && !cli->json)
        printf("no difference between %s and %s\n", a, b);
}
