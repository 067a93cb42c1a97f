/* Numbers in plain notation, against the C library's. */
#include <math.h>
#include "language/jinja/runtime.h"
#include "tests/unit/test.h"

static bool is_as_printf(double v, int precision)
{
    char want[512];
    CLEANUP(strbuf_done) struct strbuf got = {0};
    snprintf(want, sizeof want, "%.*f", precision, v);
    jinja_format_float(v, 'f', precision, false, &got);
    if (strcmp(strbuf_text(&got), want) == 0)
        return true;
    fprintf(stderr, "  %a with %d decimals: %s, not %s\n", v, precision, strbuf_text(&got), want);
    return false;
}

TEST(decimals_are_rounded_exactly)
{
    static const double values[] = {0.0, -0.0, 0.5, 1.5, 2.5, -2.5, 0.25, 0.125, 0.375, 1.005,
        2.675, 9.5, 9.95, 99.995, 0.05, -0.04, 1e-5, 5e-324, 2.2250738585072014e-308, 1e11,
        999999999999.5, 1e12, 1e15, 123456789.123456789, 4503599627370496.5, 1e22,
        1.7976931348623157e308};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        for (int precision = 0; precision <= 9; precision++)
            CHECK(is_as_printf(values[i], precision) && is_as_printf(-values[i], precision));
}

/* Halves of the last decimal and their neighbours are where rounding goes wrong. */
TEST(ties_and_what_is_next_to_them_are_rounded_exactly)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double scale = (double)(1 << (state >> 60)), v = (double)((state >> 20) % 2000000) / scale;
        int precision = (int)(state >> 33) % 7;
        if (!is_as_printf(v, precision) || !is_as_printf(nextafter(v, INFINITY), precision) ||
            !is_as_printf(nextafter(v, -INFINITY), precision)) {
            CHECK(!"as printf");
            return;
        }
    }
    CHECK(true);
}
