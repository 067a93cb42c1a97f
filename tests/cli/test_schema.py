"""`dag schema`: what it says of YAML is what the loader says."""

import json
import re
import unittest

import jsonschema
import yaml

from support import DAG, ROOT, ProjectCase  # noqa: F401


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema: dates are text, only true and false are booleans."""

    yaml_implicit_resolvers = {}


for tag, pattern, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
        ("merge", r"<<", ["<"])):
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(f"^(?:{pattern})$"), first)

# DAG files that the loader refuses for what stands at a key.
WRONG = """
shedule: null
max_active_runs: 0
max_active_runs: many
paused: yes
catchup: some
schedule: 90
schedule: {cron: "@daily", dates: [2030-01-01]}
schedule: {cron: "@daily", dst: {gap: jump}}
schedule: {assets: {all: []}}
schedule: {interval: false}
start_date: 20300101
run_timeout: 90
run_timeout: 90 minutes
priority: 1.5
params: [a]
default_args: {bash: ls}
default_args: {retires: 3}
deadline: {from: start}
deadline: {typical: 0}
foreach: []
on_failure: [ops]
tasks: [a]
tasks: {a: ls}
tasks: {a: {}}
tasks: {a: {bash: ls, empty: {}}}
tasks: {a: {bash: ls, transaction: false}}
tasks: {a: {sql: select 1, result: some}}
tasks: {a: {sql: select 1, cwd: /}}
tasks: {a: {exec: ls}}
tasks: {a: {bash: [ls]}}
tasks: {a: {bash: null}}
tasks: {a: {empty: 1}}
tasks: {a: {latest_only: false}}
tasks: {a: {bash: ls, retries: -1}}
tasks: {a: {bash: ls, retry_delay: 5}}
tasks: {a: {bash: ls, depends_on: {b: c}}}
tasks: {a: {bash: ls, trigger_rule: dummy}}
tasks: {a: {bash: ls, retry_exponential_backoff: 0.5}}
tasks: {a: {bash: ls, env: [a]}}
tasks: {a: {bash: ls, expand: {}}}
tasks: {a: {bash: ls, expand: {x: {}}}}
tasks: {a: {bash: ls, expand: {x: 1}}}
tasks: {a: {bash: ls, expand_mode: sum}}
tasks: {a: {sql: select 1, checks: {row_count: 1}}}
tasks: {a: {sql: select 1, checks: [{table: a}]}}
tasks: {a: {sql: select 1, checks: [{accepted_values: {c: a}}]}}
tasks: {a: {sql: select 1, parameters: 1}}
tasks: {a: {http: {url: "http://x", method: GET, hedaers: {}}}}
tasks: {a: {http: {url: "http://x", expect: 99}}}
tasks: {a: {http: {url: "http://x", expect: []}}}
tasks: {a: {trigger_dag: {dag: b}}}
tasks: {a: {trigger_dag: [b]}}
tasks: {a: {trigger_dag: {dag_id: b, conf: [1]}}}
tasks: {a: {trigger_dag: {dag_id: b, wait: later}}}
tasks: {a: {wait_for: x}}
tasks: {a: {wait_for: {}}}
tasks: {a: {wait_for: {file: a, time: b}}}
tasks: {a: {wait_for: {task: {task: b}}}}
tasks: {a: {wait_for: {task: {dag: b, failed: stop}}}}
tasks: {a: {branch: [b]}, b: {empty: {}, depends_on: a}}
tasks: {a: {short_circuit: {sqll: select 1}}}
groups: {g: {tooltip: x}}
groups: {g: {tasks: {a: {}}}}
- a
"""

RIGHT = """
schedule: null
schedule: "@daily"
schedule: 90m
schedule: ["0 1 * * *", "0 2 * * MON"]
schedule: {cron: ["0 1 * * *"], interval: false, dst: {gap: skip}}
schedule: {dates: [2030-01-01]}
schedule: {assets: {any: [a, {all: [b, c]}]}}
schedule: {cron: "0 1 * * *", assets: a}
description:
catchup: true
deadline: 2h
deadline: {from: logical_date, after: 26h}
deadline: {typical: 2.5}
on_failure: []
params: {a: 1, b: {type: integer, default: 2}}
default_args: {retries: 3, connection: db, cwd: /tmp}
tasks: {a: {empty: }}
tasks: {a: {latest_only: true}}
tasks: {a: {bash: 1}}
tasks: {a: {bash: ls, depends_on: b}, b: {empty: {}}}
tasks: {a: {bash: ls, depends_on: [b]}, b: {empty: {}}}
tasks: {a: {bash: ls, retries: , retry_exponential_backoff: true, retry_on: [all, 75]}}
tasks: {a: {bash: "echo {{ mapped.x }}", expand: {x: [1, 2], y: {sql: select 1}}}}
tasks: {a: {sql: select 1, result: scalar, parameters: [1, a], checks: []}}
tasks: {a: {sql: insert into t values (1), checks: [{row_count: 1, not_null: a}]}}
tasks: {a: {http: "https://x"}}
tasks: {a: {http: {url: "https://x", body: {a: [1]}, expect: [2xx, 404]}, result: /a}}
tasks: {a: {trigger_dag: b}}
tasks: {a: {trigger_dag: {dag_id: b, conf: {a: [1]}, wait: true}, logical_date: 2030-01-01}}
tasks: {a: {trigger_dag: {dag_id: b, conf: "{{ {'a': 1} | tojson }}"}}}
tasks: {a: {wait_for: {file: a}, timeout: 1h}}
tasks: {a: {wait_for: {http: "https://x"}}}
tasks: {a: {wait_for: {task: {dag: x, task: y}}}}
tasks: {a: {branch: b}, b: {empty: {}, depends_on: a}}
tasks: {a: {short_circuit: {sql: select true}}}
groups: {g: {tasks: {a: {empty: {}}}, groups: {h: {tasks: {b: {empty: {}}}}}, depends_on: c}}
"""

WRONG_PROJECT = """
dag: dags
connections: {db: {url: x}}
connections: {db: {dialect: oracle}}
connections: {db: {max_connections: 0}}
pools: {a: 0}
retention: 90
web: {port: 80}
max_processes: none
alerts: {ops: {email: [a]}}
"""

WRONG_TEST = """
test: []
tests: {}
tests: [{name: a, dag: d, expect: {t: []}}]
tests: [{name: a, dag: d, task: a, tasks: [b], expect: {t: []}}]
tests: [{name: a, dag: d, task: a}]
tests: [{name: a, dag: d, task: a, expect: {t: {rows: {}}}}]
tests: [{name: a, dag: d, task: a, expect: {t: {match: some, rows: []}}}]
tests: [{name: a, dag: d, task: a, given: {t: {rows: [], sql: x}}, expect: {t: []}}]
tests: [{name: a, dag: d, task: a, given: {t: {}}, expect: {t: []}}]
tests: [{name: a, dag: d, task: a, error: {code: 1}}]
tests: [{nme: a, dag: d, task: a, error: {}}]
"""


def lines(text):
    return [line for line in text.splitlines() if line]


class Schemas(ProjectCase):
    def schema(self, name):
        schema = json.loads(self.dag("schema", name).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    def accept(self, name, paths):
        schema = self.schema(name)
        count = 0
        for path in paths:
            for document in yaml.load_all(path.read_text(encoding="utf-8"), Core):
                if document is None:
                    continue
                count += 1
                errors = [f"{error.json_path}: {error.message}"
                          for error in schema.iter_errors(document)]
                self.assertEqual(errors, [], path)
        return count

    def test_what_ships_is_valid(self):
        files = ROOT / "cli" / "files" / "init"
        self.assertGreaterEqual(self.accept("dag", [*(ROOT / "dags").glob("*.yaml"),
                                                    *(files / "dags").glob("*.yaml")]), 5)
        self.assertGreaterEqual(self.accept("project", [*ROOT.glob("dag*.yaml"),
                                                        files / "dag.yaml"]), 5)
        self.assertGreaterEqual(self.accept(
            "test", (ROOT / "tests" / "pipelines").glob("*.test.yaml")), 3)

    def loads(self, text):
        self.write("dags/d.yaml", text + "\n")
        return self.dag("show", "dags/d.yaml", status=None)

    def test_it_refuses_what_the_loader_refuses(self):
        self.write("dag.yaml", "connections: {db: {}}\n")
        schema = self.schema("dag")
        for text in lines(WRONG):
            with self.subTest(text=text):
                self.assertNotEqual(self.loads(text).returncode, 0)
                self.assertFalse(schema.is_valid(yaml.load(text, Core)))

    def test_it_accepts_what_the_loader_accepts(self):
        self.write("dag.yaml", "connections: {db: {}}\n")
        schema = self.schema("dag")
        for text in lines(RIGHT):
            with self.subTest(text=text):
                tasks = "" if text.startswith("tasks") else "\ntasks: {c: {empty: {}}}"
                done = self.loads(text + tasks)
                self.assertEqual(done.returncode, 0, done.stderr)
                errors = [error.message for error in schema.iter_errors(yaml.load(text, Core))]
                self.assertEqual(errors, [])

    def test_items_of_foreach_stand_for_values_of_any_type(self):
        text = ("foreach: [{id: a, n: 2}]\ndag_id: \"d_{{ item.id }}\"\n"
                "max_active_runs: \"{{ item.n }}\"\ntasks: {a: {empty: {}}}")
        self.assertEqual(self.loads(text).returncode, 0)
        self.assertTrue(self.schema("dag").is_valid(yaml.load(text, Core)))

    def test_projects_and_tests_are_refused_alike(self):
        schema = self.schema("project")
        for text in lines(WRONG_PROJECT):
            with self.subTest(text=text):
                self.write("dag.yaml", text + "\n")
                self.assertNotEqual(self.dag("config", status=None).returncode, 0)
                self.assertFalse(schema.is_valid(yaml.load(text, Core)))
        self.assertTrue(schema.is_valid(yaml.load("max_processes: ${N:-3}", Core)))
        self.write("dag.yaml", "connections: {db: {}}\n")
        schema = self.schema("test")
        for text in lines(WRONG_TEST):
            with self.subTest(text=text):
                self.write("tests/a.test.yaml", text + "\n")
                self.dag("test", status=2)
                self.assertFalse(schema.is_valid(yaml.load(text, Core)))

    def test_every_key_is_documented(self):
        for name in ("dag", "project", "test"):
            schema = json.loads(self.dag("schema", name).stdout)
            for level in (schema, *schema["$defs"].values()):
                for key, value in level.get("properties", {}).items():
                    if level["additionalProperties"] is False:
                        said = value.get("description") or value["anyOf"][0].get("description")
                        self.assertTrue(said, key)

    def test_an_unknown_schema(self):
        self.assertIn("did you mean `project`?", self.dag("schema", "projekt", status=2).stderr)
        self.assertIn("there are dag, project", self.dag("schema", "xyz", status=2).stderr)


if __name__ == "__main__":
    unittest.main()
