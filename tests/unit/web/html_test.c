#include "web/html.h"
#include "tests/unit/test.h"

static char shown[1024];

static const char *text_of(const char *text)
{
    struct strbuf out = {0};
    html_text(&out, text);
    snprintf(shown, sizeof(shown), "%s", strbuf_text(&out));
    strbuf_done(&out);
    return shown;
}

TEST(text_cannot_become_markup)
{
    CHECK_STR(
        text_of("<script>alert('x')</script>"), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    CHECK_STR(text_of("a & b &lt; \"c\""), "a &amp; b &amp;lt; &quot;c&quot;");
    CHECK_STR(text_of(NULL), "");
}

TEST(an_attribute_cannot_be_left)
{
    struct strbuf out = {0};
    html_attr(&out, "title", "\"><script>");
    CHECK_STR(strbuf_text(&out), " title=\"&quot;&gt;&lt;script&gt;\"");
    strbuf_clear(&out);
    html_attr(&out, "title", NULL);
    CHECK_STR(strbuf_text(&out), "");
    strbuf_done(&out);
}

TEST(printf_escapes_every_text_and_writes_numbers)
{
    struct strbuf out = {0};
    html_printf(&out, "<a href=\"%s\">%s</a> %d %u %lld %zu 100%%", "/x?a=1&b='", "<b>", -3, 7u,
        -5000000000LL, (size_t)42);
    CHECK_STR(
        strbuf_text(&out), "<a href=\"/x?a=1&amp;b=&#39;\">&lt;b&gt;</a> -3 7 -5000000000 42 100%");
    strbuf_done(&out);
}

TEST(every_byte_is_either_escaped_or_harmless)
{
    for (int byte = 1; byte < 256; byte++) {
        char one[2] = {(char)byte, '\0'};
        const char *escaped = text_of(one);
        CHECK(!strpbrk(escaped, "<>\"'"));
        CHECK(escaped[0] != '&' || strchr(escaped, ';'));
        CHECK(utf8_valid(escaped, strlen(escaped), NULL));
    }
}

TEST(what_is_no_text_is_shown_as_such)
{
    CHECK_STR(text_of("a\xff"
                      "b"),
        "a\xef\xbf\xbd"
        "b");
    CHECK_STR(text_of("\x1b[31mred\x07"), "[31mred");
    CHECK_STR(text_of("tab\tand\nline"), "tab\tand\nline");
    CHECK_STR(text_of("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x9a\xb6"),
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x9a\xb6");
}

static const char *segment_of(const char *text)
{
    struct strbuf out = {0};
    url_segment(&out, text);
    snprintf(shown, sizeof(shown), "%s", strbuf_text(&out));
    strbuf_done(&out);
    return shown;
}

TEST(a_segment_of_an_address_is_encoded)
{
    CHECK_STR(
        segment_of("scheduled__2007-04-12T00:00:00+00:00"), "scheduled__2007-04-12T00:00:00+00:00");
    CHECK_STR(segment_of("task[3]"), "task%5B3%5D");
    CHECK_STR(segment_of("a/b?c#d%e f"), "a%2Fb%3Fc%23d%25e%20f");
    CHECK_STR(segment_of("\xc3\xa9"), "%C3%A9");
}
