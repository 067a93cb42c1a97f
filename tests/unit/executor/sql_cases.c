#include "tests/unit/executor/sql_cases.h"

#include <stdio.h>

struct rig *rig;
PGconn *db;

void sql_begin_through(const char *name, const char *uri)
{
    const char *direct = postgres_database(name);
    rig = rig_new(uri ? uri : direct);
    db = postgres_connect(direct);
    postgres_run(db, "CREATE TABLE t (v int)");
}

void sql_begin(const char *name)
{
    sql_begin_through(name, NULL);
}

void sql_finish(void)
{
    rig_free(rig);
    PQfinish(db);
}

int64_t sql_rows(void)
{
    return postgres_number(db, "SELECT count(*) FROM t");
}

bool contains(const char *text, const char *part)
{
    bool found = text && strstr(text, part);
    if (!found)
        fprintf(stderr, "  \"%s\" is not in:\n%s\n", part, text ? text : "(null)");
    return found;
}

int64_t sql_backends(const struct effect *effect)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '%s'",
        effect->attempt.text);
    return postgres_number(db, sql);
}

bool sql_is_sleeping(struct rig *r, void *user)
{
    (void)r;
    char sql[256];
    snprintf(sql, sizeof(sql),
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '%s' AND state = 'active'"
        " AND query LIKE '%%pg_sleep%%' AND wait_event = 'PgSleep'",
        ((struct effect *)user)->attempt.text);
    return postgres_number(db, sql) == 1;
}

struct effect sql_start_sleeping(const char *sql)
{
    rig_sql(rig, sql);
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, sql_is_sleeping, &effect, 20));
    return effect;
}
