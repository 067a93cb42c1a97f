"""`dag graph`: the edges of a DAG as text, DOT and a picture."""

import os
import unittest
import unittest.mock
import xml.etree.ElementTree

from support import ProjectCase

DAG = """start_date: 2026-01-01
tasks:
  get: {bash: "true"}
  clean: {bash: "true", depends_on: get}
  other: {empty: {}}
groups:
  features:
    depends_on: clean
    tasks:
      a: {latest_only: {}}
      b: {bash: "true", trigger_rule: all_done}
    groups:
      deep:
        tasks:
          c: {bash: "true", depends_on: b, expand: {n: [1, 2]}}
"""


class Graph(ProjectCase):
    def setUp(self):
        super().setUp()
        self.write("dags/g.yaml", DAG)

    def test_text_shows_each_task_once_below_the_last_one_before_it(self):
        self.write("dags/t.yaml", "tasks:\n  a: {bash: 'true'}\n"
                   "  b: {bash: 'true', depends_on: a}\n  c: {empty: {}, depends_on: a}\n"
                   "  d: {bash: 'true', depends_on: [a, b, c], trigger_rule: all_done}\n"
                   "  e: {empty: {}}\n")
        self.assertEqual(self.dag("graph", "t").stdout,
                         "a  [bash]\n├─ b  [bash]\n└─ c  [empty]\n"
                         "   └─ d  [bash, all_done]  also after a, b\ne  [empty]\n")

    def test_a_long_chain_and_a_dag_without_tasks(self):
        tasks = "".join(f"  t{i}: {{empty: {{}}, depends_on: [{f't{i - 1}' if i else ''}]}}\n"
                        for i in range(3000))
        self.write("dags/t.yaml", "tasks:\n" + tasks)
        self.assertEqual(len(self.dag("graph", "t").stdout.splitlines()), 3000)
        self.write("dags/t.yaml", "tasks: {}\n")
        self.assertEqual(self.dag("graph", "t").stdout, "")

    def test_json_is_an_edge_a_line(self):
        edges = {(row["from"], row["to"]) for row in self.json("graph", "g")}
        self.assertEqual(edges, {("get", "clean"), ("clean", "features.a"),
                                 ("clean", "features.b"), ("features.b", "features.deep.c")})

    def test_dot_has_a_cluster_for_each_group(self):
        text = self.dag("graph", "g", "--format", "dot").stdout
        for piece in ('subgraph "cluster_features" {', 'label="features";', 'label="deep";',
                      '"features.b" [label="b\\nbash, all_done"]',
                      '"features.b" -> "features.deep.c";'):
            self.assertIn(piece, text)
        self.assertEqual(text.count("{"), text.count("}"))

    def test_svg_names_every_task(self):
        picture = xml.etree.ElementTree.fromstring(
            self.dag("graph", "g", "--format", "svg").stdout)
        words = "".join(picture.itertext())
        for name in ("get", "clean", "features", "deep", "mapped"):
            self.assertIn(name, words)

    def test_without_graphviz_it_is_said_what_to_install(self):
        with unittest.mock.patch.dict(os.environ, PATH=str(self.folder)):
            error = self.dag("graph", "g", "--format", "svg", status=4).stderr
        self.assertIn("graphviz", error)

    def test_a_format_that_there_is_not(self):
        self.assertIn("text, dot and svg", self.dag("graph", "g", "--format", "png",
                                                    status=2).stderr)

    def test_tables_stand_between_the_tasks_that_share_them(self):
        self.write("dag.yaml", "connections: {db: {settings: {search_path: mart}}}\n")
        self.write("dags/t.yaml", "default_args: {connection: db}\ntasks:\n"
                   "  a: {sql: 'delete from t; insert into t select * from raw.u', reads: x.y}\n"
                   "  b: {sql: 'create temp table c as select 1 from t; drop table if exists d'}\n")
        self.assertEqual(self.dag("graph", "t", "--tables").stdout,
                         "a\nb\n\nraw.u\n  read by    a\nx.y\n  read by    a\n"
                         "mart.t\n  written by a\n  read by    b\n")
        self.assertIn(("b", "reads", "mart.t"), {
            (row["task"], row["does"], row["table"])
            for row in self.json("graph", "t", "--tables")})
        dot = self.dag("graph", "t", "--tables", "--format", "dot").stdout
        self.assertIn('"a" -> "table:mart.t"', dot)
        self.assertIn('"table:mart.t" -> "b"', dot)

    def test_the_projects_own_functions_touch_the_tables_that_dag_yaml_tells(self):
        self.write("dag.yaml", "connections: {db: {}}\n"
                   "functions: {mart.train: {reads: $1, writes: [$2, $2_summary]}}\n")
        self.write("dags/t.yaml", "default_args: {connection: db}\ntasks:\n"
                   "  a: {sql: \"select mart.train('s.f', 's.m')\"}\n"
                   "  b: {sql: insert into s.o select * from s.m_summary}\n")
        self.assertEqual(
            {(row["task"], row["does"], row["table"])
             for row in self.json("graph", "t", "--tables") if "does" in row},
            {("a", "reads", "s.f"), ("a", "writes", "s.m"), ("a", "writes", "s.m_summary"),
             ("b", "reads", "s.m_summary"), ("b", "writes", "s.o")})
        found = self.dag("lint", "--json").stdout
        self.assertIn("read-before-write", found)


if __name__ == "__main__":
    unittest.main()
