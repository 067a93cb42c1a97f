"""Mapped tasks through the commands: expand over lists, expressions and XComs; indexes."""

import unittest

from support import ProjectCase

LISTS = r"""dag_id: fan
schedule: null
params: {regions: [north, south]}
tasks:
  list_parts:
    bash: |
      echo '[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]' > $DAG_XCOM
  load:
    expand:
      table: [walk, "bus_{{ ds_nodash }}"]
      part: {task: list_parts}
    bash: |
      echo "table {{ mapped.table }} part {{ mapped.part.id + 1 }}" \
        "index {{ ti.map_index }} $DAG_MAP_INDEX"
      echo '{{ (mapped.table ~ mapped.part.id) | tojson }}' > $DAG_XCOM
  total:
    bash: |
      echo "all {{ ti.xcom_pull('load') | join(' ') }}, third" \
        "{{ ti.xcom_pull('load', map_indexes=2) }}"
    depends_on: load
  ask:
    expand: {region: "{{ params.regions }}", n: [1, 2]}
    expand_mode: zip
    exec: [echo, "{{ mapped.region }}", "{{ mapped.n + 1 }}"]
  after:
    expand: {of: {task: load}}
    bash: echo "after {{ mapped.of }}"
"""

# The file `parts` says how many; index 1 fails while the file `broken` is there.
FILES = """dag_id: files
schedule: null
tasks:
  parts: {bash: cat parts > $DAG_XCOM}
  load:
    expand: {n: {task: parts}}
    bash: |
      if [ "{{ mapped.n }}" = 1 ] && [ -e broken ]; then exit 3; fi
      echo "{{ mapped.n }}" >> done
  end: {bash: "true", depends_on: load}
"""


