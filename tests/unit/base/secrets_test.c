#include "base/secrets.h"

#include "tests/unit/test.h"

static void check_masked(const struct secrets *secrets, const char *text, const char *masked)
{
    CLEANUP(strbuf_done) struct strbuf out = {0};
    secrets_mask(secrets, slice_of(text), &out);
    CHECK_STR(strbuf_text(&out), masked);
}

TEST(secrets_are_masked_wherever_they_stand)
{
    CLEANUP(secrets_done) struct secrets secrets = {0};
    check_masked(&secrets, "hunter2", "hunter2");
    secrets_add(&secrets, slice_of("hunter2"));
    secrets_add(&secrets, slice_of("hunter2"));
    CHECK_INT(secrets.texts.count, 1);
    check_masked(&secrets, "hunter2", "***");
    check_masked(&secrets, "a hunter2, hunter2hunter2 hunter", "a ***, ****** hunter");
    check_masked(&secrets, "", "");
}

TEST(a_secret_is_masked_within_json_too)
{
    CLEANUP(secrets_done) struct secrets secrets = {0};
    secrets_add(&secrets, slice_of("pass\"word\\with/all\nof\tit\x01"));
    check_masked(
        &secrets, "{\"a\": \"pass\\\"word\\\\with/all\\nof\\tit\\u0001\"}", "{\"a\": \"***\"}");
    check_masked(
        &secrets, "{\"a\": \"pass\\\"word\\\\with\\/all\\nof\\tit\\u0001\"}", "{\"a\": \"***\"}");
}

TEST(the_longest_secret_counts)
{
    CLEANUP(secrets_done) struct secrets secrets = {0};
    secrets_add(&secrets, slice_of("hunter2"));
    secrets_add(&secrets, slice_of("uri://hunter2@host"));
    secrets_add(&secrets, slice_of("hunter2-and-more"));
    check_masked(&secrets, "uri://hunter2@host hunter2-and-more", "*** ***");
}

TEST(what_is_too_short_to_be_told_from_words_is_not_masked)
{
    CLEANUP(secrets_done) struct secrets secrets = {0};
    secrets_add(&secrets, slice_of("abc"));
    secrets_add(&secrets, slice_of(""));
    check_masked(&secrets, "abc", "abc");
}

TEST(an_error_is_masked_in_all_its_texts)
{
    CLEANUP(secrets_done) struct secrets secrets = {0};
    struct error err;
    error_set(&err, ERR_INVALID, "no `hunter2` here");
    error_hint(&err, "not hunter2");
    error_place(&err, "f.sql", 1, 2, "x hunter2 y");
    error_trace(&err, "in hunter2");
    secrets_add(&secrets, slice_of("hunter2"));
    secrets_mask_error(&secrets, NULL);
    secrets_mask_error(&secrets, &err);
    CHECK_STR(err.message, "no `***` here");
    CHECK_STR(err.hint, "not ***");
    CHECK_STR(err.excerpt, "x *** y");
    CHECK(!strstr(err.trace, "hunter2") && strstr(err.trace, "***"));
    CHECK_INT(err.place.line, 1);
}
