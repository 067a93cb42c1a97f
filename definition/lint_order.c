/* Reads and writes of a DAG's tasks against its edges. */
#include "base/map.h"
#include "base/vec.h"
#include "definition/lint_data.h"
#include "definition/lint_facts.h"

/* A task's uses of one table, put together. */
struct party {
    const struct lineage_task *task;
    const struct lineage_use *read, *write; /* the first of each; NULL: none */
    bool fills;                             /* it puts rows in, or makes the table */
    bool adds;                              /* it puts rows in */
    bool replaces;                          /* it does more than add rows */
};
struct table_parties {
    VEC(struct party) at;
};

static struct party *party_of(struct table_parties *parties, const struct lineage_task *task)
{
    size_t count = parties->at.count;
    if (count && parties->at.at[count - 1].task == task)
        return &parties->at.at[count - 1];
    struct party *party = vec_add(&parties->at);
    party->task = task;
    return party;
}

static void take_use(struct party *party, const struct lineage_use *use)
{
    unsigned writes = use->use & (SQL_WRITES | SQL_CREATES | SQL_DROPS);
    bool adds = use->manner == SQL_INSERTED || use->manner == SQL_OPTIONALLY;
    if ((use->use & SQL_READS) && !party->read)
        party->read = use;
    if (writes && (!party->write || !party->fills))
        party->write = use;
    party->fills |= (use->use & (SQL_WRITES | SQL_CREATES)) != 0;
    party->adds |= (use->use & SQL_WRITES) != 0;
    party->replaces |= writes && !adds;
}

static struct map *collect(struct data *d)
{
    struct map *tables = map_new();
    for (uint32_t i = 0; i < d->l->dag->task_count; i++) {
        const struct lineage_task *task = d->tasks[i].lineage;
        for (size_t k = 0; k < task->use_count && !task->sampled; k++) {
            struct table_parties *parties = map_get(tables, task->uses[k].table);
            if (!parties) {
                parties = mem_alloc_zero(1, sizeof(*parties));
                map_set(tables, task->uses[k].table, parties);
            }
            take_use(party_of(parties, task), &task->uses[k]);
        }
    }
    return tables;
}

/* ---- rows that two tasks cannot share -------------------------------------------------------- */

/* Whether every use of a kind names partitions, and none that the other's uses name. */
static bool other_partitions(const char *table, const struct party *a, unsigned kind_a,
    const struct party *b, unsigned kind_b)
{
    bool any = false;
    for (size_t i = 0; i < a->task->use_count; i++) {
        const struct lineage_use *use = &a->task->uses[i];
        if (!(use->use & kind_a) || !str_equal(use->table, table))
            continue;
        for (size_t k = 0; k < b->task->use_count; k++) {
            const struct lineage_use *other = &b->task->uses[k];
            if (!(other->use & kind_b) || !str_equal(other->table, table))
                continue;
            if (!use->partition || !other->partition || str_equal(use->partition, other->partition))
                return false;
            any = true;
        }
    }
    return any;
}

/* The constant that a use's statement asks of a column, or puts into it. */
static const struct sql_condition *constant_of(
    const struct statement_facts *facts, struct slice column)
{
    const struct sql_conditions *lists[] = {&facts->inserted, &facts->where};
    for (size_t n = 0; n < ARRAY_SIZE(lists); n++)
        for (size_t i = 0; i < lists[n]->count; i++)
            if (lists[n]->at[i].relation == SQL_EQUAL &&
                slice_equal(lists[n]->at[i].column, column))
                return &lists[n]->at[i];
    return NULL;
}

/* Whether all of a party's uses of that kind have a constant for the column that is not `value`. */
static bool has_others_only(const struct data *d, const char *table, const struct party *party,
    unsigned kind, const struct sql_condition *wanted)
{
    for (size_t i = 0; i < party->task->use_count; i++) {
        const struct lineage_use *use = &party->task->uses[i];
        if (!(use->use & kind) || !str_equal(use->table, table))
            continue;
        const struct statement_facts *facts = data_facts(d, party->task, use);
        const struct sql_condition *own = facts ? constant_of(facts, wanted->column) : NULL;
        if (!own || slice_equal(own->value, wanted->value))
            return false;
    }
    return true;
}

/* Whether a column keeps their rows apart: each statement of the one has a constant for it, and no
   statement of the other the same. */
static bool other_rows(const struct data *d, const char *table, const struct party *a,
    unsigned kind_a, const struct party *b, unsigned kind_b)
{
    const struct lineage_use *first = kind_a == SQL_READS ? a->read : a->write;
    const struct statement_facts *facts = data_facts(d, a->task, first);
    for (size_t n = 0; facts && n < 2; n++) {
        const struct sql_conditions *list = n ? &facts->where : &facts->inserted;
        for (size_t i = 0; i < list->count; i++) {
            const struct sql_condition *wanted = &list->at[i];
            struct sql_condition none = {.column = wanted->column};
            if (wanted->relation == SQL_EQUAL && has_others_only(d, table, a, kind_a, &none) &&
                has_others_only(d, table, b, kind_b, wanted))
                return true;
        }
    }
    return false;
}

