#include "web/plot.h"
#include "tests/unit/test.h"

static const char *drawn(const struct plot *plot, struct strbuf *out)
{
    strbuf_clear(out);
    plot_show(out, plot);
    return strbuf_text(out);
}

static size_t count_of(const char *text, const char *piece)
{
    size_t count = 0;
    for (const char *at = strstr(text, piece); at; at = strstr(at + 1, piece))
        count++;
    return count;
}

TEST(points_are_placed_and_marked)
{
    CLEANUP(strbuf_done) struct strbuf out = {0};
    const struct plot_point points[] = {{0, 0, NULL}, {1, 1, "the end"}};
    const struct plot_line line = {"a", 0, points, 2};
    const struct plot plot = {.title = "t",
        .x_name = "x",
        .y_name = "y",
        .x_max = 1,
        .y_max = 1,
        .lines = &line,
        .line_count = 1,
        .square = true,
        .diagonal = true};
    const char *text = drawn(&plot, &out);
    CHECK(strstr(text, "points=\"44.0,212.0 246.0,10.0\"") != NULL);
    CHECK_INT(count_of(text, "<circle"), 1);
    CHECK(strstr(text, "<title>the end</title>") != NULL);
    CHECK_INT(count_of(text, "class=\"chance\""), 1);
}

TEST(names_are_never_markup)
{
    CLEANUP(strbuf_done) struct strbuf out = {0};
    const struct plot_point point = {0, 0, "<i>"};
    const struct plot_line line = {"<b>", 0, &point, 1};
    const struct plot_tick tick = {0, "<u>"};
    const struct plot plot = {.title = "\"<t>",
        .x_name = "<x>",
        .y_name = "<y>",
        .x_ticks = &tick,
        .x_tick_count = 1,
        .lines = &line,
        .line_count = 1};
    const char *text = drawn(&plot, &out);
    static const char *const tags[] = {"<i>", "<u>", "<t>", "<x>", "<y>", "<bdi><b>"};
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
        CHECK(strstr(text, tags[i]) == NULL);
    CHECK(strstr(text, "aria-label=\"&quot;&lt;t&gt;\"") != NULL);
}

TEST(one_point_and_no_line_are_drawn_too)
{
    CLEANUP(strbuf_done) struct strbuf out = {0};
    const struct plot_point point = {3, 5, NULL};
    const struct plot_line lines[] = {{"", 0, &point, 1}, {NULL, 5, NULL, 0}};
    struct plot plot = {.title = "t",
        .x_name = "x",
        .y_name = "y",
        .x_min = 3,
        .x_max = 3,
        .y_min = 5,
        .y_max = 5,
        .lines = lines,
        .line_count = ARRAY_SIZE(lines)};
    const char *text = drawn(&plot, &out);
    CHECK(strstr(text, "nan") == NULL && strstr(text, "inf") == NULL);
    CHECK_INT(count_of(text, "<polyline"), 2); /* names that are empty have no legend */
    plot.line_count = 0;
    CHECK_INT(count_of(drawn(&plot, &out), "<polyline"), 0);
}
