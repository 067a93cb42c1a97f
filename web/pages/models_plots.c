/* What is drawn of a model: metrics over its versions, curves, the confusion matrix. */
#include <math.h>

#include "base/json.h"
#include "base/vec.h"
#include "web/limits.h"
#include "web/pages/models.h"
#include "web/plot.h"
#include "web/show.h"

static void widen(struct plot *plot, double y)
{
    plot->y_min = y < plot->y_min ? y : plot->y_min;
    plot->y_max = y > plot->y_max ? y : plot->y_max;
}

/* ---- metrics over time ----------------------------------------------------------------------- */

static bool number_of(const struct model_version *version, const char *metric, double *ret)
{
    const json_t *value = json_object_get(version->metrics, metric);
    *ret = json_number_value(value);
    return json_is_number(value);
}

/* The metrics of any version that are numbers, in the order in which the newest has them.  A
   threshold is what was chosen, not how good it is. */
static size_t metric_names(
    const struct model_version *versions, size_t count, const char *ret[PLOT_STYLES])
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)versions[i].metrics, key, value)
        {
            bool known = !json_is_number(value) || str_equal(key, "threshold");
            for (size_t n = 0; n < found; n++)
                known |= str_equal(ret[n], key);
            if (!known && found < PLOT_STYLES)
                ret[found++] = key;
        }
    }
    return found;
}

/* One metric's line, oldest version first. */
static struct plot_line metric_line(struct page *page, const struct model_version *versions,
    size_t count, const char *metric, struct plot *plot)
{
    struct plot_point *points = arena_array(page->arena, struct plot_point, count);
    struct plot_line line = {.name = metric, .at = points};
    for (size_t i = count; i-- > 0;) {
        const struct model_version *v = &versions[i];
        double y;
        if (!number_of(v, metric, &y))
            continue;
        widen(plot, y);
        points[line.count++] = (struct plot_point){(double)(count - 1 - i), y,
            arena_printf(page->arena, "%s: %s %.4g%s", v->version, metric, y,
                v->in_service ? ", entered service" : "")};
    }
    return line;
}

/* At most six versions are named below the line. */
static struct plot_tick *version_ticks(
    struct page *page, const struct model_version *versions, size_t count, size_t *ret_count)
{
    enum { NAMED = 6 };
    size_t step = (count + NAMED - 1) / NAMED, n = 0;
    struct plot_tick *ticks = arena_array(page->arena, struct plot_tick, NAMED + 1);
    for (size_t i = 0; i < count; i += step)
        ticks[n++] = (struct plot_tick){(double)i, versions[count - 1 - i].version};
    *ret_count = n;
    return ticks;
}

void show_metrics(struct page *page, const struct model_facts *facts)
{
    const struct model_version *versions = facts->versions.at;
    size_t count =
        facts->versions.count < MODEL_VERSIONS_DRAWN ? facts->versions.count : MODEL_VERSIONS_DRAWN;
    const char *names[PLOT_STYLES];
    struct plot_line lines[PLOT_STYLES];
    size_t line_count = metric_names(versions, count, names);
    if (!section_begin(page, "metrics", "Metrics", (struct about){.dag_id = facts->chosen->dag_id}))
        return;
    struct plot plot = {.title = "Metrics of the versions, oldest first",
        .x_name = "version",
        .y_name = "value",
        .x_max = (double)(count - 1),
        .y_min = 1,
        .lines = lines,
        .line_count = line_count};
    for (size_t i = 0; i < line_count; i++) {
        lines[i] = metric_line(page, versions, count, names[i], &plot);
        lines[i].style = i;
    }
    /* Shares are read from a round number up to one. */
    if (plot.y_min >= 0 && plot.y_max <= 1) {
        plot.y_min = floor(plot.y_min * 10) / 10 - (plot.y_min >= 1 ? 0.1 : 0);
        plot.y_max = 1;
    }
    plot.x_ticks = version_ticks(page, versions, count, &plot.x_tick_count);
    if (line_count)
        plot_show(page->out, &plot);
    else
        show_empty(page, "No version has a number among its metrics.");
    section_end(page);
}

/* ---- curves ---------------------------------------------------------------------------------- */

static const char *text_of(const json_t *point, const char *key)
{
    const char *text = json_string_value(json_object_get(point, key));
    return text ? text : "";
}

/* The parts that a plot of their own is known for; others are drawn as lines. */
static const struct {
    const char *part, *title, *x_name, *y_name;
    bool rates, diagonal;
} known_parts[] = {
    {"roc", "ROC curve", "false positive rate", "true positive rate", true, true},
    {"precision_recall", "Precision and recall", "recall", "precision", true, false},
    {"loss", "Loss", "epoch", "loss", false, false},
};

static struct plot plot_of(const char *part)
{
    struct plot plot = {.title = part, .x_name = "x", .y_name = "y"};
    for (size_t i = 0; i < ARRAY_SIZE(known_parts); i++) {
        if (!str_equal(known_parts[i].part, part))
            continue;
        plot.title = known_parts[i].title;
        plot.x_name = known_parts[i].x_name;
        plot.y_name = known_parts[i].y_name;
        plot.square = known_parts[i].rates;
        plot.diagonal = known_parts[i].diagonal;
        plot.x_max = plot.y_max = known_parts[i].rates ? 1 : 0;
    }
    return plot;
}

