"""What a database said is shown with SQLSTATE and the template's own line.

SANDBOX_URI names a running sandbox (`eval "$(sandbox/sandbox env)"`); without it one is started.
"""

import os
import subprocess
import tempfile
import unittest
from urllib.parse import urlsplit, urlunsplit

from pages import DATE, ROOT, WebCase

SANDBOX = str(ROOT / "sandbox" / "sandbox")
RUN = f"/dags/sql/runs/{DATE}"

TEMPLATES = {
    "good": "-- three points\ncreate table good_{{ ds_nodash }} (a int);\n"
            "insert into good_{{ ds_nodash }} select generate_series(1, 3);\n",
    "syntax": "select a\n  form points_{{ ds_nodash }}\nwhere a = 1;\n",
    "missing": "select 1;\n\nselect * from missing_{{ ds_nodash }};\n",
    "row": "create function pg_temp.latitude(text) returns float as $$\n"
           "    value = float(args[0])\n"
           "    if abs(value) > 90:\n"
           "        raise ValueError('bad latitude %s for user 058' % value)\n"
           "    return value\n"
           "$$ language plpython3u;\n"
           "select pg_temp.latitude(x) from (values ('12.5'), ('400.1666')) as v (x);\n",
    "commit": "create table c (a int);\nCOMMIT;\n",
    "template": "select 1\nwhere '{{ ds }}' = '{{ nothing_of_that_name }}'\n",
    "gone": "select pg_terminate_backend(pg_backend_pid());\n",
}
# task → what the pages must say: SQLSTATE, message, place, the template's line
SAID = {
    "syntax": ("42601", "syntax error at or near", "templates/sql/syntax.sql:2",
               "form points_{{ ds_nodash }}"),
    "missing": ("42P01", 'relation "missing_20070412" does not exist',
                "templates/sql/missing.sql:3", "select * from missing_{{ ds_nodash }};"),
    "row": ("38000", "bad latitude 400.1666 for user 058", "templates/sql/row.sql:4",
            "raise ValueError('bad latitude %s for user 058' % value)"),
    "commit": ("2D000", "COMMIT is not for a task's SQL", "templates/sql/commit.sql:2", "COMMIT;"),
    "template": (None, "'nothing_of_that_name' is undefined", "templates/sql/template.sql:2",
                 "{{ nothing_of_that_name }}"),
    "gone": ("57P01", "terminating connection", "templates/sql/gone.sql:1",
             "select pg_terminate_backend"),
}


class Database(WebCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        uri = os.environ.get("SANDBOX_URI") or cls.start()
        cls.server = urlsplit(uri)

    def setUp(self):
        super().setUp()
        self.name = f"web_{os.getpid()}"
        self.psql("postgres", f"create database {self.name}")
        self.addCleanup(self.psql, "postgres", f"drop database {self.name} with (force)")
        self.psql(self.name, "create extension plpython3u")

    @classmethod
    def start(cls):
        folder = tempfile.TemporaryDirectory(prefix="dag-web-sandbox-")
        cls.addClassCleanup(folder.cleanup)
        cls.addClassCleanup(subprocess.run, [SANDBOX, "destroy", "--dir", folder.name],
                            check=False, capture_output=True)
        subprocess.run([SANDBOX, "start", "--fast", "--dir", folder.name], check=True,
                       capture_output=True)
        return subprocess.run([SANDBOX, "uri", "--dir", folder.name], check=True, text=True,
                              capture_output=True).stdout.strip()

    @classmethod
    def uri(cls, database):
        return urlunsplit(cls.server._replace(path="/" + database))

    @classmethod
    def psql(cls, database, sql):
        subprocess.run(["psql", "-Xqc", sql, cls.uri(database)], check=True)

    def run_all(self):
        self.write("dag.yaml", "web: {listen: '127.0.0.1:0'}\nconnections:\n"
                   f"  greenplum: {{uri: '{self.uri(self.name)}'}}\n")
        tasks = "".join(f"  {task}: {{sql: sql/{task}.sql}}\n" for task in TEMPLATES)
        self.write("dags/sql.yaml", "dag_id: sql\nschedule: null\n"
                   f"default_args: {{connection: greenplum}}\ntasks:\n{tasks}")
        for task, text in TEMPLATES.items():
            self.write(f"templates/sql/{task}.sql", text)
        self.open()
        self.dag("trigger", "sql", "--logical-date", DATE)
        self.wait_for(lambda: self.run_state("sql") == "failed")

    def test_every_failure_shows_what_the_database_said_and_where_it_comes_from(self):
        self.run_all()
        for task, (sqlstate, message, place, line) in SAID.items():
            for text in (self.page(f"{RUN}/tasks/{task}?fragment=summary").text,
                         self.dag("logs", "sql", DATE, task).stdout):
                self.assertIn(message, text, task)
                self.assertIn(place, text, task)
                self.assertIn(line, text, task)
                if sqlstate:
                    self.assertIn(f"SQLSTATE {sqlstate}", text, task)
        home = self.page("/?fragment=needs").text
        self.assertIn("SQLSTATE 42601", home)
        self.assertIn("templates/sql/syntax.sql:2", home)
        self.assertIn("3 more failed tasks", home)

    def test_the_failing_line_of_the_rendered_text_is_marked(self):
        self.run_all()
        for task, line in (("syntax", "  form points_20070412"), ("commit", "COMMIT;"),
                           ("missing", "select * from missing_20070412;")):
            source = self.page(f"{RUN}/tasks/{task}?fragment=sql").source
            marked = source[source.index("<mark>"):source.index("</mark>")]
            self.assertTrue(marked.endswith(line), f"{task}: {marked}")
            self.assertEqual(source.count("<mark>"), 1)
        whole = self.request(f"{RUN}/tasks/good/tries/1/sql")[1]
        self.assertEqual(whole, TEMPLATES["good"].replace("{{ ds_nodash }}", "20070412").rstrip())

    def test_statements_are_listed_with_rows_and_timings(self):
        self.run_all()
        text = self.page(f"{RUN}/tasks/good?fragment=statements").text
        self.assertIn("templates/sql/good.sql:2", text)
        self.assertIn("CREATE TABLE", text)
        self.assertIn("INSERT 0 3", text)


if __name__ == "__main__":
    unittest.main()
