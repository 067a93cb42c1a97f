#include "web/show.h"

#include <stdio.h>

#include "base/file.h"
#include "base/shell.h"
#include "language/timetable/zone.h"
#include "web/limits.h"

/* ---- addresses ------------------------------------------------------------------------------- */

static char *link_below(struct page *page, const char *above, const char *kind, const char *name)
{
    struct strbuf text = {0};
    strbuf_add_str(&text, above);
    strbuf_add_str(&text, kind);
    url_segment(&text, name);
    char *link = strbuf_to_arena(&text, page->arena);
    strbuf_done(&text);
    return link;
}

char *link_dag(struct page *page, const char *dag_id)
{
    return link_below(page, "", "/dags/", dag_id);
}

char *link_run(struct page *page, const char *dag_id, const struct zone *zone, int64_t logical_us)
{
    return link_below(
        page, link_dag(page, dag_id), "/runs/", run_word(page->arena, zone, logical_us));
}

char *link_task(struct page *page, const char *run_link, const char *task_id, int32_t map_index)
{
    return link_below(page, run_link, "/tasks/", task_word(page->arena, task_id, map_index));
}

char *link_try(struct page *page, const char *task_link, int32_t number)
{
    return arena_printf(page->arena, "%s/tries/%d", task_link, number);
}

/* The local time as people write it: midnight is left out, so are zero seconds. */
static char *local_text(struct arena *arena, const struct civil *c)
{
    if (c->microsecond)
        return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%06d", c->year, c->month, c->day,
            c->hour, c->minute, c->second, c->microsecond);
    if (c->second)
        return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d", c->year, c->month, c->day,
            c->hour, c->minute, c->second);
    if (c->hour || c->minute)
        return arena_printf(
            arena, "%04d-%02d-%02dT%02d:%02d", c->year, c->month, c->day, c->hour, c->minute);
    return arena_printf(arena, "%04d-%02d-%02d", c->year, c->month, c->day);
}

char *run_word(struct arena *arena, const struct zone *zone, int64_t logical_us)
{
    struct civil civil = zone_to_civil(zone, logical_us, NULL);
    char *word = local_text(arena, &civil);
    struct error err;
    int64_t back_us;
    if (zone_parse_time(zone, slice_of(word), &back_us, NULL, &err) == OK && back_us == logical_us)
        return word;
    /* The clock was set back: the first of the two needs its offset. */
    char iso[TIME_TEXT_SIZE];
    time_format_iso(logical_us, iso);
    return arena_strdup(arena, iso);
}

char *run_label(struct arena *arena, const struct zone *zone, int64_t logical_us)
{
    int64_t second_us = logical_us - (logical_us % US_PER_SECOND + US_PER_SECOND) % US_PER_SECOND;
    char *label = run_word(arena, zone, second_us);
    char *middle = strchr(label, 'T');
    if (middle)
        *middle = ' ';
    return label;
}

/* ---- states ---------------------------------------------------------------------------------- */

/* How to add a state: a row here and its colours in assets/page.css (tests/unit/web/show_test.c
   walks definition/model/state.h's tables). */
static const struct {
    const char *state, *glyph;
} glyphs[] = {
    {"success", "\u2713"},
    {"failed", "\u2715"},
    {"running", "\u25cf"},
    {"queued", "\u25cb"},
    {"scheduled", "\u00b7"},
    {"up_for_retry", "\u21bb"},
    {"restarting", "\u21bb"},
    {"up_for_reschedule", "\u25d4"},
    {"deferred", "\u25d4"},
    {"skipped", "\u2013"},
    {"upstream_failed", "\u2298"},
    {"removed", "\u00d7"},
    {"none", "\u00a0"},
};

const char *state_glyph(const char *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(glyphs); i++)
        if (str_equal(glyphs[i].state, state))
            return glyphs[i].glyph;
    return "?";
}

void show_state(struct page *page, const char *state)
{
    html_printf(page->out,
        "<span class=\"state s-%s\"><span class=\"glyph\" aria-hidden=\"true\">%s</span>%s</span>",
        state, state_glyph(state), state);
}

void show_cell(struct page *page, const char *state, const char *address, const char *title,
    const char *more_class)
{
    html_printf(page->out, "<a class=\"c s-%s%s%s\" href=\"%s\" title=\"%s\">%s</a>", state,
        more_class ? " " : "", more_class ? more_class : "", address, title, state_glyph(state));
}

/* ---- times ----------------------------------------------------------------------------------- */

char *took_text(struct arena *arena, int64_t us)
{
    char text[32];
    /* Whole seconds, but for what is shorter than one. */
    if (us > US_PER_SECOND)
        us -= us % US_PER_SECOND;
    duration_format(us < 0 ? 0 : us, text);
    return arena_strdup(arena, text);
}

char *relative_text(struct arena *arena, int64_t us, int64_t now_us)
{
    int64_t distance = us > now_us ? us - now_us : now_us - us;
    if (distance < US_PER_SECOND)
        return arena_strdup(arena, "now");
    const char *took = took_text(arena, distance);
    return us > now_us ? arena_printf(arena, "in %s", took) : arena_printf(arena, "%s ago", took);
}

