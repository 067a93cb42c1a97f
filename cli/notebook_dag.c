/* From a notebook's queries to a DAG: the run's date, names, and what depends on what. */
#include <ctype.h>
#include "base/clock.h"
#include "cli/notebook.h"
#include "language/sql/tables.h"
#include "language/timetable/zone.h"

/* ---- dates ----------------------------------------------------------------------------------- */

enum { DATE_SIZE = 10, NODASH_SIZE = 8 };

struct date_found {
    char text[DATE_SIZE + 1]; /* "2007-04-12" */
    size_t count;
};
typedef VEC(struct date_found) date_list;

static bool is_word(char c)
{
    return isdigit((unsigned char)c) || c == '-';
}

/* A date at `p`, with or without dashes, and not in the middle of something longer; its size, 0
   when there is none. */
static size_t date_at(const char *text, const char *p, char ret[DATE_SIZE + 1])
{
    int64_t us;
    struct error ignored;
    size_t digits = strspn(p, "0123456789");
    bool dashes = digits == 4 && p[4] == '-' && strspn(p + 5, "0123456789") == 2 && p[7] == '-' &&
                  strspn(p + 8, "0123456789") == 2;
    if ((p > text && is_word(p[-1])) || (!dashes && digits != NODASH_SIZE))
        return 0;
    size_t size = dashes ? DATE_SIZE : NODASH_SIZE;
    if (is_word(p[size]))
        return 0;
    if (dashes)
        snprintf(ret, DATE_SIZE + 1, "%.10s", p);
    else
        snprintf(ret, DATE_SIZE + 1, "%.4s-%.2s-%.2s", p, p + 4, p + 6);
    bool likely = (ret[0] == '1' && ret[1] == '9') || ret[0] == '2';
    return likely && zone_parse_time(zone_utc(), slice_of(ret), &us, NULL, &ignored) == OK ? size
                                                                                           : 0;
}

static void find_dates(const struct notebook *notebook, date_list *ret)
{
    struct date_found date = {.count = 1};
    vec_each (query, &notebook->queries)
        for (const char *p = query->text; *p; p++) {
            size_t size = date_at(query->text, p, date.text);
            bool known = false;
            vec_each (d, ret)
                if (size && str_equal(d->text, date.text)) {
                    d->count++;
                    known = true;
                }
            if (size && !known)
                vec_push(ret, date);
            p += size ? size - 1 : 0;
        }
}

/* The one that stands there most often; none when two do. */
static void choose_date(struct notebook *notebook, const date_list *dates)
{
    const struct date_found *best = NULL;
    bool tie = false;
    vec_each (date, dates) {
        tie = best && date->count == best->count ? true : tie && best->count > date->count;
        if (!best || date->count > best->count) {
            best = date;
            tie = false;
        }
    }
    if (best && tie)
        notebook_note(notebook, 0,
            "several dates stand there equally often, so that none is taken for the run's: write "
            "{{ ds }} where it is meant");
    else if (best)
        notebook->date = arena_strdup(notebook->arena, best->text);
}

static const char *next_day(const char *date, struct arena *arena)
{
    int64_t us;
    struct error ignored;
    char text[TIME_TEXT_SIZE];
    if (zone_parse_time(zone_utc(), slice_of(date), &us, NULL, &ignored) != OK)
        return "";
    zone_format_iso(zone_utc(), us + US_PER_DAY, text);
    return arena_strndup(arena, text, DATE_SIZE);
}

/* What stands for a date in a template; NULL: the date stays. */
static const char *date_variable(const struct notebook *notebook, const char *date, bool dashes)
{
    if (!notebook->date)
        return NULL;
    if (str_equal(date, notebook->date))
        return dashes ? "{{ ds }}" : "{{ ds_nodash }}";
    if (str_equal(date, next_day(notebook->date, notebook->arena)))
        return dashes ? "{{ data_interval_end | ds }}" : "{{ data_interval_end | ds_nodash }}";
    return NULL;
}

/* ---- text → template ------------------------------------------------------------------------- */

static void add_param(struct notebook *notebook, const char *name)
{
    vec_each (p, &notebook->params)
        if (str_equal(*p, name))
            return;
    vec_push(&notebook->params, name);
}

