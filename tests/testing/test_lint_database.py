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
                for f in self.findings(*words, status=1)]

    def test_what_holds_is_no_finding_and_nothing_is_left(self):
        self.assertEqual(self.findings(), [])
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
