/* From the text of a branch to tasks, and of a short circuit to yes or no. */
#include "definition/model/choice.h"
#include "tests/unit/test.h"

/* `g.h.choose` and what follows it. */
static const uint32_t follows[] = {1, 2, 3, 4, 5};
static const struct task tasks[] = {{.task_id = "g.h.choose", .downstream = {follows, 5}},
    {.task_id = "a"}, {.task_id = "g.a"}, {.task_id = "g.h.b"}, {.task_id = "g.h.in.x"},
    {.task_id = "g.other.y"}, {.task_id = "far"}};
static const struct dag dag = {.dag_id = "d", .tasks = tasks, .task_count = 7};

static const char *choose(struct arena *arena, const char *text)
{
    bool marks[5] = {0};
    struct error err;
    if (choice_read(&dag, &tasks[0], slice_of(text), marks, &err) == OK)
        return choice_json(&dag, &tasks[0], marks, arena);
    return arena_printf(arena, "%s; %s", err.message, err.hint);
}

TEST(names_resolve_in_the_innermost_group_first)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CHECK_STR(choose(arena, "b"), "[\"g.h.b\"]");
    CHECK_STR(choose(arena, "h.b"), "[\"g.h.b\"]");
    CHECK_STR(choose(arena, "g.h.b"), "[\"g.h.b\"]");
    CHECK_STR(choose(arena, "a"), "[\"g.a\"]"); /* that of the group, not that of the DAG */
    CHECK_STR(choose(arena, "in"), "[\"g.h.in.x\"]");
    CHECK_STR(choose(arena, "in.x"), "[\"g.h.in.x\"]");
    CHECK_STR(choose(arena, "other"), "[\"g.other.y\"]");
    CHECK_STR(choose(arena, "h"), "[\"g.h.b\",\"g.h.in.x\"]");
    CHECK_STR(choose(arena, "g"), "[\"g.a\",\"g.h.b\",\"g.h.in.x\",\"g.other.y\"]");
}

TEST(several_ids_have_commas_between_and_blanks_do_not_count)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CHECK_STR(choose(arena, "\tin,\n b ,b,, "), "[\"g.h.b\",\"g.h.in.x\"]");
    CHECK_STR(choose(arena, ""), "[]");
    CHECK_STR(choose(arena, " , "), "[]");
}

TEST(an_id_that_does_not_follow_is_refused_with_the_possible_and_the_nearest)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char possible[] = "directly follows `g.h.choose`: `a`, `g.a`, `g.h.b`, "
                                   "`g.h.in.x`, `g.other.y`";
    static const char *const wrong[] = {"far", "choose", "othe", "g.h.bb", "None", "b a"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        CHECK(strstr(choose(arena, wrong[i]), possible) != NULL);
    CHECK(strstr(choose(arena, "g.h.bb"), "did you mean `g.h.b`?") != NULL);
}

TEST(the_words_of_no)
{
    static const char *const no[] = {"", " \n", "false", "FALSE", "f", "0", "no", "nOne", " F "};
    static const char *const yes[] = {"true", "1", "00", "off", "null", "nothing", "0.0", "f f"};
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        CHECK(choice_is_no(slice_of(no[i])));
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        CHECK(!choice_is_no(slice_of(yes[i])));
    CHECK(choice_is_no((struct slice){NULL, 0}));
}
