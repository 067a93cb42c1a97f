"""`dag lint --database`: statements prepared on a real PostgreSQL, in a scratch database."""

import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "torture"))

from server import ROOT, DatabaseCase  # noqa: E402

PAGE = ROOT / "docs" / "lint" / "database.md"
TABLES = "create table ride (id integer, day date);\ncreate table result (day date, n bigint);\n"
DAG_FILE = """schedule: "@daily"
start_date: 2030-01-01
default_args: {connection: db}
tasks:
  first: {sql: first.sql}
  second: {sql: second.sql, depends_on: first}
"""
FIRST = """drop table if exists day_{{ ds_nodash }};
create table day_{{ ds_nodash }} as select * from ride where day = {{ ds | literal }};
do $$ begin drop table if exists unseen; create table unseen as select 1 as n; end $$;
"""
SECOND = """delete from result where day = {{ ds | literal }};
insert into result (day, n)
select {{ ds | literal }}::date, count(*)
from day_{{ ds_nodash }};
select n from unseen;
vacuum ride;
"""


class Prepared(DatabaseCase):
    def setUp(self):
        super().setUp()
        test_uri = self.server.database_uri("postgres")
        self.write("dag.yaml", "connections:\n"
                   f"  db: {{uri: '{self.uri}', test_uri: '{test_uri}'}}\n")
        self.write("migrations/db/0001_tables.sql", TABLES)
        self.write("dags/a.yaml", DAG_FILE)
        self.write("templates/first.sql", FIRST)
        self.write("templates/second.sql", SECOND)

    def findings(self, *words, status=0):
        done = self.dag("lint", "--database", "--json", *words, status=status)
        left = self.server.sql("select count(*) from pg_database where datname like 'dag_test_%'",
                               "postgres")
        self.assertEqual(left, "0", "a scratch database was left behind")
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return [f for f in found if f["code"] != "plain-secret"]  # the server's, in dag.yaml

    def places(self, *words):
        return [f"{f['code']} {f['file']}:{f['line']}:{f['column']} {f['message']}"
                for f in self.findings(*words, status=1) if f["severity"] == "error"]

    def test_what_holds_is_no_finding_and_nothing_is_left(self):
        self.assertEqual([f["message"] for f in self.findings()], [
            "`first`: not checked by the server: 2 statements (do)",
            "`second`: not checked by the server: 1 statement (vacuum)"])
        self.assertEqual(self.sql("select count(*) from pg_class where relname = 'ride'"), "0",
                         "the connection's own database was used")

    def test_what_the_server_refuses_is_told_at_the_template(self):
        self.write("templates/second.sql", SECOND.replace("count(*)", "sum(ids)")
                   .replace("where day", "where dya"))
        self.assertEqual(self.places(), [
            'database templates/second.sql:1:26 `second`: column "dya" does not exist',
            'database templates/second.sql:3:38 `second`: column "ids" does not exist'])
        self.assertEqual(len(self.places("dags/a.yaml")), 2)

    def test_statements_that_make_something_are_carried_out_for_those_behind(self):
        self.write("templates/first.sql", FIRST.replace("from ride", "from rides"))
        found = self.places()
        self.assertIn('templates/first.sql:2:51 `first`: relation "rides" does not exist',
                      found[0])
        self.assertEqual(len(found), 1, found)

    def second(self, text):
        """What the server says when that is all that the second task does."""
        self.write("templates/first.sql", "select 1;\n")
        self.write("templates/second.sql", text)
        found = [f for f in self.findings(status=None)
                 if f["code"] in ("database", "sql-not-checked")]
        self.assertTrue(all(f["file"] == "templates/second.sql" for f in found), found)
        return [f"{f['code']} {f['line']}:{f['column']} {f['message']}" for f in found]

    def test_what_nobody_asks_about_is_counted(self):
        self.assertEqual(self.second("select 1;\nvacuum ride;\nanalyze ride;\nlisten x;\n"
                                     "VACUUM result;\n"), [
            "sql-not-checked 2:1 `second`: not checked by the server: 3 statements "
            "(vacuum, listen)"])
        self.assertEqual(self.second("create index concurrently on ride (id);"), [
            "sql-not-checked 1:1 `second`: not checked by the server: 1 statement (create)"])

    def test_copy_is_asked_for_its_query_or_its_table_and_columns(self):
        for text, expected in (
                ("copy ride (id, dya) from '/x.csv' csv;",
                 ['1:16 `second`: column "dya" does not exist']),
                ("select 'é';\ncopy\n  rides from '/x.csv';",
                 ['3:3 `second`: relation "rides" does not exist']),
                ("copy (select id,\n 'é', ids from ride) to '/x.csv';",
                 ['2:7 `second`: column "ids" does not exist']),
                ("copy ride (id, day) to '/x.csv';\ncopy result from '/x' (format csv);\n"
                 "copy (select * from ride) to '/x';\n", [])):
            found = self.second(text)
            self.assertEqual(len(found), len(expected), found)
            for place, line in zip(expected, found):
                self.assertTrue(line.startswith("database " + place), line)

    def test_call_is_asked_for_its_procedure(self):
        self.write("migrations/db/0002_make.sql", "create procedure make(day date) language sql "
                                                  "as $$ insert into result values (day) $$;\n")
        self.assertEqual(self.second("call make({{ ds | literal }});"), [])
        found = self.second("select 1;\ncall make(1, 2);\ncall mkae(date '2030-01-01');")
        self.assertEqual([line.split(" `")[0] for line in found], ["database 2:6", "database 3:6"])

    def test_variables_of_a_block_are_parameters(self):
        block = ("do $$\ndeclare\n  total bigint; last date;\n  part record; one int;\nbegin\n"
                 "  for one, total in select r.id, 1 from ride r loop\n"
                 "    insert into result (day, n) values (part.day, total);\n"
                 "    perform 1 from ride r where r.day = last and r.id > one %s;\n"
                 "    exit when not found and length(total::text) > 1;\n  end loop;\n"
                 "  execute format('select %%I', last);\nend $$;\n")
        self.assertEqual([line.split(": ")[-1] for line in self.second(block % "")], [
            "1 statement (do)"])
        self.assertEqual(self.second(block % "and r.dya = last")[0],
                         "database 8:65 `second`: column r.dya does not exist")

    def test_blocks_are_compiled_and_their_queries_prepared(self):
        block = ("do $$\ndeclare\n  total bigint;\nbegin\n"
                 "  select count(*) into total from ride where dya = {{ ds | literal }};\n"
                 "  if total > 0 then\n    insert into result (day, n) values "
                 "({{ ds | literal }}, total);\n  end if;\n"
                 "  delete from result where day = {{ ds | literal }};\nend $$;\n")
        good = block.replace("dya", "day")
        self.assertEqual(self.second(good), [])
        self.assertEqual(self.second(good.replace("(day, n)", "(dya, n)")), [
            'database 7:25 `second`: column "dya" of relation "result" does not exist'])
        found = self.second(block)
        self.assertEqual(found[0], 'database 5:46 `second`: column "dya" does not exist')
        found = self.second(good.replace("end if", "end fi"))
        self.assertEqual([line.split(" `")[0] for line in found[:1]], ["database 8:7"], found)
        found = self.second(good.replace("total bigint", "total bigitn"))
        self.assertIn('type "bigitn" does not exist', found[0])
        self.assertEqual(found[0].split(" `")[0], "database 3:9", found)

    def test_a_block_may_look_itself_what_is_there(self):
        self.assertEqual(self.second(
            "do $$ begin\n  if to_regclass('old') is not null then\n    delete from old;\n"
            "  end if;\n  alter table ride add column more int;\n"
            "  update ride set more = 1;\n  execute 'select none from ride';\nend $$;\n")[1:], [])
        self.assertEqual(self.second("do language none_such $$ x $$;"), [
            "sql-not-checked 1:1 `second`: not checked by the server: 1 statement (do)"])

    def test_the_page_of_the_code(self):
        (self.folder / "migrations" / "db" / "0001_tables.sql").unlink()
        (self.folder / "dags" / "a.yaml").unlink()
        for title, codes in (("Found", ["database"]), ("Not found", [])):
            part = PAGE.read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
            for _, name, text in re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", part, re.M | re.S):
                self.write(name.replace("warehouse", "db"), text.replace("warehouse", "db"))
            found = self.findings(status=1 if codes else 0)
            self.assertEqual([f["code"] for f in found], codes)


if __name__ == "__main__":
    unittest.main()
