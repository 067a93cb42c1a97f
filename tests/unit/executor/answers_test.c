/* Answers of an endpoint that are given again. */
#include "executor/serving/answers.h"
#include "base/string.h"
#include "executor/limits.h"
#include "tests/unit/test.h"

static struct served_rows rows(const char *json)
{
    return (struct served_rows){slice_of(json), 1};
}

static const char *found(struct answers *answers, const char *key, int64_t now_us)
{
    struct served_rows kept;
    return answers_find(answers, key, now_us, &kept) ? kept.json.p : "none";
}

TEST(values_have_a_key_of_their_own)
{
    const char *const cases[][2] = {
        {"a", "b"}, {"ab", NULL}, {NULL, "ab"}, {NULL, NULL}, {"", ""}, {"-", NULL}, {"1:a", ""}};
    struct strbuf keys[ARRAY_SIZE(cases)] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        answers_key(cases[i], 2, &keys[i]);
        for (size_t j = 0; j < i; j++)
            CHECK(!str_equal(strbuf_text(&keys[i]), strbuf_text(&keys[j])));
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        strbuf_done(&keys[i]);
}

TEST(an_answer_is_given_until_its_time_is_over)
{
    struct answers *answers = answers_new();
    struct served_rows first = rows("[1]"), second = rows("[2]");
    answers_keep(answers, "k", &first, 100);
    CHECK_STR(found(answers, "k", 99), "[1]");
    CHECK_STR(found(answers, "other", 99), "none");
    answers_keep(answers, "k", &second, 200);
    CHECK_STR(found(answers, "k", 150), "[2]");
    CHECK_INT(answers_count(answers), 1);
    CHECK_STR(found(answers, "k", 200), "none");
    CHECK_INT(answers_count(answers), 0);
    answers_free(answers);
}

TEST(the_oldest_go_when_there_are_too_many)
{
    struct answers *answers = answers_new();
    struct served_rows one = rows("[1]");
    char key[16];
    for (int i = 0; i < SERVING_KEPT_MAX + 10; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        answers_keep(answers, key, &one, 100);
    }
    CHECK_INT(answers_count(answers), SERVING_KEPT_MAX);
    CHECK_STR(found(answers, "k9", 1), "none");
    CHECK_STR(found(answers, "k10", 1), "[1]");
    answers_clear(answers);
    CHECK_INT(answers_count(answers), 0);
    answers_free(answers);
}

TEST(bytes_are_bounded_too)
{
    struct answers *answers = answers_new();
    size_t size = SERVING_KEPT_BYTES_MAX / 3;
    char *text = mem_alloc_zero(1, 3 * size + 1);
    memset(text, '1', 3 * size);
    struct served_rows third = {slice_make(text, size), 1}, all = {slice_make(text, 3 * size), 1};
    answers_keep(answers, "a", &third, 100);
    answers_keep(answers, "b", &third, 100);
    answers_keep(answers, "c", &third, 100);
    CHECK_INT(answers_count(answers), 2);
    CHECK_STR(found(answers, "a", 1), "none");
    answers_keep(answers, "d", &all, 100);
    CHECK_STR(found(answers, "d", 1), "none");
    CHECK_INT(answers_count(answers), 2);
    answers_free(answers);
    mem_free(text);
}
