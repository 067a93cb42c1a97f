#include "testing/sandbox.h"
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "base/spawn.h"
#include "base/temporary.h"

enum {
    START_QUIET_S = 300, /* its first start makes a cluster */
    OUTPUT_MAX = 64 * 1024,
};
static const char own_database[] = "postgres";

/* DAG_SANDBOX; else beside the program's folder, where an installation or a build has it; else
   where it was built from. */
static const char *find_program(struct arena *arena)
{
    const char *named = getenv("DAG_SANDBOX");
    if (named)
        return named;
    char self[4096];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self));
    if (size > 0) {
        const char *folder = path_dir(arena, arena_strndup(arena, self, (size_t)size));
        const char *installed =
            path_join(arena, path_dir(arena, folder), "share/dag/sandbox/sandbox");
        if (file_exists(installed))
            return installed;
    }
    return DAG_SOURCE_SANDBOX;
}

/* Runs the sandbox's command; its output without the line's end in the arena. */
static enum status run(const struct test_sandbox *sandbox, const char *const *words, size_t count,
    struct arena *arena, const char **ret, struct error *err)
{
    const char **argv = arena_array(arena, const char *, count + 2);
    struct strbuf out = {.arena = arena};
    int exit_status = 0;
    argv[0] = sandbox->program;
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = words[i];
    const char *why = spawn_output(argv, NULL, START_QUIET_S, OUTPUT_MAX, &out, &exit_status);
    struct slice text = slice_trim(slice_make(strbuf_text(&out), out.size));
    *ret = arena_strndup(arena, text.p, text.size);
    if (why)
        error_set(err, ERR_SCRATCH, "`%s %s`: %s", sandbox->program, words[0], why);
    else if (exit_status != 0)
        error_set(err, ERR_SCRATCH, "`%s %s` ended with %d; what it said stands above",
            sandbox->program, words[0], exit_status);
    else
        return OK;
    error_hint(err,
        "`%s install` installs what the sandbox needs; or set `test_uri` of the "
        "connection",
        sandbox->program);
    return ERR_SCRATCH;
}

static bool is_running(
    struct test_sandbox *sandbox, const struct project *project, struct arena *arena)
{
    const char *folder = path_join(arena, project->root, ".dag/sandbox");
    const char *words[] = {"uri", "--dir", folder, "--database", own_database};
    struct error ignored;
    return dir_exists(folder) &&
           run(sandbox, words, ARRAY_SIZE(words), arena, &sandbox->uri, &ignored) == OK;
}

static void destroy(const struct test_sandbox *sandbox, const char *folder, struct arena *arena)
{
    const char *words[] = {"destroy", "--dir", folder};
    const char *ignored;
    struct error err;
    (void)!run(sandbox, words, ARRAY_SIZE(words), arena, &ignored, &err);
    temporary_remove(folder);
}

/* Servers that killed runs had started. */
static void remove_left(const struct test_sandbox *sandbox, struct arena *arena)
{
    const char **folders;
    size_t count = temporary_left("test-sandbox", arena, &folders);
    for (size_t i = 0; i < count; i++)
        destroy(sandbox, folders[i], arena);
}

enum status test_sandbox_start(struct test_sandbox *sandbox, const struct project *project,
    struct arena *arena, struct error *err)
{
    if (sandbox->uri)
        return OK;
    sandbox->program = find_program(arena);
    if (is_running(sandbox, project, arena))
        return OK;
    sandbox->uri = NULL;
    remove_left(sandbox, arena);
    const char *folder;
    enum status status = temporary_make("test-sandbox", arena, &folder, err);
    if (status != OK)
        return status;
    sandbox->folder = folder;
    const char *ignored;
    const char *start[] = {"start", "--fast", "--dir", folder};
    const char *uri[] = {"uri", "--dir", folder, "--database", own_database};
    status = run(sandbox, start, ARRAY_SIZE(start), arena, &ignored, err);
    if (status == OK)
        status = run(sandbox, uri, ARRAY_SIZE(uri), arena, &sandbox->uri, err);
    return status;
}

void test_sandbox_stop(struct test_sandbox *sandbox)
{
    if (!sandbox->folder)
        return;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    destroy(sandbox, sandbox->folder, arena);
    sandbox->folder = NULL;
}
