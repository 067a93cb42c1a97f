/* Words and plans. */
#include "scheduler/plan.h"
#include "tests/unit/scheduler/build.h"

TEST(reasons_have_codes_of_their_own_that_read_back)
{
    for (size_t n = 0; n < REASON_COUNT; n++) {
        enum reason back;
        REQUIRE(reason_parse(reason_code((enum reason)n), &back));
        CHECK_INT(back, n);
        CHECK(n == REASON_NONE || reason_text((enum reason)n)[0] != '\0');
    }
    enum reason none;
    CHECK(!reason_parse("no such reason", &none));
}

TEST(request_kinds_read_back)
{
    for (size_t n = 0; n < REQUEST_KIND_COUNT; n++) {
        enum request_kind back;
        REQUIRE(request_kind_parse(request_kind_name((enum request_kind)n), &back));
        CHECK_INT(back, n);
    }
    enum request_kind none;
    CHECK(!request_kind_parse("dance", &none));
}

TEST(a_plan_releases_the_versions_of_its_effects)
{
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    struct plan plan;
    plan_init(&plan);
    struct effect start = {.kind = EFFECT_START, .dag = dag_ref(dag)};
    vec_push(&plan.effects, start);
    CHECK_INT(atomic_load(&dag->references), 2);
    plan_clear(&plan);
    CHECK_INT(atomic_load(&dag->references), 1);
    CHECK_INT(plan.effects.count, 0);
    plan_done(&plan);
    dag_unref(dag);
}
