"""`dag init` makes a project that works at once, and docs/ci.md shows what works."""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "torture"))

from server import DAG, ROOT, DatabaseCase  # noqa: E402

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


def examples():
    """The YAML blocks of docs/ci.md, parsed."""
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def commands(tree):
    """What an example runs: the texts of `run` and `script`."""
    if isinstance(tree, list):
        for item in tree:
            yield from commands(item)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("run", "script"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from commands(value)


class Scaffold(DatabaseCase):
    def setUp(self):
        super().setUp()
        self.dag("init", "new")
        self.folder = self.folder / "new"
        test_uri = self.server.database_uri("postgres")
        self.variables = {"WAREHOUSE_URI": self.uri, "TEST_URI": test_uri}

    def environment(self):
        return dict(super().environment(), **getattr(self, "variables", {}))

    def test_lint_test_and_run_pass_at_once(self):
        self.dag("lint", "--strict")
        self.assertIn("2 of 2 tests passed", self.dag("test", "--twice").stdout)
        self.dag("run", "hello")
        self.dag("migrate")
        self.sql("insert into event values ('2026-01-01', 'visit')")
        self.dag("run", "daily_report", "--logical-date", "2026-01-01")
        self.assertEqual(self.sql("select kind, n from event_count"), "visit|1")

    def test_editors_find_the_schemas(self):
        for path in sorted(self.folder.rglob("*.yaml")):
            first = path.read_text(encoding="utf-8").splitlines()[0]
            named = first.removeprefix("# yaml-language-server: $schema=")
            self.assertNotEqual(named, first, path)
            schema = json.loads((path.parent / named).read_text(encoding="utf-8"))
            self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")

    def test_nothing_is_overwritten(self):
        before = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        (self.folder / "dag.yaml").unlink()
        before.pop(self.folder / "dag.yaml")
        error = self.dag("init", status=1).stderr
        self.assertIn("already", error)
        after = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        self.assertEqual(before, after)

    def test_the_ci_examples_run(self):
        """Every line of theirs, in the project that `dag init` makes."""
        found = [line for example in examples() for line in commands(example)]
        ran = 0
        for line in found:
            if "dag " not in line:
                self.assertIn("/dev/tcp/", line)
                continue
            ran += 1
            line = line.replace("dag lint", f"'{DAG}' lint").replace("dag test", f"'{DAG}' test")
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=self.folder,
                                  env=self.environment(), capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
        self.assertGreaterEqual(ran, 6)
        for name in ("results.xml", "results/dag.xml"):
            self.assertIn("<testcase", (self.folder / name).read_text(encoding="utf-8"))
        json.loads((self.folder / "lint.json").read_text(encoding="utf-8"))

    def test_the_examples_are_of_the_three_services(self):
        github, gitlab, circle = examples()[1:]
        self.assertIn("jobs", github)
        self.assertIn("script", gitlab["pipelines"])
        self.assertEqual(circle["version"], 2.1)
        written = self.folder / ".github" / "workflows" / "dag.yml"
        self.assertIn(written.read_text(encoding="utf-8"), PAGE)


if __name__ == "__main__":
    unittest.main()
