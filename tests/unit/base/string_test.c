#include "tests/unit/test.h"

TEST(slices_compare_by_their_bytes_not_their_end)
{
    CHECK(slice_equal(slice_make("abcd", 3), slice_of("abc")));
    CHECK(!slice_equal(slice_of("abc"), slice_of("abd")));
    CHECK(slice_equal((struct slice){0}, slice_of("")));
    CHECK(slice_equal_str(slice_make("x\0y", 1), "x"));
    CHECK(!slice_equal_str(slice_make("x\0y", 3), "x"));
    CHECK(slice_compare(slice_of("a"), slice_of("ab")) < 0);
    CHECK(slice_compare(slice_of("b"), slice_of("ab")) > 0);
    CHECK(slice_compare(slice_of("ab"), slice_of("ab")) == 0);
    CHECK(slice_compare(slice_of("\xc3\xa9"), slice_of("z")) > 0);
}

TEST(trimming_takes_white_space_from_both_ends_only)
{
    CHECK(slice_equal_str(slice_trim(slice_of(" \t\r\n a b \v\f")), "a b"));
    CHECK_INT(slice_trim(slice_of("   ")).size, 0);
    CHECK_INT(slice_trim((struct slice){0}).size, 0);
}

TEST(starts_and_ends_of_text)
{
    CHECK(str_equal("a", "a") && !str_equal("a", NULL) && str_equal(NULL, NULL));
    CHECK(str_starts("template.sql", "temp") && !str_starts("te", "temp"));
    CHECK(str_ends("template.sql", ".sql") && !str_ends("sql", ".sql"));
    CHECK(str_starts("a", "") && str_ends("a", ""));
}

TEST(a_buffer_grows_and_always_ends_with_nul)
{
    CLEANUP(strbuf_done) struct strbuf buf = {0};
    CHECK_STR(strbuf_text(&buf), "");
    strbuf_add_str(&buf, "ab");
    strbuf_add_char(&buf, 'c');
    strbuf_add_slice(&buf, slice_make("def", 2));
    strbuf_add_repeat(&buf, '-', 3);
    strbuf_printf(&buf, "%d", 42);
    CHECK_STR(buf.text, "abcde---42");
    CHECK_INT(buf.size, 10);
    strbuf_printf(&buf, "%0*d", 5000, 1);
    CHECK(buf.size == 5010 && strlen(buf.text) == 5010 && buf.text[5009] == '1');
    strbuf_clear(&buf);
    CHECK_STR(buf.text, "");
}

TEST(a_buffer_in_an_arena_grows_and_is_finished_there)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct strbuf buf = {.arena = arena};
    CHECK_STR(strbuf_finish(&buf, arena).p, "");
    strbuf_add_str(&buf, "short");
    struct slice text = strbuf_finish(&buf, arena);
    CHECK(text.size == 5 && strcmp(text.p, "short") == 0 && buf.size == 0);
    strbuf_add_repeat(&buf, 'a', 50);
    /* Something else stands behind it: it moves. */
    char *between = arena_strdup(arena, "between");
    strbuf_add_repeat(&buf, 'b', 5000);
    text = strbuf_finish(&buf, arena);
    CHECK(text.size == 5050 && strlen(text.p) == 5050 && text.p[49] == 'a' && text.p[50] == 'b');
    CHECK_STR(between, "between");
    struct strbuf heap = {0};
    strbuf_add_str(&heap, "copied");
    text = strbuf_finish(&heap, arena);
    CHECK_STR(text.p, "copied");
    CHECK(!heap.text);
}

TEST(a_buffer_with_room_does_not_move)
{
    CLEANUP(strbuf_done) struct strbuf buf = {.limit = 3000};
    strbuf_add_str(&buf, "a");
    strbuf_reserve(&buf, 1000);
    const char *text = buf.text;
    strbuf_add_repeat(&buf, 'b', 999);
    CHECK(buf.text == text && buf.size == 1000);
    strbuf_reserve(&buf, 4000);
    CHECK(!buf.over);
}

TEST(what_goes_over_a_buffers_limit_is_dropped_and_told)
{
    CLEANUP(strbuf_done) struct strbuf buf = {.limit = 5};
    strbuf_add_str(&buf, "abcde");
    CHECK(!buf.over);
    strbuf_add_str(&buf, "f");
    CHECK(buf.over);
    strbuf_add_repeat(&buf, 'x', 100);
    strbuf_printf(&buf, "%0*d", 1000, 1);
    CHECK_STR(buf.text, "abcde");
    strbuf_clear(&buf);
    CHECK(!buf.over);
    strbuf_add_str(&buf, "1234567");
    CHECK_STR(buf.text, "12345");
}

TEST(a_buffers_text_can_be_handed_over)
{
    struct strbuf buf = {0};
    strbuf_add_str(&buf, "mine");
    char *text = strbuf_take(&buf);
    CHECK_STR(text, "mine");
    CHECK(buf.text == NULL && buf.size == 0);
    mem_free(text);
    text = strbuf_take(&buf);
    CHECK_STR(text, "");
    mem_free(text);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CHECK_STR(strbuf_to_arena(&buf, arena), "");
}

TEST(a_suggestion_is_near_and_missing_when_nothing_is)
{
    static const char *const keys[] = {"schedule", "start_date", "retries", "retry_delay", "sql"};
    CHECK_STR(suggest("shedule", keys, ARRAY_SIZE(keys)), "schedule");
    CHECK_STR(suggest("Start_Date", keys, ARRAY_SIZE(keys)), "start_date");
    CHECK_STR(suggest("retires", keys, ARRAY_SIZE(keys)), "retries");
    CHECK_STR(suggest("slq", keys, ARRAY_SIZE(keys)), "sql");
    CHECK_STR(suggest("retry_dleay", keys, ARRAY_SIZE(keys)), "retry_delay");
    CHECK(suggest("banana", keys, ARRAY_SIZE(keys)) == NULL);
    CHECK(suggest("", keys, ARRAY_SIZE(keys)) == NULL);
    CHECK(suggest("xyz", keys, 0) == NULL);
}

TEST(nothing_is_suggested_for_a_very_long_word)
{
    char word[500];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *const same[] = {word};
    CHECK(suggest(word, same, 1) == NULL);
}

TEST(patterns_match_whole_texts_as_in_a_shell)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"abc", "abc", true},
        {"abc", "abcd", false},
        {"*", "", true},
        {"*", "anything", true},
        {"a*c", "abbbc", true},
        {"a*c", "abbb", false},
        {"*.sql", "x.sql", true},
        {"*.sql", "x.sql.bak", false},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false},
        {"?", "x", true},
        {"?", "", false},
        {"?", "é", true},
        {"??", "é", false},
        {"[abc]", "b", true},
        {"[abc]", "d", false},
        {"[a-c]x", "bx", true},
        {"[!a-c]", "d", true},
        {"[!a-c]", "b", false},
        {"[^a]", "b", true},
        {"[]]", "]", true},
        {"[a-]", "-", true},
        {"[à-ü]", "é", true},
        {"[abc", "[abc", true},
        {"[abc", "a", false},
        {"geo*[0-9]", "geolife7", true},
        {"*[0-9]x", "12x", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!CHECK(glob_match(rows[i].pattern, rows[i].text) == rows[i].matches))
            fprintf(stderr, "  pattern %s text %s\n", rows[i].pattern, rows[i].text);
}
