/*
 * Plots, drawn by the server as SVG: they need no script, and their colours are the page's
 * (page.css, `.plot`).  A style is a colour and a dash, so that colour is never all that tells one
 * line from another.
 */
#ifndef WEB_PLOT_H
#define WEB_PLOT_H

#include <stdbool.h>
#include "base/string.h"

enum { PLOT_STYLES = 6 };

struct plot_point {
    double x, y;
    const char *title; /* what is said of it; NULL: it has no mark */
};
struct plot_line {
    const char *name; /* NULL or empty: it needs none, or shares its style with one that has it */
    size_t style;     /* below PLOT_STYLES */
    const struct plot_point *at;
    size_t count;
};
struct plot_tick {
    double at;
    const char *text;
};
struct plot {
    const char *title; /* what it shows, also for those who do not see it */
    const char *x_name, *y_name;
    double x_min, x_max, y_min, y_max;
    const struct plot_tick *x_ticks; /* NULL: five numbers */
    size_t x_tick_count;
    const struct plot_line *lines;
    size_t line_count;
    bool square;   /* as wide as high */
    bool diagonal; /* with the line from corner to corner: what guessing would give */
};

/* Adds a figure with the plot and, where lines have names, what they are. */
void plot_show(struct strbuf *out, const struct plot *plot);

#endif
