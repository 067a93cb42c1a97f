#include "executor/operators/sql_attempt.h"
#include "tests/unit/test.h"

static bool clean(const char *text)
{
    return sql_text_is_clean(slice_of(text), false);
}

TEST(plain_statements_with_built_in_functions_leave_a_session_clean)
{
    static const char *const texts[] = {
        "select 1",
        "insert into s.t (a, b) select count(*), coalesce(max(x), 0) from u where y in (1, 2)",
        "create table if not exists t (a int, b numeric(10, 2), primary key (a))",
        "with a as (select 1), b as (values (1, 2)) update t set x = (select 1) where exists "
        "(select 2)",
        "truncate t; analyze t; drop table if exists t cascade",
        "select sum(x) over (partition by y order by z) from t group by (a)",
        "",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!CHECK(clean(texts[i])))
            fprintf(stderr, "  %s\n", texts[i]);
    }
}

TEST(anything_else_does_not)
{
    static const char *const texts[] = {
        "select my_function(1)",
        "select s.count(1)",
        "select \"count\"(1)",
        "insert into t (a) select f(1)",
        "select * from f(1)",
        "do $$ begin end $$",
        "call p()",
        "create function f() returns int language sql as 'select 1'",
        "create or replace view v as select 1",
        "create extension x",
        "load 'x'",
        "listen x",
        "prepare p as select 1",
        "select madlib.forest_train('a')",
        "select 'open",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!CHECK(!clean(texts[i])))
            fprintf(stderr, "  %s\n", texts[i]);
    }
}

TEST(where_a_language_keeps_state_no_table_is_above_suspicion)
{
    CHECK(sql_text_is_clean(slice_of("select 1 + 1, now()"), true));
    CHECK(!sql_text_is_clean(slice_of("insert into t values (1)"), true));
    CHECK(!sql_text_is_clean(slice_of("select * from t"), true));
}
