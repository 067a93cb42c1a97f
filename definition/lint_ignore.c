/*
 * Suppression in place: `dag: ignore CODE, CODE: why` in a comment of YAML, SQL or a template, of
 * findings on its line or the next.
 */
#include <ctype.h>
#include "base/map.h"
#include "base/vec.h"
#include "definition/lint_internal.h"
#include "definition/report.h"

/* One code of a comment. */
struct ignore {
    const struct source *source;
    uint32_t line;
    size_t offset; /* of the code in the file */
    struct slice code;
    bool used;
};
struct ignores {
    VEC(struct ignore) at;
    struct map *by_place; /* "file:line" → 1 + index of its first */
    struct diagnostics *findings;
};

static const char mark[] = "dag: ignore";

static void report_comment(struct ignores *ignores, const struct source *source, size_t offset,
    const char *code, struct error *error)
{
    error_at(error, source->shown, source->text.p, source->text.size, offset);
    report_warning(ignores->findings, error, lint_code_find(slice_of(code))->code);
}

/* ---- reading comments ------------------------------------------------------------------------ */

/* Whether a comment begins in the line before the mark. */
static bool is_comment(struct slice text, size_t begin, size_t at)
{
    for (size_t i = begin; i < at; i++)
        if (text.p[i] == '#' || (i + 1 < at && ((text.p[i] == '-' && text.p[i + 1] == '-') ||
                                                   (text.p[i] == '/' && text.p[i + 1] == '*'))))
            return true;
    return false;
}

static bool is_code_char(char c)
{
    return isalnum((unsigned char)c) || c == '-';
}

/* A reason has words. */
static bool has_reason(struct slice rest)
{
    size_t letters = 0;
    for (size_t i = 0; i < rest.size; i++)
        letters += isalpha((unsigned char)rest.p[i]) || (rest.p[i] & 0x80);
    return rest.size && rest.p[0] == ':' && letters > 2;
}

static void add_code(
    struct ignores *ignores, const struct source *source, uint32_t line, size_t from, size_t to)
{
    char key[sizeof(((struct place *)NULL)->file) + 16];
    struct ignore ignore = {.source = source,
        .line = line,
        .offset = from,
        .code = slice_make(source->text.p + from, to - from)};
    vec_push(&ignores->at, ignore);
    snprintf(key, sizeof(key), "%.255s:%u", source->shown, line);
    if (!map_has(ignores->by_place, key))
        map_set(ignores->by_place, key, (void *)(uintptr_t)ignores->at.count);
}

static void read_comment(
    struct ignores *ignores, const struct source *source, size_t at, uint32_t line)
{
    struct slice text = source->text;
    size_t i = at + strlen(mark), end = i;
    while (end < text.size && text.p[end] != '\n')
        end++;
    for (;;) {
        while (i < end && (text.p[i] == ' ' || text.p[i] == ','))
            i++;
        size_t from = i;
        while (i < end && is_code_char(text.p[i]))
            i++;
        if (i == from)
            break;
        add_code(ignores, source, line, from, i);
    }
    if (has_reason(slice_make(text.p + i, end - i)))
        return;
    struct error error;
    error_set(&error, ERR_LINT, "the comment does not say why");
    error_hint(&error, "write `%s CODE: the reason`", mark);
    report_comment(ignores, source, at, "ignore-without-reason", &error);
}

static void read_source(struct ignores *ignores, const struct source *source)
{
    struct slice text = source->text;
    uint32_t line = 1;
    size_t begin = 0, at = 0;
    while (!source->missing && at < text.size) {
        const char *found = memmem(text.p + at, text.size - at, mark, strlen(mark));
        if (!found)
            return;
        size_t offset = (size_t)(found - text.p);
        for (; at < offset; at++)
            if (text.p[at] == '\n') {
                line++;
                begin = at + 1;
            }
        if (is_comment(text, begin, offset))
            read_comment(ignores, source, offset, line);
        at = offset + strlen(mark);
    }
}

/* ---- using them ------------------------------------------------------------------------------ */

static bool ignores_at(
    struct ignores *ignores, const struct place *place, uint32_t line, struct slice code)
{
    char key[sizeof(place->file) + 16];
    snprintf(key, sizeof(key), "%s:%u", place->file, line);
    size_t i = (size_t)(uintptr_t)map_get(ignores->by_place, key);
    bool found = false;
    for (; i && i <= ignores->at.count; i++) {
        struct ignore *ignore = &ignores->at.at[i - 1];
        if (ignore->line != line || !str_equal(ignore->source->shown, place->file))
            break;
        bool same = slice_equal(ignore->code, code);
        ignore->used |= same;
        found |= same;
    }
    return found;
}

static bool is_suppressed(struct ignores *ignores, const struct diagnostic *d)
{
    const struct place *place = &d->error.place;
    if (!d->code || !place->file[0] || !place->line)
        return false;
    struct slice code = slice_of(d->code);
    return ignores_at(ignores, place, place->line, code) ||
           ignores_at(ignores, place, place->line - 1, code);
}

static void report_unused(struct ignores *ignores, const struct ignore *ignore)
{
    struct error error;
    bool known = lint_code_find(ignore->code) != NULL;
    error_set(&error, ERR_LINT,
        known ? "there is no `%.*s` here to ignore" : "there is no code `%.*s`",
        SLICE_ARG(ignore->code));
    error_hint(&error, known ? "take the comment away; it stands on the line of a finding, or on "
                               "the line before"
                             : "`dag lint --codes` lists them");
    report_comment(ignores, ignore->source, ignore->offset, "ignore-unused", &error);
}

void lint_take(const struct sources *sources, const struct map *only,
    const struct diagnostics *found, struct diagnostics *findings)
{
    struct ignores ignores = {.by_place = map_new(), .findings = findings};
    for (size_t i = 0; i < sources_count(sources); i++)
        read_source(&ignores, sources_at(sources, i));
    for (const struct diagnostic *d = found->first; d; d = d->next)
        if (!is_suppressed(&ignores, d))
            report_copy(findings, d);
    findings->dropped += found->dropped;
    for (size_t i = 0; i < ignores.at.count; i++) {
        const struct ignore *ignore = &ignores.at.at[i];
        if (!ignore->used && (!only || map_has(only, ignore->source->shown)))
            report_unused(&ignores, ignore);
    }
    map_free(ignores.by_place);
    vec_done(&ignores.at);
}
