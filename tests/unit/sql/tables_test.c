/* The tables that statements read, write, make, change and drop. */
#include "base/file.h"
#include "language/sql/tables.h"
#include "tests/unit/test.h"

/* "w:s.t r:a,b": uses as letters, then the name; a temporary one has `~`, one that is gone `!`, a
   guess ends with `?`. */
static const char *found_with(
    const char *text, const struct sql_functions *functions, struct arena *arena)
{
    static const struct {
        unsigned use;
        char letter;
    } uses[] = {{SQL_READS, 'r'}, {SQL_WRITES, 'w'}, {SQL_CREATES, 'c'}, {SQL_ALTERS, 'a'},
        {SQL_DROPS, 'd'}};
    struct sql_tables tables = sql_tables_find(slice_of(text), functions, arena);
    struct strbuf out = {.arena = arena};
    for (size_t i = 0; i < tables.count; i++) {
        const struct sql_table *table = &tables.at[i];
        if (i)
            strbuf_add_char(&out, ' ');
        for (size_t k = 0; k < ARRAY_SIZE(uses); k++)
            if (table->uses & uses[k].use)
                strbuf_add_char(&out, uses[k].letter);
        strbuf_printf(&out, ":%s%s%s", sql_table_shown(table, arena), table->temporary ? "~" : "",
            table->gone ? "!" : "");
    }
    if (tables.guessed)
        strbuf_add_str(&out, out.size ? " ?" : "?");
    return strbuf_text(&out);
}

static const char *found(const char *text, struct arena *arena)
{
    return found_with(text, NULL, arena);
}

struct tables_case {
    const char *sql, *tables;
};

static void check_cases(const struct tables_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        if (!CHECK_STR(found(cases[i].sql, arena), cases[i].tables))
            printf("  of %s\n", cases[i].sql);
    }
}

#define CHECK_CASES(cases) check_cases(cases, ARRAY_SIZE(cases))

TEST(statements_use_tables)
{
    static const struct tables_case cases[] = {
        {"select 1", ""},
        {"select * from a, s.b join C on true left join lateral (select * from d) q on true",
            "r:a r:s.b r:c r:d"},
        {"insert into t select * from a where exists (select 1 from \"B c\")", "w:t r:a r:\"B c\""},
        {"update t set v = u.v from u where t.i = u.i", "w:t r:u"},
        {"delete from t using u where t.i in (select i from w)", "w:t r:u r:w"},
        {"truncate a, only b", "w:a w:b"},
        {"merge into t using u on t.a = u.a when matched then delete", "w:t r:u"},
        {"copy t from stdin", "w:t"},
        {"copy t (a, b) to stdout", "r:t"},
        {"copy (select 1 from t) to stdout", "r:t"},
        {"create table t (a int references u) partition by list (a)", "c:t"},
        {"create table p partition of t for values in (1)", "c:p a:t"},
        {"create table t (like u including all)", "c:t r:u"},
        {"create table t as select * from u", "r:u wc:t"},
        {"select * into t from u", "wc:t r:u"},
        {"create temp table t (a int); insert into t values (1)", "wc:t~"},
        {"create view v as select * from t", "c:v r:t"},
        {"create materialized view v as select 1 from t; refresh materialized view v", "r:t wc:v"},
        {"drop table if exists a, s.b", "d:a! d:s.b!"},
        {"drop table if exists t; create table t as select 1", "wcd:t"},
        {"create table t (a int); insert into t values (1); drop table t", "wcd:t!"},
        {"drop view v; drop index i; drop schema s; drop function f(int)", "d:v!"},
        {"alter table t add column c int", "a:t"},
        {"alter table t attach partition p for values in (1)", "a:t a:p"},
        {"alter table t rename to u", "a:t"},
        {"create index on t (a)", "a:t"},
        {"create foreign table t (a int) server s", "c:t"},
        {"analyze t; vacuum t; lock table t; grant select on t to public; comment on table t is ''",
            ""},
        {"explain select * from t", "r:t"},
    };
    CHECK_CASES(cases);
}

