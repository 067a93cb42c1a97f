/* dag conn test: what a task would meet, and what is wrong. */
#include <unistd.h>
#include <uv.h>

#include "cli/conn_test.h"
#include "executor/limits.h"
#include "executor/offload.h"

/* A connection's test: on a thread, which cannot be stopped. */
struct testing {
    struct offload_job job;
    struct arena *arena; /* owned; what the thread uses is in it */
    struct connection *connection;
    struct checked checked;
    bool done;
    struct tests *tests; /* touched on the loop only */
};

struct tests {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct offload *threads;
    struct testing **at;
    size_t count, left;
    bool closed;
};

static void on_work(struct offload_job *job)
{
    struct testing *testing = CONTAINER_OF(job, struct testing, job);
    check_connection(testing->connection, testing->arena, &testing->checked);
}

static void end(struct tests *tests)
{
    if (tests->closed)
        return;
    tests->closed = true;
    offload_free(tests->threads, NULL, NULL);
    uv_close((uv_handle_t *)&tests->deadline, NULL);
}

static void on_done(struct offload_job *job)
{
    struct testing *testing = CONTAINER_OF(job, struct testing, job);
    testing->done = true;
    if (--testing->tests->left == 0)
        end(testing->tests);
}

static void free_testing(struct testing *testing)
{
    arena_free(testing->arena);
    mem_free(testing);
}

/* It was given up, and has an answer in the end: nobody wants it. */
static void on_discard(struct offload_job *job)
{
    free_testing(CONTAINER_OF(job, struct testing, job));
}

static void on_deadline(uv_timer_t *timer)
{
    end(timer->data);
}

static struct testing *testing_new(struct tests *tests, const struct connection *connection)
{
    struct testing *testing = mem_alloc_zero(1, sizeof(*testing));
    testing->job = (struct offload_job){.work = on_work, .done = on_done, .discard = on_discard};
    testing->arena = arena_new();
    testing->connection = connection_copy(connection, testing->arena);
    testing->tests = tests;
    return testing;
}

/* ---- output ---------------------------------------------------------------------------------- */

static void print_json(const char *name, const struct checked *checked)
{
    const struct error *err = &checked->error;
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "name", name);
    json_kv_bool(&w, "ok", checked->status == OK);
    if (checked->status != OK) {
        json_kv_str(&w, "trouble", checked->trouble);
        json_kv_str(&w, "message", err->message);
        json_kv_str(&w, "remedy", err->hint);
    }
    json_kv_str(&w, "warning", checked->warning);
    json_kv_str(&w, "version", checked->version);
    json_kv_str(&w, "dialect", checked->dialect);
    json_kv_str(&w, "host", checked->host);
    json_kv_str(&w, "port", checked->port);
    json_kv_str(&w, "database", checked->database);
    json_kv_str(&w, "user", checked->user);
    json_kv_str(&w, "tls", checked->tls);
    json_kv_str(&w, "ledger", checked->ledger && *checked->ledger ? checked->ledger : NULL);
    json_kv_int(&w, "milliseconds", checked->ms);
    json_object_end(&w);
    puts(strbuf_text(&text));
}

static void print_text(struct cli *cli, const char *name, const struct checked *checked)
{
    if (checked->status != OK) {
        printf("%s %s\n", name, cli_state_text(cli, "failed"));
        printf("  %s\n", checked->error.message);
        if (checked->error.hint[0])
            printf("  hint: %s\n", checked->error.hint);
        return;
    }
    printf("%s %s  %s %s, database %s as %s on %s%s%s, %s, %lld ms\n", name,
        cli_state_text(cli, "success"), checked->dialect, checked->number, checked->database,
        checked->user, checked->host, checked->port[0] ? ":" : "", checked->port,
        checked->tls ? checked->tls : "not encrypted", (long long)checked->ms);
    if (checked->warning)
        printf("  warning: %s\n", checked->warning);
    if (checked->ledger && !*checked->ledger)
        printf("  no ledger yet: the first task makes it\n");
}

static void give_up(struct testing *testing, const char *name, struct checked *ret)
{
    if (testing->done)
        return;
    *ret = (struct checked){.ms = CONNECT_DEADLINE_MS};
    ret->status = error_set(&ret->error, ERR_TIMEOUT,
        "cannot connect to `%s`: no answer within %d seconds", name, CONNECT_DEADLINE_MS / 1000);
    check_explain(ret);
}

/* ---- running --------------------------------------------------------------------------------- */

static enum status run_all(struct tests *tests, struct error *err)
{
    uv_loop_init(&tests->loop);
    enum status status = offload_new(&tests->loop, CONNECT_THREADS_MAX, &tests->threads, err);
    if (status != OK)
        return status;
    uv_timer_init(&tests->loop, &tests->deadline);
    tests->deadline.data = tests;
    uv_timer_start(&tests->deadline, on_deadline, CONNECT_DEADLINE_MS, 0);
    for (size_t i = 0; i < tests->count; i++)
        offload_run(tests->threads, &tests->at[i]->job);
    uv_run(&tests->loop, UV_RUN_DEFAULT);
    uv_loop_close(&tests->loop);
    return OK;
}

enum status conn_try(const struct connection *const *connections, size_t count, struct arena *arena,
    void (*told)(void *user, const char *name, const struct checked *checked), void *user,
    struct error *err)
{
    struct tests tests = {.count = count, .left = count};
    tests.at = arena_array(arena, struct testing *, count);
    for (size_t i = 0; i < count; i++)
        tests.at[i] = testing_new(&tests, connections[i]);
    enum status status = run_all(&tests, err);
    for (size_t i = 0; status == OK && i < count; i++) {
        struct checked given_up;
        give_up(tests.at[i], connections[i]->name, &given_up);
        told(user, connections[i]->name, tests.at[i]->done ? &tests.at[i]->checked : &given_up);
        if (tests.at[i]->done)
            free_testing(tests.at[i]);
    }
    return status;
}

struct telling {
    struct cli *cli;
    size_t failed;
};

static void print(void *user, const char *name, const struct checked *checked)
{
    struct telling *telling = user;
    if (telling->cli->json)
        print_json(name, checked);
    else
        print_text(telling->cli, name, checked);
    telling->failed += checked->status != OK;
}

enum status conn_test(
    struct cli *cli, const struct connection *const *connections, size_t count, struct error *err)
{
    struct telling telling = {.cli = cli};
    enum status status = conn_try(connections, count, cli->arena, print, &telling, err);
    if (status == OK && telling.failed)
        return error_set(err, ERR_CONNECTION_FAILED, "%zu of %zu connection%s failed",
            telling.failed, count, count == 1 ? "" : "s");
    return status;
}
