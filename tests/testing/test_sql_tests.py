"""`dag test`: rows in, rows out, on a real PostgreSQL."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "torture"))

from server import DAG, DatabaseCase  # noqa: E402

TABLES = """create table ride (
    id integer, day date, name text, at timestamp, length numeric(8, 2), speed double precision,
    tags text[], more jsonb);
create table result (day date, name text, total numeric(10, 2), mean double precision);
"""
DAY = """delete from result where day = {{ ds | literal }};
insert into result
select day, upper(name), sum(length), avg(speed) from ride
where day = {{ ds | literal }}{% if params.only %} and name = {{ params.only | literal }}{% endif %}
group by day, name;
"""
DAG_FILE = """dag_id: rides
schedule: "@daily"
start_date: 2030-01-01
params: {only: null}
default_args: {connection: db}
tasks:
  add_up: {sql: add_up.sql}
  twice:
    sql: insert into result (day, name) select {{ ds | literal }}, 'x'
    depends_on: add_up
  fails: {sql: "select 1;\\nselect 1 / (select count(*) from ride);\\n"}
  sleeps: {sql: select pg_sleep(600)}
  count: {sql: select count(*) as n from ride, result: scalar}
  keep:
    sql: "insert into result (name, total) values ({{ var.value.region | literal }},
      {{ ti.xcom_pull('count') | int }} + {{ ti.xcom_pull('add_up', key='n') | int }}
      + {{ dag_run.conf.more | default(0) }})"
    depends_on: count
"""
ONE = """tests:
  - name: one
    dag: rides
    task: add_up
    logical_date: 2030-05-01
    given:
      ride:
        - {id: 1, day: 2030-05-01, name: walk, length: 1.5, speed: 3}
        - {id: 2, day: 2030-05-01, name: walk, length: 2, speed: 4}
        - {id: 3, day: 2030-05-02, name: walk, length: 100}
"""


class Tests(DatabaseCase):
    def setUp(self):
        super().setUp()
        self.configure()
        self.write("migrations/db/0001_tables.sql", TABLES)
        self.write("templates/add_up.sql", DAY)
        self.write("dags/rides.yaml", DAG_FILE)

    def configure(self, more=""):
        test_uri = self.server.database_uri("postgres")
        self.write("dag.yaml", f"connections:\n  db: {{uri: '{self.uri}', test_uri: '{test_uri}'"
                   f"{more}}}\nvariables: {{region: north}}\n")

    def databases(self):
        return [name for name in self.server.sql("select datname from pg_database",
                                                 "postgres").split()
                if name.startswith("dag_test_")]

    def run_tests(self, text, *words, status=0):
        self.write("tests/a.test.yaml", text)
        done = self.dag("test", *words, status=status)
        self.assertEqual(self.databases(), [])
        return done

    def expect(self, text, *words, status=0):
        """ONE with these expectations."""
        return self.run_tests(ONE + "    expect:\n" + text, *words, status=status)

    # ---- what passes

    def test_rows_are_compared_as_their_columns_are_written(self):
        row = "{day: 2030-05-01, name: WALK, total: 3.5, mean: 3.5}"
        shown = self.expect(f"      result: [{row}]\n").stdout
        self.assertIn("passed  tests/a.test.yaml: one", shown)
        self.assertIn("1 of 1 tests passed", shown)
        self.assertEqual(self.sql("select count(*) from pg_class where relname = 'ride'"), "0",
                         "the connection's own database was used")

    def test_values_of_all_kinds(self):
        self.run_tests("""tests:
  - name: kinds
    dag: rides
    task: add_up
    logical_date: 2030-05-01
    given:
      ride:
        - {id: 1, at: "2030-05-01T10:00", tags: [a, 'b "c"', null], more: {k: [1, 2]}, name: null}
        - {id: 2, more: [1, 2], name: "it's", tags: []}
        - {}
    expect:
      ride:
        - {id: 2, more: [1, 2], name: {matches: "^it.s$"}, at: null, tags: []}
        - {id: 1, at: 2030-05-01 10:00:00, tags: [a, 'b "c"', null], more: {k: [1, 2]}, name: null}
        - {id: null, more: null, name: null, at: null, tags: null}
      of them:
        sql: select id, at from ride where id = 1
        rows: [{id: {not: null}, at: {not: null}}]
