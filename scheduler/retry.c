#include "scheduler/retry.h"

#include <math.h>
#include <stdio.h>
#include "base/file.h"
#include "base/string.h"
#include "scheduler/limits.h"

static const char *const hopeless_classes[] = {
    "0A", "22", "23", "28", "2B", "3D", "3F", "42", "54"};

/* Exit statuses of a shell: found but not executable, and not found. */
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* The SQLSTATE of a failure, given by the server or by what the failure is; "" without. */
static const char *sqlstate_of(const struct attempt_result *result)
{
    if (result->sqlstate[0])
        return result->sqlstate;
    if (result->error_class == CLASS_CONNECT)
        return "08000";
    return result->error_class == CLASS_TIMEOUT ? "57014" : "";
}

static bool in_class(const char *sqlstate, const char *class)
{
    return sqlstate[0] && strlen(class) == 2 && strncmp(sqlstate, class, 2) == 0;
}

/* The server wants it later, or has trouble of its own. */
static bool may_pass(int32_t status)
{
    return status == 408 || status == 429 || status >= 500;
}

static bool is_hopeless(const struct attempt_result *result)
{
    if (result->error_class == CLASS_TEMPLATE)
        return true;
    if (result->error_class == CLASS_EXIT)
        return result->exit_code == EXIT_NOT_EXECUTABLE || result->exit_code == EXIT_NOT_FOUND;
    if (result->error_class == CLASS_HTTP)
        return !may_pass(result->http_status);
    for (size_t i = 0; i < ARRAY_SIZE(hopeless_classes); i++)
        if (in_class(result->sqlstate, hopeless_classes[i]))
            return true;
    return false;
}

static bool names(const char *wanted, const struct attempt_result *result)
{
    if (str_equal(wanted, "all"))
        return true;
    bool http = result->error_class == CLASS_HTTP;
    if (result->error_class == CLASS_EXIT || http) {
        char code[16];
        snprintf(code, sizeof code, "%d", http ? result->http_status : result->exit_code);
        return str_equal(wanted, code);
    }
    const char *sqlstate = sqlstate_of(result);
    return str_equal(wanted, sqlstate) || in_class(sqlstate, wanted);
}

bool retry_helps(const struct task *task, const struct attempt_result *result)
{
    if (!task->retry_on.count)
        return !is_hopeless(result);
    for (size_t i = 0; i < task->retry_on.count; i++)
        if (names(task->retry_on.at[i], result))
            return true;
    return false;
}

static uint64_t jitter(
    const char *dag_id, const char *task_id, int64_t logical_us, int32_t try_number)
{
    struct strbuf key = {0};
    strbuf_printf(&key, "%s#%s#%lld#%d", dag_id, task_id, (long long)logical_us, try_number);
    uint64_t hash = hash_u64(key.text, key.size);
    strbuf_done(&key);
    return hash;
}

/* Delay `number` (from 1) of those that grow by `factor` from `first_us`. */
static int64_t backoff_us(
    int64_t first_us, double factor, int64_t ceiling, int32_t number, uint64_t hash)
{
    double exact = ceil((double)first_us * pow(factor, number > 1 ? number - 1 : 0));
    if (exact >= (double)ceiling)
        return ceiling;
    int64_t lower = exact < 1 ? 1 : (int64_t)exact;
    int64_t delay = lower + (int64_t)(hash % (uint64_t)lower);
    return delay < ceiling ? delay : ceiling;
}

static int64_t longest_delay_us(const struct task *task)
{
    int64_t us = task->max_retry_delay_us;
    return us > 0 && us < RETRY_DELAY_MAX_US ? us : RETRY_DELAY_MAX_US;
}

int64_t retry_delay_us(
    const char *dag_id, const struct task *task, int64_t logical_us, int32_t try_number)
{
    if (task->retry_exponential_backoff <= 0)
        return task->retry_delay_us;
    return backoff_us(task->retry_delay_us, task->retry_exponential_backoff, longest_delay_us(task),
        try_number, jitter(dag_id, task->task_id, logical_us, try_number));
}

int64_t retry_wait_us(const char *dag_id, const struct task *task, int64_t logical_us,
    int32_t try_number, int64_t asked_us)
{
    int64_t delay_us = retry_delay_us(dag_id, task, logical_us, try_number);
    if (asked_us > longest_delay_us(task))
        asked_us = longest_delay_us(task);
    return asked_us > delay_us ? asked_us : delay_us;
}

int64_t poke_delay_us(
    const char *dag_id, const struct task *task, int64_t logical_us, int32_t looks)
{
    int64_t interval_us = task->wait->poke_interval_us;
    if (interval_us < US_PER_SECOND)
        interval_us = US_PER_SECOND;
    if (!task->wait->exponential_backoff)
        return interval_us;
    return backoff_us(interval_us, 2, RETRY_DELAY_MAX_US, looks,
        jitter(dag_id, task->task_id, logical_us, looks));
}
