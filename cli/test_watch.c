#include "cli/test_watch.h"
#include <signal.h>
#include <unistd.h>
#include <uv.h>
#include "base/file.h"
#include "daemon/watch.h"
#include "definition/catalogue.h"
#include "testing/limits.h"

enum {
    QUIET_MS = 60, /* editors save in several steps */
    FILE_MAX = 16 << 20,
};

struct known {
    char hash[HASH_TEXT_SIZE];
};

struct test_watch {
    struct cli *cli;
    uv_loop_t loop;
    uv_signal_t signals[2];
    uv_timer_t quiet;
    struct watch *folders;
    VEC(struct known) known; /* of the tests that ran as they are */
    char migrations[HASH_TEXT_SIZE];
    bool changed, interrupted;
};

/* ---- the loop -------------------------------------------------------------------------------- */

static void on_quiet(uv_timer_t *timer)
{
    struct test_watch *watch = timer->data;
    watch->changed = true;
    uv_stop(&watch->loop);
}

static void on_change(void *user)
{
    struct test_watch *watch = user;
    uv_timer_start(&watch->quiet, on_quiet, QUIET_MS, 0);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct test_watch *watch = handle->data;
    (void)number;
    watch->interrupted = true;
    uv_stop(&watch->loop);
}

struct test_watch *test_watch_new(struct cli *cli)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct test_watch *watch = mem_alloc_zero(1, sizeof(*watch));
    watch->cli = cli;
    uv_loop_init(&watch->loop);
    uv_timer_init(&watch->loop, &watch->quiet);
    watch->quiet.data = watch;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        uv_signal_init(&watch->loop, &watch->signals[i]);
        watch->signals[i].data = watch;
        uv_signal_start(&watch->signals[i], on_signal, numbers[i]);
    }
    watch->folders = watch_new(&watch->loop, on_change, watch);
    return watch;
}

void test_watch_free(struct test_watch *watch)
{
    watch_free(watch->folders);
    uv_close((uv_handle_t *)&watch->quiet, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(watch->signals); i++)
        uv_close((uv_handle_t *)&watch->signals[i], NULL);
    uv_run(&watch->loop, UV_RUN_DEFAULT);
    uv_loop_close(&watch->loop);
    vec_done(&watch->known);
    mem_free(watch);
}

/* ---- which folders --------------------------------------------------------------------------- */

typedef VEC(const char *) path_list;

static void add_folder(path_list *list, const char *path)
{
    vec_each (p, list)
        if (str_equal(*p, path))
            return;
    vec_push(list, path);
}

/* The folder, and those below it that have files. */
static void add_tree(struct test_watch *watch, path_list *list, const char *folder)
{
    struct arena *arena = watch->cli->arena;
    const char **paths;
    size_t count;
    struct error ignored;
    if (!dir_exists(folder) || dir_list(folder, "", arena, &paths, &count, &ignored) != OK)
        return;
    add_folder(list, folder);
    for (size_t i = 0; i < count; i++)
        for (const char *at = path_dir(arena, path_join(arena, folder, paths[i]));
             !str_equal(at, folder); at = path_dir(arena, at))
            add_folder(list, at);
}

void test_watch_begin(struct test_watch *watch)
{
    const struct project *project = watch->cli->project;
    const char *const trees[] = {
        project->dags, project->templates, project->migrations, project->tests};
    struct arena *arena = watch->cli->arena;
    path_list list = {0};
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
        add_tree(watch, &list, path_join(arena, project->root, trees[i]));
    for (size_t i = 0; i < watch->cli->arg_count; i++) {
        const char *path = path_absolute(arena, watch->cli->args[i]);
        add_tree(watch, &list, dir_exists(path) ? path : path_dir(arena, path));
    }
    struct names names = {list.at, list.count};
    (void)watch_set(watch->folders, &names);
    vec_done(&list);
}

