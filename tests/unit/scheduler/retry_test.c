/* Which failures are retried, and when. */
#include "scheduler/retry.h"
#include "tests/unit/test.h"
#include "base/clock.h"

static bool helps_sqlstate(const struct task *task, const char *sqlstate)
{
    struct attempt_result result = {.error_class = CLASS_SQL, .exit_code = -1};
    memcpy(result.sqlstate, sqlstate, sizeof result.sqlstate);
    return retry_helps(task, &result);
}

static bool helps_exit(const struct task *task, int exit_code)
{
    return retry_helps(
        task, &(struct attempt_result){.error_class = CLASS_EXIT, .exit_code = exit_code});
}

static bool helps_class(const struct task *task, enum error_class class)
{
    return retry_helps(task, &(struct attempt_result){.error_class = class, .exit_code = -1});
}

TEST(by_default_every_failure_is_retried_but_the_hopeless_ones)
{
    struct task task = {0};
    static const char *const hopeless[] = {
        "0A000", "22012", "23505", "28P01", "2BP01", "3D000", "3F000", "42P01", "54000"};
    for (size_t n = 0; n < ARRAY_SIZE(hopeless); n++)
        CHECK(!helps_sqlstate(&task, hopeless[n]));
    static const char *const worth[] = {"40001", "40P01", "53300", "57P01", "08006", "XX000"};
    for (size_t n = 0; n < ARRAY_SIZE(worth); n++)
        CHECK(helps_sqlstate(&task, worth[n]));
    CHECK(!helps_exit(&task, 126));
    CHECK(!helps_exit(&task, 127));
    CHECK(helps_exit(&task, 1));
    CHECK(!helps_class(&task, CLASS_TEMPLATE));
    CHECK(helps_class(&task, CLASS_TIMEOUT));
    CHECK(helps_class(&task, CLASS_CONNECT));
    CHECK(helps_class(&task, CLASS_OTHER));
}

static bool helps_status(const struct task *task, int status)
{
    return retry_helps(
        task, &(struct attempt_result){
                  .error_class = CLASS_HTTP, .http_status = status, .exit_code = -1});
}

TEST(of_http_what_may_pass_is_retried_and_no_other_answer)
{
    struct task task = {0};
    static const int worth[] = {408, 429, 500, 502, 503, 599};
    for (size_t n = 0; n < ARRAY_SIZE(worth); n++)
        CHECK(helps_status(&task, worth[n]));
    static const int hopeless[] = {200, 204, 301, 400, 401, 403, 404, 409, 422};
    for (size_t n = 0; n < ARRAY_SIZE(hopeless); n++)
        CHECK(!helps_status(&task, hopeless[n]));
    const char *const list[] = {"409"};
    struct task own = {.retry_on = {list, 1}};
    CHECK(helps_status(&own, 409));
    CHECK(!helps_status(&own, 503));
}

TEST(a_server_that_asks_for_more_time_gets_it_within_max_retry_delay)
{
    struct task task = {.task_id = "t", .retry_delay_us = 30 * US_PER_SECOND};
    CHECK_INT(retry_wait_us("d", &task, 0, 1, 0), 30 * US_PER_SECOND);
    CHECK_INT(retry_wait_us("d", &task, 0, 1, 10 * US_PER_SECOND), 30 * US_PER_SECOND);
    CHECK_INT(retry_wait_us("d", &task, 0, 1, 90 * US_PER_SECOND), 90 * US_PER_SECOND);
    task.max_retry_delay_us = 60 * US_PER_SECOND;
    CHECK_INT(retry_wait_us("d", &task, 0, 1, 90 * US_PER_SECOND), 60 * US_PER_SECOND);
}

TEST(retry_on_replaces_the_default)
{
    const char *const list[] = {"40001", "53", "75"};
    struct task task = {.retry_on = {list, 3}};
    CHECK(helps_sqlstate(&task, "40001"));
    CHECK(!helps_sqlstate(&task, "40P01"));
    CHECK(helps_sqlstate(&task, "53300"));
    CHECK(helps_exit(&task, 75));
    CHECK(!helps_exit(&task, 54));
    CHECK(!helps_class(&task, CLASS_CONNECT));
    CHECK(!helps_class(&task, CLASS_OTHER));
}

TEST(retry_on_all_retries_even_hopeless_ones)
{
    const char *const list[] = {"all"};
    struct task task = {.retry_on = {list, 1}};
    CHECK(helps_sqlstate(&task, "42P01"));
    CHECK(helps_exit(&task, 127));
    CHECK(helps_class(&task, CLASS_TEMPLATE));
}

TEST(retry_on_the_connection_class_catches_connections_without_a_sqlstate)
{
    const char *const list[] = {"08"};
    struct task task = {.retry_on = {list, 1}};
    CHECK(helps_class(&task, CLASS_CONNECT));
    CHECK(!helps_class(&task, CLASS_TIMEOUT));
}

TEST(without_back_off_the_delay_is_retry_delay)
{
    struct task task = {.task_id = "t", .retry_delay_us = 30 * US_PER_SECOND};
    for (int try = 1; try < 5; try++)
        CHECK_INT(retry_delay_us("d", &task, 0, try), 30 * US_PER_SECOND);
}

TEST(back_off_lies_between_the_lower_bound_and_twice_it_and_is_always_the_same)
{
    struct task task = {.task_id = "t",
        .retry_delay_us = 30 * US_PER_SECOND,
        .retry_exponential_backoff = 2,
        .max_retry_delay_us = 24 * US_PER_HOUR};
    int64_t lower = 30 * US_PER_SECOND;
    for (int try = 1; try <= 10; try++, lower *= 2) {
        int64_t delay = retry_delay_us("d", &task, 86400, try);
        CHECK(delay >= lower && delay < 2 * lower);
        CHECK_INT(retry_delay_us("d", &task, 86400, try), delay);
    }
}

TEST(jitter_differs_between_dags_tasks_dates_and_tries)
{
    struct task a = {.task_id = "a", .retry_delay_us = US_PER_HOUR, .retry_exponential_backoff = 1};
    struct task b = a;
    b.task_id = "b";
    int64_t delay = retry_delay_us("d", &a, 1, 1);
    CHECK(retry_delay_us("d", &b, 1, 1) != delay);
    CHECK(retry_delay_us("e", &a, 1, 1) != delay);
    CHECK(retry_delay_us("d", &a, 2, 1) != delay);
    CHECK(retry_delay_us("d", &a, 1, 2) != delay);
}

TEST(max_retry_delay_and_a_day_are_ceilings)
{
    struct task task = {.task_id = "t",
        .retry_delay_us = US_PER_MINUTE,
        .retry_exponential_backoff = 10,
        .max_retry_delay_us = 10 * US_PER_MINUTE};
    CHECK_INT(retry_delay_us("d", &task, 0, 3), 10 * US_PER_MINUTE);
    task.max_retry_delay_us = 0;
    CHECK_INT(retry_delay_us("d", &task, 0, 30), US_PER_DAY);
    CHECK_INT(retry_delay_us("d", &task, 0, 2000), US_PER_DAY);
}
