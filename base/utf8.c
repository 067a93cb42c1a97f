#include "base/string.h"

enum { CODE_POINT_MAX = 0x10FFFF, REPLACEMENT = 0xFFFD };

void strbuf_add_utf8(struct strbuf *buf, uint32_t c)
{
    if (c > CODE_POINT_MAX || (c >= 0xD800 && c <= 0xDFFF))
        c = REPLACEMENT;
    char bytes[4];
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)(lead[size] | c);
    strbuf_add(buf, bytes, size);
}

size_t utf8_decode(const char *p, size_t size, uint32_t *ret_code_point)
{
    if (size == 0)
        return 0;
    unsigned char lead = (unsigned char)p[0];
    if (lead < 0x80) {
        *ret_code_point = lead;
        return 1;
    }
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || length > size)
        return 0;
    uint32_t c = lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)p[i];
        if ((next & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (next & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[length] || c > CODE_POINT_MAX || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret_code_point = c;
    return length;
}

/* The ASCII characters at the start, in whole words of eight. */
static size_t ascii_words(const char *p, size_t size)
{
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return at;
}

bool utf8_valid(const char *p, size_t size, size_t *ret_offset)
{
    size_t at = 0;
    while ((at += ascii_words(p + at, size - at)) < size) {
        uint32_t c;
        size_t length = utf8_decode(p + at, size - at, &c);
        if (length == 0) {
            if (ret_offset)
                *ret_offset = at;
            return false;
        }
        at += length;
    }
    return true;
}

size_t utf8_length(const char *p, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)p[i] & 0xC0) != 0x80;
    return count;
}

struct range {
    uint32_t first, last;
};

/* Code points that take no column: combining marks, joiners, variation selectors. */
static const struct range zero_width[] = {
    {0x0300, 0x036F},
    {0x0483, 0x0489},
    {0x0591, 0x05BD},
    {0x0610, 0x061A},
    {0x064B, 0x065F},
    {0x06D6, 0x06DC},
    {0x0900, 0x0902},
    {0x093C, 0x093C},
    {0x0941, 0x0948},
    {0x094D, 0x094D},
    {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E},
    {0x1AB0, 0x1ACE},
    {0x1DC0, 0x1DFF},
    {0x200B, 0x200F},
    {0x202A, 0x202E},
    {0x2060, 0x2064},
    {0x20D0, 0x20F0},
    {0x302A, 0x302D},
    {0x3099, 0x309A},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
    {0xFEFF, 0xFEFF},
    {0x1F3FB, 0x1F3FF},
    {0xE0100, 0xE01EF},
};

/* Code points that take two columns (East Asian wide and full width, emoji). */
static const struct range double_width[] = {
    {0x1100, 0x115F},
    {0x231A, 0x231B},
    {0x23E9, 0x23EC},
    {0x2614, 0x2615},
    {0x26AA, 0x26AB},
    {0x2705, 0x2705},
    {0x270A, 0x270B},
    {0x2728, 0x2728},
    {0x274C, 0x274C},
    {0x2753, 0x2755},
    {0x2757, 0x2757},
    {0x2795, 0x2797},
    {0x2B1B, 0x2B1C},
    {0x2B50, 0x2B50},
    {0x2B55, 0x2B55},
    {0x2E80, 0x303E},
    {0x3041, 0x33FF},
    {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},
    {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x16FE0, 0x18CFF},
    {0x1B000, 0x1B2FF},
    {0x1F004, 0x1F004},
    {0x1F0CF, 0x1F0CF},
    {0x1F18E, 0x1F18E},
    {0x1F191, 0x1F19A},
    {0x1F200, 0x1F320},
    {0x1F32D, 0x1F335},
    {0x1F337, 0x1F37C},
    {0x1F37E, 0x1F393},
    {0x1F3A0, 0x1F3CA},
    {0x1F3E0, 0x1F3F0},
    {0x1F400, 0x1F43E},
    {0x1F440, 0x1F4FC},
    {0x1F4FF, 0x1F53D},
    {0x1F550, 0x1F567},
    {0x1F5FB, 0x1F64F},
    {0x1F680, 0x1F6C5},
    {0x1F6D0, 0x1F6D2},
    {0x1F6EB, 0x1F6EC},
    {0x1F7E0, 0x1F7EB},
    {0x1F90C, 0x1F9FF},
    {0x1FA70, 0x1FAFF},
    {0x20000, 0x3FFFD},
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else if (c < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

static size_t code_point_width(uint32_t c)
{
    if (c < 0x300)
        return c >= ' ' && c != 0x7F;
    if (in_ranges(c, zero_width, ARRAY_SIZE(zero_width)))
        return 0;
    return in_ranges(c, double_width, ARRAY_SIZE(double_width)) ? 2 : 1;
}

size_t utf8_width(const char *p, size_t size)
{
    size_t width = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c = REPLACEMENT;
        size_t length = utf8_decode(p + at, size - at, &c);
        width += code_point_width(c);
        at += length ? length : 1;
    }
    return width;
}