TEST(names_of_with_are_no_tables_where_they_are_seen)
{
    static const struct tables_case cases[] = {
        {"with q as (select * from a) select * from q, s.q", "r:a r:s.q"},
        {"with a as (select * from a) select * from a", "r:a"},
        {"with recursive a as (select 1 union select * from a) select * from a", ""},
        {"with a as (select 1), b as (select * from a) insert into t select * from b", "w:t"},
        {"with q as (delete from t returning *) insert into q select * from q", "w:t w:q"},
        {"select * from (with q as (select 1) select * from q) x, q", "r:q"},
    };
    CHECK_CASES(cases);
}

TEST(blocks_are_looked_into_and_functions_are_not)
{
    static const struct tables_case cases[] = {
        {"do $$ declare n int; begin insert into t values (1); select count(*) into n from a;"
         " if exists (select 1 from b) then n := (select 1 from c); end if;"
         " for n in select i from d loop update u set v = n; end loop; end $$",
            "w:t r:a r:b r:c r:d w:u"},
        {"do $body$ begin if true then truncate a; else drop table b, c; end if; end $body$",
            "w:a d:b! d:c!"},
        {"do language plpython3u $$ x = 1 $$", "?"},
        {"do $$ << here >> declare a int default (select 1 from a); b constant text[] := f((select "
         "1 from b)); c record; begin a := (select max(i) from c); x.y[1] := (select 1 from d); "
         "perform 1 from e; return; end $$",
            "r:a r:b r:c r:d r:e"},
        {"do $$ begin select a, b into strict c.d, e from t; insert into u select 1 from v "
         "returning a into c; for r in select 1 from w loop null; end loop; "
         "for i in 1..2 loop delete from x; end loop; end $$",
            "r:t w:u r:v r:w w:x"},
        {"do $$ begin case a when 1 then truncate t; else truncate u; end case; "
         "while exists (select 1 from v) loop exit; end loop; "
         "begin delete from w; exception when others then insert into x values (1); end; end $$",
            "w:t w:u r:v w:w w:x"},
        {"create function f() returns int as 'select 1 from t' language sql", ""},
        {"create or replace function f() returns void as $$ begin delete from t; end $$ language "
         "plpgsql",
            ""},
    };
    CHECK_CASES(cases);
}

TEST(texts_that_are_executed_are_read_as_far_as_they_are_known)
{
    static const struct tables_case cases[] = {
        {"do $$ begin execute 'drop table t'; end $$", "d:t!"},
        {"do $x$ begin execute $$insert into t select 'it' from u$$; end $x$", "w:t r:u"},
        {"do $$ begin execute 'insert into t (' || c || ') select ' || c || ' from u where s = "
         "''x''' || ' and d = ' || quote_literal('2020-01-01') into n using 1; end $$",
            "w:t r:u"},
        {"do $$ begin execute format('insert into %I select * from t where a = %L', n, 1); end $$",
            "r:t"},
        {"do $$ begin execute 'insert into t_' || n || ' select 1 from s.' || n || '_x, u'; end $$",
            "r:u"},
        {"do $$ begin execute q; execute 'delete from ' || n; end $$", ""},
        {"do $$ begin for r in execute 'select 1 from t' loop null; end loop; end $$", "r:t"},
    };
    CHECK_CASES(cases);
}

TEST(arguments_of_madlib_name_tables)
{
    static const struct tables_case cases[] = {
        {"select madlib.train_test_split('s.a', 's.a_split', 0.8, 0.2, null, '*', false, true)",
            "r:s.a wc:s.a_split_train wc:s.a_split_test"},
        {"select madlib.train_test_split('s.a', 's.a_split', 0.8)", "r:s.a wc:s.a_split"},
        {"select madlib.forest_train('a', 'm', 'id', 'y', '*', null)",
            "r:a wc:m wc:m_group wc:m_summary"},
        {"select madlib.forest_predict('model', 'f', 'prob', 'prob')", "r:model r:f wc:prob"},
        {"select madlib.pivot('a', 'b', 'id', 'c', 'd')", "r:a wc:b"},
        {"select other.pivot('a', 'b')", ""},
        {"select madlib.forest_train('not a name')", ""},
    };
    CHECK_CASES(cases);
}

