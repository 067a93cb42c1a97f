/* `trigger_dag`: which run an attempt wants. */
#include "tests/unit/executor/sql_cases.h"

static struct task *trigger(const char *dag_id)
{
    struct task *task = rig_task(rig, KIND_TRIGGER_DAG);
    *PARTS(task, trigger) =
        (struct trigger_task){.dag_id = {.value = dag_id, .line = 4, .column = 1}};
    return task;
}

TEST(it_wants_a_run_of_the_dag_at_its_own_date_with_an_empty_conf)
{
    rig = rig_new(NULL);
    trigger(" {{ 'rep' ~ 'orts' }} ");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    REQUIRE(result.trigger != NULL);
    CHECK_STR(result.trigger->dag_id, "reports");
    CHECK_INT(result.trigger->logical_us, rig->run.logical_us);
    CHECK_STR(result.trigger->conf, "{}");
    CHECK(contains(rig_log(rig, rig_last(rig)), "wants a run of `reports` of 2007-04-12"));
    rig_free(rig);
}

TEST(texts_of_conf_are_templates_and_other_values_keep_their_types)
{
    rig = rig_new(NULL);
    CLEANUP(json_decrefp) json_t *conf = NULL;
    const char *text = "{\"day\": \"{{ ds }}\", \"n\": 3, \"in\": [\"{{ 1 + 1 }}\", null]}";
    struct error err;
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &conf, &err), &err);
    PARTS(trigger("reports"), trigger)->json = conf;
    CHECK_STR(rig_run(rig).trigger->conf, "{\"day\":\"2007-04-12\",\"n\":3,\"in\":[\"2\",null]}");
    PARTS(trigger("reports"), trigger)->conf.value = "{{ {'n': 3, 'day': ds} | tojson }}";
    CHECK_STR(rig_run(rig).trigger->conf, "{\"day\": \"2007-04-12\", \"n\": 3}");
    rig_free(rig);
}

TEST(a_date_is_rendered_and_read_in_the_dags_zone)
{
    rig = rig_new(NULL);
    PARTS(trigger("reports"), trigger)->logical_date.value = "{{ macros.ds_add(ds, 1) }}T06:00";
    CHECK_INT(rig_run(rig).trigger->logical_us, rig->run.logical_us + US_PER_DAY + 6 * US_PER_HOUR);
    PARTS(trigger("reports"), trigger)->logical_date.value = "2030-01-01T02:00:00+02:00";
    CHECK_INT(rig_run(rig).trigger->logical_us % US_PER_DAY, 0);
    rig_free(rig);
}

TEST(what_is_of_no_use_fails_it_without_a_retry)
{
    static const struct {
        const char *dag_id, *date, *conf, *message;
    } cases[] = {{"{{ '' }}", NULL, NULL, "`dag_id` came out empty"},
        {"reports", "{{ 'soon' }}", NULL, "logical_date: 'soon' is not a date or time"},
        {"reports", NULL, "{{ [1] | tojson }}", "conf: it is no JSON object"},
        {"reports", NULL, "{{ 'x' }}", "conf: "},
        {"reports", NULL, "{{ {'a': var.value.token} | tojson }}",
            "`conf` has a secret in it, and is stored with the run"}};
    rig = rig_new(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct task *task = trigger(cases[i].dag_id);
        PARTS(task, trigger)->logical_date.value = cases[i].date;
        PARTS(task, trigger)->conf.value = cases[i].conf;
        struct attempt_result result = rig_run(rig);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK_INT(result.error_class, CLASS_TEMPLATE);
        CHECK(contains(result.message, cases[i].message));
        CHECK(!result.trigger);
    }
    rig_free(rig);
}

TEST(a_conf_that_the_dags_params_do_not_allow_fails_it)
{
    rig = rig_new(NULL);
    CLEANUP(json_decrefp) json_t *schema = json_pack("{s:s, s:i}", "type", "integer", "minimum", 1);
    struct param param = {.name = "n", .schema = schema};
    rig->target = &(struct dag){.dag_id = "reports", .params = &param, .param_count = 1};
    PARTS(trigger("reports"), trigger)->conf.value = "{{ {'n': 0} | tojson }}";
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "conf: "));
    CHECK(contains(result.message, "`n`"));
    PARTS(trigger("reports"), trigger)->conf.value = "{{ {'n': 1, 'other': 'x'} | tojson }}";
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    trigger("reports"); /* the task of that DAG may give it */
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->target = NULL;
    rig_free(rig);
}
