#include "base/shell.h"
#include "tests/unit/test.h"

TEST(words_are_quoted_where_a_shell_would_read_them_otherwise)
{
    static const struct {
        const char *word, *shown;
    } rows[] = {{"geolife", "geolife"}, {"2007-04-12T00:00:00+00:00", "2007-04-12T00:00:00+00:00"},
        {"part[1]", "'part[1]'"}, {"", "''"}, {"it's", "'it'\\''s'"}, {"$(rm)", "'$(rm)'"},
        {"a b", "'a b'"}, {"*", "'*'"}, {"~x", "'~x'"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct strbuf text = {0};
        strbuf_add_shell_word(&text, rows[i].word);
        CHECK_STR(strbuf_text(&text), rows[i].shown);
        strbuf_done(&text);
    }
}
