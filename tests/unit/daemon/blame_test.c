/* Who is blamed for aborts: real children abort while they are at work. */
#include "daemon/blame.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/test.h"

static const char *state_new(struct arena *arena)
{
    const char *root = getenv("TMPDIR");
    char *path = arena_printf(arena, "%s/dag-blame-test.XXXXXX", root ? root : "/tmp");
    REQUIRE(mkdtemp(path));
    return path;
}

static void state_remove(struct arena *arena, const char *state)
{
    CHECK(unlink(path_join(arena, state, "applying")) == 0);
    CHECK(rmdir(state) == 0);
}

/* A process that opens the file and aborts at work on that DAG (NULL: ends in order). */
static void live(const char *state, enum event_kind event, const char *dag_id)
{
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        struct blame *blame = NULL;
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        if (blame_open(state, 0, &blame, NULL) != OK)
            _exit(1);
        struct scheduler_note *note = blame_note(blame);
        note->event = event;
        snprintf(note->dag_id, sizeof(note->dag_id), "%s", dag_id ? dag_id : "other");
        note->working = dag_id != NULL;
        if (dag_id)
            abort();
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(dag_id ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Whom a start now would blame. */
static void check_blamed(const char *state, const char *dag_id)
{
    struct blame *blame = NULL;
    REQUIRE(blame_open(state, 0, &blame, NULL) == OK);
    CHECK_STR(blame_dag(blame), dag_id);
    blame_close(blame);
}

TEST(two_aborts_at_the_same_place_are_blamed_on_the_dag)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *state = state_new(arena);
    live(state, EVENT_TICK, "bad");
    check_blamed(state, NULL);
    live(state, EVENT_TICK, "bad");
    check_blamed(state, "bad");
    check_blamed(state, "bad"); /* until it is cleared */
    struct blame *blame = NULL;
    REQUIRE(blame_open(state, 0, &blame, NULL) == OK);
    blame_clear(blame);
    blame_close(blame);
    check_blamed(state, NULL);
    state_remove(arena, state);
}

TEST(an_abort_at_another_place_begins_anew)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *state = state_new(arena);
    live(state, EVENT_TICK, "bad");
    live(state, EVENT_REQUEST, "bad");
    check_blamed(state, NULL);
    live(state, EVENT_REQUEST, "worse");
    check_blamed(state, NULL);
    live(state, EVENT_REQUEST, "worse");
    check_blamed(state, "worse");
    state_remove(arena, state);
}

TEST(a_minute_of_life_clears_the_suspicion)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *state = state_new(arena);
    struct blame *blame = NULL;
    live(state, EVENT_TICK, "slow");
    REQUIRE(blame_open(state, 1000, &blame, NULL) == OK);
    blame_alive(blame, 1000 + BLAME_HEALTHY_US + 1);
    blame_close(blame);
    live(state, EVENT_TICK, "slow");
    check_blamed(state, NULL);
    REQUIRE(blame_open(state, 1000, &blame, NULL) == OK);
    blame_alive(blame, 1000 + BLAME_HEALTHY_US / 2);
    blame_close(blame);
    live(state, EVENT_TICK, "slow");
    check_blamed(state, "slow");
    state_remove(arena, state);
}

TEST(an_end_in_order_or_without_a_dag_is_no_abort)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *state = state_new(arena);
    for (int i = 0; i < 3; i++)
        live(state, EVENT_TICK, NULL);
    check_blamed(state, NULL);
    for (int i = 0; i < 3; i++)
        live(state, EVENT_TICK, "");
    check_blamed(state, NULL);
    state_remove(arena, state);
}
