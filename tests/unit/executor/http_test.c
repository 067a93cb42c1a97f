/* Requests over HTTP: what one attempt comes to, and that the loop never waits. */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>

#include "tests/unit/executor/sql_cases.h"
#include "tests/unit/executor/web.h"

/* A name server that does not answer, for names that end in ".slow": libcurl's own threads come
   here. */
static pthread_mutex_t resolving = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int slow_lookups;
static bool answering;

int getaddrinfo(const char *restrict name, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (name && str_ends(name, ".slow")) {
        pthread_mutex_lock(&resolving);
        slow_lookups++;
        pthread_cond_broadcast(&changed);
        while (!answering)
            pthread_cond_wait(&changed, &resolving);
        slow_lookups--;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&resolving);
        return EAI_AGAIN;
    }
    return real(name, service, hints, ret);
}

static bool is_looked_up(struct rig *r, void *user)
{
    (void)r, (void)user;
    pthread_mutex_lock(&resolving);
    bool so = slow_lookups > 0;
    pthread_mutex_unlock(&resolving);
    return so;
}

static void end_lookups(void)
{
    pthread_mutex_lock(&resolving);
    answering = true;
    pthread_cond_broadcast(&changed);
    while (slow_lookups > 0)
        pthread_cond_wait(&changed, &resolving);
    answering = false;
    pthread_mutex_unlock(&resolving);
}

TEST(a_name_that_is_not_resolved_holds_up_neither_a_cancel_nor_other_requests)
{
    rig = rig_new(NULL);
    struct task *task = rig_http(rig, "/ok");
    PARTS(task, http)->url.value = "http://no.answer.slow/";
    struct effect slow = rig_effect(rig);
    rig_start(rig, &slow);
    REQUIRE(rig_until(rig, is_looked_up, NULL, 60));
    rig_http(rig, "/ok");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig_cancel(rig, &slow, false);
    CHECK_INT(rig_wait(rig, &slow.attempt).outcome, OUTCOME_CANCELLED);
    CHECK(is_looked_up(rig, NULL)); /* the thread is let go, nobody waited for it */
    rig_free(rig);
    end_lookups();
}

TEST(an_executor_goes_while_a_name_is_looked_up)
{
    rig = rig_new(NULL);
    struct task *task = rig_http(rig, "/ok");
    PARTS(task, http)->url.value = "http://no.answer.slow/";
    struct effect slow = rig_effect(rig);
    rig_start(rig, &slow);
    REQUIRE(rig_until(rig, is_looked_up, NULL, 60));
    rig_free(rig);
    end_lookups();
}

TEST(an_answer_is_judged_by_its_status)
{
    static const struct {
        const char *path;
        int status;
        enum error_class class;
    } cases[] = {{"/status/404", 404, CLASS_HTTP}, {"/status/503", 503, CLASS_HTTP},
        {"/close", 0, CLASS_CONNECT}, {"/half", 0, CLASS_CONNECT}, {"/noise", 0, CLASS_CONNECT},
        {"/huge", 200, CLASS_HTTP}, {"/endless", 200, CLASS_HTTP}};
    rig = rig_new(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        rig_http(rig, cases[i].path);
        struct attempt_result result = rig_run(rig);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK_INT(result.error_class, cases[i].class);
        CHECK_INT(result.http_status, cases[i].status);
    }
    rig_http(rig, "/flaky/unit/1");
    CHECK_INT(rig_run(rig).retry_after_us, US_PER_SECOND);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK(contains(result.detail, "\"status\":200"));
    rig_free(rig);
}

TEST(many_requests_at_once_each_get_their_own_answer)
{
    enum { COUNT = 60 };
    struct effect effects[COUNT];
    rig = rig_new(NULL);
    PARTS(rig_http(rig, "/echo"), http)->result = "/path";
    for (int i = 0; i < COUNT; i++) {
        effects[i] = rig_effect(rig);
        rig_start(rig, &effects[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        struct attempt_result result = rig_wait(rig, &effects[i].attempt);
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        CHECK_STR(result.xcom, "\"/echo\"");
    }
    rig_free(rig);
}

TEST(secrets_of_headers_and_addresses_are_not_shown)
{
    static const struct named_text headers[] = {
        {"X-Api-Key", {.value = "abcdefgh1234", .line = 3}},
        {"Authorization", {.value = "Basic dXNlcjpwYXNz", .line = 3}},
    };
    rig = rig_new(NULL);
    struct task *task = rig_http(rig, "/echo");
    PARTS(task, http)->headers = (struct named_texts){headers, ARRAY_SIZE(headers)};
    PARTS(task, http)->url.value =
        arena_printf(rig->arena, "http://user:{{ var.value.token }}@%s/echo", web_url() + 7);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(contains(log, "\"X-Api-Key\": \"***\""));
    CHECK(!strstr(log, "abcdefgh1234"));
    CHECK(!strstr(log, "dXNlcjpwYXNz"));
    CHECK(!strstr(log, "hunter2secret"));
    CHECK(!strstr(log, "user:"));
    rig_free(rig);
}
