"""The tests of the pipelines' own tasks: tests/pipelines/*.test.yaml."""

import json
import subprocess
import unittest

import support


def dag(*words):
    return subprocess.run([support.dag_binary(), *words], cwd=support.ROOT, capture_output=True,
                          text=True, check=False)


class Shipped(unittest.TestCase):
    def test_every_task_has_a_test(self):
        """By itself, or at the end of a chain of what it needs."""
        tested = set()
        for path in (support.ROOT / "tests" / "pipelines").glob("*.test.yaml"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("    dag: "):
                    name = line.split(": ")[1]
                if line.startswith("    task: "):
                    tested.add((name, line.split(": ")[1]))
                if line.startswith("    tasks: ["):
                    tested.add((name, line.split("[")[1].rstrip("]").split(", ")[-1]))
        tasks = set()
        for path in sorted((support.ROOT / "dags").glob("*.yaml")):
            shown = dag("show", path.stem, "--json")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            tasks |= {(path.stem, task["task_id"]) for task in json.loads(shown.stdout)["tasks"]}
        self.assertGreaterEqual(len(tasks), 19)
        self.assertEqual(tasks - tested, set())

    def test_they_pass_and_every_task_can_be_run_again(self):
        done = dag("test", "--twice")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(" tests passed in ", done.stdout)

    def test_lint_finds_nothing(self):
        done = dag("lint")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Broken(unittest.TestCase):
    """The tests notice what they are for."""

    def test_a_changed_template_fails(self):
        name = "the label, and no speeds that cannot be"
        template = support.ROOT / "templates" / "geolife" / "trajectory_speed_walk.sql"
        text = template.read_text(encoding="utf-8")
        with support.copied_project() as folder:
            changed = folder / "templates" / "geolife" / template.name
            changed.write_text(text.replace("<=", "<"), encoding="utf-8")
            done = subprocess.run([support.dag_binary(), "test", "--only", name], cwd=folder,
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("2 missing (-)", done.stdout)


if __name__ == "__main__":
    unittest.main()