""")

    def test_subset_order_and_counts(self):
        self.expect("      ride: {match: subset, row_count: 3, rows: [{id: 2}, {id: 1}]}\n"
                    "      result: {row_count: '> 0'}\n"
                    "      ordered: {sql: select id from ride, order: [id],"
                    " rows: [{id: 1}, {id: 2}, {id: 3}]}\n")
        shown = self.expect("      ride: {order: [id], rows: [{id: 2}, {id: 1}, {id: 3}]}\n",
                            status=1).stdout
        self.assertIn("2 → 1", shown)

    def test_tolerance(self):
        rows = "rows: [{mean: 3.50001}]"
        self.assertIn("3.50001 → 3.5", self.expect(f"      result: {{{rows}}}\n", status=1).stdout)
        self.expect(f"      result: {{{rows}, tolerance: 1e-4}}\n")

    def test_csv_and_sql(self):
        self.write("tests/rides.csv", "id,day,name,length\n1,2030-05-01,\"a,b\",2\n"
                   "2,2030-05-01,,3\n")
        self.write("tests/more.sql", "insert into ride (id, day, name, length)"
                   " values (3, '2030-05-01', 'c', 4);")
        self.write("tests/want.csv", "total,name\n3,\n2.00,\"A,B\"\n4,C\n")
        self.run_tests("tests:\n  - name: files\n    dag: rides\n    task: add_up\n"
                   "    logical_date: 2030-05-01\n"
                   "    given: {ride: {csv: rides.csv}, more: {sql: more.sql}}\n"
                   "    expect: {result: {csv: want.csv}}\n")

    def test_a_chain_with_params_variables_conf_and_xcom(self):
        self.run_tests("""tests:
  - name: chain
    dag: rides
    tasks: [count, keep]
    variables: {region: "o'clock"}
    conf: {more: 1000}
    xcom: {add_up: {n: 10}}
    given: {ride: [{id: 1}, {id: 2}]}
    expect: {result: [{name: "o'clock", total: 1012}]}
  - name: params
    dag: rides
    task: add_up
    logical_date: 2030-05-01
    params: {only: b}
    given: {ride: [{day: 2030-05-01, name: a}, {day: 2030-05-01, name: b}]}
    expect: {result: [{name: B}]}
