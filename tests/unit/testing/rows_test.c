#include "testing/rows.h"
#include "tests/unit/test.h"

enum { COLUMNS = 2 };

struct fixture {
    struct arena *arena;
    struct row_column columns[COLUMNS];
};

static struct rows rows_of(struct fixture *f, const char **cells, size_t count)
{
    return (struct rows){f->columns, COLUMNS, count, cells};
}

/* What differs, as text; "" when nothing does. */
static const char *compare(struct fixture *f, const struct rows_comparison *how,
    const char **expected, size_t expected_count, const char **actual, size_t actual_count)
{
    struct error err;
    struct strbuf out = {.arena = f->arena};
    struct rows a = rows_of(f, expected, expected_count), b = rows_of(f, actual, actual_count);
    struct rows_pairing pairing;
    REQUIRE_OK(rows_compare(how, &a, &b, f->arena, &out, &pairing, &err), &err);
    return strbuf_text(&out);
}

static struct fixture fixture_new(enum number_kind second)
{
    return (struct fixture){
        arena_new(), {{.name = "id", .number = NUMBER_EXACT}, {.name = "x", .number = second}}};
}

TEST(rows_are_a_bag)
{
    struct fixture f = fixture_new(NUMBER_NONE);
    struct rows_comparison how = {.label = "t", .tolerance = -1};
    const char *want[] = {"1", "a", "1", "a", "2", NULL};
    const char *same[] = {"2", NULL, "1", "a", "1", "a"};
    const char *fewer[] = {"2", NULL, "1", "a"};
    CHECK_STR(compare(&f, &how, want, 3, same, 3), "");
    CHECK_STR(
        compare(&f, &how, want, 3, fewer, 2), "t: rows: 1 missing (-)\n    id | x\n  - 1  | a\n");
    CHECK_STR(compare(&f, &how, want, 2, same, 3),
        "t: rows: 1 not expected (+)\n    id | x\n  + 2  | NULL\n");
    arena_free(f.arena);
}

TEST(order_counts_where_it_is_asked_for)
{
    struct fixture f = fixture_new(NUMBER_NONE);
    struct rows_comparison how = {.label = "t", .tolerance = -1, .ordered = true};
    const char *want[] = {"1", "a", "2", "b"}, *turned[] = {"2", "b", "1", "a"};
    CHECK_STR(compare(&f, &how, want, 2, want, 2), "");
    CHECK(strstr(compare(&f, &how, want, 2, turned, 2), "2 different") != NULL);
    arena_free(f.arena);
}

TEST(a_subset_may_have_others_beside_it)
{
    struct fixture f = fixture_new(NUMBER_NONE);
    struct rows_comparison how = {.label = "t", .tolerance = -1, .subset = true};
    const char *want[] = {"1", "a"}, *more[] = {"0", "z", "1", "a"}, *other[] = {"1", "b"};
    CHECK_STR(compare(&f, &how, want, 1, more, 2), "");
    CHECK_STR(compare(&f, &how, want, 1, other, 1),
        "t: rows: 1 different (≠ expected → got)\n    id | x\n  ≠ 1  | a → b\n");
    arena_free(f.arena);
}

TEST(numbers_are_compared_as_numbers)
{
    static const struct {
        enum number_kind kind;
        double tolerance;
        const char *want, *got;
        bool equal;
    } rows[] = {
        {NUMBER_EXACT, -1, "1.50", "1.5", true},
        {NUMBER_EXACT, -1, "1.50", "1.51", false},
        {NUMBER_EXACT, 0.1, "1.50", "1.51", true},
        {NUMBER_NONE, 0.1, "1.50", "1.51", false},
        {NUMBER_FLOAT, -1, "0.1", "0.10000000000000001", true},
        {NUMBER_FLOAT, -1, "0.1", "0.100001", false},
        {NUMBER_FLOAT, 0, "0.1", "0.1000000000001", false},
        {NUMBER_FLOAT, 1e-3, "1000000", "1000500", true}, /* relative above 1 */
        {NUMBER_FLOAT, 1e-3, "0", "0.0005", true},
        {NUMBER_FLOAT, 1e-3, "0", "0.002", false},
        {NUMBER_FLOAT, -1, "NaN", "NaN", true},
        {NUMBER_FLOAT, -1, "NaN", "1", false},
        {NUMBER_FLOAT, 1, "Infinity", "-Infinity", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fixture f = fixture_new(rows[i].kind);
        struct rows_comparison how = {.label = "t", .tolerance = rows[i].tolerance};
        const char *want[] = {"1", rows[i].want}, *got[] = {"1", rows[i].got};
        bool equal = compare(&f, &how, want, 1, got, 1)[0] == '\0';
        if (!CHECK(equal == rows[i].equal))
            printf("  row %zu: %s and %s\n", i, rows[i].want, rows[i].got);
        arena_free(f.arena);
    }
}

TEST(long_cells_and_many_rows_are_cut)
{
    struct fixture f = fixture_new(NUMBER_NONE);
    struct rows_comparison how = {.label = "t", .tolerance = -1};
    char text[200];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    const char *cells[40];
    for (size_t i = 0; i < 40; i += 2) {
        cells[i] = arena_printf(f.arena, "%zu", i);
        cells[i + 1] = text;
    }
    const char *shown = compare(&f, &how, NULL, 0, cells, 20);
    CHECK(strstr(shown, "20 not expected") != NULL);
    CHECK(strstr(shown, "… and 10 more") != NULL);
    CHECK(strstr(shown, "xxxx…") != NULL && strstr(shown, text) == NULL);
    arena_free(f.arena);
}
