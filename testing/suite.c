#include "testing/suite.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "base/temporary.h"
#include "definition/catalogue.h"
#include "definition/report.h"
#include "testing/case.h"
#include "testing/limits.h"

const char *test_outcome_name(enum test_outcome outcome)
{
    static const char *const names[] = {
#define ROW(id, name) name,
        TEST_OUTCOMES(ROW)
#undef ROW
    };
    return names[outcome];
}

struct worker {
    pid_t pid;
    int results;            /* our end of its pipe */
    struct strbuf received; /* the line that is not complete yet */
};

struct suite {
    const struct suite_options *options;
    struct arena *arena;
    struct scratch *scratch;
    struct test_case *cases;
    struct test_result *results;
    bool *arrived;
    size_t told, failed;
    atomic_size_t *next; /* the test to take, shared by the workers */
    struct worker workers[TEST_JOBS_MAX];
    unsigned jobs;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
    scratch_cancel();
}

bool suite_interrupted(void)
{
    return interrupted != 0;
}

/* ---- before ---------------------------------------------------------------------------------- */

static void unknown_dag(const struct catalogue *catalogue, const struct sql_test *test,
    struct arena *arena, struct diagnostics *diagnostics)
{
    size_t count = catalogue_count(catalogue);
    const char **ids = arena_array(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = catalogue_at(catalogue, i)->dag_id;
    report_suggest(
        report(diagnostics, test->at, ERR_UNKNOWN_REFERENCE,
            "the test `%s`: there is no DAG `%s` (or its file is broken)", test->name, test->dag),
        test->dag, ids, count);
}

static enum status resolve(struct suite *s, const struct catalogue *catalogue,
    struct diagnostics *diagnostics, struct error *err)
{
    const struct suite_options *options = s->options;
    bool ok = true;
    s->cases = arena_array(s->arena, struct test_case, options->count + 1);
    for (size_t i = 0; i < options->count; i++) {
        const struct sql_test *test = &options->tests[i];
        const struct dag *dag = catalogue_find(catalogue, test->dag);
        if (!dag)
            unknown_dag(catalogue, test, s->arena, diagnostics);
        ok &= dag && case_resolve(options->project, dag, test, s->arena, diagnostics, &s->cases[i]);
    }
    return ok ? OK : error_set(err, ERR_DEFINITION, "tests refer to what is not there");
}

static enum status prepare(struct suite *s, struct error *err)
{
    const struct project *project = s->options->project;
    for (size_t i = 0; i < s->options->count; i++)
        for (size_t k = 0; k < s->cases[i].connections.count; k++) {
            enum status status = scratch_prepare(
                s->scratch, project_find_connection(project, s->cases[i].connections.at[k]), err);
            if (interrupted)
                return error_set(err, ERR_INTERRUPTED, "interrupted");
            if (status != OK)
                return status;
        }
    return OK;
}

/* ---- workers --------------------------------------------------------------------------------- */

/* A result as a line of JSON. */
static void send_result(int fd, size_t number, const struct test_result *result)
{
    struct strbuf line = {0};
    struct json_writer w = json_begin(&line);
    json_object_begin(&w);
    json_kv_int(&w, "test", (int64_t)number);
    json_kv_int(&w, "outcome", result->outcome);
    json_kv_str(&w, "text", result->text);
    json_kv_str(&w, "notes", result->notes);
    json_kv_int(&w, "duration_us", result->duration_us);
    json_key(&w, "updates");
    json_array_begin(&w);
    for (size_t i = 0; i < result->update_count; i++) {
        json_object_begin(&w);
        json_kv_str(&w, "path", result->updates[i].path);
        json_kv_int(&w, "begin", (int64_t)result->updates[i].begin);
        json_kv_int(&w, "end", (int64_t)result->updates[i].end);
        json_kv_str(&w, "text", result->updates[i].text);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    strbuf_add_char(&line, '\n');
    for (size_t sent = 0; sent < line.size;) {
        ssize_t n = write(fd, line.text + sent, line.size - sent);
        if (n < 0 && errno != EINTR)
            break; /* nobody reads: the parent is gone */
        sent += n > 0 ? (size_t)n : 0;
    }
    strbuf_done(&line);
}

static void work(struct suite *s, int results)
{
    struct arena *arena = arena_new();
    for (size_t i; !interrupted && (i = atomic_fetch_add(s->next, 1)) < s->options->count;) {
        struct test_result result;
        case_run(&s->cases[i], s->options->project, s->scratch, s->options->twice, arena, &result);
        send_result(results, i, &result);
        arena_clear(arena);
    }
    scratch_settle(s->scratch);
    arena_free(arena);
}

static enum status start_worker(struct suite *s, struct worker *worker, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, ERR_IO, "a pipe: %s", strerror(errno));
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGINT);
        if (getppid() == parent)
            work(s, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error_set(err, ERR_IO, "a worker: %s", strerror(errno));
    }
    *worker = (struct worker){.pid = pid, .results = ends[0]};
    s->jobs++;
    return OK;
}

static void take_updates(struct suite *s, const json_t *list, struct test_result *ret)
{
    struct test_update *updates =
        arena_array(s->arena, struct test_update, json_array_size(list) + 1);
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        updates[i].path = arena_strdup(s->arena, json_string_value(json_object_get(one, "path")));
        updates[i].text = arena_strdup(s->arena, json_string_value(json_object_get(one, "text")));
        updates[i].begin = (size_t)json_integer_value(json_object_get(one, "begin"));
        updates[i].end = (size_t)json_integer_value(json_object_get(one, "end"));
    }
    ret->updates = updates;
    ret->update_count = json_array_size(list);
}

