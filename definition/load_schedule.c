/* Schedules, start and end dates, the zone: from a DAG file to a timetable. */
#include "definition/loading.h"
#include "definition/report.h"
#include "definition/schedule_spec.h"

/* The texts of a schedule, with the node to blame for each. */
struct dated {
    const char **texts;
    const struct yaml_node **nodes; /* NULL: they come from a file */
    size_t count;
    const struct source *file;
    const uint32_t *lines;
};

struct reading {
    struct loading *l;
    struct schedule_spec spec;
    struct schedule_place place;
    struct dated texts, calendar;
    const struct yaml_node *schedule, *start, *end;
    bool ok;
};

static bool is_null(const struct yaml_node *node)
{
    return !node || (node->kind == YAML_SCALAR && node->type == YAML_NULL);
}

static void fail_type(struct reading *r, const struct yaml_node *node, const char *what)
{
    report_hint(report(r->l->diagnostics, node, ERR_VALUE_TYPE, "%s cannot be %s", what,
                    yaml_describe(node)),
        "write null, \"@daily\", \"30 2 * * *\", 90m, or {cron: …}");
    r->ok = false;
}

/* A scalar, or a list of scalars. */
static void take_texts(
    struct reading *r, const struct yaml_node *node, const char *what, struct dated *ret)
{
    bool list = node->kind == YAML_SEQUENCE;
    size_t count = list ? node->count : 1;
    ret->texts = arena_array(r->l->scratch, const char *, count);
    ret->nodes = arena_array(r->l->scratch, const struct yaml_node *, count);
    if (list && count == 0)
        fail_type(r, node, what);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *item = list ? node->items[i] : node;
        if (item->kind != YAML_SCALAR || item->type == YAML_NULL || item->type == YAML_BOOL) {
            fail_type(r, item, what);
            return;
        }
        ret->texts[i] = item->value.p;
        ret->nodes[i] = item;
    }
    ret->count = count;
}

/* A file of dates, or a list of them. */
static void take_dates(
    struct reading *r, const struct yaml_node *node, const char *what, struct dated *ret)
{
    if (node->kind != YAML_SCALAR) {
        take_texts(r, node, what, ret);
        return;
    }
    const struct source *source = loading_find(r->l, node);
    struct error error;
    const char *const *dates;
    if (!source) {
        r->ok = false;
        return;
    }
    if (timetable_read_dates(
            r->l->scratch, source->text, &dates, &ret->lines, &ret->count, &error) != OK) {
        report_from(r->l->diagnostics, node, &error, source->shown);
        r->ok = false;
        return;
    }
    ret->file = source;
    ret->texts = arena_memdup(r->l->scratch, dates, ret->count * sizeof(*dates));
}

/* Cron, dates or assets; assets go with cron. */
static bool check_forms(
    struct reading *r, const struct schedule_keys *keys, const struct keys_given *given)
{
    static const char *const cron_only[] = {"interval", "dst", "calendar", "on_holiday"};
    bool assets = !is_null(keys->assets);
    if (assets ? keys->dates != NULL : !keys->cron == !keys->dates) {
        report_hint(report(r->l->diagnostics, r->schedule, ERR_KEY_MISSING,
                        "a schedule has one of `cron`, `dates` and `assets`, or `cron` and "
                        "`assets`"),
            "write {cron: \"30 2 * * *\", …}, {dates: […]} or {assets: {all: […]}}");
        r->ok = false;
    }
    for (size_t i = 0; assets && !keys->cron && i < ARRAY_SIZE(cron_only); i++) {
        const struct yaml_node *node = keys_given_value(given, &schedule_level, cron_only[i]);
        if (!node)
            continue;
        report_hint(report(r->l->diagnostics, node, ERR_VALUE_RANGE, "`%s` goes with `cron` only",
                        cron_only[i]),
            "leave it out");
        r->ok = false;
    }
    return r->ok;
}