class Mapping(ProjectCase):
    def indexes(self, dag_id, task_id, run="latest"):
        """map_index → state; the expanded task's own row is not shown."""
        rows = [row for row in self.json("status", dag_id, run) if row["task_id"] == task_id]
        return {row["map_index"]: row["state"] for row in rows}

    def log_of(self, dag_id, task, run="latest"):
        return self.dag("logs", dag_id, run, task).stdout

    def test_a_task_runs_once_for_each_combination_of_its_values(self):
        self.write("dags/fan.yaml", LISTS)
        self.dag("lint")
        self.assertRegex(self.dag("show", "fan").stdout, r"load +bash, mapped +list_parts")
        self.assertEqual([task["task_id"] for task in self.json("show", "fan")[0]["tasks"]
                          if task["is_mapped"]], ["load", "ask", "after"])
        done = self.dag("run", "fan", "--logical-date", "2030-01-01")
        self.assertIn("load[3]", done.stdout)
        self.assertIn("expanded into 4 instances", done.stdout)
        self.assertEqual(self.indexes("fan", "load"), dict.fromkeys(range(4), "success"))
        self.assertEqual(self.indexes("fan", "ask"), dict.fromkeys(range(2), "success"))
        self.assertEqual(self.indexes("fan", "total"), {-1: "success"})
        self.assertIn("table walk part 3 index 1 1", self.log_of("fan", "load[1]"))
        self.assertIn("table bus_20300101 part 2 index 2 2", self.log_of("fan", "load[2]"))
        self.assertIn("all walk1 walk2 bus_203001011 bus_203001012, third bus_203001011",
                      self.log_of("fan", "total"))
        self.assertIn("out south 3", self.log_of("fan", "ask[1]"))
        self.assertIn("after bus_203001012", self.log_of("fan", "after[3]"))
        self.assertIn('[3] {"table":"bus_20300101","part":{"id":2,"name":"b"}}',
                      self.log_of("fan", "load"))
        shown = self.dag("status", "fan", "latest").stdout
        self.assertIn("load[0]", shown)
        self.assertNotIn("removed", shown)
        wrong = self.dag("logs", "fan", "latest", "load[9]", status=3)
        self.assertIn("has no index 9", wrong.stderr)
        self.assertIn("it has 0 to 3", wrong.stderr)
        unmapped = self.dag("logs", "fan", "latest", "total[0]", status=3)
        self.assertIn("it was not expanded", unmapped.stderr)

    def test_nothing_to_map_over_skips_it(self):
        self.write("dags/files.yaml", FILES)
        self.write("parts", "[]")
        self.dag("run", "files", "--logical-date", "2030-01-01")
        self.assertEqual(self.states("files"),
                         {"parts": "success", "load": "skipped", "end": "skipped"})
        self.assertIn("nothing to map over", self.dag("status", "files", "latest").stdout)

    def test_what_cannot_be_mapped_over_says_so(self):
        self.write("dags/files.yaml", FILES)
        for day, (text, message) in enumerate((
                ('{"a": 1}', "`n` of `load` must be a list, this is a mapping"),
                (str(list(range(1025))), "`load` would have more than 1024 instances"),
                ("", "the task `parts` has left no XCom")), 1):
            self.write("parts", text)
            date = f"2030-01-0{day}"
            self.dag("run", "files", "--logical-date", date, status=1)
            shown = self.dag("status", "files", date).stdout
            self.assertIn(message, shown)
            self.assertEqual(self.indexes("files", "load", date), {-1: "failed"})
            self.assertIn("dags/files.yaml:6", shown)

    def test_indexes_are_cleared_marked_and_expanded_anew(self):
        self.write("dags/files.yaml", FILES)
        self.write("parts", "[0, 1, 2]")
        self.write("broken", "")
        self.up()
        self.dag("trigger", "files", "--logical-date", "2030-01-01", "--wait", status=1)
        self.assertEqual(self.indexes("files", "load"), {0: "success", 1: "failed", 2: "success"})
        self.assertEqual(self.indexes("files", "end"), {-1: "upstream_failed"})
        self.assertIn("load[1]", self.dag("status", "files", "latest").stdout)
        refused = self.dag("clear", "files", "latest", "load[7]", "--yes", status=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("has no index 7", refused.stderr)
        preview = self.dag("clear", "files", "latest", "--failed", "--dry-run").stdout
        self.assertIn("load[1]", preview)
        (self.folder / "broken").unlink()
        self.dag("clear", "files", "latest", "load[1]", "--downstream", "--yes")
        self.wait_for(lambda: self.json("status", "files")[0]["state"] == "success")
        self.assertEqual(sorted((self.folder / "done").read_text().split()), ["0", "1", "2"])
        self.write("parts", "[0, 5]")
        self.dag("clear", "files", "latest", "parts+", "--yes")
        self.wait_for(lambda: self.json("status", "files")[0]["state"] == "success")
        self.assertEqual(self.indexes("files", "load"),
                         {0: "success", 1: "success", 2: "removed"})
        self.assertEqual(sorted((self.folder / "done").read_text().split()),
                         ["0", "0", "1", "2", "5"])
        self.dag("mark", "files", "latest", "load[0]", "failed", "--yes")
        self.assertEqual(self.indexes("files", "load")[0], "failed")

    def test_the_queue_names_indexes(self):
        self.write("dags/files.yaml", FILES.replace(
            "    bash: |\n", "    max_active_tis_per_dagrun: 1\n    bash: |\n").replace(
            'echo "{{ mapped.n }}" >> done', "while [ -e hold ]; do sleep 0.1; done"))
        self.write("parts", "[0, 1, 2]")
        self.write("hold", "")
        self.up()
        self.dag("trigger", "files", "--logical-date", "2030-01-01")
        self.wait_for(lambda: len(self.json("queue")) >= 2)
        self.assertIn("load[2]", self.dag("queue").stdout)
        (self.folder / "hold").unlink()
        self.wait_for(lambda: self.json("status", "files")[0]["state"] == "success")

    def test_an_index_is_rendered_where_its_values_are_known(self):
        self.write("dags/fan.yaml", LISTS)
        shown = self.dag("render", "fan", "ask[1]", "--logical-date", "2030-01-01").stdout
        self.assertEqual(shown, "echo\nsouth\n3\n")
        self.assertIn("name one of its indexes",
                      self.dag("render", "fan", "ask", status=2).stderr)
        self.assertIn("there is no index 2", self.dag("render", "fan", "ask[2]", status=3).stderr)
        self.assertIn("is not mapped", self.dag("render", "fan", "total[0]", status=2).stderr)
        unknown = self.dag("render", "fan", "load[0]", status=None)
        self.assertNotEqual(unknown.returncode, 0)
        self.assertIn("`part` of `load` comes from the task `list_parts`", unknown.stderr)

    def test_a_simulation_plays_the_indexes_of_lists(self):
        self.write("dags/fan.yaml", LISTS)
        shown = self.dag("simulate", "fan").stdout
        self.assertIn("ask × 2", shown)
        self.assertIn("load × 2", shown)
        self.write("outcomes.json", '{"ask": "failed"}')
        played = self.json("simulate", "fan", "--outcomes", "outcomes.json")[0]
        self.assertEqual(played["tasks"]["ask"], "failed")
        self.assertEqual(played["run_state"], "failed")

    def test_lint_asks_for_filters_where_values_come_from_outside(self):
        self.write("dag.yaml", "connections: {db: {uri: 'postgresql://localhost/x'}}\n")
        self.write("dags/sql.yaml", "schedule: null\ntasks:\n"
                   "  up: {sql: select 1, result: rows}\n"
                   "  m:\n    expand: {table: [a, b], part: {task: up}}\n"
                   "    sql: insert into {{ mapped.table }} select {{ mapped.part }}\n")
        found = [line for line in self.dag("lint", status=None).stdout.splitlines()
                 if "pasted into SQL" in line]
        self.assertEqual(len(found), 1, found)
        self.assertIn("mapped.part", found[0])

    def test_a_name_that_is_not_mapped_is_found_by_lint(self):
        self.write("dags/fan.yaml", LISTS.replace("mapped.region", "mapped.regoin"))
        self.assertIn("regoin", self.dag("lint", status=1).stdout)


if __name__ == "__main__":
    unittest.main()