TEST(arguments_of_the_projects_own_functions_name_tables)
{
    static const char *const first[] = {"$1"}, *const made[] = {"$2", "$2_summary", "mart.$1_log"};
    static const char *const tenth[] = {"$10"}, *const fixed[] = {"mart.Stations", "mart.\"Log\""};
    static const struct sql_function at[] = {
        {"mart", "train", first, 1, made, 3},
        {NULL, "wide", tenth, 1, NULL, 0},
        {"mart", "refresh", NULL, 0, fixed, 2},
        {"a", "twice", first, 1, NULL, 0},
        {"b", "twice", NULL, 0, first, 1},
        {"madlib", "pivot", NULL, 0, first, 1},
    };
    static const struct sql_functions functions = {at, ARRAY_SIZE(at)};
    static const struct tables_case cases[] = {
        {"select mart.train('f', 'm')", "r:f w:m w:m_summary w:mart.f_log"},
        {"select train('f'::regclass, 'M')", "r:f w:m w:m_summary w:mart.f_log"},
        {"select * from t, mart.train('f', 'm')", "r:t r:f w:m w:m_summary w:mart.f_log"},
        {"select other.train('f', 'm')", ""},
        {"select mart.train(a, 'm') from t", "w:m w:m_summary r:t"},
        {"select mart.train('f')", "r:f w:mart.f_log"},
        {"select wide(1, 2, 3, 4, 5, 6, 7, 8, 9, 's.t')", "r:s.t"},
        {"call mart.refresh()", "w:mart.stations w:mart.\"Log\""},
        {"do $$ begin perform mart.refresh(); end $$", "w:mart.stations w:mart.\"Log\""},
        {"select a.twice('x'), b.twice('y')", "r:x w:y"},
        {"select twice('x')", ""},
        {"select madlib.pivot('x'), madlib.summary('y', 'z')", "w:x r:y wc:z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        CHECK_STR(found_with(cases[i].sql, &functions, arena), cases[i].tables);
    }
}

TEST(only_a_call_of_which_all_is_known_is_complete)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char *const first[] = {"$1"};
    static const struct sql_function at[] = {
        {"m", "f", first, 1, NULL, 0}, {"m", "none", NULL, 0, NULL, 0}};
    static const struct sql_functions functions = {at, ARRAY_SIZE(at)};
    CHECK(!sql_tables_find(slice_of("select m.f('t'), m.none(1)"), &functions, arena).calls);
    CHECK(sql_tables_find(slice_of("select m.f(t)"), &functions, arena).calls);
    CHECK(sql_tables_find(slice_of("select m.f(a => 't')"), &functions, arena).calls);
    CHECK(sql_tables_find(slice_of("select m.none(1)"), NULL, arena).calls);
    CHECK(sql_tables_find(slice_of("call m.p(1)"), NULL, arena).calls);
    CHECK(sql_function_table_is_name("mart.$1_x", arena));
    CHECK(!sql_function_table_is_name("$", arena));
    CHECK(!sql_function_table_is_name("$0", arena));
    CHECK(!sql_function_table_is_name("a b", arena));
}

TEST(clauses_of_greenplum_do_not_hide_tables)
{
    static const struct tables_case cases[] = {
        {"create table t (a int, b date) distributed by (a)", "c:t"},
        {"create table t as select * from u distributed by (a)", "r:u wc:t"},
        {"create table t as select * from u distributed randomly", "r:u wc:t"},
        {"create table t (a int) with (appendonly=true, orientation=column) distributed "
         "replicated",
            "c:t"},
        {"CREATE TABLE t (uid text, tdate date) DISTRIBUTED BY (uid) PARTITION BY LIST (tdate) "
         "(PARTITION p20000101 VALUES (date '2000-01-01'))",
            "c:t"},
        {"create table t (a int, d date) distributed by (a) partition by range (d) (start (date "
         "'2020-01-01') end (date '2021-01-01') every (interval '1 day'))",
            "c:t"},
        {"create table t (a int, d date, r text) partition by range (d) subpartition by list (r) "
         "subpartition template (subpartition x values ('x')) (start (date '2020-01-01') "
         "inclusive)",
            "c:t"},
        {"select sum(v) over (partition by a) from t", "r:t"},
        {"create table t (a int encoding (compresstype=zlib, blocksize=65536)) distributed by (a)",
            "c:t"},
        {"alter table t drop partition if exists p20070412; alter table t add partition p20070412 "
         "values (date '2007-04-12'); insert into t select * from u",
            "wa:t r:u"},
        {"alter table s.t exchange partition for (date '2007-04-12') with table s.u", "a:s.t ?"},
        {"alter table t truncate partition p1", "a:t"},
        {"alter table only t add default partition other", "a:t"},
        {"alter table t split default partition start ('a') into (partition b)", "a:t"},
        {"alter table t alter partition p add column x int, add column y int", "a:t"},
        {"create readable external web table x (like y) location('http://localhost/') format 'csv'",
            "c:x r:y"},
        {"create external table x (a int) location ('gpfdist://h/f') format 'text' log errors "
         "segment reject limit 10 rows",
            "c:x"},
        {"drop external web table if exists x", "d:x!"},
        {"analyze rootpartition t", "?"},
        {"copy t from '/data/<SEGID>.csv' on segment csv", "w:t"},
        {"insert into t select * from gp_dist_random('u')", "w:t"},
        {"create function f() returns setof int as 'select 1' language sql execute on all segments",
            ""},
    };
    CHECK_CASES(cases);
}