static void take_mapping(struct reading *r)
{
    struct schedule_keys keys = {.interval = true};
    struct dst_keys dst = {0};
    struct keys_given given, dst_given = {0};
    struct keys_reader reader = {r->l->scratch, r->l->diagnostics, 0, false};
    size_t errors = r->l->diagnostics->error_count;
    keys_read(&reader, &schedule_level, r->schedule, &keys, &given);
    if (keys.dst)
        keys_read(&reader, &dst_level, keys.dst, &dst, &dst_given);
    r->ok = r->l->diagnostics->error_count == errors;
    if (!r->ok)
        return;
    if (!check_forms(r, &keys, &given))
        return;
    if (!is_null(keys.assets))
        r->ok = load_assets(r->l, keys.assets);
    if (!keys.cron && !keys.dates)
        return;
    r->spec.form = keys.cron ? SCHEDULE_TEXT : SCHEDULE_DATES;
    r->spec.trigger = !keys.interval;
    r->spec.on_holiday = (enum schedule_holiday)keys.on_holiday;
    if (keys_given_value(&dst_given, &dst_level, "gap"))
        r->spec.gap = dst.gap == 0 ? SCHEDULE_GAP_SHIFT : SCHEDULE_GAP_SKIP;
    if (keys_given_value(&dst_given, &dst_level, "overlap"))
        r->spec.overlap = dst.overlap == 0   ? SCHEDULE_OVERLAP_SECOND
                          : dst.overlap == 1 ? SCHEDULE_OVERLAP_FIRST
                                             : SCHEDULE_OVERLAP_BOTH;
    if (keys.cron)
        take_texts(r, keys.cron, "`cron`", &r->texts);
    else
        take_dates(r, keys.dates, "`dates`", &r->texts);
    if (!is_null(keys.calendar))
        take_dates(r, keys.calendar, "`calendar`", &r->calendar);
}

static const char *take_date(struct reading *r, const struct yaml_node *node, const char *key)
{
    if (is_null(node))
        return NULL;
    if (node->kind == YAML_SCALAR && node->type == YAML_TEXT)
        return node->value.p;
    report_hint(report(r->l->diagnostics, node, ERR_VALUE_TYPE, "`%s` takes a date, this is %s",
                    key, yaml_describe(node)),
        "write 2007-04-12 or 2007-04-12T08:00");
    r->ok = false;
    return NULL;
}

static void report_in_file(
    struct reading *r, const struct dated *dated, size_t i, struct error *error)
{
    struct slice text = dated->file->text;
    size_t at = 0;
    for (uint32_t line = 1; line < dated->lines[i] && at < text.size; line++)
        at += strcspn(text.p + at, "\n") + 1;
    error_at(error, dated->file->shown, text.p, text.size, at);
    report_error(r->l->diagnostics, error);
}

/* Says where in the DAG file the text at fault stands; the error knows the column inside it. */
static void report_part(struct reading *r, struct error *error)
{
    const struct dated *dated = r->place.part == SCHEDULE_PART_CALENDAR ? &r->calendar : &r->texts;
    const struct yaml_node *node = r->schedule;
    uint32_t column = error->place.column;
    if (r->place.part == SCHEDULE_PART_START)
        node = r->start;
    else if (r->place.part == SCHEDULE_PART_END)
        node = r->end;
    else if (r->place.index < dated->count && dated->file) {
        report_in_file(r, dated, r->place.index, error);
        return;
    } else if (r->place.index < dated->count)
        node = dated->nodes[r->place.index];
    struct diagnostic *d = report_from(r->l->diagnostics, node, error, NULL);
    if (!d)
        return;
    report_hint(d, "%s", error->hint);
    if (column > 1 && node->text.exact) {
        d->error.place.line = node->text.line;
        d->error.place.column = node->text.column + column - 1;
    }
}

