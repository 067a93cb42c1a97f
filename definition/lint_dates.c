/*
 * Templates that take another way on other dates: rendered again for days on which they do.  What
 * they give is looked at again only when it differs by more than its numbers.
 */
#include <ctype.h>
#include "base/clock.h"
#include "definition/lineage.h"
#include "definition/lint_internal.h"

/* Whether a tag, an expression or a statement, has one of the words that choose. */
static bool chooses(struct slice tag)
{
    static const char *const words[] = {"if", "elif", "for"};
    bool word = false;
    for (size_t i = 0; i < tag.size; i++) {
        bool begins = !word && isalpha((unsigned char)tag.p[i]);
        word = isalnum((unsigned char)tag.p[i]) || tag.p[i] == '_';
        for (size_t w = 0; begins && w < ARRAY_SIZE(words); w++) {
            size_t size = strlen(words[w]);
            if (i + size < tag.size && memcmp(tag.p + i, words[w], size) == 0 &&
                isspace((unsigned char)tag.p[i + size]))
                return true;
        }
    }
    return false;
}

bool lint_takes_ways(struct slice text)
{
    const char *end = text.p + text.size;
    for (const char *p = text.p; p && (p = memchr(p, '{', (size_t)(end - p))) != NULL; p++) {
        if (p + 1 == end || (p[1] != '%' && p[1] != '{'))
            continue;
        const char *close = memmem(p + 2, (size_t)(end - p) - 2, p[1] == '%' ? "%}" : "}}", 2);
        close = close ? close : end;
        if (chooses(slice_make(p + 2, (size_t)(close - p) - 2)))
            return true;
        p = close;
        if (p == end)
            break;
    }
    return false;
}

/* Of the text with each number as `0`. */
static uint64_t shape_of(struct slice text, struct arena *arena)
{
    char *shape = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool digit = isdigit((unsigned char)text.p[i]);
        if (!digit || size == 0 || shape[size - 1] != '0')
            shape[size++] = digit ? '0' : text.p[i];
    }
    return hash_u64(shape, size);
}

/* The texts of a task that were looked at. */
struct seen {
    uint64_t shapes[1 + SAMPLE_DATES_MAX];
    size_t count;
};

static bool is_new(struct seen *seen, uint64_t shape)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->shapes[i] == shape)
            return false;
    seen->shapes[seen->count++] = shape;
    return true;
}

static void look_at(struct linting *l, const struct rendered *sql, struct arena *arena)
{
    struct lineage_task lineage;
    lineage_of_task(l->project, l->task, sql->map, false, arena, &lineage);
    lint_sql(l, sql->map, &lineage.tables);
    lint_copy(l, sql, &lineage.tables);
    lint_syntax(l, &lineage);
}

static void check_date(struct linting *l, const struct run_facts *facts, struct seen *seen)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    enum dialect own = task_dialect(l->project, l->task);
    for (enum dialect dialect = DIALECT_POSTGRESQL; dialect <= DIALECT_GREENPLUM7; dialect++) {
        struct rendered_task rendered;
        struct error error;
        bool sampled;
        if (dialect != own && !l->asks_target)
            continue;
        struct sample_run run = {facts, dialect, l->cache};
        enum status status = sample_run_render(
            l->project, l->dag, l->task, &run, arena, &rendered, &sampled, &error);
        const struct rendered *sql = status == OK ? rendered_find(&rendered, "sql") : NULL;
        if (status && !sampled)
            lint_template_error(l, &error);
        else if (sql && !sampled && dialect == own && is_new(seen, shape_of(sql->text, arena)))
            look_at(l, sql, arena);
    }
}

void lint_dates(struct linting *l, const struct lineage_task *lineages)
{
    int64_t dates[SAMPLE_DATES_MAX];
    size_t count = l->takes_ways ? sample_run_dates(l->dag, dates) : 0;
    struct seen *seen = arena_array(l->arena, struct seen, l->dag->task_count);
    for (uint32_t t = 0; count && t < l->dag->task_count; t++)
        if (lineages[t].map)
            seen[t].shapes[seen[t].count++] = shape_of(lineages[t].map->text, l->arena);
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct run_facts facts;
        struct error ignored; /* it is no date of the DAG's */
        struct civil day = civil_from_us(dates[i]);
        if (sample_run_facts_at(l->dag, dates[i], arena, &facts, &ignored) != OK)
            continue;
        l->only_date = arena_printf(l->arena, "%04d-%02d-%02d", day.year, day.month, day.day);
        for (uint32_t t = 0; t < l->dag->task_count; t++) {
            l->task = &l->dag->tasks[t];
            check_date(l, &facts, &seen[t]);
        }
    }
    l->only_date = NULL;
}
