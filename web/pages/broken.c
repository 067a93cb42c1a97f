/* Files with mistakes. */
#include "web/limits.h"
#include "web/pages/pages.h"

static void show_mistake(struct page *page, const struct diagnostic *mistake)
{
    struct strbuf text = {0};
    error_format(&mistake->error, mistake->severity, &text);
    struct slice trimmed = slice_trim(slice_make(strbuf_text(&text), text.size));
    show_message(page, arena_strndup(page->arena, trimmed.p, trimmed.size));
    strbuf_done(&text);
}

static void show_broken_file(struct page *page, const struct broken_file *broken)
{
    size_t shown = 0;
    struct strbuf *out = page->out;
    html(out, "<li class=\"need\"><p class=\"line\">");
    html(out, "<span class=\"state s-failed\"><span class=\"glyph\" aria-hidden=\"true\">\u2715"
              "</span>broken file</span>");
    html_printf(out, "<code><bdi>%s</bdi></code><span class=\"reason\">%s</span></p>\n",
        broken->file,
        broken->has_last_good ? "its last good version stays scheduled"
                              : "nothing of it is scheduled");
    const struct diagnostic *d = broken->diagnostics->first;
    for (; d && shown < MISTAKES_OPEN; d = d->next, shown++)
        show_mistake(page, d);
    if (d) {
        html_printf(out, "<details><summary>%zu more mistakes</summary>",
            broken->diagnostics->kept + broken->diagnostics->dropped - shown);
        for (; d && shown < MISTAKES_SHOWN; d = d->next, shown++)
            show_mistake(page, d);
        html(out, "</details>");
    }
    html(out, "<p class=\"acts\">");
    show_act(page, "check it", (const char *[]){"dag", "lint", broken->file, NULL});
    if (d)
        html(out, "<span class=\"reason\">shows the further mistakes, too</span>");
    html(out, "</p></li>\n");
}

void show_broken_files(struct page *page)
{
    struct catalogue *catalogue = daemon_catalogue(page->web->daemon);
    size_t count = catalogue_broken_count(catalogue);
    for (size_t i = 0; i < count && i < BROKEN_FILES_SHOWN; i++) {
        struct broken_file broken = catalogue_broken_at(catalogue, i);
        show_broken_file(page, &broken);
    }
    if (count > BROKEN_FILES_SHOWN) {
        html_printf(page->out, "<li class=\"need\"><p class=\"line\">%zu more broken files",
            count - BROKEN_FILES_SHOWN);
        show_act(page, "all of them", (const char *[]){"dag", "lint", NULL});
        html(page->out, "</p></li>\n");
    }
}