TEST(what_cannot_be_parsed_is_guessed_by_its_words)
{
    static const struct tables_case cases[] = {
        {"insert into s.T (a) selec * from u join \"W\" using (id)", "w:s.t r:u r:\"W\" ?"},
        {"update t set a = extract(day from b) frm c from d whre", "w:t r:d ?"},
        {"with q as (select 1 from a) delete from only t x y z from q", "r:a w:t ?"},
        {"select * from f(1) x y z join generate_series(1, 2) on a is distinct from b", "?"},
        {"drop table a, b cascade please", "d:a! d:b! ?"},
        {"select 'open", "?"},
    };
    CHECK_CASES(cases);
}

TEST(offsets_lead_to_the_first_mention)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char text[] = "select 1;\ninsert into t select * from u";
    struct sql_tables tables = sql_tables_find(slice_of(text), NULL, arena);
    REQUIRE(tables.count == 2);
    CHECK_INT(tables.at[0].offset, strstr(text, "t select") - text);
    CHECK_INT(tables.at[1].offset, strstr(text, "u") == NULL ? 0 : sizeof(text) - 2);
}

TEST(long_and_deep_texts_end_well)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct strbuf sum = {.arena = arena}, deep = {.arena = arena};
    strbuf_add_str(&sum, "insert into t select 0");
    for (int i = 0; i < 200000; i++)
        strbuf_add_str(&sum, " + a");
    strbuf_add_str(&sum, " from u");
    CHECK_STR(found(strbuf_text(&sum), arena), "w:t r:u ?");
    strbuf_add_str(&deep, "insert into t select ");
    strbuf_add_repeat(&deep, '(', 50000);
    strbuf_add_str(&deep, "1 from u");
    CHECK(strstr(found(strbuf_text(&deep), arena), "w:t") != NULL);
    struct strbuf calls = {.arena = arena};
    strbuf_add_str(&calls, "insert into t select ");
    for (int i = 0; i < 4000; i++)
        strbuf_add_str(&calls, "f(");
    strbuf_add_str(&calls, "1");
    strbuf_add_repeat(&calls, ')', 4000);
    CHECK_STR(found(strbuf_text(&calls), arena), "w:t");
}

/* The pipelines of this repository, as they are rendered for each dialect (tests/pipelines/golden):
   nothing is guessed but what only Greenplum has, and the tables are the ones that the page of the
   pipeline tells of. */
TEST(pipelines_use_the_tables_that_they_are_about)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    struct slice want;
    struct strbuf got = {.arena = arena};
    REQUIRE_OK(
        file_read(DAG_SOURCE_DIR "/tests/unit/sql/pipelines.txt", 1 << 20, arena, &want, &err),
        &err);
    static const char *const dialects[] = {"greenplum6", "greenplum7", "postgresql"};
    for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
        const char *folder =
            arena_printf(arena, "%s/tests/pipelines/golden/%s", DAG_SOURCE_DIR, dialects[i]);
        const char **files;
        size_t count;
        REQUIRE_OK(dir_list(folder, ".sql", arena, &files, &count, &err), &err);
        for (size_t k = 0; k < count; k++) {
            struct slice text;
            REQUIRE_OK(
                file_read(path_join(arena, folder, files[k]), 1 << 20, arena, &text, &err), &err);
            strbuf_printf(&got, "%s/%s: %s.\n", dialects[i], files[k],
                found(arena_strndup(arena, text.p, text.size), arena));
        }
    }
    CHECK_STR(strbuf_text(&got), want.p);
}