""")

    def test_partitioned_tables_get_the_partition_that_a_row_needs(self):
        self.write("migrations/db/0002_days.sql",
                   "create table days (day date, n int) partition by list (day);"
                   "create table parts (n int) partition by range (n);")
        self.write("dags/days.yaml", "schedule: '@daily'\nstart_date: 2030-01-01\n"
                   "default_args: {connection: db}\ntasks:\n  again:\n    sql: |\n"
                   "      drop table if exists days_1_prt_p{{ ds_nodash }};\n"
                   "      create table days_1_prt_p{{ ds_nodash }} partition of days\n"
                   "        for values in (date {{ ds | literal }});\n"
                   "      insert into days values ({{ ds | literal }}, 7);\n")
        self.run_tests("tests:\n  - name: replaced\n    dag: days\n    task: again\n"
                   "    logical_date: 2030-05-01\n"
                   "    given: {days: [{day: 2030-05-01, n: 1}, {day: 2030-05-02, n: 2}],"
                   " parts: [{n: 3}]}\n"
                   "    expect: {days: [{day: 2030-05-01, n: 7}, {day: 2030-05-02, n: 2}]}\n")

    def test_settings_that_the_server_lacks_are_left_out_and_told(self):
        self.configure(", settings: {statement_mem: 2GB, search_path: public}")
        shown = self.expect("      ride: {row_count: 3}\n").stdout
        self.assertIn("does not have: statement_mem", shown)

    # ---- what fails

    def test_a_difference_is_a_small_table(self):
        shown = self.expect("      result:\n"
                            "        - {name: WALK, total: 4}\n"
                            "        - {name: BUS, total: 1}\n", status=1).stdout
        self.assertIn("result: rows: 1 different (≠ expected → got), 1 missing (-)", shown)
        self.assertRegex(shown, r"≠ WALK \| 4.00 → 3.50")
        self.assertRegex(shown, r"- BUS +\| 1.00")
        shown = self.expect("      result: {rows: []}\n", status=1).stdout
        self.assertIn("1 not expected (+)", shown)

    def test_a_task_that_fails_shows_the_templates_line(self):
        text = ("tests:\n  - name: fails\n    dag: rides\n    task: fails\n"
                "    expect: {ride: {row_count: 0}}\n")
        shown = self.run_tests(text, status=1).stdout
        self.assertIn("the task `fails` failed", shown)
        self.assertIn("dags/rides.yaml:", shown)
        self.assertIn("division by zero", shown)

    def test_an_expected_error(self):
        text = "tests:\n  - name: fails\n    dag: rides\n    task: fails\n    error: {%s}\n"
        self.run_tests(text % "sqlstate: '22012', message: division")
        other = self.run_tests(text % "sqlstate: '23505'", status=1).stdout
        self.assertIn("got another one", other)
        none = self.run_tests(text.replace("task: fails", "task: count") % "", status=1).stdout
        self.assertIn("and the task succeeded", none)

    def test_twice_finds_what_a_second_run_changes(self):
        self.expect("      ride: {row_count: 3}\n", "--twice")
        text = ("tests:\n  - name: added\n    dag: rides\n    task: twice\n"
                "    logical_date: 2030-05-01\n    expect: {result: {row_count: 1}}\n")
        self.run_tests(text)
        shown = self.run_tests(text, "--twice", status=1).stdout
        self.assertIn("result: the second run took away 0 and added 1 rows", shown)

    def test_twice_compares_a_table_that_is_made_anew(self):
        self.write("dags/anew.yaml", "default_args: {connection: db}\ntasks:\n"
                   "  same: {sql: drop table if exists a; create table a as select 1 as n}\n"
                   "  other: {sql: 'drop table if exists a; create table a as select 1 as n,"
                   " clock_timestamp() as at'}\n")
        text = ("tests:\n  - name: anew\n    dag: anew\n    task: %s\n    varies: [%s]\n"
                "    expect: {ride: []}\n")
        self.run_tests(text % ("same", ""), "--twice")
        self.run_tests(text % ("other", "a.at"), "--twice")
        self.run_tests(text % ("other", "a"), "--twice")
        shown = self.run_tests(text % ("other", "ride.day"), "--twice", status=1).stdout
        self.assertIn("a: the second run took away 1 and added 1 rows", shown)

    def test_what_varies_must_be_there(self):
        for varies, column, words in (("[ride.nme]", 14, "did you mean `ride.name`?"),
                                      ("[ride, reslt]", 20, "did you mean `result`?"),
                                      ("rides.name", 13, "did you mean `ride.name`?"),
                                      ("[unheard_of]", 14, "with its schema")):
            text = ONE + f"    varies: {varies}\n    expect: {{ride: {{row_count: 3}}}}\n"
            shown = self.run_tests(text, status=1).stdout
            self.assertIn(f"a.test.yaml:11:{column}:", shown)
            self.assertIn("there is no table or column", shown)
            self.assertIn(words, shown)
        self.run_tests(ONE + "    varies: [ride, result.total]\n"
                             "    expect: {ride: {row_count: 3}}\n")

    # ---- mistakes in tests

    def test_mistakes_are_told_with_their_places(self):
        for text, place, words in (
                (ONE.replace("dag: rides", "dag: ride") + "    expect: {ride: {row_count: 3}}\n",
                 "a.test.yaml:2:", "did you mean `rides`?"),
                (ONE.replace("add_up", "ad_up") + "    expect: {ride: {row_count: 3}}\n",
                 "a.test.yaml:2:", "did you mean `add_up`?"),
                (ONE, "a.test.yaml:2:", "cannot fail"),
                (ONE.replace("name: one", "nme: one"), "a.test.yaml:2:5", "did you mean `name`?"),
                (ONE + "    expect: {ride: {rows: {id: 1}}}\n", "a.test.yaml:11:",
                 "must be a list"),
                (ONE + "    xcom: {ad_up: {n: 1}}\n    expect: {ride: []}\n",
                 "a.test.yaml:11:12", "did you mean `add_up`?"),
                (ONE + "    xcom: {add_up: 1}\n    expect: {ride: []}\n",
                 "a.test.yaml:11:20", "write {add_up: {return_value: …}}"),
                (ONE + "    params: {ony: 1}\n    expect: {ride: []}\n",
                 "a.test.yaml:11:14", "did you mean `only`?"),
                (ONE + "    params: {unheard_of: 1}\n    expect: {ride: []}\n",
                 "a.test.yaml:11:14", "in `conf`"),
                ("test: []\n", "a.test.yaml:1:1", "did you mean `tests`?")):
            error = self.run_tests(text, status=2).stderr
            self.assertIn(place, error)
            self.assertIn(words, error)

    def test_what_only_the_database_knows_is_told_with_its_place(self):
        self.write("tests/name.csv", "id,nmae\n1,x\n")
        self.write("tests/short.csv", "id,name\n1,x\n2\n")
        for text, place, words in (
                ("      rides: {row_count: 3}\n", "a.test.yaml:12:7", "no table `rides`"),
                ("      ride: [{nmae: x}]\n", "a.test.yaml:12:15", "did you mean `name`?"),
                ("      ride: [{id: x}]\n", "a.test.yaml:12:14", "invalid input syntax"),
                ("      ride: [{name: {matches: '('}}]\n", "a.test.yaml:12:", "regular expression"),
                ("      ride: [{name: {matchs: x}}]\n", "a.test.yaml:12:21",
                 "did you mean `matches`?"),
                ("      ride: {csv: none.csv}\n", "a.test.yaml:12:", "beside the test file"),
                ("      ride: {csv: name.csv}\n", "tests/name.csv:1:4", "did you mean `name`?"),
                ("      ride: {csv: short.csv}\n", "tests/short.csv:3:1", "missing data"),
                ("      ride: {row_count: many}\n", "a.test.yaml:12:", "a number"),
                ("      ride: {rows: [], tolerance: x}\n", "a.test.yaml:12:", "a number")):
            shown = self.expect(text, status=1).stdout
            self.assertIn("broken", shown)
            self.assertIn(place, shown)
            self.assertIn(words, shown)

    def test_no_tests_and_no_such_file(self):
        self.assertIn("there are no tests", self.dag("test", status=3).stderr)
        self.dag("test", "tests/none.test.yaml", status=3)
        self.assertIn("no test has `zzz`",
                      self.expect("      ride: {row_count: 3}\n", "--only", "zzz", status=3).stderr)

    def test_a_migration_that_fails_and_a_role_that_may_not_make_databases(self):
        self.write("migrations/db/0002_bad.sql", "create tabel x ();\n")
        error = self.expect("      ride: {row_count: 3}\n", status=1).stderr
        self.assertIn("migrations/db/0002_bad.sql:1:8", error)
        (self.folder / "migrations/db/0002_bad.sql").unlink()
        self.server.sql("drop role if exists poor; create role poor login password 'p'", "postgres")
        uri = self.server.database_uri("postgres")
        poor = "postgresql://poor:p@" + uri.split("@")[1]
        self.write("dag.yaml", f"connections:\n  db: {{uri: '{self.uri}', test_uri: '{poor}'}}\n")
        error = self.expect("      ride: {row_count: 3}\n", status=4).stderr
        self.assertIn("CREATEDB", error)

    # ---- what came out is written

    def updated(self, text, *words, status=0):
        """The test file after `--update`; then it must pass."""
        shown = self.run_tests(text, "--update", *words, status=status)
        after = (self.folder / "tests/a.test.yaml").read_text(encoding="utf-8")
        if status == 0:
            self.run_tests(after)
            self.assertIn("review", shown.stderr)
        return after

    def test_update_replaces_rows_that_differ_and_nothing_else(self):
        before = ONE + """    # What must come out.
    expect:
      result:
        tolerance: 1e-6   # of floats
        # the walks
        rows:
          # wrong
          - {name: WALK, total: 4, mean: {not: null}}  # a walk
          - {name: BUS,
             total: 1}
          # right
      ride:
        - {id: 1, name: {matches: "^w"}}
        - {id: 2, name: walk}
        - {name: "walk", id: 4}

  - name: other   # stays
    dag: rides
    task: count
    expect: {ride: []}
