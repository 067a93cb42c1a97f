/* Writes of other days than the interval's, and tasks that cannot run twice. */
#include "base/clock.h"
#include "definition/lint_data.h"

/* ---- days ------------------------------------------------------------------------------------ */

/* Whether a stretch of the text is the same on every day, because no expression made it. */
static bool is_fixed(const struct lineage_task *task, size_t offset)
{
    const struct jinja_result *map = task->map;
    for (size_t i = 0; i < map->segment_count; i++) {
        const struct jinja_segment *segment = &map->segments[i];
        if (offset >= segment->offset && offset < segment->offset + segment->length)
            return segment->verbatim;
    }
    return false;
}

static bool is_outside(
    const struct data *d, const struct lineage_task *task, int64_t day, size_t offset)
{
    if (day >= d->days.first && day <= d->days.last)
        return false;
    return !d->days.empty || is_fixed(task, offset);
}

static void report_day(
    struct data *d, const struct lineage_task *task, const char *table, int64_t day, size_t offset)
{
    char written[TIME_TEXT_SIZE], own[TIME_TEXT_SIZE];
    struct error error;
    time_format_date(day * US_PER_DAY, written);
    time_format_date(d->days.first * US_PER_DAY, own);
    error_set(&error, ERR_LINT, "`%s` writes `%s` for %s in the run of %s", task->task->task_id,
        table, written, own);
    error_hint(&error, "a run that writes another day's rows is undone when that day runs again: "
                       "write those of `ds`");
    data_place_at(d, task, offset, &error);
    lint_add(d->l, "warning", "other-day", &error);
}

/* The rows that a DELETE or UPDATE asks for. */
static bool check_asked(struct data *d, const struct data_task *task, const struct lineage_use *use)
{
    const struct sql_conditions *where = &task->facts[use->statement].where;
    size_t base = task->lineage->tables.statements[use->statement].offset;
    for (size_t i = 0; i < where->count; i++) {
        const struct sql_condition *c = &where->at[i];
        int64_t day;
        size_t at = base + c->offset;
        if (c->inner || c->relation != SQL_EQUAL || !sql_day_read(c->value, &day) ||
            !is_outside(d, task->lineage, day, at))
            continue;
        report_day(d, task->lineage, use->table, day, at);
        return true;
    }
    return false;
}

/* The column by which a task replaces the day's rows of a table: of a DELETE's condition. */
static struct slice day_column(
    const struct data *d, const struct data_task *task, const char *table)
{
    for (size_t i = 0; i < task->lineage->use_count; i++) {
        const struct lineage_use *use = &task->lineage->uses[i];
        if (use->statement == SIZE_MAX || use->manner != SQL_REPLACED ||
            !str_equal(use->table, table))
            continue;
        const struct sql_conditions *where = &task->facts[use->statement].where;
        for (size_t k = 0; k < where->count; k++) {
            int64_t day;
            if (where->at[k].relation == SQL_EQUAL && sql_day_read(where->at[k].value, &day) &&
                day >= d->days.first && day <= d->days.last)
                return where->at[k].column;
        }
    }
    return (struct slice){0};
}

/* What an INSERT puts into the column by which the task replaces the day. */
static bool check_inserted(
    struct data *d, const struct data_task *task, const struct lineage_use *use)
{
    const struct sql_conditions *inserted = &task->facts[use->statement].inserted;
    size_t base = task->lineage->tables.statements[use->statement].offset;
    struct slice column = day_column(d, task, use->table);
    for (size_t i = 0; column.size && i < inserted->count; i++) {
        const struct sql_condition *c = &inserted->at[i];
        int64_t day;
        if (!slice_equal(c->column, column) || !sql_day_read(c->value, &day) ||
            !is_outside(d, task->lineage, day, base + c->offset))
            continue;
        report_day(d, task->lineage, use->table, day, base + c->offset);
        return true;
    }
    return false;
}

/* Whether a task does something to a table before a place in its text. */
static bool does_before(
    const struct lineage_task *task, const struct lineage_use *use, unsigned kinds, bool replacing)
{
    for (size_t i = 0; i < task->use_count; i++) {
        const struct lineage_use *other = &task->uses[i];
        bool same =
            str_equal(other->table, use->table) &&
            (!other->partition || !use->partition || str_equal(other->partition, use->partition));
        if (other->statement < use->statement && same && (other->use & kinds) &&
            (!replacing || other->manner == SQL_REPLACED || (other->use & SQL_CREATES)))
            return true;
    }
    return false;
}

