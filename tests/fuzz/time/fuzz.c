#include <assert.h>
#include "base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(struct slice text)
{
    struct error err;
    int64_t us, again;
    bool has_offset, date_only;
    if (time_parse_iso(text, &us, &has_offset, &date_only, &err) != OK)
        return;
    struct civil c = civil_from_us(us);
    if (c.year < 1 || c.year > 9999)
        return; /* an offset may lead out of the years that are written with four digits */
    char iso[TIME_TEXT_SIZE];
    time_format_iso(us, iso);
    enum status status = time_parse_iso(slice_of(iso), &again, &has_offset, &date_only, &err);
    assert(status == OK && again == us && has_offset && !date_only);
}

static void check_duration(struct slice text)
{
    struct error err;
    int64_t us;
    char shown[32];
    if (duration_parse(text, &us, &err) != OK)
        return;
    assert(us >= 0);
    duration_format(us, shown);
    assert(shown[0] != '-');
}

static void check_numbers(struct slice text)
{
    int64_t whole;
    double real, again;
    char shown[32];
    if (parse_int64(text, &whole))
        assert(parse_double(text, &real));
    if (!parse_double(text, &real))
        return;
    format_double(real, shown);
    bool reads_back = parse_double(slice_of(shown), &again);
    assert(reads_back && again == real);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    check_time(text);
    check_duration(text);
    check_numbers(text);
    size_t offset = 0;
    if (!utf8_valid(text.p, text.size, &offset))
        assert(offset < size && utf8_valid(text.p, offset, NULL));
    return 0;
}