static void take_result(struct suite *s, const char *line, size_t size)
{
    json_t *tree = NULL;
    struct error ignored;
    if (json_parse(line, size, NULL, &tree, &ignored) != OK)
        return; /* a worker died while it wrote: its test counts as broken */
    size_t i = (size_t)json_integer_value(json_object_get(tree, "test"));
    if (i < s->options->count) {
        s->results[i].outcome =
            (enum test_outcome)json_integer_value(json_object_get(tree, "outcome"));
        s->results[i].text =
            arena_strdup(s->arena, json_string_value(json_object_get(tree, "text")));
        s->results[i].notes =
            arena_strdup(s->arena, json_string_value(json_object_get(tree, "notes")));
        s->results[i].duration_us = json_integer_value(json_object_get(tree, "duration_us"));
        take_updates(s, json_object_get(tree, "updates"), &s->results[i]);
        s->arrived[i] = true;
    }
    json_decref(tree);
}

/* False when the worker has ended. */
static bool receive(struct suite *s, struct worker *worker)
{
    char bytes[4096];
    ssize_t n = read(worker->results, bytes, sizeof(bytes));
    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0)
        return false;
    strbuf_add(&worker->received, bytes, (size_t)n);
    for (;;) {
        const char *text = strbuf_text(&worker->received);
        const char *end = memchr(text, '\n', worker->received.size);
        if (!end)
            return true;
        size_t size = (size_t)(end - text);
        take_result(s, text, size);
        memmove(worker->received.text, end + 1, worker->received.size - size - 1);
        worker->received.size -= size + 1;
    }
}

static void tell(struct suite *s, bool all)
{
    for (; s->told < s->options->count && (all || s->arrived[s->told]); s->told++) {
        struct test_result *result = &s->results[s->told];
        s->failed += result->outcome != TEST_PASSED;
        s->options->told(s->options->user, result);
    }
}

static void end_worker(struct suite *s, struct worker *worker)
{
    int status = 0;
    close(worker->results);
    worker->results = -1;
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    strbuf_done(&worker->received);
    if (WIFSIGNALED(status) && s->options->notice)
        s->options->notice(s->options->user, "a worker died; its test counts as broken");
}

/* Until all have ended.  An interruption by other means than the terminal is handed on. */
static void follow(struct suite *s)
{
    size_t open = s->jobs;
    bool handed_on = false;
    while (open > 0) {
        struct pollfd waits[TEST_JOBS_MAX];
        for (unsigned i = 0; i < s->jobs; i++)
            waits[i] = (struct pollfd){.fd = s->workers[i].results, .events = POLLIN};
        if (interrupted && !handed_on) {
            handed_on = true;
            for (unsigned i = 0; i < s->jobs; i++)
                if (s->workers[i].results >= 0)
                    kill(s->workers[i].pid, SIGINT);
        }
        if (poll(waits, s->jobs, -1) < 0)
            continue;
        for (unsigned i = 0; i < s->jobs; i++)
            if (waits[i].revents && !receive(s, &s->workers[i])) {
                end_worker(s, &s->workers[i]);
                open--;
            }
        tell(s, false);
    }
}

static unsigned jobs_of(const struct suite_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned jobs = options->jobs ? options->jobs : processors > 0 ? (unsigned)processors : 1;
    if (jobs > options->count)
        jobs = (unsigned)options->count;
    return jobs < TEST_JOBS_MAX ? jobs : TEST_JOBS_MAX;
}

static enum status run_workers(struct suite *s, struct error *err)
{
    enum status status = OK;
    size_t count = s->options->count;
    s->results = arena_array(s->arena, struct test_result, count + 1);
    s->arrived = arena_array(s->arena, bool, count + 1);
    for (size_t i = 0; i < count; i++)
        s->results[i] = (struct test_result){
            .test = &s->options->tests[i], .outcome = TEST_NOT_RUN, .text = "", .notes = ""};
    s->next =
        mmap(NULL, sizeof(*s->next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->next == MAP_FAILED)
        return error_set(err, ERR_IO, "shared memory: %s", strerror(errno));
    unsigned jobs = jobs_of(s->options);
    for (unsigned i = 0; status == OK && i < jobs; i++)
        status = start_worker(s, &s->workers[i], err);
    follow(s);
    size_t taken = atomic_load(s->next);
    for (size_t i = 0; i < count; i++)
        if (!s->arrived[i] && i < taken && !interrupted)
            s->results[i].outcome = TEST_BROKEN;
    tell(s, true);
    munmap(s->next, sizeof(*s->next));
    return status;
}

enum status suite_run(const struct suite_options *options, struct arena *arena,
    struct diagnostics *diagnostics, size_t *ret_failed, struct error *err)
{
    struct suite s = {.options = options, .arena = arena};
    struct sigaction action = {.sa_handler = on_interrupt}, before[2];
    const struct catalogue_options catalogue_options = {.project = options->project};
    struct catalogue_changes changes;
    CLEANUP(catalogue_freep) struct catalogue *catalogue = catalogue_new(&catalogue_options);
    enum status status = catalogue_load(catalogue, &changes, err);
    if (status == OK)
        status = resolve(&s, catalogue, diagnostics, err);
    if (status != OK)
        return status;
    interrupted = 0;
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
    const char **left;
    for (size_t i = 0, count = temporary_left("test-state", arena, &left); i < count; i++)
        temporary_remove(left[i]);
    s.scratch = options->scratch ? options->scratch
                                 : scratch_new(options->project, options->notice, options->user);
    status = prepare(&s, err);
    if (status == OK)
        status = run_workers(&s, err);
    if (!options->scratch)
        scratch_free(s.scratch);
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    *ret_failed = s.failed;
    if (status == OK && interrupted)
        return error_set(err, ERR_INTERRUPTED, "interrupted");
    return status;
}