void show_time(struct page *page, const struct zone *zone, int64_t us, enum show_time how)
{
    if (us == TIME_NONE) {
        html(page->out, "<span class=\"none\">\u2013</span>");
        return;
    }
    char iso[TIME_TEXT_SIZE];
    struct civil utc = civil_from_us(us), local = zone_to_civil(zone, us, NULL);
    time_format_iso(us - us % US_PER_SECOND, iso);
    const char *relative = relative_text(page->arena, us, page->now.wall_us);
    const char *local_words = arena_printf(page->arena, "%04d-%02d-%02d %02d:%02d:%02d", local.year,
        local.month, local.day, local.hour, local.minute, local.second);
    html_printf(page->out, "<time datetime=\"%s\" title=\"%s %s \u00b7 %s UTC \u00b7 %s\"", iso,
        local_words, zone_name(zone),
        arena_printf(page->arena, "%04d-%02d-%02d %02d:%02d:%02d", utc.year, utc.month, utc.day,
            utc.hour, utc.minute, utc.second),
        relative);
    if (how == SHOW_RELATIVE)
        html_printf(page->out, " data-relative>%s</time>", relative);
    else if (how == SHOW_PRECISE)
        html_printf(page->out, ">%s.%s</time>", local_words,
            arena_printf(page->arena, "%03d", local.microsecond / 1000));
    else
        html_printf(page->out, ">%s</time>", local_words);
    if (how == SHOW_ZONE)
        html_printf(page->out, " <span class=\"zone\">%s</span>", zone_name(zone));
}

void show_took(struct page *page, int64_t started_us, int64_t ended_us)
{
    if (started_us == TIME_NONE) {
        html(page->out, "<span class=\"none\">\u2013</span>");
        return;
    }
    char iso[TIME_TEXT_SIZE];
    bool going = ended_us == TIME_NONE;
    int64_t end_us = going ? page->now.wall_us : ended_us;
    time_format_iso(started_us, iso);
    html(page->out, "<span class=\"took\"");
    html_attr(page->out, "data-since", going ? iso : NULL);
    html_printf(page->out, ">%s</span>", took_text(page->arena, end_us - started_us));
}

/* ---- texts ----------------------------------------------------------------------------------- */

void show_act(struct page *page, const char *label, const char *const *words)
{
    CLEANUP(strbuf_done) struct strbuf line = {0};
    strbuf_add_shell_words(&line, words);
    html_printf(page->out,
        "<span class=\"act\"><span class=\"label\">%s</span> <code class=\"command\" "
        "dir=\"ltr\">%s</code></span>",
        label, strbuf_text(&line));
}

const char *reason_line(struct arena *arena, const char *text, enum reason reason)
{
    if (!text || !*text)
        return reason_text(reason);
    return arena_strndup(arena, text, strcspn(text, "\n"));
}

const char *cut_text(struct arena *arena, const char *text, size_t size_max)
{
    if (!text || strlen(text) <= size_max)
        return text;
    while (size_max && ((unsigned char)text[size_max] & 0xc0) == 0x80)
        size_max--; /* not within a character */
    return arena_printf(arena, "%.*s\u2026", (int)size_max, text);
}

void show_message(struct page *page, const char *text)
{
    if (text && *text)
        html_printf(page->out, "<pre class=\"message\">%s</pre>", text);
}

/* The line of a file inside the project, as it is now; NULL when there is none. */
static const char *line_of(struct page *page, const char *file, int64_t line)
{
    const char *root = daemon_project(page->web->daemon)->root;
    struct slice text;
    struct error err;
    if (!path_is_inside(file) || file_read(path_join(page->arena, root, file), SOURCE_SIZE_MAX,
                                     page->arena, &text, &err) != OK)
        return NULL;
    const char *p = text.p, *end = text.p + text.size;
    for (; line > 1 && p; line--) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    return p && p < end ? arena_strndup(page->arena, p, strcspn(p, "\r\n")) : NULL;
}

void show_place(struct page *page, const char *place, const char *message)
{
    if (!place)
        return;
    size_t file_size = strcspn(place, ":");
    const char *number = place + file_size + (place[file_size] == ':');
    size_t number_size = strcspn(number, ":");
    int64_t line = 0;
    const char *file = arena_strndup(page->arena, place, file_size);
    html(page->out, "<p class=\"place\">");
    if (!parse_int64(slice_make(number, number_size), &line)) {
        html_printf(page->out, "<code>%s</code></p>", place);
        return;
    }
    html_printf(page->out, "<code><bdi>%s</bdi>:%lld</code>", file, (long long)line);
    const char *shown = message && strstr(message, " | ") ? NULL : line_of(page, file, line);
    if (shown)
        html_printf(page->out, "<code class=\"source\"><bdi>%s</bdi></code>", shown);
    html(page->out, "</p>");
}

void fact_begin(struct page *page, const char *heading)
{
    html_printf(page->out, "<div><dt>%s</dt><dd>", heading);
}

void fact_end(struct page *page)
{
    html(page->out, "</dd></div>");
}

void show_fact(struct page *page, const char *heading, const char *text)
{
    if (!text || !*text)
        return;
    fact_begin(page, heading);
    html_printf(page->out, "<bdi>%s</bdi>", text);
    fact_end(page);
}

void show_empty(struct page *page, const char *text)
{
    html_printf(page->out, "<p class=\"empty\">%s</p>\n", text);
}

void show_deadline(
    struct page *page, const struct zone *zone, int64_t deadline_us, int64_t missed_us)
{
    if (deadline_us == TIME_NONE)
        return;
    fact_begin(page, missed_us == TIME_NONE ? "deadline" : "missed its deadline");
    show_time(page, zone, deadline_us, SHOW_ZONE);
    fact_end(page);
}