bool test_watch_wait(struct test_watch *watch)
{
    watch->changed = false;
    if (isatty(STDERR_FILENO))
        fputs("watching; Ctrl-C ends it …\n", stderr);
    while (!watch->changed && !watch->interrupted)
        uv_run(&watch->loop, UV_RUN_DEFAULT);
    return !watch->interrupted;
}

/* ---- what changed ---------------------------------------------------------------------------- */

static void add_file(struct strbuf *text, const char *path, struct arena *arena)
{
    struct slice content;
    struct error ignored;
    strbuf_printf(text, "%s\n", path);
    if (file_read(path, FILE_MAX, arena, &content, &ignored) == OK)
        strbuf_add_slice(text, content);
}

static void add_named_files(struct strbuf *text, const struct sql_test *test,
    const struct test_tables *tables, struct arena *arena)
{
    vec_each (table, tables) {
        if (table->is.csv)
            add_file(text, path_join(arena, test->folder, table->is.csv), arena);
        if (table->is.sql && str_ends(table->is.sql, ".sql") && !strchr(table->is.sql, '\n'))
            add_file(text, path_join(arena, test->folder, table->is.sql), arena);
    }
}

/* Anchors make that another part of a file matters: its whole text is taken. */
static struct known know(
    const struct sql_test *test, const struct catalogue *catalogue, struct arena *arena)
{
    struct known known;
    struct strbuf text = {0};
    const struct dag *dag = catalogue_find(catalogue, test->dag);
    strbuf_printf(&text, "%s\n%s\n%s\n", test->file, test->name, dag ? dag->version : "");
    strbuf_printf(&text, "%zu\n", test->at->offset);
    strbuf_add_slice(&text, test->at->source->text);
    add_named_files(&text, test, &test->given, arena);
    add_named_files(&text, test, &test->expect, arena);
    hash_sha256(strbuf_text(&text), text.size, known.hash);
    strbuf_done(&text);
    return known;
}

static void hash_migrations(struct test_watch *watch, char ret[HASH_TEXT_SIZE])
{
    struct arena *arena = watch->cli->arena;
    const struct project *project = watch->cli->project;
    const char *folder = path_join(arena, project->root, project->migrations);
    const char **paths = NULL;
    size_t count = 0;
    struct error ignored;
    struct strbuf text = {0};
    if (dir_list(folder, ".sql", arena, &paths, &count, &ignored) == OK)
        for (size_t i = 0; i < count; i++)
            add_file(&text, path_join(arena, folder, paths[i]), arena);
    hash_sha256(strbuf_text(&text), text.size, ret);
    strbuf_done(&text);
}

static void notice(void *user, const char *text)
{
    (void)user;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s …\n", text);
}

enum status test_watch_filter(
    struct test_watch *watch, sql_tests *tests, struct scratch **scratch, struct error *err)
{
    const struct catalogue_options options = {.project = watch->cli->project};
    struct catalogue_changes changes;
    char migrations[HASH_TEXT_SIZE];
    VEC(struct known) now = {0};
    hash_migrations(watch, migrations);
    if (!*scratch || !str_equal(migrations, watch->migrations)) {
        watch->known.count = 0;
        scratch_free(*scratch);
        *scratch = scratch_new(watch->cli->project, notice, NULL);
        memcpy(watch->migrations, migrations, sizeof(migrations));
    }
    CLEANUP(catalogue_freep) struct catalogue *catalogue = catalogue_new(&options);
    enum status status = catalogue_load(catalogue, &changes, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < tests->count; i++)
        vec_push(&now, know(&tests->at[i], catalogue, watch->cli->arena));
    for (size_t i = tests->count; i-- > 0;)
        vec_each (k, &watch->known)
            if (str_equal(k->hash, now.at[i].hash)) {
                vec_remove(tests, i);
                break;
            }
    watch->known.count = 0;
    vec_each (k, &now)
        vec_push(&watch->known, *k);
    vec_done(&now);
    return OK;
}
