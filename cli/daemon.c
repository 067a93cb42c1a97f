/* up, down, reload, queue. */
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "daemon/client.h"
#include "daemon/daemon.h"
#include "daemon/lock.h"
#include "web/web.h"

static bool wait_for_tasks, cancel_tasks;

enum { DOWN_POLL_US = 20000 };

/* ---- up -------------------------------------------------------------------------------------- */

static void on_ready(void *user, struct daemon *daemon)
{
    struct cli *cli = user;
    const char *address = daemon_address(daemon);
    log_line(LOG_INFO, "dag %s is up%s%s: %zu DAGs in %s", DAG_VERSION,
        cli->project->environment ? ", environment " : "",
        cli->project->environment ? cli->project->environment : "",
        catalogue_count(daemon_catalogue(daemon)), cli->project->root);
    if (address)
        log_line(LOG_INFO, "status page: %s", address);
}

static enum status run_up(struct cli *cli, struct error *err)
{
    struct daemon_options options = {
        .project = cli->project, .pages = web_pages(), .ready = on_ready, .user = cli};
    return daemon_run(&options, err);
}

static const struct option no_options[] = {OPTION_END};

const struct command command_up = {
    .name = "up",
    .arguments = "",
    .summary = "the daemon: scheduler, executor and status page",
    .description = "Runs the daemon in the foreground until `dag down`, SIGTERM or Ctrl-C. SQL "
                   "tasks then get `shutdown_grace` to end, are cancelled, and run again at the "
                   "next start, which costs no retry; processes go on and are found again. A "
                   "second signal ends it at once. SIGHUP reads the definitions again. Under "
                   "systemd it tells how it is (Type=notify, WatchdogSec).",
    .examples = "dag up\ndag --env production up",
    .options = no_options,
    .project = PROJECT_NEEDED,
    .run = run_up,
};

/* ---- down, reload ---------------------------------------------------------------------------- */

static enum status call(struct cli *cli, const char *line, json_t **ret, struct error *err)
{
    json_t *answer = NULL;
    enum status status = client_call(cli->project->state, line, &answer, err);
    if (status == OK)
        status = client_error(answer, err);
    if (status == OK && ret)
        *ret = answer;
    else
        json_decref(answer);
    return status;
}

static enum status run_down(struct cli *cli, struct error *err)
{
    json_t *answer = NULL;
    if (wait_for_tasks && cancel_tasks)
        return error_set(err, ERR_USAGE, "--wait and --cancel exclude each other");
    enum status status = call(cli,
        wait_for_tasks ? "{\"op\": \"down\", \"how\": \"wait\"}"
        : cancel_tasks ? "{\"op\": \"down\", \"how\": \"cancel\"}"
                       : "{\"op\": \"down\"}",
        &answer, err);
    if (status != OK)
        return status;
    long long tasks = json_integer_value(json_object_get(answer, "tasks"));
    if (tasks && isatty(STDERR_FILENO))
        fprintf(stderr, "%lld task%s under way; `dag down --cancel` cancels what is waited for\n",
            tasks, tasks == 1 ? " is" : "s are");
    json_decref(answer);
    while (status == OK && lock_is_held(cli->project->state))
        usleep(DOWN_POLL_US);
    return status;
}

static const struct option down_options[] = {
    OPTION_FLAG("wait", 0, &wait_for_tasks, "let running SQL tasks end first, however long"),
    OPTION_FLAG("cancel", 0, &cancel_tasks, "cancel them at once"),
    OPTION_END,
};

const struct command command_down = {
    .name = "down",
    .arguments = "",
    .summary = "stop the daemon",
    .description = "Stops the daemon and waits until it is gone. It takes no new work; SQL tasks "
                   "that run get `shutdown_grace` (in dag.yaml; 0s unless set) to end, then they "
                   "are cancelled and run again at the next start, which costs no retry. Processes "
                   "go on and are found again. A daemon that waits begins to cancel when it is "
                   "told so.",
    .examples = "dag down\ndag down --wait\ndag down --cancel",
    .options = down_options,
    .project = PROJECT_STATE,
    .run = run_down,
};

static enum status run_reload(struct cli *cli, struct error *err)
{
    return call(cli, "{\"op\": \"reload\"}", NULL, err);
}

const struct command command_reload = {
    .name = "reload",
    .arguments = "",
    .summary = "read the definitions again now",
    .description = "Asks the daemon to look at the DAG files and templates now. It also sees "
                   "changes by itself.",
    .examples = "dag reload",
    .options = no_options,
    .project = PROJECT_STATE,
    .run = run_reload,
};

/* ---- queue ----------------------------------------------------------------------------------- */

static void print_queue(struct cli *cli, const json_t *queue)
{
    static const char *const headings[] = {"DAG", "RUN", "TASK", "WHY IT IS NOT RUNNING"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    size_t i;
    json_t *item;
    json_array_foreach(queue, i, item)
    {
        table_add(&table, json_string_value(json_object_get(item, "dag_id")));
        table_add(&table, json_string_value(json_object_get(item, "run_id")));
        const char *task_id = json_string_value(json_object_get(item, "task_id"));
        table_add(&table,
            task_word(cli->arena, task_id, json_integer_value(json_object_get(item, "map_index"))));
        table_add(&table, json_string_value(json_object_get(item, "reason")));
    }
    if (json_array_size(queue))
        table_print(&table, stdout);
    else
        puts("nothing is waiting");
}

static void print_slots(struct cli *cli, const json_t *slots)
{
    static const char *const headings[] = {"SLOTS", "NAME", "USED", "OF", "WAITING"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    size_t i;
    json_t *use;
    json_array_foreach(slots, i, use)
    {
        table_add(&table, json_string_value(json_object_get(use, "kind")));
        table_add(&table, json_string_value(json_object_get(use, "name")));
        static const char *const keys[] = {"used", "total", "waiting"};
        for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
            table_add(&table, arena_printf(cli->arena, "%lld",
                                  json_integer_value(json_object_get(use, keys[k]))));
    }
    putchar('\n');
    table_print(&table, stdout);
}

static enum status run_queue(struct cli *cli, struct error *err)
{
    json_t *answer = NULL;
    enum status status = call(cli, "{\"op\": \"queue\"}", &answer, err);
    if (status != OK)
        return status;
    const json_t *queue = json_object_get(answer, "queue");
    if (cli->json) {
        size_t i;
        json_t *item;
        json_array_foreach(queue, i, item)
        {
            struct strbuf text = {0};
            struct json_writer w = json_begin(&text);
            json_tree(&w, item);
            puts(strbuf_text(&text));
            strbuf_done(&text);
        }
    } else {
        print_queue(cli, queue);
        print_slots(cli, json_object_get(answer, "slots"));
    }
    json_decref(answer);
    return OK;
}

const struct command command_queue = {
    .name = "queue",
    .arguments = "",
    .summary = "why each ready task is not running",
    .description = "Lists the tasks that are ready, the sensors that wait for their next look, and "
                   "the runs that are queued, each with the reason why it does not run, and how "
                   "the slots are used.",
    .examples = "dag queue\ndag queue --json",
    .options = no_options,
    .project = PROJECT_STATE,
    .run = run_queue,
};