"""
        after = before.replace("{name: WALK, total: 4, mean", "{name: WALK, total: 3.50, mean")
        after = after.replace("\n          - {name: BUS,\n             total: 1}", "")
        after = after.replace('{name: "walk", id: 4}', '{id: 3, name: "walk"}')
        self.assertEqual(self.updated(before), after)

    def test_update_of_lists_in_brackets_counts_and_empty_ones(self):
        after = self.updated(ONE + """    expect:
      result: []
      ride: {row_count: 4, match: subset, rows: [{id: 1}, {id: 7}]}
      none: {sql: select id from ride where id = 2, rows: []}
      all: {sql: select id from ride where id > 9, rows: [{id: 3}]}
""")
        self.assertIn("      result:\n"
                      "        - {day: 2030-05-01, name: WALK, total: 3.50, mean: 3.5}\n"
                      "      ride: {row_count: 3, match: subset, rows: [{id: 1}, {id: 2}]}\n",
                      after)
        self.assertIn("rows: [{id: 2}]}", after)
        self.assertIn("where id > 9, rows: []}", after)

    def test_update_quotes_what_yaml_would_read_otherwise(self):
        after = self.updated("""tests:
  - name: kinds
    dag: rides
    task: count
    given: {ride: [{id: 1, at: "2030-05-01 10:00", name: 'a: "b", {c} # d', tags: [a, null],
      more: {k: [1]}}, {id: 2, name: 'null'}, {id: 3, name: ''}, {id: 4, name: '-'}]}
    expect:
      ride:
        - {id: 9, at: null, name: x, tags: null, more: null, speed: null}
