"""`dag init --from-notebook`: the SQL of a notebook as a DAG."""

import json
import unittest

from support import ProjectCase


def notebook(*cells):
    """Code cells by their texts; a pair is (type, text)."""
    made = []
    for cell in cells:
        kind, text = cell if isinstance(cell, tuple) else ("code", cell)
        made.append({"cell_type": kind, "metadata": {}, "outputs": [],
                     "source": text.splitlines(keepends=True)})
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class Notebook(ProjectCase):
    def make(self, *cells, status=0, name="My Analysis (2).ipynb", text=None):
        self.write(name, text if text is not None else notebook(*cells))
        return self.dag("init", "--from-notebook", name, "made", status=status)

    def read(self, name):
        return (self.folder / "made" / name).read_text(encoding="utf-8")

    def template(self, task):
        return self.read(f"templates/my_analysis_2/{task}.sql")

    def test_cells_become_tasks_and_dates_the_runs_date(self):
        done = self.make(
            ("markdown", "# Trips\nof 2001-01-01"),
            "%load_ext sql",
            "%%sql\ndrop table if exists day_20070412;\n"
            "create table day_20070412 as\nselect * from trip where at >= '2007-04-12'"
            " and at < '2007-04-13';",
            "%%sql\ninsert into total select '2007-04-12'::date, count(*) from day_20070412",
            "%%sql\ninsert into other select * from unrelated where since = '2006-01-01'",
            "%sql delete from total where n = 0")
        self.assertEqual(self.template("day_20070412"),
                         "drop table if exists day_{{ ds_nodash }};\n"
                         "create table day_{{ ds_nodash }} as\n"
                         "select * from trip where at >= '{{ ds }}'"
                         " and at < '{{ data_interval_end | ds }}';\n")
        self.assertIn("select '{{ ds }}'::date", self.template("total"))
        self.assertEqual(self.template("total_2"), "delete from total where n = 0\n")
        dag = self.read("dags/my_analysis_2.yaml")
        self.assertIn("start_date: 2007-04-12\ncatchup: none\nmax_active_runs: 1\n", dag)
        self.assertIn("  total:\n    sql: my_analysis_2/total.sql\n"
                      "    depends_on: [day_20070412]\n", dag)
        self.assertIn("  other:\n    sql: my_analysis_2/other.sql\n  total_2:", dag)
        self.assertIn("  total_2:\n    sql: my_analysis_2/total_2.sql\n    depends_on: [total]\n",
                      dag)
        self.assertIn("the run's date, {{ ds }}: 2007-04-12", done.stderr)
        self.assertIn("cell 5: the date 2006-01-01 stays as it is", done.stderr)
        self.assertIn("cell 5: no table says what `other` has to come after", done.stderr)
        shown = self.dag("lint", cwd=self.folder / "made")
        self.assertNotIn("error", shown.stdout + shown.stderr.replace("0 errors", ""))
        text = self.dag("render", "my_analysis_2", "total", "--logical-date", "2007-05-01",
                        cwd=self.folder / "made").stdout
        self.assertIn("select '2007-05-01'::date", text)

    def test_what_cannot_be_decided_is_said(self):
        done = self.make(
            "import pandas as pd\n# a comment\ndf = pd.DataFrame()",
            "%%sql postgresql://me@host/db --persist answer <<\n"
            "select * from a where d = '2007-04-12' and x = {{ limit }} and y = :user"
            " and z::int = 1",
            "%%bash\nls",
            "rows = %sql select 1",
            "%%sql\ncreate temp table t as select 1 as n where 'x' <> '2008-01-01'",
            "%%sql\nselect '{% no %}', '{# 1 #}' from t",
            "%%sql\nselect frmo where",
            "%timeit 1\n!pip install x")
        for line in ("cell 1: 2 lines are of Python left out",
                     "cell 2: its connection is left out",
                     "cell 2: the option `--persist` of the magic is left out",
                     "cell 2: the result is kept in the variable `answer`",
                     "cell 2: `limit` is a variable of Python",
                     "cell 2: `:user…` looks like a variable",
                     "cell 2: `query_1` only reads",
                     "cell 3: a `%%bash` cell is left out",
                     "cell 4: a result goes into a variable",
                     "cell 5: the temporary table `t` is gone",
                     "cell 7: `query_5` cannot be parsed",
                     "cell 8: `%timeit 1` is left out", "cell 8: `!pip install x` is left out",
                     "several dates stand there equally often"):
            self.assertIn(line, done.stderr)
        self.assertNotIn(":int", done.stderr)
        self.assertIn("x = {{ params.limit }}", self.template("query_1"))
        self.assertIn("params:\n  limit: null\n", self.read("dags/my_analysis_2.yaml"))
        made = self.folder / "made"
        text = self.dag("render", "my_analysis_2", "query_4", cwd=made).stdout
        self.assertEqual(text, "select '{% no %}', '{# 1 #}' from t\n")

    def test_order_by_tables_leaves_out_what_follows_anyway(self):
        self.make("%%sql\ncreate table a (n int)", "%%sql\ninsert into a values (1)",
                  "%%sql\ncreate table b as select * from a", "%%sql\ndrop table a")
        dag = self.read("dags/my_analysis_2.yaml")
        self.assertIn("  a_2:\n    sql: my_analysis_2/a_2.sql\n    depends_on: [a]\n", dag)
        self.assertIn("  b:\n    sql: my_analysis_2/b.sql\n    depends_on: [a_2]\n", dag)
        self.assertIn("  a_3:\n    sql: my_analysis_2/a_3.sql\n    depends_on: [b]\n", dag)

    def test_an_existing_project_gets_the_dag_and_nothing_is_overwritten(self):
        self.write("a.ipynb", notebook("%%sql\ninsert into t values (1)"))
        before = (self.folder / "dag.yaml").read_text()
        self.dag("init", "--from-notebook", "a.ipynb")
        self.assertEqual((self.folder / "dag.yaml").read_text(), before)
        self.assertTrue((self.folder / "templates/a/t.sql").exists())
        self.write("a.ipynb", notebook("%%sql\ninsert into t values (2)"))
        error = self.dag("init", "--from-notebook", "a.ipynb", status=1).stderr
        self.assertIn("there is a ./dags/a.yaml already", error)
        self.assertIn("(1)", (self.folder / "templates/a/t.sql").read_text())

    def test_notebooks_that_are_broken(self):
        for text, status, words in (
                ("{", 2, ".ipynb:1:"),
                ("x", 2, "a file of JSON"),
                ("[]", 2, "no list `cells`"),
                ('{"worksheets": []}', 2, "before version 4"),
                ('{"cells": [{"source": []}]}', 2, "cell 1 has no type"),
                ('{"cells": [{"cell_type": "code", "source": [1]}]}', 2, "no source"),
                ('{"cells": []}', 3, "no `%%sql` cell"),
                (notebook("%%sqlite\nselect 1", "%sqlx 1", "x = 5 %2"), 3, "no `%%sql` cell"),
                (notebook("%%sql\n  \n"), 3, "no `%%sql` cell")):
            with self.subTest(text=text):
                done = self.make(text=text, status=None)
                self.assertIn(words, done.stderr)
                self.assertIn(done.returncode, (1, 2, 3))
                self.assertFalse((self.folder / "made").exists())
        self.dag("init", "--from-notebook", "none.ipynb", status=3)

    def test_a_source_in_one_text(self):
        self.make(text=json.dumps({"cells": [{"cell_type": "code",
                                              "source": "\n%%sql select 1 into x\nfrom y"}]}))
        self.assertEqual(self.template("x"), "select 1 into x\nfrom y\n")


if __name__ == "__main__":
    unittest.main()
