#include "web/plot.h"

#include "web/html.h"

/* In units of the picture. */
enum { LEFT = 44, RIGHT = 14, TOP = 10, BOTTOM = 38, HEIGHT = 250, WIDE = 460, TICKS = 5 };

struct drawing {
    struct strbuf *out;
    const struct plot *plot;
    double width;
    double x_span, y_span;
};

static double place_x(const struct drawing *d, double x)
{
    return LEFT + (x - d->plot->x_min) / d->x_span * (d->width - LEFT - RIGHT);
}

static double place_y(const struct drawing *d, double y)
{
    return HEIGHT - BOTTOM - (y - d->plot->y_min) / d->y_span * (HEIGHT - TOP - BOTTOM);
}

/* ---- axes ------------------------------------------------------------------------------------ */

static void draw_x_tick(const struct drawing *d, double at, const char *text)
{
    double x = place_x(d, at);
    strbuf_printf(d->out, "<line class=\"rule\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", x,
        TOP, x, HEIGHT - BOTTOM);
    strbuf_printf(
        d->out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, HEIGHT - BOTTOM + 14);
    html_printf(d->out, "%s</text>", text);
}

static void draw_y_tick(const struct drawing *d, double at)
{
    double y = place_y(d, at);
    strbuf_printf(d->out, "<line class=\"rule\" x1=\"%d\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
        LEFT, y, d->width - RIGHT, y);
    strbuf_printf(
        d->out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>", LEFT - 6, y + 4, at);
}

static void draw_axes(const struct drawing *d)
{
    const struct plot *plot = d->plot;
    char text[32];
    for (size_t i = 0; i < plot->x_tick_count; i++)
        draw_x_tick(d, plot->x_ticks[i].at, plot->x_ticks[i].text);
    for (int i = 0; i <= TICKS; i++) {
        double x = plot->x_min + d->x_span * i / TICKS;
        snprintf(text, sizeof(text), "%.3g", x);
        if (!plot->x_ticks)
            draw_x_tick(d, x, text);
        draw_y_tick(d, plot->y_min + d->y_span * i / TICKS);
    }
    strbuf_printf(d->out, "<text class=\"name\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
        (LEFT + d->width - RIGHT) / 2, HEIGHT - 6);
    html_printf(d->out, "%s</text>", plot->x_name);
    strbuf_printf(d->out,
        "<text class=\"name\" x=\"11\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 11 "
        "%d)\">",
        (TOP + HEIGHT - BOTTOM) / 2, (TOP + HEIGHT - BOTTOM) / 2);
    html_printf(d->out, "%s</text>", plot->y_name);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void draw_line(const struct drawing *d, const struct plot_line *line)
{
    strbuf_printf(d->out, "<polyline class=\"l%zu\" points=\"", line->style + 1);
    for (size_t i = 0; i < line->count; i++)
        strbuf_printf(d->out, "%s%.1f,%.1f", i ? " " : "", place_x(d, line->at[i].x),
            place_y(d, line->at[i].y));
    html(d->out, "\"/>");
    for (size_t i = 0; i < line->count; i++) {
        const struct plot_point *point = &line->at[i];
        if (!point->title)
            continue;
        strbuf_printf(d->out, "<circle class=\"l%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\">",
            line->style + 1, place_x(d, point->x), place_y(d, point->y));
        html_printf(d->out, "<title>%s</title></circle>", point->title);
    }
}

/* What the lines are: their names beside a piece of each. */
static void draw_names(struct strbuf *out, const struct plot *plot)
{
    html(out, "<figcaption>");
    html_printf(out, "<b>%s</b>", plot->title);
    for (size_t i = 0; i < plot->line_count; i++) {
        if (!plot->lines[i].name || !*plot->lines[i].name)
            continue;
        strbuf_printf(out,
            " <span class=\"legend\"><svg class=\"plot\" width=\"26\" height=\"8\" "
            "aria-hidden=\"true\"><polyline class=\"l%zu\" points=\"1,4 25,4\"/></svg>",
            plot->lines[i].style + 1);
        html_printf(out, "<bdi>%s</bdi></span>", plot->lines[i].name);
    }
    html(out, "</figcaption>");
}

void plot_show(struct strbuf *out, const struct plot *plot)
{
    struct drawing d = {.out = out,
        .plot = plot,
        .width = plot->square ? HEIGHT + LEFT + RIGHT - TOP - BOTTOM : WIDE,
        .x_span = plot->x_max > plot->x_min ? plot->x_max - plot->x_min : 1,
        .y_span = plot->y_max > plot->y_min ? plot->y_max - plot->y_min : 1};
    html(out, "<figure>");
    draw_names(out, plot);
    strbuf_printf(out, "<svg class=\"plot %s\" viewBox=\"0 0 %.0f %d\" role=\"img\"",
        plot->square ? "square" : "wide", d.width, HEIGHT);
    html_attr(out, "aria-label", plot->title);
    html(out, ">");
    draw_axes(&d);
    if (plot->diagonal)
        strbuf_printf(out,
            "<line class=\"chance\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
            place_x(&d, plot->x_min), place_y(&d, plot->y_min), place_x(&d, plot->x_max),
            place_y(&d, plot->y_max));
    for (size_t i = 0; i < plot->line_count; i++)
        draw_line(&d, &plot->lines[i]);
    html(out, "</svg></figure>\n");
}