""")
        self.assertIn('{id: 1, at: "2030-05-01 10:00:00", name: "a: \\"b\\", {c} # d", '
                      'tags: "{a,NULL}", more: "{\\"k\\": [1]}", speed: null}', after)
        self.assertIn('{id: 2, at: null, name: "null"', after)

    def test_update_writes_csv_files_anew(self):
        self.write("tests/want.csv", "total,name\n4,WALK\n1,\n")
        self.updated(ONE + "    expect: {result: {csv: want.csv}}\n")
        self.assertEqual((self.folder / "tests/want.csv").read_text(), "total,name\n3.50,WALK\n")

    def test_update_never_after_an_unexpected_error(self):
        text = ("tests:\n  - name: fails\n    dag: rides\n    task: %s\n"
                "    expect: {ride: {row_count: 9}}\n%s")
        for task, more in (("fails", ""), ("count", "    error: {}\n"),
                           ("fails", "    error: {sqlstate: '23505'}\n")):
            broken = text % (task, more)
            self.assertEqual(self.updated(broken, status=1), broken)
        self.assertIn("row_count: 0", self.updated(text % ("fails", "    error: {}\n")))

    def test_update_refuses_rows_that_two_tests_share_and_differ_in(self):
        text = ONE + "    expect: {ride: &rows [{id: 1}]}\n" + ONE.split("\n", 1)[1].replace(
            "name: one", "name: two").replace("{id: 3", "{id: 4") + "    expect: {ride: *rows}\n"
        shown = self.run_tests(text, "--update", status=1).stderr
        self.assertIn("tests that share rows", shown)
        self.assertEqual((self.folder / "tests/a.test.yaml").read_text(), text)

    # ---- watching

    def start_watch(self):
        with open(self.folder / "told", "w", encoding="utf-8") as told:
            process = subprocess.Popen([DAG, "test", "--watch"], cwd=self.folder, text=True,
                                       stdout=subprocess.PIPE, stderr=told,
                                       env=self.environment())
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()

    @staticmethod
    def results(process, count):
        """The results of a round: the lines until its end, that name a test."""
        found = []
        for line in process.stdout:
            if line.startswith(("passed", "failed", "broken")):
                found.append((line.split()[0], line.split(": ")[1].split(" (")[0]))
            if " tests passed in " in line:
                break
        assert len(found) == count, found
        return dict((name, outcome) for outcome, name in found)

    def test_watch_runs_what_a_saved_file_concerns(self):
        self.write("tests/a.test.yaml", ONE + "    expect: {result: [{total: 3.5}]}\n")
        self.write("tests/b.test.yaml", "tests:\n  - {name: csv, dag: other, task: t,"
                   " expect: {ride: {csv: b.csv}}}\n")
        self.write("tests/b.csv", "id\n")
        self.write("dags/other.yaml",
                   "default_args: {connection: db}\ntasks: {t: {sql: select 1}}\n")
        process = self.start_watch()
        self.assertEqual(self.results(process, 2), {"one": "passed", "csv": "passed"})
        self.write("templates/add_up.sql", DAY.replace("sum(length)", "sum(length) + 1"))
        self.assertEqual(self.results(process, 1), {"one": "failed"})
        self.write("templates/add_up.sql", DAY)
        self.assertEqual(self.results(process, 1), {"one": "passed"})
        self.write("tests/b.csv", "id\n1\n")
        self.assertEqual(self.results(process, 1), {"csv": "failed"})
        self.write("dags/other.yaml", "default_args: {connection: db}\n"
                   "tasks: {t: {sql: insert into ride (id) values (1)}}\n")
        self.assertEqual(self.results(process, 1), {"csv": "passed"})
        self.write("tests/a.test.yaml", "tests: [\n")     # a mistake is told, and it goes on
        told = self.folder / "told"
        self.wait_for(lambda: "test files have mistakes" in told.read_text(encoding="utf-8"))
        self.write("tests/a.test.yaml", ONE.replace("one", "new") + "    expect: {ride: []}\n")
        self.assertEqual(self.results(process, 2)["new"], "failed")
        self.write("migrations/db/0002_more.sql", "insert into ride (id) values (8);")
        self.assertEqual(self.results(process, 2), {"new": "failed", "csv": "failed"})
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(self.databases(), [])

    def test_watch_and_update_do_not_go_together(self):
        self.dag("test", "--watch", "--update", status=2)

    # ---- how it runs

    def test_formats(self):
        text = ONE + "    expect: {ride: {row_count: 3}}\n" + ONE.split("\n", 1)[1].replace(
            "name: one", "name: 'two <&> #'") + "    expect: {ride: {row_count: 4}}\n"
        tap = self.run_tests(text, "--format", "tap", status=1).stdout.splitlines()
        self.assertEqual(tap[:3], ["TAP version 13", "1..2", "ok 1 - tests/a.test.yaml: one"])
        self.assertTrue(tap[3].startswith("not ok 2 - tests/a.test.yaml: two <&>"))
        junit = xml.etree.ElementTree.fromstring(
            self.run_tests(text, "--format", "junit", status=1).stdout)
        cases = junit.findall(".//testcase")
        self.assertEqual([case.get("name") for case in cases], ["one", "two <&> #"])
        self.assertIn("3 rows, expected 4", cases[1].find("failure").text)
        lines = self.run_tests(text, "--json", status=1).stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        self.assertEqual([row["outcome"] for row in rows], ["passed", "failed"])
        self.assertIn("text, tap, junit", self.run_tests(text, "--format", "x", status=2).stderr)

    def test_side_by_side_they_come_in_their_order(self):
        text = "tests:\n" + "".join(
            f"  - {{name: n{i}, dag: rides, task: count, given: {{ride: [{{id: {i}}}]}},"
            f" expect: {{ride: [{{id: {i}}}]}}}}\n" for i in range(8))
        shown = self.run_tests(text, "-j", "4").stdout
        self.assertEqual([line.split(": ")[1].split()[0] for line in shown.splitlines()[:8]],
                         [f"n{i}" for i in range(8)])

    def start_process(self, *words):
        """`dag test` in a session and with a folder for temporary files of its own."""
        self.temporary = tempfile.mkdtemp(dir=self.folder)
        process = subprocess.Popen([DAG, "test", *words], cwd=self.folder, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=dict(self.environment(), TMPDIR=self.temporary))
        self.addCleanup(self.end, process)
        return process

    def run_here(self):
        """`dag test` with the same folder, which must pass."""
        done = subprocess.run([DAG, "test"], cwd=self.folder, capture_output=True, text=True,
                              env=dict(self.environment(), TMPDIR=self.temporary), check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    # What is under way when a run is ended: its test files, migration and words.
    SLEEPS = "tests:\n" + "".join(
        f"  - {{name: long {i}, dag: rides, task: sleeps, expect: {{ride: {{row_count: 0}}}}}}\n"
        for i in range(3))
    STAGES = {
        "the migration": ("select pg_sleep(600);\n", []),
        "a task": ("", ["-j", "1"]),
        "tasks side by side": ("", ["-j", "3"]),
        "a watch": ("", ["--watch"]),
        "a watch's migration": ("select pg_sleep(600);\n", ["--watch"]),
    }

    def start_stage(self, stage):
        """`dag test`, when its migration or as many tasks as go side by side sleep."""
        migration, words = self.STAGES[stage]
        self.write("migrations/db/0001_tables.sql", TABLES + migration)
        self.write("tests/a.test.yaml", self.SLEEPS)
        process = self.start_process(*words)
        count = 3 if words[-1:] == ["3"] else 1

        def sleeps():
            self.assertIsNone(process.poll(), "it ended by itself")
            return int(self.server.sql(
                "select count(*) from pg_stat_activity where datname like 'dag_test%'"
                " and state = 'active' and query ~ 'pg_sleep'", "postgres")) >= count
        self.wait_for(sleeps, limit_s=120)
        return process

    def assert_nothing_left(self):
        self.assertEqual(self.databases(), [])
        self.assertEqual(list(Path(self.temporary).iterdir()), [])
        self.assertEqual(self.server.sql("select count(*) from pg_stat_activity"
                                         " where query ~ 'pg_sleep' and pid <> pg_backend_pid()"
                                         " and state = 'active'", "postgres"), "0")

    def test_an_interruption_leaves_nothing_behind(self):
        for stage, number in (
                ("the migration", signal.SIGTERM), ("a task", signal.SIGINT),
                ("tasks side by side", signal.SIGTERM), ("a watch", signal.SIGINT),
                ("a watch", signal.SIGTERM), ("a watch's migration", signal.SIGINT)):
            with self.subTest(stage, number=number):
                process = self.start_stage(stage)
                process.send_signal(number)
                self.assertEqual(process.wait(60), 0 if "watch" in stage else 1)
                self.assert_nothing_left()

    def test_ctrl_c_goes_to_all_processes(self):
        process = self.start_stage("tasks side by side")
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(60), 1)
        self.assert_nothing_left()

    def test_what_a_killed_run_left_is_dropped_by_the_next(self):
        for stage in ("the migration", "tasks side by side", "a watch"):
            with self.subTest(stage):
                process = self.start_stage(stage)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                self.assertNotEqual(self.databases(), [])
                self.wait_for(lambda: self.server.sql(
                    "select count(*) from pg_locks where locktype = 'advisory'",
                    "postgres") == "0", limit_s=60)
                self.write("migrations/db/0001_tables.sql", TABLES)
                self.write("tests/a.test.yaml", ONE + "    expect: {ride: {row_count: 3}}\n")
                self.run_here()
                self.assert_nothing_left()

    def test_a_worker_that_died_leaves_nothing_behind(self):
        process = self.start_stage("tasks side by side")
        worker, *others = (int(pid) for pid in Path(
            f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        self.assertEqual(len(others), 2)
        os.kill(worker, signal.SIGKILL)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 1)
        self.assertEqual(self.databases(), [])

    def test_an_interruption_ends_the_sandbox_that_was_started(self):
        self.write("dag.yaml", f"connections:\n  db: {{uri: '{self.uri}'}}\n")
        self.write("tests/a.test.yaml", self.SLEEPS)
        process = self.start_process()
        self.wait_for(lambda: list(Path(self.temporary).glob("dag-test-sandbox-*/state.json")),
                      limit_s=120)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(60), 1)
        self.assertEqual(list(Path(self.temporary).iterdir()), [])

    def test_a_sandbox_that_a_killed_run_started_is_ended_by_the_next(self):
        self.write("dag.yaml", f"connections:\n  db: {{uri: '{self.uri}'}}\n")
        self.write("tests/a.test.yaml", "tests:\n  - name: long\n    dag: rides\n    task: long\n"
                   "    expect: {ride: {row_count: 0}}\n")
        started = self.folder / "started"
        self.write("dags/rides.yaml", "default_args: {connection: db}\n"
                   f"tasks: {{long: {{bash: 'touch {started}; sleep 600', connections: db}},"
                   " short: {sql: select 1}}\n")
        process = self.start_process()
        self.wait_for(started.exists, limit_s=120)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        left, = Path(self.temporary).glob("dag-test-sandbox-*")
        self.write("tests/a.test.yaml", "tests:\n  - name: short\n    dag: rides\n"
                   "    task: short\n    expect: {ride: []}\n")
        self.run_here()
        self.assertFalse(left.exists())


if __name__ == "__main__":
    unittest.main()
