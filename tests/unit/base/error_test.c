#include "tests/unit/test.h"

static const char *formatted(const struct error *err, struct strbuf *out)
{
    strbuf_clear(out);
    error_format(err, "error", out);
    return strbuf_text(out);
}

TEST(every_error_has_a_meaning_a_remedy_and_proper_statuses)
{
    for (int s = 0; s < ERR_COUNT_; s++) {
        const struct status_info *info = status_info((enum status)s);
        CHECK(info->name && info->name[0]);
        CHECK(info->meaning && info->meaning[0] && !str_ends(info->meaning, "."));
        CHECK(info->remedy && info->remedy[0] && !str_ends(info->remedy, "."));
        CHECK(info->exit_status >= (s != OK) && info->exit_status <= 4);
        CHECK(s == OK ? info->http_status == 200
                      : info->http_status >= 400 && info->http_status <= 599);
        for (int other = 0; other < s; other++)
            CHECK(strcmp(info->name, status_info((enum status)other)->name) != 0);
    }
    CHECK_STR(status_info((enum status)9999)->name, "INTERNAL");
}

TEST(an_error_shows_place_line_caret_and_hint)
{
    struct error err;
    CLEANUP(strbuf_done) struct strbuf out = {0};
    const char text[] = "select 1\nwhere tdate = '{{ foo }}'\n";
    CHECK_INT(error_set(&err, ERR_INVALID, "'%s' is undefined", "foo"), ERR_INVALID);
    error_at(&err, "templates/x.sql", text, strlen(text), 27);
    error_hint(&err, "did you mean '%s'?", "for");
    CHECK_STR(formatted(&err, &out), "templates/x.sql:2:19: error: 'foo' is undefined\n"
                                     "    2 | where tdate = '{{ foo }}'\n"
                                     "      |                   ^\n"
                                     "  hint: did you mean 'for'?\n");
}

TEST(the_caret_stands_below_its_column_behind_tabs_and_wide_characters)
{
    struct error err;
    CLEANUP(strbuf_done) struct strbuf out = {0};
    error_set(&err, ERR_INVALID, "no");
    error_place(&err, NULL, 7, 4, "\t日x!");
    CHECK_STR(formatted(&err, &out), "line 7:4: error: no\n"
                                     "    7 | \t日x!\n"
                                     "      | \t   ^\n");
    error_place(&err, "f", 7, 40, "short");
    CHECK_STR(formatted(&err, &out), "f:7:40: error: no\n    7 | short\n");
}

TEST(an_error_without_place_is_one_line)
{
    struct error err;
    CLEANUP(strbuf_done) struct strbuf out = {0};
    error_set(&err, ERR_IO, "cannot read");
    CHECK_STR(formatted(&err, &out), "error: cannot read\n");
    error_place(&err, "dag.yaml", 0, 0, NULL);
    CHECK_STR(formatted(&err, &out), "dag.yaml: error: cannot read\n");
}

TEST(a_users_control_characters_do_not_reach_the_terminal)
{
    struct error err;
    CLEANUP(strbuf_done) struct strbuf out = {0};
    error_set(&err, ERR_INVALID, "no");
    error_place(&err, "f", 1, 1, "\033[31mred\x7f");
    CHECK(strchr(formatted(&err, &out), '\033') == NULL);
    CHECK(strchr(out.text, 0x7f) == NULL);
}

TEST(context_goes_in_front_and_keeps_the_rest)
{
    struct error err;
    error_set(&err, ERR_NOT_FOUND, "no file");
    error_hint(&err, "make it");
    CHECK_INT(error_context(&err, "loading DAG `%s`: ", "geolife"), ERR_NOT_FOUND);
    CHECK_STR(err.message, "loading DAG `geolife`: no file");
    CHECK_STR(err.hint, "make it");
}

TEST(a_cleared_error_says_nothing)
{
    struct error err = {0};
    error_set(&err, ERR_INVALID, "wrong");
    error_hint(&err, "right");
    error_place(&err, "a.sql", 3, 4, "select");
    error_trace(&err, "in b.sql");
    error_clear(&err);
    CHECK_INT(err.status, OK);
    CHECK(!err.message[0] && !err.hint[0] && !err.excerpt[0] && !err.trace[0]);
    CHECK(!err.place.file[0] && err.place.line == 0 && err.place.column == 0);
}

TEST(setting_an_error_clears_the_one_before)
{
    struct error err;
    error_set(&err, ERR_NOT_FOUND, "first");
    error_hint(&err, "hint");
    error_trace(&err, "trace");
    error_place(&err, "f", 1, 1, "x");
    error_set(&err, ERR_IO, "second, after: %s", err.message);
    CHECK_STR(err.message, "second, after: first");
    CHECK(err.status == ERR_IO && !err.hint[0] && !err.trace[0] && !err.place.file[0]);
    CHECK(err.place.line == 0 && !err.excerpt[0]);
}

TEST(text_that_does_not_fit_ends_with_an_ellipsis_on_a_whole_character)
{
    struct error err;
    char text[4000];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "é", 3);
    error_set(&err, ERR_INVALID, "x%s", text);
    CHECK(str_ends(err.message, "é…") && utf8_valid(err.message, strlen(err.message), NULL));
    error_set(&err, ERR_INVALID, "%s", text);
    CHECK(str_ends(err.message, "é…") && utf8_valid(err.message, strlen(err.message), NULL));
    error_hint(&err, "%s", text);
    CHECK(str_ends(err.hint, "…") && utf8_valid(err.hint, strlen(err.hint), NULL));
    error_place(&err, text, 1, 1, text);
    CHECK(str_ends(err.excerpt, "…") && str_ends(err.place.file, "…"));
    error_trace(&err, "%s", text);
    CHECK(str_ends(err.trace, "…"));
    error_context(&err, "%s", text);
    CHECK(str_ends(err.message, "…"));
}

TEST(trace_lines_follow_the_excerpt)
{
    struct error err;
    CLEANUP(strbuf_done) struct strbuf out = {0};
    error_set(&err, ERR_INVALID, "no");
    error_trace(&err, "in macro %s", "a");
    error_trace(&err, "included from b");
    memcpy(err.sqlstate, "42P01", 6);
    CHECK_STR(
        formatted(&err, &out), "error: no (SQLSTATE 42P01)\n  in macro a\n  included from b\n");
}

TEST(a_caller_may_pass_no_error)
{
    CHECK_INT(error_set(NULL, ERR_IO, "x"), ERR_IO);
    error_hint(NULL, "x");
    error_at(NULL, "f", "x", 1, 0);
    error_place(NULL, "f", 1, 1, NULL);
    error_trace(NULL, "x");
    CHECK(error_context(NULL, "x") != OK);
}

TEST(diagnostics_are_kept_in_order_counted_and_bounded)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct diagnostics list;
    diagnostics_init(&list, arena);
    struct error err;
    for (int i = 0; i < DIAGNOSTICS_MAX + 5; i++) {
        error_set(&err, ERR_INVALID, "mistake %d", i);
        diagnostics_add(&list, i % 2 ? "warning" : "error", &err)->code = "some-code";
    }
    CHECK_INT(list.error_count + list.warning_count, DIAGNOSTICS_MAX + 5);
    CHECK_INT(list.dropped, 5);
    size_t count = 0;
    for (const struct diagnostic *d = list.first; d; d = d->next)
        count++;
    CHECK_INT(count, DIAGNOSTICS_MAX);
    CHECK_STR(list.first->error.message, "mistake 0");
    CHECK_STR(list.first->next->severity, "warning");
}