static bool are_apart(const struct data *d, const char *table, const struct party *a,
    unsigned kind_a, const struct party *b, unsigned kind_b)
{
    return other_partitions(table, a, kind_a, b, kind_b) ||
           other_rows(d, table, a, kind_a, b, kind_b);
}

/* ---- findings -------------------------------------------------------------------------------- */

enum { ALL_WRITES = SQL_WRITES | SQL_CREATES | SQL_DROPS };

static bool are_ordered(const struct data *d, const struct party *a, const struct party *b)
{
    uint32_t first = a->task->task->index, second = b->task->task->index;
    return data_is_before(d, first, second) || data_is_before(d, second, first);
}

/* A reader that does not wait for a writer. */
struct missing {
    const char *table;
    const struct party *reader, *writer;
};
typedef VEC(struct missing) missing_list;

static void report_read(struct data *d, const struct missing *missing)
{
    const struct task *reader = missing->reader->task->task, *writer = missing->writer->task->task;
    bool reversed = data_is_before(d, reader->index, writer->index);
    struct error error;
    error_set(&error, ERR_LINT,
        reversed ? "`%s` reads `%s`, which `%s` writes only after it"
                 : "`%s` reads `%s`, which `%s` writes at no certain time before it",
        reader->task_id, missing->table, writer->task_id);
    error_hint(&error, "write `depends_on: %s` at `%s`, unless it is to read what was there before",
        writer->task_id, reader->task_id);
    data_place(d, missing->reader->task, missing->reader->read, &error);
    lint_add(d->l, "warning", "read-before-write", &error);
}

/* Whether waiting for what another of the reader's tables misses is enough. */
static bool is_covered(const struct data *d, const missing_list *list, size_t i)
{
    const struct missing *missing = &list->at[i];
    uint32_t writer = missing->writer->task->task->index;
    for (size_t k = 0; k < list->count; k++) {
        const struct missing *other = &list->at[k];
        uint32_t its = other->writer->task->task->index;
        if (k != i && other->reader->task == missing->reader->task &&
            (data_is_before(d, writer, its) || (writer == its && k < i)))
            return true;
    }
    return false;
}

/* Which days' rows a reader asks for. */
static bool reads_other_days(const struct data *d, const struct party *reader)
{
    const struct statement_facts *facts = data_facts(d, reader->task, reader->read);
    return facts && facts->other_days;
}

/* Whether what it reads can be of this run only: the interval's rows, or a table of that day. */
static bool reads_today(const struct data *d, const char *table, const struct party *reader)
{
    const struct statement_facts *facts = data_facts(d, reader->task, reader->read);
    int64_t day;
    const char *dated = reader->read->partition ? reader->read->partition : table;
    if (sql_day_of_name(dated, &day))
        return day >= d->days.first && day <= d->days.last;
    return facts && facts->today;
}

static void check_reader(const struct data *d, const char *table,
    const struct table_parties *parties, const struct party *reader, missing_list *missing)
{
    const struct party *late = NULL, *loose = NULL;
    bool written = false;
    if (!reader->read || reader->write || reads_other_days(d, reader))
        return;
    for (size_t i = 0; i < parties->at.count; i++) {
        const struct party *writer = &parties->at.at[i];
        if (writer == reader || !writer->fills)
            continue;
        if (are_apart(d, table, reader, SQL_READS, writer, ALL_WRITES))
            continue;
        if (data_is_before(d, writer->task->task->index, reader->task->task->index))
            written = true;
        else if (are_ordered(d, writer, reader))
            late = late ? late : writer;
        else
            loose = loose ? loose : writer;
    }
    if (!loose && late && !written && reads_today(d, table, reader))
        loose = late;
    if (loose)
        *(struct missing *)vec_add(missing) = (struct missing){table, reader, loose};
}

static void check_writers(struct data *d, const char *table, const struct table_parties *parties)
{
    for (size_t i = 0; i < parties->at.count; i++)
        for (size_t k = 0; k < i; k++) {
            const struct party *a = &parties->at.at[k], *b = &parties->at.at[i];
            if (!a->write || !b->write || (!a->replaces && !b->replaces) || are_ordered(d, a, b) ||
                are_apart(d, table, b, ALL_WRITES, a, ALL_WRITES))
                continue;
            struct error error;
            error_set(&error, ERR_LINT, "`%s` and `%s` both write `%s`, and in no certain order",
                b->task->task->task_id, a->task->task->task_id, table);
            error_hint(&error, "let one depend on the other, or write to different partitions");
            data_place(d, b->task, b->write, &error);
            lint_add(d->l, "warning", "unordered-writers", &error);
            break; /* one of those that there are before it */
        }
}

