/* The models, and one of them. */
#include "base/json.h"
#include "web/limits.h"
#include "web/pages/models.h"
#include "web/show.h"

/* ---- pieces ---------------------------------------------------------------------------------- */

static const char *link_model(struct page *page, const char *name)
{
    struct strbuf text = {.arena = page->arena};
    strbuf_add_str(&text, "/models/");
    url_segment(&text, name);
    return strbuf_to_arena(&text, page->arena);
}

static const char *link_version(struct page *page, const struct model_version *version)
{
    struct strbuf text = {.arena = page->arena};
    strbuf_add_str(&text, link_model(page, version->name));
    strbuf_add_str(&text, "?version=");
    url_segment(&text, version->version);
    return strbuf_to_arena(&text, page->arena);
}

static void show_service(struct page *page, const struct model_version *version)
{
    const char *state = version->current ? "success" : version->until ? "queued" : "skipped";
    html_printf(page->out,
        "<span class=\"state s-%s\"><span class=\"glyph\" aria-hidden=\"true\">%s</span>", state,
        state_glyph(state));
    if (version->until)
        html_printf(page->out, "until %s</span>", version->until);
    else
        html_printf(page->out, "%s</span>", version->current ? "in service" : "out of service");
}

static const char *metrics_text(struct page *page, const json_t *metrics)
{
    struct strbuf text = {.arena = page->arena};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)metrics, key, value)
    {
        if (json_is_number(value))
            strbuf_printf(
                &text, "%s%s\u00a0%.4g", text.size ? ", " : "", key, json_number_value(value));
    }
    return strbuf_to_arena(&text, page->arena);
}

static const char *count_text(struct page *page, int64_t count)
{
    return count < 0 ? "\u2013" : arena_printf(page->arena, "%lld", (long long)count);
}

