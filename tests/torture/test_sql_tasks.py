"""What SQL tasks can be asked for, through the commands and on a real server."""

import json
import re
import unittest

from server import DatabaseCase

CHECKED = """
tasks:
  load:
    sql: insert into trips values (1, 'walk'), (2, null)
    checks:
      - {table: trips, row_count: "> {{ params.least }}", where: "id < 100"}
      - {table: trips, not_null: [label], severity: %s}
params: {least: 0}
"""


class SqlTasks(DatabaseCase):
    def setUp(self):
        super().setUp()
        self.sql("create table trips (id int, label text)")

    def task(self, dag, task_id):
        return next(row for row in self.json("status", dag, "latest")
                    if row["task_id"] == task_id)

    def detail(self, dag, task_id):
        return self.json("logs", dag, "latest", task_id)[0]["detail"]

    def test_touched_tables_and_checks_stand_in_the_status_and_on_the_page(self):
        self.sql("create table hidden (n int); create table never (n int);"
                 " create function keep() returns void language sql as"
                 " 'insert into public.hidden values (1)'")
        self.write("dags/d.yaml", """
tasks:
  load:
    sql: |
      insert into trips select 1, 'walk';
      select keep();
      do $$ begin if false then delete from never; end if; end $$;
    checks:
      - {table: trips, row_count: "> 0"}
""")
        self.up()
        self.dag("trigger", "d", "--wait")
        row = self.task("d", "load")
        self.assertEqual(row["touched"], {"wrote": ["public.hidden", "public.trips"], "read": []})
        self.assertEqual([(each["check"], each["holds"], each["rows"]) for each in row["checks"]],
                         [("row_count", True, 1)])
        page = self.page("/dags/d/runs/latest/tasks/load?fragment=data")
        shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
        for piece in ("row_count trips dags/d.yaml:9:9 1 holds", "public.trips wrote never",
                      "public.hidden wrote its text does not name it: name it in `writes`",
                      "never named, and not touched"):
            self.assertIn(piece, shown)

    def test_a_check_that_fails_takes_the_rows_back_and_says_which(self):
        self.write("dags/d.yaml", CHECKED % "error")
        self.dag("run", "d", status=1)
        self.assertEqual(self.sql("select count(*) from trips"), "0")
        row = self.task("d", "load")
        self.assertEqual(row["state"], "failed")
        self.assertIn("check failed: 1 row of `trips` has NULL in `label`", row["reason"])
        log = self.dag("logs", "d", "latest", "load").stdout
        self.assertIn('{"label":null,"id":2}', log)
        self.assertIn("dags/d.yaml:7:9: error: check failed", log)

    def test_a_warning_is_the_reason_of_a_success(self):
        self.write("dags/d.yaml", CHECKED % "warn")
        self.dag("run", "d")
        self.assertEqual(self.sql("select count(*) from trips"), "2")
        row = self.task("d", "load")
        self.assertEqual(row["state"], "success")
        self.assertIn("a check warned: 1 row of `trips` has NULL in `label`", row["reason"])
        checks = self.detail("d", "load")["checks"]
        self.assertEqual([(each["check"], each["holds"], each["rows"]) for each in checks],
                         [("row_count", True, 2), ("not_null", False, 1)])

    def test_without_a_transaction_a_reported_error_is_retried_as_a_new_generation(self):
        self.sql("create sequence n")
        self.write("dags/d.yaml", """
tasks:
  tidy:
    sql: |
      vacuum trips;
      insert into trips values (1, 'x');
      select 1 / (nextval('n') - 1)
    transaction: false
    result: scalar
    retries: 1
    retry_delay: 1s
    retry_on: all
""")
        self.dag("run", "d")
        self.assertEqual(self.task("d", "tidy")["state"], "success")
        self.assertEqual(self.sql("select count(*) from trips"), "2")
        self.assertEqual(self.sql("select count(*), count(distinct generation) from dag.claim"),
                         "2|2")
        self.assertIn("a retry begins a new generation",
                      self.dag("logs", "d", "latest", "tidy", "--try", "1").stdout)


if __name__ == "__main__":
    unittest.main()