/* A part on the way to its plot.  Lines of one kind ("training, fold 1", "training, fold 2") share
   a style, and a name: what stands before the comma. */
struct curves {
    struct plot plot;
    struct plot_line lines[MODEL_CURVES_DRAWN];
    const char *series; /* of the last line */
    struct slice kinds[PLOT_STYLES];
    size_t kind_count;
};

static struct plot_line *add_line(
    struct page *page, struct curves *c, const char *series, const struct plot_point *points)
{
    struct slice kind = slice_make(series, strcspn(series, ","));
    size_t style = 0;
    while (style < c->kind_count && !slice_equal(c->kinds[style], kind))
        style++;
    if (c->plot.line_count == MODEL_CURVES_DRAWN || style == PLOT_STYLES)
        return NULL;
    struct plot_line *line = &c->lines[c->plot.line_count++];
    *line = (struct plot_line){.style = style, .at = points};
    if (style == c->kind_count) {
        c->kinds[c->kind_count++] = kind;
        line->name = arena_strndup(page->arena, kind.p, kind.size);
    }
    c->series = series;
    return line;
}

/* The points [from, to) of the evaluation are one part, by series. */
static void show_curve(struct page *page, const json_t *evaluation, size_t from, size_t to)
{
    struct curves c = {.plot = plot_of(text_of(json_array_get(evaluation, from), "part"))};
    struct plot_point *points = arena_array(page->arena, struct plot_point, to - from);
    struct plot_line *line = NULL;
    struct plot *plot = &c.plot;
    size_t count = 0;
    plot->lines = c.lines;
    for (size_t i = from; i < to; i++) {
        const json_t *point = json_array_get(evaluation, i);
        const json_t *x = json_object_get(point, "x"), *y = json_object_get(point, "y");
        const char *series = text_of(point, "series");
        if (!json_is_number(x) || !json_is_number(y))
            continue;
        if (!line || !str_equal(c.series, series))
            line = add_line(page, &c, series, &points[count]);
        if (!line)
            break;
        struct plot_point *at = &points[count++];
        *at = (struct plot_point){json_number_value(x), json_number_value(y), NULL};
        bool first = count == 1 && !plot->square;
        plot->x_min = first || at->x < plot->x_min ? at->x : plot->x_min;
        plot->x_max = first || at->x > plot->x_max ? at->x : plot->x_max;
        widen(plot, at->y);
        line->count++;
    }
    if (count)
        plot_show(page->out, plot);
}

/* ---- the confusion matrix -------------------------------------------------------------------- */

/* The cells [from, to): rows are what was observed, columns what was predicted, in the order of the
   first row. */
static void show_confusion(struct page *page, const json_t *evaluation, size_t from, size_t to)
{
    struct strbuf *out = page->out;
    const char *observed = NULL, *row = text_of(json_array_get(evaluation, from), "series");
    html(out, "<figure><figcaption><b>Confusion matrix</b></figcaption><table class=\"confusion\">"
              "<thead><tr><th>observed</th>");
    for (size_t i = from; i < to; i++)
        if (str_equal(text_of(json_array_get(evaluation, i), "series"), row))
            html_printf(out, "<th scope=\"col\" class=\"number\">as <bdi>%s</bdi></th>",
                text_of(json_array_get(evaluation, i), "label"));
    html(out, "</tr></thead><tbody>");
    for (size_t i = from; i < to; i++) {
        const json_t *cell = json_array_get(evaluation, i);
        bool right = str_equal(text_of(cell, "series"), text_of(cell, "label"));
        if (!str_equal(observed, text_of(cell, "series"))) {
            observed = text_of(cell, "series");
            html_printf(out, "<tr><th scope=\"row\"><bdi>%s</bdi></th>", observed);
        }
        html_printf(out, "<td data-label=\"as %s\" class=\"number %s\">", text_of(cell, "label"),
            right ? "right" : "wrong");
        strbuf_printf(out, "%.0f</td>", json_number_value(json_object_get(cell, "y")));
    }
    html(out, "</tr></tbody></table></figure>\n");
}

void show_evaluation(struct page *page, const struct model_facts *facts)
{
    size_t count = json_array_size(facts->evaluation), to;
    if (!section_begin(
            page, "evaluation", "Evaluation", (struct about){.dag_id = facts->chosen->dag_id}))
        return;
    if (facts->evaluation_trouble)
        html_printf(page->out, "<p class=\"trouble\">Its curves are not known: %s</p>\n",
            facts->evaluation_trouble);
    else if (!count)
        show_empty(page, "Nothing was kept of this version's evaluation.");
    html(page->out, "<div class=\"figures\">");
    for (size_t from = 0; from < count; from = to) {
        const char *part = text_of(json_array_get(facts->evaluation, from), "part");
        for (to = from; to < count; to++)
            if (!str_equal(text_of(json_array_get(facts->evaluation, to), "part"), part))
                break;
        if (str_equal(part, "confusion"))
            show_confusion(page, facts->evaluation, from, to);
        else
            show_curve(page, facts->evaluation, from, to);
    }
    html(page->out, "</div>\n");
    section_end(page);
}