/* ---- edges ----------------------------------------------------------------------------------- */

static bool touches_same(const struct lineage_task *a, const struct lineage_task *b)
{
    for (size_t i = 0; i < a->use_count; i++)
        for (size_t k = 0; k < b->use_count; k++) {
            bool writes = (a->uses[i].use | b->uses[k].use) & ~(unsigned)SQL_READS;
            if (writes && str_equal(a->uses[i].table, b->uses[k].table))
                return true;
        }
    return false;
}

static bool uses_any(const struct lineage_task *task, unsigned kinds)
{
    for (size_t i = 0; i < task->use_count; i++)
        if (task->uses[i].use & kinds)
            return true;
    return false;
}

/* Tasks of which all is known, that run one after the other for no other reason than data. */
static void check_edge(
    struct data *d, const struct lineage_task *task, const struct lineage_task *upstream)
{
    const struct task *t = task->task;
    bool plain = t->trigger_rule == RULE_ALL_SUCCESS && !t->setup && !t->teardown &&
                 !upstream->task->setup && !upstream->task->teardown && !t->data->inlets.count;
    if (!plain || !task->complete || !upstream->complete || !uses_any(task, SQL_READS) ||
        !uses_any(upstream, SQL_WRITES) || touches_same(task, upstream))
        return;
    struct error error;
    error_set(&error, ERR_LINT, "`%s` depends on `%s` and touches no table that it does",
        t->task_id, upstream->task->task_id);
    error_hint(&error, "leave the dependency out, or say why it is there: the tables are compared "
                       "as the SQL shows them, and as `reads` and `writes` do");
    lint_place(d->l, &error, t->line, 1, NULL, NULL);
    lint_add(d->l, "info", "edge-without-data", &error);
}

static void check_tables(struct data *d, struct map *tables)
{
    missing_list missing = {0};
    const char *table;
    void *value;
    for (size_t cursor = 0; map_next(tables, &cursor, &table, &value);) {
        struct table_parties *parties = value;
        for (size_t i = 0; i < parties->at.count; i++)
            check_reader(d, table, parties, &parties->at.at[i], &missing);
        check_writers(d, table, parties);
    }
    for (size_t i = 0; i < missing.count; i++)
        if (!is_covered(d, &missing, i))
            report_read(d, &missing.at[i]);
    vec_done(&missing);
}

/* ---- for the other DAGs ---------------------------------------------------------------------- */

/* Whether a task reads a table for what other runs have left there. */
static const struct party *reader_of(const struct data *d, const struct table_parties *parties)
{
    for (size_t i = 0; i < parties->at.count; i++)
        if (parties->at.at[i].read && !reads_other_days(d, &parties->at.at[i]))
            return &parties->at.at[i];
    return NULL;
}

static const struct party *filler_of(const struct table_parties *parties)
{
    for (size_t i = 0; i < parties->at.count; i++)
        if (parties->at.at[i].adds)
            return &parties->at.at[i];
    return NULL;
}

/* Each table once: who fills it, else who reads it. */
static void note_facts(const struct data *d, const struct map *tables)
{
    struct linting *l = d->l;
    struct fact_table *facts = arena_array(l->kept, struct fact_table, map_count(tables));
    const char *table;
    void *value;
    size_t count = 0;
    for (size_t cursor = 0; map_next(tables, &cursor, &table, &value);) {
        const struct table_parties *parties = value;
        const struct party *filler = filler_of(parties);
        const struct party *party = filler ? filler : reader_of(d, parties);
        if (!party)
            continue;
        const struct task *task = party->task->task;
        facts[count++] = (struct fact_table){
            .connection = task->sql.connection ? arena_strdup(l->kept, task->sql.connection) : NULL,
            .table = arena_strdup(l->kept, table),
            .by = arena_strdup(l->kept, task->task_id),
            .line = task->line,
            .fills = filler != NULL};
    }
    l->facts->tables.at = facts;
    l->facts->tables.count = count;
}

void lint_order(struct data *d)
{
    struct map *tables = collect(d);
    void *value;
    check_tables(d, tables);
    if (d->l->facts)
        note_facts(d, tables);
    for (size_t cursor = 0; map_next(tables, &cursor, NULL, &value);) {
        struct table_parties *parties = value;
        vec_done(&parties->at);
        mem_free(parties);
    }
    map_free(tables);
    for (uint32_t i = 0; i < d->l->dag->task_count; i++) {
        const struct indexes *upstream = &d->l->dag->tasks[i].upstream;
        for (size_t k = 0; k < upstream->count; k++)
            check_edge(d, d->tasks[i].lineage, d->tasks[upstream->at[k]].lineage);
    }
}