static bool is_no_schedule_word(const struct yaml_node *node)
{
    static const char *const words[] = {"none", "None", "@none", "@None", "manual", "never"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (yaml_is_text(node, words[i]))
            return true;
    return false;
}

static void take_schedule(struct reading *r)
{
    const struct yaml_node *node = r->schedule;
    if (is_null(node))
        return;
    if (node->kind == YAML_MAPPING) {
        take_mapping(r);
        return;
    }
    if (is_no_schedule_word(node)) {
        report_hint(
            report(r->l->diagnostics, node, ERR_AIRFLOW_KEY, "`%s` is no schedule", node->value.p),
            "write `schedule: null`");
        r->ok = false;
        return;
    }
    if (node->kind == YAML_SCALAR && node->type == YAML_INT) {
        report_hint(
            report(r->l->diagnostics, node, ERR_VALUE_TYPE, "a schedule cannot be a bare number"),
            "a duration needs its unit: write %lds", (long)node->integer);
        r->ok = false;
        return;
    }
    r->spec.form = SCHEDULE_TEXT;
    take_texts(r, node, "a schedule", &r->texts);
}

/* "@daily | assets a and b" */
static const char *with_assets(struct reading *r, const char *schedule)
{
    const struct dag *dag = r->l->dag;
    struct strbuf text = {0};
    if (!dag->assets)
        return arena_strdup(r->l->arena, schedule);
    if (r->spec.form != SCHEDULE_NONE)
        strbuf_printf(&text, "%s | ", schedule);
    strbuf_add_str(&text, dag->asset_names.count == 1 ? "asset " : "assets ");
    asset_describe(dag->assets, false, &text);
    char *shown = strbuf_to_arena(&text, r->l->arena);
    strbuf_done(&text);
    return shown;
}

static const char *describe(struct reading *r)
{
    struct strbuf text = {0};
    if (r->spec.form == SCHEDULE_NONE)
        return with_assets(r, "none");
    if (r->spec.form == SCHEDULE_DATES)
        return r->texts.file ? arena_printf(r->l->arena, "dates in %s", r->texts.file->shown)
                             : arena_printf(r->l->arena, "%zu dates", r->texts.count);
    for (size_t i = 0; i < r->texts.count; i++)
        strbuf_printf(&text, "%s%s", i ? " | " : "", r->texts.texts[i]);
    if (r->spec.trigger)
        strbuf_add_str(&text, " (at the tick)");
    if (r->calendar.count)
        strbuf_add_str(&text, " (with a calendar)");
    const char *shown = with_assets(r, strbuf_text(&text));
    strbuf_done(&text);
    return shown;
}

static void load_zone(struct loading *l, const struct dag_keys *keys)
{
    const char *name = keys->timezone ? keys->timezone : l->project->timezone;
    const struct yaml_node *node = yaml_get(l->document, "timezone");
    struct error error;
    l->dag->zone = zone_utc();
    if (zone_load(name, &l->dag->zone, &error) == OK)
        return;
    struct diagnostic *d = report_from(l->diagnostics, node ? node : l->document, &error, NULL);
    report_hint(d, "%s", error.hint);
}

/* Without a schedule there is no timetable, but the dates still bound what may be asked for. */
static void load_bounds(struct reading *r)
{
    struct dag *dag = r->l->dag;
    struct error error;
    r->place.part = SCHEDULE_PART_START;
    if (r->spec.start_date && zone_parse_time(dag->zone, slice_of(r->spec.start_date),
                                  &dag->start_us, NULL, &error) != OK)
        report_part(r, &error);
    r->place.part = SCHEDULE_PART_END;
    if (r->spec.end_date &&
        zone_parse_end(dag->zone, slice_of(r->spec.end_date), &dag->end_us, &error) != OK)
        report_part(r, &error);
}

void load_schedule(struct loading *l, const struct dag_keys *keys)
{
    struct reading r = {.l = l,
        .schedule = keys->schedule,
        .start = keys->start_date,
        .end = keys->end_date,
        .ok = true};
    struct error error;
    load_zone(l, keys);
    l->dag->start_us = TIME_MIN_US;
    l->dag->end_us = TIME_MAX_US;
    take_schedule(&r);
    r.spec.start_date = take_date(&r, keys->start_date, "start_date");
    r.spec.end_date = take_date(&r, keys->end_date, "end_date");
    if (!r.ok)
        return;
    l->dag->schedule_text = describe(&r);
    if (r.spec.form == SCHEDULE_NONE) {
        load_bounds(&r);
        return;
    }
    r.spec.texts = r.texts.texts;
    r.spec.text_count = r.texts.count;
    r.spec.calendar = r.calendar.texts;
    r.spec.calendar_count = r.calendar.count;
    r.spec.place = &r.place;
    struct timetable *timetable;
    if (timetable_parse(l->arena, &r.spec, l->dag->zone, &timetable, &error) != OK) {
        report_part(&r, &error);
        return;
    }
    if (l->options->keep_schedule)
        l->dag->schedule_spec = schedule_spec_write(&r.spec, l->arena);
    l->dag->timetable = timetable;
    l->dag->start_us = timetable_start_us(timetable);
    l->dag->end_us = timetable_end_us(timetable);
}
