#include <math.h>
#include "tests/unit/test.h"

static const struct {
    uint64_t bits;
    const char *repr;
} doubles[] = {
#define DOUBLE_ROW(bits, repr) {UINT64_C(bits), repr},
#include "tests/unit/base/doubles.def"
#undef DOUBLE_ROW
};

static double from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

TEST(a_double_is_written_as_python_writes_it)
{
    char text[32];
    for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
        format_double(from_bits(doubles[i].bits), text);
        CHECK_STR(text, doubles[i].repr);
    }
}

TEST(what_is_written_reads_back_as_the_same_double)
{
    for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
        double v = from_bits(doubles[i].bits), back = 0;
        CHECK(parse_double(slice_of(doubles[i].repr), &back));
        CHECK(memcmp(&v, &back, sizeof v) == 0);
    }
}

TEST(a_number_is_written_digit_by_digit)
{
    char text[UINT64_TEXT_SIZE + 1] = "";
    CHECK(format_uint64(0, text) == 1 && text[0] == '0');
    CHECK_INT(format_uint64(1234567890, text), 10);
    CHECK(memcmp(text, "1234567890", 10) == 0);
    CHECK_INT(format_uint64(UINT64_MAX, text), UINT64_TEXT_SIZE);
    CHECK_STR(text, "18446744073709551615");
}

TEST(doubles_that_are_no_numbers_have_names)
{
    char text[32];
    format_double(INFINITY, text);
    CHECK_STR(text, "inf");
    format_double(-INFINITY, text);
    CHECK_STR(text, "-inf");
    format_double(NAN, text);
    CHECK_STR(text, "nan");
}

TEST(only_a_whole_decimal_text_is_a_double)
{
    static const char *const good[] = {"1", "-1", "+1.5", ".5", "5.", "1e3", "1E-3", "1.25e+2"};
    static const char *const bad[] = {
        "", "-", ".", "e5", "1e", "1e+", " 1", "1 ", "0x10", "inf", "nan", "1,5", "1.2.3", "1e999"};
    double v;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        CHECK(parse_double(slice_of(good[i]), &v));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK(!parse_double(slice_of(bad[i]), &v));
    CHECK(parse_double(slice_of("1.25e+2"), &v) && v == 125);
    CHECK(parse_double(slice_make("123456", 3), &v) && v == 123);
}

TEST(whole_numbers_are_read_to_the_ends_of_their_range)
{
    int64_t v;
    CHECK(parse_int64(slice_of("9223372036854775807"), &v) && v == INT64_MAX);
    CHECK(parse_int64(slice_of("-9223372036854775808"), &v) && v == INT64_MIN);
    CHECK(parse_int64(slice_of("+7"), &v) && v == 7);
    CHECK(parse_int64(slice_of("007"), &v) && v == 7);
    CHECK(parse_int64(slice_make("123456", 3), &v) && v == 123);
}

TEST(a_number_out_of_range_or_with_other_text_is_refused)
{
    static const char *const bad[] = {"", "-", "+", "9223372036854775808", "-9223372036854775809",
        "99999999999999999999", "1.0", " 1", "1 ", "0x1", "one", "--1", "1_000"};
    int64_t v = 42;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK(!parse_int64(slice_of(bad[i]), &v));
    CHECK_INT(v, 42);
}
