#include "definition/check.h"

/* Longer signs before those that they begin with. */
static const struct {
    const char *sign;
    enum check_comparison comparison;
} signs[] = {{">=", CHECK_AT_LEAST}, {"<=", CHECK_AT_MOST}, {"<>", CHECK_NOT_EQUAL},
    {"!=", CHECK_NOT_EQUAL}, {"==", CHECK_EQUAL}, {">", CHECK_MORE}, {"<", CHECK_LESS},
    {"=", CHECK_EQUAL}, {"", CHECK_EQUAL}};

enum status check_count_read(struct slice text, struct check_count *ret, struct error *err)
{
    struct slice rest = slice_trim(text);
    size_t i = 0;
    while (rest.size < strlen(signs[i].sign) ||
           memcmp(rest.p, signs[i].sign, strlen(signs[i].sign)) != 0)
        i++;
    size_t size = strlen(signs[i].sign);
    struct slice number = slice_trim(slice_make(rest.p + size, rest.size - size));
    int64_t count;
    if (!parse_int64(number, &count) || count < 0) {
        error_set(err, ERR_VALUE_RANGE, "`%.*s` is not a number of rows", SLICE_ARG(text));
        error_hint(err, "write \"> 0\", \">= 10\", \"= 5\", \"!= 3\", \"< 1000\" or \"<= 5\"");
        return ERR_VALUE_RANGE;
    }
    *ret = (struct check_count){signs[i].comparison, count};
    return OK;
}

bool check_count_holds(const struct check_count *count, int64_t rows)
{
    switch (count->comparison) {
    case CHECK_EQUAL: return rows == count->count;
    case CHECK_NOT_EQUAL: return rows != count->count;
    case CHECK_AT_LEAST: return rows >= count->count;
    case CHECK_AT_MOST: return rows <= count->count;
    case CHECK_MORE: return rows > count->count;
    case CHECK_LESS: return rows < count->count;
    }
    return false;
}