/* A table or partition with a day in its name that is filled, or made anew. */
static bool check_name(struct data *d, const struct data_task *task, const struct lineage_use *use)
{
    int64_t day;
    bool fills = use->use & SQL_WRITES;
    bool anew = (use->use & SQL_CREATES) && does_before(task->lineage, use, SQL_DROPS, false);
    if (!(fills || anew) || !sql_day_of_name(use->partition ? use->partition : use->table, &day) ||
        !is_outside(d, task->lineage, day, use->offset))
        return false;
    report_day(d, task->lineage, use->table, day, use->offset);
    return true;
}

static void check_task(struct data *d, const struct data_task *task)
{
    for (size_t i = 0; i < task->lineage->use_count; i++) {
        const struct lineage_use *use = &task->lineage->uses[i];
        if (use->statement == SIZE_MAX || check_name(d, task, use) || !(use->use & SQL_WRITES))
            continue;
        if (use->manner == SQL_INSERTED)
            check_inserted(d, task, use);
        else if (!(use->use & SQL_CREATES))
            check_asked(d, task, use);
    }
}

void lint_days(struct data *d)
{
    if (!d->l->dag->timetable)
        return;
    for (uint32_t i = 0; i < d->l->dag->task_count; i++)
        if (!d->tasks[i].lineage->sampled)
            check_task(d, &d->tasks[i]);
}

/* ---- running twice --------------------------------------------------------------------------- */

/* Whether a task before it empties or makes the table. */
static bool is_emptied_before(
    const struct data *d, const struct task *task, const struct lineage_use *use)
{
    for (uint32_t i = 0; i < d->l->dag->task_count; i++) {
        const struct lineage_task *other = d->tasks[i].lineage;
        for (size_t k = 0; data_is_before(d, i, task->index) && k < other->use_count; k++)
            if (str_equal(other->uses[k].table, use->table) &&
                (other->uses[k].manner == SQL_REPLACED || (other->uses[k].use & SQL_CREATES)))
                return true;
    }
    return false;
}

static bool reads_itself(const struct lineage_task *task, const struct lineage_use *use)
{
    for (size_t i = 0; i < task->use_count; i++)
        if (task->uses[i].statement == use->statement && (task->uses[i].use & SQL_READS) &&
            str_equal(task->uses[i].table, use->table))
            return true;
    return false;
}

static void report_repeat(struct data *d, const struct lineage_task *task,
    const struct lineage_use *use, const char *what, const char *hint)
{
    struct error error;
    error_set(&error, ERR_LINT, "`%s` cannot be repeated: it %s `%s`", task->task->task_id, what,
        use->table);
    error_hint(&error, "%s", hint);
    data_place(d, task, use, &error);
    lint_add(d->l, "warning", "not-repeatable", &error);
}

static bool check_insert(
    struct data *d, const struct lineage_task *task, const struct lineage_use *use)
{
    if (use->manner != SQL_INSERTED || does_before(task, use, ~(unsigned)SQL_READS, true) ||
        sql_guards_itself(&task->tables.statements[use->statement].tokens) ||
        reads_itself(task, use) || is_emptied_before(d, task->task, use))
        return false;
    report_repeat(d, task, use, "adds the same rows again to",
        "take away first what an earlier run of the same date put there (DELETE, TRUNCATE, a "
        "partition made anew), or insert what is not there yet (NOT EXISTS, ON CONFLICT)");
    return true;
}

static bool check_made(
    struct data *d, const struct lineage_task *task, const struct lineage_use *use)
{
    if (!(use->use & SQL_CREATES) || use->manner == SQL_OPTIONALLY || !d->l->dag->timetable ||
        does_before(task, use, SQL_DROPS, false))
        return false;
    report_repeat(d, task, use, "makes a table that is there after its first run,",
        "write `drop table if exists …` before it");
    return true;
}

void lint_repeats(struct data *d)
{
    for (uint32_t i = 0; i < d->l->dag->task_count; i++) {
        const struct lineage_task *task = d->tasks[i].lineage;
        bool found = task->sampled || task->task->kind != KIND_SQL;
        for (size_t k = 0; !found && k < task->use_count; k++)
            if (task->uses[k].statement != SIZE_MAX)
                found =
                    check_insert(d, task, &task->uses[k]) || check_made(d, task, &task->uses[k]);
    }
}
