#include "tests/unit/test.h"

TEST(every_code_point_is_written_and_read_back)
{
    size_t wrong = 0;
    CLEANUP(strbuf_done) struct strbuf buf = {0};
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        uint32_t back = 0;
        strbuf_clear(&buf);
        strbuf_add_utf8(&buf, c);
        wrong += utf8_decode(buf.text, buf.size, &back) != buf.size || back != c;
    }
    CHECK_INT(wrong, 0);
}

TEST(what_is_no_code_point_becomes_the_replacement)
{
    CLEANUP(strbuf_done) struct strbuf buf = {0};
    strbuf_add_utf8(&buf, 0xD800);
    strbuf_add_utf8(&buf, 0x110000);
    CHECK_STR(buf.text, "\uFFFD\uFFFD");
}

TEST(overlong_surrogate_cut_and_stray_bytes_are_not_utf8)
{
    static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(",
        "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
        "\xf0\x9f\x98"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint32_t c;
        CHECK_INT(utf8_decode(bad[i], strlen(bad[i]), &c), 0);
        CHECK(!utf8_valid(bad[i], strlen(bad[i]), NULL));
    }
    uint32_t c;
    CHECK_INT(utf8_decode("", 0, &c), 0);
}

TEST(the_first_bad_byte_is_found)
{
    size_t offset = 99;
    CHECK(!utf8_valid("aé\xff", 4, &offset));
    CHECK_INT(offset, 3);
    CHECK(utf8_valid("aé€😀", strlen("aé€😀"), &offset));
    CHECK(utf8_valid("", 0, NULL));
}

TEST(lengths_count_code_points_and_widths_columns)
{
    CHECK_INT(utf8_length("aé€😀", strlen("aé€😀")), 4);
    CHECK_INT(utf8_width("abc", 3), 3);
    CHECK_INT(utf8_width("é", 2), 1);
    CHECK_INT(utf8_width("e\u0301", 3), 1);
    CHECK_INT(utf8_width("日本", 6), 4);
    CHECK_INT(utf8_width("😀", 4), 2);
    CHECK_INT(utf8_width("a\xff"
                         "b",
                  3),
        3);
}

TEST(an_offset_has_a_line_a_column_and_its_lines_text)
{
    const char text[] = "one\r\ntwé x\n\nlast";
    struct text_position p = text_locate(text, strlen(text), 0);
    CHECK(p.line == 1 && p.column == 1 && slice_equal_str(p.text, "one"));
    p = text_locate(text, strlen(text), 10);
    CHECK(p.line == 2 && p.column == 5 && slice_equal_str(p.text, "twé x"));
    p = text_locate(text, strlen(text), 12);
    CHECK(p.line == 3 && p.column == 1 && p.text.size == 0);
    p = text_locate(text, strlen(text), 9999);
    CHECK(p.line == 4 && p.column == 5 && slice_equal_str(p.text, "last"));
    p = text_locate("", 0, 0);
    CHECK(p.line == 1 && p.column == 1 && p.text.size == 0);
}