static void show_scored_trouble(struct page *page, const struct model_facts *facts)
{
    if (facts->scored_trouble)
        html_printf(page->out,
            "<p class=\"trouble\">What was scored is not known: <code>models.scored</code> in "
            "dag.yaml failed: %s</p>\n",
            facts->scored_trouble);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* A model's versions stand together, newest first. */
struct model_row {
    const struct model_version *newest, *current;
};

static struct model_row take_model(const struct model_versions *all, size_t *position)
{
    struct model_row row = {.newest = &all->at[*position]};
    for (; *position < all->count; ++*position) {
        const struct model_version *version = &all->at[*position];
        if (!str_equal(version->name, row.newest->name))
            break;
        row.current = version->current ? version : row.current;
    }
    return row;
}

static void show_row(struct page *page, const struct model_row *row)
{
    struct strbuf *out = page->out;
    const struct model_version *newest = row->newest, *current = row->current;
    html_printf(out,
        "<tr><th scope=\"row\"><a href=\"%s\"><bdi>%s</bdi></a></th><td data-label=\"kind\">"
        "<bdi>%s</bdi></td><td data-label=\"in service\">",
        link_model(page, newest->name), newest->name, newest->kind);
    if (current)
        html_printf(
            out, "<a href=\"%s\"><bdi>%s</bdi></a>", link_version(page, current), current->version);
    else
        html(out, "<span class=\"none\">none</span>");
    html_printf(out,
        "</td><td data-label=\"metrics\"><bdi>%s</bdi></td><td data-label=\"scored\" "
        "class=\"number\">%s</td>",
        current ? metrics_text(page, current->metrics) : "",
        current ? count_text(page, current->scored) : "");
    html_printf(out,
        "<td data-label=\"versions\" class=\"number\">%s</td><td data-label=\"newest\"><a "
        "href=\"%s\"><bdi>%s</bdi></a></td><td data-label=\"its reason\" class=\"reason\">"
        "<bdi>%s</bdi></td></tr>\n",
        count_text(page, newest->versions), link_version(page, newest), newest->version,
        newest->reason ? newest->reason : "");
}

static void section_models(struct page *page, const struct model_facts *facts)
{
    const struct model_versions *all = &facts->versions;
    size_t position = 0, shown = 0;
    if (!section_begin(page, "models", NULL, (struct about){0}))
        return;
    html(page->out,
        "<h1>Models</h1><p class=\"lead\">Those that pipelines train, and which version "
        "of each is in service.</p>");
    if (all->count == 0)
        show_empty(page, "The registry has no model yet: a training adds one.");
    else
        html(page->out, "<table class=\"dags models\"><thead><tr><th>model</th><th>kind</th><th>in "
                        "service</th><th>metrics</th>"
                        "<th class=\"number\">scored</th><th "
                        "class=\"number\">versions</th><th>newest</th><th>its reason</th></tr>"
                        "</thead><tbody>\n");
    while (position < all->count && shown++ < MODELS_SHOWN) {
        const struct model_row row = take_model(all, &position);
        show_row(page, &row);
    }
    if (all->count)
        html(page->out, "</tbody></table>\n");
    show_scored_trouble(page, facts);
    if (position < all->count)
        show_act(page, "all of them", (const char *[]){"dag", "model", "list", NULL});
    section_end(page);
}

void show_models(struct page *page, const struct model_facts *facts)
{
    const struct crumb crumbs[] = {{"Models", NULL}, {NULL, NULL}};
    page_begin(page, "models", crumbs);
    section_models(page, facts);
    page_end(page);
}

/* ---- one version ----------------------------------------------------------------------------- */

static void show_training(struct page *page, const struct model_version *v)
{
    if (!v->dag_id)
        return;
    const char *address = link_dag(page, v->dag_id);
    fact_begin(page, "trained by");
    if (v->run_id)
        html_printf(page->out, "<a href=\"%s/runs/%s\"><bdi>%s</bdi> <bdi>%s</bdi></a>", address,
            v->run_id, v->dag_id, v->run_id);
    else
        html_printf(page->out, "<a href=\"%s\"><bdi>%s</bdi></a>", address, v->dag_id);
    fact_end(page);
}

static void show_facts(struct page *page, const struct model_version *v)
{
    html(page->out, "<dl class=\"facts\">");
    show_fact(page, "metrics", metrics_text(page, v->metrics));
    show_fact(page, "rows to train, to test",
        arena_printf(page->arena, "%s, %s", count_text(page, v->rows_train),
            count_text(page, v->rows_test)));
    show_fact(page, "trained on rows before", v->mdate);
    fact_begin(page, "trained");
    show_time(page, page->zone, v->trained_us, SHOW_RELATIVE);
    fact_end(page);
    show_training(page, v);
    fact_begin(page, "decided");
    html_printf(page->out, "<bdi>%s</bdi> ", v->decided_by ? v->decided_by : "");
    show_time(page, page->zone, v->decided_us, SHOW_RELATIVE);
    fact_end(page);
    show_fact(page, "scored", count_text(page, v->scored));
    show_fact(page, "newest scored", v->scored_newest);
    show_fact(page, "kind", v->kind);
    fact_begin(page, "place");
    html_printf(page->out, "<code><bdi>%s</bdi></code>", v->place);
    fact_end(page);
    html(page->out, "</dl>\n");
}

static void section_version(struct page *page, const struct model_facts *facts)
{
    const struct model_version *v = facts->chosen;
    if (!section_begin(page, "version", NULL, (struct about){.dag_id = v->dag_id}))
        return;
    html_printf(page->out, "<h1><bdi>%s</bdi> <span class=\"date\"><bdi>%s</bdi></span> ", v->name,
        v->version);
    show_service(page, v);
    html(page->out, "</h1>\n");
    if (v->reason)
        html_printf(page->out, "<p class=\"lead\"><bdi>%s</bdi></p>\n", v->reason);
    show_facts(page, v);
    show_scored_trouble(page, facts);
    if (v->features && *v->features)
        html_printf(page->out,
            "<details><summary>features</summary><pre><bdi>%s</bdi></pre></details>\n",
            cut_text(page->arena, v->features, MODEL_FEATURES_SHOWN_SIZE));
    html(page->out, "<p class=\"acts\">");
    if (!v->current)
        show_act(page, "put it in service",
            (const char *[]){"dag", "model", "promote", v->name, v->version, NULL});
    if (v->in_service)
        show_act(page, "take it out",
            (const char *[]){"dag", "model", "retire", v->name, v->version, NULL});
    html(page->out, "</p>\n");
    section_end(page);
}

/* ---- its versions ---------------------------------------------------------------------------- */

static void show_version_row(
    struct page *page, const struct model_version *v, const struct model_version *chosen)
{
    struct strbuf *out = page->out;
    html(out, "<tr><th scope=\"row\"><a");
    html_attr(out, "aria-current", v == chosen ? "true" : NULL);
    html_printf(out, " href=\"%s\"><bdi>%s</bdi></a></th><td data-label=\"service\">",
        link_version(page, v), v->version);
    show_service(page, v);
    html_printf(out,
        "</td><td data-label=\"metrics\"><bdi>%s</bdi></td><td data-label=\"rows\" "
        "class=\"number\">%s</td><td data-label=\"scored\" class=\"number\">%s</td><td "
        "data-label=\"trained\">",
        metrics_text(page, v->metrics), count_text(page, v->rows_train),
        count_text(page, v->scored));
    show_time(page, page->zone, v->trained_us, SHOW_PLAIN);
    html_printf(out,
        "</td><td data-label=\"decided by\"><bdi>%s</bdi></td><td data-label=\"reason\" "
        "class=\"reason\"><bdi>%s</bdi></td></tr>\n",
        v->decided_by ? v->decided_by : "", v->reason ? v->reason : "");
}

static void section_versions(struct page *page, const struct model_facts *facts)
{
    size_t count = facts->versions.count, from = page_offset(page, "from", count);
    size_t to = from + MODEL_VERSIONS_SHOWN < count ? from + MODEL_VERSIONS_SHOWN : count;
    if (!section_begin(
            page, "versions", "Versions", (struct about){.dag_id = facts->chosen->dag_id}))
        return;
    html(page->out,
        "<table class=\"dags versions\"><thead><tr><th>version</th><th>service</th><th>metrics"
        "</th><th class=\"number\">rows</th><th class=\"number\">scored</th><th>trained"
        "</th><th>decided by</th><th>reason</th></tr></thead><tbody>\n");
    for (size_t i = from; i < to; i++)
        show_version_row(page, &facts->versions.at[i], facts->chosen);
    html(page->out, "</tbody></table>\n");
    show_pager(page, "from", from, to, count, MODEL_VERSIONS_SHOWN);
    section_end(page);
}

void show_model(struct page *page, const struct model_facts *facts)
{
    const struct crumb crumbs[] = {{"Models", "/models"}, {facts->name, NULL}, {NULL, NULL}};
    page_begin(page, facts->name, crumbs);
    section_version(page, facts);
    show_metrics(page, facts);
    show_evaluation(page, facts);
    section_versions(page, facts);
    page_end(page);
}