/* `{{ name }}`, which the magic fills with a variable of Python; its size, 0 when it is none. */
static size_t variable_at(const char *p, struct arena *arena, const char **ret)
{
    if (p[0] != '{' || p[1] != '{')
        return 0;
    const char *name = p + 2 + strspn(p + 2, " \t");
    size_t size = 0;
    while (isalnum((unsigned char)name[size]) || name[size] == '_')
        size++;
    const char *end = name + size + strspn(name + size, " \t");
    if (!size || isdigit((unsigned char)name[0]) || end[0] != '}' || end[1] != '}')
        return 0;
    *ret = arena_strndup(arena, name, size);
    return (size_t)(end + 2 - p);
}

/* `:name`, but not `::type`. */
static bool is_bind(const char *text, const char *p)
{
    return p[0] == ':' && (p == text || (p[-1] != ':' && !isalnum((unsigned char)p[-1]))) &&
           (isalpha((unsigned char)p[1]) || p[1] == '_');
}

/* The text with numbers for variables, as the parser reads it; places stay. */
static struct slice without_variables(const struct notebook *notebook, const char *text)
{
    char *copy = arena_strdup(notebook->arena, text);
    const char *ignored;
    for (size_t i = 0; text[i]; i++) {
        size_t size = variable_at(text + i, notebook->arena, &ignored);
        if (!size && is_bind(text, text + i))
            size = 1 + strspn(text + i + 1, "abcdefghijklmnopqrstuvwxyz_0123456789"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        memset(copy + i, ' ', size);
        if (size) {
            copy[i] = '0';
            i += size - 1;
        }
    }
    return slice_of(copy);
}

static void make_template(struct notebook *notebook, struct notebook_query *query)
{
    struct strbuf out = {.arena = notebook->arena};
    const char *text = query->text, *name;
    char date[DATE_SIZE + 1];
    for (const char *p = text; *p;) {
        size_t size = variable_at(p, notebook->arena, &name);
        if (size) {
            add_param(notebook, name);
            notebook_note(notebook, query->cell,
                "`%s` is a variable of Python: it is the parameter `params.%s` now, without a "
                "value",
                name, name);
            strbuf_printf(&out, "{{ params.%s }}", name);
        } else if (p[0] == '{' && (p[1] == '%' || p[1] == '#' || p[1] == '{')) {
            size = 2;
            strbuf_printf(&out, "{{ '{%c' }}", p[1]);
        } else if ((size = date_at(text, p, date)) > 0) {
            const char *variable = date_variable(notebook, date, size == DATE_SIZE);
            if (!variable)
                notebook_note(notebook, query->cell, "the date %.*s stays as it is", (int)size, p);
            strbuf_add(&out, variable ? variable : p, variable ? strlen(variable) : size);
        } else {
            if (is_bind(text, p))
                notebook_note(notebook, query->cell,
                    "`%.*s…` looks like a variable: write a parameter or `parameters:`",
                    (int)strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") + 1,
                    p);
            size = 1;
            strbuf_add_char(&out, *p);
        }
        p += size;
    }
    query->text = strbuf_finish(&out, notebook->arena).p;
}

/* ---- names and dependencies ------------------------------------------------------------------ */

static const unsigned changes = SQL_WRITES | SQL_CREATES | SQL_ALTERS | SQL_DROPS;

static const char *free_name(const struct notebook *notebook, const char *wanted)
{
    const char *name = wanted;
    bool taken = true;
    for (unsigned number = 2; taken; number++) {
        taken = false;
        vec_each (query, &notebook->queries)
            taken |= query->task_id && str_equal(query->task_id, name);
        if (taken)
            name = arena_printf(notebook->arena, "%s_%u", wanted, number);
    }
    return name;
}

/* The first table that it changes, with letters that an id may have. */
static const char *name_task(
    const struct notebook *notebook, size_t i, const struct sql_tables *tables)
{
    for (size_t k = 0; k < tables->count; k++) {
        if (!(tables->at[k].uses & changes) || tables->at[k].temporary)
            continue;
        char *name = arena_strdup(notebook->arena, tables->at[k].name);
        for (char *p = name; *p; p++)
            *p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_';
        return free_name(notebook, name);
    }
    return free_name(notebook, arena_printf(notebook->arena, "query_%zu", i + 1));
}

static bool is_same_table(const struct sql_table *a, const struct sql_table *b)
{
    return str_equal(a->name, b->name) &&
           (!a->schema || !b->schema || str_equal(a->schema, b->schema));
}

/* Whether `later` has to come after `earlier`: one of them changes what the other uses. */
static bool must_follow(const struct sql_tables *later, const struct sql_tables *earlier)
{
    for (size_t i = 0; i < later->count; i++)
        for (size_t k = 0; k < earlier->count; k++)
            if (is_same_table(&later->at[i], &earlier->at[k]) &&
                ((later->at[i].uses | earlier->at[k].uses) & changes))
                return true;
    return false;
}

/* The nearest ones before it that decide; what those follow themselves is left out. */
static void find_upstream(
    struct notebook *notebook, size_t i, const struct sql_tables *tables, bool **follows)
{
    struct arena *arena = notebook->arena;
    const char **names = arena_array(arena, const char *, i + 1);
    size_t count = 0;
    follows[i] = arena_array(arena, bool, notebook->queries.count);
    for (size_t k = i; k-- > 0;) {
        if (follows[i][k] || !must_follow(&tables[i], &tables[k]))
            continue;
        names[count++] = notebook->queries.at[k].task_id;
        follows[i][k] = true;
        for (size_t n = 0; n < k; n++)
            follows[i][n] |= follows[k][n];
    }
    struct notebook_query *query = &notebook->queries.at[i];
    query->depends_on = (struct names){names, count};
    if (i > 0 && !count)
        notebook_note(notebook, query->cell,
            "no table says what `%s` has to come after: it may run at once", query->task_id);
}

static void note_tables(
    struct notebook *notebook, const struct notebook_query *query, const struct sql_tables *tables)
{
    bool writes = false;
    for (size_t i = 0; i < tables->count; i++)
        writes |= (tables->at[i].uses & changes) != 0;
    for (size_t i = 0; i < tables->count; i++)
        if (tables->at[i].temporary)
            notebook_note(notebook, query->cell,
                "the temporary table `%s` is gone when its task ends: make it a table, or put what "
                "uses it into the same template",
                tables->at[i].name);
    if (tables->guessed)
        notebook_note(notebook, query->cell,
            "`%s` cannot be parsed, so that its tables are a guess", query->task_id);
    else if (!writes && !tables->calls)
        notebook_note(notebook, query->cell, "`%s` only reads: leave it out, or make a check of it",
            query->task_id);
}

void notebook_decide(struct notebook *notebook)
{
    size_t count = notebook->queries.count;
    struct sql_tables *tables = arena_array(notebook->arena, struct sql_tables, count);
    bool **follows = arena_array(notebook->arena, bool *, count);
    date_list dates = {0};
    find_dates(notebook, &dates);
    choose_date(notebook, &dates);
    vec_done(&dates);
    for (size_t i = 0; i < count; i++) {
        struct notebook_query *query = &notebook->queries.at[i];
        tables[i] =
            sql_tables_find(without_variables(notebook, query->text), NULL, notebook->arena);
        query->task_id = name_task(notebook, i, &tables[i]);
        note_tables(notebook, query, &tables[i]);
        find_upstream(notebook, i, tables, follows);
        make_template(notebook, query);
    }
}

/* ---- the DAG file ---------------------------------------------------------------------------- */

struct slice notebook_dag_file(const struct notebook *notebook)
{
    struct strbuf out = {.arena = notebook->arena};
    strbuf_add_str(&out, "# yaml-language-server: $schema=../.schema/dag.json\n");
    strbuf_printf(&out, "dag_id: %s\nschedule: \"@daily\"\n", notebook->name);
    if (notebook->date)
        strbuf_printf(&out, "start_date: %s\n", notebook->date);
    /* Cells were run one after the other: `create table if not exists` fails side by side. */
    strbuf_add_str(&out, "catchup: none\nmax_active_runs: 1\n");
    vec_each (param, &notebook->params)
        strbuf_printf(
            &out, "%s  %s: null\n", param == notebook->params.at ? "params:\n" : "", *param);
    strbuf_add_str(&out, "\ntasks:\n");
    vec_each (query, &notebook->queries) {
        strbuf_printf(
            &out, "  %s:\n    sql: %s/%s.sql\n", query->task_id, notebook->name, query->task_id);
        for (size_t i = 0; i < query->depends_on.count; i++)
            strbuf_printf(&out, "%s%s%s", i ? ", " : "    depends_on: [", query->depends_on.at[i],
                i + 1 == query->depends_on.count ? "]\n" : "");
    }
    return strbuf_finish(&out, notebook->arena);
}
