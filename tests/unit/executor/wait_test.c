/* Sensors: what one look finds. */
#include "tests/unit/executor/sql_cases.h"

static struct task *sensor(enum wait_kind kind, const char *text)
{
    struct task *task = rig_task(rig, KIND_WAIT_FOR);
    *PARTS(task, wait) =
        (struct wait_task){.kind = kind, .text = {.value = text, .line = 4, .column = 1}};
    return task;
}

static struct attempt_result look_sql(const char *sql)
{
    struct task *task = sensor(WAIT_SQL, NULL);
    task->sql = (struct sql_task){
        .sql = {.value = sql, .line = 4, .column = 1}, .connection = "db", .transaction = true};
    return rig_run(rig);
}

TEST(a_query_without_a_true_value_is_asked_again)
{
    static const struct {
        const char *sql, *saw;
    } not_yet[] = {{"select 1 where false", "the query gives no row"},
        {"select null::int", "the query gives null"}, {"select false", "the query gives `f`"},
        {"select 0", "the query gives `0`"}};
    sql_begin("sensor");
    for (size_t i = 0; i < ARRAY_SIZE(not_yet); i++) {
        struct attempt_result result = look_sql(not_yet[i].sql);
        CHECK_INT(result.outcome, OUTCOME_WAIT);
        CHECK_STR(result.message, not_yet[i].saw);
    }
    CHECK_INT(look_sql("select 7").outcome, OUTCOME_SUCCESS);
    CHECK_INT(look_sql("select nothing").outcome, OUTCOME_FAILED);
    CHECK_STR(look_sql("create table u (v int)").sqlstate, "25006");
    sql_finish();
}

TEST(a_file_a_folder_or_what_matches_a_pattern_is_waited_for)
{
    sql_begin("sensor_files");
    sensor(WAIT_FILE, "no/such/*.csv");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_WAIT);
    sensor(WAIT_FILE, "/");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    sensor(WAIT_FILE, "/et[c]/pass*");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    sensor(WAIT_FILE, "{{ '' }}");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_TEMPLATE);
    sql_finish();
}

TEST(a_time_says_when_to_look)
{
    sql_begin("sensor_time");
    sensor(WAIT_TIME, "9000-01-01T06:00");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_WAIT);
    CHECK(result.look_at_us > clock_now().wall_us);
    sensor(WAIT_TIME, "2001-01-01");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    sensor(WAIT_TIME, "{{ 'soon' }}");
    CHECK_INT(rig_run(rig).error_class, CLASS_TEMPLATE);
    sql_finish();
}
